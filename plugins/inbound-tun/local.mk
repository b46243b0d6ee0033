# SPDX-License-Identifier: GPL-2.0-or-later
if INBOUND_TUN
plugin_LTLIBRARIES += inbound-tun.la
inbound_tun_la_SOURCES = \
	plugins/inbound-tun/plugin.c \
	plugins/inbound-tun/receive.c plugins/inbound-tun/receive.h \
	plugins/inbound-tun/options.c plugins/inbound-tun/options.h
inbound_tun_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins/tun
inbound_tun_la_LDFLAGS = $(WEIR_PLUGIN_LDFLAGS)
inbound_tun_la_LIBADD = libtun.la
endif
