# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers that the tests talk to; each runs in a process of its own."""
import contextlib
import hashlib
import http.server
import random
import resource
import selectors
import socket
import threading

IPV6_FREEBIND = 78
BLOCK_BYTES = 16 << 20


def block(seed=1):
    return random.Random(seed).randbytes(BLOCK_BYTES)


def stream_hash(total, seed=1):
    """SHA-256 of the first `total` bytes of the repeated block."""
    data = memoryview(block(seed))
    digest = hashlib.sha256()
    while total:
        n = min(total, len(data))
        digest.update(data[:n])
        total -= n
    return digest.hexdigest()


def raise_fd_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def listener(port, backlog=4096):
    """A TCP socket for one port of every address, IPv4 too."""
    s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.bind(("::", port))
    s.listen(backlog)
    return s


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def udp_socket(address, port):
    family = family_of(address)
    s = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind((address, port))
    return s


def read_all(connection):
    parts = []
    while part := connection.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def plain(address):
    """::ffff:1.2.3.4 is 1.2.3.4."""
    return address.removeprefix("::ffff:")


class BytesHandler(http.server.BaseHTTPRequestHandler):
    """GET /N sends N bytes; PUT answers with the SHA-256 of what came."""
    protocol_version = "HTTP/1.1"
    data = None

    def do_GET(self):
        left = int(self.path.strip("/"))
        self.send_response(200)
        self.send_header("Content-Length", str(left))
        self.end_headers()
        while left:
            n = min(left, len(self.data))
            self.connection.sendall(self.data[:n])
            left -= n

    def do_PUT(self):
        left = int(self.headers["Content-Length"])
        digest = hashlib.sha256()
        room = bytearray(1 << 20)
        while left:
            n = self.rfile.readinto(memoryview(room)[:min(left, len(room))])
            if not n:
                return
            digest.update(memoryview(room)[:n])
            left -= n
        answer = digest.hexdigest().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class DualStackServer(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True


def http_server(port):
    BytesHandler.data = memoryview(block())
    DualStackServer(("::", port), BytesHandler).serve_forever()


def answer_after_eof(connection):
    """Half-close: says who was asked for, then gives everything back."""
    with connection, contextlib.suppress(ConnectionError):
        data = read_all(connection)
        host, port = connection.getsockname()[:2]
        connection.sendall(f"{plain(host)} {port}\n".encode() + data)


def mirror_server(ports):
    """On each port, wait for the client's FIN, then answer."""
    raise_fd_limit()
    events = selectors.DefaultSelector()
    for port in ports:
        events.register(listener(port), selectors.EVENT_READ)
    while True:
        for key, _ in events.select():
            connection, _ = key.fileobj.accept()
            threading.Thread(target=answer_after_eof, args=(connection,),
                             daemon=True).start()


def echo_some(events, connection):
    try:
        data = connection.recv(1 << 16)
        if data:
            connection.sendall(data)
            return
    except OSError:
        pass
    events.unregister(connection)
    connection.close()


def echo_server(port):
    """Give back each piece as it comes, to any number of clients."""
    raise_fd_limit()
    events = selectors.DefaultSelector()
    door = listener(port)
    events.register(door, selectors.EVENT_READ)
    while True:
        for key, _ in events.select():
            if key.fileobj is door:
                events.register(door.accept()[0], selectors.EVENT_READ)
            else:
                echo_some(events, key.fileobj)


def udp_echo_server(sockets):
    events = selectors.DefaultSelector()
    for s in sockets:
        events.register(s, selectors.EVENT_READ)
    while True:
        for key, _ in events.select():
            data, peer = key.fileobj.recvfrom(1 << 16)
            key.fileobj.sendto(data, peer)


def dns_answer(query, address, count, truncated=False):
    """`count` times `address` to a question for it, else nothing."""
    end = query.index(b"\0", 12) + 5
    is_a = query[end - 4:end - 2] == b"\0\x01"
    count = count if is_a and not truncated else 0
    record = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" \
        + socket.inet_aton(address)
    flags = b"\x83\x80" if is_a and truncated else b"\x81\x80"
    return query[:2] + flags + b"\0\x01" + count.to_bytes(2, "big") \
        + bytes(4) + query[12:end] + record * count


def dns_over_tcp(connection, address, count):
    with connection, contextlib.suppress(ConnectionError):
        room = connection.makefile("rb")
        while length := room.read(2):
            query = room.read(int.from_bytes(length, "big"))
            answer = dns_answer(query, address, count)
            connection.sendall(len(answer).to_bytes(2, "big") + answer)


def truncating_name_server(address):
    """Each name has 200 times this address: too many for a datagram."""
    events = selectors.DefaultSelector()
    there, door = udp_socket("0.0.0.0", 53), listener(53)
    for s in there, door:
        events.register(s, selectors.EVENT_READ)
    while True:
        for key, _ in events.select():
            if key.fileobj is there:
                query, peer = there.recvfrom(4096)
                there.sendto(dns_answer(query, address, 200, True), peer)
            else:
                threading.Thread(target=dns_over_tcp, daemon=True, args=(
                    door.accept()[0], address, 200)).start()


def written_name_server(address, path):
    """Each name has the address that stands in the file."""
    there = udp_socket(address, 53)
    while True:
        query, peer = there.recvfrom(4096)
        with open(path, encoding="ascii") as f:
            there.sendto(dns_answer(query, f.read(), 1), peer)
