#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# SIGKILL leaves nothing that the next `pause` does not put right (a hinting run is
# stopped, a leftover is removed); a crash leaves only names that the next run recognises
# and removes, and the previous snapshot is as it was; two at once: one wins, the other is told.

load helpers

# Of the files that are there, those that do not belong there: neither a target nor a known name.
strangers() { (cd "$D" && ls -A | grep -vxE '(snap|mem)(\.fcpause-(tmp|old))?' || true); }

# The next pause puts all right.
next_pause() {
	SHIM=()
	# A guard may be at work still.
	pause --force --no-trim --wait-lock-ms 20000 "$@"
	expect 0 || return
	expect_json '.vm_state == "Paused"' || return
	vm_is Paused || return
	[ "$(listing)" = 'mem snap' ] || _show "left: $(listing)" || return
	expect_state '.hinting_running == false' '.checksum_ok' || return
}

# As the request's line is there, before or after it was done, the answer is held.
@test "SIGKILL at each request in turn of a pause with a drain; then the next pause puts all right" {
	vm --no-envd --hinting-ms 20 --workload 4,2,0
	local method path nth kind
	pause --drain
	expect 0
	# However often the status was asked: once is enough.
	awk '{ n[$1 " " $2]++; print $1, $2, n[$1 " " $2] }' "$SIM_LOG" | awk '$2 !~ /status/ || $3 == 1' >"$T/requests"
	sim_patch /vm '{"state":"Resumed"}'
	for kind in hang slow=60000; do
		while read -r method path nth; do
			rm -f "$D"/*
			old_pair
			: >"$SIM_LOG"
			sim_put /sim/fault "{\"fault\":\"$method $path $kind@$nth\"}"
			pause_start --drain --force --timeout-ms 30000
			until_request "$method $path" "$nth"
			fcp_kill
			[ -z "$(strangers)" ] || _show "$method $path: left: $(strangers)" || return
			same_old_pair || _show "$method $path $nth $kind, killed: the old pair" || return
			sim_delete /sim/fault
			next_pause || _show "after $method $path $nth $kind" || return
			sim_patch /vm '{"state":"Resumed"}'
		done <"$T/requests"
	done
}

# The nth line of this request is there, and what it asks for is done or held.
until_request() {
	local end=$((SECONDS + SIM_DEADLINE_S))
	while [ "$(grep -c "^$1\( \|\$\)" "$SIM_LOG")" -lt "$2" ]; do
		[ $SECONDS -lt $end ] || _show "no request $1" || return
	done
}

@test "a hinting run that was left open is stopped before the pause, which says so" {
	vm --no-envd --hinting-ms -1 --workload 4,2,0
	pause_start --drain --fph-timeout-ms 30000
	sim_wait_log '^GET /balloon/hinting/status'
	fcp_kill_both
	expect_state '.hinting_running == true'
	# Of an fcpause that kept no note.
	rm "$SIM_SOCK.fcpause-lock"
	: >"$SIM_LOG"
	next_pause
	expect_json '.steps[] | select(.step == "snapshot") | .hinting_stopped == true'
	local stop pause
	stop=$(grep -n 'PATCH /balloon/hinting/stop' "$SIM_LOG" | head -1 | cut -d: -f1)
	pause=$(grep -n 'Paused' "$SIM_LOG" | head -1 | cut -d: -f1)
	[ "$stop" -lt "$pause" ]
	# A paused guest takes nothing back; once it runs it does.
	sim_patch /vm '{"state":"Resumed"}'
	local end=$((SECONDS + SIM_DEADLINE_S))
	until [ "$(sim_state pages_out_bytes)" -eq 0 ]; do [ $SECONDS -lt $end ]; done
}

@test "p21: a checkpoint that is SIGKILLed leaves a VM that runs again, and nothing is noted" {
	vm --no-envd --snapshot-ms 300
	local how
	for how in --resume --force; do
		: >"$SIM_LOG"
		: >"$SIM_CLOCK"
		snapshot_start $how --force
		sim_wait_clock '^snapshot-begin'
		fcp_kill
		sim_wait_log 'Resumed'
		until_vm_is Running
		until_no_guard
		expect_state '.checksum_ok'
		[ ! -e "$SIM_SOCK.fcpause-lock" ]
		next_pause
		run ! jq -e '.warnings[] | select(contains("killed"))' "$T/out"
		sim_patch /vm '{"state":"Resumed"}'
	done
}

@test "p21: killed together with its guard: the next run resumes the VM, says so, and does its work" {
	vm --no-envd --snapshot-ms 300
	local next
	for next in pause snapshot balloon-drain; do
		: >"$SIM_LOG"
		: >"$SIM_CLOCK"
		snapshot_start --force
		sim_wait_clock '^snapshot-begin'
		fcp_kill_both
		sim_wait_clock '^snapshot-end'
		vm_is Paused
		: >"$SIM_LOG"
		case $next in
		balloon-drain) fcp balloon-drain --api-sock "$SIM_SOCK" --json ;;
		*) "$next" --force --resume ;;
		esac
		expect 0
		expect_json '[.warnings[] | select(. == "a killed fcpause had left the VM paused: undone")] | length == 1'
		expect_err 'warning: a killed fcpause had left the VM paused: undone'
		[ "$(grep -c 'PATCH /vm' "$SIM_LOG")" -eq $([ $next = balloon-drain ] && echo 1 || echo 3) ]
		vm_is Running
		expect_state '.checksum_ok'
	done
}

@test "p21: a pause of the operator's is not undone: after a guard, after a clean run, of another VM's note" {
	vm --no-envd --snapshot-ms 300
	snapshot_start
	sim_wait_clock '^snapshot-begin'
	fcp_kill
	until_vm_is Running
	until_no_guard
	sim_patch /vm '{"state":"Paused"}'
	next_pause
	# It stays paused after it, as it was found.
	run ! grep -q Resumed <(tail -n 3 "$SIM_LOG")
	expect_json '.paused_ms == 0' '.warnings == []'
	sim_patch /vm '{"state":"Resumed"}'
	: >"$SIM_CLOCK"
	snapshot_start --force
	sim_wait_clock '^snapshot-begin'
	fcp_kill_both
	# A new Firecracker with a socket of the same name.
	sim_stop
	vm --no-envd
	sim_patch /vm '{"state":"Paused"}'
	next_pause
	expect_json '.paused_ms == 0' '.warnings == []'
}

@test "p21: SIGKILL at each point of a pause with a drain: the VM runs and its hinting is stopped within 2 s" {
	vm --no-envd --hinting-ms 20 --workload 4,2,0
	local call n
	for call in connect rename linkat fsync openat:fcpause-tmp; do
		for ((n = 1; ; n++)); do
			rm -f "$D"/*
			SHIM=("SHIM_FAULT=$call@$n=kill")
			{ pause --drain --resume; } 2>/dev/null
			struck || break
			[ "$status" -eq 137 ]
			until_vm_is Running || _show "killed at $call $n" || return
			until_no_guard
			expect_state '.hinting_running == false' '.checksum_ok' || _show "killed at $call $n" || return
		done
		[ "$n" -gt 1 ] || [ "$call" = rename ]
	done
}

@test "p21: SIGKILL at each read of the guest's memory and each write of the file: the VM runs again" {
	unset FCPAUSE_WRITER
	vm --no-envd --workload 4,2,0
	local call n
	for call in process_vm_readv pwrite:fcpause-tmp; do
		for ((n = 1; n < 6; n++)); do
			rm -f "$D"/*
			SHIM=("SHIM_FAULT=$call@$n=kill")
			{ snapshot --resume; } 2>/dev/null
			struck || break
			[ "$status" -eq 137 ]
			until_no_guard
			until_vm_is Running || _show "killed at $call $n" || return
			[ -z "$(find "$D" -type p)" ] || _show "left: $(listing)" || return
		done
		[ "$n" -gt 1 ] || _show "was never at $call" || return
	done
}

@test "p21: SIGKILL while fcpause holds Firecracker: with its guard and without, nobody waits at the pipe" {
	unset FCPAUSE_WRITER
	vm --no-envd --workload 4,2,0
	local how state
	for how in guard next; do
		for state in Running Paused; do
			rm -f "$D"/*
			sim_patch /vm "{\"state\":\"${state/Running/Resumed}\"}"
			SHIM=("SHIM_FAULT=process_vm_readv@1=hold")
			: >"$SIM_LOG"
			snapshot_start
			until_held
			# The free pages are looked for while Firecracker saves its state: that call may come first.
			sim_wait_log '^PUT /snapshot/create .*fcpause-hold'
			if [ $how = guard ]; then
				fcp_kill
				until_no_guard
				until_vm_is $state
				[ -z "$(find "$D" -type p)" ] || _show "left: $(listing)" || return
			else
				fcp_kill_both
			fi
			SHIM=()
			snapshot
			expect 0
			expect_json '.writer == "fcpause"' '.vm_state == "Paused"' \
				"(.paused_ms > 0) == $([ $state = Running ] && echo true || echo false)"
			[ $how = guard ] || expect_err 'Firecracker waiting at a named pipe: undone'
			[ "$(listing)" = 'mem snap' ] || _show "$how, $state: $(listing)" || return
			expect_state '.checksum_ok'
		done
	done
}

@test "SIGKILL at each rename, fsync, removal and creation of a name; the next run puts all right" {
	vm --no-envd
	reference
	local call n pair
	for call in rename renameat2 linkat fsync unlinkat openat:fcpause-tmp; do
		for ((n = 1; ; n++)); do
			rm -f "$D"/*
			old_pair
			SHIM=("SHIM_FAULT=$call@$n=kill")
			{ snapshot --force; } 2>/dev/null
			struck || break
			[ "$status" -eq 137 ]
			[ -z "$(strangers)" ] || _show "killed at $call $n, left: $(strangers)" || return
			# A reader finds the old pair, the new pair, or no snapshot file.
			[ ! -e "$D/snap" ] || same_old_pair >/dev/null 2>&1 || same_new_pair >/dev/null 2>&1 ||
				_show "killed at $call $n: a mixed pair" || return
			sim_patch /vm '{"state":"Resumed"}'
			cp -a "$D" "$T/killed"
			# The next one fails: the previous snapshot is there all the same.
			sim_put /sim/fault '{"fault":"PUT /snapshot/create status=500"}'
			SHIM=()
			snapshot --force
			sim_delete /sim/fault
			expect 1
			{ same_old_pair || same_new_pair; } >/dev/null 2>&1 ||
				_show "killed at $call $n, and then a failure: there are: $(listing)" || return
			[ "$(listing)" = 'mem snap' ] || _show "killed at $call $n, and then a failure: $(listing)" || return
			# The next one succeeds.
			rm -rf "$D"
			mv "$T/killed" "$D"
			next_pause || _show "killed at $call $n" || return
			cmp "$T/new/mem" "$D/mem"
			sim_patch /vm '{"state":"Resumed"}'
		done
	done
}

@test "killed while it gave the names away, and run again without --force: it says what to do" {
	vm --no-envd
	old_pair
	SHIM=("SHIM_FAULT=fsync:/d@4=kill")
	{ snapshot --force; } 2>/dev/null
	struck
	SHIM=()
	snapshot
	[ "$status" -eq 0 ] || expect_err 'force'
}

# Two pairs that share one name: what a killed run of the one has left says nothing of the other.
@test "a leftover of another pair does not cost a memory file, with and without --force" {
	vm --no-envd
	local force
	mkdir s
	for force in '' --force; do
		rm -f "$D"/*
		old_pair
		echo left >s/snap.fcpause-tmp
		sim_put /sim/fault '{"fault":"PUT /snapshot/create status=500"}'
		fcp snapshot --api-sock "$SIM_SOCK" --json --snapshot-path s/snap --mem-file-path d/mem $force
		sim_delete /sim/fault
		expect 1
		same_old_pair || _show "the other pair's memory file is gone or changed: $(listing)" || return
	done
}

@test "a pair that was finished but for its old files is not undone by a run for another snapshot file" {
	vm --no-envd
	reference
	local n
	# The removal of an old file that comes when the new pair is there.
	for ((n = 1; n < 9; n++)); do
		rm -f "$D"/*
		old_pair
		SHIM=("SHIM_FAULT=unlinkat:fcpause-old@$n=kill")
		{ snapshot --force; } 2>/dev/null
		struck
		sim_patch /vm '{"state":"Resumed"}'
		! same_new_pair >/dev/null 2>&1 || break
	done
	same_new_pair
	sim_patch /vm '{"state":"Resumed"}'
	sim_put /sim/fault '{"fault":"PUT /snapshot/create status=500"}'
	SHIM=()
	mkdir s
	fcp snapshot --api-sock "$SIM_SOCK" --json --snapshot-path s/snap --mem-file-path d/mem --force
	expect 1
	same_new_pair || _show 'a new snapshot file beside an old memory file' || return
}

@test "two at once, the same targets: one wins, the other is told that it is locked, nothing is mixed" {
	vm --no-envd
	reference
	local mode
	for mode in '' --force; do
		rm -f "$D"/*
		[ -z "$mode" ] || old_pair
		SHIM=("SHIM_FAULT=fsync:fcpause-tmp@1=hold")
		snapshot_start $mode
		until_held
		: >"$T/first-calls"
		cp "$T/calls" "$T/first-calls"
		_in_between $mode
		expect 6
		expect_json '.error.class == "locked"' '.vm_state | IN("Paused", "unknown")'
		# The other one's files are as they were.
		[ -e "$D/mem.fcpause-tmp" ] && [ -e "$D/snap.fcpause-tmp" ]
		release
		fcp_end
		expect 0
		same_new_pair
		[ "$(listing)" = 'mem snap' ]
		sim_patch /vm '{"state":"Resumed"}'
	done
}
# A second one beside the one that is held; what the first one wrote is kept.
_in_between() {
	local pid=$FCP_PID
	mv "$T/out" "$T/first-out"
	SHIM=()
	snapshot "$@"
	FCP_PID=$pid
}

@test "two at once, the first in the middle of the names: the second takes nothing away from it" {
	vm --no-envd
	reference
	local call n
	for call in rename renameat2 linkat fsync unlinkat; do
		for ((n = 1; ; n++)); do
			rm -f "$D"/*
			old_pair
			SHIM=("SHIM_FAULT=$call@$n=hold")
			snapshot_start --force
			until_held_or_gone || break
			_in_between --force
			# Told that it is locked: it has changed nothing. (Where the first one was through but for
			# what is old, the second may as well succeed.)
			if [ "$status" -ne 0 ]; then
				expect 6
				expect_json '.error.class == "locked"' || _show "held at $call $n" || return
			fi
			release
			fcp_end
			expect 0
			same_new_pair || _show "held at $call $n: the pair" || return
			[ "$(listing)" = 'mem snap' ] || _show "held at $call $n: $(listing)" || return
			sim_patch /vm '{"state":"Resumed"}'
		done
		fcp_end
		sim_patch /vm '{"state":"Resumed"}'
	done
}

@test "two at once, the first fails in the middle of the names while the second looks: the old pair is back" {
	vm --no-envd
	old_pair
	SHIM=("SHIM_FAULT=linkat:mem.fcpause-tmp@1=hold;linkat:snap.fcpause-tmp@1=EIO")
	snapshot_start --force
	until_held
	_in_between --force
	[ "$status" -ne 0 ]
	release
	fcp_end
	expect 1
	same_old_pair
	[ "$(listing)" = 'mem snap' ]
}

@test "two at once, other targets but the same VM: the second is told that it is locked, and the states are true" {
	vm --no-envd --snapshot-ms 200
	snapshot_start --resume
	sim_wait_clock '^snapshot-begin'
	mv "$T/out" "$T/first-out"
	local pid=$FCP_PID
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path d/snap2 --mem-file-path d/mem2 --json
	FCP_PID=$pid
	expect 6
	expect_json '.error.class == "locked"'
	fcp_end
	expect 0
	jq -e '.vm_state == "Running"' "$T/first-out"
	vm_is Running
	[ "$(listing)" = 'mem snap' ]
}

@test "many at once: one after the other or locked; every pair that was made is whole" {
	vm --no-envd
	reference
	local n pids=()
	for n in 1 2 3 4 5 6; do
		env LD_PRELOAD="$PRELOAD" SHIM_ALARM=30 "$FCPAUSE" snapshot --api-sock "$SIM_SOCK" --resume --force --json \
			--snapshot-path d/snap --mem-file-path d/mem >"$T/out$n" 2>/dev/null 3>&- &
		pids+=($!)
	done
	local ok=0 code
	for n in 1 2 3 4 5 6; do
		code=0
		wait "${pids[n - 1]}" || code=$?
		[ "$code" -eq 0 ] || [ "$code" -eq 6 ]
		[ "$code" -ne 0 ] || ok=$((ok + 1))
		[ "$code" -ne 6 ] || jq -e '.error.class == "locked"' "$T/out$n" || _show "$(<"$T/out$n")"
	done
	[ "$ok" -ge 1 ]
	same_new_pair
	[ "$(listing)" = 'mem snap' ]
	vm_is Running
}
