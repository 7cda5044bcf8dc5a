#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Issue 16, point 2: somebody who takes fcpause over while it reads the guest's memory, or a server's
# answer, can do little: exploit.c is what he tries.

load helpers
eval "helpers_$(declare -f setup)"

setup_file() {
	local cc=${CC:-cc}
	command -v "$cc" >/dev/null || skip 'no C compiler for the exploit'
	"$cc" -std=gnu17 -D_GNU_SOURCE -O1 -Wall -Werror -shared -fPIC -o "$BATS_FILE_TMPDIR/exploit.so" \
		"$BATS_TEST_DIRNAME/exploit.c"
}

setup() {
	helpers_setup
	unset FCPAUSE_WRITER
	case $FCPAUSE in *asan*) skip 'the sanitizers have their own way with processes' ;; esac
	grep -q '^Seccomp:' /proc/self/status || skip 'no seccomp here'
}

# The outside: a file, a directory and a socket that no option names, a process.
outside() {
	mkdir outside
	echo secret >outside/file
	SIM_NAME=other sim_start --no-envd
	OTHER_SOCK=$SIM_SOCK OTHER_PID=$SIM_PID
	! [ -e sim-a/values ] || sim_use a
}

# exploited FUNCTION ARGS…: fcpause, taken over at its first call of the function.
exploited() {
	local at=$1
	shift
	: >"$T/tried"
	status=0
	env "LD_PRELOAD=$BATS_FILE_TMPDIR/exploit.so" "EXPLOIT_LOG=$T/tried" "EXPLOIT_AT=$at" "EXPLOIT_READ=$T/outside/file" \
		"EXPLOIT_MAKE=$T/outside/made" "EXPLOIT_SOCKET=$OTHER_SOCK" "EXPLOIT_PID=$OTHER_PID" \
		"EXPLOIT_READ_PID=$OTHER_PID" "EXPLOIT_PORT=${PORT:-1}" timeout -k 1 $RUN_SECONDS "$FCPAUSE" "$@" >"$T/out" 2>"$T/err" || status=$?
	[ -s "$T/tried" ] || _show "was not at $at"
}

# failed NAME…: each was tried, and not permitted. ENOSYS: an older kernel has no such call.
failed() {
	local name
	for name; do
		grep -qE "^$name (EPERM|EACCES|ENOSYS)$" "$T/tried" ||
			{ cat "$T/tried"; _show "$name was not refused" || return 1; }
	done
}

EVERYWHERE=(exec write-process trace signal steal code mount namespace module bpf keyring perf userfault
	uring root user capability dumpable)

@test "the exploit works without a sandbox: what the tests try is tried" {
	vm
	outside
	exploited recv status --api-sock "$SIM_SOCK" --no-sandbox
	expect 0
	grep -qx 'read-file ok' tried
	grep -qx 'make-file ok' tried
	grep -qx 'connect ok' tried
	grep -qx 'internet ok' tried
	grep -qx 'fork ok' tried
	grep -qx 'signal ok' tried
	[ -e outside/made ]
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	grep -qx 'exec ENOENT' tried
	grep -qx 'namespace ok' tried
	grep -qx 'capability ok' tried
}

@test "who reads Firecracker's answer can run nothing, change no process, and get no more rights" {
	vm
	outside
	exploited recv status --api-sock "$SIM_SOCK"
	expect 0
	failed "${EVERYWHERE[@]}" internet tcp server
}

@test "who reads envd's answer has the Internet families, and else the same" {
	vm
	outside
	exploited recv exec --envd "$SIM_ENVD" -- echo in
	expect 0
	expect_out in
	failed "${EVERYWHERE[@]}" server
	grep -qx 'internet ok' tried
}

# Beyond that, where the guest's memory is read.
READING=(read-file change-file make-file remove-file connect internet tcp server fork read-process)

@test "who reads the guest's memory in Firecracker's process reaches no file, socket or other process" {
	vm --memory 64 --workload 8,4,2
	outside
	exploited process_vm_readv pause --api-sock "$SIM_SOCK" --envd "$SIM_ENVD" --snapshot-path snap --mem-file-path mem \
		--writer fcpause --json
	expect 0
	expect_json '.steps[2].writer == "fcpause"'
	failed "${EVERYWHERE[@]}" "${READING[@]}"
	[ -e outside/file ] && [ ! -e outside/made ]
}

@test "nor does who copies it, with free pages left in" {
	vm --memory 64 --workload 8,4,2
	outside
	exploited process_vm_readv pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem \
		--writer fcpause --no-trim --verify
	expect 0
	failed "${EVERYWHERE[@]}" "${READING[@]}"
}

@test "nor does doctor, who looks whether free pages can be found in it" {
	vm --memory 64
	outside
	exploited process_vm_readv doctor --api-sock "$SIM_SOCK"
	expect 4
	failed "${EVERYWHERE[@]}" "${READING[@]}"
}

@test "nor does who reads it in a memory file" {
	outside
	guest_file guest.mem
	local command
	for command in 'madvise-ranges --list' inspect 'madvise-ranges --find free'; do
		# shellcheck disable=SC2086
		exploited pread $command --mem-file-path guest.mem --json
		expect 0
		failed "${EVERYWHERE[@]}" "${READING[@]}"
	done
}

# has_rights CAPABILITIES: of the fcpause that runs, which is then ended.
has_rights() {
	local process
	process=/proc/$(pgrep -P "$FCP_PID" -x fcpause)/status
	grep -qx "CapEff:	$1" "$process" && grep -qx "CapPrm:	$1" "$process" || { grep Cap "$process"; return 1; }
	grep -qx 'CapInh:	0000000000000000' "$process"
	grep -qx 'NoNewPrivs:	1' "$process"
	grep -qx 'Seccomp:	2' "$process"
	fcp_signal TERM
	fcp_end
}

# CAP_DAC_OVERRIDE and _READ_SEARCH; CHOWN, FOWNER, FSETID, SYS_PTRACE, LEASE, CHECKPOINT_RESTORE.
@test "capabilities are dropped to what the command needs" {
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	grep -q '^CapBnd:	000001ff' /proc/self/status || skip 'a kernel before 5.9'
	vm --snapshot-ms 3000
	fcp_start exec --envd "$SIM_ENVD" -- sleep 30
	sim_wait_log Start
	has_rights 0000000000000006
	fcp_start pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --writer firecracker
	sim_wait_log '^PUT /snapshot/create'
	has_rights 000001001008001f
}

@test "--no-sandbox, and FCPAUSE_SANDBOX=0, leave the process as it is" {
	vm
	outside
	FCPAUSE_SANDBOX=0 exploited recv status --api-sock "$SIM_SOCK"
	grep -qx 'fork ok' tried
	grep -qx 'read-file ok' tried
}
