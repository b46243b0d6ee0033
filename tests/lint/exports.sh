#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each built plugin exports its entry and nothing else, asks nothing of weir but
# what it gets through the host table, and does not tell where it was built.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

entry=weir_plugin_1
plugins=${PLUGIN_DIR:-$src/.libs}
seen=0

# An instrumented build exports what its sanitizer adds.
exported() {
	nm -D --defined-only "$1" | awk '{ print $NF }' |
		sed 's/@.*//' | grep -vE '^(__asan|__odr_asan|__start_|__stop_)'
}

for plugin in "$plugins"/{inbound,outbound,netstack,sniff}*.so; do
	[ -f "$plugin" ] || continue
	seen=$((seen + 1))
	exported "$plugin" | grep -vx "$entry" |
		verdict "$(basename "$plugin") exports nothing but its entry"
	{ exported "$plugin" | grep -qx "$entry" || echo "no $entry"; } |
		verdict "$(basename "$plugin") exports its entry"
	nm -D --undefined-only "$plugin" | grep -w 'weir_[a-z_]*' |
		verdict "$(basename "$plugin") links nothing of weir's"
	# Its folder, lwIP's; a sanitizer names the files that it found.
	nm -D "$plugin" | grep -qE ' __(asan|ubsan)_' ||
		strings -a "$plugin" |
		grep -xE "$PWD|${abs_top_builddir:-$PWD}|/.*(\.[ch]|/src/core)" |
		verdict "$(basename "$plugin") names no folder of who built it"
done
[ $seen -gt 0 ] || skip "plugins export only their entry" "none was built"
exit $failed
