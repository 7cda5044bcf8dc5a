#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Faults at every request (refused, unanswered, half, nonsense, Firecracker dead):
# what faults.bats demands of failing system calls holds for failing requests too:
#  - exit code 0, 1 or 5, JSON and state of the VM agree; resume is tried again until it is taken
#  - the old pair byte for byte, or the new pair whole, nothing else, no temporary name
#  - exit 5 only where the VM cannot be brought back: Firecracker is dead

load helpers
load walk

# The requests of a run, as METHOD PATH @N lines.
requests() { awk '{ n[$1 " " $2]++; print $1, $2, n[$1 " " $2] }' "$SIM_LOG"; }

# walk_requests MODE KIND...
walk_requests() {
	local mode=$1 kind method path nth
	arrange "$mode"
	: >"$SIM_LOG"
	run_mode "$mode"
	expect 0
	requests >"$T/requests"
	back_to_running
	for kind in "${@:2}"; do
		while read -r method path nth; do
			# A "200" to a resume that was not done is a lie that no client can see through.
			[ "$kind$method" != garbagePATCH ] || continue
			arrange "$mode"
			sim_put /sim/fault "{\"fault\":\"$method $path $kind@$nth\"}"
			run_mode "$mode" --timeout-ms 150 --snapshot-timeout-ms 400
			judge "$mode" "$mode: $method $path number $nth: $kind" || return
			[ "$status" -ne 5 ] || _show "$mode: $method $path $nth $kind: exit 5, but the API answers" || return
			sim_delete /sim/fault
			back_to_running
		done <"$T/requests"
	done
}

@test "each request in turn is refused, ends without an answer, or gets half of one or nonsense: a new pair" {
	VM
	walk_requests new status=500 reset lost truncate garbage
}

@test "each request in turn, the same: an old pair is replaced" {
	VM
	walk_requests force status=500 lost ${LONG:+reset truncate garbage}
}

@test "each request in turn, the same: a checkpoint" {
	VM
	walk_requests pause reset truncate ${LONG:+status=500 lost garbage}
}

@test "each request in turn gets no answer" {
	VM
	walk_requests new hang
	walk_requests pause hang
}

@test "Firecracker dies at each request in turn: no file, or the pair; exit 1 before the pause, else 5" {
	local mode method path nth i=0
	for mode in new force pause; do
		SIM_NAME=first VM
		arrange $mode
		run_mode $mode
		expect 0
		requests >"$T/requests-$mode"
		sim_stop
		while read -r method path nth; do
			arrange $mode
			SIM_NAME=n$((i++)) vm --no-envd --fault "$method $path die@$nth"
			run_mode $mode
			case "$method $path $nth" in
			# The last of a checkpoint: the snapshot is there, only the VM is gone.
			'PATCH /vm 2')
				expect 5
				[ "$(listing)" = 'mem snap' ]
				;;
			PATCH* | PUT*) expect 5 ;;
			*) expect 1 ;;
			esac
			jq -e -s --argjson code "$status" \
				'length == 1 and (.[0] | .status == "failed" and (.error.class == "left") == ($code == 5) and .ms < 12000)' \
				out >/dev/null || _show "$mode: $method $path dies" || return
			if [ $mode = force ]; then
				same_old_pair || _show "$method $path dies: the old pair" || return
				[ "$(listing)" = 'mem snap' ] || return
			elif [ "$method $path $nth" != 'PATCH /vm 2' ]; then
				[ "$(listing)" = '*' ] || _show "$method $path dies: there are: $(listing)" || return
			fi
		done <"$T/requests-$mode"
	done
}
