#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A WireGuard tunnel with the kernel's own TCP inside: kernel_tun."""
import json
import os
import resource
import signal
import socket
import subprocess

import servers
import wgbed
from bed import SERVER4
from harness import (Weir, check, check_equal, keep, main, need, refusal,
                     serve, test, wait_for, without_net_admin)
from wgbed import FAR4, FAR6, NEAR4, NEAR6, Keys, Pair, other_end
from wgtraffic import check_all, fetch, name_server, web

KERNEL = "    kernel_tun: on\n"
PORT = 7900


def state(bed):
    """Rules, the main tables and interfaces, as `ip` shows them."""
    return tuple(bed.ip("proxy", *words) for words in (
        ("rule",), ("-6", "rule"), ("route", "show", "table", "main"),
        ("-6", "route", "show", "table", "main"),
        ("-brief", "link", "show", "type", "tun")))


def own_rules(bed):
    return [line for family in ("-4", "-6")
            for line in bed.ip("proxy", family, "rule").splitlines()
            if NEAR4 in line or NEAR6 in line]


def check_tables_empty(bed):
    for family in "-4", "-6":
        check("weirwg" not in bed.ip("proxy", family, "route", "show",
                                     "table", "all"), "a route was left")


@test
def everything_goes_through_and_nothing_is_left_behind(bed):
    before = state(bed)
    pair = Pair(bed, SERVER4, psk=wgbed.preshared(), more=KERNEL)
    after = state(bed)
    check_equal(len(own_rules(bed)), 2, "rules, one a family")
    check_equal(after[2:4], before[2:4], "the main tables")
    check_equal(pair.weir.counters()["wg", "udp_sent"], 0,
                "datagrams before the first session")
    web(bed)
    for host in FAR4, FAR6:
        check_all(bed, host)
    counters = pair.weir.counters()
    check(counters["wg", "inside_tcp_connects"] >= 4, "it was not the kernel")
    check_equal(pair.weir.stop(), 0, "exit status")
    check_equal(state(bed), before, "rules, routes and interfaces afterwards")
    check_tables_empty(bed)


def check_rules_go(bed, *words):
    """They do although the tunnel's interface became another."""
    weir = Weir(bed, wgbed.through(wgbed.outbound(
        Keys(), Keys().public, f"{SERVER4}:1", more=KERNEL)))
    check_equal(len(own_rules(bed)), 2, "rules")
    bed.ip("proxy", "link", *words)
    check_equal(weir.stop(), 0, "exit status")
    check_equal(own_rules(bed), [], "rules afterwards")


@test
def rules_go_where_the_interface_was_removed(bed):
    check_rules_go(bed, "del", "weirwg0")


def kept(bed):
    """What a tunnel needs of the kernel."""
    return own_rules(bed), *(bed.ip("proxy", *words) for words in (
        ("route", "show", "table", "all", "dev", "weirwg0"),
        ("-6", "route", "show", "table", "all", "dev", "weirwg0"),
        ("-brief", "addr", "show", "dev", "weirwg0")))


def check_comes_back(bed, whole, what):
    wait_for(lambda: kept(bed) == whole, 30, f"{what} put back")
    for host in FAR4, FAR6:
        check(fetch(bed, host), f"{what}: the request to {host} failed")


@test
def what_others_take_away_is_put_back(bed):
    """In the end all that goes with a link that is down is no quarrel."""
    pair = Pair(bed, SERVER4, more=KERNEL)
    web(bed)
    whole = kept(bed)
    table = whole[0][0].split("lookup ")[1].split()[0]
    for what, *lines in (
            ("rules", "-4 rule del priority 2000", "-6 rule del priority 2000"),
            ("routes", f"-4 route flush table {table}",
             f"-6 route flush table {table}"),
            ("addresses", "addr flush dev weirwg0"),
            *[("a link down for a while", "link set weirwg0 down",
               "link set weirwg0 up")] * 7):
        for line in lines:
            bed.ip("proxy", *line.split())
        check(kept(bed) != whole, f"{what} were not taken away")
        check_comes_back(bed, whole, what)
    lines = [line for line in pair.weir.log().splitlines()
             if "it was put back" in line]
    check_equal(len(lines), 3, "lines of the log about it")
    check(f"the rule for {NEAR6}" in lines[0], f"it says {lines[0]}")
    check("is up again and got back" in pair.weir.log(), "the link's return")
    check_equal(pair.weir.stop(), 0, "exit status")
    check_equal(own_rules(bed), [], "rules afterwards")


@test
def addresses_return_with_ipv6(bed):
    pair = Pair(bed, SERVER4, more=KERNEL)
    web(bed)
    whole = kept(bed)
    for value in "1", "0":
        with bed.inside("proxy"):
            with open("/proc/sys/net/ipv6/conf/weirwg0/disable_ipv6", "w",
                      encoding="ascii") as f:
                f.write(value)
    check_comes_back(bed, whole, "IPv6")
    pair.weir.stop()


@test
def a_link_that_was_taken_down_stays_so_and_is_told(bed):
    pair = Pair(bed, SERVER4, more=KERNEL)
    bed.ip("proxy", "link", "set", "weirwg0", "down")
    wait_for(lambda: "weirwg0 was taken down" in pair.weir.log(), 10, "told")
    check(not fetch(bed, FAR4), "a request went through")
    check_equal(pair.weir.stop(), 0, "exit status")


@test
def an_interface_that_was_removed_is_made_again(bed):
    before = state(bed)
    pair = Pair(bed, SERVER4, more=KERNEL)
    web(bed)
    check(fetch(bed, FAR4), "the request failed")
    serve(bed, servers.echo_server, PORT, PORT)
    near = keep(bed.socket("client", socket.AF_INET, socket.SOCK_STREAM))
    near.settimeout(20)
    near.connect((FAR4, PORT))
    whole = state(bed)
    bed.ip("proxy", "link", "del", "weirwg0")
    wait_for(lambda: len(state(bed)[4]) == len(whole[4]), 30, "a new one")
    wait_for(lambda: "made again" in pair.weir.log(), 10, "told")
    for host in FAR4, FAR6:
        check(fetch(bed, host), f"the request to {host} failed")
    near.sendall(b"still there?")
    check_equal(near.recv(100), b"still there?", "by an old connection")
    check_equal(pair.weir.log().count("weirwg0 was removed"), 1,
                "lines of the log about it")
    check_equal(len(own_rules(bed)), 2, "rules")
    check_equal(pair.weir.stop(), 0, "exit status")
    check_equal(state(bed), before, "rules, routes and interfaces afterwards")


@test
def an_interface_that_was_renamed_serves_on(bed):
    pair = Pair(bed, SERVER4, more=KERNEL)
    web(bed)
    for words in ("down", "name", "other0"), ("up",):
        name = "weirwg0" if words[0] == "down" else "other0"
        bed.ip("proxy", "link", "set", name, *words)
    wait_for(lambda: "other0 is up again" in pair.weir.log(), 10, "told")
    for host in FAR4, FAR6:
        check(fetch(bed, host), f"the request to {host} failed")
    pair.weir.stop()


@test
def rules_go_where_the_interface_was_renamed(bed):
    check_rules_go(bed, "set", "weirwg0", "down", "name", "other0")


def mtus(bed):
    return sorted(int(link["mtu"]) for link in json.loads(bed.ip(
        "proxy", "-json", "link", "show", "type", "tun"))
        if link["ifname"].startswith("weirwg"))


@test
def tunnels_in_tunnels_have_packets_that_fit(bed):
    """Told in the order in which they do not start."""
    peer = Keys().public
    text = ""
    for tag, endpoint, more in (
            ("third", "10.8.0.1:1", "via: second"),
            ("second", "host.example:1", "via: between"),
            ("first", f"{SERVER4}:1", "mtu: 1410")):
        text += wgbed.outbound(Keys(), peer, endpoint, tag=tag,
                               more=f"{KERNEL}    {more}\n",
                               address=("10.8.0.2/32",))
    text += "  - { tag: between, type: freedom, via: first }\n"
    weir = Weir(bed, wgbed.through(text))
    check_equal(mtus(bed), [1410 - 80 - 60, 1410 - 80, 1410], "MTUs")
    weir.stop()


@test
def a_name_server_answers_through_it(bed):
    pair = Pair(bed, SERVER4, more=KERNEL)
    name_server(bed, FAR4)
    dig = bed.spawn("client", [need("dig"), "+short", "+tries=2",
                               "host.example", "@" + FAR4],
                    stdout=subprocess.PIPE, text=True)
    check(dig.communicate()[0].strip(), "dig got no answer")
    pair.weir.stop()


@test
def rules_that_cannot_be_removed_are_told(bed):
    """Here for want of a descriptor: the limit is below those in use."""
    pair = Pair(bed, SERVER4, more=KERNEL)
    hard = resource.prlimit(pair.weir.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(pair.weir.pid, resource.RLIMIT_NOFILE, (3, hard))
    check_equal(pair.weir.stop(), 0, "exit status")
    check("weirwg0: rules are left" in pair.weir.log(), "it was not told")
    for family in "-4", "-6":
        bed.ip("proxy", family, "rule", "del", "priority", "2000")


def check_way_back(bed, value):
    """Whether the kernel of `proxy` checks it: rp_filter."""
    with bed.inside("proxy"):
        for name in "all", "default":
            path = f"/proc/sys/net/ipv4/conf/{name}/rp_filter"
            with open(path, "w", encoding="ascii") as f:
                f.write(value)


@test
def answers_pass_a_strict_check_of_the_way_back(bed):
    check_way_back(bed, "1")
    try:
        pair = Pair(bed, SERVER4, more=KERNEL)
        web(bed)
        check(fetch(bed, FAR4), "the request failed")
        pair.weir.stop()
    finally:
        check_way_back(bed, "0")


@test
def an_address_that_another_tunnel_has_too_is_told(bed):
    text = "".join(wgbed.outbound(
        Keys(), Keys().public, f"{SERVER4}:1", tag=tag, more=KERNEL,
        address=address)
        for tag, address in (("one", wgbed.NEAR), ("two", wgbed.NEAR),
                             ("three", ("10.8.0.2/32",))))
    weir = Weir(bed, wgbed.through(text))
    lines = [line for line in weir.log().splitlines() if "rp_filter" in line]
    check_equal(len(lines), 1, "lines of the log about it")
    check(f"two: {NEAR4} is an address of weirwg0" in lines[0],
          f"it says {lines[0]}")
    weir.stop()


@test
def what_a_killed_weir_left_is_removed_by_the_next(bed):
    before = state(bed)
    pair = Pair(bed, SERVER4, more=KERNEL)
    pair.weir.process.send_signal(signal.SIGKILL)
    pair.weir.wait()
    check_equal(len(own_rules(bed)), 2, "rules that were left")
    os.unlink(f"{wgbed.FOLDER}/{pair.name}.sock")
    bed.ip("client", "link", "del", "w0", check=False)
    weir = Weir(bed, wgbed.through(wgbed.outbound(
        pair.near, pair.far.public, f"{SERVER4}:{wgbed.PORT}", more=KERNEL)))
    check_equal(len(own_rules(bed)), 2, "rules of the next")
    web(bed)
    check(fetch(bed, FAR4), "the request failed")
    check(fetch(bed, FAR6), "the request over IPv6 failed")
    check_equal(weir.stop(), 0, "exit status")
    check_equal(state(bed), before, "rules, routes and interfaces afterwards")


@test
def peers_do_not_reach_services_of_this_machine(bed):
    pair = Pair(bed, SERVER4, more=KERNEL)
    web(bed)
    check(fetch(bed, FAR4), "the request failed")
    listener = keep(bed.socket("proxy", socket.AF_INET, socket.SOCK_STREAM))
    listener.bind(("0.0.0.0", PORT))
    listener.listen()
    asked = keep(bed.socket("proxy", socket.AF_INET, socket.SOCK_DGRAM))
    asked.bind(("0.0.0.0", PORT))
    asked.setblocking(False)
    caller = keep(bed.socket("server", socket.AF_INET, socket.SOCK_STREAM))
    caller.setblocking(False)
    caller.connect_ex((NEAR4, PORT))
    sender = keep(bed.socket("server", socket.AF_INET, socket.SOCK_DGRAM))
    sender.sendto(b"hello", (NEAR4, PORT))
    wait_for(lambda: pair.weir.counters()["wg", "inside_refused"] >= 2, 5,
             "two packets refused")
    listener.setblocking(False)
    for call in listener.accept, lambda: asked.recv(100):
        try:
            call()
        except BlockingIOError:
            continue
        raise AssertionError("a service was reached")
    pair.weir.stop()


def without_the_right(bed, mode):
    near, far = Keys(), Keys()
    go = other_end(bed, "server", far)
    go.peer(near.public)
    web(bed)
    return Weir(bed, wgbed.through(wgbed.outbound(
        near, far.public, f"{SERVER4}:{wgbed.PORT}",
        more=f"    kernel_tun: {mode}\n")),
        wrapper=without_net_admin())


@test
def auto_does_without_where_the_right_is_missing(bed):
    weir = without_the_right(bed, "auto")
    check(fetch(bed, FAR4), "the request failed")
    lines = [line for line in weir.log().splitlines() if "kernel_tun" in line]
    check_equal(len(lines), 1, "lines of the log about it")
    check("CAP_NET_ADMIN" in lines[0], f"it says {lines[0]}")
    check_equal(own_rules(bed), [], "rules")


@test
def auto_uses_the_right_where_it_is_there(bed):
    pair = Pair(bed, SERVER4, more="    kernel_tun: auto\n")
    web(bed)
    check(fetch(bed, FAR4), "the request failed")
    check_equal(pair.weir.counters()["wg", "inside_tcp_connects"], 1,
                "connections of the kernel")
    pair.weir.stop()


@test
def on_says_which_right_is_missing(bed):
    log = refusal(lambda: without_the_right(bed, "on"))
    check("CAP_NET_ADMIN" in log, f"it says {log}")


if __name__ == "__main__":
    main()
