#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets that no honest stack sends, at a live daemon, while a canary
connection carries on. Weir built with sanitizers dies of what it misreads."""
import contextlib
import random
import socket
import threading

import servers
from bed import HOST4, HOST6, TUN
from harness import (CONFIG, Weir, check, check_equal, keep, main, serve,
                     test)
from packets import (TCP_PORT, broken_quotes, flood, fragments, header_chains,
                     mutations, odd_addresses, truncations, wrong_lengths)

ETH_P_IP, ETH_P_IPV6 = 0x0800, 0x86DD
CANARY_PORT = TCP_PORT
QUIET = CONFIG.replace("level: info", "level: warn")


class Canary(threading.Thread):
    """Sends and reads back bytes until told to stop."""

    def __init__(self, bed):
        super().__init__(daemon=True)
        self.socket = keep(bed.connect(HOST4, CANARY_PORT, 20))
        self.stop = threading.Event()
        self.rounds = 0
        self.error = None
        self.start()

    def run(self):
        dice = random.Random(3)
        try:
            while not self.stop.is_set() or not self.rounds:
                data = dice.randbytes(30_000)
                self.socket.sendall(data)
                back = b""
                while len(back) < len(data):
                    part = self.socket.recv(1 << 16)
                    check(part, "the canary's connection ended")
                    back += part
                check(back == data, "the canary's bytes were changed")
                self.rounds += 1
        except (OSError, AssertionError) as e:
            self.error = e

    def verdict(self):
        before = self.rounds
        self.stop.set()
        self.join(30)
        check(not self.error, f"the canary died: {self.error}")
        check(self.rounds >= max(before, 1), "the canary stood still")


def attack(bed, packets, **options):
    weir = Weir(bed, **options)
    serve(bed, servers.echo_server, CANARY_PORT, CANARY_PORT)
    canary = Canary(bed)
    raw = keep(bed.socket("client", socket.AF_PACKET, socket.SOCK_DGRAM))
    sent = 0
    for packet in packets:
        kind = ETH_P_IPV6 if packet[0] >> 4 == 6 else ETH_P_IP
        with contextlib.suppress(OSError):  # ENOBUFS: the queue is full
            raw.sendto(packet, (TUN, kind))
        sent += 1
        check(sent % 64 or weir.alive(), f"weir died after packet {sent}")
    canary.verdict()
    check(weir.alive(), f"weir died of one of {sent} packets")
    with bed.connect(HOST6, CANARY_PORT, 5) as s:
        s.sendall(b"still there?")
        check_equal(s.recv(100), b"still there?", "a new connection")
    check_equal(weir.stop(), 0, "exit status")


@test
def every_truncation_of_a_packet_leaves_the_others_unharmed(bed):
    attack(bed, truncations())


@test
def wrong_lengths_leave_the_others_unharmed(bed):
    attack(bed, wrong_lengths())


@test
def extension_header_chains_leave_the_others_unharmed(bed):
    attack(bed, header_chains())


@test
def errors_with_broken_quotes_leave_the_others_unharmed(bed):
    attack(bed, broken_quotes())


@test
def overlapping_fragments_leave_the_others_unharmed(bed):
    attack(bed, fragments())


@test
def odd_addresses_leave_the_others_unharmed(bed):
    attack(bed, odd_addresses())


@test
def random_mutations_leave_the_others_unharmed(bed):
    attack(bed, mutations())


@test
def a_flood_of_new_sources_leaves_the_others_unharmed(bed):
    attack(bed, flood(), config=QUIET)


if __name__ == "__main__":
    main()
