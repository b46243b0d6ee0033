# SPDX-License-Identifier: GPL-2.0-or-later
if INBOUND_WIREGUARD
plugin_LTLIBRARIES += inbound-wireguard.la
inbound_wireguard_la_SOURCES = \
	plugins/inbound-wireguard/inbound.h \
	plugins/inbound-wireguard/options.c \
	plugins/inbound-wireguard/plugin.c \
	plugins/inbound-wireguard/private.c
inbound_wireguard_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-I$(top_srcdir)/plugins/wireguard
inbound_wireguard_la_LDFLAGS = $(WEIR_PLUGIN_LDFLAGS)
inbound_wireguard_la_LIBADD = libwgtunnel.la
endif
