# SPDX-License-Identifier: GPL-2.0-or-later
"""A bed whose client sits at the far end of a bad network.

    client === impair === middle --- weir's TUN --- proxy === veth === server
                          middle =============== veth ============== server

The client's kernel talks across the impairment with weir's stack, or, going
to the host that `middle` routes past weir, with the server's kernel: the same
path but for who ends it."""
import json
import subprocess
import time

import harness
import impairment
import peers
from bed import TUN
from farbed import FarBed, HOSTS4

WEIR_HOST = "10.77.1.1"  # of HOSTS4, all of which are the server
PAST_NET, PAST_HOST = "10.77.2.0/24", "10.77.2.1"
PAST4, PAST_SERVER4 = "10.81.0.1", "10.81.0.2"
PORT = 5201  # and the next, where two ends run at once
GUARD_S = 20  # iperf3's own talk crosses the bad network as well
STEP_S = 0.1
LISTENING_S = 0.2  # until an iperf3 server does
# The kernel's TCP runs as part of impair, which has this priority.
NICE = ("nice", "-n", "-10")
WINDOW_BYTES = 32 << 20  # no row may be limited by the kernel's buffers
CONFIG = """\
log: { level: warn }
services:
  - { tag: stack, type: netstack, congestion: %s }
inbounds:
  - { tag: tun, type: tun }
outbounds:
  - { tag: direct, type: freedom }
"""


class WanBed(FarBed):
    def __init__(self):
        super().__init__()
        self.ip("middle", "link", "add", "past0", "type", "veth", "peer",
                "name", "past1", "netns", self.name("server"))
        for role, device, address in (("middle", "past0", PAST4),
                                      ("server", "past1", PAST_SERVER4)):
            self.ip(role, "addr", "add", address + "/24", "dev", device)
            self.ip(role, "link", "set", device, "up")
        self.ip("server", "route", "add", impairment.LEFT4, "via", PAST4)
        self.ip("middle", "route", "add", PAST_NET, "via", PAST_SERVER4)
        for role in "client", "server":
            self._tune(role, "net/ipv4/tcp_rmem",
                       f"4096 131072 {WINDOW_BYTES}")
            self._tune(role, "net/ipv4/tcp_wmem",
                       f"4096 65536 {WINDOW_BYTES}")
            # A run must not learn from the one before.
            self._tune(role, "net/ipv4/tcp_no_metrics_save", "1")

    def _tune(self, role, path, value):
        with self.inside(role), open("/proc/sys/" + path, "w",
                                     encoding="ascii") as f:
            f.write(value)


class Kernel:
    """The server's kernel ends the connections."""

    name = "kernel"
    host = PAST_HOST

    def __init__(self, _bed, congestion):
        self.congestion = congestion

    def start(self):
        pass

    def cpu_s(self):
        return None

    def lost_by_tun(self):
        return 0

    def stop(self):
        pass


class Weir(peers.Peer):
    name = "weir"
    host = WEIR_HOST

    def __init__(self, bed, congestion):
        super().__init__(bed, 1500)
        self.congestion = congestion

    def start(self):
        try:
            self.process = harness.Weir(self.bed, CONFIG % self.congestion,
                                        wrapper=NICE).process
        except AssertionError as e:
            harness.close_kept()
            raise peers.Absent(str(e)) from None

    def lost_by_tun(self):
        """Packets that its TUN dropped because weir was slow to read."""
        link = json.loads(self.bed.ip("middle", "-j", "-s", "link", "show",
                                      "dev", TUN))[0]
        return link["stats64"]["tx"]["dropped"]

    def stop(self):
        self.process = None
        harness.close_kept()


ENDS = {end.name: end for end in (Kernel, Weir)}


def longest_stall_ms(intervals):
    longest = stalled = 0
    for interval in intervals:
        stalled = 0 if interval["sum"]["bytes"] else stalled + 1
        longest = max(longest, stalled)
    return round(longest * STEP_S * 1000)


def series_mbit(intervals):
    """Rates a second, as they were received."""
    steps = round(1 / STEP_S)
    received = [interval["sum"]["bytes"] for interval in intervals]
    return [round(sum(received[n:n + steps]) * 8 / 1e6, 1)
            for n in range(0, len(received) // steps * steps, steps)]


def result_of(process, seconds):
    """What an iperf3 said, or {} where it stalled or failed."""
    try:
        return json.loads(process.communicate(timeout=seconds)[0])
    except (subprocess.TimeoutExpired, ValueError):
        return {}


class Iperf:
    """A client and its server, to one end of the path."""

    PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL,
             "text": True}

    def __init__(self, bed, end, port, way, seconds):
        self.bed, self.end, self.way, self.seconds = bed, end, way, seconds
        self.common = ["-p", str(port), "-i", str(STEP_S), "-J"]
        self.before = self.client = None
        self.server = bed.spawn("server", ["iperf3", "-s", "-1",
                                           *self.common], **self.PIPES)

    def start(self, streams):
        self.before = self.end.cpu_s()
        self.client = self.bed.spawn(
            "client", ["iperf3", "-c", self.end.host, "-t",
                       str(self.seconds), "-C", self.end.congestion,
                       "-P", str(streams), *self.common,
                       *(["-R"] if self.way == "down" else [])],
            **self.PIPES)

    def figures(self):
        """Wait for the end; "mbit" is None where it did not come."""
        result = result_of(self.client, self.seconds + GUARD_S)
        receiver = (result if self.way == "down"
                    else result_of(self.server, 1))
        intervals = receiver.get("intervals", [])
        found = {"mbit": None, "cpu_s_a_gb": None,
                 "stall_ms": longest_stall_ms(intervals),
                 "lost_by_tun": self.end.lost_by_tun(),
                 "series_mbit": series_mbit(intervals)}
        received = result.get("end", {}).get("sum_received", {})
        if not received.get("bytes"):
            return dict(found, error=result.get("error", "no end"))
        found["mbit"] = received["bits_per_second"] / 1e6
        if self.before is not None:
            found["cpu_s_a_gb"] = ((self.end.cpu_s() - self.before) /
                                   (received["bytes"] / 1e9))
        return found

    def close(self):
        for process in self.client, self.server:
            if process:
                self.bed.end(process)
                process.stdout.close()


def measure(bed, ends, way, faults, seconds, streams=1):
    """One run of all `ends` at once: the figures of each. Who comes 0.3 s
    later finds the queue full and the path taken, and has far less for as long
    as a run lasts, be it the kernel beside itself: they start together."""
    bridge = impairment.Impairment(bed, right="middle", left_routes=[HOSTS4],
                                   **faults)
    running = []
    try:
        for end in ends:
            end.start()
        for end in ends:
            running.append(Iperf(bed, end, PORT + len(running), way, seconds))
        time.sleep(LISTENING_S)
        for iperf in running:
            iperf.start(streams)
        found = [iperf.figures() for iperf in running]
        counters = bridge.counters()[way]
        return [dict(figures, impair=counters) for figures in found]
    finally:
        for iperf in running:
            iperf.close()
        for end in ends:
            end.stop()
        bridge.close()
