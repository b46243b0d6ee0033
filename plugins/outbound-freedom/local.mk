# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-License-Identifier: GPL-2.0-or-later
if OUTBOUND_FREEDOM
plugin_LTLIBRARIES += outbound-freedom.la
outbound_freedom_la_SOURCES = $(freedom_sources)
outbound_freedom_la_LDFLAGS = $(WEIR_PLUGIN_LDFLAGS)
endif

# Named once: tests/sim builds the same files into its own program.
freedom_sources = \
	plugins/outbound-freedom/alias.c \
	plugins/outbound-freedom/connect.c \
	plugins/outbound-freedom/datagram.c \
	plugins/outbound-freedom/freedom.h \
	plugins/outbound-freedom/icmp.c \
	plugins/outbound-freedom/plugin.c \
	plugins/outbound-freedom/send.c \
	plugins/outbound-freedom/sock.c \
	plugins/outbound-freedom/stream.c \
	plugins/outbound-freedom/udp.h \
	plugins/outbound-freedom/via.c
