#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What every file owes: a licence line, a size that a reader can hold, the mode
# of what it is, and nothing of the machine it was written on.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

FILE_LINES_MAX=500
FUNCTION_LINES_MAX=80

# Sources and scripts; prose and data carry no line.
code_files() {
	tree_files | grep -E '\.(c|h|m4|mk|am|ac|in|sh|py|[1-8])$'
	tree_files | grep -vE '\.[a-z0-9]+$' | while read -r f; do
		if [ "$(head -c 2 "$f" | tr -d '\0')" = '#!' ]; then
			echo "$f"
		fi
	done
}

without_licence() {
	local f want

	code_files | while read -r f; do
		want=GPL-2.0-or-later
		[[ $f = sdk/* ]] && want=MIT
		head -n 3 "$f" | grep -q "SPDX-License-Identifier: $want" ||
			echo "$f: no \"SPDX-License-Identifier: $want\""
	done
}

too_long_files() {
	local f n

	tree_files | grep -E '\.(c|h|sh|py|m4|mk)$' | while read -r f; do
		n=$(wc -l <"$f")
		[ "$n" -le $FILE_LINES_MAX ] || echo "$f: $n lines"
	done
}

too_long_functions() {
	tree_files | grep -E '\.[ch]$' |
	ctags -L - -o - --languages=C --kinds-C=f --fields=+ne --sort=no |
	awk -F'\t' -v max=$FUNCTION_LINES_MAX '
		/^!/ { next }
		{ start = end = 0
		  for (i = 4; i <= NF; i++) {
			if ($i ~ /^line:/) start = substr($i, 6)
			if ($i ~ /^end:/) end = substr($i, 5)
		  }
		  if (end - start + 1 > max)
			print $2 ":" start ": " $1 ": " end - start + 1 " lines" }'
}

# Documents and people call them by their names.
not_executable() {
	tree_files | while read -r f; do
		[ -x "$f" ] || [ "$(head -c 2 "$f" | tr -d '\0')" != '#!' ] ||
			echo "$f: begins with #! and cannot be executed"
	done
}

# The patterns are written so that they do not match themselves.
host_paths() {
	tree_files | grep -vE '^(LICENSE|sdk/LICENSE)$' | tr '\n' '\0' |
	xargs -0 grep -InE \
	    '/wor[k]/|/roo[t]/|/tm[p]/[A-Za-z]|deb\.debia[n]\.org|/home/[a-z]'
}

# No Makefile names these files, so a release would lack them. Automake itself
# takes its own inputs along, and the .c that a program is named after.
unreleased() {
	tree_files | grep / | grep -vE '^m4/|\.mk$' |
	sed 's/\.c$//' | LC_ALL=C sort |
	LC_ALL=C comm -23 - <(tree_files | grep -E '\.(mk|am)$' | xargs cat |
		tr -s ' \t=' '\n' | sed 's/\.c$//' | LC_ALL=C sort -u)
}

without_licence | verdict "every source names its licence"
too_long_files | verdict "no file is over $FILE_LINES_MAX lines"
if ctags --version 2>/dev/null | grep -q Universal; then
	too_long_functions |
		verdict "no function is over $FUNCTION_LINES_MAX lines"
else
	skip "no function is over $FUNCTION_LINES_MAX lines" \
	    "universal-ctags is not installed"
fi
not_executable | verdict "what says by what it is run can be run"
host_paths | verdict "nothing names the machine it was written on"
unreleased | verdict "a release has every file"
exit $failed
