#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Make configure and its helpers from configure.ac. For a git clone; a release
# tarball has them already.
set -e
cd "$(dirname "$0")"
mkdir -p build-aux
autoreconf --force --install "$@"

# On its way out configure removes core dumps. A folder of ours has that name;
# it is safe from that, but rm would complain about it after every run.
sed -i 's/rm -f core \*\.core core\.conftest/rm -f *.core core.conftest/' \
	configure
