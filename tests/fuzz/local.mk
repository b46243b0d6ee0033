# SPDX-License-Identifier: GPL-2.0-or-later

# The configuration, with coverage of everything that reads it.
EXTRA_DIST += tests/fuzz/yaml.dict tests/fuzz/probe.yaml
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_yaml
tests_fuzz_fuzz_yaml_SOURCES = tests/fuzz/fuzz_yaml.c \
	tests/unit/parts.c tests/unit/parts.h \
	core/addr.c core/arena.c core/config.c core/decode.c core/items.c \
	core/key.c core/nearest.c core/references.c core/report.c \
	core/rules.c core/scalar.c core/sections.c core/source.c \
	core/utf8.c core/yaml.c
tests_fuzz_fuzz_yaml_CPPFLAGS = $(WEIR_CORE_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_yaml_CFLAGS = $(AM_CFLAGS) $(FUZZ_CFLAGS)
tests_fuzz_fuzz_yaml_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_yaml_LDADD = libweircore.la
endif

# The gate of the network stack, and the stack behind it, with coverage.
if FUZZ
if NETSTACK
noinst_LTLIBRARIES += libnetstackfuzz.la
libnetstackfuzz_la_SOURCES = $(netstack_sources) $(lwip_sources)
libnetstackfuzz_la_CPPFLAGS = $(NETSTACK_CPPFLAGS)
libnetstackfuzz_la_CFLAGS = $(AM_CFLAGS) $(FUZZ_CFLAGS) \
	-fno-strict-aliasing -fno-sanitize=shift -w

fuzz_sim = tests/sim/sim.c tests/sim/wire.c tests/sim/sim.h \
	tests/sim/client.c tests/sim/client.h plugins/netstack/plugin.c

noinst_PROGRAMS += tests/fuzz/fuzz_gate tests/fuzz/fuzz_tcp
tests_fuzz_fuzz_gate_SOURCES = tests/fuzz/fuzz_gate.c $(fuzz_sim)
tests_fuzz_fuzz_gate_CPPFLAGS = $(NETSTACK_CPPFLAGS) -I$(top_srcdir)/tests/sim
tests_fuzz_fuzz_gate_CFLAGS = $(AM_CFLAGS) $(FUZZ_CFLAGS)
tests_fuzz_fuzz_gate_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_gate_LDADD = libnetstackfuzz.la -lm

# The states of TCP.
tests_fuzz_fuzz_tcp_SOURCES = tests/fuzz/fuzz_tcp.c \
	tests/fuzz/tcp_peer.c tests/fuzz/tcp_peer.h $(fuzz_sim)
tests_fuzz_fuzz_tcp_CPPFLAGS = $(tests_fuzz_fuzz_gate_CPPFLAGS)
tests_fuzz_fuzz_tcp_CFLAGS = $(tests_fuzz_fuzz_gate_CFLAGS)
tests_fuzz_fuzz_tcp_LDFLAGS = $(tests_fuzz_fuzz_gate_LDFLAGS)
tests_fuzz_fuzz_tcp_LDADD = $(tests_fuzz_fuzz_gate_LDADD)
endif
endif

# The identity note of a plugin's file.
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_note
tests_fuzz_fuzz_note_SOURCES = tests/fuzz/fuzz_note.c core/note.c core/note.h
tests_fuzz_fuzz_note_CPPFLAGS = $(WEIR_CORE_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_note_CFLAGS = $(AM_CFLAGS) $(FUZZ_CFLAGS)
tests_fuzz_fuzz_note_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
endif

# WireGuard's messages, and what reads them, with coverage.
if FUZZ
if HAVE_WOLFSSL
noinst_LTLIBRARIES += libwgfuzz.la
libwgfuzz_la_SOURCES = $(wg_sources)
libwgfuzz_la_CPPFLAGS = $(WG_CPPFLAGS)
libwgfuzz_la_CFLAGS = $(AM_CFLAGS) $(FUZZ_CFLAGS)
libwgfuzz_la_LIBADD = $(WOLFSSL_LIBS) $(AEAD_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_wg_handshake
tests_fuzz_fuzz_wg_handshake_SOURCES = tests/fuzz/fuzz_wg_handshake.c
tests_fuzz_fuzz_wg_handshake_CPPFLAGS = $(WG_CPPFLAGS)
tests_fuzz_fuzz_wg_handshake_CFLAGS = $(AM_CFLAGS) $(FUZZ_CFLAGS)
tests_fuzz_fuzz_wg_handshake_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_wg_handshake_LDADD = libwgfuzz.la

noinst_PROGRAMS += tests/fuzz/fuzz_wg_cookie_data
tests_fuzz_fuzz_wg_cookie_data_SOURCES = tests/fuzz/fuzz_wg_cookie_data.c
tests_fuzz_fuzz_wg_cookie_data_CPPFLAGS = $(WG_CPPFLAGS)
tests_fuzz_fuzz_wg_cookie_data_CFLAGS = $(AM_CFLAGS) $(FUZZ_CFLAGS)
tests_fuzz_fuzz_wg_cookie_data_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_wg_cookie_data_LDADD = libwgfuzz.la
endif
endif

# WireGuard: what wg says, and what wg-quick reads.
EXTRA_DIST += tests/fuzz/wg_uapi.dict tests/fuzz/wg_quick.dict
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_wg_uapi tests/fuzz/fuzz_wg_quick
tests_fuzz_fuzz_wg_uapi_SOURCES = tests/fuzz/fuzz_wg_uapi.c $(WG_UAPI)
tests_fuzz_fuzz_wg_uapi_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_wg_uapi_CFLAGS = $(AM_CFLAGS) $(FUZZ_CFLAGS)
tests_fuzz_fuzz_wg_uapi_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_wg_quick_SOURCES = tests/fuzz/fuzz_wg_quick.c \
	plugins/wireguard/import.c plugins/wireguard/import.h $(WG_QUICK)
tests_fuzz_fuzz_wg_quick_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_wg_quick_CFLAGS = $(AM_CFLAGS) $(FUZZ_CFLAGS)
tests_fuzz_fuzz_wg_quick_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
endif

# The driver: each target that is built, for a time.
EXTRA_DIST += tests/fuzz/run
