#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/bench/plot draws every row that was measured, as a whole SVG."""
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

SVG = "{http://www.w3.org/2000/svg}"
TUN = {"bench": "tun", "results": {
    "direct": {"tcp up 1": [16.0, 15.0, None], "visits 1": [9000]},
    "weir": {"tcp up 1": [10.0], "visits 1": [5000], "memory idle": [4100]},
    "a <b> & c": {"tcp up 1": [None]}}}
WAN = {"bench": "wan", "runs": [
    {"row": "1 % lost", "way": "down", "column": column, "mbit": mbit}
    for column, mbit in (("kernel bbr", 400), ("weir bbr", 300),
                         ("weir bbr", None), ("weir bbr", 320))]}

DEMUX = {"bench": "demux", "bar": 6, "rows": [
    {"connections": 1, "ack": 100, "data": 200, "bytes": 800},
    {"connections": 1000, "ack": 250, "data": 300, "bytes": 800}]}


def plot(*texts):
    """Its SVG of these files, or None where it refuses."""
    path = os.path.join(os.environ["abs_top_srcdir"], "tests/bench/plot")
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for text in texts:
            files.append(os.path.join(folder, str(len(files))))
            with open(files[-1], "w", encoding="utf-8") as f:
                f.write(text)
        done = subprocess.run([sys.executable, path, *files], text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
    return None if done.returncode else \
        xml.etree.ElementTree.fromstring(done.stdout)


def texts(svg):
    return [text.text for text in svg.iter(SVG + "text")]


def every_row_and_column_is_drawn():
    svg = plot("a table\n" + json.dumps(TUN) + "\n", json.dumps(WAN) + "\n",
               json.dumps(DEMUX) + "\n")
    found = texts(svg)
    for wanted in ("tcp up 1, Gbit/s", "visits 1, /s", "memory idle, KB",
                   "1 % lost down bbr, Mbit/s", "direct 15.5", "weir 10",
                   "a <b> & c stalls", "weir 4100", "weir 310",
                   "1000 connections, ns of ack", "weir 250"):
        assert wanted in found, f"{wanted!r} is missing"
    assert len(list(svg.iter(SVG + "rect"))) == 12


def bars_stand_where_weir_has_to_reach():
    svg = plot(json.dumps(TUN) + "\n", json.dumps(WAN) + "\n")
    marks = [mark.text for mark in svg.iter(SVG + "title")]
    # 0.9 of the split limit, which is 11.7 to direct's 16.0; half of direct;
    # a constant; 0.9 of the kernel.
    assert marks == ["to reach: 10.2", "to reach: 4500", "to reach: 1e+04",
                     "to reach: 360"], marks


def the_last_line_of_a_bench_counts():
    older = dict(TUN, results={"weir": {"tcp up 1": [3.0]}})
    found = texts(plot(json.dumps(older) + "\n" + json.dumps(TUN) + "\n"))
    assert "weir 10" in found and "weir 3" not in found


def it_is_read_in_the_dark():
    style = next(plot(json.dumps(TUN) + "\n").iter(SVG + "style")).text
    assert "prefers-color-scheme: dark" in style


def files_without_results_are_refused():
    assert plot("nothing\n") is None


failed = 0
for test in (every_row_and_column_is_drawn, bars_stand_where_weir_has_to_reach,
             the_last_line_of_a_bench_counts, it_is_read_in_the_dark,
             files_without_results_are_refused):
    name = test.__name__.replace("_", " ")
    try:
        test()
        print(f"ok - {name}")
    except Exception as e:
        failed += 1
        print(f"not ok - {name}: {e!r}")
sys.exit(1 if failed else 0)
