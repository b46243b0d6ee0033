# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
# Counts what `make check` has left; sourced, never run. automake keeps a
# .trs (its verdict) and a .log (what was printed) for each program. A program
# is many tests: libcheck says "100%: Checks: 3, Failures: 0, Errors: 0", a
# script "ok - name", "not ok - name" or "skip - name: why".

# forget_results BUILD: so that a test that was removed is not counted.
forget_results() {
	find "$1" -name '*.trs' -exec sh -c \
	    'for f; do rm -f "$f" "${f%.trs}.log"; done' sh {} +
}

# one_result FILE.trs: "passed failed skipped"
one_result() {
	local log=${1%.trs}.log

	awk -v verdict="$(sed -n 's/^:global-test-result: //p' "$1")" '
	/^[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+/ {
		bad = $5 + $7
		failed += bad
		passed += $3 - bad
	}
	/^ok - / { passed++ }
	/^not ok - / { failed++ }
	/^skip - / { skipped++ }
	END {
		# A crash after the last report, or one that reports nothing.
		if (verdict !~ /^(PASS|SKIP)$/ && !failed)
			failed++
		if (verdict == "SKIP" && !skipped && !passed)
			skipped++
		if (verdict == "PASS" && !passed && !skipped)
			passed++
		print passed + 0, failed + 0, skipped + 0
	}' "$log"
}

# count_results BUILD: sets passed, failed, skipped and verdict.
count_results() {
	local p f s trs

	passed=0 failed=0 skipped=0
	while read -r trs; do
		read -r p f s < <(one_result "$trs")
		passed=$((passed + p))
		failed=$((failed + f))
		skipped=$((skipped + s))
	done < <(find "$1" -name '*.trs')
	# Nothing ran: the tests did not even build.
	[ $((passed + failed + skipped)) -gt 0 ] || failed=1
	verdict="$passed passed, $failed failed"
	[ $skipped = 0 ] || verdict="$verdict, $skipped skipped"
}

# say_failures BUILD: what the failed ones printed, and why others skipped.
say_failures() {
	local trs

	while read -r trs; do
		printf '\n--- %s\n' "${trs%.trs}"
		tail -n 60 "${trs%.trs}.log"
	done < <(grep -lE '^:global-test-result: (FAIL|ERROR|XPASS)' -r \
	    --include='*.trs' "$1")
	grep -rhE --include='*.log' '^skip - ' "$1/tests"
	echo
}
