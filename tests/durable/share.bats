#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Issue 13, point 4: whatever call `fcpause share` is killed at, or fails, the old file is there or the new
# one, both with the same bytes, the files that it shares with are as they were, and the next run puts all right.

load helpers
load ../cli/reflinks

setup_file() {
	export BATS_TEST_TIMEOUT=600
	"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O1 -shared -fPIC -o "$BATS_FILE_TMPDIR/shim.so" \
		"$BATS_TEST_DIRNAME/shim.c" -ldl || skip 'no C compiler for the shim'
}

share() { fcp share --json --mem-file-path m/vm.mem --share m/disk "$@"; }

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
