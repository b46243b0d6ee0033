# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured: each peer carries the client namespace's traffic to the
server namespace from the same place, the namespace `proxy`."""
import os
import re
import shutil
import subprocess
import time

import harness

CONFIG = """\
log: { level: warn }
inbounds:
  - { tag: tun, type: tun, mtu: %d }
outbounds:
  - { tag: direct, type: freedom }
"""
TAP = "tap0"
READY_S = 10
TICKS = os.sysconf("SC_CLK_TCK")


class Absent(Exception):
    """This peer cannot run here; says why."""


class Peer:
    """A way from a namespace (`place`) to the server."""

    place = "client"
    process = None

    def __init__(self, bed, mtu, offload=True):
        self.bed = bed
        self.mtu = mtu
        self.offload = offload

    def cpu_s(self):
        """Processor time of the peer's process so far."""
        if not self.process:
            return 0.0
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii",
                  errors="replace") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_kb(self):
        if not self.process:
            return 0
        with open(f"/proc/{self.process.pid}/status", encoding="ascii",
                  errors="replace") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])

    def stop(self):
        if self.process:
            self.bed.end(self.process)
            self.process = None


class Direct(Peer):
    """The kernel alone: the same wire, without anything in between."""

    name = "direct"
    place = "proxy"

    def start(self):
        pass


class Weir(Peer):
    name = "weir"
    daemon = None

    def start(self):
        if not os.access(os.environ.get("WEIR", ""), os.X_OK):
            raise Absent("WEIR names no program")
        try:
            self.daemon = harness.Weir(self.bed, CONFIG % self.mtu,
                                       offload=self.offload, mtu=self.mtu)
        except AssertionError as e:
            harness.show_logs()
            raise Absent(str(e)) from None
        self.process = self.daemon.process

    def stop(self):
        if self.daemon and not self.daemon.alive():
            harness.show_logs()
        self.process = None
        harness.close_kept()


class Split(Peer):
    """A TUN program without a TCP stack: nearly the physical limit."""

    name = "split limit"
    process = None

    def start(self):
        program = os.path.join(os.environ["abs_top_builddir"], "tests",
                               "tools", "split")
        if not os.access(program, os.X_OK):
            raise Absent("tests/tools/split is not built")
        tun = self.bed.tun(offload=self.offload)
        self.bed.tun_up(self.mtu)
        environment = dict(os.environ, WEIR_TUN_FD=str(tun))
        self.process = self.bed.spawn("proxy", [program, str(self.mtu)],
                                      env=environment, pass_fds=(tun,),
                                      stdin=subprocess.DEVNULL, text=True,
                                      stdout=subprocess.PIPE)
        os.close(tun)
        if not self.process.stdout.readline():
            raise Absent("tests/tools/split did not start")

    def stop(self):
        if self.process:
            self.process.stdout.close()
        super().stop()


class Tap(Peer):
    """A program of the distribution that makes a tap in the client's
    namespace."""

    def launch(self, command):
        if not shutil.which(command[0]):
            raise Absent(f"{command[0]} is not installed")
        self.process = self.bed.spawn("proxy", command,
                                      stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)

    def await_tap(self):
        end = time.monotonic() + READY_S
        while TAP not in self.bed.ip("client", "addr", "show", "up"):
            if self.process.poll() is not None or time.monotonic() > end:
                raise Absent(f"{self.name} made no interface")
            time.sleep(0.05)

    def stop(self):
        super().stop()
        self.bed.ip("client", "link", "del", TAP, check=False)


class Slirp(Tap):
    name = "slirp4netns"

    def start(self):
        self.launch(["slirp4netns", "--netns-type=path", "-c",
                     f"--mtu={self.mtu}",
                     f"/run/netns/{self.bed.name('client')}", TAP])
        self.await_tap()
        time.sleep(0.2)
        self.bed.ip("client", "route", "replace", "default", "via",
                    "10.0.2.2", "dev", TAP)


class Pasta(Tap):
    """Some kernels stall its single streams: the timeouts tell."""

    name = "pasta"

    def start(self):
        self.bed.ip("proxy", "route", "replace", "default", "via",
                    "10.76.0.2")
        self.bed.ip("proxy", "-6", "route", "replace", "default", "via",
                    "2001:db8:76::2")
        self.launch(["pasta", "-f", "-q", "--config-net", "-I", TAP, "-t",
                     "none", "-u", "none", "-T", "none", "-U", "none", "-m",
                     str(self.mtu), "--runas", "0", "--netns-only", "--netns",
                     f"/run/netns/{self.bed.name('client')}"])
        self.await_tap()
        self.bed.ip("client", "link", "set", TAP, "mtu", str(self.mtu))
        time.sleep(0.3)

    def stop(self):
        super().stop()
        for family in "-4", "-6":
            self.bed.ip("proxy", family, "route", "del", "default",
                        check=False)


ALL = {peer.name: peer for peer in (Direct, Split, Weir, Slirp,
                                    Pasta)}
