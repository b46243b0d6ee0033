# SPDX-License-Identifier: GPL-2.0-or-later

# The cryptography of WireGuard and of the QUIC sniffer.
AC_DEFUN([WEIR_LIB_WOLFSSL], [
PKG_CHECK_MODULES([WOLFSSL], [wolfssl >= 5.5],
	[have_wolfssl=yes], [have_wolfssl=no])
AM_CONDITIONAL([HAVE_WOLFSSL], [test $have_wolfssl = yes])
WEIR_TABLE([library wolfSSL], [$have_wolfssl])
])
