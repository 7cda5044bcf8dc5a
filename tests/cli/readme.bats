#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The README's figures are those that the live tests recorded.

bats_require_minimum_version 1.5.0

setup() {
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
}

@test "the README's figures are what tests/live/table makes of tests/live/figures.json" {
	diff -u <(sed '1,/^<!-- figures: /d; /^<!-- end of figures -->/,$d' "$ROOT/README.md") \
		<("$ROOT/tests/live/table")
}

@test "there is a row for each variant, with its figures" {
	local table
	table=$("$ROOT/tests/live/table")
	[ "$(grep -cE '^\| .* \| [0-9]+\.[0-9] MiB \| [0-9.]+ s \| [0-9.]+ s \|$' <<<"$table")" -eq 13 ]
	[ "$(grep -cE '\| (done|stopped) \|' <<<"$table")" -eq 3 ]
	run ! grep -q null <<<"$table"
}
