# SPDX-License-Identifier: GPL-2.0-or-later
"""A bad network between two namespaces of a bed, by tests/tools/impair.

    LEFT (l0, 10.80.0.1) === impair === (r0, 10.80.0.2) RIGHT
"""
import re
import signal
import subprocess

import harness

LEFT4, RIGHT4 = "10.80.0.1", "10.80.0.2"
LEFT6, RIGHT6 = "2001:db8:80::1", "2001:db8:80::2"
LEFT_TUN, RIGHT_TUN = "l0", "r0"
END_S = 5


def counters_of(line):
    """("up", {name: value}) of a line that impair printed."""
    match = re.match(r"impair (up|down) (.*)", line)
    harness.check(match, f"impair said {line!r}")
    return match[1], {name: int(value) for name, value in
                      re.findall(r"(\w+)=(\d+)", match[2])}


class Impairment:
    """The running program; `faults` are its options, loss=1 for --loss 1 and
    up_loss=1 for --up-loss 1."""

    def __init__(self, bed, left="client", right="server", ipv6=False,
                 left_routes=(), right_routes=(), **faults):
        self.bed = bed
        self.process = None
        ends = (("left", left, LEFT_TUN, LEFT4, LEFT6, left_routes),
                ("right", right, RIGHT_TUN, RIGHT4, RIGHT6, right_routes))
        command = [harness.tool("impair")]
        for side, role, name, four, six, routes in ends:
            addresses = f"{four},{six}" if ipv6 else four
            command += [f"--{side}", f"{bed.name(role)}:{name}:{addresses}"]
            for route in routes:
                command += [f"--{side}-route", route]
        for name, value in faults.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        self.process = bed.spawn(left, command, text=True,
                                 stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        if self.process.stdout.readline() != "ready\n":
            why = self.process.stderr.read().strip()
            self.close()
            raise AssertionError(f"impair did not start: {why}")

    def counters(self):
        """{"up": {name: value}, "down": ...}, as of now."""
        self.process.send_signal(signal.SIGUSR1)
        return dict(counters_of(self.process.stdout.readline())
                    for _way in range(2))

    def stop(self):
        """End it; returns its last counters."""
        self.process.send_signal(signal.SIGTERM)
        out = self.process.communicate(timeout=END_S)[0]
        harness.check_equal(self.process.returncode, 0, "impair's status")
        self.bed.end(self.process)
        return dict(counters_of(line) for line in out.splitlines())

    def close(self):
        self.bed.end(self.process)
        self.process.stdout.close()
        self.process.stderr.close()
