# SPDX-License-Identifier: GPL-2.0-or-later

# The cryptography of WireGuard. wolfSSL can be built without parts of itself;
# one that lacks what we call is none.
AC_DEFUN([WEIR_LIB_WOLFSSL], [
PKG_CHECK_MODULES([WOLFSSL], [wolfssl >= 5.5],
	[have_wolfssl=yes], [have_wolfssl=no])
weir_why=
AS_IF([test $have_wolfssl = yes], [WEIR_WOLFSSL_PARTS])
AM_CONDITIONAL([HAVE_WOLFSSL], [test $have_wolfssl = yes])
WEIR_TABLE([library wolfSSL], [$have_wolfssl], [$weir_why])
])

AC_DEFUN([WEIR_WOLFSSL_PARTS], [
weir_cppflags=$CPPFLAGS
CPPFLAGS="$CPPFLAGS $WOLFSSL_CFLAGS"
AC_MSG_CHECKING([for X25519, BLAKE2s and XChaCha20-Poly1305 in wolfSSL])
AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
#include <wolfssl/options.h>
#if !defined(HAVE_CURVE25519) || !defined(HAVE_BLAKE2S) || \
	!defined(HAVE_CHACHA) || !defined(HAVE_XCHACHA) || \
	!defined(HAVE_POLY1305)
#error
#endif
]])],
	[AC_MSG_RESULT([yes])],
	[AC_MSG_RESULT([no])
	have_wolfssl=no
	weir_why="is built without X25519, BLAKE2s or XChaCha20"])
CPPFLAGS=$weir_cppflags
])
