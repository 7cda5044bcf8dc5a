#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The guest's timeout(1) is GNU's, BusyBox's, toybox's or uutils': what each makes of a fraction of a
# second, and which exit code a kill at the cap has. Real ones where this machine has them.

load helpers

# The machine may be slow: caps that no step comes near, but for the one that is killed.
CAPS=sync=20000,drop_caches=20000,compact_memory=20000,fstrim=20000
reclaim() { FCPAUSE_STEP_TIMEOUT_MS=$CAPS fcp reclaim --envd "$SIM_ENVD" --json "$@"; }

# guest_timeout COMMAND: the guest's timeout is this one; it notes what it was given.
guest_timeout() {
	guest_program timeout <<-E
	#!/bin/sh
	echo "\$3 \$4" >>"\${0%/bin/timeout}/given"
	$1
	E
}

# killed_at CAP: sync, which never ends, was killed at a cap of so many ms; the others are ok.
killed_at() {
	expect 4 && expect_json '[.steps[].status] == ["timeout", "ok", "ok", "ok"]' \
		".steps[0].ms >= 0.8 * $1" ".steps[0].cap_ms == $1" ".steps[0].reason | contains(\"killed at\")" \
		".steps[0].reason | contains(\"$1 ms\")"
}

@test "R4: a timeout that cuts fractions off silently gets whole seconds, rounded up, and that is told" {
	vm --fstrim ok --step-ms sync=60000
	# As BusyBox 1.31 to 1.36: 1.9 is 1, and 0.2 is 0, which is 1 as well.
	guest_timeout 'seconds=${3%%.*}; [ "$seconds" != 0 ] || seconds=1; shift 3; exec /usr/bin/timeout -s KILL $seconds "$@"'
	reclaim --step-timeout-ms sync=1900
	killed_at 2000
	expect_json '.steps[0].reason | contains("1900 ms")' '[.steps[1:][].cap_ms] == [20000, 20000, 20000]'
	grep -qx '2 sync' "$(guest_dir)/given"
}

@test "R4: a timeout that kills at once where it cuts to 0 does not pass for one that takes fractions" {
	vm --fstrim ok --step-ms sync=60000
	guest_timeout 'seconds=${3%%.*}; shift 3; [ "$seconds" != 0 ] || exit 137; exec /usr/bin/timeout -s KILL $seconds "$@"'
	reclaim --step-timeout-ms sync=900
	killed_at 1000
}

@test "R4: a timeout that takes 0 for no limit does not pass either" {
	vm --fstrim ok --step-ms sync=60000
	guest_timeout 'seconds=${3%%.*}; shift 3; exec /usr/bin/timeout -s KILL $seconds "$@"'
	reclaim --step-timeout-ms sync=900
	killed_at 1000
}

@test "R4: a guest without sleep, or whose sleep takes no fractions, gets whole seconds" {
	vm --fstrim ok --step-ms sync=60000
	guest_program sleep <<-'E'
	#!/bin/sh
	case $1 in *[!0-9]*) exit 1 ;; esac
	exec /usr/bin/sleep "$@"
	E
	reclaim --step-timeout-ms sync=900
	killed_at 1000
}

@test "R4: BusyBox itself" {
	command -v busybox >/dev/null || skip 'no busybox'
	vm --fstrim ok --step-ms sync=60000
	# By its path, or BusyBox takes its own sync, sh and fstrim.
	guest_timeout "seconds=\$3 program=\$(command -v \"\$4\"); shift 4
		exec $(command -v busybox) timeout -s KILL \$seconds \"\$program\" \"\$@\""
	reclaim --step-timeout-ms sync=200
	# A newer one takes fractions.
	local cap=1000
	grep -q '^1 sync' "$(guest_dir)/given" || cap=200
	killed_at $cap
}

@test "R4: GNU's timeout takes fractions, and the cap is used as it is" {
	vm --fstrim ok --step-ms sync=60000
	guest_timeout 'exec /usr/bin/timeout "$@"'
	reclaim --step-timeout-ms sync=200
	killed_at 200
	grep -qx '0.200 sync' "$(guest_dir)/given"
}

@test "R5: a kill at the cap is a timeout, whatever exit code it has: 124, 137, 143" {
	local code
	vm --fstrim ok --step-ms sync=60000
	for code in 124 137 143; do
		guest_timeout "/usr/bin/timeout \"\$@\"; code=\$?; [ \$code != 137 ] || code=$code; exit \$code"
		reclaim --step-timeout-ms sync=200
		killed_at 200
		expect_json ".steps[0].exit_code == $code"
	done
}

@test "R5: a step that ends early with such a code is no timeout" {
	local code
	vm --fstrim ok
	for code in 124 143; do
		guest_program sync <<-E
		#!/bin/sh
		exit $code
		E
		reclaim
		expect 4
		expect_json '.steps[0].status == "failed"' ".steps[0].exit_code == $code"
	done
}

@test "R5: uutils' timeout itself" {
	local found=${FCPAUSE_UUTILS_TIMEOUT:-/usr/lib/cargo/bin/coreutils/timeout}
	[ -x "$found" ] || skip 'no uutils'
	vm --fstrim ok --step-ms sync=60000
	guest_timeout "exec $found \"\$@\""
	reclaim --step-timeout-ms sync=200
	killed_at 200
}

@test "A9: the steps that nobody named: what the guest cannot do is noted, ok, exit 0" {
	vm
	reclaim
	expect 0
	expect_no_err
	expect_json '.status == "ok"' '.note | contains("fstrim: unsupported (the guest'"'"'s disk has no discard)")' \
		'[.steps[].status] == ["ok", "ok", "ok", "unsupported"]'
	fcp reclaim --envd "$SIM_ENVD"
	expect 0
	expect_out "the guest's disk has no discard"
}

@test "A9: steps that were asked for: partial, exit 4; the only one: unsupported, exit 3" {
	vm
	reclaim --steps sync,fstrim
	expect 4
	expect_json '.status == "partial"' '.note == null'
	FCPAUSE_STEPS=sync,fstrim reclaim
	expect 4
	reclaim --steps fstrim
	expect 3
	expect_json '.status == "unsupported"'
}

@test "A9: a default step that fails or is killed still makes it partial" {
	vm --fstrim fail
	reclaim
	expect 4
	expect_json '.status == "partial"'
}
