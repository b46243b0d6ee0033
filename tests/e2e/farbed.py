# SPDX-License-Identifier: GPL-2.0-or-later
"""A bed whose client sits at the far end of a bad network.

    client === impair === middle --- weir's TUN --- proxy === veth === server

`middle` only forwards: the client's kernel and weir's stack are the two ends
of every TCP connection, and all that is lost, late or broken lies between
them."""
import harness
import impairment
from bed import Bed, TUN

HOSTS4, HOSTS6 = "10.77.0.0/16", "2001:db8:77::/48"
# Forwarded packets get no back-pressure: with the default of 500 it is this
# queue that loses them whenever weir waits for a processor.
QUEUE_PACKETS = "10000"
# Nobody's patience may end a transfer before the bad network lets it end.
CONFIG = """\
log: { level: info }
services:
  - { tag: stack, type: netstack, congestion: %s }
inbounds:
  - { tag: tun, type: tun }
outbounds:
  - { tag: direct, type: freedom }
policy:
  levels: { 0: { idle: 300s, uplink_only: 300s, downlink_only: 300s } }
"""


class FarBed(Bed):
    def __init__(self):
        super().__init__()
        self._space("middle")
        with self.inside("middle"):
            for path in "ipv4/ip_forward", "ipv6/conf/all/forwarding":
                with open("/proc/sys/net/" + path, "w",
                          encoding="ascii") as f:
                    f.write("1")

    def tun(self, role="middle", name=TUN, offload=True):
        return super().tun(role, name, offload)

    def tun_up(self, mtu=1500):
        self.ip("middle", "link", "set", TUN, "mtu", str(mtu), "txqueuelen",
                QUEUE_PACKETS, "up")
        self.ip("middle", "route", "replace", HOSTS4, "dev", TUN)
        self.ip("middle", "-6", "route", "replace", HOSTS6, "dev", TUN)


def far_weir(bed, congestion, **faults):
    """Weir behind a network with these faults; returns both."""
    bridge = harness.keep(impairment.Impairment(
        bed, right="middle", ipv6=True, left_routes=[HOSTS4, HOSTS6],
        **faults))
    return harness.Weir(bed, CONFIG % congestion), bridge
