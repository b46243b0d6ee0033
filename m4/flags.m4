# SPDX-License-Identifier: GPL-2.0-or-later

# WEIR_TRY_CFLAG(VARIABLE, FLAG), WEIR_TRY_LDFLAG(VARIABLE, FLAG)
# ---------------------------------------------------------------
# Appends FLAG to VARIABLE if the compiler (the linker) takes it without a
# word; an unknown flag may be only a warning, hence -Werror.
AC_DEFUN([WEIR_TRY_CFLAG], [
AS_VAR_PUSHDEF([cache], [weir_cv_cflag_$2])
AC_CACHE_CHECK([whether the compiler takes $2], [cache], [
	weir_saved=$CFLAGS
	CFLAGS="$CFLAGS -Werror $2"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
		[AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
	CFLAGS=$weir_saved])
AS_VAR_IF([cache], [yes], [AS_VAR_APPEND([$1], [" $2"])])
AS_VAR_POPDEF([cache])
])

AC_DEFUN([WEIR_TRY_LDFLAG], [
AS_VAR_PUSHDEF([cache], [weir_cv_ldflag_$2])
AC_CACHE_CHECK([whether the linker takes $2], [cache], [
	weir_saved=$LDFLAGS
	LDFLAGS="$LDFLAGS $2"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
		[AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
	LDFLAGS=$weir_saved])
AS_VAR_IF([cache], [yes], [AS_VAR_APPEND([$1], [" $2"])])
AS_VAR_POPDEF([cache])
])

# Everything that -W has to say, said to everybody; an error only when asked,
# so that a newer compiler's new warning does not stop a user's build.
AC_DEFUN([WEIR_WARNINGS], [
AC_ARG_ENABLE([werror],
	[AS_HELP_STRING([--enable-werror], [warnings are errors @<:@no@:>@])],
	[], [enable_werror=no])
WARN_CFLAGS="-std=gnu11 -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes"
WEIR_TRY_CFLAG([WARN_CFLAGS], [-Wmissing-prototypes])
WEIR_TRY_CFLAG([WARN_CFLAGS], [-Wvla])
AS_IF([test "x$enable_werror" = xyes],
	[AS_VAR_APPEND([WARN_CFLAGS], [" -Werror"])])
AC_SUBST([WARN_CFLAGS])
])

# PREFIX_MAP keeps the folders of who builds out of assertions and of what is
# there for debuggers: the same source gives the same bytes in any of them.
AC_DEFUN([WEIR_PREFIX_MAP], [
AC_REQUIRE([WEIR_LIB_LWIP])
PREFIX_MAP=
WEIR_TRY_CFLAG([PREFIX_MAP], [-ffile-prefix-map=/from=to])
AS_IF([test -n "$PREFIX_MAP"],
	[PREFIX_MAP='-ffile-prefix-map=$(top_srcdir)=.'
	AS_VAR_APPEND([PREFIX_MAP], [' -ffile-prefix-map=$(abs_top_srcdir)=.'])
	AS_VAR_APPEND([PREFIX_MAP], [' -ffile-prefix-map=$(abs_top_builddir)=.'])
	AS_IF([test -n "$LWIP_DIR"], [AS_VAR_APPEND([PREFIX_MAP],
		[' -ffile-prefix-map=$(LWIP_DIR)=lwip'])])])
AC_SUBST([PREFIX_MAP])
])
