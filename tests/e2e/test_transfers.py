#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What weir's stack carries across a bad network arrives whole.

Without an argument: a sample of the paths, always the same. With --all:
every combination of loss, reordering, duplicates, corruption and delay, with
both congestion controls, a thousand transfers; WEIR_TRANSFERS_SEED chooses
others."""
import concurrent.futures
import itertools
import os
import random
import socket
import sys
import time

import farbed
import harness
import transfers
from bed import HOST4, HOST6
from harness import check, check_equal, keep, main, test, wait_for

ALL = "--all" in sys.argv
SEED = int(os.environ.get("WEIR_TRANSFERS_SEED", 1))
A_PATH = 11  # transfers at once
SMALLEST, LARGEST = 1, 64 << 20
CONGESTIONS = ("cubic", "bbr")
GRID = {
    "loss": (0, 1, 5),
    "reorder": (None, "5:8"),
    "duplicate": (0, 2),
    "corrupt": (0, 1),
    "delay": (0, 10),
}
# Of the grid, without --all.
SAMPLE = (
    ({"loss": 0}, "cubic"),
    ({"loss": 1, "reorder": "5:8"}, "bbr"),
    ({"loss": 5, "duplicate": 2}, "cubic"),
    ({"loss": 1, "corrupt": 1, "delay": 10}, "bbr"),
    ({"loss": 5, "reorder": "5:8", "duplicate": 2, "corrupt": 1,
      "delay": 10}, "cubic"),
)
SETTLE_S = 20
STOP_S = 60 if ALL else 5
ZERO_WINDOW_BYTES = 8 << 20
SMALL_BUFFER = 32 << 10


def largest(faults):
    """What such a path carries in a few seconds, with a control that takes
    every loss for congestion."""
    if faults.get("delay"):
        return {0: 8 << 20, 1: 2 << 20, 5: 512 << 10}[faults["loss"]]
    return 8 << 20


def transfers_for(dice, first, faults, count=A_PATH):
    """The least, the most that the path carries soon, and some between."""
    most = largest(faults)
    plan = [transfers.draw(dice, first + n, most) for n in range(count)]
    plan[0].up = plan[0].down = SMALLEST
    plan[1].up = most
    plan[1].order = transfers.TOGETHER
    if ALL and not faults.get("delay"):
        plan[1].up, plan[1].down = dice.choice(((LARGEST, SMALLEST),
                                                (SMALLEST, LARGEST)))
    return plan


def carry_all(bed, far, plan):
    with concurrent.futures.ThreadPoolExecutor(len(plan)) as pool:
        for done in [pool.submit(transfers.carry_out, bed, far, transfer)
                     for transfer in plan]:
            done.result()


def over_path(bed, faults, congestion, first, seed):
    """All of a path's transfers at once; its number names the seed."""
    plan = transfers_for(random.Random(seed), first, faults)
    begun = time.monotonic()
    weir, _bridge = farbed.far_weir(bed, congestion, seed=seed, **faults)
    far = transfers.Server(bed)
    try:
        carry_all(bed, far, plan)
        wait_for(lambda: weir.sessions_open() == 0, SETTLE_S,
                 "sessions at zero")
    except AssertionError as e:
        raise AssertionError(f"seed {seed}, {congestion}, {faults}: {e}") \
            from None
    finally:
        moved = sum(transfer.up + transfer.down for transfer in plan)
        print(f"# seed {seed}, {congestion}, {faults}: {len(plan)} transfers,"
              f" {moved / 1e6:.1f} MB, {time.monotonic() - begun:.1f} s",
              flush=True)
    harness.close_kept()
    return len(plan)


def paths():
    if not ALL:
        return SAMPLE
    return [({name: value for name, value in zip(GRID, values) if
              value is not None}, congestion)
            for values in itertools.product(*GRID.values())
            for congestion in CONGESTIONS]


@test
def transfers_over_bad_paths_arrive_whole(bed):
    done = 0
    for n, (faults, congestion) in enumerate(paths()):
        done += over_path(bed, faults, congestion, done, SEED * 1000 + n)
    print(f"# {done} transfers, seed {SEED}")
    check(not ALL or done >= 1000, f"only {done} transfers")


def pair(bed, host):
    """A client's connection and the server's end of it."""
    with bed.inside("server"):
        door = transfers.servers.listener(transfers.PORT)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    with door:
        family = transfers.servers.family_of(host)
        s = keep(bed.socket("client", family, socket.SOCK_STREAM))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        s.settimeout(transfers.PATIENCE_S)
        s.connect((host, transfers.PORT))
        peer = keep(door.accept()[0])
        peer.settimeout(transfers.PATIENCE_S)
        return s, peer


def stops_and_resumes(sender, reader, number):
    """`reader` takes a little, nothing for STOP_S, then all the rest."""
    sending = transfers.Background(transfers.send_all, sender, number,
                                   transfers.UP, ZERO_WINDOW_BYTES)
    wanted = transfers.hashlib.sha256()
    for part in transfers.parts(number, transfers.UP, ZERO_WINDOW_BYTES):
        wanted.update(part)
    reader.recv(1, socket.MSG_PEEK)
    time.sleep(STOP_S)
    check_equal(transfers.receive_all(reader), wanted.hexdigest(), "hash")
    check_equal(sending.result(), wanted.hexdigest(), "hash of what was sent")


def survives_zero_window(bed, congestion):
    farbed.far_weir(bed, congestion, loss=5, seed=SEED)
    waiting = []
    for number, host in enumerate((HOST4, HOST6)):
        s, peer = pair(bed, host)
        down = transfers.Background(stops_and_resumes, peer, s, number)
        s, peer = pair(bed, host)
        waiting += [down, transfers.Background(stops_and_resumes, s, peer,
                                               number + 2)]
    for one in waiting:
        one.result()


@test
def a_reader_that_stops_under_loss_resumes_with_cubic(bed):
    survives_zero_window(bed, "cubic")


@test
def a_reader_that_stops_under_loss_resumes_with_bbr(bed):
    survives_zero_window(bed, "bbr")


if __name__ == "__main__":
    main(farbed.FarBed)
