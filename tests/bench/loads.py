# SPDX-License-Identifier: GPL-2.0-or-later
"""Loads that look for a limit or for company: the highest rate of datagrams of
which next to none is lost, questions on connections that stay open, one stream
beside many silent connections, and a ping-pong beside streams. Each takes a
measures.Bench."""
import concurrent.futures
import json
import subprocess
import time

from measures import (Bench, CONN_PORT, CONN_PORTS, GUARD_S, HOST, UDP_PORT)

LOSS_MOST = 0.01
RATE_FIRST, RATE_MOST = 20_000, 2_000_000
HALVINGS = 3  # between the last rate that went and the first that did not
PACED_S = 1
ASKING = 64
CROWD = 10_000
CROWD_S = 60
STREAMS = 8
STREAMS_MORE_S = 2  # half before, half behind


def result_of(process):
    try:
        return json.loads(process.communicate(timeout=GUARD_S)[0])
    except (subprocess.TimeoutExpired, ValueError):
        return None


def paced(bench, down, size, rate):
    """Received a second, or None where more than LOSS_MOST was lost or the
    sender did not keep up."""
    if down:
        far = bench.serve(bench.tool("udpload", "source", HOST, UDP_PORT, 5,
                                     size, rate, PACED_S))
        received = bench.client(bench.tool("udpload", "fetch", HOST, UDP_PORT,
                                           PACED_S + 1))
        sent = result_of(far)
    else:
        far = bench.serve(bench.tool("udpload", "sink", HOST, UDP_PORT,
                                     PACED_S + 1))
        sent = bench.client(bench.tool("udpload", "flood", HOST, UDP_PORT,
                                       size, rate, PACED_S))
        received = result_of(far)
    bench.finish(far)
    if not sent or not received or not sent["sent"]:
        return None
    if sent["sent"] / sent["seconds"] < 0.9 * rate:
        return None
    if received["received"] < (1 - LOSS_MOST) * sent["sent"]:
        return None
    return received["received"] / sent["seconds"]


def highest(once):
    """The best of what once(rate) gives, None twice being a rate too high."""
    def attempt(rate):
        return once(rate) or once(rate)

    best, good, bad = None, 0, RATE_FIRST
    while bad <= RATE_MOST:
        got = attempt(bad)
        if got is None:
            break
        best, good, bad = got, bad, 2 * bad
    for _ in range(HALVINGS if good else 0):
        middle = (good + bad) // 2
        got = attempt(middle)
        if got is None:
            bad = middle
        else:
            best, good = got, middle
    return best


def lossless(bench):
    return {f"udp {size} {way}":
            highest(lambda rate, down=way == "down", size=size:
                    paced(bench, down, size, rate))
            for size in (64, 1400) for way in ("up", "down")}


def requests(bench):
    server = bench.serve(bench.tool("conn", "serve", CONN_PORT, CONN_PORTS))
    got = bench.client(bench.tool("conn", "ask", HOST, CONN_PORT, CONN_PORTS,
                                  ASKING, bench.seconds))
    bench.finish(server)
    return {"requests 64": got["answers"] / got["seconds"]
            if got and got["answers"] else None}


def crowd(bench):
    """One stream, alone and beside CROWD silent connections, by turns: their
    ratio is of one moment."""
    alone = bench.iperf(False, 1)[0]
    server = bench.serve(bench.tool("conn", "serve", CONN_PORT, CONN_PORTS))
    silent = bench.bed.spawn(
        bench.peer.place, bench.tool("conn", "idle", HOST, CONN_PORT,
                                     CONN_PORTS, CROWD, CROWD_S),
        stdout=subprocess.PIPE, text=True)
    opened = json.loads(silent.stdout.readline() or "{}").get("open", 0)
    beside = bench.iperf(False, 1)[0] if opened >= 0.99 * CROWD else None
    bench.finish(silent)
    bench.finish(server)
    return {"up beside idle": beside / alone if alone and beside else None}


def beside(bench):
    """Round trips on one connection while others take all that goes."""
    figures = {}
    longer = Bench(bench.bed, bench.peer, bench.seconds + STREAMS_MORE_S, 0)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        for way in "up", "down":
            load = pool.submit(longer.iperf, way == "down", STREAMS)
            time.sleep(STREAMS_MORE_S / 2)
            got = bench.latency()
            whole = load.result()[0] is not None
            for part in "p50", "p99":
                figures[f"beside {way} {part}"] = (
                    got[f"ping-pong {part}"] if whole else None)
    return figures


ALL = {"lossless": lossless, "requests": requests, "crowd": crowd,
       "beside": beside}
