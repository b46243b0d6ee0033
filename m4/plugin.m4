# SPDX-License-Identifier: GPL-2.0-or-later

# WEIR_PLUGIN(NAME, [NEEDS])
# --------------------------
# Adds --enable-NAME=auto|yes|no. NEEDS lists libraries by the name of their
# have_ variable. auto builds the plugin when all of them are there, yes makes
# a missing one an error. Sets the automake conditional of that name
# (inbound-tun: INBOUND_TUN) and a line of the closing table.
AC_DEFUN([WEIR_PLUGIN], [
AC_ARG_ENABLE([$1],
	[AS_HELP_STRING([--enable-$1=auto|yes|no],
		[build the plugin $1 @<:@auto@:>@])],
	[], [AS_VAR_SET([enable_]AS_TR_SH([$1]), [auto])])
AS_VAR_COPY([weir_wanted], [enable_]AS_TR_SH([$1]))
weir_missing=
for weir_need in $2; do
	AS_VAR_COPY([weir_found], [have_$weir_need])
	AS_IF([test "x$weir_found" != xyes],
		[weir_missing="$weir_missing $weir_need"])
done
AS_CASE([$weir_wanted],
	[no], [weir_build=no; weir_why="switched off"],
	[auto], [AS_IF([test -n "$weir_missing"],
		[weir_build=no; weir_why="needs$weir_missing"],
		[weir_build=yes; weir_why=])],
	[yes], [AS_IF([test -n "$weir_missing"],
		[AC_MSG_ERROR([plugin $1 was asked for but needs$weir_missing])],
		[weir_build=yes; weir_why=])],
	[AC_MSG_ERROR([--enable-$1: expected auto, yes or no, not $weir_wanted])])
AM_CONDITIONAL(m4_translit([$1], [a-z-], [A-Z_]), [test $weir_build = yes])
WEIR_TABLE([plugin $1], [$weir_build], [$weir_why])
])

# WEIR_TABLE(WHAT, YES-OR-NO, [WHY])
# ----------------------------------
# One line of the table that ends configure.
AC_DEFUN([WEIR_TABLE], [
AS_VAR_APPEND([weir_table],
	["AS_ESCAPE([$1])|$2|$3
"])])

AC_DEFUN([WEIR_SUMMARY], [
AC_MSG_NOTICE([what will be built:])
printf '%s' "$weir_table" | sort -s -t'|' -k1,1 |
	awk -F'|' '{ printf "  %-28s %-4s %s\n", $[]1, $[]2, $[]3 }'
])
