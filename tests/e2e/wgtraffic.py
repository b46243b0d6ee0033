# SPDX-License-Identifier: GPL-2.0-or-later
"""What a client does through a tunnel: downloads, uploads, echoes and pings,
each of them checked."""
import os
import socket
import subprocess
import time

import servers
from bed import HOST4
from harness import (Process, check, check_equal, keep, need, serve, tool)

HTTP_PORT = 8080
PORT = 7800
RESUME_S = 10
TOTAL_BYTES = int(os.environ.get("WEIR_E2E_WG_BYTES", 100_000_000))


def url(host, size):
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{HTTP_PORT}/{size}"


def curl(bed, host, size, seconds=120, near="client"):
    return bed.spawn(near, [need("curl"), "-sS", "-m", str(seconds),
                            url(host, size)], stdout=subprocess.PIPE)


def fetch(bed, host, size=1000, seconds=20, near="client"):
    """Whether a small download comes, whole."""
    done = curl(bed, host, size, seconds, near)
    got = done.communicate()[0]
    return done.wait() == 0 and len(got) == size


def check_hash(bed, host, near="client"):
    done = curl(bed, host, TOTAL_BYTES, near=near)
    digest = subprocess.run(["sha256sum"], stdin=done.stdout, check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    check_equal(done.wait(), 0, "curl's status")
    check_equal(digest.split()[0], servers.stream_hash(TOTAL_BYTES), "hash")


def check_upload(bed, host):
    fd = os.memfd_create("upload")
    try:
        block = memoryview(servers.block())
        left = TOTAL_BYTES
        while left:
            left -= os.write(fd, block[:min(left, len(block))])
        os.lseek(fd, 0, os.SEEK_SET)
        done = bed.spawn("client", [need("curl"), "-sS", "-m", "120", "-H",
                                    "Expect:", "-T", f"/proc/self/fd/{fd}",
                                    url(host, "")],
                         stdout=subprocess.PIPE, pass_fds=(fd,), text=True)
        digest = done.communicate()[0]
    finally:
        os.close(fd)
    check_equal(digest, servers.stream_hash(TOTAL_BYTES), "hash")


def name_server(bed, address, role="server"):
    keep(Process(bed, role, [tool("udpload"), "dns", address,
                             "53"])).await_line()


def web(bed, role="server", host=HOST4):
    serve(bed, servers.http_server, HTTP_PORT, HTTP_PORT, role, host)


def check_echo(bed, host, near="client", far="server"):
    with bed.inside(far):
        far = keep(servers.udp_socket(host, PORT))
    near = keep(bed.socket(near, far.family, socket.SOCK_DGRAM))
    near.settimeout(5)
    far.settimeout(5)
    for size in 0, 1, 1300, 4000:  # the last one in fragments
        near.sendto(bytes(size), (host, PORT))
        data, peer = far.recvfrom(1 << 16)
        check_equal(len(data), size, "bytes of a datagram there")
        far.sendto(data, peer)
        check_equal(len(near.recv(1 << 16)), size, "and of the answer")
    far.close()
    near.close()


def check_ping(bed, host, near="client", size=56):
    ping = bed.spawn(near, ["ping", "-c", "2", "-i", "0.2", "-W", "5",
                            "-s", str(size), host],
                     stdout=subprocess.DEVNULL)
    check_equal(ping.wait(), 0, f"status of ping {host}")


def check_programs(bed, host, far="server", near="client"):
    """iperf3 and dig, from one machine to the other."""
    name_server(bed, host, far)
    dig = bed.spawn(near, [need("dig"), "+short", "+tries=2", "host.example",
                           "@" + host], stdout=subprocess.PIPE, text=True)
    check(dig.communicate()[0].strip(), "dig got no answer")
    need("iperf3")
    for more in [], ["-R"], ["-u", "-b", "20M"]:
        server = Process(bed, far, ["iperf3", "-s", "-1", "-p", "5299",
                                    "--forceflush"])
        server.await_line()
        client = bed.spawn(near, ["iperf3", "-c", host, "-p", "5299", "-t",
                                  "1", *more], stdout=subprocess.DEVNULL)
        status = client.wait()
        server.close()
        check_equal(status, 0, f"status of iperf3 {more}")


def resumes(fetched, what):
    """Traffic comes back in time, without any help. `fetched` tries for two
    seconds."""
    end = time.monotonic() + RESUME_S
    while not fetched():
        check(time.monotonic() < end, f"{what}: dead for {RESUME_S} s")


def check_all(bed, host):
    check_hash(bed, host)
    check_upload(bed, host)
    check_echo(bed, host)
    check_ping(bed, host)
