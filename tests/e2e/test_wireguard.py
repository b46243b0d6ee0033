#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions through a WireGuard tunnel whose other end is wireguard-go."""
import errno
import socket
import struct
import time

import servers
import wgbed
from bed import (HOST4, NAMED4, PROXY4, PROXY4_OTHER, SERVER4, SERVER6,
                 run)
from harness import (Weir, check, check_equal, keep, main, serve, test,
                     wait_for)
from wgbed import (FAR4, FAR6, SERVER4_OTHER, Keys, Pair, moved,
                   other_end)
from wgtraffic import (PORT, check_all, check_echo, check_hash,
                       check_programs, check_upload, fetch, name_server,
                       resumes, web)

RECEIVE_ERRORS = {socket.AF_INET: (socket.IPPROTO_IP, 11),
                  socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
RESET_PORT, RESET_TIMES = 8086, 20
FAIL_S = 10  # long before an outbound gives up by itself
NOBODY4, NOBODY6 = "10.80.1.1", "2001:db8:80::1"


@test
def everything_goes_through_a_tunnel_over_ipv4(bed):
    pair = Pair(bed, SERVER4)
    web(bed)
    begun = time.monotonic()
    check(fetch(bed, FAR4), "the first request failed")
    check(time.monotonic() - begun < 1, "the handshake took long")
    for host in FAR4, FAR6:
        check_all(bed, host)
    check(pair.weir.alive(), "weir died")


@test
def everything_goes_through_a_tunnel_over_ipv6_with_a_preshared_key(bed):
    Pair(bed, SERVER6, psk=wgbed.preshared())
    web(bed)
    for host in FAR4, FAR6:
        check_all(bed, host)


@test
def nothing_is_sent_before_the_first_session(bed):
    pair = Pair(bed, SERVER4)
    time.sleep(0.5)
    counters = pair.weir.counters()
    check_equal(counters["wg", "udp_sent"], 0, "datagrams sent")
    web(bed)
    check(fetch(bed, FAR4), "the first request failed")
    check(pair.weir.counters()["wg", "udp_sent"] > 0, "nothing was counted")


@test
def a_port_that_is_taken_is_told_and_used_once_it_is_free(bed):
    pair = Pair(bed, SERVER4, more="    listen_port: 53999\n")
    web(bed)
    with bed.socket("proxy", socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 53999))
        for _ in range(2):
            check(not fetch(bed, FAR4), "the port is not taken")
    said = "cannot open the tunnel's socket: Address already in use"
    check_equal(pair.weir.log().count(said), 1, "times that it says why")
    check(fetch(bed, FAR4), "the port is not used")


@test
def another_preshared_key_lets_nothing_through(bed):
    near, far = Keys(), Keys()
    go = other_end(bed, "server", far)
    go.peer(near.public, psk=wgbed.preshared())
    Weir(bed, wgbed.through(wgbed.outbound(
        near, far.public, f"{SERVER4}:{wgbed.PORT}",
        psk=wgbed.preshared())))
    web(bed)
    check(not fetch(bed, FAR4, seconds=3), "it came through")
    check_equal(wgbed.show(go.name)[near.public]["handshake"], 0,
                "handshakes")


@test
def iperf3_and_dig_go_through(bed):
    Pair(bed, SERVER4)
    check_programs(bed, FAR4)


def resumed(bed, what):
    resumes(lambda: fetch(bed, FAR4, seconds=2), what)


@test
def a_peer_that_was_restarted_is_back_within_ten_seconds(bed):
    pair = Pair(bed, SERVER4, keepalive=1)
    web(bed)
    check(fetch(bed, FAR4), "the first request failed")
    pair.go.restart()
    resumed(bed, "the peer was restarted")


@test
def a_peer_that_moved_is_followed(bed):
    pair = Pair(bed, SERVER4, keepalive=1)
    web(bed)
    check(fetch(bed, FAR4), "the first request failed")
    pair.go.set("listen-port", 51999)
    resumed(bed, "the peer has another port")
    wait_for(lambda: wgbed.show(pair.name)[pair.far.public]["endpoint"]
             .endswith(":51999"), 5, "the new endpoint in wg show")
    with moved(bed, "server", "down0", SERVER4, SERVER4_OTHER):
        resumed(bed, "the peer has another address")
        wait_for(lambda: wgbed.show(pair.name)[pair.far.public]["endpoint"]
                 == SERVER4_OTHER + ":51999", 5, "it in wg show")


@test
def a_peer_with_a_new_key_is_back_once_wg_says_so(bed):
    pair = Pair(bed, SERVER4)
    web(bed)
    check(fetch(bed, FAR4), "the first request failed")
    new = Keys()
    pair.go.set("private-key", "/dev/stdin", key=new.private)
    run("wg", "set", pair.name, "peer", pair.far.public, "remove", "peer",
        new.public, "endpoint", f"{SERVER4}:{wgbed.PORT}", "allowed-ips",
        "0.0.0.0/0,::/0")
    resumed(bed, "the peer has another key")


@test
def weir_may_move_as_well(bed):
    pair = Pair(bed, SERVER4)
    web(bed)
    check(fetch(bed, FAR4), "the first request failed")
    run("wg", "set", pair.name, "listen-port", "52001")
    resumed(bed, "weir has another port")
    check(wgbed.show(pair.go.name)[pair.near.public]["endpoint"]
          .endswith(":52001"), "wireguard-go saw another port")


@test
def a_mark_that_wg_sets_may_change_the_way(bed):
    """That the last answers came by another does not hold it there."""
    pair = Pair(bed, SERVER4)
    web(bed)
    check(fetch(bed, FAR4), "the first request failed")
    table = "table", "77"
    bed.ip("proxy", "route", "add", SERVER4, "dev", "up0", "src",
           PROXY4_OTHER, *table)
    bed.ip("proxy", "rule", "add", "fwmark", "0x30", *table)
    try:
        for mark, address in ("0x30", PROXY4_OTHER), ("0", PROXY4):
            run("wg", "set", pair.name, "fwmark", mark)
            check(fetch(bed, FAR4), f"the request with mark {mark} failed")
            check_equal(wgbed.show(pair.go.name)[pair.near.public]["endpoint"]
                        .split(":")[0], address, f"where mark {mark} leads")
    finally:
        bed.ip("proxy", "rule", "del", "fwmark", "0x30", *table)
        bed.ip("proxy", "route", "flush", *table)


@test
def both_ends_count_the_same_bytes(bed):
    pair = Pair(bed, SERVER4)
    web(bed)
    check(fetch(bed, FAR4, 1_000_000), "the request failed")

    def equal():
        near = wgbed.show(pair.name)[pair.far.public]
        far = wgbed.show(pair.go.name)[pair.near.public]
        return (near["received"], near["sent"]) == \
            (far["sent"], far["received"])

    wait_for(equal, 10, "equal counters")


def named(bed, name):
    """weir sends every session to `name`, which it asks the far side for."""
    near, far = Keys(), Keys()
    other_end(bed, "server", far).peer(near.public)
    return Weir(bed, wgbed.through(
        f'  - {{ tag: named, type: freedom, redirect: "{name}", via: wg }}\n'
        + wgbed.outbound(near, far.public, f"{SERVER4}:{wgbed.PORT}",
                         more=f"    dns: [{FAR4}]\n")))


@test
def names_are_looked_up_through_the_tunnel(bed):
    weir = named(bed, "host.example")
    name_server(bed, FAR4)
    web(bed)
    check(fetch(bed, HOST4), "the first request by name failed")
    check(fetch(bed, HOST4), "the second one failed")
    counters = weir.counters()
    check_equal(counters["wg", "dns_asked"], counters["wg", "dns_answered"],
                "questions and answers")
    check(0 < counters["wg", "dns_asked"] <= 2, "the answer was not kept")
    with bed.inside("server"):
        there = keep(servers.udp_socket(NAMED4, PORT))
    here = keep(bed.socket("client", socket.AF_INET, socket.SOCK_DGRAM))
    for s in there, here:
        s.settimeout(5)
    here.sendto(b"hello", (HOST4, PORT))
    data, peer = there.recvfrom(100)
    there.sendto(data, peer)
    check_equal(here.recv(100), b"hello", "the datagram")
    check_equal(weir.stop(), 0, "exit status")


@test
def answers_too_long_for_a_datagram_come_over_tcp(bed):
    weir = named(bed, "host.example")
    serve(bed, servers.truncating_name_server, NAMED4, 53)
    web(bed)
    check(fetch(bed, HOST4), "the request by name failed")
    check_equal(weir.counters()["wg", "dns_truncated"], 1, "truncated answers")


def before_a_reset(bed, door, said):
    """What a client reads of a server that says so much and resets."""
    with bed.socket("client", socket.AF_INET, socket.SOCK_STREAM) as s:
        s.settimeout(10)
        s.setblocking(False)
        s.connect_ex((HOST4, RESET_PORT))
        with door.accept()[0] as peer:
            peer.sendall(said)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
        s.settimeout(10)
        got = b""
        try:
            while data := s.recv(100000):
                got += data
        except OSError as e:
            return got, e.errno
        return got, 0


@test
def what_a_server_says_before_its_reset_comes_through_a_chain(bed):
    named(bed, "host.example")
    name_server(bed, FAR4)
    with bed.inside("server"):
        door = keep(servers.listener(RESET_PORT))
    for _ in range(RESET_TIMES):
        for said in b"", b"busy", bytes(5000):
            check_equal(before_a_reset(bed, door, said),
                        (said, errno.ECONNRESET), "what was read")


@test
def a_name_that_does_not_exist_there_fails(bed):
    named(bed, "nowhere.example")
    name_server(bed, FAR4)
    web(bed)
    check(not fetch(bed, HOST4, seconds=5), "it was connected")


def tcp_error(bed, host):
    family = servers.family_of(host)
    with bed.socket("client", family, socket.SOCK_STREAM) as s:
        s.settimeout(FAIL_S)
        return s.connect_ex((host, PORT))


def udp_error(bed, host):
    family = servers.family_of(host)
    with bed.socket("client", family, socket.SOCK_DGRAM) as s:
        s.settimeout(FAIL_S)
        s.setsockopt(*RECEIVE_ERRORS[family], 1)
        s.connect((host, PORT))
        s.send(b"is anybody there?")
        try:
            s.recv(1)
        except OSError as e:
            return e.errno
    return 0


@test
def what_the_far_side_cannot_reach_fails_as_it_says(bed):
    Pair(bed, SERVER4)
    web(bed)
    check(fetch(bed, FAR4), "the tunnel does not work")
    for family, nobody in ("-4", NOBODY4), ("-6", NOBODY6):
        bed.ip("server", family, "route", "add", "unreachable", nobody)
    try:
        for host, error in ((NOBODY4, errno.EHOSTUNREACH),
                            (NOBODY6, errno.ENETUNREACH)):  # Linux's words
            check_equal(tcp_error(bed, host), error, host)
            check_equal(udp_error(bed, host), error, host)
    finally:
        for family, nobody in ("-4", NOBODY4), ("-6", NOBODY6):
            bed.ip("server", family, "route", "del", "unreachable", nobody)
    for host in FAR4, FAR6:
        check_equal(tcp_error(bed, host), errno.ECONNREFUSED, host)
        check_equal(udp_error(bed, host), errno.ECONNREFUSED, host)


@test
def an_endpoint_may_be_a_name(bed):
    name_server(bed, "10.77.1.53")
    pair = Pair(bed, SERVER4, endpoint=f"host.example:{wgbed.PORT}",
                extra='dns: { servers: ["10.77.1.53"] }\n')
    web(bed)
    check(fetch(bed, FAR4), "the request failed")
    check(wgbed.show(pair.go.name)[pair.near.public]["handshake"],
          "there was no handshake")


@test
def wg_shows_and_changes_what_weir_has(bed):
    psk = wgbed.preshared()
    pair = Pair(bed, SERVER4, psk=psk)
    web(bed)
    check(fetch(bed, FAR4), "the request failed")
    there, here = wgbed.show(pair.go.name), wgbed.show(pair.name)
    check_equal(here[pair.far.public]["psk"], psk, "the preshared key")
    check_equal(here[pair.far.public]["allowed"], sorted(wgbed.ALL),
                "allowed IPs")
    check(abs(here[pair.far.public]["handshake"]
              - there[pair.near.public]["handshake"]) <= 2, "handshake time")
    saved = run("wg", "showconf", pair.name)
    check(pair.near.private in saved, "showconf has no private key")
    run("wg", "syncconf", pair.name, "/dev/stdin", input=saved)
    check_equal(wgbed.show(pair.name)[pair.far.public]["handshake"],
                here[pair.far.public]["handshake"], "handshake after sync")
    run("wg", "setconf", pair.name, "/dev/stdin", input=saved)
    there = wgbed.show(pair.name)
    for key in "psk", "allowed", "endpoint", "keepalive":
        check_equal(there[pair.far.public][key], here[pair.far.public][key],
                    f"{key} after setconf")
    check(fetch(bed, FAR4), "the request after setconf failed")


def datagrams_a_call(pair, bed):
    """Of an upload: how many leave with one call of the kernel."""
    before = pair.weir.counters()
    check_upload(bed, FAR4)
    after = pair.weir.counters()
    sent, calls = (after["wg", name] - before["wg", name]
                   for name in ("udp_sent", "udp_sent_trains"))
    return sent / calls


@test
def datagrams_go_in_trains_again_once_a_narrow_path_is_wide(bed):
    pair = Pair(bed, SERVER4)
    web(bed)
    check(datagrams_a_call(pair, bed) > 2, "no trains at first")
    narrow = SERVER4, "dev", "up0", "mtu", "1300"
    bed.ip("proxy", "route", "add", *narrow)
    # Small ones, as of two ACKs, go together there as well.
    check(datagrams_a_call(pair, bed) < 1.01, "trains on a narrow path")
    bed.ip("proxy", "route", "del", *narrow)
    check(datagrams_a_call(pair, bed) > 2, "no trains any more")


@test
def a_tunnel_goes_through_a_tunnel(bed):
    near, middle, far = Keys(), Keys(), Keys()
    go = other_end(bed, "server", middle)
    go.peer(near.public)
    inner = other_end(bed, "server", far, ("10.8.0.1/24", "fd08::1/64"),
                      51821, 1340)
    inner.peer(near.public, ("10.8.0.2/32", "fd08::2/128"))
    weir = Weir(bed, wgbed.through(
        wgbed.outbound(near, far.public, f"{FAR4}:51821", "inner",
                       ("10.8.0.2/32", "fd08::2/128"),
                       more="    via: outer\n    listen_port: 51999\n")
        + wgbed.outbound(near, middle.public, f"{SERVER4}:{wgbed.PORT}",
                         "outer")))
    web(bed)
    begun = time.monotonic()
    check(fetch(bed, "10.8.0.1"), "the first request failed")
    check(time.monotonic() - begun < 4, "a handshake was lost")
    check_hash(bed, "10.8.0.1")
    check_upload(bed, "fd08::1")
    check_echo(bed, "10.8.0.1")
    check(wgbed.show(inner.name)[near.public]["endpoint"]
          .startswith(wgbed.NEAR4), "it went around the outer tunnel")
    check("inner: listen_port has no effect with via" in weir.log(),
          "a port that nothing listens at is not warned of")


if __name__ == "__main__":
    main()
