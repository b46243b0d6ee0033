#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP through the TUN: whole, in order, both ways, many at once."""
import concurrent.futures
import contextlib
import os
import random
import socket
import subprocess

import servers
from bed import HOST4, HOST6
from harness import (Weir, check, check_equal, keep, main, need, serve, test,
                     wait_for)

HTTP_PORT = 8080
ECHO_PORT = 7000
TOTAL_BYTES = int(os.environ.get("WEIR_E2E_BYTES", 1_000_000_000))
PAIRS = 600
EARLY_PORT = 7001
EARLY_BYTES, EARLY_TIMES = 50_000, 20
CROWD = 1000
TCPI_OPT_ECN, TCPI_OPT_ECN_SEEN = 8, 16  # linux/tcp.h
SETTLE_S = 8


def url(address):
    host = f"[{address}]" if ":" in address else address
    return f"http://{host}:{HTTP_PORT}"


def curl(bed, *arguments, **options):
    return bed.spawn("client", [need("curl"), "-sS", "-m", "300", "-H",
                                "Expect:", *arguments],
                     stdout=subprocess.PIPE, **options)


def file_in_memory(total):
    fd = os.memfd_create("upload")
    data = memoryview(servers.block())
    while total:
        total -= os.write(fd, data[:min(total, len(data))])
    return fd


def download(bed, address, wanted):
    fetch = curl(bed, f"{url(address)}/{TOTAL_BYTES}")
    digest = subprocess.run(["sha256sum"], stdin=fetch.stdout, check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    check_equal(fetch.wait(), 0, "curl's status")
    check_equal(digest.split()[0], wanted, "hash of the download")


def upload(bed, address, fd, wanted):
    os.lseek(fd, 0, os.SEEK_SET)
    send = curl(bed, "-T", f"/proc/self/fd/{fd}", url(address) + "/",
                pass_fds=(fd,), text=True)
    digest = send.communicate()[0]
    check_equal(send.wait(), 0, "curl's status")
    check_equal(digest, wanted, "hash of the upload")


def fetch_both_ways(bed, address):
    need("curl")
    Weir(bed)
    serve(bed, servers.http_server, HTTP_PORT, HTTP_PORT)
    wanted = servers.stream_hash(TOTAL_BYTES)
    download(bed, address, wanted)
    fd = file_in_memory(TOTAL_BYTES)
    try:
        upload(bed, address, fd, wanted)
    finally:
        os.close(fd)


@test
def curl_fetches_and_sends_a_gigabyte_over_ipv4(bed):
    fetch_both_ways(bed, HOST4)


@test
def curl_fetches_and_sends_a_gigabyte_over_ipv6(bed):
    fetch_both_ways(bed, HOST6)


def random_pairs(count):
    dice = random.Random(77)
    ports = dice.sample(range(2000, 65536), count)
    pairs = []
    for n, port in enumerate(ports):
        if n % 2:
            host = f"10.77.{dice.randrange(256)}.{dice.randrange(1, 255)}"
        else:
            host = f"2001:db8:77:{dice.randrange(1, 65536):x}::" \
                   f"{dice.randrange(1, 65536):x}"
        pairs.append((host, port, dice.randrange(1, 200_000)))
    return pairs


def half_close(bed, host, port, size):
    """Send all, shut down the sending side, then read the answer."""
    data = random.Random(port).randbytes(size)
    with bed.connect(host, port, 60) as s:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        answer = servers.read_all(s)
    line, _, back = answer.partition(b"\n")
    check_equal(line.decode(), f"{host} {port}", "the target that was asked")
    check(back == data, f"{host} {port}: {size} bytes came back changed")


@test
def six_hundred_targets_survive_a_half_close(bed):
    weir = Weir(bed)
    before = weir.fds()
    pairs = random_pairs(PAIRS)
    ports = [port for _, port, _ in pairs]
    serve(bed, servers.mirror_server, ports, ports[-1])
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        for done in [pool.submit(half_close, bed, *p) for p in pairs]:
            done.result()
    wait_for(lambda: weir.fds() == before, SETTLE_S, "all fds closed")
    wait_for(lambda: weir.sessions_open() == 0, SETTLE_S, "sessions at zero")


def early_answer(bed, door):
    """What a client reads of a server that does not want all it sends."""
    with bed.connect(HOST4, EARLY_PORT, 10) as s:
        with door.accept()[0] as peer:
            s.sendall(bytes(EARLY_BYTES))
            peer.recv(1000)
            peer.sendall(b"too much")  # and a reset, as bytes are unread
        with contextlib.suppress(ConnectionError):
            while True:
                s.send(bytes(EARLY_BYTES))
        return s.recv(100)


@test
def an_answer_before_the_reset_of_an_upload_is_read(bed):
    weir = Weir(bed)
    with bed.inside("server"):
        door = keep(servers.listener(EARLY_PORT))
    for _ in range(EARLY_TIMES):
        check_equal(early_answer(bed, door), b"too much", "the answer")
    wait_for(lambda: weir.sessions_open() == 0, SETTLE_S, "sessions at zero")


def client_asks(bed, how):
    with bed.inside("client"), \
         open("/proc/sys/net/ipv4/tcp_ecn", "w", encoding="ascii") as f:
        f.write(how)


def marks_agreed(bed, host):
    """(ECN is on, a packet came that might be marked), as the kernel says."""
    with bed.connect(host, ECHO_PORT, 30) as s:
        s.sendall(b"x")
        check_equal(s.recv(1), b"x", "the echo")
        options = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[5]
    return bool(options & TCPI_OPT_ECN), bool(options & TCPI_OPT_ECN_SEEN)


@test
def a_client_that_asks_for_ecn_gets_it(bed):
    """Its second SYN, after a second, asks no more: hence the patience."""
    Weir(bed)
    serve(bed, servers.echo_server, ECHO_PORT, ECHO_PORT)
    for host in HOST4, HOST6:
        check_equal(marks_agreed(bed, host), (False, False), "unasked")
    client_asks(bed, "1")
    try:
        for host in HOST4, HOST6:
            wait_for(lambda host=host: marks_agreed(bed, host) == (True, True),
                     60, "ECN")
    finally:
        client_asks(bed, "2")


def open_crowd(bed, count):
    return [keep(bed.connect(HOST6 if n % 2 else HOST4, ECHO_PORT, 30))
            for n in range(count)]


@test
def a_thousand_connections_live_at_once_and_leave_nothing(bed):
    servers.raise_fd_limit()
    weir = Weir(bed)
    before = weir.fds()
    serve(bed, servers.echo_server, ECHO_PORT, ECHO_PORT)
    crowd = open_crowd(bed, CROWD)
    check(weir.sessions_open() >= CROWD, "not every connection is a session")
    for n, s in enumerate(crowd):
        s.sendall(b"%08d" % n * 128)
    for n, s in enumerate(crowd):
        wanted = b"%08d" % n * 128
        got = b""
        while len(got) < len(wanted) and (part := s.recv(4096)):
            got += part
        check(got == wanted, f"connection {n} got another's bytes")
    for s in crowd:
        s.close()
    wait_for(lambda: weir.fds() == before, SETTLE_S, "all fds closed")
    wait_for(lambda: weir.sessions_open() == 0, SETTLE_S, "sessions at zero")


@test
def the_same_holds_without_offloads(bed):
    Weir(bed, offload=False)
    ports = [9001, 9002]
    serve(bed, servers.mirror_server, ports, ports[-1])
    half_close(bed, HOST4, 9001, 20_000_000)
    half_close(bed, HOST6, 9002, 20_000_000)


if __name__ == "__main__":
    main()
