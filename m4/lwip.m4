# SPDX-License-Identifier: GPL-2.0-or-later

# WEIR_LIB_LWIP
# -------------
# lwIP is compiled from its own source with our options, never linked: a
# distribution's shared library has 64 KB windows and no hooks. The source
# comes from --with-lwip=DIR, or from where contrib/fetch-lwip has put it.
AC_DEFUN([WEIR_LIB_LWIP], [
AC_ARG_WITH([lwip],
	[AS_HELP_STRING([--with-lwip=DIR],
		[lwIP's source, 2.1.3 or later @<:@what contrib/fetch-lwip got@:>@])],
	[], [with_lwip=auto])
AC_MSG_CHECKING([for lwIP's source])
LWIP_DIR=
weir_cache=${XDG_CACHE_HOME:-$HOME/.cache}/weir
AS_CASE([$with_lwip],
	[no], [],
	[auto|yes], [for weir_dir in "$weir_cache/lwip-2.2.1" \
			"$weir_cache/lwip-2.1.3"; do
		AS_IF([test -z "$LWIP_DIR" &&
			test -f "$weir_dir/src/include/lwip/init.h"],
			[LWIP_DIR=$weir_dir])
	done],
	[LWIP_DIR=`cd "$with_lwip" 2>/dev/null && pwd`])
AS_IF([test "x$with_lwip" = xno],
	[have_lwip=no
	AC_MSG_RESULT([switched off])],
	[test -f "$LWIP_DIR/src/include/lwip/init.h"],
	[have_lwip=yes
	WEIR_LWIP_VERSION
	AC_MSG_RESULT([$LWIP_DIR ($LWIP_VERSION)])],
	[AC_MSG_RESULT([no])
	AS_CASE([$with_lwip],
	[auto|yes], [AC_MSG_ERROR([lwIP's source is missing. Run
    $srcdir/contrib/fetch-lwip
and configure again, or name a copy with --with-lwip=DIR. Without lwIP
(--without-lwip) weir has no netstack, hence no TUN inbound.])],
	[AC_MSG_ERROR([--with-lwip=$with_lwip: no src/include/lwip/init.h there])])])
LWIP_CPPFLAGS=
AS_IF([test $have_lwip = yes],
	[LWIP_CPPFLAGS="-isystem $LWIP_DIR/src/include -isystem $LWIP_DIR/src"
	# 2.1 has not yet the name that 2.2 gave to this macro.
	AS_CASE([$LWIP_VERSION], [2.1.*],
		[AS_VAR_APPEND([LWIP_CPPFLAGS], [" -Dip_addr_eq=ip_addr_cmp"])])])
AC_SUBST([LWIP_DIR])
AC_SUBST([LWIP_VERSION])
AC_SUBST([LWIP_CPPFLAGS])
WEIR_TABLE([library lwIP], [$have_lwip], [$LWIP_VERSION])
])

# Reads LWIP_VERSION out of lwIP's init.h.
AC_DEFUN([WEIR_LWIP_VERSION], [
LWIP_VERSION=`awk '/define LWIP_VERSION_(MAJOR|MINOR|REVISION) / {
	v = v sep $[]3; sep = "." } END { print v }' \
	"$LWIP_DIR/src/include/lwip/init.h"`
AS_CASE([$LWIP_VERSION],
	[2.1.3|2.[[2-9]].*], [],
	[AC_MSG_ERROR([$LWIP_DIR holds lwIP $LWIP_VERSION; 2.1.3 is the least])])
])
