# SPDX-License-Identifier: GPL-2.0-or-later

# The event loop. Only its core is used: no buffers, no HTTP, no threads.
AC_DEFUN([WEIR_LIB_EVENT], [
PKG_CHECK_MODULES([LIBEVENT], [libevent_core >= 2.1], [],
	[AC_MSG_ERROR([libevent is missing (Debian: libevent-dev)])])
])
