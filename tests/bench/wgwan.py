# SPDX-License-Identifier: GPL-2.0-or-later
"""Tunnels across a bad network: impair stands between the two ends.

    place ... near (proxy) === impair === (server) far

The rows are those of wan.json's grid "bars". A row has a network and a pair of
ends of its own, so that none learns from the row before."""
import json
import os

import impairment
import measures

HERE = os.path.dirname(os.path.abspath(__file__))
WINDOW_BYTES = 32 << 20  # the kernel's buffers must not be the limit
SEED = 1


def rows():
    with open(os.path.join(HERE, "wan.json"), encoding="ascii") as f:
        return {name: row["faults"] for name, row
                in json.load(f)["rows"].items() if row["grid"] == "bars"}


def tune(bed):
    for role in bed.spaces:
        for path, least in (("tcp_rmem", "4096 131072"),
                            ("tcp_wmem", "4096 65536")):
            with bed.inside(role), open("/proc/sys/net/ipv4/" + path, "w",
                                        encoding="ascii") as f:
                f.write(f"{least} {WINDOW_BYTES}")


def measure(bed, way_class, seconds, seed=SEED):
    """{"500M 0 % up": Mbit/s, ...}; None: it stalled."""
    tune(bed)
    figures = {}
    for name, faults in rows().items():
        for direction in "up", "down":
            bridge = impairment.Impairment(bed, left="proxy", seed=seed,
                                           **faults)
            way = way_class(bed, 1500)
            way.remote4 = impairment.RIGHT4
            try:
                way.start()
                rate, _cpu = measures.Bench(bed, way, seconds, 0).iperf(
                    direction == "down", 1)
                figures[f"{name} {direction}"] = rate and rate * 1000
            finally:
                way.stop()
                bridge.close()
    return figures
