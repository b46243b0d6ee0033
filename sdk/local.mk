# SPDX-License-Identifier: MIT
# What a plugin's author gets: headers, the fake host, a plugin to begin from.
weirincludedir = $(includedir)/weir
weirinclude_HEADERS = \
	sdk/include/weir/base.h \
	sdk/include/weir/host.h \
	sdk/include/weir/netstack.h \
	sdk/include/weir/option.h \
	sdk/include/weir/plugin.h \
	sdk/include/weir/stream.h \
	sdk/fakehost/weir/fakehost.h

lib_LIBRARIES = libweir-fakehost.a
libweir_fakehost_a_SOURCES = \
	sdk/fakehost/dial.c \
	sdk/fakehost/ends.c \
	sdk/fakehost/fakehost.c \
	sdk/fakehost/private.h \
	sdk/fakehost/time.c
libweir_fakehost_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/sdk/fakehost

templatedir = $(pkgdatadir)/template
dist_template_DATA = \
	sdk/template/Makefile.am \
	sdk/template/configure.ac \
	sdk/template/echo.c \
	sdk/template/test_echo.c

aclocaldir = $(datadir)/aclocal
dist_aclocal_DATA = sdk/weir.m4
dist_doc_DATA += sdk/ABI.md
EXTRA_DIST += sdk/LICENSE sdk/weir-sdk.pc.in

# The version of the SDK, which is not the package's. Paths are told relative
# to the prefix, so that an installed tree can be moved.
pkgconfig_DATA += sdk/weir-sdk.pc
CLEANFILES += sdk/weir-sdk.pc
sdk/weir-sdk.pc: sdk/weir-sdk.pc.in sdk/include/weir/base.h Makefile
	$(AM_V_GEN)$(MKDIR_P) sdk && \
	version=`sed -n 's/^.define WEIR_M[A-Z]*OR \([0-9]*\).*/\1/p' \
		$(top_srcdir)/sdk/include/weir/base.h | paste -sd. -` && \
	sed -e 's|[@]libdir[@]|$(libdir)|' \
		-e 's|[@]includedir[@]|$(includedir)|' \
		-e 's|[@]plugindir[@]|$(plugindir)|' \
		-e 's|[@]templatedir[@]|$(templatedir)|' \
		-e 's|=$(prefix)/|=$${prefix}/|' \
		-e 's|[@]prefix[@]|$(prefix)|' \
		-e "s|[@]SDK_VERSION[@]|$$version|" \
		$(top_srcdir)/sdk/weir-sdk.pc.in >$@.new && mv $@.new $@

# The template's own test, without installing anything.
check_PROGRAMS += sdk/template/test_echo
TESTS += sdk/template/test_echo
sdk_template_test_echo_SOURCES = sdk/template/test_echo.c sdk/template/echo.c
sdk_template_test_echo_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/sdk/fakehost
sdk_template_test_echo_LDADD = libweir-fakehost.a
