# SPDX-License-Identifier: GPL-2.0-or-later

# WEIR_AEAD
# ---------
# Which library seals and opens WireGuard's data packets. wolfSSL always can;
# libcrypto is several times as fast where wolfSSL was built without assembly.
# Defines WEIR_AEAD_OPENSSL in AEAD_CPPFLAGS, and the conditional AEAD_OPENSSL,
# where libcrypto is used; it then stands beside wolfSSL, not in its place.
AC_DEFUN([WEIR_AEAD], [
AC_ARG_WITH([aead],
	[AS_HELP_STRING([--with-aead=auto|wolfssl|openssl],
		[what encrypts WireGuard's data @<:@auto: openssl where found@:>@])],
	[], [with_aead=auto])
AS_CASE([$with_aead],
	[auto|openssl], [PKG_CHECK_MODULES([CRYPTO], [libcrypto >= 3.0],
		[have_libcrypto=yes], [have_libcrypto=no])],
	[wolfssl], [have_libcrypto=no],
	[AC_MSG_ERROR([--with-aead: expected auto, wolfssl or openssl, not $with_aead])])
AS_IF([test $with_aead = openssl && test $have_libcrypto = no],
	[AC_MSG_ERROR([--with-aead=openssl: libcrypto 3.0 or later is missing])])
AEAD_CPPFLAGS=
weir_why="data by wolfSSL"
AS_IF([test $have_libcrypto = yes],
	[AEAD_CPPFLAGS="-DWEIR_AEAD_OPENSSL $CRYPTO_CFLAGS"
	weir_why="data by libcrypto"])
AS_IF([test $have_wolfssl = no], [weir_why="needs wolfssl"])
AC_SUBST([AEAD_CPPFLAGS])
AM_CONDITIONAL([AEAD_OPENSSL], [test $have_libcrypto = yes])
WEIR_TABLE([library wireguard's engine], [$have_wolfssl], [$weir_why])
])
