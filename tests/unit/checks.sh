# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034 # for who sources this
# What the tests of weir's commands share; sourced, never run.

weir=${WEIR:-./weir}
plugins=${PLUGIN_DIR:-$PWD/.libs}
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
failed=0

# need TESTS PLUGIN...: they are skipped where one of these was not built.
need() {
	local tests=$1 plugin

	for plugin in "${@:2}"; do
		[ -e "$plugins/$plugin.so" ] && continue
		echo "skip - $tests: $plugin was not built"
		exit 77
	done
}
