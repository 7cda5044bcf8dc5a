#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Somebody who takes fcpause over while it reads the guest's memory, or a server's
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

@test "who reads envd's answer in a pause has the Internet families, and else the same" {
	vm
	outside
	exploited recv pause --api-sock "$SIM_SOCK" --envd "$SIM_ENVD" --reclaim --snapshot-path snap --mem-file-path mem
	expect 0
	failed "${EVERYWHERE[@]}" server
	grep -qx 'internet ok' tried
}

# ABI: the version of the kernel's Landlock; 0: none.
landlock() { ABI=$(python3 -c 'import ctypes; print(max(0, ctypes.CDLL(None).syscall(444, None, 0, 1)))'); }
need_landlock() {
	command -v python3 >/dev/null || skip 'no python3'
	landlock
	[ "$ABI" -ge "$1" ] || skip "the kernel's Landlock has version $ABI, not $1"
}

# Where Landlock holds: nothing beside what the options name, and no process's memory.
FILES=(read-file change-file make-file remove-file read-process)

# Another server than the one that is named.
other_port() {
	SIM_NAME=third sim_start
	PORT=${SIM_ENVD##*:}
	sim_use a
}

@test "who reads envd's answer for exec reaches no file, socket or port beside envd" {
	need_landlock 4
	vm --token s3cr3t
	(umask 077; echo s3cr3t >token)
	outside
	other_port
	exploited recv exec --envd "$SIM_ENVD" --envd-token-file token -- echo in
	expect 0
	expect_out in
	failed "${EVERYWHERE[@]}" "${FILES[@]}" connect tcp server
	[ -e outside/file ] && [ ! -e outside/made ]
}

@test "nor does who reads it for reclaim, which writes its metrics all the same" {
	need_landlock 4
	vm
	outside
	other_port
	mkdir metrics
	exploited recv reclaim --envd "$SIM_ENVD" --metrics-textfile metrics/m.prom
	expect 0
	failed "${EVERYWHERE[@]}" "${FILES[@]}" connect tcp server
	[ -s metrics/m.prom ]
}

@test "a server by its name is found, with files as few" {
	need_landlock 1
	vm
	outside
	exploited recv exec --envd "http://localhost:${SIM_ENVD##*:}" -- echo in
	expect 0
	expect_out in
	failed "${EVERYWHERE[@]}" "${FILES[@]}"
}

@test "who reads Firecracker's answer for balloon-install has the socket's directory, and no other file" {
	need_landlock 1
	sim_start --memory 16
	outside
	exploited recv balloon-install --api-sock "$SIM_SOCK"
	expect 0
	failed "${EVERYWHERE[@]}" "${FILES[@]}" internet tcp server
}

@test "a socket whose directory cannot be written: the lock is in /tmp all the same" {
	[ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null || skip 'not root, or no setpriv'
	sim_start --memory 16
	chmod 777 "$SIM_SOCK"
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T" "${SIM_SOCK%/*}"
	status=0
	(cd / && exec setpriv --reuid 65534 --regid 65534 --clear-groups -- "$FCPAUSE" balloon-install \
		--api-sock "$SIM_SOCK") >out 2>err || status=$?
	expect 0
	expect_err 'no lock beside the socket, only one in /tmp'
}

@test "who reads a memory file's attributes for inspect has its directory, and no other file" {
	need_landlock 1
	outside
	mkdir d
	(cd d && guest_file guest.mem)
	ln -s d/guest.mem link.mem
	exploited fgetxattr inspect --mem-file-path link.mem --svg d/map.svg
	expect 0
	failed "${EVERYWHERE[@]}" "${FILES[@]}" internet tcp server
	[ -s d/map.svg ]
}

@test "older versions of Landlock confine as much as they know, and none at all is reported" {
	need_landlock 6
	vm
	outside
	for EXPLOIT_LANDLOCK in 1 2 3 4 5 6; do
		export EXPLOIT_LANDLOCK
		exploited recv exec --envd "$SIM_ENVD" -v -- echo in
		expect 0
		failed "${EVERYWHERE[@]}" "${FILES[@]}" connect server
		if [ "$EXPLOIT_LANDLOCK" -lt 4 ]; then
			expect_err "sandbox: without Landlock's rules for TCP"
		else
			run ! grep Landlock err
		fi
	done
	EXPLOIT_LANDLOCK=0 exploited recv exec --envd "$SIM_ENVD" -v -- echo in
	expect 0
	expect_err 'sandbox: without Landlock: Function not implemented'
	failed "${EVERYWHERE[@]}" connect server
	grep -qx 'read-file ok' tried
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
