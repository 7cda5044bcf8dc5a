#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Whatever call `fcpause share` is killed at, or fails, the old file is there or the
# new one, both with the same bytes, the files that it shares with are as they were, and the next run puts all
# right; and a snapshot that cannot share writes.

load helpers
load ../cli/reflinks

setup_file() {
	export BATS_TEST_TIMEOUT=600
	"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O1 -shared -fPIC -o "$BATS_FILE_TMPDIR/shim.so" \
		"$BATS_TEST_DIRNAME/shim.c" -ldl || skip 'no C compiler for the shim'
}

share() { fcp share --json --mem-file-path m/vm.mem --share m/disk; }

# 64 pages of memory: 20 of the disk's in two places, one of its own between, holes.
arrange() {
	fs_mounted xfs
	D=$T/m
	head -c $((100 * 4096)) /dev/urandom >"$T/disk.before"
	truncate -s $((64 * 4096)) "$T/expected"
	dd if="$T/disk.before" of="$T/expected" bs=4096 skip=50 count=12 conv=notrunc status=none
	dd if=/dev/urandom of="$T/expected" bs=4096 seek=12 count=1 conv=notrunc status=none
	dd if="$T/disk.before" of="$T/expected" bs=4096 skip=3 seek=40 count=8 conv=notrunc status=none
}

begin() {
	rm -f m/vm.mem* m/disk*
	cp "$T/disk.before" m/disk
	cp "$T/expected" m/vm.mem
	sync -f m
}

walked() {
	begin
	SHIM=()
	share
	expect 0 || return
	awk '$2 !~ "^/proc" { print $1, ++n[$1] }' "$T/calls"
}

is_whole() { cmp m/vm.mem expected && cmp m/disk disk.before; }

# The index is made anew, or not there; nothing else is left.
settled() {
	local left
	SHIM=()
	share
	expect 0 || return
	is_whole || return
	is_shared m/vm.mem $((20 * 4096)) || return
	left=$(listing)
	[ "$left" = 'disk disk.fcpause-index vm.mem' ] || _show "left: $left"
}

@test "SIGKILL at each call in turn: the file is whole, and the next run puts all right" {
	local name nth
	arrange
	walked >"$T/walk"
	[ "$(wc -l <"$T/walk")" -gt 25 ]
	grep -q ioctl "$T/walk"
	while read -r name nth; do
		begin
		SHIM=("SHIM_FAULT=$name@$nth=kill")
		{ share; } 2>/dev/null
		[ "$status" -eq 137 ] || _show "$name $nth: not killed" || return
		is_whole || _show "$name $nth, killed" || return
		settled || _show "$name $nth, killed, and again" || return
	done <"$T/walk"
}

@test "each call fails in turn: the file is whole, and nothing else is left" {
	local name nth
	arrange
	walked >"$T/walk"
	while read -r name nth; do
		begin
		SHIM=("SHIM_FAULT=$name@$nth=EIO")
		share
		[ "$status" -le 1 ] || [ "$status" -eq 3 ] || [ "$status" -eq 6 ] || _show "$name $nth" || return
		is_whole || _show "$name $nth failed" || return
		case $(listing) in
		'disk vm.mem' | 'disk disk.fcpause-index vm.mem') ;;
		# What cannot be looked at or removed stays for the next run.
		*) [[ $name == @(unlinkat|fstat*|flock) ]] || _show "$name $nth: left: $(listing)" || return ;;
		esac
		settled || _show "$name $nth failed, and again" || return
	done <"$T/walk"
}

@test "SIGTERM while it clones: interrupted, nothing is left, and the file is as it was" {
	local inode
	arrange
	begin
	inode=$(stat -c %i m/vm.mem)
	SHIM=("SHIM_FAULT=pread:vm.mem@1=hold")
	fcp_start share --json --mem-file-path m/vm.mem --share m/disk
	until_held
	kill -TERM "$FCP_PID"
	release
	fcp_end
	[ "$status" -eq 1 ]
	expect_json '.replaced == false' '.error.class == "interrupted"'
	[ "$(stat -c %i m/vm.mem)" = "$inode" ]
	is_whole
	[ "$(listing)" = 'disk disk.fcpause-index vm.mem' ]
}

# The disk is frozen by then.
@test "a disk that is written meanwhile: what it was is shared" {
	arrange
	begin
	SHIM=("SHIM_FAULT=pread:vm.mem@1=hold")
	exec 7<>m/disk
	fcp_start share --json --mem-file-path m/vm.mem --share m/disk
	until_held
	head -c $((100 * 4096)) /dev/urandom | dd of=m/disk conv=notrunc status=none
	release
	fcp_end
	exec 7>&-
	[ "$status" -eq 0 ]
	expect_json '.replaced' ".shares[0].shared_bytes == $((20 * 4096))"
	cmp m/vm.mem expected
}

@test "somebody opens the file meanwhile: given up" {
	arrange
	begin
	SHIM=("SHIM_FAULT=pread:vm.mem@1=hold")
	fcp_start share --json --mem-file-path m/vm.mem --share m/disk
	until_held
	head -c 1 m/vm.mem >/dev/null &
	local reader=$!
	until grep -q 'LEASE  *BREAKING' /proc/locks; do :; done
	release
	fcp_end
	wait $reader
	[ "$status" -eq 1 ]
	expect_json '.replaced == false' '.error.class == "busy"'
	is_whole
}

# A booted VM, its memory in plain.mem, and a disk that has it too.
booted() {
	fs_mounted xfs
	unset FCPAUSE_WRITER
	sim_start --boot --no-envd --memory 32 --workload 8,0,0
	SHIM=()
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path plain.snap --mem-file-path plain.mem --resume
	expect 0
	cp plain.mem m/disk
}
snapshot_shared() {
	fcp snapshot --json --api-sock "$SIM_SOCK" --snapshot-path m/a.snap --mem-file-path m/a.mem --share m/disk \
		--resume --force "$@"
}

@test "a snapshot that cannot freeze, read or clone the disk writes" {
	local fault
	booted
	for fault in ioctl:deleted@1=EIO ioctl:a.mem@1=EINVAL ioctl:a.mem@2=EOPNOTSUPP pread:deleted@1=EIO; do
		exec 7<>m/disk
		SHIM=("SHIM_FAULT=$fault")
		snapshot_shared --verify
		exec 7>&-
		expect 0
		struck || _show "$fault did not strike" || return
		expect_json '.memory.verified' \
			'.memory | .zero_bytes + .shared_bytes + .written_bytes == .changed_bytes and .written_bytes > 0' ||
			_show "$fault" || return
		expect_json '.warnings | length == 1 and (.[0] | startswith("no storage is shared with m/disk"))' || return
		cmp m/a.mem plain.mem
	done
}

@test "a snapshot for which there is no room fails, and the VM runs on" {
	booted
	SHIM=("SHIM_FAULT=ioctl:a.mem@1=ENOSPC")
	snapshot_shared
	expect 1
	expect_json '.created == false' '.vm_state == "Running"' '.error.message | contains("cannot share storage")'
	[ "$(find m -name 'a.*')" = '' ]
}

@test "a snapshot that is interrupted while it reads the disk, before the pause" {
	booted
	rm -f m/disk.fcpause-index
	: >"$SIM_LOG"
	SHIM=("SHIM_FAULT=lseek:m/disk@1=hold")
	fcp_start snapshot --json --api-sock "$SIM_SOCK" --snapshot-path m/a.snap --mem-file-path m/a.mem --share m/disk
	until_held
	kill -TERM "$FCP_PID"
	release
	fcp_end
	expect 1
	expect_json '.created == false' '.error.class == "interrupted"'
	run ! grep -q PATCH "$SIM_LOG"
	[ "$(find m -name 'a.*')" = '' ]
}
