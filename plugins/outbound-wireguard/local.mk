# SPDX-License-Identifier: GPL-2.0-or-later
if OUTBOUND_WIREGUARD
plugin_LTLIBRARIES += outbound-wireguard.la
outbound_wireguard_la_SOURCES = \
	plugins/outbound-wireguard/bridge.c \
	plugins/outbound-wireguard/dns.c \
	plugins/outbound-wireguard/names.c \
	plugins/outbound-wireguard/options.c \
	plugins/outbound-wireguard/outbound.h \
	plugins/outbound-wireguard/plugin.c \
	plugins/outbound-wireguard/via.c
outbound_wireguard_la_CPPFLAGS = $(AM_CPPFLAGS) $(CARES_CFLAGS) \
	-I$(top_srcdir)/plugins/wireguard
outbound_wireguard_la_LDFLAGS = $(WEIR_PLUGIN_LDFLAGS)
outbound_wireguard_la_LIBADD = libwgtunnel.la $(CARES_LIBS)
endif
