#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Whatever fails, at whichever call,
#  - the exit code is 0, 1 or 5 and the JSON, one object, agrees with it
#  - the VM runs when the snapshot failed or --resume was asked, else it is Paused
#  - the old pair is there byte for byte, or the new pair is there whole; nothing else is
#  - no temporary name is left; it does not take long
# A failed run has changed nothing: only exit 0 (and 5 after success) replaces the old pair.

load helpers
load walk

# walk MODE CALL ERRNO: the n-th CALL fails, for n = 1, 2, 3, ... until a run has no n-th.
walk() {
	local n
	for ((n = 1; ; n++)); do
		arrange "$1"
		SHIM=("SHIM_FAULT=$2@$n=$3")
		run_mode "$1"
		struck || break
		judge "$1" "$1: $2 number $n fails with $3: $(calls '^fault')" "${4:-}" || return
		[ "$status" -ne 5 ] || _show "$1: $2 $n $3: exit 5, but the API answers" || return
		back_to_running
	done
	[ "$status" -eq 0 ] || _show "$1: $2: no fault" || return
	judge "$1" "$1: $2: no fault" || return
	back_to_running
	echo "# $1: $2 $3: $((n - 1)) calls" >>"$BATS_FILE_TMPDIR/walked"
}

walk_all() {
	local mode=$1 call error
	for call in "${@:2}"; do
		for error in ${ERRORS:-EIO} ${LONG:+EACCES EINTR ENOSPC ENOMEM EMFILE}; do
			walk "$mode" "$call" "$error"
		done
	done
}

@test "fsync fails, each in turn: a new pair" {
	VM
	ERRORS='EIO ENOSPC' walk_all new fsync
}

@test "fsync fails, each in turn: an old pair is replaced" {
	VM
	ERRORS='EIO ENOSPC' walk_all force fsync
}

@test "fsync fails, each in turn: a checkpoint" {
	VM
	walk_all pause fsync
}

@test "rename fails, each in turn" {
	VM
	for mode in new force ${LONG:+pause}; do
		walk_all $mode rename renameat2 linkat
	done
}

@test "open fails, each in turn" {
	VM
	for mode in ${LONG:+new} force pause; do
		ERRORS=EACCES walk_all $mode open openat openat2
	done
}

@test "the named pipe of a hold cannot be opened, nor any other descriptor's link: Firecracker is let go" {
	VM
	unset FCPAUSE_WRITER
	local mode
	for mode in force pause; do
		ERRORS=EACCES walk_all $mode open:/proc/self/fd/ openat:fcpause-hold mkfifoat fchownat
	done
}

@test "open runs out of descriptors or is interrupted, each in turn" {
	VM
	for mode in new ${LONG:+force pause}; do
		ERRORS="EMFILE ${LONG:+EINTR}" walk_all $mode openat
	done
}

@test "a lock, the room, an access, a path, a list: each fails in turn" {
	VM
	for mode in ${LONG:+new} force ${LONG:+pause}; do
		walk_all $mode flock fstatvfs faccessat realpath opendir
	done
}

@test "/proc fails, each file in turn" {
	VM
	for mode in ${LONG:+new force} pause; do
		ERRORS=EACCES walk_all $mode fopen:/proc/
	done
}

@test "sockets fail, each in turn: the VM is brought back all the same" {
	VM
	for mode in new pause; do
		ERRORS=EMFILE walk_all $mode socket
		ERRORS=EAGAIN walk_all $mode connect
	done
}

@test "reading and punching the memory file fails, each in turn: the snapshot stays good" {
	VM
	# Of these there are many: single ones, and all of them.
	local fault
	for fault in fallocate@1 fallocate@1+ pread@1 pread@2 pread@1+; do
		arrange pause
		SHIM=("SHIM_FAULT=$fault=EIO")
		run_mode pause
		struck
		[ "$status" -eq 0 ]
		judge pause "pause: $fault"
	done
}

@test "a name cannot be removed: the rest is as it should be, and the next run removes it" {
	VM
	for mode in ${LONG:+new} force ${LONG:+pause}; do
		walk_leftover $mode
	done
}
walk_leftover() {
	local n
	for ((n = 1; ; n++)); do
		arrange "$1"
		SHIM=("SHIM_FAULT=unlinkat@$n=EIO")
		run_mode "$1"
		struck || break
		judge "$1" "$1: unlinkat number $n" leftover || return
		[ "$status" -ne 0 ] || back_to_running
		SHIM=()
		run_mode force
		expect 0
		[ "$(listing)" = 'mem snap' ] || _show "not removed: $(listing)" || return
		back_to_running
	done
	back_to_running
	[ "$n" -gt 1 ]
}
