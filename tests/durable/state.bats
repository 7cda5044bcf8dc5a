#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# At every exit the VM is Running if it was Running and the snapshot failed or
# --resume was asked, else Paused; SIGINT, SIGTERM, SIGHUP at any moment; resume is tried again within
# its own deadline; exit 5 and the exact command to run when it could not be brought back.
# A VM paused at once after a drain resumes well and has its memory back.

load helpers

# signalled KIND SIGNAL METHOD PATH NTH [ARG...]: the signal while that request is held.
signalled() {
	rm -f "$D"/*
	: >"$SIM_LOG"
	sim_put /sim/fault "{\"fault\":\"$3 $4 $1@$5\"}"
	pause_start --timeout-ms 30000 --snapshot-timeout-ms 30000 "${@:6}"
	_until "$3 $4" "$5"
	fcp_signal "$2"
}
_until() {
	local end=$((SECONDS + SIM_DEADLINE_S))
	while [ "$(grep -c "^$1\( \|\$\)" "$SIM_LOG")" -lt "$2" ]; do
		[ $SECONDS -lt $end ] || _show "no request $1" || return
	done
}
put_back() {
	expect 1 &&
		expect_json '.error.class == "interrupted"' '.vm_state == "Running" or .vm_state == "unknown"' &&
		vm_is Running && expect_state '.hinting_running == false' '.pages_out_bytes == 0' '.checksum_ok' &&
		{ [ "$(listing)" = '*' ] || _show "left: $(listing)"; }
}

@test "SIGINT, SIGTERM, SIGHUP at each request in turn: exit 1, the VM runs, no hinting run, no file" {
	vm --no-envd --hinting-ms 20 --workload 4,2,0
	pause --drain
	expect 0
	awk '{ n[$1 " " $2]++; print $1, $2, n[$1 " " $2] }' "$SIM_LOG" | awk '$2 !~ /status/ || $3 == 1' >"$T/requests"
	sim_patch /vm '{"state":"Resumed"}'
	local signals=(INT TERM HUP) kind signal method path nth i=0
	for kind in hang slow=60000; do
		while read -r method path nth; do
			# Each signal somewhere; with FCPAUSE_LONG=1 each everywhere.
			for signal in ${LONG:+INT TERM HUP} ${signals[i++ % 3]}; do
				signalled $kind "$signal" "$method" "$path" "$nth" --drain
				fcp_end
				put_back || _show "$signal at $method $path $nth, $kind" || return
				sim_delete /sim/fault
				sim_patch /vm '{"state":"Resumed"}'
			done
		done <"$T/requests"
	done
}

@test "a signal while a checkpoint resumes: it does resume, and the files are there" {
	local signal
	for signal in INT TERM HUP; do
		SIM_NAME=$signal vm --no-envd
		signalled slow=300 $signal PATCH /vm 2 --resume --no-trim
		fcp_end
		expect 0
		expect_json '.vm_state == "Running"'
		vm_is Running
		[ "$(listing)" = 'mem snap' ]
	done
}

@test "a signal while the files are made durable: the snapshot is finished, and the state is true" {
	vm --no-envd
	reference
	local n
	for n in 1 2 3; do
		rm -f "$D"/*
		SHIM=("SHIM_FAULT=fsync@$n=hold")
		pause_start
		until_held
		fcp_signal TERM
		release
		fcp_end
		# Done but for what best effort was left of it, or put back.
		case $status in
		0 | 4) same_new_pair && vm_is Paused ;;
		1) [ "$(listing)" = '*' ] && vm_is Running ;;
		*) _show "exit code $status" ;;
		esac
		sim_patch /vm '{"state":"Resumed"}'
	done
}

@test "a VM that was paused before: Paused after a failure, after a success, Running with --resume" {
	vm --no-envd
	sim_patch /vm '{"state":"Paused"}'
	sim_put /sim/fault '{"fault":"PUT /snapshot/create status=500"}'
	pause
	expect 1
	expect_json '.vm_state == "Paused"'
	vm_is Paused
	sim_delete /sim/fault
	pause
	expect 0
	vm_is Paused
	pause --resume --force
	expect 0
	expect_json '.vm_state == "Running"'
	vm_is Running
}

@test "the resume is tried again: refused, without an answer, its connection not made" {
	local kind
	for kind in status=500 reset hang lost; do
		SIM_NAME=${kind%=*} vm --no-envd --fault 'PUT /snapshot/create status=500' --fault "PATCH /vm $kind@2"
		pause --timeout-ms 300
		expect 1
		expect_json '.vm_state == "Running"' '.error.class == "server"' '.ms < 6000'
		vm_is Running
	done
	for kind in EAGAIN EMFILE ENOMEM; do
		SIM_NAME=$kind vm --no-envd
		rm -f "$D"/*
		: >"$T/calls"
		# The last of a checkpoint's connections is its resume's.
		pause --resume --no-trim
		expect 0
		SHIM=("SHIM_FAULT=connect@$(calls '^connect' | wc -l)=$kind")
		pause --resume --no-trim --force
		struck
		expect 0
		vm_is Running
	done
}

@test "it cannot be resumed: exit 5 within its deadline, and the command, run as it is said, resumes it" {
	vm --no-envd --fault 'PUT /snapshot/create hang'
	pause_start --snapshot-timeout-ms 1000
	sim_wait_log '^PUT /snapshot/create'
	sim_put /sim/fault '{"fault":"PATCH /vm status=500"}'
	fcp_end
	expect 5
	expect_json '.error.class == "left"' '.vm_state == "Paused"' '.ms < 9000'
	vm_is Paused
	[ "$(listing)" = '*' ]
	sim_delete /sim/fault
	sed -nE "s/.*by hand: (fcpause resume [^(]*) \(.*/\1/p" err | head -1 >command
	[ -s command ]
	mkdir bin
	ln -s "$FCPAUSE" bin/fcpause
	PATH=$PWD/bin:$PATH sh ./command
	vm_is Running
}
@test "paused at once after a drain: it resumes well and has its memory back" {
	vm --no-envd --return-ms 100 --hinting-ms 1 --workload 8,6,0
	expect_state '.free_bytes > 4194304'
	sim_get /sim/state >before
	pause --drain
	expect 0
	vm_is Paused
	sim_patch /vm '{"state":"Resumed"}'
	local end=$((SECONDS + SIM_DEADLINE_S))
	until [ "$(sim_state pages_out_bytes)" -eq 0 ]; do [ $SECONDS -lt $end ]; done
	expect_state '.checksum_ok' ".free_bytes == $(jq .free_bytes before)" ".used_bytes == $(jq .used_bytes before)"
	load_pair "$D/snap" "$D/mem"
}
