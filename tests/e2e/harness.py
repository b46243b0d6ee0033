# SPDX-License-Identifier: GPL-2.0-or-later
"""What the end-to-end tests share: a test is a function with @test, its name
is the promise it keeps, and it fails by an exception. Prints a line a test;
exits with 1 after a failure, 77 where everything was skipped."""
import atexit
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import servers
from bed import Bed, HOST4, TUN

CONFIG = """\
log: { level: info }
inbounds:
  - { tag: tun, type: tun }
outbounds:
  - { tag: direct, type: freedom }
"""
READY_S = 10
STOP_S = 10

tests = []
on_the_bench = []  # what to close, last first, when a test has ended


class Skip(Exception):
    """Raised by a test that cannot run here; says why."""


def test(function):
    tests.append(function)
    return function


def need(program):
    path = shutil.which(program)
    if not path:
        raise Skip(f"{program} is not installed")
    return path


def check(truth, text):
    if not truth:
        raise AssertionError(text)


def check_equal(got, wanted, what):
    check(got == wanted, f"{what}: got {got!r}, wanted {wanted!r}")


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < end, f"{what}: not within {seconds} s")
        time.sleep(0.01)


def keep(thing):
    """Close `thing` when the test has ended."""
    on_the_bench.append(thing)
    return thing


def close_kept():
    while on_the_bench:
        with contextlib.suppress(OSError):
            on_the_bench.pop().close()


def tool(name):
    """A program of tests/tools."""
    folder = os.environ.get("abs_top_builddir", ".")
    path = os.path.join(folder, "tests", "tools", name)
    if not os.access(path, os.X_OK):
        raise Skip(f"tests/tools/{name} is not built")
    return path


class Child:
    """A forked server, as something that can be closed."""

    def __init__(self, bed, role, function, *arguments):
        self.bed = bed
        self.pid = bed.fork(role, function, *arguments)

    def close(self):
        self.bed.end(self.pid)


class Process:
    """A program of the bed that says a line when it is ready."""

    def __init__(self, bed, role, command):
        self.bed = bed
        self.process = bed.spawn(role, command, stdout=subprocess.PIPE,
                                 text=True)

    def await_line(self):
        check(self.process.stdout.readline(), "the server did not start")

    def close(self):
        self.bed.end(self.process)
        self.process.stdout.close()


def serve(bed, function, argument, port, role="server", host=HOST4):
    """Fork a TCP server and wait until `port` of it answers."""
    keep(Child(bed, role, function, argument))

    def answers():
        with bed.socket("proxy", socket.AF_INET, socket.SOCK_STREAM) as s:
            return s.connect_ex((host, port)) == 0

    wait_for(answers, 10, f"a server on port {port}")


def serve_echo(bed, *endpoints):
    """Fork a UDP server that answers with what it hears. Its sockets are bound
    before it is, so nobody has to wait for it."""
    with bed.inside("server"):
        sockets = [servers.udp_socket(*endpoint) for endpoint in endpoints]
    keep(Child(bed, "server", servers.udp_echo_server, sockets))
    for s in sockets:
        s.close()


class Stream(threading.Thread):
    """A download on a connected socket that goes on; its rate over a while is
    asked for."""

    def __init__(self, connected):
        super().__init__(daemon=True)
        self.socket = keep(connected)
        self.got, self.error = 0, None
        self.start()

    def run(self):
        room = bytearray(1 << 20)
        try:
            while n := self.socket.recv_into(room):
                self.got += n
        except OSError as e:
            self.error = e

    def rate(self, seconds):
        """Bytes a second from now on, for so long."""
        begun, before = time.monotonic(), self.got
        time.sleep(seconds)
        check(self.is_alive(), f"the stream broke: {self.error}")
        return (self.got - before) / (time.monotonic() - begun)


class Weir:
    """The daemon, in the namespace `proxy` of a bed or another."""

    def __init__(self, bed, config=CONFIG, offload=True, mtu=1500,
                 own_tun=False, wrapper=(), ready_s=READY_S, role="proxy"):
        self.bed = bed
        self.role = role
        self.folder = tempfile.mkdtemp(prefix="weir-e2e-")
        keep(self)
        self.config = os.path.join(self.folder, "weir.yaml")
        self.log_path = os.path.join(self.folder, "log")
        fd = os.open(self.config, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(fd, "w") as f:
            f.write(config)
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(os.path.join(self.folder, "notify"))
        self.process = None
        self._start(notify, offload, mtu, own_tun, wrapper)
        try:
            self._await_ready(notify, ready_s)
        finally:
            notify.close()

    def _start(self, notify, offload, mtu, own_tun, wrapper):
        environment = dict(os.environ, NOTIFY_SOCKET=notify.getsockname())
        environment.pop("JOURNAL_STREAM", None)
        handed = ()
        if not own_tun:
            tun = self.bed.tun(offload=offload)
            self.bed.tun_up(mtu)
            handed = (tun,)
            environment["WEIR_TUN_FD"] = str(tun)
        command = [*wrapper, os.environ["WEIR"], "--plugin-dir",
                   os.environ["PLUGIN_DIR"], "run", "-c", self.config]
        with open(self.log_path, "ab") as log:
            self.process = self.bed.spawn(
                self.role, command, env=environment, pass_fds=handed,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if handed:
            os.close(tun)

    def _await_ready(self, notify, seconds):
        notify.settimeout(0.1)
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(socket.timeout):
                if b"READY=1" in notify.recv(256):
                    time.sleep(0.05)  # it closes its end just now
                    return
            check(self.process.poll() is None,
                  f"weir ended at its start with {self.process.returncode}")
            check(time.monotonic() < end, "weir was not ready in time")

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def alive(self):
        return self.process.poll() is None

    def fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory_kb(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])

    def counters(self):
        """{(tag, name): value}, as of now."""
        start = len(self.log())
        self.process.send_signal(signal.SIGUSR1)
        found = {}
        settled = 0
        while settled < 3:
            time.sleep(0.05)
            lines = re.findall(r"counter (\S+) (\S+) (\d+)",
                               self.log()[start:])
            settled = settled + 1 if lines and len(lines) == len(found) else 0
            found = {(tag, name): int(value) for tag, name, value in lines}
            check(self.alive(), "weir ended")
        return found

    def sessions_open(self):
        return self.counters()["core", "sessions_open"]

    def stop(self, number=signal.SIGTERM, seconds=STOP_S):
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.wait(seconds)

    def wait(self, seconds=STOP_S):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"weir had not ended after {seconds} s") from None
        finally:
            if self.process.returncode is not None:
                self.bed.end(self.process)

    def close(self):
        if self.process:
            self.bed.end(self.process)
            self.process = None
        if not os.environ.get("WEIR_E2E_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
        self.bed.ip("client", "link", "del", TUN, check=False)

    def show_log(self, lines=15):
        for line in self.log().splitlines()[-lines:]:
            print(f"#   {line}", file=sys.stderr)


def weir_check(path):
    """The status of `weir check` for a file, and all that it says."""
    done = subprocess.run(
        [os.environ["WEIR"], "--plugin-dir", os.environ["PLUGIN_DIR"],
         "check", "-c", path], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout


def without_net_admin(more=""):
    """A wrapper that takes CAP_NET_ADMIN from a weir, and `more`."""
    rights = "-net_admin" + more
    return need("setpriv"), "--bounding-set", rights, "--inh-caps", rights


def refusal(start):
    """Why the weir that `start` makes does not start: its log."""
    try:
        start()
    except AssertionError as e:
        check("weir ended at its start" in str(e), str(e))
        return next(t for t in reversed(on_the_bench)
                    if isinstance(t, Weir)).log()
    raise AssertionError("it started")


def show_logs():
    for thing in on_the_bench:
        if isinstance(thing, Weir) and os.path.exists(thing.log_path):
            thing.show_log()


def run_one(function, bed):
    name = function.__name__.replace("_", " ")
    try:
        function(bed)
        print(f"ok - {name}", flush=True)
        return "ok"
    except Skip as why:
        print(f"skip - {name}: {why}", flush=True)
        return "skip"
    except Exception as e:
        if os.environ.get("WEIR_E2E_TRACE"):
            traceback.print_exc()
        text = " ".join(str(e).split()) or repr(e)
        if not isinstance(e, AssertionError):
            text = f"{type(e).__name__}: {text}"
        print(f"not ok - {name}: {text}", flush=True)
        show_logs()
        return "failed"
    finally:
        close_kept()


def find_build():
    """What make tells its tests; by hand they begin in the build folder."""
    top = os.environ.setdefault("abs_top_builddir", os.getcwd())
    os.environ.setdefault("abs_top_srcdir", os.path.abspath(
        os.path.join(os.path.dirname(__file__), "..", "..")))
    os.environ.setdefault("WEIR", os.path.join(top, "weir"))
    os.environ.setdefault("PLUGIN_DIR", os.path.join(top, ".libs"))


def become_root():
    """Namespaces need root: ask sudo, which must not ask back."""
    if os.geteuid() == 0:
        return True
    kept = "WEIR,PLUGIN_DIR,PATH,TMPDIR,abs_top_srcdir,abs_top_builddir"
    if shutil.which("sudo") and subprocess.run(
            ["sudo", "-n", "true"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, check=False).returncode == 0:
        os.execvp("sudo", ["sudo", "-n", f"--preserve-env={kept}",
                           sys.executable, *sys.argv])
    return False


def own_plugins():
    """weir, run as root here, trusts no plugin of the user who built it."""
    folder = tempfile.mkdtemp(prefix="weir-plugins.")
    atexit.register(shutil.rmtree, folder)
    for name in os.listdir(os.environ["PLUGIN_DIR"]):
        if name.endswith(".so"):
            shutil.copy(os.path.join(os.environ["PLUGIN_DIR"], name), folder)
    os.environ["PLUGIN_DIR"] = folder


def why_not():
    """Why no test can run here; empty where they can."""
    find_build()
    if not become_root():
        return "needs root"
    if not shutil.which("ip"):
        return "iproute2 is not installed"
    if not os.path.exists("/dev/net/tun"):
        return "there is no /dev/net/tun"
    if not os.access(os.environ["WEIR"], os.X_OK):
        return f"{os.environ['WEIR']} is not built"
    return ""


def main(make_bed=Bed):
    """Run the tests that the command line's words name, or all of them."""
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    wanted = [t for t in tests if not words or
              any(word in t.__name__ for word in words)]
    why = why_not()
    bed = None
    if not why:
        own_plugins()
        try:
            bed = make_bed()
        except (OSError, RuntimeError) as e:
            why = f"no network namespace can be made: {e}"
    if why:
        for t in wanted:
            print(f"skip - {t.__name__.replace('_', ' ')}: {why}")
        sys.exit(77)
    results = [run_one(t, bed) for t in wanted]
    bed.close()
    if "failed" in results:
        sys.exit(1)
    sys.exit(0 if "ok" in results else 77)
