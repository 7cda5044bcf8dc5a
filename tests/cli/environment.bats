#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Variables that look like fcpause's and are not: a warning with the name that was meant, if one is near.

load helpers

@test "A14: unknown FCPAUSE_ variables are warnings, with what was meant" {
	vm
	export FCPAUSE_API_SOCK=$SIM_SOCK FCPAUSE_SNAPSHOT_PATH=snap FCPAUSE_MEM_FILE_PATH=mem FCPAUSE_TRIM=0
	# (NO_DRAIN is what --no-drain suggests; the others are slips.)
	FCPAUSE_NO_DRAIN=1 FCPAUSE_DRIAN=0 FCPAUSE_API_SOCKET=x FCPAUSE_QQQ=1 FCPAUSE_SIN=1 FCPAUSE_=1 fcp pause --drain --force --json
	expect 0
	expect_json '.warnings | length == 7' \
		'.warnings | any(. == "FCPAUSE_NO_DRAIN: no such variable, ignored; FCPAUSE_DRAIN=0 says it")' \
		'.warnings | any(. == "FCPAUSE_DRIAN: no such variable, ignored; did you mean FCPAUSE_DRAIN?")' \
		'.warnings | any(. == "FCPAUSE_API_SOCKET: no such variable, ignored; did you mean FCPAUSE_API_SOCK?")' \
		'.warnings | any(. == "FCPAUSE_QQQ: no such variable, ignored")' \
		'.warnings | any(. == "FCPAUSE_SIN: no such variable, ignored")' \
		'.warnings | any(. == "FCPAUSE_: no such variable, ignored")'
	expect_err 'fcpause pause: warning: FCPAUSE_NO_DRAIN: no such variable'
	# A plan says it too, and never the value; --quiet is quiet.
	FCPAUSE_DRIAN=secret fcp pause -n
	expect 0
	expect_err 'did you mean FCPAUSE_DRAIN?'
	run ! grep -r secret out err
	FCPAUSE_DRIAN=0 fcp pause --force -q
	expect_no_err
}

@test "A14: variables of another command's options, and other programs' variables, are no warnings" {
	vm
	export FCPAUSE_API_SOCK=$SIM_SOCK FCPAUSE_SNAPSHOT_PATH=snap FCPAUSE_MEM_FILE_PATH=mem
	FCPAUSE_USER=user FCPAUSE_AMOUNT_MIB=3 FCPAUSEX=1 fcp snapshot --json
	expect 0
	expect_json '.warnings == []'
	expect_no_err
}

@test "A14: many, long and hostile names" {
	local -a many=()
	local n
	vm
	for n in {1..40}; do many+=("FCPAUSE_X$n=1"); done
	many+=("FCPAUSE_$(printf 'A%.0s' {1..5000})=1" $'FCPAUSE_\e[31mDRAIN=1')
	timeout 20 env "${many[@]}" "$FCPAUSE" balloon-drain --api-sock "$SIM_SOCK" --json >out 2>err
	expect_json '.warnings | length <= 10'
	run ! grep -q $'\e' err
}
