# SPDX-License-Identifier: GPL-2.0-or-later
# Sessions over this machine's own sockets; for every plugin that opens them.
noinst_LTLIBRARIES += libfreedom.la
libfreedom_la_SOURCES = \
	plugins/freedom/alias.c \
	plugins/freedom/connect.c \
	plugins/freedom/datagram.c \
	plugins/freedom/echo.h \
	plugins/freedom/freedom.c \
	plugins/freedom/freedom.h \
	plugins/freedom/icmp.c \
	plugins/freedom/keepalive.c \
	plugins/freedom/lookup.c \
	plugins/freedom/lookup.h \
	plugins/freedom/raw.c \
	plugins/freedom/send.c \
	plugins/freedom/sock.c \
	plugins/freedom/stream.c \
	plugins/freedom/udp.h \
	plugins/sockets/sockaddr.h \
	plugins/sockets/trains.h
libfreedom_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins/freedom \
	-I$(top_srcdir)/plugins/sockets
