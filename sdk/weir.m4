# SPDX-License-Identifier: MIT
# weir.m4 - for the configure.ac of a weir plugin.
#
# WEIR_SDK([MINIMUM]): find the SDK, at least of that version (1.0). Sets, for
# Makefile.am:
#   WEIR_CFLAGS          where the headers are
#   WEIR_PLUGIN_LDFLAGS  what libtool needs to know to make a plugin
#   weirplugindir        where plugins are installed (--with-weir-plugindir)
#   WEIR_FAKEHOST_LIBS   the fake host of <weir/fakehost.h>, for tests
AC_DEFUN([WEIR_SDK], [
	AC_REQUIRE([PKG_PROG_PKG_CONFIG])
	PKG_CHECK_MODULES([WEIR], [weir-sdk >= m4_default([$1], [1.0])])
	AC_ARG_WITH([weir-plugindir],
		[AS_HELP_STRING([--with-weir-plugindir=DIR],
			[install plugins in DIR, not where weir looks])],
		[weirplugindir=$withval],
		[weirplugindir=`$PKG_CONFIG --variable=plugindir weir-sdk`])
	AC_SUBST([weirplugindir])
	WEIR_FAKEHOST_LIBS=`$PKG_CONFIG --variable=fakehost weir-sdk`
	AC_SUBST([WEIR_FAKEHOST_LIBS])
	AC_SUBST([WEIR_PLUGIN_LDFLAGS],
		['-module -avoid-version -shared -Wl,-z,defs'])
])
