# SPDX-License-Identifier: GPL-2.0-or-later
"""weir as a WireGuard server in `proxy`, with wireguard-go in `server` as the
peer whose tunnel stands while others come, go and attack."""
import base64
import json
import socket
import subprocess
import threading
import time

import servers
import wgbed
import wgtraffic
from bed import PROXY4, run
from harness import Stream, Weir, check, keep, tool
from wgbed import Keys, listed, other_end

ECHO_PORT = 8081
SETTLED_S = 7  # longer than REKEY_TIMEOUT with its jitter
PUBLIC4 = "203.0.113.1"  # of the machine of weir


def config(keys, name, peers="", log="level: info", key=None, more=""):
    key = key or f'private_key: "{keys.private}"'
    return f"""\
log: {{ {log} }}
inbounds:
  - tag: wg
    type: wireguard
    listen: "[::]:{wgbed.PORT}"
    {key}
{more}    address: {listed(wgbed.FAR)}
    interface: {name}
    peers: [{peers}]
outbounds:
  - {{ tag: direct, type: freedom }}
policy: {{ levels: {{ 1: {{ idle: 1s }} }} }}
"""


def peer(name, public, allowed, psk=None, level=0):
    more = f", level: {level}"
    more += f", pre_shared_key: \"{psk}\"" if psk else ""
    return f'{{ name: {name}, public_key: "{public}", ' \
        f"allowed_ips: {listed(allowed)}{more} }}"


class Served:
    """The server, its first peer, and what that one can reach."""

    def __init__(self, bed, log="level: info, tags: [{tag: session, "
                 "level: warn}]", level=0):
        self.bed = bed
        self.keys, self.near = Keys(), Keys()
        self.name = wgbed.unique_name()
        self.weir = Weir(bed, config(self.keys, self.name, peer(
            "first", self.near.public, wgbed.NEAR, level=level), log),
                         own_tun=True)
        self.go = other_end(bed, "server", self.near,
                            (wgbed.NEAR4 + "/24", wgbed.NEAR6 + "/64"))
        self.connect()
        self.go.route("203.0.113.0/24")
        bed.ip("proxy", "addr", "replace", PUBLIC4, "dev", "lo")

    def connect(self):
        """Have the first peer begin anew; by itself it would notice after
        15 s that its session is gone."""
        self.go.set("peer", self.keys.public, "remove")
        self.go.peer(self.keys.public, wgbed.ALL, f"{PROXY4}:{wgbed.PORT}")

    def show(self):
        return wgbed.show(self.name)

    def first(self):
        return self.show()[self.near.public]

    def settled(self):
        """When its handshake was. Where both had something to send, both
        began one: the second is complete a moment after the first, or when it
        was tried again."""
        time.sleep(SETTLED_S)
        return self.first()["handshake"]

    def setconf(self, peers):
        """A file with the first peer and these: (public key, prefix)."""
        text = f"[Interface]\nPrivateKey = {self.keys.private}\n" \
            f"ListenPort = {wgbed.PORT}\n"
        for public, allowed in [(self.near.public, ", ".join(wgbed.NEAR)),
                                *peers]:
            text += f"[Peer]\nPublicKey = {public}\nAllowedIPs = {allowed}\n"
        return text

    def load(self, *words, port=wgbed.PORT):
        """wgload against this server; its result is waited for by ended."""
        return self.bed.spawn(
            "server", [tool("wgload"), words[0], PROXY4, str(port),
                       self.keys.public, *map(str, words[1:])],
            stdout=subprocess.PIPE, text=True)

    def web(self):
        wgtraffic.web(self.bed, "proxy", PUBLIC4)

    def stream(self):
        """A download by the first peer that goes on."""
        s = self.bed.connect(PUBLIC4, wgtraffic.HTTP_PORT, 60, "server")
        s.sendall(b"GET /100000000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        return Stream(s)

    def fetch(self, size=1000, seconds=20):
        """Whether a download by the first peer comes, whole."""
        return wgtraffic.fetch(self.bed, PUBLIC4, size, seconds, "server")


def ended(bed, process):
    """Lines before the last, and what the last says."""
    *lines, last = process.communicate()[0].splitlines()
    bed.end(process)
    print(f"# {last}", flush=True)
    return lines, json.loads(last)


class Echo(threading.Thread):
    """Datagrams of the first peer, ten a second: how many came back."""

    def __init__(self, served):
        super().__init__(daemon=True)
        with served.bed.inside("proxy"):
            self.far = servers.udp_socket(PUBLIC4, ECHO_PORT)
        self.near = served.bed.socket("server", socket.AF_INET,
                                      socket.SOCK_DGRAM)
        for s in self.far, self.near:
            s.settimeout(5)
        self.asked = self.answered = 0
        self.over = threading.Event()
        self.start()

    def ask(self):
        word = str(self.asked).encode()
        self.near.sendto(word, (PUBLIC4, ECHO_PORT))
        data, whom = self.far.recvfrom(100)
        self.far.sendto(data, whom)
        return self.near.recv(100) == word

    def run(self):
        while not self.over.wait(0.1):
            self.asked += 1
            try:
                self.answered += self.ask()
            except OSError:  # it was lost
                pass

    def stop(self):
        self.over.set()
        self.join()
        self.far.close()
        self.near.close()


def client_keys(count):
    return run(tool("wgload"), "keys", str(count)).split()


def client_peers(count):
    """Of wgload's clients: (public key, prefix)."""
    return [(key, f"10.{100 + n // 65536}.{n // 256 % 256}.{n % 256}/32")
            for n, key in enumerate(client_keys(count))]


def uapi(name):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(f"{wgbed.FOLDER}/{name}.sock")
    return keep(s)


def answers(s, count=1):
    """So many answers of a connection."""
    text = b""
    while text.count(b"\n\n") < count:
        more = s.recv(1 << 16)
        check(more, f"it was closed after {text[-100:]!r}")
        text += more
    return [a + "\n" for a in text.decode().split("\n\n")[:count]]


def hexed(key):
    return base64.b64decode(key).hex()
