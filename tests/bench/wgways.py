# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured: each way carries what goes from `place` to 10.77.1.1, an
address of the namespace `server`, through one veth."""
import os
import subprocess

import harness
import peers
import wgbed
from bed import SERVER4, PROXY4

HOSTS = "10.77.0.0/16"


class Way(peers.Peer):
    """Two ends, each a process: `near` in `proxy`, `far` in `server`."""

    place = "client"
    near = far = None
    tun = None

    def ends(self):
        return [p for p in (self.near, self.far) if p]

    def cpu_of(self, ends):
        total = 0.0
        for end in ends:
            self.process = end
            total += super().cpu_s()
        self.process = self.near
        return total

    def cpu_s(self):
        return self.cpu_of(self.ends())

    def weir_s(self):
        """Of weir's end, where the other is another program's."""
        return 0.0

    def into(self, device):
        """The hosts behind `server` through a TUN of `proxy`."""
        self.tun = device
        self.bed.ip("proxy", "route", "replace", HOSTS, "dev", device)

    def stop(self):
        self.process = self.near = self.far = None
        harness.close_kept()
        if self.tun:
            self.bed.ip("proxy", "route", "replace", HOSTS, "via", SERVER4)
            self.tun = None


class Direct(Way):
    name = "direct"
    place = "proxy"

    def start(self):
        pass


class Split(Way):
    """tests/tools/wgsplit at both ends."""

    name = "split limit"
    place = "proxy"

    def end(self, role, device, port, peer, peer_port, address):
        process = harness.keep(harness.Process(
            self.bed, role, [harness.tool("wgsplit"), device, str(port),
                             peer, str(peer_port)]))
        process.await_line()
        self.bed.ip(role, "addr", "add", address, "dev", device)
        self.bed.ip(role, "link", "set", device, "mtu", "1420", "up")
        return process.process

    def start(self):
        self.near = self.end("proxy", "split0", 7001, SERVER4, 7002,
                             "10.7.0.2/24")
        self.far = self.end("server", "split0", 7002, PROXY4, 7001,
                            "10.7.0.1/24")
        self.into("split0")
        self.process = self.near


class Tunnel(Way):
    near_weir = far_weir = False
    congestion = "bbr"  # of weir's TCP: the preset
    workers = 0  # threads of weir's that seal and open
    remote4 = SERVER4  # where the near end finds the far one

    def far_end(self, far, near):
        if not self.far_weir:
            go = wgbed.WireguardGo(self.bed, "server", far)
            go.peer(near.public)
            return go.process
        weir = harness.Weir(self.bed, f"""\
log: {{ level: warn }}
inbounds:
  - tag: wg
    type: wireguard
    listen: "[::]:{wgbed.PORT}"
    private_key: "{far.private}"
    address: {wgbed.listed(wgbed.FAR)}
    allow_private: true
    congestion: {self.congestion}
    workers: {self.workers}
    peers:
      - {{ name: bench, public_key: "{near.public}",
          allowed_ips: {wgbed.listed(wgbed.NEAR)} }}
outbounds:
  - {{ tag: direct, type: freedom }}
""", own_tun=True, role="server")
        return weir.process

    def near_end(self, near, far):
        endpoint = f"{self.remote4}:{wgbed.PORT}"
        if self.near_weir:
            weir = harness.Weir(self.bed, wgbed.through(
                wgbed.outbound(near, far.public, endpoint, more="    "
                               f"congestion: {self.congestion}\n"
                               f"    workers: {self.workers}\n")).replace(
                    "level: info", "level: warn"))
            return weir.process
        go = wgbed.WireguardGo(self.bed, "proxy", near,
                               (wgbed.NEAR4 + "/24",))
        go.peer(far.public, wgbed.ALL, endpoint)
        self.into(go.name)
        return go.process

    def weir_s(self):
        if self.near_weir == self.far_weir:
            return 0.0
        return self.cpu_of([self.near if self.near_weir else self.far])

    def start(self):
        near, far = wgbed.Keys(), wgbed.Keys()
        self.place = "client" if self.near_weir else "proxy"
        self.far = self.far_end(far, near)
        self.near = self.near_end(near, far)
        self.process = self.near


class GoGo(Tunnel):
    name = "go to go"


class WeirGo(Tunnel):
    name = "weir to go"
    near_weir = True


class GoWeir(Tunnel):
    name = "go to weir"
    far_weir = True


class WeirWeir(Tunnel):
    name = "weir to weir"
    near_weir = far_weir = True


class WeirWeirWorker(WeirWeir):
    name = "one worker"
    workers = 1


class WeirWeirCubic(WeirWeir):
    name = "weir cubic"
    congestion = "cubic"


class WeirWeirBbr(WeirWeir):
    name = "weir bbr"
    congestion = "bbr"


class WeirGoBbr(WeirGo):
    name = "weir bbr to go"
    congestion = "bbr"


ALL = {way.name: way for way in (Direct, Split, GoGo, WeirGo, GoWeir,
                                 WeirWeir, WeirWeirWorker)}
# What is told apart only on bad networks.
WAN = {way.name: way for way in (GoGo, WeirWeirCubic, WeirWeirBbr,
                                 WeirGoBbr)}


def ceiling(bed):
    """One core: sealing and sending, as JSON text; empty where it is not
    built."""
    try:
        program = harness.tool("wgsplit")
    except harness.Skip:
        return ""
    process = bed.spawn("proxy", [program, "ceiling", SERVER4, "9"],
                        stdout=subprocess.PIPE, text=True)
    return process.communicate()[0].strip()


def congestion():
    with open("/proc/sys/net/ipv4/tcp_congestion_control",
              encoding="ascii") as f:
        return f.read().strip()


def machine():
    return {"cpus": os.cpu_count(), "kernel": os.uname().release,
            "congestion": congestion()}
