# SPDX-License-Identifier: GPL-2.0-or-later
if INBOUND_TUN
plugin_LTLIBRARIES += inbound-tun.la
inbound_tun_la_SOURCES = \
	plugins/inbound-tun/plugin.c \
	plugins/inbound-tun/receive.c plugins/inbound-tun/receive.h \
	plugins/inbound-tun/options.c plugins/inbound-tun/options.h \
	plugins/inbound-tun/tun.c plugins/inbound-tun/tun.h \
	plugins/inbound-tun/vnet.c plugins/inbound-tun/vnet.h \
	plugins/inbound-tun/address.c plugins/inbound-tun/address.h
inbound_tun_la_CFLAGS = $(AM_CFLAGS) $(MNL_CFLAGS)
inbound_tun_la_LDFLAGS = $(WEIR_PLUGIN_LDFLAGS)
inbound_tun_la_LIBADD = $(MNL_LIBS)
endif
