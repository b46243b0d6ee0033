# SPDX-License-Identifier: GPL-2.0-or-later

# The unit tests' framework; without it `make check` runs only the scripts.
AC_DEFUN([WEIR_LIB_CHECK], [
PKG_CHECK_MODULES([CHECK], [check >= 0.15], [have_check=yes], [have_check=no])
AM_CONDITIONAL([HAVE_CHECK], [test $have_check = yes])
WEIR_TABLE([unit tests (check)], [$have_check])
])
