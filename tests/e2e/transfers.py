# SPDX-License-Identifier: GPL-2.0-or-later
"""Transfers of known bytes between a client and a server of a bed.

A transfer begins with a header that tells the server what to send and when.
Each end hashes what it sends and what it receives; the server's two hashes
come back through a pipe, past the network under test. Every part of the
stream carries its number, so no two of them are alike."""
import contextlib
import dataclasses
import hashlib
import os
import random
import select
import socket
import struct
import threading

import harness
import servers
from bed import HOST4, HOST6

HEADER = struct.Struct("!IQQB")  # number, bytes up, bytes down, order
TAG = struct.Struct("!IIQ")  # number, way, part
PART_BYTES = 64 << 10
ROOM_BYTES = 256 << 10
PORT = 7600
PATIENCE_S = 100  # without a byte
UP, DOWN = 0, 1
NOISE = random.Random(4).randbytes(PART_BYTES)

# Who sends when: both at once, or one after the other's end.
TOGETHER, CLIENT_FIRST, SERVER_FIRST = range(3)


@dataclasses.dataclass
class Transfer:
    number: int
    up: int
    down: int
    order: int
    host: str

    def __str__(self):
        order = ("at once", "client first", "server first")[self.order]
        return (f"transfer {self.number} to {self.host}, {self.up} bytes up "
                f"and {self.down} down, {order}")


def parts(number, way, total):
    """The bytes of a stream, in parts."""
    for part in range((total + PART_BYTES - 1) // PART_BYTES):
        head = TAG.pack(number, way, part)
        size = min(PART_BYTES, total - part * PART_BYTES)
        yield (head + NOISE[:PART_BYTES - len(head)])[:size]


def send_all(s, number, way, total):
    """Send a stream and its end; returns its hash."""
    digest = hashlib.sha256()
    for part in parts(number, way, total):
        digest.update(part)
        s.sendall(part)
    s.shutdown(socket.SHUT_WR)
    return digest.hexdigest()


def receive_all(s):
    digest, room = hashlib.sha256(), memoryview(bytearray(ROOM_BYTES))
    while n := s.recv_into(room):
        digest.update(room[:n])
    return digest.hexdigest()


class Background(threading.Thread):
    """A call whose result is wanted later."""

    def __init__(self, function, *arguments):
        super().__init__(daemon=True)
        self.call = function, arguments
        self.found, self.error = None, None
        self.start()

    def run(self):
        try:
            self.found = self.call[0](*self.call[1])
        except (OSError, AssertionError) as e:
            self.error = e

    def result(self):
        self.join()
        if self.error:
            raise self.error
        return self.found


def exchange(s, number, way, total, order):
    """One end's part; returns the hashes of what it sent and received."""
    first = CLIENT_FIRST if way == UP else SERVER_FIRST
    if order == TOGETHER:
        sending = Background(send_all, s, number, way, total)
        received = receive_all(s)
        return sending.result(), received
    if order == first:
        return send_all(s, number, way, total), receive_all(s)
    received = receive_all(s)
    return send_all(s, number, way, total), received


def read_header(s):
    data = b""
    while len(data) < HEADER.size:
        more = s.recv(HEADER.size - len(data))
        if not more:
            return None
        data += more
    return HEADER.unpack(data)


def serve_one(s, told):
    with s, contextlib.suppress(OSError):
        s.settimeout(PATIENCE_S)
        header = read_header(s)
        if not header:
            return
        number, _up, down, order = header
        hashes = exchange(s, number, DOWN, down, order)
        os.write(told, f"{number} {' '.join(hashes)}\n".encode())


def server(told):
    servers.raise_fd_limit()
    door = servers.listener(PORT)
    while True:
        s, _peer = door.accept()
        threading.Thread(target=serve_one, args=(s, told),
                         daemon=True).start()


class Server:
    """The server's process, and what it told so far."""

    def __init__(self, bed):
        self.ear, mouth = os.pipe()
        self.text = b""
        self.lock = threading.Lock()
        self.told = {}
        harness.keep(self)
        harness.serve(bed, server, mouth, PORT)
        os.close(mouth)

    def _listen(self, seconds):
        if select.select([self.ear], [], [], seconds)[0]:
            self.text += os.read(self.ear, 1 << 16)
        *lines, self.text = self.text.split(b"\n")
        for line in lines:
            number, sent, received = line.decode().split()
            self.told[int(number)] = sent, received

    def hashes(self, number):
        """(sent, received) of a transfer; None where the server failed."""
        with self.lock:
            while number not in self.told:
                before = len(self.told)
                self._listen(5)
                if len(self.told) == before:
                    return None
            return self.told.pop(number)

    def close(self):
        os.close(self.ear)


def carry_out(bed, far, transfer):
    """Do one; raises where the bytes are not the same at both ends."""
    try:
        with bed.connect(transfer.host, PORT, PATIENCE_S) as s:
            s.sendall(HEADER.pack(transfer.number, transfer.up, transfer.down,
                                  transfer.order))
            sent, received = exchange(s, transfer.number, UP, transfer.up,
                                      transfer.order)
    except OSError as e:
        raise AssertionError(f"{transfer}: {e!r}") from None
    harness.check_equal(far.hashes(transfer.number), (received, sent),
                        f"{transfer}: what the server sent and received")


def draw(dice, number, most):
    """A transfer of random size, way, order and family; small sizes are as
    likely as large ones."""
    def size():
        return min(most, int(most ** dice.random()))

    order = dice.choice((TOGETHER, CLIENT_FIRST, SERVER_FIRST))
    up, down = dice.choice(((size(), 0), (0, size()), (size(), size()),
                            (size(), size())))
    return Transfer(number, up, down, order, dice.choice((HOST4, HOST6)))
