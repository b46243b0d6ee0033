# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
# What the scripts that fetch share; sourced, never run. The caller has set
# work, a folder of its own; an apt.conf in it is heeded.
#
# The archive is the one this machine uses already: its address comes from the
# machine's own apt configuration. Everything else of apt is private to the
# caller (sources, lists, state, cache), so that nothing on the machine changes
# and no privilege is needed. apt checks a package against its SHA-256 in the
# index, and the index against the archive's signature.

say() {
	echo "${0##*/}: $*" >&2
}

# The address of the archive's main component, as apt itself would use it.
archive_address() {
	# shellcheck disable=SC2016 # these are fields of apt, not variables
	apt-get indextargets --format '$(REPO_URI) $(COMPONENT) $(RELEASE)' \
	    'Created-By: Packages' |
	awk '$2 == "main" && $3 !~ /-/ { print $1; exit }'
}

private_apt() {
	apt-get -q -c "$work/apt.conf" \
	    -o Dir::Etc::sourcelist="$work/sources.list" \
	    -o Dir::Etc::sourceparts=/nonexistent \
	    -o Dir::Etc::preferences=/nonexistent \
	    -o Dir::Etc::preferencesparts=/nonexistent \
	    -o Dir::State::lists="$work/lists" \
	    -o Dir::Cache="$work/cache" \
	    -o Debug::NoLocking=1 \
	    -o APT::Sandbox::User="$(id -un)" \
	    -o Acquire::Languages=none \
	    -o Acquire::Retries=3 \
	    "$@" >&2
}

# archive_update TYPE SUITE: learn what a suite has.
archive_update() {
	site=$(archive_address) || site=
	if [ -z "$site" ]; then
		say "apt on this machine names no archive to fetch from"
		return 1
	fi
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial" \
	    "$work/get"
	: >>"$work/apt.conf"
	echo "$1 $site $2 main" >"$work/sources.list"
	private_apt update
}
