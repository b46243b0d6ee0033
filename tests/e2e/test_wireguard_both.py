#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A WireGuard tunnel with weir at both ends."""
import os
import tempfile

import servers
import wgbed
import wgserved
from bed import (HOST4, HOST6, PROXY4, PROXY4_OTHER, SERVER4, SERVER6, run)
from harness import (Child, Weir, check, check_equal, keep, main, test,
                     wait_for)
from wgbed import ALL, NEAR, SERVER4_OTHER, Keys, moved
from wgtraffic import (check_all, check_hash, check_programs, fetch, resumes,
                       web)


class Ends:
    """weir in `server` serves weir in `proxy`, and asks what is behind it."""

    def __init__(self, bed, endpoint=f"{SERVER4}:{wgbed.PORT}", psk=None,
                 more="", dns="", served=""):
        self.bed = bed
        self.far, self.near = Keys(), Keys()
        self.far_name, self.near_name = (wgbed.unique_name(),
                                         wgbed.unique_name())
        self.psk, self.more = psk, more
        self.endpoint, self.dns, self.served = endpoint, dns, served
        self.serve()
        self.dial()

    def serve(self, address="[::]"):
        peer = wgserved.peer("bob", self.near.public, NEAR, self.psk)
        self.server = Weir(self.bed, wgserved.config(
            self.far, self.far_name, peer.replace(" }", self.served + " }"),
            more="    allow_private: true\n" + self.more).replace(
                "[::]", address), own_tun=True, role="server")

    def dial(self):
        self.client = Weir(self.bed, wgbed.through(wgbed.outbound(
            self.near, self.far.public, self.endpoint, psk=self.psk,
            more=f"    interface: {self.near_name}\n" + self.more),
            self.dns))

    def resumed(self, what):
        resumes(lambda: fetch(self.bed, HOST4, seconds=2), what)

    def alive(self):
        return self.server.alive() and self.client.alive()


@test
def everything_goes_through_over_ipv4(bed):
    ends = Ends(bed)
    web(bed)
    for host in HOST4, HOST6:
        check_all(bed, host)
    check_programs(bed, HOST4)
    check(ends.alive(), "weir died")


@test
def everything_goes_through_over_ipv6_with_a_preshared_key(bed):
    ends = Ends(bed, f"[{SERVER6}]:{wgbed.PORT}", wgbed.preshared())
    web(bed)
    for host in HOST4, HOST6:
        check_all(bed, host)
    check(ends.alive(), "weir died")


@test
def either_end_may_be_restarted(bed):
    """Of the server only the client's endpoint and a keepalive make it known
    before 15 s of silence."""
    ends = Ends(bed, served=(
        f', endpoint: "{PROXY4}:52001", keepalive: 1s'))
    run("wg", "set", ends.near_name, "listen-port", "52001")
    web(bed)
    check(fetch(bed, HOST4), "the first request failed")
    check_equal(ends.server.stop(), 0, "exit status")
    ends.serve()
    ends.resumed("the server was restarted")
    check_equal(ends.client.stop(), 0, "exit status")
    ends.dial()
    ends.resumed("the client was restarted")
    check(ends.alive(), "weir died")


@test
def either_end_may_move(bed):
    ends = Ends(bed, served=", keepalive: 1s")
    web(bed)
    check(fetch(bed, HOST4), "the first request failed")
    with moved(bed, "proxy", "up0", PROXY4, PROXY4_OTHER):
        ends.resumed("the client has another address")
    run("wg", "set", ends.near_name, "listen-port", "52002")
    ends.resumed("the client has another port")
    with moved(bed, "server", "down0", SERVER4, SERVER4_OTHER):
        bed.ip("proxy", "route", "replace", "10.77.0.0/16", "via",
               SERVER4_OTHER)
        ends.resumed("the server has another address")
        check_equal(wgbed.show(ends.near_name)[ends.far.public]["endpoint"],
                    f"{SERVER4_OTHER}:{wgbed.PORT}", "its endpoint")
    run("wg", "set", ends.far_name, "listen-port", "53001")
    ends.resumed("the server has another port")
    check(ends.alive(), "weir died")


@test
def either_end_may_have_another_key(bed):
    ends = Ends(bed)
    web(bed)
    check(fetch(bed, HOST4), "the first request failed")
    near, far = Keys(), Keys()
    run("wg", "set", ends.near_name, "private-key", "/dev/stdin",
        input=near.private)
    run("wg", "set", ends.far_name, "peer", ends.near.public, "remove", "peer",
        near.public, "allowed-ips", ",".join(NEAR))
    ends.resumed("the client has another key")
    run("wg", "set", ends.far_name, "private-key", "/dev/stdin",
        input=far.private)
    run("wg", "set", ends.near_name, "peer", ends.far.public, "remove", "peer",
        far.public, "allowed-ips", ",".join(ALL), "endpoint", ends.endpoint)
    ends.resumed("the server has another key")
    check(ends.alive(), "weir died")


def threads(weir):
    return len(os.listdir(f"/proc/{weir.process.pid}/task"))


def worked(weir):
    """Whether every thread has used a hundredth of a second."""
    folder = f"/proc/{weir.process.pid}/task"
    for task in os.listdir(folder):
        with open(f"{folder}/{task}/schedstat", encoding="ascii") as f:
            if int(f.read().split()[0]) < 10_000_000:
                return False
    return True


@test
def workers_seal_and_open_what_comes_in_bulk(bed):
    ends = Ends(bed, more="    workers: 2\n")
    web(bed)
    for end in ends.server, ends.client:
        check_equal(threads(end), 3, "threads")
    for host in HOST4, HOST6:
        check_hash(bed, host)
    check(worked(ends.server) and worked(ends.client),
          "a worker did nothing")
    check(ends.alive(), "weir died")


@test
def a_changed_network_looks_the_endpoint_up_again(bed):
    """The server has moved; nobody would notice for 15 s of silence."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "address")

        def named(address):
            with open(path + ".new", "w", encoding="ascii") as f:
                f.write(address)
            os.rename(path + ".new", path)

        named("10.77.2.1")
        keep(Child(bed, "server", servers.written_name_server, "10.77.1.53",
                   path))
        ends = Ends(bed, f"host.example:{wgbed.PORT}",
                    dns='dns: { servers: ["10.77.1.53"] }\n')
        check_equal(ends.server.stop(), 0, "exit status")
        ends.serve("10.77.2.1")
        web(bed)
        check(fetch(bed, HOST4), "the first request failed")
        check_equal(ends.server.stop(), 0, "exit status")
        ends.serve("10.77.2.2")
        named("10.77.2.2")
        bed.ip("proxy", "addr", "add", "10.99.9.9/32", "dev", "lo")
        try:
            wait_for(lambda: fetch(bed, HOST4, seconds=2), 12,
                     "traffic after the network has changed")
        finally:
            bed.ip("proxy", "addr", "del", "10.99.9.9/32", "dev", "lo")
    check_equal(wgbed.show(ends.near_name)[ends.far.public]["endpoint"],
                f"10.77.2.2:{wgbed.PORT}", "the endpoint")
    check(ends.alive(), "weir died")


if __name__ == "__main__":
    main()
