# SPDX-License-Identifier: GPL-2.0-or-later

# Hash tables; headers only.
AC_DEFUN([WEIR_LIB_UTHASH], [
AC_CHECK_HEADER([uthash.h], [],
	[AC_MSG_ERROR([uthash is missing (Debian: uthash-dev)])])
])
