# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
# What ./quickstart, ./test and .ci/run share; sourced, never run. The caller
# has set top, the tree's absolute path.

build=$top/build
build_packages=(gcc libc6-dev make autoconf automake libtool pkg-config
	xz-utils libevent-dev libyaml-dev libc-ares-dev libjansson-dev
	libmnl-dev uthash-dev libwolfssl-dev libssl-dev)
if [ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ]; then
	build_packages+=(libipsec-mb-dev) # there is none for others
fi

say() {
	printf '\n==> %s\n' "$*"
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# quietly COMMAND...: what it prints matters only if it fails.
quietly() {
	local said status=0

	said=$("$@" 2>&1 </dev/null) || status=$?
	[ $status = 0 ] || printf '%s\n' "$said"
	return $status
}

# missing PACKAGE...: those that are not installed.
missing() {
	local p

	for p; do
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" \
		    = installed ] || echo "$p"
	done
}

# install_packages PACKAGE...: what is missing and nothing else. Where nothing is,
# neither apt nor a privilege is needed.
install_packages() {
	local wanted

	if ! command -v dpkg-query >/dev/null; then
		echo "Not a Debian system; it should have the equivalent of:"
		echo "  $*"
		return
	fi
	mapfile -t wanted < <(missing "$@")
	[ ${#wanted[@]} -gt 0 ] || return 0
	say "installing ${wanted[*]}"
	quietly as_root apt-get -q update &&
		quietly as_root env DEBIAN_FRONTEND=noninteractive \
		    apt-get -qq -y --no-install-recommends \
		    install "${wanted[@]}"
}

# configure_in FOLDER ARGUMENT...: out of the tree; once, unless configure, the
# arguments or the libraries that are installed have changed since.
configure_in() {
	local dir=$1 with

	shift
	with="$* $(pkg-config --list-all 2>/dev/null | sort | cksum)"
	if [ ! -x "$top/configure" ] ||
	    [ "$top/configure.ac" -nt "$top/configure" ]; then
		quietly "$top/autogen.sh" || return
	fi
	mkdir -p "$dir"
	if [ "$dir/Makefile" -nt "$top/configure" ] &&
	    [ "$(cat "$dir/configured" 2>/dev/null)" = "$with" ]; then
		return 0
	fi
	(cd "$dir" && "$top/configure" --quiet "$@") || return
	echo "$with" >"$dir/configured"
}

# loads_plugins WEIR ARGUMENT...: whether it does, where it is. If not, say why:
# a clone that was made with a umask of 002 is enough.
loads_plugins() {
	local said

	said=$("$@" plugin list 2>&1 >/dev/null) && return
	printf '%s\n' "$said" \
	    "weir loads plugins only from where none but its user and root" \
	    "can write. Change that folder (chmod go-w), or build elsewhere."
	return 1
}

jobs() {
	nproc 2>/dev/null || echo 1
}

# path_is_taken: whether configure and make work in the tree's path.
path_is_taken() {
	case $top in
	*[[:space:]\"\'\`\\\#\$\&]*) ;;
	*) return 0 ;;
	esac
	printf '%s\n' "weir cannot be built in '$top':" \
	    "configure and make take no spaces, quotes, or \\ # \$ & in a path." \
	    "Move the tree elsewhere."
	return 1
}

# build_tree: everything, in build/, with build/prefix as where it installs.
# Nothing that is written there may be writable by others, or weir would
# refuse to load it.
build_tree() {
	local lwip

	umask 022
	path_is_taken || return
	lwip=$("$top/contrib/fetch-lwip") || return
	say "building in $build"
	configure_in "$build" --prefix="$build/prefix" --with-lwip="$lwip" &&
		make -s -C "$build" -j"$(jobs)"
}
