#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Names that weir looks up itself, and outbounds behind outbounds."""
import errno
import os
import select
import socket
import tempfile
import time

import servers
from bed import (CLIENT4, DEAD4, HOST4, NAMED4, PROXY4_OTHER,
                 UNREACHABLE4)
from harness import (CONFIG, Process, Weir, check, check_equal, keep, main,
                     test, tool, wait_for)

PORT = 7500
PORT_DNS = 53
NAME_SERVER = "10.77.1.53"


def names(target, server=NAME_SERVER, more=""):
    return CONFIG.replace("{ tag: direct, type: freedom }",
                          "{ tag: direct, type: freedom, dial_timeout: 3s, "
                          f"redirect: \"{target}\" }}") + \
        f"dns: {{ servers: [\"{server}\"] }}\n" + more


def connect(bed, host=HOST4, port=PORT, timeout=8):
    s = keep(bed.socket("client", socket.AF_INET, socket.SOCK_STREAM))
    s.settimeout(timeout)
    return s, s.connect_ex((host, port))


def writable(s):
    return bool(select.select([], [s], [], 0)[1])


def name_server(bed):
    keep(Process(bed, "server", [tool("udpload"), "dns", NAME_SERVER,
                                 "53"])).await_line()


def door(bed):
    with bed.inside("server"):
        return keep(servers.listener(PORT))


@test
def a_name_is_looked_up_and_connected(bed):
    weir = Weir(bed, names("host.example"))
    name_server(bed)
    listener = door(bed)
    for _ in range(3):  # from the server, then from the cache
        s, error = connect(bed)
        check_equal(error, 0, "errno of connect")
        peer = listener.accept()[0]
        check_equal(servers.plain(peer.getsockname()[0]), NAMED4, "address")
        peer.sendall(b"hello")
        check_equal(s.recv(9), b"hello", "bytes")
        peer.close()
        s.close()
    check(weir.alive(), "weir died")


@test
def a_name_that_does_not_exist_fails_the_connect(bed):
    Weir(bed, names("nowhere.example"))
    name_server(bed)
    for _ in range(2):
        begun = time.monotonic()
        _, error = connect(bed)
        check(error in (errno.EHOSTUNREACH, errno.ENETUNREACH,
                        errno.ECONNREFUSED), f"errno {error}")
        check(time.monotonic() - begun < 1, "it took long")


@test
def a_silent_name_server_does_not_hold_a_connect_for_ever(bed):
    weir = Weir(bed, names("host.example", DEAD4))
    _, error = connect(bed)
    check(error, "it was connected")
    check_equal(weir.stop(), 0, "exit status")


class ResolvConf:
    """A file that a weir sees as its resolv.conf."""

    def __init__(self, server):
        fd, self.path = tempfile.mkstemp(prefix="weir-resolv-")
        os.close(fd)
        os.chmod(self.path, 0o644)
        keep(self)
        self.write(server)

    def write(self, server):
        with open(self.path, "w", encoding="ascii") as f:
            f.write(f"nameserver {server}\n")

    def wrapper(self):
        return ["unshare", "--mount", "sh", "-c", "mount --bind "
                f"{self.path} /etc/resolv.conf && exec \"$@\"", "weir"]

    def close(self):
        os.unlink(self.path)


def system_names(dial_timeout):
    return CONFIG.replace("type: freedom", "type: freedom, dial_timeout: "
                          f"{dial_timeout}, redirect: host.example")


@test
def servers_of_a_changed_resolv_conf_are_asked_after_a_failure(bed):
    file = ResolvConf(UNREACHABLE4)
    weir = Weir(bed, system_names("15s"), wrapper=file.wrapper())
    name_server(bed)
    door(bed)
    check(connect(bed, timeout=5)[1], "it was connected")
    time.sleep(1.1)  # it is looked at once a second
    file.write(NAME_SERVER)
    check_equal(connect(bed, timeout=20)[1], 0, "errno of connect")
    check_equal(weir.stop(), 0, "exit status")


@test
def a_question_that_waits_is_put_to_the_servers_of_a_changed_resolv_conf(bed):
    file = ResolvConf(DEAD4)  # never answers
    weir = Weir(bed, system_names("60s"), wrapper=file.wrapper())
    name_server(bed)
    door(bed)
    s = keep(bed.socket("client", socket.AF_INET, socket.SOCK_STREAM))
    s.setblocking(False)
    s.connect_ex((HOST4, PORT))
    with bed.inside("proxy"):
        wait_for(lambda: any(f":{PORT_DNS:04X} " in line for line in
                             open("/proc/thread-self/net/udp",
                                  encoding="ascii")), 10, "a question")
    file.write(NAME_SERVER)
    wait_for(lambda: writable(s), 12, "the connect")
    check_equal(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0, "errno")
    check_equal(weir.stop(), 0, "exit status")


@test
def weir_stops_in_the_middle_of_a_look_up(bed):
    weir = Weir(bed, names("host.example", DEAD4))
    s = keep(bed.socket("client", socket.AF_INET, socket.SOCK_STREAM))
    s.setblocking(False)
    s.connect_ex((HOST4, PORT))
    wait_for(lambda: weir.sessions_open() == 1, 5, "a session that waits")
    check_equal(weir.stop(), 0, "exit status")


@test
def an_outbound_goes_through_another(bed):
    chain = CONFIG.replace("outbounds:\n", f"""outbounds:
  - {{ tag: first, type: freedom, via: second }}
  - {{ tag: second, type: freedom, send_through: [{PROXY4_OTHER}] }}
""")
    Weir(bed, chain)
    listener = door(bed)
    s, error = connect(bed)
    check_equal(error, 0, "errno of connect")
    peer, address = listener.accept()
    check_equal(servers.plain(address[0]), PROXY4_OTHER, "who connected")
    s.sendall(b"through two")
    s.shutdown(socket.SHUT_WR)
    check_equal(servers.read_all(peer), b"through two", "bytes up")
    peer.sendall(b"and back")
    peer.close()
    check_equal(servers.read_all(s), b"and back", "bytes down")
    _, error = connect(bed, port=4999)
    check_equal(error, errno.ECONNREFUSED, "errno of a refused connect")
    with bed.inside("server"):
        echo = keep(servers.udp_socket(HOST4, PORT))
    u = keep(bed.socket("client", socket.AF_INET, socket.SOCK_DGRAM))
    u.settimeout(5)
    echo.settimeout(5)
    u.sendto(b"?", (HOST4, PORT))
    _data, outside = echo.recvfrom(9)
    check_equal(outside[0], PROXY4_OTHER, "who sent the datagram")
    echo.sendto(b"!", outside)
    check_equal(u.recvfrom(9), (b"!", (HOST4, PORT)), "the answer")


@test
def a_source_that_via_takes_no_notice_of_is_warned_of(bed):
    weir = Weir(bed, CONFIG.replace("outbounds:\n", f"""outbounds:
  - {{ tag: first, type: freedom, via: direct, send_through: {PROXY4_OTHER} }}
"""))
    check("first: send_through has no effect with via" in weir.log(), "silence")


@test
def a_rule_by_source_and_port_decides(bed):
    Weir(bed, CONFIG + f"""\
  - {{ tag: wall, type: blackhole, response: refuse }}
route:
  rules:
    - {{ source: {CLIENT4}, port: {PORT}-{PORT + 9}, outbound: wall }}
""")
    door(bed)
    check_equal(connect(bed)[1], errno.ECONNREFUSED, "by the rule")
    with bed.inside("server"):
        keep(servers.listener(PORT + 10))
    check_equal(connect(bed, port=PORT + 10)[1], 0, "beside the rule")


if __name__ == "__main__":
    main()
