#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# scripts/resume-build on the real servers.

load helpers

resume_build() {
	status=0
	"$ROOT/scripts/resume-build" --snapshot-path "$DIR/s.snap" --mem-file-path "$DIR/s.mem" --fcpause "$FCPAUSE" \
		--tap "$TAP" --envd "$ENVD" --api-timeout-ms 60000 --load-timeout-ms 120000 --envd-timeout-ms 240000 \
		--cmd-timeout-ms 240000 --json "$@" >"$T/out" 2>"$T/err" || status=$?
}

@test "a snapshot to begin with" {
	boot
	workload
	fcp pause --json --api-sock "$SOCK" --snapshot-path "$DIR/s.snap" --mem-file-path "$DIR/s.mem"
	expect 0
	stop_vm
	(cd "$DIR" && md5sum s.snap s.mem disk) >"$DIR/before"
}

@test "resumed, built in, paused, twice: new snapshots, and the old one is as it was" {
	resume_build --cmd-pause 'md5sum /tmp/keep /root/kept; echo built >/root/built; echo in memory >/tmp/built' \
		--output "$T/new" --iterations 2 --restore-drives --reclaim -- "${CAPS[@]}"
	expect 0
	expect_json '.iterations | length == 2' '[.iterations[].pause.vm_state] == ["Paused", "Paused"]' \
		'.iterations[0].pause.steps[0].steps | length == 4' \
		'[.iterations[].pause.steps[2].memory | .written_bytes < 100000000 and .base.path != null] | all'
	[ "$(on_disk "$T/new/2.mem")" -lt 200000000 ]
	figure resume_build '.summary'
	diff <(cd "$DIR" && md5sum s.snap s.mem disk) "$DIR/before"
	# What the command wrote is in the log.
	grep -qFf <(cut -d' ' -f1 "$DIR/sums" | head -n 1) "$T/err"

	mv "$DIR/disk" "$DIR/disk.before"
	mv "$T/new/2.snap.rootfs" "$DIR/disk"
	restore "$T/new/2.snap" "$T/new/2.mem"
	same_sums
	[ "$(guest 'cat /root/built /tmp/built')" = $'built\nin memory' ]
	uses_all_its_memory
	kernel_is_quiet
	stop_vm
}

@test "cold, and paused when a shell in the guest ends: what was typed is in the snapshot" {
	cp --sparse=always "$DIR/disk.before" "$DIR/disk"
	resume_build --cold --shell --output "$T/shell" --restore-drives <<<'echo typed >/tmp/typed; cat /tmp/typed; exit 3'
	expect 0
	expect_json '.cold' '.iterations[0].cmd_ms > 0' '.iterations[0].pause.vm_state == "Paused"'
	grep -q typed "$T/err"
	diff <(cd "$DIR" && md5sum s.snap s.mem disk) "$DIR/before"
	mv "$T/shell/1.snap.rootfs" "$DIR/disk"
	restore "$T/shell/1.snap" "$T/shell/1.mem"
	[ "$(guest 'cat /tmp/typed')" = typed ]
	stop_vm
}

@test "three layers in a chain, each of what the one before it made; merged, the last one loads" {
	mv "$DIR/disk.before" "$DIR/disk"
	resume_build --layer --cmd-pause 'md5sum /tmp/keep /root/kept; echo step >>/root/steps; echo step >>/tmp/steps' \
		--output "$T/chain" --iterations 3 --restore-drives
	expect 0
	expect_json '[.iterations[].merge.created] == [null, true, true]' \
		'[.iterations[].pause.steps[2] | .layer and .memory.written_bytes < 100000000] | all'
	figure resume_build_chain '{summary, written_bytes: [.iterations[].pause.steps[2].memory.written_bytes]}'
	diff <(cd "$DIR" && md5sum s.snap s.mem disk) "$DIR/before"
	[ "$(cd "$T/chain" && echo *.mem)" = '1.mem 2.mem 3.mem' ]
	[ -z "$(find "$T/chain" -name '*.whole')" ]
	# (tmpfs did not record ids before Linux 6.6.)
	fcp merge --json --base "$DIR/s.mem" --layer "$T/chain/1.mem" --layer "$T/chain/2.mem" --layer "$T/chain/3.mem" \
		--out "$T/whole.mem" --any-base
	expect 0
	mv "$T/chain/3.snap.rootfs" "$DIR/disk"
	restore "$T/chain/3.snap" "$T/whole.mem"
	same_sums
	[ "$(guest 'cat /root/steps /tmp/steps' | grep -c step)" = 6 ]
	uses_all_its_memory
	same_sums
	kernel_is_quiet
	stop_vm
}

@test "a command that fails: no pause, no snapshot, the guest's words" {
	resume_build --cmd-pause 'echo no such luck >&2; exit 3' --out-snapshot-path "$T/n.snap" --out-mem-file-path "$T/n.mem"
	expect 1
	expect_err 'no such luck'
	[ ! -e "$T/n.snap" ]
	[ ! -e "$T/n.mem" ]
}
