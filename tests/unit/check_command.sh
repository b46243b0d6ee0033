#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The command line: how each command ends, and what it says.
set -u
umask 022
# shellcheck source=tests/unit/checks.sh
. "$(dirname "$0")/checks.sh"

need "the command line" netstack inbound-tun outbound-freedom
dir=$(mktemp -d "${TMPDIR:-/tmp}/weir-command.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
printf '%s\n' 'inbounds: [{type: tun}]' 'outbounds: [{type: freedom}]' \
	>"$dir/weir.yaml"

# ends NAME STATUS WORDS ARGUMENT...: weir with these ends so, and says that on
# standard error; its output goes to $out.
out=/dev/null
ends() {
	local name=$1 want=$2 words=$3 said status

	shift 3
	said=$("$weir" "$@" 2>&1 >"$out")
	status=$?
	if [ "$status" = "$want" ] && [[ $said = *"$words"* ]]; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		echo "# it ended with $status and said: $said"
		failed=1
	fi
}

ends "a relative --plugin-dir is a usage error" 64 \
	"--plugin-dir: .libs is not absolute" --plugin-dir .libs schema

out=$dir/said
ends "standard input is checked" 0 "" \
	--plugin-dir "$plugins" check -c - <"$dir/weir.yaml"
if [ "$(cat "$out")" = "standard input: ok" ]; then
	echo "ok - and called by its name"
else
	echo "not ok - and called by its name"
	failed=1
fi

# asked_early: weir is asked for its counters while it reads what it serves.
asked_early() {
	local early=0x200 pid feed status # SIGUSR1, as /proc has it
	local name="who asks for counters too early ends nobody"

	mkfifo "$dir/feed"
	"$weir" --plugin-dir "$plugins" run -c - <"$dir/feed" 2>/dev/null &
	pid=$!
	exec {feed}>"$dir/feed"
	for _ in {1..50}; do
		(($(sed -n 's/^SigIgn:[[:space:]]*/0x/p' "/proc/$pid/status") &
			early)) && break
		sleep 0.1
	done
	kill -USR1 "$pid"
	echo "neither: here" >&"$feed"
	exec {feed}>&-
	wait "$pid"
	status=$?
	if [ "$status" = 78 ]; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		echo "# it ended with $status"
		failed=1
	fi
}
asked_early

out=/dev/full
full() {
	ends "weir $* fails where it cannot be read" 1 \
		"standard output: No space left" --plugin-dir "$plugins" "$@"
}
full --version
full --help
for command in run check exec import plugin schema; do
	full "$command" --help
done
full check -c "$dir/weir.yaml"
full schema
full plugin list
full plugin help
full plugin check "$plugins/netstack.so"

# What ./quickstart and ./test say before they send a user there.
name="who builds where others can write is told"
if (
	mkdir -m 775 "$dir/shared"
	cp -R "$plugins" "$dir/shared/plugins"
	chgrp -f 65534 "$dir/shared"
	# shellcheck source=contrib/prepare.sh
	. "$top/contrib/prepare.sh"
	loads_plugins "$weir" --plugin-dir "$plugins" &&
	    ! loads_plugins "$weir" --plugin-dir "$dir/shared/plugins"
) >"$dir/said" 2>&1 && grep -q "a group .*: $dir/shared$" "$dir/said" &&
	grep -q chmod "$dir/said"; then
	echo "ok - $name"
else
	echo "not ok - $name"
	cat "$dir/said"
	failed=1
fi

name="who builds where configure cannot is told"
if (
	# shellcheck source=contrib/prepare.sh
	. "$top/contrib/prepare.sh"
	top="$dir/my tree"
	! build_tree
) >"$dir/said" 2>&1 && grep -q "cannot be built in '$dir/my tree'" "$dir/said"
then
	echo "ok - $name"
else
	echo "not ok - $name"
	cat "$dir/said"
	failed=1
fi

# Nothing can stand in for a standard file that is closed.
name="a machine without /dev/null is told so"
if unshare -Urm true 2>"$dir/said"; then
	program=$(readlink -f "$weir") weir=unshare out=$dir/said
	ends "$name" 1 "weir: /dev/null: No such file" -Urm sh -c \
		'mount -t tmpfs none /dev && exec "$@"' sh "$program" --version
else
	echo "skip - $name: $(cat "$dir/said")"
fi
exit $failed
