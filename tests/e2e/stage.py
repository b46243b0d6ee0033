# SPDX-License-Identifier: GPL-2.0-or-later
"""Where weir exec is tested, and how it is started there.

As root the tests move into network and mount namespaces of their own, where
10.88.0.1 and fd88::1 are outside's addresses, a name server listens on
127.0.0.53 only, and /dev/net/tun is open for all. Without root they run as
the user they have, without those of the network."""
import ctypes
import http.server
import os
import shutil
import signal
import socket
import subprocess
import threading

from harness import Skip

OUT4, OUT6 = "10.88.0.1", "fd88::1"
NAME4 = "10.88.0.1"
PORT = 8088
NOBODY = 65534
STAGE = "/mnt"  # covered by a tmpfs in the mount namespace of the tests
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
MS_REC, MS_PRIVATE, MS_BIND = 0x4000, 0x40000, 0x1000
PATIENCE_S = 15
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"  # open to every user
BODY = bytes(range(256)) * 4096

libc = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments):
    if getattr(libc, function)(*arguments):
        errno = ctypes.get_errno()
        raise OSError(errno, f"{function}: {os.strerror(errno)}")


def write(path, text, mode=0o644):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    os.chmod(path, mode)


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_):
        pass


class Server6(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


def answer(query):
    """One A record for every name, no record of another type."""
    end = 12
    while query[end]:
        end += query[end] + 1
    end += 5
    wanted = query[end - 4:end - 2] == b"\0\1"
    head = query[:2] + b"\x81\x80\0\1" + (b"\0\1" if wanted else b"\0\0")
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(NAME4)
    return head + b"\0\0\0\0" + query[12:end] + (record if wanted else b"")


def name_server(sock):
    while True:
        query, peer = sock.recvfrom(512)
        sock.sendto(answer(query), peer)


class Stage:
    """Where the tests run; `user` is who runs weir."""

    def __init__(self):
        self.root = os.geteuid() == 0
        self.weir = os.environ["WEIR"]
        self.plugins = os.environ["PLUGIN_DIR"]
        self.network = False
        self.user = os.geteuid()
        if self.root:
            self.enter()

    def enter(self):
        call("unshare", CLONE_NEWNS | CLONE_NEWNET)
        call("mount", None, b"/", None, MS_REC | MS_PRIVATE, None)
        call("mount", b"weir", STAGE.encode(), b"tmpfs", 0, b"mode=755")
        self.copy()
        os.mknod(f"{STAGE}/tun", 0o600 | 0o020000, os.makedev(10, 200))
        os.chmod(f"{STAGE}/tun", 0o666)
        self.cover(f"{STAGE}/tun", "/dev/net/tun")
        write(f"{STAGE}/resolv.conf", "search corp.example\n"
              "nameserver 127.0.0.53\noptions timeout:1 attempts:2\n")
        self.cover(f"{STAGE}/resolv.conf", "/etc/resolv.conf")
        self.wire()
        self.network = True

    def cover(self, source, target):
        call("mount", source.encode(), os.path.realpath(target).encode(),
             None, MS_BIND, None)

    def copy(self):
        """The build tree may be closed to other users."""
        os.mkdir(f"{STAGE}/plugins")
        shutil.copy(self.weir, f"{STAGE}/weir")
        for name in os.listdir(self.plugins):
            if name.endswith(".so"):
                shutil.copy(f"{self.plugins}/{name}", f"{STAGE}/plugins")
        self.weir, self.plugins = f"{STAGE}/weir", f"{STAGE}/plugins"

    def wire(self):
        for line in ("link set lo up", "link add out0 type veth peer out1",
                     f"addr add {OUT4}/24 dev out0",
                     f"addr add {OUT6}/64 dev out0 nodad",
                     "link set out0 up", "link set out1 up"):
            subprocess.run(["ip", *line.split()], check=True)
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.53", 53))
        for work in (http.server.ThreadingHTTPServer((OUT4, PORT),
                                                     Page).serve_forever,
                     Server6((OUT6, PORT), Page).serve_forever,
                     lambda: name_server(sock)):
            threading.Thread(target=work, daemon=True).start()

    def demote(self):
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        if self.root and self.user:
            os.setgroups([])
            os.setgid(self.user)
            os.setuid(self.user)

    def command(self, *words, options=()):
        return [self.weir, "--plugin-dir", self.plugins, "exec", *options,
                "--", *words]

    def start(self, *words, options=(), **more):
        return subprocess.Popen(self.command(*words, options=options),
                                preexec_fn=self.demote, cwd="/", text=True,
                                env=dict(os.environ, PATH=SYSTEM_PATH), **more)

    def run(self, *words, options=(), **more):
        p = self.start(*words, options=options, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, **more)
        try:
            out, err = p.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            p.kill()
            p.communicate()
            raise AssertionError("weir exec did not end") from None
        return p.returncode, out.strip(), err.strip()

    def shell(self, text, **more):
        return self.run("sh", "-c", text, **more)

    def need_network(self):
        if not self.network:
            raise Skip("needs root")
