# SPDX-License-Identifier: GPL-2.0-or-later
"""A bed: three network namespaces that a test lies in.

    client --- weir's TUN (w0) --- proxy === veth === server

Weir runs in `proxy` with a TUN whose other end is in `client`, handed over as
an open file. A socket belongs to the namespace it was made in, whoever holds
it, so a test makes its sockets with `bed.socket("client", ...)` and keeps all
of them in one process.

Behind `server`: 10.77.0.0/16 and 2001:db8:77::/48 are any number of hosts,
10.78.0.0/16 and 2001:db8:78::/48 are unreachable from `proxy`, and
10.79.0.0/16 and 2001:db8:79::/48 are hosts that never answer."""
import atexit
import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x0001, 0x1000, 0x4000

TUN = "w0"
CLIENT4, CLIENT6 = "10.75.0.1", "2001:db8:75::1"
PROXY4, PROXY6 = "10.76.0.1", "2001:db8:76::1"
PROXY4_OTHER = "10.76.0.3"
SERVER4, SERVER6 = "10.76.0.2", "2001:db8:76::2"
HOST4, HOST6 = "10.77.1.1", "2001:db8:77::1"
UNREACHABLE4, UNREACHABLE6 = "10.78.1.1", "2001:db8:78::1"
NAMED4 = "192.0.2.1"  # what the name server of tests/tools knows
DEAD4, DEAD6 = "10.79.1.1", "2001:db8:79::1"

libc = ctypes.CDLL(None, use_errno=True)


def run(*command, check=True, **options):
    """Run a command and return its output."""
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout.strip()}")
    return done.stdout


def setns(path):
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(fd, CLONE_NEWNET):
            errno = ctypes.get_errno()
            raise OSError(errno, os.strerror(errno), path)
    finally:
        os.close(fd)


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Bed:
    def __init__(self, mtu=1500):
        self.prefix = f"wqa{os.getpid()}"
        self.home = f"/proc/{os.getpid()}/task/{os.getpid()}/ns/net"
        self.own = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.owner = os.getpid()
        self.children = []
        self.spaces = []
        atexit.register(self.close)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        for role in ("client", "proxy", "server"):
            self._space(role)
        self._wire(mtu)

    def _on_signal(self, number, _frame):
        if os.getpid() != self.owner:
            os._exit(128 + number)
        sys.exit(128 + number)

    def name(self, role):
        return f"{self.prefix}-{role[0]}"

    def _space(self, role):
        run("ip", "netns", "add", self.name(role))
        self.spaces.append(role)
        self.ip(role, "link", "set", "lo", "up")
        with self.inside(role):
            for key, value in (("net.ipv6.conf.all.accept_dad", "0"),
                               ("net.ipv6.conf.default.accept_dad", "0"),
                               ("net.ipv6.conf.default.router_solicitations",
                                "0"),
                               ("net.ipv4.ip_local_port_range", "1024 65535"),
                               # Who waits for a server must not meet itself.
                               ("net.ipv4.ip_local_reserved_ports",
                                "7000-8099"),
                               ("net.ipv4.ping_group_range", "0 2147483647"),
                               ("net.ipv6.icmp.ratelimit", "0"),
                               # A limit of 0 has Linux 6.1 send no second
                               # error about its routes within a second.
                               ("net.ipv4.icmp_ratemask", "0"),
                               ("net.ipv4.conf.all.promote_secondaries",
                                "1")):
                path = "/proc/sys/" + key.replace(".", "/")
                with open(path, "w", encoding="ascii") as f:
                    f.write(value)

    def _wire(self, mtu):
        self.ip("proxy", "link", "add", "up0", "mtu", str(mtu), "type", "veth",
                "peer", "name", "down0", "mtu", str(mtu),
                "netns", self.name("server"))
        for role, device, addresses in (
                ("proxy", "up0", (PROXY4 + "/24", PROXY4_OTHER + "/24",
                                  PROXY6 + "/64")),
                ("server", "down0", (SERVER4 + "/24", SERVER6 + "/64"))):
            for address in addresses:
                self.ip(role, "addr", "add", address, "dev", device)
            self.ip(role, "link", "set", device, "up")
        for net4, net6 in (("10.77.0.0/16", "2001:db8:77::/48"),
                           ("10.79.0.0/16", "2001:db8:79::/48")):
            self.ip("proxy", "route", "add", net4, "via", SERVER4)
            self.ip("proxy", "-6", "route", "add", net6, "via", SERVER6)
        self.ip("proxy", "route", "add", NAMED4, "via", SERVER4)
        self.ip("server", "route", "add", "local", NAMED4, "dev", "lo")
        self.ip("proxy", "route", "add", "unreachable", "10.78.0.0/16")
        self.ip("proxy", "-6", "route", "add", "unreachable",
                "2001:db8:78::/48")
        self.ip("server", "route", "add", "local", "10.77.0.0/16", "dev", "lo")
        self.ip("server", "-6", "route", "add", "local", "2001:db8:77::/48",
                "dev", "lo")
        self.ip("server", "route", "add", "blackhole", "10.79.0.0/16")
        with self.inside("server"):  # forwards to nowhere, without a word
            for path in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
                with open("/proc/sys/net/" + path, "w",
                          encoding="ascii") as f:
                    f.write("1")
        self.ip("server", "-6", "route", "add", "blackhole",
                "2001:db8:79::/48")

    def ip(self, role, *arguments, check=True):
        return run("ip", "-n", self.name(role), *arguments, check=check)

    @contextlib.contextmanager
    def inside(self, role):
        """This thread's new sockets and files are of `role` meanwhile."""
        setns(f"/run/netns/{self.name(role)}")
        try:
            yield
        finally:
            if libc.setns(self.own, CLONE_NEWNET):
                os._exit(70)  # nothing may go on in the wrong namespace

    def socket(self, role, family, kind, protocol=0):
        with self.inside(role):
            return socket.socket(family, kind, protocol)

    def connect(self, host, port, seconds, role="client"):
        """A TCP connection whose calls may take so long."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        s = self.socket(role, family, socket.SOCK_STREAM)
        s.settimeout(seconds)
        s.connect((host, port))
        return s

    def spawn(self, role, command, **options):
        """Start a command in a namespace; it dies with this process."""
        path = f"/run/netns/{self.name(role)}"

        def enter():
            die_with_parent()
            setns(path)

        process = subprocess.Popen(command, preexec_fn=enter, **options)
        self.children.append(process)
        return process

    def fork(self, role, function, *arguments):
        """Run a function in a process of its own, in a namespace."""
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            try:
                die_with_parent()
                setns(f"/run/netns/{self.name(role)}")
                function(*arguments)
                os._exit(0)
            except BaseException as e:  # a child must never return
                print(f"# child: {e!r}", file=sys.stderr, flush=True)
                os._exit(1)
        self.children.append(pid)
        return pid

    def tun(self, role="client", name=TUN, offload=True):
        """A TUN of a namespace: returns its open file."""
        flags = IFF_TUN | IFF_NO_PI | (IFF_VNET_HDR if offload else 0)
        with self.inside(role):
            fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
            request = struct.pack("16sH22x", name.encode(), flags)
            fcntl.ioctl(fd, TUNSETIFF, request)
        return fd

    def tun_up(self, mtu=1500):
        """Address the client's TUN and send everything into it."""
        self.ip("client", "addr", "add", CLIENT4 + "/24", "dev", TUN)
        self.ip("client", "addr", "add", CLIENT6 + "/64", "dev", TUN)
        self.ip("client", "link", "set", TUN, "mtu", str(mtu))
        self.tun_up_again()

    def tun_up_again(self):
        self.ip("client", "link", "set", TUN, "up")
        self.ip("client", "route", "replace", "default", "dev", TUN)
        self.ip("client", "-6", "route", "replace", "default", "dev", TUN)

    def end(self, child):
        """Kill a child that this bed started, and reap it."""
        if child in self.children:
            self.children.remove(child)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            if isinstance(child, int):
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            else:
                child.kill()
                child.wait()

    def close(self):
        if os.getpid() != self.owner:
            return
        for child in list(self.children):
            self.end(child)
        for role in self.spaces:
            run("ip", "netns", "del", self.name(role), check=False)
        self.spaces = []
