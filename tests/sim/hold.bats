# SPDX-License-Identifier: Apache-2.0
# A creation stops where Firecracker's does, and what stands still meanwhile; restored memory.

BALLOON='{"amount_mib":0,"deflate_on_oom":false,"free_page_hinting":true,"free_page_reporting":true}'

setup() {
	load ../lib/sim
	load ../lib/state
	T=$BATS_TEST_TMPDIR
}

teardown() {
	sim_stop
	[ ! -e "$T/handler.pid" ] || kill "$(<"$T/handler.pid")" 2>/dev/null || true
}

state() {
	sim_patch /vm "{\"state\":\"$1\"}"
}

# create TYPE STATE-FILE MEMORY-FILE
create() {
	sim_put /snapshot/create "{\"snapshot_type\":\"$1\",\"snapshot_path\":\"$2\",\"mem_file_path\":\"$3\"}"
}

# load_snapshot STATE-FILE File|Uffd PATH
load_snapshot() {
	sim_put /snapshot/load "{\"snapshot_path\":\"$1\",\"mem_backend\":{\"backend_type\":\"$2\",\"backend_path\":\"$3\"},\"resume_vm\":true}"
}

# Creates with a FIFO as the memory file, and comes back when Firecracker is held.
hold() {
	mkfifo "$T/fifo"
	{ create Full "$T/h.snap" "$T/fifo" >"$T/answer" 2>&1 3>&- 4>&- || true; } &
	CREATING=$!
	sim_wait_clock '^memory-open '
	# Its main thread is in the open.
	until [[ $(<"/proc/$SIM_PID/wchan") =~ wait_for_partner|^0$ ]]; do :; done
}

release() {
	: <"$T/fifo"
	wait "$CREATING"
}

@test "a FIFO as memory file stops the creation when the state file is whole; its end is Firecracker's" {
	sim_start --boot --balloon "$BALLOON" --workload 20,10,4
	state Paused
	hold
	# The state file is closed and good: the ends of Firecracker's, JSON in between.
	[ "$(od -An -tx1 -j1 -N8 "$T/h.snap" | tr -d ' ')" = 0000648684191007 ]
	state_text "$T/h.snap" | jq -e '.memory.bytes == 67108864'
	[ -z "$(find "/proc/$SIM_PID/fd" -lname "$T/h.snap")" ]
	# The API accepts, and answers when the creation has ended.
	run curl -sS --max-time 0.3 --unix-socket "$SIM_SOCK" http://localhost/
	[ "$status" -eq 28 ]
	release
	[[ $(<"$T/answer") == *'{"fault_message":"Create snapshot error: Cannot perform truncate on the memory backing file: Invalid argument (os error 22)"}'* ]]
	[ "$(sim_state state)" = Paused ]
	state Resumed
	[ "$(sim_state state)" = Running ]
}

@test "a hold leaves the log of dirty pages alone" {
	sim_start --boot --workload 20,0,0
	state Paused
	create Full "$T/a.snap" "$T/a.mem"
	state Resumed
	sim_put /sim/option '{"paused_writes":false}'
	sim_put /sim/workload '{"fill_mib":4}'
	state Paused
	hold
	release
	create Diff "$T/b.snap" "$T/b.mem"
	SIM_NAME=b sim_start
	load_snapshot "$T/b.snap" File "$T/b.mem"
	[ "$(sim_state checksum_ok)" = true ]
}

@test "a simulator that is held ends when it is asked to" {
	sim_start --boot
	state Paused
	hold
	kill -TERM "$SIM_PID"
	wait "$SIM_PID"
	wait "$CREATING"
	rm -f "$T/sim-a/pid"
}

@test "paused writes: Paused alone stops nothing, a hold does" {
	sim_start --boot --workload 20,0,0 --paused-writes
	state Paused
	until [ "$(sim_state paused_writes)" -gt 3 ]; do :; done
	hold
	memory_sum "$SIM_PID" >"$T/first"
	read -r -t 0.1 <> <(:) || true
	memory_sum "$SIM_PID" >"$T/second"
	cmp "$T/first" "$T/second"
	# What was read in the hold goes with the state.
	memory_of "$SIM_PID" >"$T/h.mem"
	release
	until [ "$(sim_state paused_writes)" -gt 6 ]; do :; done
	memory_of "$SIM_PID" >"$T/late.mem"
	SIM_NAME=b sim_start
	load_snapshot "$T/h.snap" File "$T/h.mem"
	[ "$(sim_state checksum_ok)" = true ]
	SIM_NAME=c sim_start
	load_snapshot "$T/h.snap" File "$T/late.mem"
	[ "$(sim_state checksum_ok)" = false ]
}

@test "memory files that are opened otherwise: before the state file, without waiting" {
	sim_start --boot --memory-open first
	state Paused
	hold
	[ ! -e "$T/h.snap" ]
	release
	[[ $(<"$T/answer") == *'Cannot perform truncate on the memory'* ]]
	[ ! -e "$T/h.snap" ]
	sim_put /sim/option '{"memory_open":"nonblock"}'
	run create Full "$T/n.snap" "$T/fifo"
	[[ $output == *'Cannot perform truncate on the memory'* ]]
	state_text "$T/n.snap" | jq -e .memory
	create Full "$T/n.snap" "$T/n.mem"
}

@test "state files: the old form, and damaged ones, which are refused as Firecracker refuses them" {
	local damage message
	sim_start --boot --state-format old
	state Paused
	create Full "$T/old.snap" "$T/mem"
	[ "$(od -An -tx1 -N8 "$T/old.snap" | tr -d ' ')" = 0000648684191007 ]
	SIM_NAME=b sim_start
	load_snapshot "$T/old.snap" File "$T/mem"
	SIM_NAME=new sim_start --boot
	state Paused
	while read -r damage message; do
		sim_use new
		sim_put /sim/option "{\"state_damage\":\"$damage\"}"
		create Full "$T/$damage.snap" "$T/mem"
		SIM_NAME=$damage sim_start
		run load_snapshot "$T/$damage.snap" File "$T/mem"
		[[ $output == *"Load snapshot error: Failed to restore from snapshot: Failed to get snapshot state from file: Failed to load snapshot state from file: $message"* ]]
	done <<-END
		crc CRC64 validation failed
		cut CRC64 validation failed
		magic Magic value does not match arch: 508934814873944065
	END
}

@test "an answer of another kind after the work" {
	sim_start --boot --fault 'PUT /snapshot/create answer=400,{"fault_message":"something else"}'
	state Paused
	run create Full "$T/s.snap" "$T/s.mem"
	[[ $output == *'something else'* ]]
	[ "$(stat -c %s "$T/s.mem")" -eq $((64 << 20)) ]
}

@test "restored memory is a private mapping of its file; what is handed out becomes anonymous pieces" {
	sim_start --boot --balloon "$BALLOON" --workload 8,0,0
	state Paused
	create Full "$T/s.snap" "$T/s.mem"
	SIM_NAME=b sim_start --hinting-ms 0 --resumed-hinting-ms 0
	load_snapshot "$T/s.snap" File "$T/s.mem"
	[ "$(grep -c "rw-p .* $T/s.mem$" "/proc/$SIM_PID/maps")" -eq 1 ]
	sim_patch /balloon/hinting/start
	[ "$(sim_get /balloon/hinting/status)" = '{"host_cmd":1,"guest_cmd":0}' ]
	# The last blocks are anonymous now, right behind what is left of the file's mapping.
	awk -v file="$T/s.mem" '$6 == file { split($1, a, "-"); end = a[2] }
		end && $1 ~ "^" end "-" && NF < 6 { found = 1 } END { exit !found }' "/proc/$SIM_PID/maps"
	[ "$(sim_state checksum_ok)" = true ]
}

@test "userfaultfd: a handler of its own fills the memory, page by page" {
	local resident
	sim_start --boot --balloon "$BALLOON" --workload 20,0,0
	state Paused
	create Full "$T/s.snap" "$T/s.mem"
	uffd_start "$T/s.mem"
	SIM_NAME=b sim_start --resumed-hinting-ms 0
	run load_snapshot "$T/s.snap" Uffd "$T/uffd.sock"
	[ "$status" -eq 0 ] || [[ $output != *'Failed to UFFD object'* ]] || skip "$output"
	[ "$status" -eq 0 ]
	[ "$(sim_state checksum_ok)" = true ]
	[ "$(sim_state rss_bytes)" -eq 0 ]
	sim_put /sim/workload '{"fill_mib":4}'
	[ "$(sim_state rss_bytes)" -eq $((4 << 20)) ]
	# All of it is read.
	memory_of "$SIM_PID" >"$T/all"
	[ "$(sim_state checksum_ok)" = true ]
	resident=$(sim_state rss_bytes)
	[ "$resident" -ge $((60 << 20)) ]
	sim_patch /balloon/hinting/start
	sim_wait_state hinting_running false
	[ "$(sim_state rss_bytes)" -lt "$resident" ]
	[ "$(sim_state checksum_ok)" = true ]
	sim_stop
	wait "$HANDLER"
}
