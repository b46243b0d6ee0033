# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets, whole and broken, as bytes. Run as a program, it writes the whole
ones into a folder, as first inputs of the fuzzer of the packet gate:

    packets.py FOLDER"""
import os
import random
import socket
import struct
import sys

from bed import CLIENT4, CLIENT6, DEAD4, HOST4, HOST6

TCP, UDP, ICMP, ICMP6, FRAGMENT = 6, 17, 1, 58, 44
HOP_BY_HOP, ROUTING, DESTINATION, AUTHENTICATION = 0, 43, 60, 51
TCP_PORT = 7200
SPORT = 30000
MUTATIONS = 20_000


def ones_sum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def ip4(protocol, payload, fragment=0, ident=1, options=b""):
    header = bytearray(struct.pack(
        "!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0,
        20 + len(options) + len(payload), ident, fragment, 64, protocol, 0,
        socket.inet_aton(CLIENT4), socket.inet_aton(HOST4)) + options)
    header[10:12] = struct.pack("!H", ones_sum(bytes(header)))
    return bytes(header) + payload


def ip6(protocol, payload):
    return struct.pack("!IHBB", 0x60000000, len(payload), protocol, 64) + \
        socket.inet_pton(socket.AF_INET6, CLIENT6) + \
        socket.inet_pton(socket.AF_INET6, HOST6) + payload


def pseudo(six, protocol, length):
    if six:
        return socket.inet_pton(socket.AF_INET6, CLIENT6) + \
            socket.inet_pton(socket.AF_INET6, HOST6) + \
            struct.pack("!II", length, protocol)
    return socket.inet_aton(CLIENT4) + socket.inet_aton(HOST4) + \
        struct.pack("!HH", protocol, length)


def with_sum(segment, at, head):
    total = ones_sum(head + segment)
    return segment[:at] + struct.pack("!H", total or 0xFFFF) + \
        segment[at + 2:]


def tcp(six, flags=2, options=b"\2\4\5\xb4\4\2\1\3\3\7\0\0", data=b"",
        offset=None, sport=SPORT):
    words = 5 + len(options) // 4 if offset is None else offset
    s = struct.pack("!HHIIBBHHH", sport, TCP_PORT, 1, 0, words << 4, flags,
                    65535, 0, 0) + options + data
    return with_sum(s, 16, pseudo(six, TCP, len(s)))


def udp(six, data=b"datagram", length=None):
    s = struct.pack("!HHHH", SPORT, 9, 8 + len(data) if length is None else
                    length, 0) + data
    return with_sum(s, 6, pseudo(six, UDP, len(s)))


def echo(six, data=b"ping"):
    s = struct.pack("!BBHHH", 128 if six else 8, 0, 0, 7, 1) + data
    return with_sum(s, 2, pseudo(True, ICMP6, len(s)) if six else b"")


def too_big(six, data=None, mtu=1400):
    """An error of a router about a segment from the host to the client."""
    quoted = (ip6 if six else ip4)(TCP, tcp(six)) if data is None else data
    at, size = (8, 16) if six else (12, 4)
    if data is None:
        quoted = quoted[:at] + quoted[at + size:at + 2 * size] + \
            quoted[at:at + size] + quoted[at + 2 * size:]
    s = struct.pack("!BBHHH", 2 if six else 3, 0 if six else 4, 0, 0,
                    mtu) + quoted
    return with_sum(s, 2, pseudo(True, ICMP6, len(s)) if six else b"")


def whole():
    """Valid packets of every kind."""
    for six, put, ping in ((False, ip4, ICMP), (True, ip6, ICMP6)):
        yield put(TCP, tcp(six))
        yield put(TCP, tcp(six, 0x18, b"", b"some bytes"))
        yield put(UDP, udp(six))
        yield put(ping, echo(six))
        yield put(ping, too_big(six))
    yield ip4(UDP, udp(False), options=b"\x07\x07\x04" + bytes(5))
    yield ip6(HOP_BY_HOP, bytes([UDP, 0, 1, 4, 0, 0, 0, 0]) + udp(True))
    yield ip6(DESTINATION, bytes([TCP, 0, 1, 4, 0, 0, 0, 0]) + tcp(True))


def truncations():
    for packet in whole():
        for length in range(1, len(packet)):
            yield packet[:length]


def wrong_lengths():
    for n in (0, 1, 19, 20, 27, 28, 0xFFFF):
        for packet in ip4(UDP, udp(False)), ip4(TCP, tcp(False)):
            yield packet[:2] + struct.pack("!H", n) + packet[4:]
        for packet in ip6(UDP, udp(True)), ip6(TCP, tcp(True)):
            yield packet[:4] + struct.pack("!H", n) + packet[6:]
        yield ip4(UDP, udp(False, length=n))
        yield ip6(UDP, udp(True, length=n))
    for words in range(16):
        yield ip4(TCP, tcp(False, offset=words))
        yield ip6(TCP, tcp(True, offset=words))
        packet = ip4(TCP, tcp(False))
        yield bytes([0x40 | words]) + packet[1:]
    for bad in b"\2\0", b"\2\1\0\0", b"\3\xff\0\0", b"\5\x0a\0\0", b"\x08\0":
        yield ip4(TCP, tcp(False, options=bad.ljust(8, b"\2")))
        yield ip6(TCP, tcp(True, options=bad.ljust(8, b"\2")))


def broken_quotes():
    """Errors that quote too little, nonsense, or claim odd MTUs."""
    for six, put, ping in ((False, ip4, ICMP), (True, ip6, ICMP6)):
        quoted = too_big(six)[8:]
        for length in range(len(quoted)):
            yield put(ping, too_big(six, quoted[:length]))
        for first in 0, 0x40, 0x45, 0x4F, 0x60, 0xFF:
            yield put(ping, too_big(six, bytes([first]) + quoted[1:]))
        for mtu in 0, 1, 67, 575, 1279, 65535:
            yield put(ping, too_big(six, mtu=mtu))
    yield ip4(ICMP, too_big(False, ip4(TCP, tcp(False), fragment=1)))


def header_chains():
    """Extension headers that are long, repeated, cut or point to
    themselves."""
    for kind in HOP_BY_HOP, ROUTING, DESTINATION, AUTHENTICATION, 135, 139:
        yield ip6(kind, bytes([kind, 0]) + bytes(6))
        yield ip6(kind, bytes([kind, 0, 0, 0, 0, 0, 0, 0]) * 170)
        yield ip6(kind, bytes([UDP, 255]) + bytes(6) + udp(True))
        yield ip6(kind, bytes([UDP]))
    for segments in 0, 1, 255:
        yield ip6(ROUTING, bytes([TCP, 0, 0, segments]) + bytes(4) +
                  tcp(True))
    yield ip6(59, b"")
    yield ip6(FRAGMENT, b"\x11")


def fragment6(following, at, more, data, ident):
    return ip6(FRAGMENT, struct.pack("!BBHI", following, 0, at | more,
                                     ident) + data)


def fragments():
    """Overlaps, holes, a first without its header, one past 64 KB."""
    body = udp(False, bytes(64)) + bytes(8)
    more = 0x2000
    for ident, parts in enumerate((
            ((0, 40, True), (24, 80, False)),
            ((0, 40, True), (0, 40, True), (40, 80, False)),
            ((40, 80, False), (8, 80, False)),
            ((0, 8, True), (0, 80, False)),
            ((8, 80, False), (0, 16, True)),
            ((0, 80, True), (16, 24, False))), 100):
        for begin, end, goes_on in parts:
            yield ip4(UDP, body[begin:end],
                      begin // 8 | (more if goes_on else 0), ident)
            yield fragment6(UDP, begin, int(goes_on), body[begin:end], ident)
    for at in 0x1FFF, 0x1FFE, 8190:
        yield ip4(UDP, body, at, 200)
        yield fragment6(UDP, 0xFFF8, 0, body, 200)
    for ident in range(300, 600):  # never completed: the bound must hold
        yield ip4(UDP, body, more, ident)
        yield fragment6(UDP, 0, 1, body, ident)
    yield ip4(TCP, tcp(False)[:8], more, 700)
    yield ip4(UDP, body[:13], more, 701)
    yield fragment6(FRAGMENT, 0, 0, body, 702)
    yield fragment6(FRAGMENT, 0, 1, b"", 703)


def mutations():
    dice = random.Random(1)
    seeds = list(whole())
    for _ in range(MUTATIONS):
        packet = bytearray(dice.choice(seeds))
        for _ in range(dice.randrange(1, 6)):
            packet[dice.randrange(len(packet))] = dice.randrange(256)
        if packet[0] >> 4 == 4 and dice.random() < 0.8:
            size = min((packet[0] & 15) * 4, len(packet)) & ~1
            packet[10:12] = b"\0\0"
            packet[10:12] = struct.pack("!H", ones_sum(bytes(packet[:size])))
        yield bytes(packet)


def odd_addresses():
    for name in "0.0.0.0", "255.255.255.255", "224.0.0.1", "127.0.0.1":
        packet = bytearray(ip4(UDP, udp(False)))
        for at in 12, 16:
            packet[at:at + 4] = socket.inet_aton(name)
            packet[10:12] = b"\0\0"
            packet[10:12] = struct.pack("!H", ones_sum(bytes(packet[:20])))
            yield bytes(packet)
    for name in "::", "::1", "ff02::1", "::ffff:10.77.1.1":
        packet = bytearray(ip6(UDP, udp(True)))
        for at in 8, 24:
            packet[at:at + 16] = socket.inet_pton(socket.AF_INET6, name)
            yield bytes(packet)
    land = bytearray(ip4(TCP, tcp(False)))
    land[12:16] = land[16:20]
    yield bytes(land)


def flood(count=4_000):
    """Half-open connections and flows from ever new sources, to a host that
    never answers."""
    dead = socket.inet_aton(DEAD4)
    for n in range(count):
        source = socket.inet_aton(f"10.75.{n >> 13}.{2 + n % 200}")
        sport = 1024 + n % 60000
        for protocol, at, segment in (
                (TCP, 16, struct.pack("!HHIIBBHHH", sport, 80, 1, 0, 0x50, 2,
                                      65535, 0, 0)),
                (UDP, 6, struct.pack("!HHHH", sport, 80, 9, 0) + b"x")):
            head = source + dead + struct.pack("!HH", protocol, len(segment))
            packet = bytearray(ip4(protocol, with_sum(segment, at, head)))
            packet[10:20] = b"\0\0" + source + dead
            packet[10:12] = struct.pack("!H", ones_sum(bytes(packet[:20])))
            yield bytes(packet)


def main():
    """An input is a list of packets, each after a byte of orders and two of
    length; orders of 0 leave the packet as it is."""
    for name, packets in (("whole", whole()), ("lengths", wrong_lengths()),
                          ("chains", header_chains()),
                          ("quotes", broken_quotes()),
                          ("fragments", list(fragments())[:30])):
        for n, packet in enumerate(packets):
            if len(packet) > 0x7FF:
                continue
            path = os.path.join(sys.argv[1], f"{name}-{n}")
            with open(path, "wb") as f:
                f.write(struct.pack("!BH", 0, len(packet)) + packet)


if __name__ == "__main__":
    main()
