# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034 # failed: for who sources this
# What the lint scripts share; sourced, never run.

src=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$src" || exit 1
failed=0
shopt -s lastpipe # so that verdict, at the end of a pipe, can set failed

# Every file of the tree that somebody wrote: what a build, git or the
# autotools made is left out, by name, as a release has no git to ask.
tree_files() {
	find . \( -name .git -o -name autom4te.cache -o -name build-aux \
	    -o -name .libs -o -name .deps -o -name __pycache__ \
	    -o -path './build' -o -path './build-*' -o -path './_*' \) -prune \
	    -o -type f ! -name '*~' ! -name '*.o' ! -name '*.lo' \
	    ! -name '*.la' ! -name '*.so' ! -name '*.log' ! -name '*.trs' \
	    ! -path './configure' ! -path './aclocal.m4' \
	    ! -path './Makefile.in' ! -path './Makefile' \
	    ! -path './config.*' ! -path './libtool' \
	    ! -path './m4/libtool.m4' ! -path './m4/lt*.m4' -print |
	sed 's|^\./||' | LC_ALL=C sort
}

# verdict NAME: reads complaints; silence is a pass.
verdict() {
	local name=$1 complaints
	complaints=$(cat)
	if [ -z "$complaints" ]; then
		echo "ok - $name"
		return
	fi
	sed 's/^/# /' <<<"$complaints"
	echo "not ok - $name"
	failed=1
}

skip() {
	echo "skip - $1: $2"
}
