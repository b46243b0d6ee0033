#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A bit of everything under valgrind: no leak, no error, no fd left. Where
weir was built with AddressSanitizer, that one judges instead."""
import os
import re
import socket

import servers
from bed import DEAD4, HOST4, HOST6, UNREACHABLE4, UNREACHABLE6, run
from harness import (CONFIG, Skip, Weir, check, check_equal, keep, main,
                     need, serve, serve_echo, test)

EVERYTHING = CONFIG + """\
  - { tag: names, type: freedom, dial_timeout: 3s }
  - { tag: hole, type: blackhole }
  - { tag: wall, type: blackhole, response: refuse }
route:
  rules:
    - { network: udp, port: [53], outbound: names }
    - { ip: [10.77.2.0/24], outbound: hole }
    - { ip: [10.77.3.0/24], outbound: wall }
policy: { levels: { 0: { idle: 60s } } }
"""
MIRROR_PORT, UDP_PORT = 7300, 7301
STATUS = 99
SLOW_S = 60
VALGRIND = ("--leak-check=full", "--show-leak-kinds=definite,indirect",
            "--errors-for-leak-kinds=definite,indirect", "--track-fds=yes",
            f"--error-exitcode={STATUS}", "--num-callers=20", "-q",
            "--suppressions=" + os.path.join(os.path.dirname(
                os.path.abspath(__file__)), "valgrind.supp"))


def sanitized():
    """Whether weir has its own judge in it."""
    with open(os.environ["WEIR"], "rb") as f:
        return b"__asan_init" in f.read()


def judge():
    if sanitized():
        return ()
    valgrind = need("valgrind")
    if run(valgrind, "-q", os.environ["WEIR"], "--version",
           check=False).find("weir") < 0:
        raise Skip("valgrind cannot run weir here")
    return (valgrind, *VALGRIND)


def streams(bed, hosts):
    for host in hosts:
        with bed.connect(host, MIRROR_PORT, 20) as s:
            s.sendall(bytes(300_000))
            s.shutdown(socket.SHUT_WR)
            check(len(servers.read_all(s)) > 300_000, f"{host}: cut short")


def vain_connects(bed):
    for host in (HOST4, HOST6, UNREACHABLE4, UNREACHABLE6, DEAD4,
                 "10.77.2.1", "10.77.3.1"):
        family = servers.family_of(host)
        with bed.socket("client", family, socket.SOCK_STREAM) as s:
            s.settimeout(1)
            check(s.connect_ex((host, 4999)), f"{host} was connected")


def datagrams(bed):
    for host in HOST4, HOST6:
        family = servers.family_of(host)
        s = keep(bed.socket("client", family, socket.SOCK_DGRAM))
        s.settimeout(10)
        for size in 0, 1472, 9000:
            s.sendto(bytes(size), (host, UDP_PORT))
            check_equal(len(s.recv(1 << 16)), size, f"{host}: datagram")
        s.sendto(b"?", (host, 4998))
        s.sendto(b"?", (host, 53))
        s.sendto(b"?", ("10.77.2.1" if family == socket.AF_INET else
                        UNREACHABLE6, 99))


def abandoned(bed):
    """Connections that are cut in the middle, and one that stays open."""
    for _ in range(5):
        s = bed.connect(HOST4, MIRROR_PORT, 10)
        s.sendall(bytes(10_000))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     b"\1\0\0\0\0\0\0\0")
        s.close()
    s = keep(bed.connect(HOST4, MIRROR_PORT, 10))
    s.sendall(b"open to the end")


def verdict(log):
    found = re.findall(r"(definitely lost.*|ERROR: .*|Invalid .*|"
                       r"Conditional jump.*|Syscall param.*|Open file descriptor.*)", log)
    return "; ".join(found[:3]) or log[-300:]


@test
def a_bit_of_everything_leaks_nothing(bed):
    weir = Weir(bed, EVERYTHING, wrapper=judge(), ready_s=SLOW_S)
    serve(bed, servers.mirror_server, [MIRROR_PORT], MIRROR_PORT)
    serve_echo(bed, (HOST4, UDP_PORT), (HOST6, UDP_PORT))
    streams(bed, (HOST4, HOST6))
    vain_connects(bed)
    datagrams(bed)
    bed.spawn("client", ["ping", "-c1", "-W2", HOST4], stdout=-3).wait()
    abandoned(bed)
    weir.counters()
    status = weir.stop(seconds=SLOW_S)
    check_equal(status, 0, f"status ({verdict(weir.log())})")


@test
def a_start_that_fails_leaks_nothing(bed):
    """The second inbound cannot have the TUN: all is undone."""
    broken = EVERYTHING.replace(
        "outbounds:", "  - { tag: other, type: tun, fd: 999 }\noutbounds:")
    try:
        Weir(bed, broken, wrapper=judge(), ready_s=SLOW_S)
    except AssertionError as e:
        check("with 1" in str(e), str(e))
    else:
        check(False, "weir started")


if __name__ == "__main__":
    main()
