#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# output:
#  - stdout carries the result only; stderr `fcpause COMMAND: what: why`
#  - a failed write to stdout is a failure; what was done is done
#  - --json: one object on stdout, on failure too; -q; -v; --best-effort; -n prints the plan: every
#    step, its settings and where each setting came from

load helpers

mem() { head -c 65536 /dev/zero >mem; }
madvise() { fcp madvise-ranges --mem-file-path mem --find zero "$@"; }

@test "stdout is full: exit 1 with the reason, the work is done" {
	mem
	for json in '' --json; do
		status=0
		"$FCPAUSE" madvise-ranges --mem-file-path mem --find zero --holes zero $json >/dev/full 2>"$T/err" || status=$?
		: >"$T/out"
		expect 1
		expect_err 'fcpause madvise-ranges: stdout: No space left on device'
	done
	[ "$(allocated mem)" -eq 0 ]
}

@test "A8: a snapshot that is good, and stdout full, closed or without a reader: exit 4" {
	vm
	local command json out
	# A pipe without a reader.
	mkfifo pipe
	exec 8<>pipe 9>pipe 8<&-
	for command in pause snapshot; do
		for json in '' --json; do
			for out in /dev/full '&-' '&9'; do
				status=0
				: >"$T/out"
				eval '"$FCPAUSE" $command --api-sock "$SIM_SOCK" --snapshot-path snap --force \
					--mem-file-path memory $json 2>"$T/err" '">$out" || status=$?
				expect 4 || _show "$command $json >$out" || return
				expect_err "fcpause $command: stdout: "
				expect_err '; the snapshot is good'
				[ -s snap ]
				expect_state '.state == "Paused"'
				sim_patch /vm '{"state":"Resumed"}'
				rm snap memory
			done
		done
	done
	# There is none: 1 as ever.
	sim_put /sim/fault '{"fault":"PUT /snapshot/create status=500"}'
	status=0
	"$FCPAUSE" pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path memory >/dev/full \
		2>"$T/err" || status=$?
	expect 1
}

@test "stdout is closed: exit 1, and no file gets what was meant for it" {
	head -c 65536 /dev/zero | tr '\0' x >mem
	cp mem mem.before
	status=0
	: >"$T/out"
	"$FCPAUSE" madvise-ranges --mem-file-path mem --find zero --json >&- 2>"$T/err" || status=$?
	expect 1
	cmp mem mem.before
}

@test "stdout and stderr are closed: the memory file is not written to" {
	head -c 65536 /dev/zero | tr '\0' x >mem
	cp mem mem.before
	"$FCPAUSE" madvise-ranges --mem-file-path mem --find zero -v >&- 2>&- || true
	cmp mem mem.before
	"$FCPAUSE" madvise-ranges --mem-file-path mem --find zero -v >&- 2>&- <&- || true
	cmp mem mem.before
	[ "$(length mem)" -eq 65536 ]
}

@test "stdin, stdout and stderr are closed: a drain ends, and the run is stopped" {
	vm --hinting-ms -1
	timeout 20 "$FCPAUSE" balloon-drain --api-sock "$SIM_SOCK" --fph-timeout-ms 100 <&- >&- 2>&- || code=$?
	[ "$code" -ne 124 ]
	expect_state '.hinting_running == false'
}

@test "a reader that goes away: a failure, no death by SIGPIPE" {
	mem
	mkfifo pipe
	exec 8<>pipe
	"$FCPAUSE" madvise-ranges --mem-file-path mem --find zero --json >pipe 2>"$T/err" 8>&- &
	exec 8>&-
	status=0
	wait $! || status=$?
	[ "$status" -eq 0 ] || [ "$status" -eq 1 ]
}

@test "the overview, --help and --version on a full stdout are failures too" {
	for args in --help --version 'pause --help' 'pause --version' help schema '--version --json'; do
		status=0
		"$FCPAUSE" $args >/dev/full 2>"$T/err" || status=$?
		: >"$T/out"
		expect 1
		expect_err 'stdout: No space left on device'
	done
}

@test "an error as JSON before there is a command, on a full stdout: it is said, and why" {
	for args in '--json bogus' --json; do
		status=0
		"$FCPAUSE" $args >/dev/full 2>"$T/err" || status=$?
		: >"$T/out"
		expect 2
		expect_err 'stdout: No space left on device'
	done
}

@test "-q: nothing on success, the error on failure" {
	mem
	madvise -q
	expect 0
	expect_no_out
	expect_no_err
	fcp madvise-ranges --mem-file-path none --find zero -q
	expect 1
	expect_no_out
	expect_err 'fcpause madvise-ranges: failed: none: No such file or directory'
}

@test "-q with --json prints the object" {
	mem
	madvise -q --json
	expect 0
	expect_json '.status == "ok"'
}

@test "-q with --list prints the list: it is what was asked for" {
	mem
	madvise -q --list
	expect 0
	[ "$(grep -v '^# file ' out)" = '0 65536 zero' ]
}

@test "-v: the plan on stderr, the result alone on stdout" {
	mem
	madvise -v --json
	expect 0
	expect_json '.status == "ok"'
	expect_err '1. madvise-ranges   yes'
	expect_err 'settings (and their source):'
	grep -qE '^ +find +zero \(cli\)$' "$T/err"
	grep -qE '^ +min-run +4096 \(default\)$' "$T/err"
}

@test "-v for pause names every step, on or off, with the reason" {
	vm
	fcp pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path memory --find zero -v --no-drain
	expect 0
	diff <(grep '^[0-9]' "$T/err") - <<-'E'
	1. reclaim          skipped: off by default
	2. balloon-drain    skipped: off by the command line
	3. snapshot         yes
	4. madvise-ranges   yes
	E
}

@test "--dry-run as text: the plan on stdout, nothing is done" {
	vm
	FCPAUSE_TIMEOUT_MS=777 fcp pause --api-sock "$SIM_SOCK" --envd "$SIM_ENVD" --snapshot-path snap \
		--mem-file-path memory --reclaim --no-trim --dry-run
	expect 0
	expect_no_err
	expect_no_requests
	[ ! -e snap ]
	diff <(grep '^[0-9]' "$T/out") - <<-'E'
	1. reclaim          yes
	2. balloon-drain    skipped: off by default
	3. snapshot         yes
	4. madvise-ranges   skipped: off by the command line
	E
	grep -qE '^ +timeout-ms +777 \(env\)$' "$T/out"
	grep -qE '^ +snapshot-path +snap \(cli\)$' "$T/out"
	grep -qE '^ +step-timeout-ms sync +500 \(default\)$' "$T/out"
	grep -qE '^ +flags +- \(default\)$' "$T/out"
}

@test "--dry-run as JSON: steps planned or not with the reason, settings with value and origin" {
	local command
	for command in reclaim balloon-install balloon-drain snapshot pause; do
		fcp $command --api-sock s --envd http://e:1 $([ $command != snapshot ] && [ $command != pause ] ||
			echo --snapshot-path s --mem-file-path m) --json -n
		expect 0
		expect_json ".command == \"$command\"" '.dry_run == true' '.status == "ok"' \
			'[.steps[] | (.step | type == "string") and (.planned or (.reason | length > 0))] | all' \
			'[.settings[] | has("value") and (.origin | IN("cli", "env", "flags", "default"))] | all' \
			'.settings.api_sock == {"value": "s", "origin": "cli"}'
	done
}

@test "--dry-run does not ask: nobody need be at the socket" {
	fcp balloon-drain --api-sock /nowhere/s -n
	expect 0
	fcp snapshot --api-sock /nowhere/s --snapshot-path /nowhere/a --mem-file-path /nowhere/b -n
	expect 0
}

@test "--json on failure: one object with status, reason and error; stderr says it too" {
	fcp madvise-ranges --mem-file-path none --find zero --json
	expect 1
	expect_json '.status == "failed"' '.reason == .error.message' '.error.class == "io"' '.error.errno == 2'
	expect_err 'fcpause madvise-ranges: failed: none: No such file or directory'
}

@test "--json on a wrong command line: one object, exit 2, wherever --json stands" {
	local args
	for args in '--bogus --json' '--json --bogus' '--json extra' '--json --timeout-ms' '--timeout-ms x --json'; do
		fcp pause $args
		expect 2
		expect_json '.command == "pause"' '.status == "failed"' '.error.class == "usage"' '.reason | length > 0'
		expect_err 'fcpause pause: '
	done
}

@test "FCPAUSE_JSON=1 holds for failures too" {
	FCPAUSE_JSON=1 fcp madvise-ranges --mem-file-path none --find zero
	expect 1
	expect_json '.status == "failed"'
	FCPAUSE_JSON=1 FCPAUSE_TIMEOUT_MS=x fcp pause
	expect 2
	expect_json '.error.class == "usage"'
	FCPAUSE_JSON=1 fcp pause --bogus
	expect 2
	expect_json '.error.class == "usage"'
}

@test "FCPAUSE_JSON=0 and other words for no are text" {
	mem
	local word
	for word in 0 no off false FALSE; do
		FCPAUSE_JSON=$word madvise --holes zero
		expect 0
		expect_out 'madvise-ranges    ok'
	done
}

@test "S2: bytes that are no UTF-8 in a path come out escaped, and as JSON" {
	fcp madvise-ranges --mem-file-path "$(printf 'no\377ne')" --find zero --json
	expect 1
	expect_json '.error.message | contains("no\\xffne")' '.settings.mem_file_path.value == "no\\xffne"'
}

@test "--best-effort: exit 0 for what fell short or failed, not for usage" {
	fcp madvise-ranges --mem-file-path none --find zero --best-effort --json
	expect 0
	expect_json '.status == "failed"' '.warnings | length == 1'
	expect_err 'warning: '
	fcp madvise-ranges --best-effort
	expect 2
	fcp madvise-ranges --mem-file-path none --find zero --best-effort -q
	expect 0
	expect_no_err
}

@test "no command, an unknown one, help, version" {
	fcp
	expect 2
	expect_no_out
	expect_err 'Usage: fcpause COMMAND'
	fcp nothing
	expect 2
	expect_err "unknown command 'nothing'"
	fcp ''
	expect 2
	local word
	for word in --help -h help; do
		fcp $word
		expect 0
		expect_out 'balloon-drain'
		expect_no_err
	done
	for word in --version -V; do
		fcp $word
		expect 0
		[ "$(<"$T/out")" = "fcpause $(sed -n 's/^#define FCP_VERSION "\(.*\)"/\1/p' "$ROOT/lib/fcpause.h")" ]
	done
}
