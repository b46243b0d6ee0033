#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Slow readers, bad wires, rude clients and odd sizes."""
import hashlib
import random
import socket
import subprocess
import threading
import time

import servers
from bed import HOST4, HOST6, TUN
from harness import (CONFIG, Skip, Weir, check, check_equal, keep, main, need,
                     serve, test, wait_for)

PORT = 7400
STALLED_S = 2
UNREAD, ROOM = 50_000, 4096  # bytes; weir's ends have room for the former
BOUND_KB = 32_000  # what one stalled stream may cost, windows and all
TOTAL, LOSSY_TOTAL = 40_000_000, 4_000_000
# Of a thousand transfers that lose a packet in ten, one or two stand still for
# more than 10 s: a train, and all that repeats it.
PATIENT = CONFIG + """\
policy: { levels: { 0: { uplink_only: 60s, downlink_only: 60s } } }
"""
HASTY = CONFIG + "policy: { levels: { 0: { idle: 1s } } }\n"


def pair(bed, host=HOST4, room=None):
    """A client's connection and the server's end of it."""
    with bed.inside("server"):
        door = servers.listener(PORT)
    with door:
        family = servers.family_of(host)
        s = keep(bed.socket("client", family, socket.SOCK_STREAM))
        for end in (s, door) if room else ():
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        s.settimeout(60)
        s.connect((host, PORT))
        peer = keep(door.accept()[0])
        peer.settimeout(60)
        return s, peer


class Sender(threading.Thread):
    """Sends TOTAL bytes, then shuts down; `digest` is of what it sent."""

    def __init__(self, s, total=TOTAL):
        super().__init__(daemon=True)
        self.socket, self.total = s, total
        self.digest = hashlib.sha256()
        self.sent = 0
        self.start()

    def run(self):
        dice = random.Random(5)
        block = dice.randbytes(1 << 20)
        while self.sent < self.total:
            part = block[dice.randrange(1000):][:self.total - self.sent]
            self.socket.sendall(part)
            self.digest.update(part)
            self.sent += len(part)
        self.socket.shutdown(socket.SHUT_WR)


def receive(s):
    digest, got = hashlib.sha256(), 0
    while part := s.recv(1 << 18):
        digest.update(part)
        got += len(part)
    return got, digest.hexdigest()


def stalls_and_resumes(bed, weir, sender_end, reader_end):
    sender = Sender(sender_end)
    time.sleep(STALLED_S / 2)
    first = sender.sent
    time.sleep(STALLED_S / 2)
    check(sender.sent == first < TOTAL, "nobody read, and it went on")
    grown = weir.memory_kb()
    check(grown < BOUND_KB, f"weir holds {grown} KB")
    got, digest = receive(reader_end)
    sender.join(10)
    check_equal(got, TOTAL, "bytes received")
    check_equal(digest, sender.digest.hexdigest(), "hash")


@test
def a_client_that_does_not_read_stops_the_server(bed):
    weir = Weir(bed, PATIENT)
    for host in HOST4, HOST6:
        s, peer = pair(bed, host)
        stalls_and_resumes(bed, weir, peer, s)


@test
def a_server_that_does_not_read_stops_the_client(bed):
    weir = Weir(bed, PATIENT)
    for host in HOST4, HOST6:
        s, peer = pair(bed, host)
        stalls_and_resumes(bed, weir, s, peer)


@test
def both_ways_at_once_stay_whole(bed):
    Weir(bed, PATIENT)
    for host in HOST4, HOST6:
        s, peer = pair(bed, host)
        up, down = Sender(s), Sender(peer, TOTAL // 2)
        found = []
        reader = threading.Thread(target=lambda: found.append(receive(peer)))
        reader.start()
        check_equal(receive(s)[1], down.digest.hexdigest(), "down")
        reader.join(20)
        check_equal(found[0][1], up.digest.hexdigest(), "up")


def lose_packets(bed, percent):
    """Of what goes over the client's TUN, each way."""
    rules = "".join(f"""
        chain {hook} {{
            type filter hook {hook} priority 0
            {side} {TUN} numgen random mod 1000 < {percent * 10} drop
        }}""" for hook, side in (("input", "iifname"), ("output", "oifname")))
    done = bed.spawn("client", [need("nft"), f"table inet loss {{{rules}\n}}"],
                     stderr=subprocess.PIPE, text=True)
    why = done.communicate()[1]
    if done.returncode:
        raise Skip("nft cannot lose packets here: " + why.split("\n")[0])
    keep(Loss(bed))


class Loss:
    def __init__(self, bed):
        self.bed = bed

    def close(self):
        self.bed.spawn("client", ["nft", "delete", "table", "inet",
                                  "loss"]).wait()


def survives_loss(bed, percent, offload):
    Weir(bed, PATIENT, offload=offload)
    lose_packets(bed, percent)
    for host in HOST4, HOST6:
        s, peer = pair(bed, host)
        sender = Sender(s, LOSSY_TOTAL)
        check_equal(receive(peer)[1], sender.digest.hexdigest(), "up")
        sender = Sender(peer, LOSSY_TOTAL)
        check_equal(receive(s)[1], sender.digest.hexdigest(), "down")


@test
def one_lost_packet_in_a_hundred_does_no_harm(bed):
    survives_loss(bed, 1, offload=False)


@test
def one_lost_packet_in_ten_does_no_harm(bed):
    survives_loss(bed, 10, offload=True)


@test
def large_and_small_mtus_carry_a_stream(bed):
    for mtu, offload in ((1280, True), (9000, True), (9000, False),
                         (65520, True), (65520, False)):
        weir = Weir(bed, PATIENT.replace("type: tun",
                                         f"type: tun, mtu: {mtu}"),
                    mtu=mtu, offload=offload)
        for host in HOST4, HOST6:
            s, peer = pair(bed, host)
            sender = Sender(s, TOTAL // 4)
            check_equal(receive(peer)[1], sender.digest.hexdigest(),
                        f"up, MTU {mtu}")
            sender = Sender(peer, TOTAL // 4)
            check_equal(receive(s)[1], sender.digest.hexdigest(),
                        f"down, MTU {mtu}")
        weir.close()


@test
def clients_that_vanish_in_the_middle_leave_nothing(bed):
    weir = Weir(bed)
    serve(bed, servers.echo_server, PORT, PORT)
    before = weir.fds()
    dice = random.Random(9)
    for n in range(200):
        s = bed.connect(HOST4, PORT, 5)
        s.sendall(bytes(dice.randrange(1, 300_000)))
        if n % 2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         b"\1\0\0\0\0\0\0\0")
        s.close()
    wait_for(lambda: weir.fds() == before, 8, "all fds closed")
    wait_for(lambda: weir.sessions_open() == 0, 8, "sessions at zero")


@test
def an_idle_connection_ends_when_its_time_is_up(bed):
    Weir(bed, HASTY)
    s, peer = pair(bed)
    begun = time.monotonic()
    s.sendall(b"x")
    peer.recv(1)
    try:
        peer.recv(1)
    except ConnectionResetError:
        pass
    seconds = time.monotonic() - begun
    check(0.9 < seconds < 1.9, f"ended after {seconds:.2f} s")


@test
def a_late_answer_after_a_half_close_arrives_within_the_policy_time(bed):
    Weir(bed, PATIENT)
    s, peer = pair(bed)
    s.sendall(b"question")
    s.shutdown(socket.SHUT_WR)
    check_equal(servers.read_all(peer), b"question", "the question")
    time.sleep(2)
    peer.sendall(b"answer")
    peer.close()
    check_equal(servers.read_all(s), b"answer", "the answer")


@test
def who_reads_late_can_still_answer_after_a_half_close(bed):
    """Its time begins when it has all."""
    Weir(bed)
    for way in 1, -1:
        s, peer = pair(bed, room=ROOM)[::way]
        s.sendall(bytes(UNREAD))
        s.shutdown(socket.SHUT_WR)
        time.sleep(STALLED_S)
        check_equal(len(servers.read_all(peer)), UNREAD, "bytes read")
        peer.sendall(b"answer")
        peer.close()
        check_equal(servers.read_all(s), b"answer", "the answer")


if __name__ == "__main__":
    main()
