#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A client learns of its connect what it would learn without weir."""
import errno
import socket
import struct
import time

import servers
from bed import (DEAD4, DEAD6, HOST4, HOST6, PROXY4, PROXY6, TUN,
                 UNREACHABLE4, UNREACHABLE6)
from harness import (CONFIG, Weir, check, check_equal, keep, main, test,
                     wait_for)

REFUSED_S = 0.050
SILENT_S = 2
CLOSED_PORT = 4999
PROHIBITED4 = "10.77.9.1"
HOLES = CONFIG + """\
  - { tag: hole, type: blackhole }
  - { tag: wall, type: blackhole, response: refuse }
route:
  rules:
    - { ip: [10.77.2.0/24, "2001:db8:77:2::/64"], outbound: hole }
    - { ip: [10.77.3.0/24, "2001:db8:77:3::/64"], outbound: wall }
"""
IP_RECVERR, IPV6_RECVERR = 11, 25
ECHO6 = 128
UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH)


def connect(bed, host, port, timeout=10):
    """(errno or 0 or None after the timeout, seconds)."""
    family = servers.family_of(host)
    s = keep(bed.socket("client", family, socket.SOCK_STREAM))
    s.settimeout(timeout)
    start = time.monotonic()
    try:
        s.connect((host, port))
        error = 0
    except socket.timeout:
        error = None
    except OSError as e:
        error = e.errno
    return error, time.monotonic() - start


def check_refused(bed, host):
    connect(bed, host, CLOSED_PORT)  # the first one warms the path up
    error, seconds = connect(bed, host, CLOSED_PORT)
    check_equal(error, errno.ECONNREFUSED, f"connect to {host}")
    check(seconds < REFUSED_S, f"{host}: {seconds * 1000:.0f} ms")


@test
def a_refused_port_refuses_the_client_at_once(bed):
    Weir(bed)
    for host in HOST4, HOST6:
        check_refused(bed, host)


@test
def an_unreachable_network_is_told_by_icmp(bed):
    Weir(bed)
    for host in UNREACHABLE4, UNREACHABLE6:
        error, seconds = connect(bed, host, 80)
        check(error in UNREACHABLE, f"connect to {host}: errno {error}")
        check(seconds < 1, f"{host}: told after {seconds:.1f} s")


@test
def a_link_local_host_of_the_client_is_unreachable_from_here(bed):
    Weir(bed)
    for kind, protocol in ((socket.SOCK_STREAM, 0),
                           (socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6)):
        s = keep(bed.socket("client", socket.AF_INET6, kind, protocol))
        s.settimeout(2)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, TUN.encode())
        s.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        error = None
        try:
            s.connect(("fe80::1", 80))
            s.send(struct.pack("!BBHHH", ECHO6, 0, 0, 0, 1))
            s.recv(100)
        except OSError as e:
            error = e.errno
        check_equal(error, errno.ENETUNREACH, f"a socket of {kind.name}")


@test
def a_connected_udp_socket_learns_of_an_unreachable_network(bed):
    Weir(bed)
    for host in UNREACHABLE4, UNREACHABLE6:
        family = servers.family_of(host)
        s = keep(bed.socket("client", family, socket.SOCK_DGRAM))
        s.settimeout(2)
        if family == socket.AF_INET:  # Linux keeps soft errors from others
            s.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        else:
            s.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        s.connect((host, 9))
        s.send(b"?")
        try:
            s.recv(1)
            error = 0
        except OSError as e:
            error = e.errno
        check(error in UNREACHABLE, f"{host}: errno {error}")


@test
def a_connected_udp_socket_learns_that_it_is_prohibited(bed):
    """Also where it asks for no soft errors."""
    Weir(bed)
    bed.ip("server", "route", "add", "prohibit", PROHIBITED4)
    s = keep(bed.socket("client", socket.AF_INET, socket.SOCK_DGRAM))
    s.settimeout(5)
    s.connect((PROHIBITED4, 9))
    s.send(b"?")
    try:
        error = s.recv(1)
    except OSError as e:
        error = e.errno
    finally:
        bed.ip("server", "route", "del", "prohibit", PROHIBITED4)
    check_equal(error, errno.EHOSTUNREACH, "what the client learned")


@test
def a_blackholed_target_is_met_with_silence(bed):
    Weir(bed, HOLES)
    for host in "10.77.2.1", "2001:db8:77:2::1":
        error, _ = connect(bed, host, 80, SILENT_S)
        check_equal(error, None, f"connect to {host}")


@test
def a_blackhole_can_refuse_instead(bed):
    Weir(bed, HOLES)
    for host in "10.77.3.1", "2001:db8:77:3::1":
        check_refused(bed, host)


@test
def a_host_that_never_answers_gets_no_handshake_from_weir(bed):
    Weir(bed)
    for host in DEAD4, DEAD6:
        error, _ = connect(bed, host, 80, SILENT_S)
        check_equal(error, None, f"connect to {host}")


@test
def the_handshake_waits_for_the_server(bed):
    """Where the server answers late, so does weir; then bytes flow."""
    weir = Weir(bed)
    s = keep(bed.socket("client", socket.AF_INET, socket.SOCK_STREAM))
    s.setblocking(False)
    bed.ip("server", "route", "add", "blackhole", PROXY4 + "/32")
    try:
        s.connect_ex((HOST4, 6001))
        time.sleep(0.5)
        check_equal(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0,
                    "connect under way")
        check(weir.sessions_open() == 1, "no session waits")
        with bed.inside("server"):
            door = keep(servers.listener(6001))
        bed.ip("server", "route", "del", "blackhole", PROXY4 + "/32")
        s.settimeout(10)
        s.connect_ex((HOST4, 6001))  # waits for the one under way
        s.sendall(b"late")
        door.settimeout(5)
        peer = keep(door.accept()[0])
        peer.settimeout(5)
        check_equal(peer.recv(4), b"late", "what the server read")
    finally:
        bed.ip("server", "route", "del", "blackhole", PROXY4 + "/32",
               check=False)


@test
def a_server_s_reset_resets_the_client(bed):
    Weir(bed)
    with bed.inside("server"):
        door = keep(servers.listener(6002))
    for host in HOST4, HOST6:
        s = keep(bed.connect(host, 6002, 5))
        peer = door.accept()[0]
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        b"\1\0\0\0\0\0\0\0")
        peer.close()
        try:
            got = s.recv(1)
        except ConnectionResetError:
            got = None
        check_equal(got, None, f"{host}: read after the reset")


@test
def a_server_s_reset_behind_its_end_ends_the_session(bed):
    weir = Weir(bed, CONFIG
                + "policy: { levels: { 0: { uplink_only: 60s } } }\n")
    with bed.inside("server"):
        door = keep(servers.listener(6004))
    for host in HOST4, HOST6:
        s = keep(bed.connect(host, 6004, 5))
        door.accept()[0].close()
        check_equal(s.recv(1), b"", f"{host}: read at the end")
        s.send(b"x")
        wait_for(lambda: weir.sessions_open() == 0, 10, f"{host}: its end")


@test
def the_server_sees_the_proxy_as_its_peer(bed):
    Weir(bed)
    with bed.inside("server"):
        door = keep(servers.listener(6003))
    for host, wanted in (HOST4, PROXY4), (HOST6, PROXY6):
        check_equal(connect(bed, host, 6003)[0], 0, f"connect to {host}")
        peer = keep(door.accept()[0])
        check_equal(servers.plain(peer.getpeername()[0]), wanted, "peer")


if __name__ == "__main__":
    main()
