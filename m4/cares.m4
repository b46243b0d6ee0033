# SPDX-License-Identifier: GPL-2.0-or-later

# Resolves names without blocking the loop.
AC_DEFUN([WEIR_LIB_CARES], [
PKG_CHECK_MODULES([CARES], [libcares >= 1.18], [],
	[AC_MSG_ERROR([c-ares is missing (Debian: libc-ares-dev)])])
])
