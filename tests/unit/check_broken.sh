#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every file in broken/ begins with "# expect: LINE:COLUMN: WORDS", one line an
# error. weir check must say each of them, nothing else, and end with 78.
set -u
# shellcheck source=tests/unit/checks.sh
. "$(dirname "$0")/checks.sh"

folder=$top/tests/unit/broken
need "broken configurations" netstack inbound-tun outbound-freedom \
	outbound-blackhole

# Errors of $1 that are not as expected; empty where all is well.
judge() {
	local said status want wanted=0 told

	said=$("$weir" --plugin-dir "$plugins" check -c "$1" 2>&1)
	status=$?
	[ "$status" = 78 ] || echo "it ended with $status"
	while read -r want; do
		wanted=$((wanted + 1))
		case $said in
		*"$1:$want"*) ;;
		*) echo "nobody said: $want" ;;
		esac
	done < <(sed -n 's/^# expect: //p' "$1")
	told=$(grep -c . <<< "$said")
	[ "$told" = "$wanted" ] || echo "$told lines, not $wanted: $said"
}

for file in "$folder"/*.yaml; do
	name=$(basename "$file" .yaml)
	wrong=$(judge "$file")
	if [ -z "$wrong" ]; then
		echo "ok - broken configuration $name is refused at its place"
	else
		echo "not ok - broken configuration $name is refused at its place"
		while read -r line; do echo "# $line"; done <<< "$wrong"
		failed=1
	fi
done
exit $failed
