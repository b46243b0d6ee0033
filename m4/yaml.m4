# SPDX-License-Identifier: GPL-2.0-or-later

# Reads the configuration file.
AC_DEFUN([WEIR_LIB_YAML], [
PKG_CHECK_MODULES([YAML], [yaml-0.1 >= 0.2], [],
	[AC_MSG_ERROR([libyaml is missing (Debian: libyaml-dev)])])
])
