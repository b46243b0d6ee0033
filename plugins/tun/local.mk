# SPDX-License-Identifier: GPL-2.0-or-later
# A TUN device, its offloads and its addresses, made and kept; for every plugin
# that has one.
if HAVE_MNL
noinst_LTLIBRARIES += libtun.la
libtun_la_SOURCES = \
	plugins/tun/address.c plugins/tun/address.h \
	plugins/tun/mend.c plugins/tun/mend.h \
	plugins/tun/netlink.c plugins/tun/netlink.h \
	plugins/tun/routing.c plugins/tun/routing.h \
	plugins/tun/tun.c plugins/tun/tun.h \
	plugins/tun/upkeep.c plugins/tun/upkeep.h \
	plugins/tun/vnet.c plugins/tun/vnet.h
libtun_la_CFLAGS = $(AM_CFLAGS) $(MNL_CFLAGS)
libtun_la_LIBADD = $(MNL_LIBS)
endif
