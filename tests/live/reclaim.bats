#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# reclaim through the real envd, in a real guest, and what goes wrong there.

load helpers

reclaim() { fcp reclaim --json --envd "$ENVD" "$@"; }

@test "each step is done; the disk cannot be trimmed, and that is said" {
	boot
	workload
	guest 'cat /root/kept >/dev/null'
	local cached='awk "/^Cached/ { print int(\$2 / 1024) }" /proc/meminfo' before after
	before=$(guest "$cached")
	reclaim "${CAPS[@]}"
	expect 0
	expect_json '.status == "ok"' '.note | contains("fstrim")' \
		'[.steps[] | {(.name): .status}] | add == {sync: "ok", drop_caches: "ok", compact_memory: "ok", fstrim: "unsupported"}'
	figure reclaim '{ms, steps: [.steps[] | {name, status, ms}]}'
	after=$(guest "$cached")
	# What stays is the tmpfs file.
	[ $((before - after)) -ge 40 ]
	[ "$after" -ge 30 ]
	same_sums
}

@test "without the step that cannot be done: ok" {
	reclaim "${CAPS[@]}" --steps drop_caches,compact_memory
	expect 0
	expect_json '.status == "ok"' '[.steps[].name] == ["drop_caches", "compact_memory"]'
}

@test "a step at its cap is killed, the others go on" {
	block_compaction
	reclaim "${CAPS[@]}" --step-timeout-ms compact_memory=500
	expect 4
	expect_json '[.steps[] | {(.name): .status}] | add == {sync: "ok", drop_caches: "ok", compact_memory: "timeout", fstrim: "unsupported"}'
	not_compacting
}

@test "the ceiling in the middle: what was done is told, what was not is skipped" {
	reclaim --steps drop_caches,compact_memory,sync "${CAPS[@]}" --reclaim-timeout-ms 3000
	expect 4
	expect_json '.status == "timeout"' '[.steps[].status] == ["ok", "timeout", "skipped"]' '.ms < 60000'
	# What envd leaves running ends at its own cap.
	within 60 not_compacting
}

@test "envd killed half-way: failed in time, with what is known; then it is up again" {
	guest '(sleep 2; killall -9 envd) >/dev/null 2>&1 &'
	reclaim --steps drop_caches,compact_memory "${CAPS[@]}"
	expect 1
	expect_json '.status == "failed"' '.error.message | length > 0' '.ms < 19000'
	within 60 envd_up
	within 60 not_compacting
	unblock_compaction
	reclaim "${CAPS[@]}" --steps compact_memory
	expect 0
}

@test "a pause while envd is away: the snapshot is good, and the reclaim is told as failed" {
	guest '(touch /run/no-envd; sleep 1; killall -9 envd; sleep 8; rm /run/no-envd) >/dev/null 2>&1 &'
	envd_down() { ! envd_up; }
	within 60 envd_down
	fcp pause --json --resume --api-sock "$SOCK" --envd "$ENVD" --reclaim \
		--snapshot-path "$T/s.snap" --mem-file-path "$T/s.mem"
	expect 0
	expect_json '.status == "partial"' '.vm_state == "Running"' '.steps[0].status == "failed"' \
		'.steps[2].status == "ok"' '.steps[2].writer == "fcpause"'
	within 120 envd_up
	same_sums
}

@test "a user that does not exist: envd's own words" {
	fcp exec --json --user nobody-of-that-name --envd "$ENVD" -- true
	expect 125
	expect_json '.error.message | contains("nobody-of-that-name")'
}

@test "nobody at envd's address: failed in time" {
	stop_vm
	reclaim
	expect 4
	expect_json '.status == "timeout"' '.reason | contains("envd did not begin")' '[.steps[].status] | unique == ["skipped"]'
}
