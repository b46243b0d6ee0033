# SPDX-License-Identifier: GPL-2.0-or-later
"""WireGuard between two ends of a wire, as tests and benches need it.

The other end is the distribution's wireguard-go, with a TUN of its own in a
namespace of a bed, or with WEIR_E2E_WG=kernel the kernel's own. Keys are made
here; the names that `wg` knows are unique to this process, because the sockets
behind them are in the file system that all namespaces share."""
import contextlib
import itertools
import os
import pathlib
import socket
import subprocess

from bed import run
from harness import Skip, Weir, keep, need, wait_for

FOLDER = "/var/run/wireguard"
PORT = 51820
READY_S = 10
NEAR4, NEAR6 = "10.7.0.2", "fd07::2"  # of who dials
FAR4, FAR6 = "10.7.0.1", "fd07::1"  # of who is dialled
SERVER4_OTHER = "10.76.0.4"  # where a server has moved to
ALL = ("0.0.0.0/0", "::/0")
NEAR = (NEAR4 + "/32", NEAR6 + "/128")
FAR = (FAR4 + "/24", FAR6 + "/64")

serial = itertools.count()


def unique_name():
    """Of a device. Who is killed leaves the file of its socket: it goes with
    the test."""
    name = f"wq{os.getpid()}n{next(serial)}"
    keep(contextlib.ExitStack()).callback(
        pathlib.Path(FOLDER, name + ".sock").unlink, missing_ok=True)
    return name


def listens(path):
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(path) == 0


def wireguard_go():
    """The program's path, fetched into the build folder at the first use."""
    need("wg")
    folder = os.environ.get("abs_top_builddir", ".")
    fetch = os.path.join(os.environ.get("abs_top_srcdir", "."), "contrib",
                         "fetch-wireguard-go")
    done = subprocess.run([fetch, os.path.join(folder, "tests", "cache")],
                          text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise Skip("wireguard-go cannot be fetched: "
                   + " ".join(done.stderr.split())[-200:])
    return done.stdout.strip()


class Keys:
    """A key pair, private text and public text."""

    def __init__(self):
        need("wg")
        self.private = run("wg", "genkey").strip()
        self.public = run("wg", "pubkey", input=self.private).strip()


def preshared():
    return run("wg", "genpsk").strip()


in_kernel = {}  # how wg gets there: {name: words before it}


def show(name):
    """{public key: what `wg show NAME dump` says of it}"""
    peers = {}
    command = *in_kernel.get(name, ()), "wg", "show", name, "dump"
    for line in run(*command).splitlines()[1:]:
        fields = line.split("\t")
        peers[fields[0]] = {
            "psk": fields[1], "endpoint": fields[2],
            "allowed": sorted(fields[3].split(",")),
            "handshake": int(fields[4]), "received": int(fields[5]),
            "sent": int(fields[6]), "keepalive": fields[7]}
    return peers


class Wireguard:
    """A device in a namespace of the bed, told what to do by wg."""

    def __init__(self, bed, role, keys, addresses=FAR, port=PORT, mtu=1420):
        self.bed = bed
        self.role = role
        self.keys = keys
        self.port = port
        self.addresses = addresses
        self.mtu = mtu
        self.name = unique_name()
        keep(self)
        self.launch()

    def launch(self):
        self.make()
        self.set("listen-port", self.port, "private-key", "/dev/stdin",
                 key=self.keys.private)
        for address in self.addresses:
            self.bed.ip(self.role, "addr", "add", address, "dev", self.name)
        self.bed.ip(self.role, "link", "set", self.name, "mtu",
                    str(self.mtu), "up")

    def wg(self, verb, *words, key=None):
        """wg VERB NAME; `key` goes in by standard input."""
        return run(*in_kernel.get(self.name, ()), "wg", verb, self.name,
                   *map(str, words), input=key)

    def set(self, *words, key=None):
        self.wg("set", *words, key=key)

    def peer(self, public, allowed=NEAR, endpoint=None, psk=None,
             keepalive=0):
        self.set("peer", public, "allowed-ips", ",".join(allowed),
                 *(["preshared-key", "/dev/stdin"] if psk else []),
                 *(["endpoint", endpoint] if endpoint else []),
                 "persistent-keepalive", keepalive, key=psk)

    def route(self, *prefixes):
        for prefix in prefixes:
            self.bed.ip(self.role, *(["-6"] if ":" in prefix else []),
                        "route", "add", prefix, "dev", self.name)

    def saved(self):
        return self.wg("showconf")

    def restart(self):
        """End it and start it again with what it knew."""
        saved = self.saved()
        self.close()
        self.launch()
        self.wg("setconf", "/dev/stdin", key=saved)

    def close(self):
        self.bed.ip(self.role, "link", "del", self.name, check=False)


class WireguardGo(Wireguard):
    process = None

    def make(self):
        self.process = self.bed.spawn(
            self.role, [wireguard_go(), "-f", self.name],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ, WG_PROCESS_FOREGROUND="1",
                     LOG_LEVEL="silent"))
        # A file that nobody listens on yet is removed by wg.
        wait_for(lambda: listens(f"{FOLDER}/{self.name}.sock"), READY_S,
                 "the socket of wireguard-go")

    def close(self):
        if self.process:
            self.bed.end(self.process)
            self.process = None
        super().close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{FOLDER}/{self.name}.sock")


class WireguardKernel(Wireguard):
    def make(self):
        try:
            self.bed.ip(self.role, "link", "add", self.name, "type",
                        "wireguard")
        except RuntimeError as e:
            raise Skip(f"this kernel has no WireGuard: {e}") from e
        in_kernel[self.name] = ("ip", "netns", "exec",
                                self.bed.name(self.role))


def other_end(*args, **options):
    """What is not weir."""
    kernel = os.environ.get("WEIR_E2E_WG") == "kernel"
    return (WireguardKernel if kernel else WireguardGo)(*args, **options)


@contextlib.contextmanager
def moved(bed, role, device, old, new):
    """A machine has another address meanwhile, and both afterwards."""
    def change(verb, address):
        bed.ip(role, "addr", verb, address + "/24", "dev", device)

    change("replace", new)
    change("del", old)
    try:
        yield
    finally:
        change("add", old)
        change("del", new)
        change("add", new)


def listed(items):
    return "[" + ", ".join(f'"{item}"' for item in items) + "]"


def outbound(keys, peer, endpoint, tag="wg", address=NEAR, psk=None,
             allowed=ALL, keepalive="0", more=""):
    """An outbound as YAML; `more` ends in a newline."""
    secret = f"        pre_shared_key: \"{psk}\"\n" if psk else ""
    return f"""\
  - tag: {tag}
    type: wireguard
    private_key: "{keys.private}"
    address: {listed(address)}
{more}    peers:
      - public_key: "{peer}"
        endpoint: "{endpoint}"
        allowed_ips: {listed(allowed)}
        keepalive: {keepalive}
{secret}"""


def through(outbounds, more=""):
    """A configuration whose TUN goes to the first of the outbounds."""
    return f"""\
log: {{ level: info }}
inbounds:
  - {{ tag: tun, type: tun }}
outbounds:
{outbounds}{more}"""


class Pair:
    """weir in `proxy` with a tunnel to the other end in `server`."""

    def __init__(self, bed, host, psk=None, more="", keepalive=0, extra="",
                 endpoint=None):
        self.near, self.far = Keys(), Keys()
        self.name = unique_name()
        self.go = other_end(bed, "server", self.far)
        self.go.peer(self.near.public, psk=psk, keepalive=keepalive)
        at = f"[{host}]" if ":" in host else host
        self.weir = Weir(bed, through(outbound(
            self.near, self.far.public, endpoint or f"{at}:{PORT}", psk=psk,
            more=f"    interface: {self.name}\n" + more), extra))
