#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Both files are created under temporary names in the target's directory, fsynced
# (files and directory) and renamed as a pair, memory file first; a reader never sees one without the
# other being whole; existing targets are replaced only with --force, and only at the end; room is
# checked before the VM is paused, and ENOSPC in the middle leaves no partial file. For a
# checkpoint the files are made durable after the resume.
# (What a failure leaves: faults.bats, requests.bats. What a crash leaves: killed.bats.)

load helpers

# Line of the shim's log; fails when there is none.
at() { calls "$1" | head -1 >/dev/null && grep -nE -- "$1" "$T/calls" | "${2:-head}" -1 | cut -d: -f1; }
before() { [ -n "$1" ] && [ -n "$2" ] && [ "$1" -lt "$2" ] || _show "order: '$1' is not before '$2'; calls: $(<"$T/calls")"; }

@test "Firecracker writes temporary names in the targets' directories; both are fsynced, then renamed, memory first" {
	vm --no-envd
	mkdir "$T/e"
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path d/snap --mem-file-path e/mem --json
	expect 0
	grep -qF "\"snapshot_path\":\"$D/snap.fcpause-tmp\",\"mem_file_path\":\"$T/e/mem.fcpause-tmp\"" "$SIM_LOG"
	local memory snapshot
	memory=$(at '^(rename.*|linkat) .*/e/mem.fcpause-tmp .*/e/mem$')
	snapshot=$(at '^(rename.*|linkat) .*/snap.fcpause-tmp .*/snap$')
	before "$(at '^fsync .*/e/mem.fcpause-tmp$')" "$memory"
	before "$(at '^fsync .*/snap.fcpause-tmp$')" "$memory"
	before "$memory" "$snapshot"
	# Each directory after its name, the memory file's before the snapshot file has its name.
	before "$memory" "$(at '^fsync .*/e$' tail)"
	before "$(at '^fsync .*/e$' tail)" "$snapshot"
	before "$snapshot" "$(at '^fsync .*/d$' tail)"
	[ "$(listing)" = snap ]
	[ "$(echo "$T"/e/*)" = "$T/e/mem" ]
}

@test "replacing: the old snapshot file is away before the memory file changes, and removed at the very end" {
	vm --no-envd
	old_pair
	snapshot --force
	expect 0
	local away
	away=$(at '^(rename.*) .*/d/snap .*/snap.fcpause-old$')
	before "$away" "$(at '^(rename.*|linkat) .*/mem.fcpause-tmp .*/mem$')"
	local named removed
	named=$(at '^(rename.*|linkat) .*/snap.fcpause-tmp .*/snap$')
	removed=$(at '^unlinkat .*/snap.fcpause-old$' tail)
	before "$named" "$removed"
	# What is new has its name for good before what is old is removed.
	sed -n "$named,${removed}p" calls | grep -q '^fsync .*/d$' || _show "not made durable in between: $(<calls)"
}

@test "a checkpoint's guest runs before its files are fsynced; else it stands still until they are" {
	vm --no-envd
	SHIM=("SHIM_FAULT=fsync:fcpause-tmp@1=hold")
	pause_start --resume
	until_held
	vm_is Running
	release
	fcp_end
	expect 0
	vm_is Running
	pause_start --force
	until_held
	vm_is Paused
	release
	fcp_end
	expect 0
}

@test "held at each rename, fsync and removal: never a snapshot file beside a memory file that is not its own" {
	vm --no-envd
	reference
	local mode call n
	for mode in new force; do
		for call in rename renameat2 linkat fsync unlinkat; do
			for ((n = 1; ; n++)); do
				rm -rf "$D"
				mkdir "$D"
				[ $mode = new ] || old_pair
				SHIM=("SHIM_FAULT=$call@$n=hold")
				if [ $mode = new ]; then snapshot_start; else snapshot_start --force; fi
				# Held, or through.
				until_held_or_gone || break
				if [ -e "$D/snap" ]; then
					same_new_pair >/dev/null 2>&1 || same_old_pair >/dev/null 2>&1 ||
						_show "$mode, held at $call $n: $(listing)" || return
				fi
				release
				fcp_end
				expect 0
				sim_patch /vm '{"state":"Resumed"}'
			done
			fcp_end
			expect 0
			sim_patch /vm '{"state":"Resumed"}'
		done
	done
}

@test "a reader that looks all the time during 50 replacements always finds a whole pair" {
	vm --no-envd
	reference
	"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O2 -o "$T/watcher" "$BATS_TEST_DIRNAME/watcher.c"
	snapshot --resume
	expect 0
	"$T/watcher" "$D/snap" "$D/mem" "$T/new/snap" "$T/new/mem" "$T/stop" >"$T/seen" 2>&1 3>&- &
	local watcher=$! n
	for ((n = 0; n < 50; n++)); do
		snapshot --resume --force
		[ "$status" -eq 0 ] || break
	done
	: >"$T/stop"
	wait $watcher || _show "the watcher: $(<"$T/seen")"
	expect 0
	same_new_pair
	[ "$(listing)" = 'mem snap' ]
	# It has looked, and it has seen pairs.
	read -r _ pairs _ <"$T/seen"
	[ "$pairs" -gt 50 ]
}

@test "without --force targets that are there stay, and the VM is not asked for anything" {
	vm --no-envd
	old_pair
	: >"$SIM_LOG"
	snapshot
	expect 1
	expect_json '.error.class == "input"'
	same_old_pair
	[ "$(listing)" = 'mem snap' ]
	run ! grep -qE '^(PUT|PATCH)' "$SIM_LOG"
}

@test "without --force a target that appears during the creation is not replaced either" {
	local name
	for name in mem snap; do
		SIM_NAME=$name vm --no-envd --snapshot-ms 300
		rm -f "$D"/*
		snapshot_start
		sim_wait_clock '^snapshot-begin'
		echo somebody >"$D/$name"
		fcp_end
		expect 1
		expect_json '.error.class == "input"' '.created == false' '.vm_state == "Running"'
		[ "$(cat "$D/$name")" = somebody ]
		[ "$(listing)" = $name ]
		vm_is Running
	done
}

@test "a file system that can neither exchange nor tell names apart (NFS): the same" {
	vm --no-envd
	reference
	SHIM=('SHIM_FAULT=renameat2@1+=EINVAL')
	snapshot --resume
	expect 0
	same_new_pair
	old_pair
	snapshot --resume --force
	expect 0
	same_new_pair
	[ "$(listing)" = 'mem snap' ]
}

@test "too little room: said before the pause, nothing is touched" {
	vm --no-envd
	old_pair
	local type free
	for type in full:16000000 full:16800000 auto:500000 diff:0; do
		free=${type#*:}
		SHIM=("SHIM_FREE=$free")
		: >"$SIM_LOG"
		pause --force --type "${type%:*}"
		expect 1
		expect_json '.error.class == "io"' '.error.errno == 28' '.error.message | contains("not paused")' '.vm_state == "Running"'
		run ! grep -qE '^(PUT|PATCH)' "$SIM_LOG"
		same_old_pair
	done
	# A Diff needs no more than what is resident.
	SHIM=('SHIM_FREE=15000000')
	snapshot --force
	expect 0
}

@test "too little room where the snapshot file goes: said before the pause too" {
	only_root
	vm --no-envd
	mkdir small
	mount -t tmpfs -o size=8k fcpause-test small 2>/dev/null || skip 'no mount'
	head -c 8192 /dev/zero >small/full || true
	: >"$SIM_LOG"
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path small/snap --mem-file-path d/mem --json
	umount small
	expect 1
	expect_json '.error.errno == 28' '.error.message | contains("small/snap")'
	run ! grep -q '"Paused"' "$SIM_LOG"
}

@test "a file system that is full: no partial file, old pair untouched, the VM runs" {
	only_root
	vm --no-envd
	mkdir small
	mount -t tmpfs -o size=12m fcpause-test small 2>/dev/null || skip 'no mount'
	old_pair
	cp d/snap d/mem small
	# The room was there when it was looked at.
	SHIM=('SHIM_FREE=99999999')
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path small/snap --mem-file-path small/mem --json --force --type full
	mv small/* d
	local left
	left=$(ls -A small)
	umount small
	expect 1
	expect_json '.error.message | contains("No space left")' '.vm_state == "Running"'
	[ -z "$left" ]
	[ "$(listing)" = 'mem snap' ]
	same_old_pair
	vm_is Running
}

@test "ENOSPC in the middle of the memory file, from Firecracker: the same" {
	vm --no-envd --space-limit "$D=4000000"
	local mode
	for mode in new force; do
		rm -f "$D"/*
		[ $mode = new ] || old_pair
		pause --type full $([ $mode = new ] || echo --force)
		expect 1
		expect_json '.error.message | contains("No space left")' '.vm_state == "Running"'
		vm_is Running
		if [ $mode = new ]; then [ "$(listing)" = '*' ]; else same_old_pair && [ "$(listing)" = 'mem snap' ]; fi
	done
}
