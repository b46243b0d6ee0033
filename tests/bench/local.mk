# SPDX-License-Identifier: GPL-2.0-or-later

# What a packet costs the network stack, by the number of connections.
# Built with the tests, so that they keep up; run by hand.
if NETSTACK
check_PROGRAMS += tests/bench/demux
tests_bench_demux_SOURCES = tests/bench/demux.c tests/sim/sim.c \
	tests/sim/wire.c \
	tests/sim/sim.h tests/sim/client.c tests/sim/client.h \
	plugins/netstack/plugin.c
tests_bench_demux_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/sim \
	-I$(top_srcdir)/plugins/netstack -I$(top_srcdir)/plugins/bytes
tests_bench_demux_LDADD = libnetstack.la
endif

# Weir beside the kernel and the programs of the distribution; run by hand.
EXTRA_DIST += tests/bench/tun tests/bench/peers.py tests/bench/measures.py \
	tests/bench/loads.py tests/bench/bars.json tests/bench/README.md tests/bench/plot \
	tests/bench/profile

# Weir's TCP beside the kernel's on long and lossy paths; run by hand.
EXTRA_DIST += tests/bench/wan tests/bench/wanbed.py tests/bench/wan.json

# Weir's sealing and opening of packets beside the crypto libraries alone.
if HAVE_WOLFSSL
check_PROGRAMS += tests/bench/aead
tests_bench_aead_SOURCES = tests/bench/aead.c
tests_bench_aead_CPPFLAGS = $(WG_CPPFLAGS)
tests_bench_aead_LDADD = libwg.la
endif

# WireGuard beside wireguard-go; run by hand.
EXTRA_DIST += tests/bench/wg tests/bench/wgways.py tests/bench/wgwan.py \
	tests/bench/wg.json
