# SPDX-License-Identifier: GPL-2.0-or-later
# WireGuard's engine: no sockets, clock or configuration. Both plugins on it
# link it whole; so do the tests.
if HAVE_WOLFSSL
noinst_LTLIBRARIES += libwg.la

WG_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins/wireguard \
	-I$(top_srcdir)/plugins/bytes -I$(top_srcdir)/plugins/sockets \
	$(WOLFSSL_CFLAGS) $(AEAD_CPPFLAGS)

wg_sources = \
	plugins/wireguard/aead.c \
	plugins/wireguard/aead.h \
	plugins/wireguard/aead_wolfssl.c \
	plugins/wireguard/allowedips.c \
	plugins/wireguard/allowedips.h \
	plugins/wireguard/cookie.c \
	plugins/wireguard/cookie.h \
	plugins/wireguard/crypto.c \
	plugins/wireguard/crypto.h \
	plugins/wireguard/handshake.c \
	plugins/wireguard/handshake.h \
	plugins/wireguard/import.c \
	plugins/wireguard/import.h \
	plugins/wireguard/keytext.c \
	plugins/wireguard/keytext.h \
	plugins/wireguard/message.c \
	plugins/wireguard/message.h \
	plugins/wireguard/noise.c \
	plugins/wireguard/noise.h \
	plugins/wireguard/quick.c \
	plugins/wireguard/quick.h \
	plugins/wireguard/quick_file.c \
	plugins/wireguard/quick_key.c \
	plugins/wireguard/quick_reading.h \
	plugins/wireguard/quick_same.c \
	plugins/wireguard/ratelimit.c \
	plugins/wireguard/ratelimit.h \
	plugins/wireguard/replay.c \
	plugins/wireguard/replay.h \
	plugins/wireguard/uapi.c \
	plugins/wireguard/uapi.h \
	plugins/wireguard/uapi_get.c \
	plugins/wireguard/uapi_private.h \
	plugins/wireguard/uapi_set.c \
	plugins/wireguard/uapi_socket.c \
	plugins/wireguard/uapi_socket.h \
	plugins/wireguard/value.c \
	plugins/wireguard/value.h \
	plugins/wireguard/wg.h \
	plugins/wireguard/wolf.h
# The device on top of them.
wg_sources += \
	plugins/bytes/bytes.h \
	plugins/wireguard/configure.c \
	plugins/wireguard/constants.h \
	plugins/wireguard/cut.c \
	plugins/wireguard/cut.h \
	plugins/wireguard/device.c \
	plugins/wireguard/device.h \
	plugins/wireguard/exchange.c \
	plugins/wireguard/inbox.c \
	plugins/wireguard/index.c \
	plugins/wireguard/index.h \
	plugins/wireguard/keypair.c \
	plugins/wireguard/openings.c \
	plugins/wireguard/pages.h \
	plugins/wireguard/peer.c \
	plugins/wireguard/peers.c \
	plugins/wireguard/peers.h \
	plugins/wireguard/receive.c \
	plugins/wireguard/send.c \
	plugins/wireguard/staged.c \
	plugins/wireguard/sum.c \
	plugins/wireguard/sum.h \
	plugins/wireguard/timers.c \
	plugins/wireguard/train.c \
	plugins/wireguard/train.h \
	plugins/wireguard/workers.c \
	plugins/wireguard/workers.h \
	plugins/wireguard/wheel.c \
	plugins/wireguard/wheel.h
if AEAD_OPENSSL
wg_sources += plugins/wireguard/aead_openssl.c
endif
if AEAD_IPSEC_MB
wg_sources += plugins/wireguard/aead_ipsec_mb.c
endif
libwg_la_SOURCES = $(wg_sources)
libwg_la_CPPFLAGS = $(WG_CPPFLAGS)
libwg_la_LIBADD = $(WOLFSSL_LIBS) $(AEAD_LIBS)

# The engine at work: what a user configures, sockets, a link of the netstack,
# names and the network's changes.
noinst_LTLIBRARIES += libwgtunnel.la
libwgtunnel_la_SOURCES = \
	plugins/sockets/sockaddr.h \
	plugins/sockets/trains.h \
	plugins/wireguard/endpoint.c \
	plugins/wireguard/endpoint.h \
	plugins/wireguard/keyfile.c \
	plugins/wireguard/keyfile.h \
	plugins/wireguard/network.c \
	plugins/wireguard/network.h \
	plugins/wireguard/path.c \
	plugins/wireguard/path.h \
	plugins/wireguard/report.c \
	plugins/wireguard/reserved.c \
	plugins/wireguard/reserved.h \
	plugins/wireguard/settings.c \
	plugins/wireguard/settings.h \
	plugins/wireguard/sleep.c \
	plugins/wireguard/sleep.h \
	plugins/wireguard/tunnel.c \
	plugins/wireguard/tunnel.h \
	plugins/wireguard/tunnel_ops.c \
	plugins/wireguard/tunnel_ops.h \
	plugins/wireguard/udp.c \
	plugins/wireguard/udp.h \
	plugins/wireguard/udp_private.h \
	plugins/wireguard/udp_receive.c \
	plugins/wireguard/udp_send.c
libwgtunnel_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins/wireguard \
	-I$(top_srcdir)/plugins/sockets
libwgtunnel_la_LIBADD = libwg.la
endif
