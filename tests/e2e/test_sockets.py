#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every socket of weir's carries the configured mark or interface: the routes
of these tests lead nowhere for any other."""
import contextlib
import errno
import socket
import subprocess

import servers
from bed import HOST4, HOST6, PROXY4_OTHER, SERVER4, SERVER6
from harness import (CONFIG, Process, Weir, check, check_equal, keep, main,
                     serve_echo, test, tool, wait_for)

MARK = "0x77"
TABLE = "77"
PORT = 7600
OTHER6 = "2001:db8:76::3"
NAME_SERVER = "10.77.1.53"
IP_RECVERR, IPV6_RECVERR = 11, 25
LINK = (("10.76.7.1", "10.76.7.2"),
        ("2001:db8:76:7::1", "2001:db8:76:7::2"))
NETS = (("-4", "10.77.0.0/16", SERVER4), ("-6", "2001:db8:77::/48", SERVER6))


@contextlib.contextmanager
def only_marked(bed):
    """Routes to the hosts behind `server` are for marked packets only."""
    for family, net, via in NETS:
        bed.ip("proxy", family, "route", "del", net, "via", via)
        bed.ip("proxy", family, "route", "add", net, "via", via, "table",
               TABLE)
        bed.ip("proxy", family, "rule", "add", "fwmark", MARK, "lookup",
               TABLE)
    try:
        yield
    finally:
        for family, net, via in NETS:
            bed.ip("proxy", family, "rule", "del", "fwmark", MARK, "lookup",
                   TABLE)
            bed.ip("proxy", family, "route", "flush", "table", TABLE)
            bed.ip("proxy", family, "route", "add", net, "via", via)


def connect(bed, host):
    family = servers.family_of(host)
    s = keep(bed.socket("client", family, socket.SOCK_STREAM))
    s.settimeout(5)
    return s.connect_ex((host, PORT))


def check_streams(bed):
    with bed.inside("server"):
        keep(servers.listener(PORT))
    for host in HOST4, HOST6:
        check_equal(connect(bed, host), 0, f"errno of connect to {host}")


def check_datagrams(bed):
    for host in HOST4, HOST6:
        with bed.inside("server"):
            far = keep(servers.udp_socket(host, PORT))
        s = keep(bed.socket("client", far.family, socket.SOCK_DGRAM))
        s.sendto(b"hello", (host, PORT))
        far.settimeout(5)
        data, peer = far.recvfrom(100)
        far.sendto(data, peer)
        s.settimeout(5)
        check_equal(s.recv(100), b"hello", f"datagram from {host}")


def check_ping(bed):
    ping = bed.spawn("client", ["ping", "-c", "1", "-W", "3", HOST4],
                     stdout=subprocess.DEVNULL)
    check_equal(ping.wait(), 0, "status of ping")
    bed.end(ping)


@test
def all_sockets_carry_the_mark(bed):
    with only_marked(bed):
        Weir(bed, CONFIG + f"sockets: {{ mark: {int(MARK, 16)} }}\n")
        check_streams(bed)
        check_datagrams(bed)
        check_ping(bed)


def by_name(server, sockets):
    return CONFIG.replace("type: freedom",
                          "type: freedom, redirect: \"host.example\"") + \
        f"sockets: {{ {sockets} }}\ndns: {{ servers: [\"{server}\"] }}\n"


def check_by_name(bed, role, server):
    keep(Process(bed, role, [tool("udpload"), "dns", server,
                             "53"])).await_line()
    with bed.inside("server"):
        keep(servers.listener(PORT))
    check_equal(connect(bed, HOST4), 0, "errno of connect by name")


@test
def questions_to_name_servers_carry_the_mark(bed):
    with only_marked(bed):
        Weir(bed, by_name(NAME_SERVER, f"mark: {int(MARK, 16)}"))
        check_by_name(bed, "server", NAME_SERVER)


@test
def a_name_server_on_the_loopback_is_asked_past_the_interface(bed):
    Weir(bed, by_name("127.0.0.53", "interface: up0"))
    check_by_name(bed, "proxy", "127.0.0.53")


@test
def questions_to_other_name_servers_leave_by_the_interface_only(bed):
    with bed.inside("server"):
        server = keep(servers.udp_socket(NAME_SERVER, 53))
    Weir(bed, by_name(NAME_SERVER, "interface: nowhere0"))
    check(connect(bed, HOST4) != 0, "connected without the interface")
    server.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        check(False, f"the server was asked {server.recv(512)}")


@test
def without_the_mark_the_same_sockets_lead_nowhere(bed):
    with only_marked(bed):
        Weir(bed)
        check(connect(bed, HOST4) != 0, "connected without a mark")


@test
def all_sockets_are_bound_to_the_interface(bed):
    Weir(bed, CONFIG + "sockets: { interface: up0 }\n")
    check_streams(bed)
    check_datagrams(bed)


@test
def each_family_leaves_from_the_address_it_was_given(bed):
    # Deprecated: the kernel chooses it for nobody.
    bed.ip("proxy", "addr", "add", OTHER6 + "/64", "dev", "up0",
           "preferred_lft", "0")
    Weir(bed, CONFIG.replace("type: freedom", "type: freedom, send_through: "
                             f"[\"{OTHER6}\", {PROXY4_OTHER}]"))
    with bed.inside("server"):
        door = keep(servers.listener(PORT))
    for host, source in (HOST4, PROXY4_OTHER), (HOST6, OTHER6):
        check_equal(connect(bed, host), 0, f"errno of connect to {host}")
        check_equal(servers.plain(door.accept()[1][0]), source, "a stream's")
        with bed.inside("server"):
            far = keep(servers.udp_socket(host, PORT))
        near = keep(bed.socket("client", far.family, socket.SOCK_DGRAM))
        near.sendto(b"hello", (host, PORT))
        far.settimeout(5)
        check_equal(far.recvfrom(100)[1][0], source, "a datagram's")
    bed.ip("proxy", "addr", "del", OTHER6 + "/64", "dev", "up0")


@test
def an_interface_that_is_not_there_fails_closed(bed):
    weir = Weir(bed, CONFIG + "sockets: { interface: nowhere0 }\n")
    check("nowhere0" in weir.log(), "it is not told of")
    check(connect(bed, HOST4) != 0, "connected without the interface")


@test
def the_end_of_a_flow_tells_why_nothing_arrived(bed):
    weir = Weir(bed, CONFIG + "sockets: { interface: nowhere0 }\n")
    s = keep(bed.socket("client", socket.AF_INET, socket.SOCK_DGRAM))
    s.sendto(b"hello", (HOST4, PORT))
    wait_for(lambda: weir.sessions_open() == 1, 5, "a session")
    weir.stop()
    told = [line for line in weir.log().splitlines() if ": udp " in line]
    check_equal(len(told), 1, "flows")
    check("weir stops (direct: Network is down)" in told[0], told[0])


@contextlib.contextmanager
def link_up(bed):
    """A second way from proxy to server, that is gone afterwards."""
    bed.ip("proxy", "link", "add", "up1", "type", "veth", "peer", "name",
           "down1", "netns", bed.name("server"))
    try:
        for role, device, ends in (("proxy", "up1", [a for a, _ in LINK]),
                                   ("server", "down1", [b for _, b in LINK])):
            for address in ends:
                bed.ip(role, "addr", "add", address +
                       ("/64" if ":" in address else "/24"), "dev", device)
            bed.ip(role, "link", "set", device, "up")
        yield
    finally:
        bed.ip("proxy", "link", "del", "up1")


def flow(bed, host, ping):
    """A client of UDP or echo, and what it asks."""
    v6 = ":" in host
    echo = socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP
    s = keep(bed.socket("client", socket.AF_INET6 if v6 else socket.AF_INET,
                        socket.SOCK_DGRAM, echo if ping else 0))
    s.setsockopt(*((socket.IPPROTO_IPV6, IPV6_RECVERR) if v6 else
                   (socket.IPPROTO_IP, IP_RECVERR)), 1)
    s.settimeout(2)
    s.connect((host, 0 if ping else PORT))
    return s, (b"\x80" if v6 else b"\x08") + bytes(7) + b"ping"


def error_of(s, request):
    """0: it was answered."""
    try:
        s.send(request)
        s.recv(100)
        return 0
    except OSError as e:
        return e.errno or errno.ETIMEDOUT


@test
def flows_go_on_over_an_interface_that_came_back_as_another(bed):
    Weir(bed, CONFIG + "sockets: { interface: up1 }\n")
    hosts = [far for _, far in LINK]
    serve_echo(bed, ("::", PORT))
    flows = [flow(bed, h, ping) for h in hosts for ping in (False, True)]
    for _ in range(2):
        with link_up(bed):
            wait_for(lambda: not error_of(*flows[0]), 5, "an answer")
            check_equal([error_of(*f) for f in flows], [0] * 4, "errors")
        check_equal([error_of(*f) for f in flows],
                    [errno.ENETUNREACH] * 4, "errors without the interface")
        check_equal([connect(bed, h) for h in hosts],
                    [errno.ENETUNREACH] * 2, "errnos of connect")


if __name__ == "__main__":
    main()
