#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The bad network that other tests and benches lean on keeps its promises."""
import os
import socket
import struct
import time

import impairment
from harness import check, check_equal, keep, main, test, wait_for

PORT = 7000
SOCKET_BYTES = 8 << 20
GRACE_S = 0.6  # after the last packet can still come
SO_RCVBUFFORCE = 33
PAUSE_S = 0.002  # after every BURST packets
BURST = 20


def impair(bed, **options):
    return keep(impairment.Impairment(bed, **options))


def receiver(bed, role="server", family=socket.AF_INET):
    s = keep(bed.socket(role, family, socket.SOCK_DGRAM))
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BYTES)
    s.bind(("", PORT))
    s.settimeout(GRACE_S)
    return s


def sender(bed, to, role="client", family=socket.AF_INET):
    s = keep(bed.socket(role, family, socket.SOCK_DGRAM))
    s.connect((to, PORT))
    return s


def pair(bed):
    return sender(bed, impairment.RIGHT4), receiver(bed)


def send_numbered(s, count, size=100):
    for number in range(count):
        s.send(struct.pack("!I", number).ljust(size, b"."))
        if number % BURST == BURST - 1:
            time.sleep(PAUSE_S)


def received(s):
    """Every payload until nothing comes any more."""
    found = []
    while True:
        try:
            found.append(s.recv(65536))
        except socket.timeout:
            return found


def numbers(payloads):
    return [struct.unpack_from("!I", payload)[0] for payload in payloads]


def numbers_that_arrive(bed, count, **faults):
    bridge = impairment.Impairment(bed, **faults)
    try:
        with bed.socket("client", socket.AF_INET, socket.SOCK_DGRAM) as out, \
                receiver(bed) as into:
            out.connect((impairment.RIGHT4, PORT))
            send_numbered(out, count)
            return numbers(received(into))
    finally:
        bridge.close()


@test
def without_faults_everything_arrives_both_ways_at_once(bed):
    impair(bed, ipv6=True)
    for family, left, right in (
            (socket.AF_INET, impairment.LEFT4, impairment.RIGHT4),
            (socket.AF_INET6, impairment.LEFT6, impairment.RIGHT6)):
        for role, other, address in (("client", "server", right),
                                     ("server", "client", left)):
            with receiver(bed, other, family) as into:
                out = sender(bed, address, role, family)
                send_numbered(out, 500)
                check_equal(numbers(received(into)), list(range(500)),
                            f"what came from {role}")


@test
def the_same_seed_loses_the_same_share_of_packets(bed):
    count = 3000
    first = numbers_that_arrive(bed, count, loss=10, seed=5)
    again = numbers_that_arrive(bed, count, loss=10, seed=5, delay=10)
    other = numbers_that_arrive(bed, count, loss=10, seed=6)
    check(0.08 < 1 - len(first) / count < 0.12,
          f"{count - len(first)} of {count} were lost")
    check_equal(again, first, "what the same seed lets pass")
    check(other != first, "another seed lost the same packets")


@test
def a_packet_takes_the_delay_give_or_take_two_ms(bed):
    impair(bed, up_delay=30, down_delay=10)
    for role, other, to, delay_ms in (
            ("client", "server", impairment.RIGHT4, 30),
            ("server", "client", impairment.LEFT4, 10)):
        out, into = sender(bed, to, role), receiver(bed, other)
        taken = []
        for _trip in range(15):
            start = time.monotonic()
            out.send(b"now")
            into.recv(16)
            taken.append((time.monotonic() - start) * 1000)
        least_ms = min(taken)  # any of them may be held up on the way
        check(abs(least_ms - delay_ms) < 2,
              f"{delay_ms} ms: it took {least_ms:.2f} ms")


def flood(out, seconds):
    """About 90 Mbit/s."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _packet in range(BURST):
            out.send(b"." * 1400)
        time.sleep(PAUSE_S)


def flooded(bridge, out):
    """Mbit/s that went, and how many packets were dropped meanwhile."""
    start, before = time.monotonic(), bridge.counters()["up"]
    flood(out, 0.7)
    after, taken = bridge.counters()["up"], time.monotonic() - start
    return ((after["bytes"] - before["bytes"]) * 8 / taken / 1e6,
            after["overflowed"] - before["overflowed"])


@test
def a_flood_is_held_to_the_rate_within_five_percent(bed):
    """Where the flood itself was held up, by its next try."""
    rate_mbit, seen = 40, []
    bridge = impair(bed, rate=rate_mbit, queue=1_000_000)
    out, _into = pair(bed)
    flood(out, 0.3)  # fills the queue
    for _try in range(10):
        seen.append(flooded(bridge, out))
        mbit, dropped = seen[-1]
        if dropped and abs(mbit - rate_mbit) < 0.05 * rate_mbit:
            return
    raise AssertionError(f"{rate_mbit} Mbit/s: went and dropped {seen}")


@test
def a_share_of_packets_is_overtaken(bed):
    found = numbers_that_arrive(bed, 2000, reorder="5:8", seed=2)
    check_equal(sorted(found), list(range(2000)), "what arrived")
    late = sum(1 for a, b in zip(found, found[1:]) if b < a)
    check(40 < late < 130, f"{late} of 2000 were overtaken")


@test
def a_share_of_packets_comes_twice(bed):
    found = numbers_that_arrive(bed, 2000, duplicate=5)
    check_equal(sorted(set(found)), list(range(2000)), "what arrived")
    check(60 < len(found) - 2000 < 140, f"{len(found) - 2000} came twice")


@test
def a_corrupted_packet_reaches_no_socket(bed):
    bridge = impair(bed, ipv6=True, up_corrupt=50)
    for family, to in ((socket.AF_INET, impairment.RIGHT4),
                       (socket.AF_INET6, impairment.RIGHT6)):
        before = bridge.counters()["up"]["corrupted"]
        with receiver(bed, family=family) as into:
            out = sender(bed, to, family=family)
            send_numbered(out, 1000, size=40)
            payloads = received(into)
        corrupted = bridge.counters()["up"]["corrupted"] - before
        check(400 < corrupted < 600, f"{corrupted} were corrupted")
        check_equal(len(payloads), 1000 - corrupted, "what arrived")
        for payload in payloads:
            check_equal(payload[4:], b"." * 36, "a payload")


@test
def a_direction_can_suffer_alone(bed):
    bridge = impair(bed, up_loss=100)
    into = receiver(bed, "client")
    out = sender(bed, impairment.LEFT4, "server")
    send_numbered(out, 100)
    check_equal(len(received(into)), 100, "what came down")
    with receiver(bed) as into:
        send_numbered(sender(bed, impairment.RIGHT4), 100)
        check_equal(received(into), [], "what came up")
    counters = bridge.counters()
    check_equal(counters["up"]["lost"], 100, "lost on the way up")
    check_equal(counters["down"]["lost"], 0, "lost on the way down")


@test
def the_counters_add_up_at_its_end(bed):
    bridge = impair(bed, loss=5, duplicate=5, reorder="5:5", corrupt=5,
                    delay=20, jitter=5, rate=10, queue=20000, burst="1:30")
    out, _into = pair(bed)
    send_numbered(out, 2000, size=1000)
    wait_for(lambda: bridge.counters()["up"]["inside"] == 0, 2, "rest")
    up = bridge.stop()["up"]
    check(all(up[name] for name in (
        "lost", "overflowed", "duplicated", "reordered", "corrupted")),
        f"a fault never struck: {up}")
    check_equal(up["received"], 2000, "received")
    check_equal(up["received"] + up["duplicated"],
                up["forwarded"] + up["refused"] + up["lost"] +
                up["overflowed"], "what became of them")


@test
def a_wrong_option_is_refused_with_status_64(bed):
    for options in ({"loss": 101}, {"delay": "x"}, {"reorder": 5},
                    {"sideways": 1}):
        try:
            impair(bed, **options)
        except AssertionError:
            continue
        raise AssertionError(f"{options} was taken")


if __name__ == "__main__":
    os.environ.setdefault("abs_top_builddir", os.getcwd())
    main()
