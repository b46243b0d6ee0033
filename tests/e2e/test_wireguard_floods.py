#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Floods of initiations: who knows nothing gets no reply, who proves nothing
gets a cookie, and a tunnel that stands keeps going.

Without an argument each flood is short and the bounds are wide, since the
machine may be busy. With --all: 50,000 a second, and half of the rate; the
same flood of a port where nobody listens is shown first, since who floods
takes its share of the same processors."""
import statistics
import sys

from bed import run
from harness import Skip, check, check_equal, main, test
from wgserved import Served, client_peers, ended

ALL = "--all" in sys.argv
RATE, FLOOD_S = (50_000, 12) if ALL else (20_000, 3)
LIMIT_S = 8  # of the flood that nobody hears
WINDOWS = 3  # the middle one counts: all share the machine's processors
SENT = 0.5  # of what was asked for, at least
RATE_KEPT = 0.5 if ALL else 0.01
BEFORE_S, SETTLE_S = (4, 1) if ALL else (2, 0.5)
COOKIES_AT_ONCE, COOKIES_A_SECOND = 10_000, 2_500
MORE_KB = 16 << 10
CLOSED_PORT = 9


def rate_beside(stream, flood_s):
    """The stream's while the flood that has just begun goes on."""
    stream.rate(SETTLE_S)
    window_s = (flood_s - 2 * SETTLE_S) / WINDOWS
    return statistics.median(stream.rate(window_s) for _ in range(WINDOWS))


def rate_left(bed, served, stream, kind):
    """What the machine leaves of the rate: nobody hears this flood."""
    attack = served.load("flood", kind, RATE, LIMIT_S, port=CLOSED_PORT)
    rate = rate_beside(stream, LIMIT_S)
    ended(bed, attack)
    return rate


def flooded(bed, kind):
    """What the flood heard, what weir counted, and the share of the rate that
    a download in a standing tunnel kept."""
    served = Served(bed)
    public, prefix = client_peers(1)[0]
    run("wg", "set", served.name, "peer", public, "allowed-ips", prefix)
    served.web()
    stream = served.stream()
    stream.rate(1)
    before, before_kb = stream.rate(BEFORE_S), served.weir.memory_kb()
    if ALL:
        left = rate_left(bed, served, stream, kind)
        print(f"# {kind}: {left / before:.2f} beside a flood of a closed port")
    attack = served.load("flood", kind, RATE, FLOOD_S)
    during = rate_beside(stream, FLOOD_S)
    _lines, heard = ended(bed, attack)
    more_kb = served.weir.memory_kb() - before_kb
    counters = served.weir.counters()
    drops = {name: n for (tag, name), n in counters.items()
             if tag == "wg" and n and name.startswith("dropped_")}
    print(f"# {kind}: {during / before:.2f} of {before / 1e6:.0f} MB/s, "
          f"{more_kb} KB more, {drops}", flush=True)
    if heard["sent"] < SENT * RATE * FLOOD_S:
        check(not ALL, "the flood was thin")
        raise Skip("the machine is too busy for a flood")
    check(during >= RATE_KEPT * before,
          f"the tunnel kept {during / before:.2f} of its rate")
    check(more_kb <= MORE_KB, f"{more_kb} KB more")
    return heard, counters


@test
def who_does_not_know_the_key_gets_no_reply(bed):
    heard, counters = flooded(bed, "mac1")
    check_equal((heard["responses"], heard["cookies"], heard["others"]),
                (0, 0, 0), "replies")
    check(counters["wg", "dropped_mac1"] > 0, "no wrong MAC was counted")


@test
def who_proves_nothing_gets_a_bounded_number_of_cookies(bed):
    heard, counters = flooded(bed, "random")
    check_equal((heard["responses"], heard["others"]), (0, 0), "replies")
    check(0 < heard["cookies"] <= COOKIES_AT_ONCE
          + COOKIES_A_SECOND * (heard["seconds"] + 1),
          f"{heard['cookies']} cookies")
    check(counters["wg", "dropped_cookie"] >= heard["cookies"],
          "fewer were asked for a cookie than got one")


@test
def who_repeats_what_it_heard_gets_one_answer_at_most(bed):
    heard, counters = flooded(bed, "replayed")
    check(heard["responses"] <= 1, f"{heard['responses']} answers")
    check_equal(heard["others"], 0, "other replies")
    check(heard["cookies"] > 0, "no cookie was asked for")
    check(counters["wg", "dropped_replayed"] > 0, "no replay was counted")


if __name__ == "__main__":
    main()
