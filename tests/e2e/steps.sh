# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034 # failed, built: for who sources this
# What the tests in shell share; sourced, never run. They set `dir`, a folder
# of their own, before the first step.

built=${abs_top_builddir:?}
failed=0

# Whether the programs of this build need a sanitizer's runtime.
is_sanitized() {
	nm "$built/libweir-fakehost.a" 2>/dev/null |
		grep -qE '__(asan|ubsan|tsan|msan)_'
}

# step PROMISE COMMAND...: the log of a failed command is shown. False: it did.
step() {
	local promise=$1

	shift
	if "$@" >"${dir:?}/log" 2>&1; then
		echo "ok - $promise"
		return
	fi
	echo "not ok - $promise"
	tail -n 20 "$dir/log"
	failed=1
	return 1
}
