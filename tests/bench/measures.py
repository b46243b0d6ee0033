# SPDX-License-Identifier: GPL-2.0-or-later
"""The measures: each takes a peer that runs and returns {name: figure}, or
None for a figure that was not reached in time."""
import json
import os
import subprocess
import time

IPERF_PORT, CONN_PORT, UDP_PORT = 5201, 20000, 21000
CONN_PORTS = 50  # one port would measure the client's TIME_WAITs
HOST = "10.77.1.1"
GUARD_S = 10  # beyond its time, a run has stalled
FLOOD_BYTES = 1400
FLIGHT = 256
WHOLE_FLOOD = 0  # a second: as many as go


class Bench:
    def __init__(self, bed, peer, seconds, idle):
        self.bed = bed
        self.peer = peer
        self.seconds = seconds
        self.idle = idle
        self.tools = os.path.join(os.environ["abs_top_builddir"], "tests",
                                  "tools")

    def tool(self, name, *words):
        return [os.path.join(self.tools, name), *map(str, words)]

    def serve(self, command):
        """A server that has said that it is ready."""
        server = self.bed.spawn("server", command, stdout=subprocess.PIPE,
                                text=True)
        if not server.stdout.readline():
            raise RuntimeError(f"{command[0]} did not start")
        return server

    def client(self, command):
        """Its JSON, or None where it stalled or failed."""
        process = self.bed.spawn(self.peer.place, command, text=True,
                                 stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL)
        try:
            out = process.communicate(timeout=self.seconds + GUARD_S)[0]
            return json.loads(out) if process.returncode == 0 else None
        except (subprocess.TimeoutExpired, ValueError):
            return None
        finally:
            self.finish(process)

    def finish(self, process):
        self.bed.end(process)
        if process.stdout:
            process.stdout.close()

    def iperf_run(self, streams, *more):
        """What it says of its end, empty where it stalled, and the peer's
        CPU seconds."""
        server = self.bed.spawn(
            "server", ["iperf3", "-s", "-1", "-p", str(IPERF_PORT)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.2)
        before = self.peer.cpu_s()
        result = self.client(["iperf3", "-c", HOST, "-p", str(IPERF_PORT),
                              "-t", str(self.seconds), "-P", str(streams),
                              "--connect-timeout", "3000", "-J", *more])
        cpu = self.peer.cpu_s() - before
        self.finish(server)
        return (result or {}).get("end", {}), cpu

    def iperf(self, down, streams):
        end, cpu = self.iperf_run(streams, *(["-R"] if down else []))
        received = end.get("sum_received", {})
        if not received.get("bytes"):
            return None, None
        return (received["bits_per_second"] / 1e9,
                cpu / (received["bytes"] / 1e9))

    def streams(self):
        figures = {}
        for streams in 1, 8:
            for way in "up", "down":
                rate, cpu = self.iperf(way == "down", streams)
                figures[f"tcp {way} {streams}"] = rate
                figures[f"cpu tcp {way} {streams}"] = cpu
        return figures

    def both(self):
        """As many streams up as down, at once."""
        figures = {}
        for streams in 1, 8:
            end = self.iperf_run(streams, "--bidir")[0]
            for way, name in (("up", "sum_received"),
                              ("down", "sum_received_bidir_reverse")):
                bits = end.get(name, {}).get("bits_per_second")
                figures[f"both {streams} {way}"] = bits and bits / 1e9
        return figures

    def latency(self):
        """With both ends on one CPU, where the scheduler puts them as it
        likes, a round trip takes a quarter of the time: keep them apart."""
        cpus = sorted(os.sched_getaffinity(0))
        server = self.serve(pinned(cpus[0], self.tool("conn", "serve",
                                                      CONN_PORT, 1)))
        got = self.client(pinned(cpus[-1], self.tool(
            "conn", "pong", HOST, CONN_PORT, self.seconds))) or {}
        self.finish(server)
        return {"ping-pong p50": got.get("p50_us"),
                "ping-pong p99": got.get("p99_us")}

    def visits(self):
        figures = {}
        server = self.serve(self.tool("conn", "serve", CONN_PORT, CONN_PORTS))
        for flight in 64, 1:
            got = self.client(self.tool("conn", "rate", HOST, CONN_PORT,
                                        CONN_PORTS, flight, self.seconds))
            figures[f"visits {flight}"] = (got["visits"] / got["seconds"]
                                           if got and got["visits"] else None)
        self.finish(server)
        return figures

    def flood_up(self):
        sink = self.serve(self.tool("udpload", "sink", HOST, UDP_PORT,
                                    self.seconds))
        self.client(self.tool("udpload", "flood", HOST, UDP_PORT,
                              FLOOD_BYTES, WHOLE_FLOOD, self.seconds))
        try:
            got = json.loads(sink.communicate(timeout=GUARD_S)[0])
        except (subprocess.TimeoutExpired, ValueError):
            got = None
        self.finish(sink)
        return rate_of(got)

    def flood_down(self):
        source = self.serve(self.tool("udpload", "source", HOST, UDP_PORT, 5,
                                      FLOOD_BYTES, WHOLE_FLOOD,
                                      self.seconds))
        got = self.client(self.tool("udpload", "fetch", HOST, UDP_PORT,
                                    self.seconds))
        self.finish(source)
        return rate_of(got)

    def udp(self):
        figures = {"udp flood up": self.flood_up(),
                   "udp flood down": self.flood_down()}
        server = self.serve(self.tool("udpload", "echo", HOST, UDP_PORT))
        got = self.client(self.tool("udpload", "trips", HOST, UDP_PORT,
                                    FLIGHT, self.seconds))
        self.finish(server)
        figures["udp trips 256"] = (got["trips"] / got["seconds"]
                                    if got and got["trips"] else None)
        return figures

    def memory(self):
        """At rest, and a connection more that says nothing."""
        if not self.peer.process:
            return {}
        rest_kb = self.peer.memory_kb()
        server = self.serve(self.tool("conn", "serve", CONN_PORT, CONN_PORTS))
        crowd = self.bed.spawn(
            self.peer.place, self.tool("conn", "idle", HOST, CONN_PORT,
                                       CONN_PORTS, self.idle, 60),
            stdout=subprocess.PIPE, text=True)
        opened = json.loads(crowd.stdout.readline() or "{}").get("open", 0)
        time.sleep(0.5)
        grown_kb = self.peer.memory_kb() - rest_kb
        self.finish(crowd)
        self.finish(server)
        whole = opened >= 0.99 * self.idle
        return {"memory idle": rest_kb, "bytes a connection":
                grown_kb * 1024 / opened if whole else None}


def rest_first(kinds):
    """At rest is who has done nothing yet."""
    return sorted(kinds, key=lambda kind: kind != "memory")


def pinned(cpu, command):
    return ["taskset", "-c", str(cpu), *command]


def rate_of(got):
    if not got or not got["seconds"]:
        return None
    return got["received"] / got["seconds"]


ALL = {"streams": Bench.streams, "both": Bench.both, "latency": Bench.latency,
       "visits": Bench.visits, "udp": Bench.udp, "memory": Bench.memory}
