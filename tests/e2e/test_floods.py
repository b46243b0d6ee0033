#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Floods: who is already served keeps going, who is honest gets in, and
memory and descriptors stay bounded.

Without an argument each flood is short and the bounds are wide, since the
machine may be busy. With --all: 100,000 SYNs a second for 20 s, fragments
until the bound and then their whole life, 200,000 UDP five-tuples."""
import concurrent.futures
import contextlib
import json
import random
import re
import resource
import socket
import subprocess
import sys
import threading
import time

import servers
from bed import HOST4, NAMED4, TUN
from harness import (Child, Process, Stream, Weir, check, check_equal, keep,
                     main, need, serve, test, tool, wait_for)

ALL = "--all" in sys.argv
SYN_RATE, SYN_S = (100_000, 20) if ALL else (20_000, 4)
CURLS, CURLS_AT_ONCE = (100, 5) if ALL else (20, 5)
CURLS_LEAST = 95 if ALL else 15
CURL_S = 10
MORE_KB = 64 << 10
RATE_KEPT = 0.5 if ALL else 0.05
RECOVERY_S = 5
UDP_RATE, UDP_S = (10_000, 20) if ALL else (5_000, 3)
PORTS_MOST = 1 if ALL else 2  # a busy machine may forget the client for long
DNS_KEPT = 0.99 if ALL else 0.9
FRAGMENT_RATE, FRAGMENT_S = (20_000, 10) if ALL else (5_000, 3)
FRAGMENT_KB = 16 << 10  # the stack's own bound is 4 MB
SETTLE_S = 2
FRAGMENT_LIFE_S = 35
DOWNLOADS, DOWNLOAD_S = 32, 4
PINGS, PINGS_LOST = 100, 20
VISIT_PORT, STREAM_PORT, HTTP_PORT, DNS_PORT, MIRROR_PORT = range(7700, 7705)
LOG_LESS = """\
log: { level: info, tags: [{ tag: session, level: warn }] }
services:
  - { tag: stack, type: netstack }
inbounds:
  - { tag: tun, type: tun }
outbounds:
  - { tag: direct, type: freedom }
"""


def flood(bed, kind, port, rate, seconds):
    """Start one; its result is waited for with `ended`."""
    return bed.spawn("client", [tool("flood"), kind, TUN, HOST4, str(port),
                                str(rate), str(seconds)],
                     stdout=subprocess.PIPE, text=True)


def ended(bed, process):
    result = json.loads(process.communicate()[0])
    bed.end(process)
    print(f"# flood: {result}", flush=True)
    return result


def visited(bed):
    """A server that takes any number of connections."""
    server = keep(Process(bed, "server", [tool("conn"), "serve",
                                          str(VISIT_PORT), "1"]))
    server.await_line()


def send_for_ever(port):
    """One client at a time gets bytes until it goes."""
    data = bytes(1 << 20)
    door = servers.listener(port)
    while True:
        s, _peer = door.accept()
        with s:
            try:
                while True:
                    s.sendall(data)
            except OSError:
                pass


def curl(bed):
    """True where the page came."""
    process = bed.spawn("client", [need("curl"), "-sS", "-m", str(CURL_S),
                                   "-o", "/dev/null",
                                   f"http://{HOST4}:{HTTP_PORT}/1000"],
                        stderr=subprocess.DEVNULL)
    good = process.wait() == 0
    bed.end(process)
    return good


def curls(bed, count):
    """How many of them succeed."""
    with concurrent.futures.ThreadPoolExecutor(CURLS_AT_ONCE) as pool:
        return sum(pool.map(lambda _n: curl(bed), range(count)))


class Watch(threading.Thread):
    """The most memory and descriptors that weir had meanwhile."""

    def __init__(self, weir):
        super().__init__(daemon=True)
        self.weir, self.over = weir, threading.Event()
        self.most_kb = self.most_fds = 0
        self.start()

    def run(self):
        while not self.over.wait(0.1):
            self.most_kb = max(self.most_kb, self.weir.memory_kb())
            self.most_fds = max(self.most_fds, self.weir.fds())

    def stop(self):
        self.over.set()
        self.join()


@test
def a_syn_flood_harms_nobody_who_is_honest(bed):
    need("curl")
    weir = Weir(bed, LOG_LESS)
    visited(bed)
    serve(bed, send_for_ever, STREAM_PORT, STREAM_PORT)
    serve(bed, servers.http_server, HTTP_PORT, HTTP_PORT)
    check_equal(curls(bed, 5), 5, "curls before the flood")
    stream = Stream(bed.connect(HOST4, STREAM_PORT, 60))
    stream.rate(1)
    before_rate, before_kb = stream.rate(SETTLE_S), weir.memory_kb()
    attack = flood(bed, "syn", VISIT_PORT, SYN_RATE, SYN_S)
    watch = Watch(weir)
    time.sleep(SETTLE_S / 2)
    during_rate = stream.rate(SYN_S / 4)
    good = curls(bed, CURLS)
    ended(bed, attack)
    over = time.monotonic()
    watch.stop()
    wait_for(lambda: timed_curl(bed) < 0.5, RECOVERY_S, "recovery")
    recovered_s = time.monotonic() - over
    print(f"# rate {during_rate / before_rate:.2f} of {before_rate / 1e6:.0f}"
          f" MB/s, {good} of {CURLS} curls, {watch.most_kb - before_kb} KB "
          f"more, {watch.most_fds} fds, recovered in {recovered_s:.1f} s",
          flush=True)
    check(good >= CURLS_LEAST, f"{good} of {CURLS} curls succeeded")
    check(watch.most_kb - before_kb <= MORE_KB,
          f"{watch.most_kb - before_kb} KB more")
    check(during_rate >= RATE_KEPT * before_rate,
          f"the stream kept {during_rate / before_rate:.2f} of its rate")


def timed_curl(bed):
    begun = time.monotonic()
    return time.monotonic() - begun if curl(bed) else CURL_S


def ask_dns(bed, name):
    """True where the answer comes, in three tries as a resolver does."""
    query = (random.randbytes(2) + b"\1\0\0\1\0\0\0\0\0\0" +
             bytes([len(name)]) + name + b"\0\0\1\0\1")
    with bed.socket("client", socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(1)
        for _try in range(3):
            s.sendto(query, (NAMED4, DNS_PORT))
            try:
                if s.recv(512)[:2] == query[:2]:
                    return True
            except OSError:
                continue
    return False


def name_the_peer(endpoint):
    """Tell everyone from which port he is heard."""
    s = servers.udp_socket(*endpoint)
    while True:
        _data, peer = s.recvfrom(16)
        s.sendto(str(peer[1]).encode(), peer)


class Steady(threading.Thread):
    """A flow that is always in use: who keeps it keeps its port."""

    def __init__(self, bed):
        super().__init__(daemon=True)
        self.socket = keep(bed.socket("client", socket.AF_INET,
                                      socket.SOCK_DGRAM))
        self.socket.settimeout(0.02)
        self.ports, self.over = set(), threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.02):
            self.socket.sendto(b"?", (NAMED4, MIRROR_PORT))
            with contextlib.suppress(OSError):  # a datagram may be lost
                self.ports.add(self.socket.recv(16))

    def stop(self):
        self.over.set()
        self.join()


def flows_most():
    """The daemon's bound: half of the descriptors, two a flow, and half of
    the sessions."""
    fds = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return min(fds // 4, 65535 // 2)


@test
def a_flood_of_udp_sources_leaves_names_and_descriptors_alone(bed):
    weir = Weir(bed, LOG_LESS)
    keep(Process(bed, "server", [tool("udpload"), "dns", NAMED4,
                                 str(DNS_PORT)])).await_line()
    keep(Child(bed, "server", name_the_peer, (NAMED4, MIRROR_PORT)))
    steady = Steady(bed)
    before_kb = weir.memory_kb()
    watch = Watch(weir)
    attack = flood(bed, "udp", VISIT_PORT, UDP_RATE, UDP_S)
    asked = good = 0
    while attack.poll() is None:
        asked += 1
        good += ask_dns(bed, b"name%d" % asked)
        time.sleep(0.02)
    sent = ended(bed, attack)["sent"]
    watch.stop()
    steady.stop()
    counters = weir.counters()
    print(f"# {good} of {asked} names, {sent} sources, "
          f"{watch.most_kb - before_kb} KB more, {watch.most_fds} fds")
    check(good >= DNS_KEPT * asked, f"{good} of {asked} names were found")
    check(counters["stack", "flows"] <= flows_most(),
          f"{counters['stack', 'flows']} flows are open")
    check_equal(counters["core", "sessions_refused_full"], 0, "refused")
    check(1 <= len(steady.ports) <= PORTS_MOST,
          f"the flow in use had {len(steady.ports)} ports")


def pings_lost(bed):
    process = bed.spawn("client", [need("ping"), "-q", "-i", "0.02", "-c",
                                   str(PINGS), HOST4],
                        stdout=subprocess.PIPE, text=True)
    said = process.communicate()[0]
    bed.end(process)
    return PINGS - int(re.search(r"(\d+) received", said)[1])


@test
def many_downloads_leave_pings_alone(bed):
    """Their ACKs would fill the TUN's queue in a long turn of the loop."""
    Weir(bed, LOG_LESS)
    server = keep(Process(bed, "server", [need("iperf3"), "-s", "-1", "-p",
                                          str(STREAM_PORT), "--forceflush"]))
    server.await_line()
    load = bed.spawn("client", ["iperf3", "-c", HOST4, "-p",
                                str(STREAM_PORT), "-R", "-P", str(DOWNLOADS),
                                "-t", str(DOWNLOAD_S)],
                     stdout=subprocess.DEVNULL)
    time.sleep(1)
    lost = pings_lost(bed)
    check_equal(load.wait(), 0, "status of iperf3")
    bed.end(load)
    print(f"# {lost} of {PINGS} pings lost", flush=True)
    check(lost <= PINGS_LOST, f"{lost} of {PINGS} pings were lost")


@test
def a_flood_of_fragments_is_bounded_and_goes_away(bed):
    weir = Weir(bed, LOG_LESS)
    before_kb = weir.memory_kb()
    watch = Watch(weir)
    ended(bed, flood(bed, "fragments", VISIT_PORT, FRAGMENT_RATE, FRAGMENT_S))
    watch.stop()
    print(f"# {watch.most_kb - before_kb} KB more", flush=True)
    check(watch.most_kb - before_kb <= FRAGMENT_KB,
          f"{watch.most_kb - before_kb} KB more")
    counters = weir.counters()
    check(counters["stack", "fragments_dropped"] > 0,
          "no fragment was ever dropped")
    if ALL:
        wait_for(lambda: weir.counters()["stack", "fragments_dropped"] ==
                 counters["tun", "packets_in"], FRAGMENT_LIFE_S, "all gone")


if __name__ == "__main__":
    main()
