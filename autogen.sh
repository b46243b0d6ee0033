#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Make configure and its helpers from configure.ac. For a git clone; a release
# tarball has them already.
set -e
cd "$(dirname "$0")"
mkdir -p build-aux
exec autoreconf --force --install "$@"
