# SPDX-License-Identifier: GPL-2.0-or-later
# Load generators and servers of the tests and benches.
check_PROGRAMS += tests/tools/udpload tests/tools/conn
tests_tools_udpload_SOURCES = tests/tools/udpload.c \
	tests/tools/tool.c tests/tools/tool.h
tests_tools_conn_SOURCES = tests/tools/conn.c \
	tests/tools/tool.c tests/tools/tool.h

# A bad network between two TUNs.
check_PROGRAMS += tests/tools/impair
tests_tools_impair_SOURCES = tests/tools/impair.c \
	tests/tools/impair_options.c tests/tools/impair_options.h \
	tests/tools/impair_path.c tests/tools/impair_path.h \
	tests/tools/impair_tun.c tests/tools/impair_tun.h \
	tests/tools/random.h tests/tools/tool.c tests/tools/tool.h

# Packets that nobody honest sends.
check_PROGRAMS += tests/tools/flood
tests_tools_flood_SOURCES = tests/tools/flood.c \
	tests/tools/random.h tests/tools/tool.c tests/tools/tool.h

# What a proxy behind a TUN can reach at all.
check_PROGRAMS += tests/tools/split
tests_tools_split_SOURCES = tests/tools/split.c tests/tools/split_conn.c \
	tests/tools/split.h tests/tools/tool.c tests/tools/tool.h

# A tunnel without a protocol: what WireGuard is measured against.
if AEAD_OPENSSL
check_PROGRAMS += tests/tools/wgsplit
tests_tools_wgsplit_SOURCES = tests/tools/wgsplit.c \
	tests/tools/tool.c tests/tools/tool.h
tests_tools_wgsplit_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins/sockets
tests_tools_wgsplit_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_tools_wgsplit_LDADD = $(CRYPTO_LIBS)
endif

# More WireGuard clients than a machine has room for.
if HAVE_WOLFSSL
check_PROGRAMS += tests/tools/wgload
tests_tools_wgload_SOURCES = tests/tools/wgload.c tests/tools/wgflood.c \
	tests/tools/wgload.h tests/tools/random.h \
	tests/tools/tool.c tests/tools/tool.h
tests_tools_wgload_CPPFLAGS = $(WG_CPPFLAGS) -I$(top_srcdir)
tests_tools_wgload_LDADD = libwg.la
endif
