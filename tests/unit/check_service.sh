#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The service's unit lets weir do what its plugins do.
set -u

top=${abs_top_srcdir:-.}
unit=${abs_top_builddir:-.}/contrib/weir.service
failed=0

# tell NAME WRONG: a test went well where WRONG is empty.
tell() {
	if [ -z "$2" ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		echo "# $2"
		failed=1
	fi
}

# setting NAME: its last value, empty where it is not set.
setting() {
	sed -n "s/^$1=//p" "$unit" | tail -n 1
}

# The folder of wg's sockets, which `interface` needs: made for weir's user by
# the service manager, since all else is read-only; closed to others, or
# uapi_socket.c refuses it; left there, because wireguard-go has sockets in it.
folder=$(sed -n 's/^#define UAPI_FOLDER "\([^"]*\)".*/\1/p' \
	"$top/plugins/wireguard/uapi_socket.h")
name=${folder#/var/run/}
wrong=
[[ -n $name && $name != */* ]] || wrong="wg's folder is \"$folder\""
[[ $(setting User) = root || $(setting RuntimeDirectory) = "$name" ]] ||
	wrong="RuntimeDirectory=$(setting RuntimeDirectory), not $name"
tell "the service may make its sockets for wg" "$wrong"

wrong=
mode=$(setting RuntimeDirectoryMode)
[[ -n $mode ]] && ! ((8#$mode & 8#022)) ||
	wrong="RuntimeDirectoryMode=$mode lets others write"
tell "nobody else can put a socket for wg" "$wrong"

wrong=
[[ $(setting RuntimeDirectoryPreserve) = yes ]] ||
	wrong="RuntimeDirectoryPreserve=$(setting RuntimeDirectoryPreserve)"
tell "the sockets of other programs outlive the service" "$wrong"

if command -v systemd-analyze >/dev/null; then
	# That weir is not installed yet is not what is asked.
	wrong=$(systemd-analyze verify "$unit" 2>&1 |
		grep "^$unit:" | head -n 3)
	tell "systemd understands every line of the unit" "$wrong"
fi
exit $failed
