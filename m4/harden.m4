# SPDX-License-Identifier: GPL-2.0-or-later

# WEIR_HARDEN
# -----------
# HARDEN_CFLAGS and HARDEN_LDFLAGS for everything, PIE_LDFLAGS for programs
# (libtool's own -fPIC follows, and so overrides, -fPIE in shared objects).
# Each flag is tried first. A sanitizer brings its own checks and refuses
# some of these, so then only those that do no harm are left.
AC_DEFUN([WEIR_HARDEN], [
AC_REQUIRE([WEIR_SANITIZE])
HARDEN_CFLAGS=
HARDEN_LDFLAGS=
PIE_LDFLAGS=
WEIR_TRY_CFLAG([HARDEN_CFLAGS], [-fvisibility=hidden])
WEIR_TRY_CFLAG([HARDEN_CFLAGS], [-fPIE])
WEIR_TRY_CFLAG([HARDEN_CFLAGS], [-fstack-protector-strong])
WEIR_TRY_CFLAG([HARDEN_CFLAGS], [-fno-strict-overflow])
AS_IF([test "x$enable_sanitize" != xyes], [
	WEIR_TRY_CFLAG([HARDEN_CFLAGS], [-fstack-clash-protection])
	WEIR_TRY_CFLAG([HARDEN_CFLAGS], [-fcf-protection])
	# glibc warns, rightly, when there is no optimiser to do the checks.
	AS_CASE([" $CPPFLAGS $CFLAGS "],
		[*" -O0 "*|*_FORTIFY_SOURCE*], [],
		[*" -O"*], [AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
#if _FORTIFY_SOURCE < 2
#error fewer checks than ours
#endif
]])], [], [AS_VAR_APPEND([HARDEN_CFLAGS],
			[" -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])])])
])
WEIR_TRY_LDFLAG([HARDEN_LDFLAGS], [-Wl,-z,relro])
WEIR_TRY_LDFLAG([HARDEN_LDFLAGS], [-Wl,-z,now])
WEIR_TRY_LDFLAG([HARDEN_LDFLAGS], [-Wl,-z,noexecstack])
WEIR_TRY_LDFLAG([PIE_LDFLAGS], [-pie])
AC_SUBST([HARDEN_CFLAGS])
AC_SUBST([HARDEN_LDFLAGS])
AC_SUBST([PIE_LDFLAGS])
])

# WEIR_SANITIZE
# -------------
# --enable-sanitize: AddressSanitizer and UndefinedBehaviorSanitizer, every
# finding fatal. NO_UNDEFINED is what a plugin is linked with so that a symbol
# of weir's can never be used by mistake; clang leaves its sanitizer's symbols
# to the program, and so it cannot be had together with that.
AC_DEFUN([WEIR_SANITIZE], [
AC_ARG_ENABLE([sanitize],
	[AS_HELP_STRING([--enable-sanitize],
		[build with ASan and UBSan @<:@no@:>@])],
	[], [enable_sanitize=no])
SANITIZE_CFLAGS=
NO_UNDEFINED="-Wl,-z,defs"
AS_IF([test "x$enable_sanitize" = xyes], [
	WEIR_TRY_CFLAG([SANITIZE_CFLAGS], [-fsanitize=address])
	WEIR_TRY_CFLAG([SANITIZE_CFLAGS], [-fsanitize=undefined])
	WEIR_TRY_CFLAG([SANITIZE_CFLAGS], [-fno-sanitize-recover=all])
	WEIR_TRY_CFLAG([SANITIZE_CFLAGS], [-fno-omit-frame-pointer])
	AS_CASE([$SANITIZE_CFLAGS], [*address*], [],
		[AC_MSG_ERROR([this compiler has no AddressSanitizer])])
	AS_IF([$CC --version 2>/dev/null | grep clang >/dev/null],
		[NO_UNDEFINED=])
])
AC_SUBST([SANITIZE_CFLAGS])
AC_SUBST([NO_UNDEFINED])
])

# WEIR_FUZZ
# ---------
# --enable-fuzz: libFuzzer targets, one a gate (tests/fuzz).
AC_DEFUN([WEIR_FUZZ], [
AC_ARG_ENABLE([fuzz],
	[AS_HELP_STRING([--enable-fuzz],
		[build the fuzz targets; needs CC=clang and
		--enable-sanitize @<:@no@:>@])],
	[], [enable_fuzz=no])
FUZZ_CFLAGS=
FUZZ_LDFLAGS=
AS_IF([test "x$enable_fuzz" = xyes], [
	WEIR_TRY_CFLAG([FUZZ_CFLAGS], [-fsanitize=fuzzer-no-link])
	AS_IF([test -z "$FUZZ_CFLAGS"],
		[AC_MSG_ERROR([--enable-fuzz needs clang: configure CC=clang])])
	# What is fuzzed is in the libraries, so all is built for coverage.
	AS_VAR_APPEND([SANITIZE_CFLAGS], ["$FUZZ_CFLAGS"])
	AS_IF([test "x$enable_sanitize" != xyes],
		[AC_MSG_ERROR([--enable-fuzz needs --enable-sanitize])])
	FUZZ_LDFLAGS="-fsanitize=fuzzer"
])
AM_CONDITIONAL([FUZZ], [test "x$enable_fuzz" = xyes])
AC_SUBST([FUZZ_CFLAGS])
AC_SUBST([FUZZ_LDFLAGS])
WEIR_TABLE([fuzz targets], [$enable_fuzz])
WEIR_TABLE([sanitizers], [$enable_sanitize])
])
