#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Firecracker is killed at each step of a pause: a clear error, in time, nothing half-done left.

load helpers

pause() {
	mkdir -p "$T/out.d"
	fcp_start pause --json --api-sock "$SOCK" --envd "$ENVD" --snapshot-path "$T/out.d/s.snap" \
		--mem-file-path "$T/out.d/s.mem" "$@"
}

# died EXIT CLASS: failed, in time, of that class; no file is left.
died() {
	expect "$1"
	expect_json '.status == "failed"' ".error.class == \"$2\"" '.error.message | length > 10' '.ms < 120000'
	[ -z "$(ls -A "$T/out.d")" ]
}

kill_it() {
	kill -KILL "$FC_PID"
	within 60 vm_ended
}

@test "before anything: nobody listens" {
	boot
	workload
	fcp snapshot -q --api-sock "$SOCK" --snapshot-path "$DIR/s.snap" --mem-file-path "$DIR/s.mem"
	expect 0
	kill_it
	pause
	fcp_end
	died 1 connect
}

@test "during reclaim" {
	restore "$DIR/s.snap" "$DIR/s.mem"
	block_compaction
	pause --reclaim "${CAPS[@]}"
	within 60 compacting
	kill_it
	fcp_end
	died 1 connect
	expect_json '.error.message | contains("Firecracker has ended")'
}

# On a restored VM a run takes its time.
@test "during the drain" {
	restore "$DIR/s.snap" "$DIR/s.mem"
	pause --drain --fph-timeout-ms 60000
	draining() { api GET /balloon/hinting/status | jq -e '.host_cmd > 1'; }
	within 60 draining
	kill_it
	fcp_end
	died 5 left
	expect_json '.error.message | contains("Firecracker has ended")'
}

@test "while the snapshot is written" {
	restore "$DIR/s.snap" "$DIR/s.mem"
	pause --type full
	writing() { [ "$(du -sm "$T/out.d" | cut -f1)" -gt 5 ]; }
	within 60 writing
	kill_it
	fcp_end
	died 5 left
	expect_json '.error.message | contains("Firecracker has ended")'
}

@test "while a snapshot replaces one: the old pair is whole" {
	restore "$DIR/s.snap" "$DIR/s.mem"
	mkdir "$T/out.d"
	fcp snapshot -q --resume --api-sock "$SOCK" --snapshot-path "$T/out.d/s.snap" --mem-file-path "$T/out.d/s.mem"
	expect 0
	local before
	before=$(cd "$T/out.d" && md5sum s.snap s.mem)
	pause --type full --force
	writing() { [ "$(ls -A "$T/out.d" | wc -l)" -gt 2 ] && [ "$(du -sm "$T/out.d" | cut -f1)" -gt 300 ]; }
	within 60 writing
	kill_it
	fcp_end
	expect 5
	[ "$(ls -A "$T/out.d" | wc -l)" -eq 2 ]
	[ "$(cd "$T/out.d" && md5sum s.snap s.mem)" = "$before" ]
}
