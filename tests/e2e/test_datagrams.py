#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""UDP and echo through the TUN."""
import contextlib
import errno
import os
import pathlib
import random
import re
import socket
import subprocess
import time

import servers
from bed import HOST4, HOST6, PROXY4, PROXY4_OTHER
from harness import (CONFIG, Process, Weir, check, check_equal, keep, main,
                     need, serve_echo, test, tool, wait_for)

SIZES = (0, 1, 1472, 9000, 65507)
QUERIES = 10_000
ANSWERED_PERCENT = 99.9
TWO_WAYS = CONFIG + f"""\
  - {{ tag: names, type: freedom, send_through: [{PROXY4_OTHER}] }}
route:
  rules:
    - {{ network: udp, port: [53], outbound: names }}
"""


def server_socket(bed, address, port):
    with bed.inside("server"):
        s = keep(servers.udp_socket(address, port))
    s.settimeout(5)
    return s


def client_socket(bed, host):
    family = servers.family_of(host)
    s = keep(bed.socket("client", family, socket.SOCK_DGRAM))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.settimeout(5)
    return s


def full_cone(bed, hosts):
    """Three servers are asked; the last of `hosts` never is."""
    peers = [server_socket(bed, h, 4000 + n) for n, h in enumerate(hosts)]
    s = client_socket(bed, hosts[0])
    seen = set()
    for n, host in enumerate(hosts[:-1]):
        s.sendto(b"to %d" % n, (host, 4000 + n))
        data, outside = peers[n].recvfrom(100)
        check_equal(data, b"to %d" % n, f"what server {n} read")
        seen.add(outside[:2])
        peers[n].sendto(b"from %d" % n, outside)
        data, peer = s.recvfrom(100)
        check_equal((data, *peer[:2]), (b"from %d" % n, host, 4000 + n),
                    f"what the client read of server {n}")
    check_equal(len(seen), 1, f"external ports {sorted(seen)}")
    peers[-1].sendto(b"unasked", outside)
    data, peer = s.recvfrom(100)
    check_equal((data, *peer[:2]), (b"unasked", hosts[-1], 4003),
                "what the client read of a server it never asked")


@test
def one_source_talks_to_three_servers_from_one_port_and_a_fourth_can_answer(
        bed):
    Weir(bed)
    full_cone(bed, ["10.77.0.1", "10.77.0.2", "10.77.9.3", "10.77.7.4"])


@test
def the_full_cone_holds_over_ipv6(bed):
    Weir(bed)
    full_cone(bed, ["2001:db8:77::1", "2001:db8:77::2", "2001:db8:77:9::3",
                    "2001:db8:77:7::4"])


@test
def dns_and_other_packets_of_a_source_take_different_outbounds(bed):
    Weir(bed, TWO_WAYS)
    names = server_socket(bed, HOST4, 53)
    other = server_socket(bed, HOST4, 4000)
    s = client_socket(bed, HOST4)
    for peer, wanted in ((names, PROXY4_OTHER), (other, PROXY4),
                         (names, PROXY4_OTHER)):
        s.sendto(b"?", peer.getsockname())
        _, outside = peer.recvfrom(100)
        check_equal(outside[0], wanted, "the address that the server saw")
        peer.sendto(b"!", outside)
        check_equal(s.recvfrom(100), (b"!", peer.getsockname()), "the answer")


def dnsperf(bed, address, folder):
    queries = os.path.join(folder, "queries")
    with open(queries, "w", encoding="ascii") as f:
        for n in range(QUERIES):
            f.write(f"host{n}.example.org A\n")
    out = bed.spawn("client", ["dnsperf", "-s", address, "-d", queries, "-n",
                               "1", "-t", "2"], stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT, text=True).communicate(
                        timeout=60)[0]
    found = re.search(r"Queries completed:\s+(\d+)", out)
    check(found, "dnsperf: " + out[-200:])
    percent = 100 * int(found[1]) / QUERIES
    check(percent >= ANSWERED_PERCENT, f"{address}: {percent:.2f} % answered")


@test
def ten_thousand_dns_queries_are_answered(bed):
    need("dnsperf")
    responder = tool("udpload")
    weir = Weir(bed)
    for address in HOST4, HOST6:
        server = keep(Process(bed, "server", [responder, "dns", address,
                                              "53"]))
        server.await_line()
        dnsperf(bed, address, weir.folder)


def echo_of_size(s, peer, size):
    data = random.Random(size).randbytes(size)
    for _ in range(3):
        s.sendto(data, peer)
        got, back = s.recvfrom(1 << 16)
        check_equal(back[:2], peer, "who answered")
        check(got == data, f"{peer[0]}: {size} bytes: {len(got)} came back"
              f"{' changed' if len(got) == size else ''}")


def echo_of_every_size(bed, host):
    serve_echo(bed, (host, 4100))
    s = client_socket(bed, host)
    for size in SIZES:
        try:
            echo_of_size(s, (host, 4100), size)
        except socket.timeout:
            check(False, f"{host}: {size} bytes were lost")


@test
def datagrams_of_every_size_arrive_whole(bed):
    Weir(bed)
    for host in HOST4, HOST6:
        echo_of_every_size(bed, host)


@test
def datagrams_of_every_size_arrive_whole_without_offloads(bed):
    Weir(bed, offload=False)
    echo_of_every_size(bed, HOST4)


@test
def a_connected_udp_socket_learns_of_a_closed_port(bed):
    Weir(bed)
    for host in HOST4, HOST6:
        s = client_socket(bed, host)
        s.connect((host, 4999))
        s.send(b"?")
        try:
            s.recv(1)
            error = 0
        except OSError as e:
            error = e.errno
        check_equal(error, errno.ECONNREFUSED, f"{host}: error")


@test
def a_flow_s_fds_are_given_back_after_its_idle_time(bed):
    weir = Weir(bed, CONFIG + "policy: { levels: { 0: { idle: 1s } } }\n")
    before = weir.fds()
    for n in range(50):
        client_socket(bed, HOST4).sendto(b"x", (HOST4, 4200 + n))
    wait_for(lambda: weir.fds() > before, 1, "a flow")
    wait_for(lambda: weir.fds() == before, 5, "the end of the flows")
    check_equal(weir.sessions_open(), 0, "open sessions")


def ping(bed, host, count=3, size=56):
    done = bed.spawn("client", [need("ping"), "-n", "-c", str(count), "-i",
                                "0.2", "-W", "2", "-s", str(size), host],
                     stdout=subprocess.PIPE, text=True)
    out = done.communicate(timeout=30)[0]
    return int(re.search(r"(\d+) received", out)[1])


@test
def ping_is_answered_by_who_was_asked(bed):
    Weir(bed)
    for host in HOST4, HOST6:
        check_equal(ping(bed, host), 3, f"answers of {host}")


@test
def the_largest_ping_is_answered(bed):
    Weir(bed)
    for host in HOST4, HOST6:
        check_equal(ping(bed, host, size=SIZES[-1]), 3, f"answers of {host}")


def errors_told(s):
    """How many errors of single datagrams a socket has queued."""
    count = 0
    with contextlib.suppress(BlockingIOError):
        while s.recvmsg(100, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT):
            count += 1
    return count


def no_way(bed, host, six):
    """Two pings from the client's own sockets that the server has no way for:
    the errors that each socket is told of."""
    level, want = (socket.IPPROTO_IPV6, 25) if six else (socket.IPPROTO_IP, 11)
    near = [keep(bed.socket("client", socket.AF_INET6 if six else
                            socket.AF_INET, socket.SOCK_DGRAM,
                            socket.IPPROTO_ICMPV6 if six else
                            socket.IPPROTO_ICMP)) for _ in range(2)]
    for s in near:
        s.setsockopt(level, want, 1)  # IP_RECVERR
        s.sendto(bytes([128 if six else 8]) + bytes(15), (host, 0))
    time.sleep(1)
    return [errors_told(s) for s in near]


@test
def pings_over_a_raw_socket_share_it_and_stay_apart(bed):
    with bed.inside("proxy"):
        setting = "/proc/sys/net/ipv4/ping_group_range"
        pathlib.Path(setting).write_text("1 0", encoding="ascii")
    weir = Weir(bed)
    before = weir.fds()
    for host, net, six in (("10.79.9.1", "10.79.9.0/24", False),
                           ("2001:db8:79:9::1", "2001:db8:79:9::/64", True)):
        bed.ip("server", "route", "replace", "unreachable", net)
        check_equal(no_way(bed, host, six), [1, 1], "errors told")
    for host in (HOST4, HOST6) * 5:
        check_equal(ping(bed, host, 1), 1, f"answers of {host}")
    check_equal(ping(bed, HOST4, 1, SIZES[-1]), 1, "answers to a large one")
    check_equal(weir.fds() - before, 2, "sockets for all pings")
    with bed.inside("proxy"):
        pathlib.Path(setting).write_text("0 2147483647", encoding="ascii")


@test
def a_dead_host_answers_no_ping(bed):
    Weir(bed)
    check_equal(ping(bed, "10.79.1.1", 1), 0, "answers")


if __name__ == "__main__":
    main()
