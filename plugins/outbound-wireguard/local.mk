# SPDX-License-Identifier: GPL-2.0-or-later
if OUTBOUND_WIREGUARD
plugin_LTLIBRARIES += outbound-wireguard.la
outbound_wireguard_la_SOURCES = \
	plugins/outbound-wireguard/bridge.c \
	plugins/outbound-wireguard/dns.c \
	plugins/outbound-wireguard/dns_stream.c \
	plugins/outbound-wireguard/guard.c \
	plugins/outbound-wireguard/guard.h \
	plugins/outbound-wireguard/kernel.c \
	plugins/outbound-wireguard/kernel.h \
	plugins/outbound-wireguard/kernel_in.c \
	plugins/outbound-wireguard/kernel_out.c \
	plugins/outbound-wireguard/merge.c \
	plugins/outbound-wireguard/merge.h \
	plugins/outbound-wireguard/mtu.c \
	plugins/outbound-wireguard/names.c \
	plugins/outbound-wireguard/options.c \
	plugins/outbound-wireguard/outbound.h \
	plugins/outbound-wireguard/plugin.c \
	plugins/outbound-wireguard/via.c
outbound_wireguard_la_CPPFLAGS = $(AM_CPPFLAGS) $(CARES_CFLAGS) \
	-I$(top_srcdir)/plugins/wireguard -I$(top_srcdir)/plugins/tun \
	-I$(top_srcdir)/plugins/freedom -I$(top_srcdir)/plugins/passage \
	-I$(top_srcdir)/plugins/bytes -I$(top_srcdir)/plugins/sockets
outbound_wireguard_la_LDFLAGS = $(WEIR_PLUGIN_LDFLAGS)
outbound_wireguard_la_LIBADD = libwgtunnel.la libtun.la libfreedom.la \
	libpassage.la $(CARES_LIBS)
endif
