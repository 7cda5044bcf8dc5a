# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Around every test of durability: `load helpers` brings all of ../cli/helpers.bash, with fcpause run
# under shim.c, and these.
#
#   SHIM=(SHIM_FAULT=fsync@1=EIO …)   the shim's settings for the runs that follow
#   snapshot ARGS…, pause ARGS…       with socket, both paths and --json
#   calls PATTERN                     the lines of the shim's log that match
#   until_held                        waits until a call is held at the gate; release lets it go on
#   until_held_or_gone                the same, or until fcpause has ended, which fails
#   old_pair; same_old_pair           files under the targets' names; they are as they were
#   reference; same_new_pair          what a clean run writes; the targets are that
#   fcp_kill, fcp_kill_both           SIGKILL to it; to its guard too
#   until_vm_is STATE; until_no_guard  waits for what a guard does, and for its end
#   listing                           all names in the directory of the targets
#   vm_is STATE                       GET / of the simulator
#   only_root                         skips where we are another user
#
# FCPAUSE_LONG=1 walks all the way, not only the most telling part of it.

# Before setup() forgets it.
LONG=${FCPAUSE_LONG:-}

load "$(dirname "${BASH_SOURCE[0]}")/../cli/helpers"

setup_file() {
	local cc=${CC:-cc}
	command -v "$cc" >/dev/null || skip 'no C compiler for the shim'
	"$cc" -std=gnu17 -D_GNU_SOURCE -O1 -shared -fPIC -o "$BATS_FILE_TMPDIR/shim.so" \
		"$BATS_TEST_DIRNAME/shim.c" -ldl
}

# The simulators' directory is T; the files go into a directory of their own.
eval "base_$(declare -f setup)"
setup() {
	base_setup || return
	D=$T/d SHIM=()
	mkdir "$D"
	mkfifo "$T/gate"
	# A sanitizer's runtime wants to be first.
	PRELOAD=$BATS_FILE_TMPDIR/shim.so
	local asan
	asan=$(ldd "$FCPAUSE" 2>/dev/null | awk '/libasan/ { print $3 }')
	[ -z "$asan" ] || PRELOAD=$asan:$PRELOAD
}

eval "base_$(declare -f teardown)"
teardown() {
	local name pid
	for name in ${!FCP_PID_*}; do
		pid=${!name}
		[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
	done
	base_teardown
}

_shim_env() {
	ENV=(env --default-signal=INT "LD_PRELOAD=$PRELOAD" "SHIM_LOG=$T/calls" "SHIM_GATE=$T/gate"
		"SHIM_ALARM=$RUN_SECONDS" "${SHIM[@]}")
}

# cli/helpers.bash starts the binary through timeout; here FCP_PID is fcpause itself, which the
# shim's alarm ends.
fcp() {
	status=0
	: >"$T/calls"
	_shim_env
	"${ENV[@]}" "$FCPAUSE" "$@" >"$T/out" 2>"$T/err" 3>&- || status=$?
}

fcp_start() {
	: >"$T/calls"
	_shim_env
	"${ENV[@]}" "$FCPAUSE" "$@" >"$T/out" 2>"$T/err" 3>&- &
	FCP_PID=$!
}

# Its exit code is 137, and bash says nothing about it.
fcp_kill() {
	kill -KILL "$FCP_PID"
	{ wait "$FCP_PID" || true; } 2>/dev/null
	FCP_PID=
}

# With the guard, which its parent's end would wake.
fcp_kill_both() {
	local guard end=$((SECONDS + SIM_DEADLINE_S))
	# It has the name as soon as it runs.
	until guard=$(pgrep -P "$FCP_PID" -x fcpause-guard); do
		[ $SECONDS -lt $end ] || _show 'no guard' || return
	done
	kill -STOP "$FCP_PID"
	kill -KILL "$guard"
	fcp_kill
}

# until_vm_is STATE [SECONDS]
until_vm_is() {
	local end=$((SECONDS + ${2:-2} + 1))
	until [[ $(sim_get /) == *"\"state\":\"$1\""* ]]; do
		[ $SECONDS -lt $end ] || _show "the VM is not $1: $(sim_get /)" || return
	done
}

# until_no_guard: they are all through.
until_no_guard() {
	local end=$((SECONDS + SIM_DEADLINE_S))
	while _guards | grep -q .; do
		[ $SECONDS -lt $end ] || _show 'a guard is there still' || return
	done
}
# Those that know this test's socket.
_guards() {
	local lock
	lock=$(stat -c %i "$SIM_SOCK.fcpause-lock" 2>/dev/null) || return 0
	grep -E "FLOCK .*:$lock " /proc/locks || true
}

FILES=(--snapshot-path d/snap --mem-file-path d/mem --json)
snapshot() { fcp snapshot --api-sock "$SIM_SOCK" "${FILES[@]}" "$@"; }
pause() { fcp pause --api-sock "$SIM_SOCK" "${FILES[@]}" "$@"; }
snapshot_start() { fcp_start snapshot --api-sock "$SIM_SOCK" "${FILES[@]}" "$@"; }
pause_start() { fcp_start pause --api-sock "$SIM_SOCK" "${FILES[@]}" "$@"; }

calls() { grep -E -- "$1" "$T/calls"; }
struck() { grep -q '^fault ' "$T/calls"; }
until_held() { _sim_wait_file "$T/calls" '^fault '; }
# Fails when fcpause went through without being held.
until_held_or_gone() {
	local end=$((SECONDS + SIM_DEADLINE_S))
	while [ $SECONDS -lt $end ]; do
		! struck || return 0
		kill -0 "$FCP_PID" 2>/dev/null || { struck; return; }
	done
	_show 'neither held nor through'
}
release() { timeout -k 1 "$SIM_DEADLINE_S" sh -c 'echo >"$1"' sh "$T/gate"; }

# What stands there beforehand: no snapshot, but easy to know again.
old_pair() {
	mkdir -p "$T/old"
	echo old-snap >"$T/old/snap"
	[ -e "$T/old/mem" ] || head -c 65536 /dev/urandom >"$T/old/mem"
	cp "$T"/old/{snap,mem} "$D"
}
same_old_pair() { cmp "$T/old/snap" "$D/snap" && cmp "$T/old/mem" "$D/mem"; }

# The simulated guest does not write by itself, so every snapshot of it has the same bytes, once it
# was resumed for the first time. Taken without fcpause.
reference() {
	mkdir -p "$T/new"
	sim_patch /vm '{"state":"Paused"}'
	sim_patch /vm '{"state":"Resumed"}'
	sim_patch /vm '{"state":"Paused"}'
	sim_put /snapshot/create "{\"snapshot_type\":\"Full\",\"snapshot_path\":\"$T/new/snap\",\"mem_file_path\":\"$T/new/mem\"}"
	sim_patch /vm '{"state":"Resumed"}'
	: >"$SIM_LOG"
}
same_new_pair() { cmp "$T/new/mem" "$D/mem" && cmp "$T/new/snap" "$D/snap"; }

listing() { (cd "$D" && echo *); }
vm_is() { [[ $(sim_get /) == *"\"state\":\"$1\""* ]] || _show "the VM is not $1: $(sim_get /)"; }

only_root() { [ "$(id -u)" -eq 0 ] || skip 'not root'; }

# load_pair SNAP MEM: another simulator loads the pair; the guest has all it had.
load_pair() {
	SIM_NAME=${3:-loaded} sim_start --no-envd --memory 16
	sim_load "$1" "$2"
	expect_state '.checksum_ok' '.state == "Running"' '.used_bytes > 0'
}
