# SPDX-License-Identifier: GPL-2.0-or-later
"""A bed whose client sits at the far end of a bad network.

    client === impair === middle --- weir's TUN --- proxy === veth === server
                          middle =============== veth ============== server

The client's kernel talks across the impairment with weir's stack, or, where
`middle` routes past weir, with the server's kernel: the same path but for who
ends it."""
import json
import os
import subprocess
import time

import harness
import impairment
import peers
from bed import Bed, TUN

HOSTS, HOST = "10.77.0.0/16", "10.77.1.1"
PAST4, PAST_SERVER4 = "10.81.0.1", "10.81.0.2"
PORT = 5201
GUARD_S = 20  # iperf3's own talk crosses the bad network as well
STEP_S = 0.1
WINDOW_BYTES = 32 << 20  # no row may be limited by the kernel's buffers
CONFIG = """\
log: { level: warn }
inbounds:
  - { tag: tun, type: tun%s }
outbounds:
  - { tag: direct, type: freedom }
"""


class WanBed(Bed):
    def __init__(self):
        super().__init__()
        self._space("middle")
        self.ip("middle", "link", "add", "past0", "type", "veth", "peer",
                "name", "past1", "netns", self.name("server"))
        for role, device, address in (("middle", "past0", PAST4),
                                      ("server", "past1", PAST_SERVER4)):
            self.ip(role, "addr", "add", address + "/24", "dev", device)
            self.ip(role, "link", "set", device, "up")
        self.ip("server", "route", "add", impairment.LEFT4, "via", PAST4)
        self._tune("middle", "net/ipv4/ip_forward", "1")
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

    def tun(self, role="middle", name=TUN, offload=True):
        return super().tun(role, name, offload)

    def tun_up(self, mtu=1500):
        self.ip("middle", "link", "set", TUN, "mtu", str(mtu), "up")
        self.ip("middle", "route", "replace", HOSTS, "dev", TUN)

    def route_past(self):
        self.ip("middle", "route", "replace", HOSTS, "via", PAST_SERVER4)


class Kernel:
    """The server's kernel ends the connections."""

    name = "kernel"

    def __init__(self, bed, congestion):
        self.bed = bed
        self.congestion = congestion

    def start(self):
        self.bed.route_past()

    def cpu_s(self):
        return None

    def stop(self):
        pass


class Weir(peers.Peer):
    name = "weir"

    def __init__(self, bed, congestion):
        super().__init__(bed, 1500)
        self.congestion = congestion
        self.option = f", congestion: {congestion}"

    def start(self):
        try:
            self._launch(CONFIG % self.option)
        except AssertionError as e:
            harness.close_kept()
            if self.congestion != "cubic":
                raise peers.Absent(str(e)) from None
            self.option = ""  # before it could be chosen, it was CUBIC
            self._launch(CONFIG % self.option)

    def _launch(self, config):
        self.process = harness.Weir(self.bed, config).process

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


def iperf(bed, congestion, way, seconds):
    """What the client said, and the intervals of the receiving end."""
    common = ["-p", str(PORT), "-i", str(STEP_S), "-J"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL,
             "text": True}
    server = bed.spawn("server", ["iperf3", "-s", "-1", *common], **pipes)
    time.sleep(0.2)
    client = bed.spawn(
        "client", ["iperf3", "-c", HOST, "-t", str(seconds), "-C", congestion,
                   *common, *(["-R"] if way == "down" else [])], **pipes)
    try:
        result = result_of(client, seconds + GUARD_S)
        receiver = result if way == "down" else result_of(server, 1)
        return result, receiver.get("intervals", [])
    finally:
        for process in client, server:
            bed.end(process)
            process.stdout.close()


def measure(bed, end, way, faults, seconds):
    """One run; its "mbit" is None where it did not end."""
    bridge = impairment.Impairment(bed, right="middle", left_routes=[HOSTS],
                                   **faults)
    figures = {"mbit": None, "cpu_s_a_gb": None}
    try:
        end.start()
        before = end.cpu_s()
        result, intervals = iperf(bed, end.congestion, way, seconds)
        received = result.get("end", {}).get("sum_received", {})
        if received.get("bytes"):
            figures["mbit"] = received["bits_per_second"] / 1e6
            if before is not None:
                figures["cpu_s_a_gb"] = ((end.cpu_s() - before) /
                                         (received["bytes"] / 1e9))
        else:
            figures["error"] = result.get("error", "no end")
        figures["stall_ms"] = longest_stall_ms(intervals)
        figures["series_mbit"] = series_mbit(intervals)
        figures["impair"] = bridge.counters()[way]
    finally:
        end.stop()
        bridge.close()
    return figures
