#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a pause freezes in the guest: the workload before anything else, the file system last; thawed in the
# reverse order as soon as the VM runs again, whatever ended the pause; kept in the snapshot of a VM that stays
# Paused. envd's answers: tests/data/recorded/envd-quiesce.jsonl.

load helpers

# pause OPTION…
pause() {
	fcp pause --api-sock "$SIM_SOCK" --envd "$SIM_ENVD" --snapshot-path snap --mem-file-path mem --json "$@"
}

# The requests that change something, without their figures, one a line.
changes() {
	sed -nE 's/^(envd POST )(\/[a-z]*)(\?[^ ]*)?( .*)?$/\2/p; s/^envd POST \/process.*/script/p; s/^PATCH \/vm .*"(Paused|Resumed)".*/\1/p
		s/^PUT (\/snapshot\/create).*/create/p' "$SIM_LOG"
}
expect_changes() {
	diff -u --label expected --label requests <(tr ' ' '\n' <<<"$1") <(changes) || _show 'the requests differ'
}

@test "off by default: nothing is asked" {
	vm
	pause
	expect 0
	expect_json '.quiesce | [.freeze, .collapse, .fs_freeze, .fs_thaw, .unfreeze] | map(.status) | unique == ["skipped"]' \
		'.quiesce.freeze.reason == "off by default"' '.quiesce.freeze.frozen == null' '.quiesce.kept == false'
	expect_changes 'Paused create'
}

@test "the order; what envd observed; a VM that stays Paused is frozen in its snapshot" {
	vm
	pause --freeze --collapse --fs-freeze --reclaim
	expect 0
	expect_changes '/freeze /collapse script /fsfreeze Paused create'
	expect_json '.quiesce.freeze | .status == "ok" and .mode == "legacy" and .requested == 2 and .frozen == 2 and
			.not_frozen == 0 and .truncated == false and .wait_ms == 2' \
		'.quiesce.collapse | .status == "ok" and .chunks == 35 and .already_huge == 7' \
		'.quiesce.fs_freeze | .status == "ok" and .by_exec == false' \
		'.quiesce.kept' '.quiesce.unfreeze | .status == "skipped" and (.reason | contains("part of the snapshot"))' '.steps[0].status == "ok"'
	grep -qF 'POST /freeze?mode=legacy&maxCgroups=512&maxWaitMs=1800' "$SIM_LOG"
	expect_state .frozen .fs_frozen
}

@test "a checkpoint: thawed in the reverse order, as soon as the VM runs" {
	vm
	pause --freeze --fs-freeze --resume
	expect 0
	expect_changes '/freeze /fsfreeze Paused create Resumed /fsthaw /unfreeze'
	expect_json '[.quiesce.fs_thaw.status, .quiesce.unfreeze.status] == ["ok", "ok"]' '.quiesce.kept == false' '.vm_state == "Running"'
	expect_state '(.frozen | not) and (.fs_frozen | not)'
	fcp pause --api-sock "$SIM_SOCK" --envd "$SIM_ENVD" --snapshot-path snap --mem-file-path mem --force --resume --freeze
	expect 0
	expect_out 'freeze            ok'
	expect_out '2 of 2 cgroups are frozen (legacy)'
	expect_out 'unfreeze          ok'
}

@test "a guest that stays frozen: the text says how it is thawed" {
	vm
	fcp pause --api-sock "$SIM_SOCK" --envd "$SIM_ENVD" --snapshot-path snap --mem-file-path mem --freeze
	expect 0
	grep -qE '^pause .* VM Paused, stood still .* ms; frozen until resume --thaw$' out
	fcp resume --api-sock "$SIM_SOCK" --envd "$SIM_ENVD" --thaw
	expect 0
	expect_out '; thawed'
	expect_state '(.frozen | not)'
	fcp pause --api-sock "$SIM_SOCK" --envd "$SIM_ENVD" --snapshot-path snap --mem-file-path mem --force
	expect 0
	run ! grep -q frozen out
}

@test "fcpause writes: thawed before the files are made durable" {
	vm
	unset FCPAUSE_WRITER
	pause --freeze --resume --verify
	expect 0
	expect_json '.quiesce.unfreeze.status == "ok"'
	expect_state '.frozen | not'
}

@test "the mode, and its bound, of the command line" {
	vm
	pause --freeze --freeze-mode hierarchy --freeze-max-cgroups 1 --freeze-timeout-ms 5000
	expect 0
	grep -qF 'POST /freeze?mode=hierarchy&maxCgroups=1&maxWaitMs=4800' "$SIM_LOG"
	expect_json '.quiesce.freeze | .status == "partial" and .truncated and .mode == "hierarchy" and (.reason | contains("more cgroups"))' \
		'.status == "partial"'
	expect_err 'freeze: there are more cgroups than are looked at'
	pause --freeze-max-cgroups 0 --force
	expect 2
}

@test "what did not stop, failed or cannot be seen makes it partial; another mode than asked for, too" {
	local body
	while read -r body reason; do
		vm --fault "POST /freeze answer=200,$body"
		pause --freeze --freeze-mode hierarchy
		expect 0
		expect_json ".quiesce.freeze | .status == \"partial\" and (.reason | contains(\"$reason\"))"
		pause --freeze --freeze-mode hierarchy --strict --force
		sim_stop
		rm -f snap mem
	done <<-'E'
	{"mode":"hierarchy","requested":2,"frozen":1,"notFrozen":1} 1 cgroups had not stopped in time
	{"mode":"hierarchy","requested":2,"frozen":1,"failed":1} 1 cgroups could not be frozen
	{"mode":"hierarchy","requested":2,"unobservable":2} 2 cgroups do not tell
	{"mode":"legacy","requested":2,"frozen":2} envd has frozen only its own
	{} envd has frozen only its own
	E
}

@test "an envd that reports nothing, and one that is too old for all of it" {
	vm --fault 'POST /freeze answer=204' --fault 'POST /collapse status=404'
	pause --freeze --collapse --resume
	expect 0
	expect_json '.quiesce.freeze | .status == "ok" and .frozen == null and .mode == null' \
		'.quiesce.collapse | .status == "unsupported" and (.reason | contains("envd is too old: it has no /collapse")) and .chunks == null'
	sim_stop
	rm -f snap mem
	vm --fault 'POST /freeze status=404'
	pause --freeze --resume
	expect 0
	expect_json '.quiesce.freeze.status == "unsupported"' '.quiesce.unfreeze.status == "skipped"'
	expect_changes '/freeze Paused create Resumed'
}

@test "the workload cannot be frozen: the pause goes on, and what may be frozen is thawed" {
	local fault after
	while read -r after fault; do
		vm --fault "POST /freeze $fault"
		pause --freeze --freeze-timeout-ms 500 --resume --force
		expect 0
		expect_json '.quiesce.freeze.status | IN("failed", "timeout")' '.status == "partial"'
		[ "$(changes | grep -c unfreeze)" -eq "$after" ]
		sim_stop
	done <<-'E'
	0 status=503
	0 status=400
	1 status=500
	1 hang
	1 lost
	1 garbage
	1 answer=200,[]
	E
}

@test "a pause that fails thaws, in the reverse order" {
	vm --fault 'PUT /snapshot/create status=400@1+'
	pause --freeze --collapse --fs-freeze
	expect 1
	expect_changes '/freeze /collapse /fsfreeze Paused create Resumed /fsthaw /unfreeze'
	expect_json '.vm_state == "Running"' '[.quiesce.fs_thaw.status, .quiesce.unfreeze.status] == ["ok", "ok"]'
	expect_state '(.frozen | not) and (.fs_frozen | not) and .state == "Running"'
	expect_no_files
}

@test "the file system cannot be frozen: no snapshot, no sync, thawed" {
	local fault
	for fault in status=500 hang lost; do
		vm --fault "POST /fsfreeze $fault"
		pause --freeze --fs-freeze --fs-freeze-timeout-ms 500
		expect 1
		expect_json '.quiesce.fs_freeze.status == "failed"' '.quiesce.fs_thaw.status == "ok"' \
			'.error.message | contains("file system could not be frozen")' '.vm_state == "Running"'
		expect_changes '/freeze /fsfreeze /fsthaw /unfreeze'
		expect_state '(.frozen | not) and (.fs_frozen | not)'
		expect_no_files
		sim_stop
	done
}

@test "an envd without /fsfreeze: by fsfreeze in the guest" {
	vm --fault 'POST /fsfreeze status=404'
	guest_program fsfreeze <<-'E'
	#!/bin/sh
	echo "$@" >>/guest-said
	E
	pause --freeze --fs-freeze --resume
	expect 0
	expect_json '.quiesce.fs_freeze | .status == "ok" and .by_exec' '.quiesce.fs_thaw.status == "ok"'
	expect_changes '/freeze /fsfreeze script Paused create Resumed script /unfreeze'
}

@test "... that fails: no snapshot, and thawed; that is not there: unsupported, exit 3" {
	vm --fault 'POST /fsfreeze status=404'
	guest_program fsfreeze <<-'E'
	#!/bin/sh
	[ "$1" = -u ]
	E
	pause --fs-freeze
	expect 1
	expect_json '.error.message | contains("fsfreeze in the guest: exit code 1")' '.quiesce.fs_thaw.status == "ok"'
	rm -f "$(guest_dir)/bin/fsfreeze"
	guest_program fsfreeze <<-'E'
	#!/bin/sh
	exit 127
	E
	pause --fs-freeze
	expect 3
	expect_json '.quiesce.fs_freeze.status == "unsupported"' '.quiesce.fs_thaw.status == "skipped"'
	expect_state '.state == "Running"'
}

@test "a signal: at each point the VM runs on, thawed" {
	local signal at
	while read -r signal at fault; do
		vm --snapshot-ms 1000 ${fault:+--fault "$fault"}
		fcp_start pause --api-sock "$SIM_SOCK" --envd "$SIM_ENVD" --snapshot-path snap --mem-file-path mem --json \
			--freeze --freeze-timeout-ms 20000 --fs-freeze --fs-freeze-timeout-ms 20000
		sim_wait_log "$at"
		fcp_signal "$signal"
		fcp_end
		expect 1
		expect_json '.error.class == "interrupted"' '.vm_state == "Running"'
		expect_state '(.frozen | not) and (.fs_frozen | not) and .state == "Running"'
		expect_no_files
		sim_stop
	done <<-'E'
	TERM POST./freeze POST /freeze hang
	INT POST./fsfreeze POST /fsfreeze hang
	TERM PUT./snapshot/create
	HUP PUT./snapshot/create
	E
}

# kill_fcpause: fcpause itself, not the timeout(1) around it.
kill_fcpause() { kill -KILL "$(pgrep -P "$FCP_PID" -x fcpause)"; }

@test "SIGKILL: a guard thaws the guest, once the VM runs again" {
	local at
	command -v pgrep >/dev/null || skip 'no pgrep on PATH'
	for at in POST./fsfreeze PUT./snapshot/create; do
		vm --snapshot-ms 500 --token s3cr3t
		[ "$at" != POST./fsfreeze ] || sim_put /sim/fault '{"fault":"POST /fsfreeze hang@1"}'
		(umask 077 && echo s3cr3t >token)
		fcp_start pause --api-sock "$SIM_SOCK" --envd "$SIM_ENVD/" --envd-token-file token --snapshot-path snap --mem-file-path mem \
			--freeze --fs-freeze --fs-freeze-timeout-ms 20000
		sim_wait_log "$at"
		kill_fcpause
		fcp_end
		sim_wait_state state Running
		sim_wait_state frozen false
		sim_wait_state fs_frozen false
		grep -q '^envd POST /fsthaw' "$SIM_LOG"
		sim_stop
		rm -f snap* mem*
	done
}

@test "SIGKILL: what fsfreeze in the guest froze, too" {
	command -v pgrep >/dev/null || skip 'no pgrep on PATH'
	vm --snapshot-ms 500 --fault 'POST /fsfreeze status=404' --fault 'POST /fsthaw status=404'
	guest_program fsfreeze <<-'E'
	#!/bin/sh
	exit 0
	E
	fcp_start pause --api-sock "$SIM_SOCK" --envd "$SIM_ENVD" --snapshot-path snap --mem-file-path mem --fs-freeze
	sim_wait_log PUT./snapshot/create
	kill_fcpause
	fcp_end
	sim_wait_log 'fsfreeze -u /'
}

@test "a thaw that fails is exit 5, and says what to do; the first failures are not the last word" {
	vm --fault 'POST /unfreeze status=500@1' --fault 'POST /fsthaw lost@1'
	pause --freeze --fs-freeze --resume
	expect 0
	expect_state '(.frozen | not) and (.fs_frozen | not)'
	sim_stop
	rm -f snap mem
	vm --fault 'POST /unfreeze status=404'
	pause --freeze --resume
	expect 5
	expect_json '.error.class == "left"' \
		".error.message | contains(\"by hand: curl -X POST $SIM_ENVD/unfreeze\") and contains(\"the snapshot is good\")" \
		'.quiesce.unfreeze.status != "ok"'
	[ -e snap ] && [ -e mem ]
}

@test "what is done in the guest meanwhile is not stopped by the freeze" {
	vm
	pause --freeze --reclaim --reclaim-timeout-ms 20000
	expect 0
	expect_json '.steps[0].status == "ok"'
	grep -q '"tag":"_system"' "$SIM_LOG"
}

@test "a VM that is Paused already: nothing is frozen; a file system that cannot be is an error" {
	vm
	sim_patch /vm '{"state":"Paused"}'
	pause --freeze --collapse
	expect 0
	expect_json '[.quiesce.freeze.reason, .quiesce.collapse.reason] | unique == ["the VM was paused already"]'
	pause --fs-freeze --force
	expect 1
	expect_json '.error.class == "state"'
}

@test "resume --thaw: a guest that its snapshot holds frozen runs on" {
	vm
	pause --freeze --fs-freeze
	expect_json '.quiesce.kept'
	fcp resume --api-sock "$SIM_SOCK" --envd "$SIM_ENVD" --thaw --json
	expect 0
	expect_json .thawed '.vm_state == "Running"'
	expect_changes '/freeze /fsfreeze Paused create Resumed /fsthaw /unfreeze'
	expect_state '(.frozen | not) and (.fs_frozen | not)'
	fcp resume --api-sock "$SIM_SOCK" --envd "$SIM_ENVD" --json
	expect_json '.thawed | not'
	fcp resume --api-sock "$SIM_SOCK" --thaw
	expect 2
}

@test "a token: by a pipe, which is read once for all of it; a file that others can read freezes nothing" {
	vm --token s3cr3t
	pause --freeze --reclaim --resume --envd-token-file <(echo s3cr3t)
	expect 0
	expect_json '.quiesce.freeze.status == "ok"' '.steps[0].status == "ok"' '.quiesce.unfreeze.status == "ok"'
	(umask 022 && echo s3cr3t >open)
	pause --freeze --envd-token-file open --force
	expect 0
	expect_json '.quiesce.freeze | .status == "failed" and (.reason | contains("chmod 600"))'
	sim_patch /vm '{"state":"Resumed"}'
	pause --fs-freeze --envd-token-file open --force
	expect 1
	expect_json '.error.class == "input"' '.vm_state == "Running"'
}

@test "flags: on, off, mode and figures; the command line and the environment over them" {
	local flags='{"flagValues":{"freeze-user-cgroup":true,"freeze-user-cgroup-timeout-ms":700,"freeze-guest-hierarchy":true,
		"freeze-guest-hierarchy-max-cgroups":9,"collapse-envd-heap":true,"collapse-envd-heap-timeout-ms":800}}'
	plan() { fcp pause --api-sock s --envd http://e:1 --snapshot-path s --mem-file-path m --flags flags --json -n "$@"; }
	echo "$flags" >flags
	plan
	expect 0
	expect_json '[.settings | .freeze, .collapse, .freeze_mode, .freeze_timeout_ms, .freeze_max_cgroups, .collapse_timeout_ms
			| .value] == [true, true, "hierarchy", 700, 9, 800]' \
		'[.settings | .freeze, .freeze_mode, .freeze_timeout_ms | .origin] | unique == ["flags"]' \
		'[.steps[].name] == ["freeze", "collapse", "reclaim", "balloon-drain", "snapshot", "madvise-ranges"]'
	plan --no-freeze --freeze-mode legacy --collapse-timeout-ms 5
	expect_json '[.settings | .freeze, .freeze_mode, .collapse_timeout_ms | .value] == [false, "legacy", 5]' \
		'.settings.freeze.origin == "cli"'
	FCPAUSE_COLLAPSE=0 plan --fs-freeze
	expect_json '.settings.collapse == {"value": false, "origin": "env"}' '[.steps[].name] | index("fs-freeze") == 2'
	echo '{"flagValues":{"freeze-user-cgroup":1,"freeze-user-cgroup-timeout-ms":"x","collapse-envd-heap-timeout-ms":-1}}' >flags
	plan
	expect_json '[.settings | .freeze, .freeze_timeout_ms, .collapse_timeout_ms | .value] == [false, 2000, 10000]'
	expect_err 'flag freeze-user-cgroup: not true or false'
	expect_err 'flag freeze-user-cgroup-timeout-ms: not a number up to'
	# A flag that is meant for many VMs does not know each one's envd.
	vm
	echo "$flags" >flags
	fcp pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --flags flags --json
	expect 0
	expect_json '.quiesce.freeze | .status == "failed" and (.reason | contains("no address of envd"))'
	fcp pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --freeze
	expect 2
	expect_err '--envd URL is needed'
}
