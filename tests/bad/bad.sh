#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hostile and broken plugins, built here, in one folder with a good one: each
# must be refused by name and reason, and the good ones must load.
set -u
umask 022

here=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
built=${abs_top_builddir:-$here}
weir=${WEIR:-$built/weir}
loadall=$built/tests/bad/loadall
dir=$(mktemp -d "${TMPDIR:-/tmp}/weir-bad.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/plugins" "$dir/open"
plugins=$dir/plugins
failed=0
minor=$(sed -n 's/^#define WEIR_MINOR \([0-9]*\).*/\1/p' \
	"$here/sdk/include/weir/base.h")

ok() { echo "ok - $1"; }
not_ok() {
	echo "not ok - $1"
	failed=1
}

# promise TEXT COMMAND...: kept where the command succeeds.
promise() {
	local text=$1

	shift
	if "$@"; then ok "$text"; else not_ok "$text"; fi
}

# says FILE PATTERN; lacks FILE PATTERN: for promise.
# shellcheck disable=SC2317
says() { grep -q -- "$2" "$1"; }
# shellcheck disable=SC2317
lacks() { ! grep -q -- "$2" "$1"; }

build() {
	# The compiler may be several words ("ccache gcc").
	${CC:-cc} -std=gnu11 -shared -fPIC -fvisibility=hidden -Wl,-z,lazy \
		-I"$here/sdk/include" "$here/tests/bad/$1.c" -o "$plugins/$1.so"
}

# patch FILE OFFSET BYTE(octal): break one byte of the ELF header
patch() {
	printf '%b' "\\0$3" |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

make_files() {
	local name

	for name in "$here"/tests/bad/*.c; do
		name=$(basename "$name" .c)
		[ "$name" = loadall ] || build "$name" || return 1
	done
	cd "$plugins" || return 1
	echo "not a plugin at all" >text.so
	: >empty.so
	head -c 1000 good.so >truncated.so
	# ELF's classes are 1, of 32 bits, and 2, of 64.
	other_class=$((3 - $(od -An -tu1 -j4 -N1 good.so)))
	cp good.so other-class.so && patch other-class.so 4 $other_class
	cp good.so other-machine.so && patch other-machine.so 18 0
	patch other-machine.so 19 177
	cp good.so not-shared.so && patch not-shared.so 16 1
	cp good.so writable.so && chmod 666 writable.so
	cp good.so group.so && chmod 664 group.so
	[ "$(id -u)" != 0 ] || chgrp 12345 group.so
	ln -s good.so symlink.so
	ln -s nowhere.so dangling.so
	mkdir folder.so
	mkfifo fifo.so
	if [ "$(id -u)" = 0 ]; then
		cp good.so owner.so && chown 12345 owner.so
	fi
}

# refused FILE REASON: in what loadall said
refused() {
	if grep -qF "refused $plugins/$1.so | $1.so: $2" "$dir/said"; then
		ok "$1 is refused: $2"
	else
		not_ok "$1 is refused: $2 (said: $(grep -F "/$1.so |" \
			"$dir/said" | head -n 1))"
	fi
}

make_files || {
	not_ok "the hostile plugins build"
	exit 1
}
timeout 60 "$loadall" "$plugins" >"$dir/said" 2>&1
if grep -q '^folder refused' "$dir/said"; then
	echo "skip - hostile plugins: $(cat "$dir/said")"
	exit 77
fi

while IFS='|' read -r name reason; do
	refused "$name" "$reason"
done <<END
wrong-major|built for SDK 2.$minor, this weir offers 1.$minor: the major version differs
no-note|not a weir plugin: no weir note
short-note|truncated weir note
long-note|truncated ELF note
no-end|malformed name in its note
escape|malformed licence in its note
two-notes|more than one weir note
lies-name|its descriptor has another name than its note, "outbound-freedom"
lies-version|its note says SDK 1.0, its descriptor 3.0
no-entry|no entry symbol weir_plugin_1
undefined|undefined symbol: weir_secret_of_the_daemon
steals-term|it took over signal 15
steals-segv|it took over signal 11
small-descriptor|its descriptor is malformed
no-list|its list of components lies outside it
empty-list|it has no components
garbage-list|its list of components lies outside it
garbage-component|a component lies outside it
garbage-type|a component's type or summary lies outside it
size-zero|a component's size is 0 bytes
unknown-kind|a component's kind is unknown: 77
no-create|component "no-create" lacks create, start, stop or destroy
no-open|outbound "no-open" lacks open or abandon
wide-option|option "first" lies outside its struct of 1 bytes
wrapping-options|a component's options lie outside it
taken-type|outbound type "good" is taken by plugin good
taken-name|a plugin named "good" was loaded from
needs-nothing|it needs service nothing/1, which no loaded plugin offers
needs-malformed|malformed needs in its note
needs-chain|it needs service nothing/1, which no loaded plugin offers
needs-chained|it needs service needs-chain/1, which no loaded plugin offers
text|not an ELF file
empty|not an ELF file
truncated|truncated ELF
other-class|wrong ELF class: $((32 * other_class))-bit
other-machine|built for another machine
not-shared|not a shared object
writable|file writable by others
group|file writable by a group
symlink|a symbolic link, not a regular file
dangling|a symbolic link, not a regular file
folder|not a regular file
fifo|not a regular file
END
[ ! -e "$plugins/owner.so" ] ||
	refused owner "file owned by neither root nor the running user"

for name in good good-newer; do
	promise "$name loads beside them" says "$dir/said" "^loaded $name "
done
promise "nothing else loads" [ "$(grep -c '^loaded' "$dir/said")" = 2 ]
promise "stolen signals are given back" says "$dir/said" '^signals kept'

# The same through the command that a user types.
"$weir" --plugin-dir "$plugins" plugin list >"$dir/out" 2>"$dir/err"
promise "weir plugin list succeeds among them" [ $? = 0 ]
promise "weir plugin list shows the good one" \
	says "$dir/out" '^good  *1.0 .*outbound  *good '
missing=
while read -r name; do
	grep -qF "$name: " "$dir/err" || missing="$missing $name"
done < <(sed -n 's/^refused .*| \([^:]*\): .*/\1/p' "$dir/said")
promise "weir plugin list names every refused file$missing" [ -z "$missing" ]

"$weir" plugin check "$plugins/good.so" >"$dir/out"
promise "weir plugin check accepts the good one" says "$dir/out" 'good.so: ok$'
"$weir" plugin check "$plugins/wrong-major.so" >"$dir/out"
promise "weir plugin check fails for a bad one" [ $? = 1 ]
promise "weir plugin check says both versions" \
	says "$dir/out" "refused: built for SDK 2.$minor, this weir offers 1.$minor"

# Folders.
mkdir "$dir/open/inner"
chmod 777 "$dir/open"
"$loadall" "$dir/open" >"$dir/out"
promise "a folder that others can write is refused" \
	says "$dir/out" 'folder refused | folder writable by others'
"$loadall" "$dir/open/inner" >"$dir/out"
promise "so is one below it" \
	says "$dir/out" 'folder refused | folder writable by others'
chmod 1777 "$dir/open"
"$loadall" "$dir/open/inner" >"$dir/out"
promise "one of ours below a sticky folder is taken" \
	lacks "$dir/out" 'folder refused'
(cd "$dir" && "$loadall" plugins) >"$dir/out"
promise "a folder given relatively is refused" \
	says "$dir/out" 'folder refused | not an absolute'
exit $failed
