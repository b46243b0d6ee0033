#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Peers come in through weir's WireGuard inbound: wireguard-go."""
import contextlib
import errno
import re
import socket
import subprocess
import tempfile

import servers
import wgbed
import wgtraffic
from bed import PROXY4, PROXY6, SERVER4, run
from harness import (Weir, check, check_equal, keep, main, test, wait_for,
                     weir_check)
from wgbed import (FAR, FAR4, FAR6, NEAR, NEAR4, SERVER4_OTHER, Keys,
                   listed, moved, other_end)
from wgtraffic import (PORT, check_hash, check_ping, check_programs,
                       resumes)

SECOND4 = "10.7.0.3"  # of another peer
PUBLIC4_SECOND = "203.0.113.129"
PUBLIC4, PUBLIC6 = "203.0.113.1", "2001:db8:113::1"  # of the machine of weir


def inbound(keys, peers, name, listen=f"[::]:{wgbed.PORT}", more=""):
    """`peers`: (name, public key, allowed prefixes, more)"""
    none = "" if peers else " []"
    text = f"""\
log: {{ level: info }}
inbounds:
  - tag: wg
    type: wireguard
    listen: "{listen}"
    private_key: "{keys.private}"
    address: {listed(FAR)}
    interface: {name}
{more}    peers:{none}
"""
    for user, public, allowed, extra in peers:
        text += f"      - {{ name: {user}, public_key: \"{public}\", " \
            f"allowed_ips: {listed(allowed)}{extra} }}\n"
    return text + "outbounds:\n  - { tag: direct, type: freedom }\n"


class Server:
    """weir in `proxy` takes wireguard-go in `server` as its peer; what peers
    ask for is served in `proxy` itself."""

    def __init__(self, bed, endpoint=PROXY4, psk=None, more=""):
        self.far, self.near = Keys(), Keys()
        self.name = wgbed.unique_name()
        extra = f", pre_shared_key: \"{psk}\"" if psk else ""
        self.weir = Weir(bed, inbound(
            self.far, [("alice", self.near.public, NEAR, extra)], self.name,
            more=more), own_tun=True)
        self.go = other_end(bed, "server", self.near,
                            (wgbed.NEAR4 + "/24", wgbed.NEAR6 + "/64"))
        at = f"[{endpoint}]" if ":" in endpoint else endpoint
        self.go.peer(self.far.public, wgbed.ALL, f"{at}:{wgbed.PORT}", psk)
        self.go.route("203.0.113.0/24", "2001:db8:113::/48")
        for address in PUBLIC4, PUBLIC6:
            bed.ip("proxy", "addr", "replace", address, "dev", "lo")


def web(bed):
    wgtraffic.web(bed, "proxy", PUBLIC4)


def fetch(bed, host, size=1000, seconds=20):
    return wgtraffic.fetch(bed, host, size, seconds, near="server")


def check_echo(bed, host):
    wgtraffic.check_echo(bed, host, near="server", far="proxy")


def check_all(bed):
    for host in PUBLIC4, PUBLIC6:
        check_hash(bed, host, near="server")
        check_echo(bed, host)
        check_ping(bed, host, near="server")
    for host in FAR4, FAR6:
        check_ping(bed, host, near="server")


@test
def a_peer_reaches_everything_over_ipv4(bed):
    server = Server(bed)
    web(bed)
    check_all(bed)
    check("alice" in server.weir.log(), "sessions name no user")
    check(f"{NEAR4}:" in server.weir.log(), "sessions have another source")


@test
def drops_and_traffic_are_told_peer_by_peer(bed):
    server = Server(bed)
    web(bed)
    check(fetch(bed, PUBLIC4), "the fetch failed")
    bed.ip("server", "addr", "add", "10.99.0.9/32", "dev", server.go.name)
    bed.spawn("server", ["ping", "-c", "1", "-W", "1", "-I", "10.99.0.9",
                         PUBLIC4], stdout=subprocess.DEVNULL).wait()
    server.weir.counters()

    def lines():
        return re.findall(r"wg: peer alice rx_packets (\d+) rx_bytes (\d+) "
                          r"tx_packets (\d+) tx_bytes (\d+) "
                          r".*dropped_source (\d+)", server.weir.log())

    wait_for(lines, 10, "a line about alice")
    check(min(map(int, lines()[0])) > 0, f"one is 0: {lines()[0]}")


@test
def a_peer_reaches_everything_over_ipv6_with_a_preshared_key(bed):
    Server(bed, PROXY6, wgbed.preshared())
    web(bed)
    check_all(bed)


@test
def iperf3_and_dig_go_through(bed):
    Server(bed)
    check_programs(bed, PUBLIC4, "proxy", "server")


@test
def a_peer_is_back_from_wherever_it_comes_at_once(bed):
    server = Server(bed)
    web(bed)
    check(fetch(bed, PUBLIC4), "the first request failed")

    def resumed(what):
        resumes(lambda: fetch(bed, PUBLIC4, seconds=2), what)

    server.go.restart()
    server.go.route("203.0.113.0/24")
    resumed("the peer was restarted")
    server.go.set("listen-port", 51999)
    resumed("the peer has another port")
    with moved(bed, "server", "down0", SERVER4, SERVER4_OTHER):
        resumed("the peer has another address")
        check_equal(wgbed.show(server.name)[server.near.public]["endpoint"],
                    SERVER4_OTHER + ":51999", "its endpoint")
    new = Keys()
    server.go.set("private-key", "/dev/stdin", key=new.private)
    run("wg", "set", server.name, "peer", server.near.public, "remove",
        "peer", new.public, "allowed-ips", ",".join(NEAR))
    resumed("the peer has another key")


@test
def private_targets_are_refused_unless_allowed(bed):
    bed.ip("proxy", "addr", "replace", PUBLIC4, "dev", "lo")
    web(bed)
    for allowed in False, True:
        server = Server(bed, more="    allow_private: true\n" if allowed
                        else "")
        check(fetch(bed, PUBLIC4), "a public target failed")
        bed.ip("proxy", "addr", "replace", "10.90.0.1", "dev", "lo")
        server.go.route("10.90.0.0/24")
        check_equal(fetch(bed, "10.90.0.1", seconds=5), allowed,
                    "whether a private target is reached")
        near = keep(bed.socket("server", socket.AF_INET, socket.SOCK_STREAM))
        near.settimeout(10)
        check_equal(near.connect_ex(("10.90.0.1", wgtraffic.HTTP_PORT)),
                    0 if allowed else errno.ECONNREFUSED, "what it is told")
        with bed.inside("proxy"):
            far = keep(servers.udp_socket("10.90.0.1", PORT))
        near = keep(bed.socket("server", socket.AF_INET, socket.SOCK_DGRAM))
        near.sendto(b"hello", ("10.90.0.1", PORT))
        far.settimeout(5 if allowed else 0.5)
        try:
            came = far.recv(100) == b"hello"
        except socket.timeout:
            came = False
        check_equal(came, allowed, "whether a datagram came")
        counters = server.weir.counters()
        check_equal(counters["wg", "refused_private"] > 0, not allowed,
                    "refused connections are counted")
        server.weir.close()
        server.go.close()
        far.close()


@test
def the_servers_own_address_answers_pings_and_leads_nowhere(bed):
    server = Server(bed)
    for host in FAR4, FAR6:
        check_ping(bed, host, near="server")
        check_ping(bed, host, near="server", size=3000)
        bed.ip("proxy", "addr", "replace", host, "dev", "lo")
        with bed.inside("proxy"):
            far = keep(servers.udp_socket(host, PORT))
        near = keep(bed.socket("server", far.family, socket.SOCK_DGRAM))
        before = server.weir.counters()["wg", "dropped_private"]
        for size in 1, 3000:
            near.sendto(bytes(size), (host, PORT))
        wait_for(lambda before=before: server.weir.counters()[
            "wg", "dropped_private"] > before + 1, 10, "the drops")
        far.settimeout(0.2)
        with contextlib.suppress(socket.timeout):
            check(not far.recv(1 << 16), "a neighbour of the same address "
                  "got a datagram")
        bed.ip("proxy", "addr", "del", host, "dev", "lo")


@test
def peers_come_and_go_without_disturbing_the_others(bed):
    server = Server(bed)
    web(bed)
    check(fetch(bed, PUBLIC4), "the first request failed")
    before = wgbed.show(server.name)[server.near.public]["handshake"]
    other = Keys()
    run("wg", "set", server.name, "peer", other.public, "allowed-ips",
        "10.7.0.9/32")
    check_equal(len(wgbed.show(server.name)), 2, "peers")
    check(fetch(bed, PUBLIC4), "the request beside a new peer failed")
    run("wg", "set", server.name, "peer", other.public, "remove")
    check(fetch(bed, PUBLIC4), "the request after its removal failed")
    check_equal(wgbed.show(server.name)[server.near.public]["handshake"],
                before, "time of the handshake")
    run("wg", "set", server.name, "peer", server.near.public, "remove")
    check(not fetch(bed, PUBLIC4, seconds=2), "a removed peer came in")


@test
def a_peer_that_comes_back_is_the_same_user(bed):
    server = Server(bed)
    web(bed)
    check(fetch(bed, PUBLIC4), "the first request failed")
    before = server.weir.log().count("handshake with")
    kept = run("wg", "showconf", server.name)
    run("wg", "set", server.name, "peer", server.near.public, "remove")
    with tempfile.NamedTemporaryFile("w") as f:
        f.write(kept)
        f.flush()
        run("wg", "setconf", server.name, f.name)
    check(fetch(bed, PUBLIC4, seconds=40), "the request afterwards failed")
    log = server.weir.log()
    check(log.count("handshake with") > before, log)
    check_equal(log.count("peer alice: handshake with"),
                log.count("handshake with"), log)


class Second:
    """Another peer of the server beside the first, with a part of the public
    addresses behind it."""

    def __init__(self, bed, server):
        self.keys = Keys()
        run("wg", "set", server.name, "peer", self.keys.public, "allowed-ips",
            SECOND4 + "/32")
        self.go = other_end(bed, "server", self.keys, (SECOND4 + "/32",),
                            port=wgbed.PORT + 1)
        self.connect(server)
        self.go.route("203.0.113.128/25")
        bed.ip("proxy", "addr", "replace", PUBLIC4_SECOND, "dev", "lo")

    def connect(self, server):
        """Begin anew: by itself it would notice after 15 s that weir has
        forgotten its session."""
        self.go.set("peer", server.far.public, "remove")
        self.go.peer(server.far.public, ("0.0.0.0/0",),
                     f"{PROXY4}:{wgbed.PORT}")


class Talk:
    """A connection and a flow of datagrams, to where a peer's routes lead."""

    def __init__(self, bed, host):
        with bed.inside("proxy"):
            self.listener = keep(socket.create_server((host, PORT)))
            self.far_udp = keep(servers.udp_socket(host, PORT))
        self.near = keep(bed.socket("server", socket.AF_INET,
                                    socket.SOCK_STREAM))
        self.near_udp = keep(bed.socket("server", socket.AF_INET,
                                        socket.SOCK_DGRAM))
        for s in self.listener, self.far_udp, self.near, self.near_udp:
            s.settimeout(30)
        self.near.connect((host, PORT))
        self.far = keep(self.listener.accept()[0])
        self.far.settimeout(30)
        self.near_udp.sendto(b"hello", (host, PORT))
        self.back = self.far_udp.recvfrom(100)[1]
        self.check_goes_on()

    def check_goes_on(self):
        for one, other in (self.near, self.far), (self.far, self.near):
            one.sendall(b"stream")
            check_equal(other.recv(100), b"stream", "bytes of the stream")
        self.far_udp.sendto(b"datagram", self.back)
        check_equal(self.near_udp.recv(100), b"datagram", "the datagram")

    def check_ended(self):
        try:
            check_equal(self.far.recv(100), b"", "bytes behind the end")
        except ConnectionResetError:
            pass
        self.near_udp.settimeout(1)
        with contextlib.suppress(ConnectionRefusedError):
            self.far_udp.sendto(b"datagram", self.back)
        try:
            check(not self.near_udp.recv(100), "a datagram came")
        except socket.timeout:
            pass


@test
def what_a_removed_peer_had_open_ends(bed):
    server = Server(bed)
    second = Second(bed, server)
    first_talk, talk = Talk(bed, PUBLIC4), Talk(bed, PUBLIC4_SECOND)
    run("wg", "set", server.name, "peer", server.near.public, "remove")
    first_talk.check_ended()
    talk.check_goes_on()
    with tempfile.NamedTemporaryFile("w") as f:
        f.write(run("wg", "showconf", server.name))
        f.flush()
        run("wg", "syncconf", server.name, f.name)
        talk.check_goes_on()
        run("wg", "setconf", server.name, f.name)
    second.connect(server)
    talk.check_goes_on()


@test
def who_gets_the_address_gets_no_sessions(bed):
    """The second peer's, moved to the first with all that it is."""
    server = Server(bed)
    second = Second(bed, server)
    talk = Talk(bed, PUBLIC4_SECOND)
    heir = Keys()
    run("wg", "set", server.name, "peer", heir.public, "allowed-ips",
        SECOND4 + "/32")
    second.go.set("private-key", "/dev/stdin", key=heir.private)
    second.connect(server)
    talk.check_ended()
    talk.near.sendall(b"is anybody there?")
    try:
        check(not talk.near.recv(100), "bytes of a session of another")
    except ConnectionResetError:
        pass
    for s in talk.listener, talk.far_udp:
        s.close()
    Talk(bed, PUBLIC4_SECOND)


@test
def a_question_that_was_answered_is_not_kept_long(bed):
    """15 s, where the policy allows 300."""
    server = Server(bed)
    check_echo(bed, PUBLIC4)
    wait_for(lambda: f"{PUBLIC4}:{PORT} user alice" in server.weir.log(), 40,
             "the end of the flow")
    line, = [text for text in server.weir.log().splitlines()
             if f"{PUBLIC4}:{PORT} user alice" in text]
    check(" idle" in line, line)


@test
def overlapping_prefixes_are_refused_with_both_names(_bed):
    keys = Keys()
    with tempfile.NamedTemporaryFile("w") as f:
        f.write(inbound(keys, [("alice", Keys().public, NEAR, ""),
                               ("bob", Keys().public, NEAR, "")], "x"))
        f.flush()
        status, said = weir_check(f.name)
    check(status, "it was taken")
    check("alice" in said and "bob" in said, said)
    check(keys.private not in said, "the key was printed")


@test
def no_key_stands_in_the_log(bed):
    psk = wgbed.preshared()
    server = Server(bed, psk=psk)
    web(bed)
    check(fetch(bed, PUBLIC4), "the request failed")
    log = server.weir.log()
    for secret in server.far.private, psk:
        check(secret not in log, "a key stands in the log")


if __name__ == "__main__":
    main()
