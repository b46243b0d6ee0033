# SPDX-License-Identifier: GPL-2.0-or-later
if OUTBOUND_FREEDOM
plugin_LTLIBRARIES += outbound-freedom.la
outbound_freedom_la_SOURCES = \
	plugins/outbound-freedom/moved.c \
	plugins/outbound-freedom/moved.h \
	plugins/outbound-freedom/plugin.c \
	plugins/outbound-freedom/via.c \
	plugins/outbound-freedom/via.h
outbound_freedom_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins/freedom \
	-I$(top_srcdir)/plugins/passage -I$(top_srcdir)/plugins/sockets
outbound_freedom_la_LDFLAGS = $(WEIR_PLUGIN_LDFLAGS)
outbound_freedom_la_LIBADD = libfreedom.la libpassage.la
endif
