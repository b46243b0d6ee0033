# SPDX-License-Identifier: GPL-2.0-or-later
# Checks of the tree itself.

lint_scripts = \
	tests/lint/exports.sh \
	tests/lint/files.sh \
	tests/lint/format.sh \
	tests/lint/includes.sh
TESTS += $(lint_scripts)
EXTRA_DIST += $(lint_scripts) tests/lint/lib.sh
