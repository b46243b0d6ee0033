# SPDX-License-Identifier: GPL-2.0-or-later
# The stack. lwIP's sources are compiled from $(LWIP_DIR) by units that include
# them, one each; their warnings are not ours, nor is its shifting of bytes into
# the sign bit.
if NETSTACK
plugin_LTLIBRARIES += netstack.la
noinst_LTLIBRARIES += liblwip.la libnetstack.la

NETSTACK_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins/netstack \
	-I$(top_srcdir)/plugins/bytes \
	-I$(top_srcdir)/plugins/netstack/lwip $(LWIP_CPPFLAGS)

lwip_sources = \
	plugins/netstack/lwip/arch/cc.h \
	plugins/netstack/lwip/def.c \
	plugins/netstack/lwip/hooks.h \
	plugins/netstack/lwip/icmp6.c \
	plugins/netstack/lwip/inet_chksum.c \
	plugins/netstack/lwip/init.c \
	plugins/netstack/lwip/ip.c \
	plugins/netstack/lwip/ip4.c \
	plugins/netstack/lwip/ip4_addr.c \
	plugins/netstack/lwip/ip6.c \
	plugins/netstack/lwip/ip6_addr.c \
	plugins/netstack/lwip/lwipopts.h \
	plugins/netstack/lwip/mem.c \
	plugins/netstack/lwip/memp.c \
	plugins/netstack/lwip/nd6.c \
	plugins/netstack/lwip/netif.c \
	plugins/netstack/lwip/pbuf.c \
	plugins/netstack/lwip/tcp.c \
	plugins/netstack/lwip/tcp_in.c
liblwip_la_SOURCES = $(lwip_sources)
liblwip_la_CPPFLAGS = $(NETSTACK_CPPFLAGS)
liblwip_la_CFLAGS = $(AM_CFLAGS) -fno-strict-aliasing -fno-sanitize=shift -w

# All but the entry: the tests link it too.
netstack_sources = \
	plugins/bytes/bytes.h \
	plugins/netstack/accept.c \
	plugins/netstack/ack.c \
	plugins/netstack/ack.h \
	plugins/netstack/bbr.c \
	plugins/netstack/bbr.h \
	plugins/netstack/bbr_model.h \
	plugins/netstack/bbr_probe.c \
	plugins/netstack/block.c \
	plugins/netstack/block.h \
	plugins/netstack/buffer.c \
	plugins/netstack/buffer.h \
	plugins/netstack/burst.c \
	plugins/netstack/burst.h \
	plugins/netstack/checksum.c \
	plugins/netstack/checksum.h \
	plugins/netstack/congestion.h \
	plugins/netstack/conn.c \
	plugins/netstack/conn.h \
	plugins/netstack/connect.c \
	plugins/netstack/connect.h \
	plugins/netstack/cubic.c \
	plugins/netstack/cubic.h \
	plugins/netstack/cut.c \
	plugins/netstack/cut.h \
	plugins/netstack/demux.c \
	plugins/netstack/demux.h \
	plugins/netstack/ecn.c \
	plugins/netstack/ecn.h \
	plugins/netstack/emit.c \
	plugins/netstack/emit.h \
	plugins/netstack/flight.c \
	plugins/netstack/flight.h \
	plugins/netstack/flow.c \
	plugins/netstack/flow.h \
	plugins/netstack/frag.c \
	plugins/netstack/frag.h \
	plugins/netstack/gro.c \
	plugins/netstack/gro.h \
	plugins/netstack/holder.c \
	plugins/netstack/holder.h \
	plugins/netstack/hystart.c \
	plugins/netstack/hystart.h \
	plugins/netstack/icmp.c \
	plugins/netstack/icmp.h \
	plugins/netstack/input.c \
	plugins/netstack/input.h \
	plugins/netstack/memory.c \
	plugins/netstack/memory.h \
	plugins/netstack/narrow.c \
	plugins/netstack/narrow.h \
	plugins/netstack/netif.c \
	plugins/netstack/netif.h \
	plugins/netstack/pace.c \
	plugins/netstack/pace.h \
	plugins/netstack/packet.c \
	plugins/netstack/packet.h \
	plugins/netstack/pmtu.c \
	plugins/netstack/pmtu.h \
	plugins/netstack/port.c \
	plugins/netstack/port.h \
	plugins/netstack/prr.c \
	plugins/netstack/prr.h \
	plugins/netstack/ram.c \
	plugins/netstack/ram.h \
	plugins/netstack/rate.c \
	plugins/netstack/rate.h \
	plugins/netstack/receive.c \
	plugins/netstack/recovery.c \
	plugins/netstack/recovery.h \
	plugins/netstack/reorder.c \
	plugins/netstack/reorder.h \
	plugins/netstack/reset.c \
	plugins/netstack/reset.h \
	plugins/netstack/retransmit.c \
	plugins/netstack/segment.c \
	plugins/netstack/segment.h \
	plugins/netstack/scoreboard.c \
	plugins/netstack/scoreboard.h \
	plugins/netstack/send.c \
	plugins/netstack/sieve.c \
	plugins/netstack/sieve.h \
	plugins/netstack/siphash.c \
	plugins/netstack/siphash.h \
	plugins/netstack/stack.c \
	plugins/netstack/stack.h \
	plugins/netstack/table.c \
	plugins/netstack/table.h \
	plugins/netstack/tcp.c \
	plugins/netstack/tcp_out.c \
	plugins/netstack/tcp_timer.c \
	plugins/netstack/timer.c \
	plugins/netstack/timer.h \
	plugins/netstack/trim.c \
	plugins/netstack/udp.c \
	plugins/netstack/unreachable.c \
	plugins/netstack/unreachable.h
libnetstack_la_SOURCES = $(netstack_sources)
libnetstack_la_CPPFLAGS = $(NETSTACK_CPPFLAGS)
libnetstack_la_CFLAGS = $(AM_CFLAGS) -fno-strict-aliasing -fno-sanitize=shift
libnetstack_la_LIBADD = liblwip.la -lm

netstack_la_SOURCES = plugins/netstack/plugin.c
netstack_la_LDFLAGS = $(WEIR_PLUGIN_LDFLAGS)
netstack_la_LIBADD = libnetstack.la
endif
