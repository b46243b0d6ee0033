# SPDX-License-Identifier: GPL-2.0-or-later

# WEIR_AEAD
# ---------
# Which libraries may seal and open WireGuard's data packets. wolfSSL always
# can; libcrypto is several times as fast where wolfSSL was built without
# assembly, and Intel's Multi-Buffer Crypto for IPsec twice as fast as that on
# processors with AVX-512; weir looks when it starts. Defines WEIR_AEAD_OPENSSL
# and WEIR_AEAD_IPSEC_MB in AEAD_CPPFLAGS, and the conditionals AEAD_OPENSSL and
# AEAD_IPSEC_MB, for those that are built in; they stand beside wolfSSL, not in
# its place.
AC_DEFUN([WEIR_AEAD], [
AC_ARG_WITH([aead],
	[AS_HELP_STRING([--with-aead=auto|wolfssl|openssl|ipsec-mb],
		[the fastest that may encrypt WireGuard's data @<:@auto: all that are found@:>@])],
	[], [with_aead=auto])
have_libcrypto=no have_ipsec_mb=no
AS_CASE([$with_aead],
	[auto|openssl|ipsec-mb], [PKG_CHECK_MODULES([CRYPTO],
		[libcrypto >= 3.0], [have_libcrypto=yes], [:])],
	[wolfssl], [],
	[AC_MSG_ERROR([--with-aead: expected auto, wolfssl, openssl or ipsec-mb, not $with_aead])])
AS_CASE([$with_aead],
	[auto|ipsec-mb], [AC_CHECK_HEADER([intel-ipsec-mb.h],
		[AC_CHECK_LIB([IPSec_MB], [imb_get_errno],
			[have_ipsec_mb=yes])])])
AS_IF([test $with_aead = openssl && test $have_libcrypto = no],
	[AC_MSG_ERROR([--with-aead=openssl: libcrypto 3.0 or later is missing])])
AS_IF([test $with_aead = ipsec-mb && test $have_ipsec_mb = no],
	[AC_MSG_ERROR([--with-aead=ipsec-mb: libIPSec_MB 1.0 or later is missing])])
AEAD_CPPFLAGS= AEAD_LIBS=
weir_why=wolfSSL
AS_IF([test $have_libcrypto = yes],
	[AEAD_CPPFLAGS="-DWEIR_AEAD_OPENSSL $CRYPTO_CFLAGS"
	AEAD_LIBS=$CRYPTO_LIBS
	weir_why=libcrypto])
AS_IF([test $have_ipsec_mb = yes],
	[AEAD_CPPFLAGS="-DWEIR_AEAD_IPSEC_MB $AEAD_CPPFLAGS"
	AEAD_LIBS="-lIPSec_MB $AEAD_LIBS"
	weir_why="ipsec-mb or $weir_why"])
weir_why="data by $weir_why"
AS_IF([test $have_wolfssl = no], [weir_why="needs wolfssl"])
AC_SUBST([AEAD_CPPFLAGS])
AC_SUBST([AEAD_LIBS])
AM_CONDITIONAL([AEAD_OPENSSL], [test $have_libcrypto = yes])
AM_CONDITIONAL([AEAD_IPSEC_MB], [test $have_ipsec_mb = yes])
WEIR_TABLE([library wireguard's engine], [$have_wolfssl], [$weir_why])
])
