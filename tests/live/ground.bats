#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# On the real Firecracker, where Firecracker itself writes: who works on a VM, what a killed run leaves, a
# chain of layers, memory that can be plugged in.

load helpers
eval "helpers_$(declare -f setup)"

setup() {
	helpers_setup
	export FCPAUSE_WRITER=firecracker
}

MIB=1048576

snap() {
	fcp snapshot --json --api-sock "$SOCK" --snapshot-path "$DIR/$1.snap" --mem-file-path "$DIR/$1.mem" "${@:2}"
}
killed() {
	kill -KILL "$(pgrep -P "$FCP_PID")"
	{ fcp_end; } 2>/dev/null
}
writing() { [ "$(du -sm "$T/d" | cut -f1)" -gt 5 ]; }
start_full() {
	mkdir -p "$T/d"
	fcp_start snapshot --json --api-sock "$SOCK" --type full --snapshot-path "$T/d/s.snap" --mem-file-path "$T/d/s.mem"
	within 60 writing
}

@test "D3: with dirty tracking a run that fails after the creation keeps the layer, exit 5; the chain is whole" {
	boot --track
	workload
	snap full --type full --resume
	expect 0
	guest 'dd if=/dev/urandom of=/tmp/one bs=1M count=8' 2>/dev/null
	at_call fsync:one.mem@1=EIO
	snap one --type diff
	at_no_call
	expect 5
	expect_json '.error.class == "left"' '.created == false' '.vm_state == "Running"' \
		'.error.message | contains("must be a Full")'
	[ ! -e "$DIR/one.mem" ]
	[ "$(on_disk "$DIR/one.mem.fcpause-failed")" -gt $((8 * MIB)) ]
	guest 'dd if=/dev/urandom of=/tmp/two bs=1M count=8' 2>/dev/null
	ip link set "$TAP" down
	snap two --type diff
	expect 0
	expect_json '.layer'
	snap beside --type full
	expect 0
	ip link set "$TAP" up
	lay_over "$DIR/one.mem.fcpause-failed" "$DIR/full.mem"
	lay_over "$DIR/two.mem" "$DIR/full.mem"
	cmp "$DIR/full.mem" "$DIR/beside.mem"
	api PATCH /vm '{"state":"Resumed"}'
	rm -f "$DIR"/{full,one,two,beside}.*
}

at_gate() { grep -q '^fault ' "$T/calls"; }

@test "D1: two runs in two network namespaces: the second is told who holds the VM, exit 6" {
	mkdir "$T/d"
	at_call fsync:s.mem@1=hold
	fcp_start snapshot --json --api-sock "$SOCK" --snapshot-path "$T/d/s.snap" --mem-file-path "$T/d/s.mem"
	at_no_call
	within 60 at_gate
	local command
	for command in "snapshot --snapshot-path $T/t.snap --mem-file-path $T/t.mem" balloon-drain; do
		status=0
		# shellcheck disable=SC2086 # words
		unshare --net --mount "$FCPAUSE" $command --json --api-sock "$SOCK" >"$T/second" 2>&1 || status=$?
		[ "$status" -eq 6 ] || { cat "$T/second"; return 1; }
		jq -e --arg pid "$(pgrep -P "$FCP_PID")" '.error.class == "locked" and (.error.message | contains($pid))' \
			<(grep '^{' "$T/second")
	done
	[ ! -e "$T/t.mem" ]
	echo >"$T/gate"
	fcp_end
	expect 0
	api PATCH /vm '{"state":"Resumed"}'
}

@test "SIGKILL while Firecracker writes: the guard resumes the VM, and the next run clears up" {
	start_full
	killed
	within 60 vm_is Running
	fcp snapshot --json --api-sock "$SOCK" --snapshot-path "$T/d/s.snap" --mem-file-path "$T/d/s.mem" --resume
	expect 0
	[ "$(cd "$T/d" && echo *)" = 's.mem s.snap' ]
	same_sums
}

@test "R6: Firecracker is killed and its socket removed while it writes: that is noticed at once" {
	start_full
	rm "$SOCK"
	kill -KILL "$FC_PID"
	local since=$SECONDS
	fcp_end
	[ $((SECONDS - since)) -lt 20 ]
	expect 5
	expect_json '.error.message | contains("Firecracker has ended")'
	[ -z "$(ls -A "$T/d")" ]
}

@test "D7, R2: memory that can be plugged in, half of it plugged: all is in the file, free pages are not" {
	boot --hotplug 256
	guest 'echo online >/sys/devices/system/memory/auto_online_blocks'
	api PATCH /hotplug/memory '{"requested_size_mib":128}'
	plugged() { api GET /hotplug/memory | jq -e '.plugged_size_mib == 128'; }
	within 60 plugged
	workload
	fcp pause --json --api-sock "$SOCK" --snapshot-path "$DIR/h.snap" --mem-file-path "$DIR/h.mem"
	expect 0
	expect_json '.steps[2].writer == "firecracker"' '.steps[3].status == "ok"' \
		".steps[3].mem_file.logical_bytes == $((768 * MIB))" ".steps[3].mem_file.allocated_bytes < $((200 * MIB))"
	is_whole "$DIR/h.snap" "$DIR/h.mem"
	stop_vm
	rm -f "$DIR"/h.*
}

@test "SIGKILL during a drain: the guard stops the run, and the guest has its memory back" {
	boot
	workload
	unset FCPAUSE_WRITER
	snap r
	expect 0
	restore "$DIR/r.snap" "$DIR/r.mem"
	fcp_start balloon-drain --json --api-sock "$SOCK" --fph-timeout-ms 60000
	draining() { api GET /balloon/hinting/status | jq -e '.host_cmd > 1'; }
	stopped() { api GET /balloon/hinting/status | jq -e '.host_cmd < 2'; }
	within 60 draining
	killed
	within 10 stopped
	same_sums
}
