#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# R16: without /proc (a chroot, a container that is too bare) the messages say that it is missing.

load helpers

# fcp_without_proc ARGS...
fcp_without_proc() {
	status=0
	timeout -k 1 $RUN_SECONDS unshare -m sh -c 'mount -t tmpfs none /proc && exec "$0" "$@"' \
		"$FCPAUSE" "$@" >"$T/out" 2>"$T/err" || status=$?
}

need_namespace() {
	unshare -m mount -t tmpfs none /proc 2>/dev/null || skip 'needs a mount namespace'
}

@test "R16: a snapshot without /proc: the message names it, and the VM was not paused" {
	need_namespace
	vm
	fcp_without_proc pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem
	expect 1
	expect_err '/proc'
	run ! grep -q PATCH "$SIM_LOG"
	expect_no_files
}

@test "R16: a memory file without /proc: the message names it" {
	need_namespace
	truncate -s 1M mem
	fcp_without_proc madvise-ranges --mem-file-path mem --find zero --holes zero
	expect 1
	expect_err '/proc is needed and not mounted'
	fcp_without_proc inspect --mem-file-path mem
	expect 1
	expect_err '/proc is needed and not mounted'
}

@test "R16: a socket whose path is too long for an address, without /proc" {
	need_namespace
	local long
	long=$T/$(printf 'd%.0s' {1..120})
	vm
	mkdir "$long"
	(cd "$long" && ln "$SIM_SOCK" a)
	fcp_without_proc balloon-drain --api-sock "$long/a"
	expect 1
	expect_err '/proc is needed and not mounted'
}
