#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The examples of the manual are right, and the manual names every option that
# the plugins and the core have; the JSON Schema is JSON that accepts them.
set -u
# shellcheck source=tests/unit/checks.sh
. "$(dirname "$0")/checks.sh"

python=${PYTHON:-python3}

need "examples" netstack inbound-tun outbound-freedom outbound-blackhole \
	inbound-wireguard outbound-wireguard

# tell NAME WRONG: a test went well where WRONG is empty.
tell() {
	if [ -z "$2" ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		while read -r line; do echo "# $line"; done <<< "$2"
		failed=1
	fi
}

run() { "$weir" --plugin-dir "$plugins" "$@"; }

# Some hold keys: a copy that nobody else can read.
check_example() {
	local said

	(umask 077 && cat "$1" >"$scratch/weir.yaml")
	said=$(run check -c "$scratch/weir.yaml" 2>&1) || echo "refused: $said"
}

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# Options of `weir plugin help` (indented words with a colon) that the manual
# does not have as a word of its own.
missing_options() {
	local option

	run plugin help | sed -n 's/^  *\([a-z_]*\): .*/\1/p' | sort -u |
		while read -r option; do
			grep -qE "^\.It (Ic|Va|Cm) $option( |\$)" \
				"$top/doc/weir.yaml.5" ||
				echo "$option is not in weir.yaml.5"
		done
}

# Options of the core, by the JSON Schema, likewise.
missing_sections() {
	run schema | "$python" "$top/tests/unit/schema_names.py" \
		"$top/doc/weir.yaml.5" "$top"/doc/examples/*.yaml 2>&1
}

for file in "$top"/doc/examples/*.yaml; do
	tell "example $(basename "$file") is taken" "$(check_example "$file")"
done
tell "the manual has every option of every plugin" "$(missing_options)"
tell "the JSON Schema knows every key of the examples and the manual its \
sections" "$(missing_sections)"
exit $failed
