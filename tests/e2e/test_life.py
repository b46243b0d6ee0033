#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How weir comes and goes, with a TUN of its own in its own namespace."""
import errno
import os
import re
import signal
import socket
import threading
import time

import servers
from bed import DEAD4, HOST4, HOST6
from harness import (CONFIG, Weir, check, check_equal, keep, main, refusal,
                     serve, test, wait_for, without_net_admin)

MARK = 119  # as in the manual
TABLE = "7700"
MANUAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                      "doc", "weir.yaml.5")
PORT = 7100
BACK_S = 1.0
IDLE_S = 3
OWN_TUN = f"""\
log: {{ level: info }}
sockets: {{ mark: {MARK} }}
inbounds:
  - tag: tun
    type: tun
    name: weir0
    address: [198.18.0.1/15, "fd00:198:18::1/64"]
outbounds:
  - {{ tag: direct, type: freedom }}
"""
WITHOUT_FILES = "sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"


class Detour:
    """Marked packets of `proxy` take the wire, the others the TUN."""

    def __init__(self, bed):
        self.bed = bed
        self.routes(TABLE, "via", "10.76.0.2", "2001:db8:76::2", "add")
        for family in "-4", "-6":
            bed.ip("proxy", family, "rule", "add", "fwmark", str(MARK),
                   "lookup", TABLE)
        keep(self)

    def routes(self, table, how, four, six, verb):
        for family, net, gate in (("-4", "10.77.0.0/16", four),
                                  ("-6", "2001:db8:77::/48", six)):
            self.bed.ip("proxy", family, "route", verb, net, how, gate,
                        "table", table)

    def close(self):
        for family in "-4", "-6":
            self.bed.ip("proxy", family, "rule", "del", "lookup", TABLE,
                        check=False)
            self.bed.ip("proxy", family, "route", "flush", "table", TABLE,
                        check=False)


def enter(bed):
    """Once weir0 is there: what takes no detour goes into it."""
    for family, net in ("-4", "10.77.1.0/24"), ("-6", "2001:db8:77::/64"):
        bed.ip("proxy", family, "route", "replace", net, "dev", "weir0")


def start(bed):
    weir = Weir(bed, OWN_TUN, own_tun=True)
    enter(bed)
    return weir


def fetch(bed, host, timeout=5):
    with bed.connect(host, PORT, timeout, "proxy") as s:
        s.sendall(b"hello")
        return s.recv(100)


def interfaces(bed):
    return set(re.findall(r"^\d+: ([^:@]+)", bed.ip("proxy", "link"), re.M))


def routing(bed):
    return [bed.ip("proxy", family, *words) for family in ("-4", "-6")
            for words in (("rule",), ("route", "show", "table", "all"))]


@test
def weir_makes_its_own_interface_and_never_loops_into_it(bed):
    Detour(bed)
    weir = start(bed)
    serve(bed, servers.echo_server, PORT, PORT)
    for host in HOST4, HOST6:
        check_equal(fetch(bed, host), b"hello", host)
    counters = weir.counters()
    check(counters["tun", "sessions"] < 20, f"sessions loop: {counters}")
    check("via direct" in weir.log(), "nothing went through weir")


class Default:
    """Leads `proxy` to the server by a default route, then by the manual."""

    FAMILIES = (("-4", "10.80.0.0/16", "10.76.0.2"),
                ("-6", "2001:db8:80::/48", "2001:db8:76::2"))

    def __init__(self, bed):
        self.bed = bed
        for family, net, gate in self.FAMILIES:
            bed.ip("server", family, "route", "add", "local", net, "dev", "lo")
            bed.ip("proxy", family, "route", "add", "default", "via", gate)
        keep(self)

    def enter(self):
        with open(MANUAL, encoding="utf-8") as f:
            commands = re.findall(r"^# ip (r.*)$", f.read(), re.M)
        for family, _, _ in self.FAMILIES:
            for command in commands:
                self.bed.ip("proxy", family, *command.split())

    def close(self):
        for family, net, _ in self.FAMILIES:
            for rule in (("not", "fwmark", str(MARK)),
                         ("suppress_prefixlength", "0")):
                self.bed.ip("proxy", family, "rule", "del", *rule, check=False)
            self.bed.ip("proxy", family, "route", "del", "default")
            self.bed.ip("server", family, "route", "del", "local", net)


@test
def the_manuals_routes_lead_everything_else_through_weir(bed):
    default = Default(bed)
    weir = Weir(bed, OWN_TUN, own_tun=True)
    default.enter()
    serve(bed, servers.echo_server, PORT, PORT)
    for host in "10.80.0.1", "2001:db8:80::1":
        check_equal(fetch(bed, host), b"hello", host)
    check_equal(weir.counters()["tun", "sessions"], 2, "sessions")


@test
def what_comes_back_into_the_tun_ends_and_is_told(bed):
    weir = Weir(bed, OWN_TUN.replace(f"sockets: {{ mark: {MARK} }}\n", ""),
                own_tun=True)
    enter(bed)
    for host in HOST4, HOST6:
        with bed.socket("proxy", servers.family_of(host),
                        socket.SOCK_STREAM) as s:
            s.settimeout(10)
            check_equal(s.connect_ex((host, PORT)), errno.ENETUNREACH, host)
        with bed.socket("proxy", servers.family_of(host),
                        socket.SOCK_DGRAM) as s:
            s.sendto(b"once", (host, PORT))
    with bed.socket("proxy", socket.AF_INET, socket.SOCK_DGRAM,
                    socket.IPPROTO_ICMP) as s:
        s.sendto(b"\x08\0\0\0\0\0\0\1once", (HOST4, 0))
    settled = []

    def is_over():
        settled.append(weir.counters()["tun", "sessions"])
        return settled[-2:] == 2 * settled[-1:]

    wait_for(is_over, 10, "no further sessions")
    check_equal(len(re.findall(f"sends to \\S+:{PORT} comes back to it",
                               weir.log())), 1, "warnings")


@test
def sigterm_leaves_no_interface_no_route_and_no_process(bed):
    Detour(bed)
    before = interfaces(bed), routing(bed)
    weir = start(bed)
    serve(bed, servers.echo_server, PORT, PORT)
    check_equal(fetch(bed, HOST4), b"hello", "an answer")
    check("weir0" in interfaces(bed), "there was no weir0")
    pid = weir.pid
    check_equal(weir.stop(), 0, "exit status")
    check(not os.path.exists(f"/proc/{pid}"), "a process was left")
    check_equal(interfaces(bed), before[0], "interfaces")
    check_equal(routing(bed), before[1], "rules and routes")


@test
def sigterm_lets_a_transfer_come_to_its_end(bed):
    weir = Weir(bed)
    with bed.inside("server"):
        door = keep(servers.listener(PORT))
    s = keep(bed.connect(HOST4, PORT, 10))
    peer = keep(door.accept()[0])
    s.sendall(b"before")
    check_equal(peer.recv(100), b"before", "what came before")
    weir.process.send_signal(signal.SIGTERM)
    wait_for(lambda: "stopping" in weir.log(), 5, "SIGTERM")
    peer.sendall(b"after")
    check_equal(s.recv(100), b"after", "what came after SIGTERM")
    peer.close()
    check_equal(s.recv(100), b"", "the end")
    s.close()
    check_equal(weir.wait(), 0, "exit status")


@test
def sigterm_does_not_wait_for_ever_for_an_idle_connection(bed):
    weir = Weir(bed)
    serve(bed, servers.echo_server, PORT, PORT)
    s = keep(bed.socket("client", socket.AF_INET, socket.SOCK_STREAM))
    s.connect((HOST4, PORT))
    s.settimeout(10)
    waiting = keep(bed.socket("client", socket.AF_INET, socket.SOCK_STREAM))
    waiting.setblocking(False)
    waiting.connect_ex((DEAD4, PORT))
    begun = time.monotonic()
    check_equal(weir.stop(), 0, "exit status")
    check(time.monotonic() - begun < 5, "it took long")
    try:
        left = s.recv(1)
    except OSError:
        left = b""
    check_equal(left, b"", "the idle connection")


@test
def a_kill_and_a_new_start_serve_again_within_a_second(bed):
    Detour(bed)
    serve(bed, servers.echo_server, PORT, PORT)
    weir = start(bed)
    check_equal(fetch(bed, HOST4), b"hello", "before")
    weir.stop(signal.SIGKILL)
    begun = time.monotonic()
    start(bed)
    check_equal(fetch(bed, HOST4), b"hello", "after")
    seconds = time.monotonic() - begun
    check(seconds < BACK_S, f"it took {seconds:.2f} s")


@test
def closed_standard_files_take_no_line_of_the_log(bed):
    Detour(bed)
    weir = Weir(bed, OWN_TUN, own_tun=True, wrapper=WITHOUT_FILES)
    enter(bed)
    for fd in range(3):
        check_equal(os.readlink(f"/proc/{weir.pid}/fd/{fd}"), "/dev/null",
                    f"file {fd}")
    serve(bed, servers.echo_server, PORT, PORT)
    check_equal(fetch(bed, HOST4), b"hello", "an answer")
    check_equal(weir.stop(), 0, "exit status")


class UsersTun:
    """A TUN that is no more than its user's, for a weir of no privileges."""

    def __init__(self, bed):
        self.bed = bed
        bed.ip("proxy", "tuntap", "add", "weir0", "mode", "tun", "user",
               "root")
        keep(self)
        for line in ("addr add 198.18.0.1/15 dev weir0",
                     "addr add fd00:198:18::1/64 dev weir0",
                     "link set weir0 up"):
            bed.ip("proxy", *line.split())

    def start(self):
        target = f"type: freedom, redirect: \"{HOST4}:{PORT}\""
        return Weir(self.bed, OWN_TUN.replace("type: freedom", target).replace(
            f"sockets: {{ mark: {MARK} }}\n", ""), own_tun=True,
            wrapper=without_net_admin())

    def check_refused(self, why):
        log = refusal(self.start)
        check(f"{why}: Operation not permitted" in log, f"it says {log}")

    def close(self):
        self.bed.ip("proxy", "link", "del", "weir0", check=False)


@test
def what_came_while_weir_was_stopped_is_no_silence(bed):
    weir = Weir(bed, CONFIG + "policy: { levels: "
                f"{{ 0: {{ idle: {IDLE_S}s }} }} }}\n")
    serve(bed, servers.echo_server, PORT, PORT)
    near = keep(bed.socket("client", socket.AF_INET, socket.SOCK_STREAM))
    near.settimeout(5)
    near.connect((HOST4, PORT))
    near.sendall(b"a")
    check_equal(near.recv(1), b"a", "an answer before")
    weir.process.send_signal(signal.SIGSTOP)
    near.sendall(b"b")
    time.sleep(IDLE_S + 1)
    weir.process.send_signal(signal.SIGCONT)
    check_equal(near.recv(1), b"b", "an answer after")


@test
def addresses_that_others_take_away_are_put_back(bed):
    """A link that goes down loses those of IPv6."""
    weir = Weir(bed, OWN_TUN, own_tun=True)

    def addresses():
        return bed.ip("proxy", "-brief", "addr", "show", "dev", "weir0")

    whole = addresses()
    for words in (("addr", "flush", "dev", "weir0"),
                  ("link", "set", "weir0", "down")):
        bed.ip("proxy", *words)
        check(addresses() != whole, "nothing was taken away")
        bed.ip("proxy", "link", "set", "weir0", "up")
        wait_for(lambda: addresses() == whole, 10, "the addresses")
    check_equal(weir.stop(), 0, "exit status")


@test
def two_inbounds_of_one_tun_are_told_so(bed):
    log = refusal(lambda: Weir(bed, """\
inbounds: [{ type: tun, tag: a }, { type: tun, tag: b }]
outbounds: [{ type: freedom }]
""", own_tun=True))
    check("b.name: cannot have the TUN weir0: it exists and another inbound "
          "or process uses it" in log, f"it says {log}")


@test
def a_tun_of_the_users_own_is_served_without_privileges(bed):
    UsersTun(bed).start()
    serve(bed, servers.echo_server, PORT, PORT)
    for host in "198.19.0.1", "fd00:198:18::9":
        check_equal(fetch(bed, host), b"hello", host)


@test
def a_tun_of_the_users_own_must_be_what_is_configured(bed):
    tun = UsersTun(bed)
    bed.ip("proxy", "addr", "del", "198.18.0.1/15", "dev", "weir0")
    tun.check_refused("cannot add the address 198.18.0.1/15")
    bed.ip("proxy", "link", "set", "weir0", "mtu", "1400")
    tun.check_refused("cannot bring it up with an MTU of 1500")
    bed.ip("proxy", "link", "set", "weir0", "mtu", "1500", "down")
    tun.check_refused("cannot bring it up with an MTU of 1500")


def lines_about_the_end(log):
    return [l for l in log.splitlines()
            if re.search(r" (warn|error) ", l)]


def lose(bed, weir, role, name):
    bed.ip(role, "link", "del", name)
    status = weir.wait(5)
    check(status > 0, f"exit status {status}")
    lines = lines_about_the_end(weir.log())
    check_equal(len(lines), 1, f"lines in the log: {lines}")
    check(name in lines[0], f"the line does not name {name}: {lines[0]}")


@test
def a_tun_deleted_under_weir_is_made_again_and_its_sessions_go_on(bed):
    Detour(bed)
    weir = start(bed)
    serve(bed, servers.echo_server, PORT, PORT)
    near = keep(bed.connect(HOST4, PORT, 20, "proxy"))
    near.sendall(b"before")
    check_equal(near.recv(100), b"before", "an answer")
    bed.ip("proxy", "link", "del", "weir0")
    wait_for(lambda: "made again as weir0" in weir.log(), 10, "told")
    enter(bed)
    near.sendall(b"still there?")
    check_equal(near.recv(100), b"still there?", "by an old connection")
    for host in HOST4, HOST6:
        check_equal(fetch(bed, host), b"hello", host)
    check_equal(len(lines_about_the_end(weir.log())), 1, "warnings")
    check_equal(weir.stop(), 0, "exit status")
    check("weir0" not in interfaces(bed), "weir0 was left")


@test
def a_deleted_tun_that_weir_may_not_make_ends_with_one_line_and_a_status(bed):
    lose(bed, UsersTun(bed).start(), "proxy", "weir0")


@test
def a_tun_moved_to_another_namespace_serves_there(bed):
    weir = Weir(bed, OWN_TUN, own_tun=True)
    serve(bed, servers.echo_server, PORT, PORT)
    bed.ip("proxy", "link", "set", "weir0", "netns", bed.name("client"))
    time.sleep(1)
    bed.ip("client", "addr", "add", "198.18.0.1/15", "dev", "weir0")
    bed.ip("client", "link", "set", "weir0", "up")
    bed.ip("client", "route", "replace", "default", "dev", "weir0")
    with bed.connect(HOST4, PORT, 5) as s:
        s.sendall(b"hello")
        check_equal(s.recv(100), b"hello", "an answer")
    check_equal(lines_about_the_end(weir.log()), [], "warnings")
    check_equal(weir.stop(), 0, "exit status")


@test
def a_tun_handed_in_and_deleted_under_a_stream_ends_the_same(bed):
    weir = Weir(bed)
    serve(bed, servers.echo_server, PORT, PORT)
    s = keep(bed.socket("client", socket.AF_INET, socket.SOCK_STREAM))
    s.connect((HOST4, PORT))
    s.settimeout(1)
    stop = threading.Event()

    def babble():
        try:
            while not stop.is_set():
                s.sendall(bytes(100_000))
                s.recv(100_000)
        except OSError:
            pass

    thread = threading.Thread(target=babble)
    thread.start()
    try:
        time.sleep(0.3)
        lose(bed, weir, "client", "w0")
    finally:
        stop.set()
        thread.join()


@test
def an_interface_set_down_and_up_again_serves_on(bed):
    Weir(bed)
    serve(bed, servers.mirror_server, [PORT], PORT)
    bed.ip("client", "link", "set", "w0", "down")
    time.sleep(0.2)
    bed.tun_up_again()
    with bed.connect(HOST4, PORT, 5) as s:
        s.sendall(b"again")
        s.shutdown(socket.SHUT_WR)
        check(servers.read_all(s).endswith(b"again"), "no answer")


if __name__ == "__main__":
    main()
