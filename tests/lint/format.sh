#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The tree is formatted. Only the version that .clang-format was written for
# judges: another one would see other spaces.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

VERSION=14
COLUMNS_MAX=80
name="the C files are formatted (clang-format $VERSION)"

tool=
for candidate in clang-format-$VERSION clang-format; do
	if "$candidate" --version 2>/dev/null | grep -q "version $VERSION\."
	then
		tool=$candidate
		break
	fi
done
if [ -z "$tool" ]; then
	skip "$name" "not installed"
	exit 77
fi
tree_files | grep -E '\.[ch]$' | while read -r f; do
	"$tool" --style=file "$f" | cmp -s - "$f" ||
		echo "$f: run $tool -i on it"
done | verdict "$name"

# clang-format breaks no comment (ReflowComments). A text in quotes is left in
# one piece.
wide_lines() {
	tree_files | grep -E '\.[ch]$' | while read -r f; do
		expand "$f" | awk -v f="$f" -v max=$COLUMNS_MAX '
			length($0) > max && !/"/ {
				print f ":" NR ": " length($0) " columns" }'
	done
}
wide_lines | verdict "no line of C is wider than $COLUMNS_MAX columns"

if command -v shellcheck >/dev/null; then
	tree_files | grep -vE '\.(c|h|md|py)$' | while read -r f; do
		head -n 1 "$f" | tr -d '\0' |
			grep -qE '^#!.*(ba)?sh( |$)' && echo "$f"
	done | xargs shellcheck -x -S warning -e SC1091 -f gcc |
		verdict "the shell scripts pass shellcheck"
else
	skip "the shell scripts pass shellcheck" "not installed"
fi
exit $failed
