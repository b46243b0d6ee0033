#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# weir import: what it prints passes weir check, what is wrong is told and
# nothing printed; with a format that a plugin made here brings, and with every
# wg-quick file of quick/.
set -u
umask 022
# shellcheck source=tests/unit/checks.sh
. "$(dirname "$0")/checks.sh"

need "weir import" netstack inbound-tun outbound-freedom
dir=$(mktemp -d "${TMPDIR:-/tmp}/weir-import.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/plugins" "$dir/in"
cp "$plugins"/*.so "$dir/plugins" || exit 1
# The compiler may be several words ("ccache gcc").
${CC:-cc} -std=gnu11 -shared -fPIC -fvisibility=hidden \
	-I"$top/sdk/include" "$top/tests/unit/import_plugin.c" \
	-o "$dir/plugins/outbound-foreign.so" || exit 1

# promise TEXT COMMAND...: kept where the command succeeds.
promise() {
	local text=$1

	shift
	if "$@"; then
		echo "ok - $text"
	else
		echo "not ok - $text"
		sed 's/^/# /' "$dir/out" "$dir/err"
		failed=1
	fi
}

# import ARGUMENT...: its status is $status, what it says in out and err.
import() {
	"$weir" --plugin-dir "$dir/plugins" import "$@" >"$dir/out" 2>"$dir/err"
	status=$?
}

# Called by promise.
# shellcheck disable=SC2317
refused() { [ "$status" = "$1" ] && [ ! -s "$dir/out" ]; }
# shellcheck disable=SC2317
says() { grep -qF -- "$1" "$dir/err"; }
# shellcheck disable=SC2317
passes() {
	(umask 077 && cp "$dir/out" "$dir/out.yaml") &&
		"$weir" --plugin-dir "$dir/plugins" check -c "$dir/out.yaml" \
			>>"$dir/err" 2>&1
}

printf 'foreign\nhello\n' >"$dir/in/my vpn.txt"
chmod 600 "$dir/in/my vpn.txt"
import "$dir/in/my vpn.txt"
cat >"$dir/want" <<'END'
# Made by `weir import`. It holds keys: keep it from others (chmod 600).
# Try it: weir exec -c FILE -- COMMAND
inbounds:
  - type: tun
outbounds:
  - type: foreign
    tag: "my-vpn"
    # one

    word: "hello"
END
promise "a plugin's own format is imported" cmp -s "$dir/out" "$dir/want"
promise "what was imported passes weir check" passes
promise "what the plugin tells is told" says "1: odd (warning)"
promise "an output that others can read is advised against" \
	says "run: chmod 600"
import -t foreign --outbound - <"$dir/in/my vpn.txt"
promise "standard input is read" grep -q 'tag: "foreign"' "$dir/out"

printf 'foreign\nbad\n' >"$dir/in/bad"
chmod 600 "$dir/in/bad"
import "$dir/in/bad"
promise "nothing is printed of a file with errors" refused 78
promise "its errors are told" says "2: bad: is bad"
printf 'foreign\nmuch-too-long\n' >"$dir/in/long"
chmod 600 "$dir/in/long"
import "$dir/in/long"
promise "what would not pass weir check is not printed" refused 78
promise "and the reason is told" says "has 13 bytes; 1 to 8 are allowed"
chmod 644 "$dir/in/long"
import "$dir/in/long"
promise "a plugin is told that others can read the file" \
	says "everybody can read or write this file; run: chmod o= "
echo "of nobody" >"$dir/in/other"
import "$dir/in/other"
promise "a format that nobody knows is refused" refused 78
promise "and said to be so" \
	says "is of no format that a loaded plugin knows"
head -c 1048577 /dev/zero | tr '\0' '#' >"$dir/in/large"
import "$dir/in/large"
promise "a file of more than a mebibyte is refused" refused 78
promise "and the bound is told" \
	says "large: is too long; the most is 1048576 bytes"
import - <"$dir/in/large"
promise "standard input has the same bound" refused 78
promise "and it is told too" says "is too long; the most is 1048576 bytes"
import -t freedom "$dir/in/bad"
promise "a type that imports nothing is refused" refused 78
import "$dir/in/nothing"
promise "a missing file is refused" refused 78
import
promise "without a file it is a usage error" refused 64
import one two
promise "with two as well" refused 64
import --inbound --outbound "$dir/in/my vpn.txt"
promise "it is not made both an inbound and an outbound" refused 64
promise "and that is said" says "--inbound and --outbound exclude each other"

[ -e "$plugins/outbound-wireguard.so" ] && [ -e "$plugins/inbound-wireguard.so" ] || {
	echo "skip - wg-quick files: the wireguard plugins were not built"
	exit $failed
}
cd "$dir/in" || exit 1
for file in "$top"/tests/unit/quick/*.conf; do
	name=$(basename "$file")
	cp "$file" . && chmod 600 "$name"
	import "$name"
	promise "$name is imported, and passes weir check" passes
	printf '%s\n' 'outbounds: [{type: freedom}]' 'inbounds:' \
		"  - {type: wireguard, config: $PWD/$name}" >"$name.yaml"
	[ "$name" = server.conf ] ||
		printf '%s\n' 'inbounds: [{type: tun}]' 'outbounds:' \
			"  - {type: wireguard, config: $PWD/$name}" >"$name.yaml"
	promise "$name is taken as it is" \
		"$weir" --plugin-dir "$dir/plugins" check -c "$name.yaml"
done
promise "no command of a file was executed" \
	[ ! -e weir-executed-a-command ]
chmod 644 crlf.conf
import crlf.conf
promise "a file of keys that others can read is refused" refused 78
for file in "$top"/tests/unit/quick/broken/*.conf; do
	name=$(basename "$file")
	cp "$file" . && chmod 600 "$name"
	import --outbound "$name"
	promise "broken $name is refused" refused 78
done
exit $failed
