# SPDX-License-Identifier: GPL-2.0-or-later

# Speaks netlink: addresses and routes of a TUN device.
AC_DEFUN([WEIR_LIB_MNL], [
PKG_CHECK_MODULES([MNL], [libmnl >= 1.0], [have_mnl=yes], [have_mnl=no])
AM_CONDITIONAL([HAVE_MNL], [test $have_mnl = yes])
WEIR_TABLE([library libmnl], [$have_mnl])
])
