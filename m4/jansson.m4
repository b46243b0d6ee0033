# SPDX-License-Identifier: GPL-2.0-or-later

# Writes the JSON Schema of the configuration.
AC_DEFUN([WEIR_LIB_JANSSON], [
PKG_CHECK_MODULES([JANSSON], [jansson >= 2.12], [],
	[AC_MSG_ERROR([jansson is missing (Debian: libjansson-dev)])])
])
