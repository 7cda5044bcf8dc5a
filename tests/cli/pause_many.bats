#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # what must not be expanded
# scripts/pause-many on several simulators.

load helpers

setup_file() {
	export BATS_TEST_TIMEOUT=180
	command -v parallel >/dev/null || export NO_PARALLEL=1
}

need_parallel() { [ -z "${NO_PARALLEL:-}" ] || skip 'GNU parallel is not installed'; }

# vms NAME…: booted VMs; their sockets are ./NAME.sock, their simulators' values SIM_…_NAME.
vms() {
	need_parallel
	local name
	for name; do
		SIM_NAME=$name sim_start --boot --memory 16 --balloon "$BALLOON" "${VM_OPTIONS[@]}"
		ln -s "$SIM_SOCK" "$name.sock"
	done
}
VM_OPTIONS=()

state_of() {
	sim_use "$1"
	sim_get / | jq -r .state
}

# many ARGS…: the script; $status, out, err.
many() {
	mkdir -p tmp
	status=0
	TMPDIR=$T/tmp timeout -k 1 60 "$ROOT/scripts/pause-many" --fcpause "$FCPAUSE" "$@" >out 2>err 3>&- || status=$?
	keep_report
	nothing_left
}

many_start() {
	mkdir -p tmp
	# (In the foreground, for timeout would send the signal to all processes below it, too.)
	TMPDIR=$T/tmp env --default-signal=INT timeout --foreground -k 60 60 "$ROOT/scripts/pause-many" --fcpause "$FCPAUSE" "$@" \
		>out 2>err 3>&- &
	FCP_PID=$!
}

many_end() { fcp_end && nothing_left; }

nothing_left() {
	[ -z "$(ls tmp)" ] || _show "left in TMPDIR: $(ls tmp)" || return 1
	[ -z "$(find . -name '*fcpause-tmp')" ] || _show 'half a file is left'
}

# expect_lines N FILTER: N lines, of which, as an array, the filter holds.
expect_lines() {
	[ "$(wc -l <out)" -eq "$1" ] || _show "not $1 lines" || return 1
	jq -es "all(.schema == \"fcpause/1\" and .command == \"pause-many\") and ($2)" out >/dev/null || _show "not so: $2"
}

no_vm_was_asked() {
	local name
	for name; do
		sim_use "$name"
		run ! grep -vE '^GET /($| )' "$SIM_LOG"
	done
}

@test "a list of sockets: each is paused into its files; a line each, those that failed at the end" {
	vms a b
	many --output new --jobs 2 -- --find zero < <(printf '%s\n' a.sock '' nobody.socket b.sock)
	expect 1
	expect_lines 3 '(map(.line) | sort) == [1, 3, 4] and
		(map(select(.line == 1))[0] | .status == "ok" and .exit_code == 0 and .api_sock == "a.sock" and .vm_id == "anonymous-instance" and
			.snapshot_path == "new/a.snap" and .pause.vm_state == "Paused" and .pause.settings.find.value == "zero" and .id == null) and
		(map(select(.line == 3))[0] | .status == "failed" and .exit_code == 1 and .vm_id == null and .pause.error.class == "connect" and
			.reason == .pause.reason)'
	[ "$(ls new | tr '\n' ' ')" = 'a.mem a.snap b.mem b.snap ' ]
	[ "$(state_of a)" = Paused ] && [ "$(state_of b)" = Paused ]
	diff err - <<-'E'
	pause-many: 1 of 3 failed:
	  exit code 1: "nobody.socket": cannot connect to the socket nobody.socket: No such file or directory
	E
}

@test "a plan: options of each VM; names are taken as they are, whatever is in them" {
	vms a b
	local odd=$'odd \'one\' "two" $(touch pwned) `touch pwned`; \\ {} {#} *'
	ln -s a.sock "$odd.sock"
	jq -nc --arg odd "$odd" '{id: "vm; 1", api_sock: "\($odd).sock", snapshot_path: "\($odd).snap", mem_file_path: "\($odd).mem",
			find: "zero", min_run: 8192, drain: true, fph_timeout_ms: 9000, trim: null},
		{api_sock: "b.sock", snapshot_path: "b.snap", mem_file_path: "b.mem", drain: false, find: "zero",
			metrics_textfile: "b.prom", metrics_label: ["x=1", "y=2"], reclaim: false}' >plan
	echo "$odd.sock" >list
	many plan -- --min-run 16384 --drain
	expect 0
	expect_lines 2 '(sort_by(.line) | .[0].id == "vm; 1" and .[0].pause.settings.min_run.value == 8192 and
		.[0].pause.settings.drain.value and .[0].pause.settings.fph_timeout_ms.value == 9000 and
		(.[1].pause.settings.drain.value | not) and .[1].pause.settings.min_run.value == 16384)'
	[ -s "$odd.snap" ] && [ -s "$odd.mem" ] && [ -s b.snap ]
	grep -q 'x="1",y="2"' b.prom
	[ ! -e pwned ]
	[ ! -s err ]
	# As a line of a list, too; and both run as they are printed.
	many --output . -n list
	expect 0
	sim_use a
	sim_patch /vm '{"state":"Resumed"}'
	rm "$odd.snap" "$odd.mem"
	bash out >report 2>&1 || { cat report; false; }
	[ -s "$odd.snap" ]
	[ ! -e pwned ]
}

@test "what is wrong with the list is said before any VM is asked" {
	vms a
	local plan why
	while IFS=$'\t' read -r plan why; do
		printf "$plan" >plan
		many plan
		expect 2
		expect_no_out
		expect_err "pause-many: plan: $why"
	done <<-'E'
	{"api_sock":"a.sock"}\n	line 1: snapshot_path is missing (--output)
	a.sock\n	line 1: snapshot_path is missing (--output)
	{"snapshot_path":"s","mem_file_path":"m"}	line 1: api_sock is missing
	{"api_sock":7,"snapshot_path":"s","mem_file_path":"m"}	line 1: api_sock is no path
	\n\n{"api_sock":	line 3: not a JSON object
	{"api_sock":"a\\nb","snapshot_path":"s","mem_file_path":"m"}	line 1: a line break or another control character
	a\x01b	line 1: a line break or another control character
	a\xffb	line 1: it is not UTF-8
	{"api_sock":"a","snapshot_path":"s","mem_file_path":"m","x y":1}	line 1: "x y": an option has small letters
	{"api_sock":"a","snapshot_path":"s","mem_file_path":"m","help":true}	line 1: help cannot be set here
	{"api_sock":"a","snapshot_path":"s","mem_file_path":"m","id":[]}	line 1: id is neither a text nor a number
	{"api_sock":"a","snapshot_path":"s","mem_file_path":"m","find":{}}	line 1: find: an object is no value
	{"api_sock":"a","snapshot_path":"s","mem_file_path":"s"}	"s": in line 1 and in line 1
	{"api_sock":"a","snapshot_path":"s","mem_file_path":"m"}\n{"api_sock":"b","snapshot_path":"t","mem_file_path":"m"}	"m": in line 1 and in line 2
	E
	many --output new < <(printf '%s\n' d/a.sock e/a.sock)
	expect 2
	expect_err '"new/a.mem": in line 1 and in line 2'
	# As fcpause says it, of an option that it does not know.
	many < <(printf '%s\n' '{"api_sock":"a.sock","snapshot_path":"s","mem_file_path":"m"}' \
		'{"api_sock":"b.sock","snapshot_path":"t","mem_file_path":"n","fnid":"zero"}')
	expect 2
	expect_err "line 2: fcpause pause: unknown option '--fnid'"
	no_vm_was_asked a
	[ ! -e new ]
}

@test "usage: exit 2; what is of one VM is not for all" {
	need_parallel
	local words
	for words in '--nix' '--jobs 0' '--jobs x' --jobs '--output= list' 'a b' '-- --envd http://127.0.0.1:1' '-- --json' '-- --api-sock=x'; do
		# shellcheck disable=SC2086
		many $words </dev/null
		expect 2
		expect_no_out
		expect_err 'pause-many: '
	done
	many nowhere
	expect 1
	expect_err 'nowhere cannot be read'
	many --resume nowhere </dev/null
	expect 1
	many </dev/null
	expect 0
	expect_no_out
	echo '{"api_sock":"a","snapshot_path":"s","mem_file_path":"m"}' >plan
	FCPAUSE_ENVD=http://127.0.0.1:1 FCPAUSE_JSON=0 FCPAUSE_DRAIN=1 many plan
	expect 1
	expect_lines 1 '.[0].pause.settings | .envd.value == null and .drain.value'
}

@test "one fails, the others are paused; --resume does only what is not done" {
	vms a c
	SIM_NAME=b sim_start --boot --memory 16 --fault 'PUT /snapshot/create status=400,{"fault_message":"so it is"}@1'
	ln -s "$SIM_SOCK" b.sock
	printf '%s\n' a.sock b.sock c.sock >list
	many --output new list -- --find zero
	expect 1
	expect_lines 3 'map(select(.exit_code != 0)) | length == 1 and (.[0] | .api_sock == "b.sock" and (.reason | contains("so it is")))'
	[ "$(state_of b)" = Running ]
	# (The last line of a run that was killed may be half a line.)
	{ cat out; echo -n '{"schema":"fcpause/1","comm'; } >before
	many --output new --resume before list -- --find zero
	expect 0
	expect_lines 1 '.[0].api_sock == "b.sock" and .[0].line == 2'
	expect_err 'pause-many: 2 were done before'
	[ "$(state_of b)" = Paused ]
	sim_use a
	[ "$(grep -c 'PUT /snapshot/create' "$SIM_LOG")" -eq 1 ]
	# Done is what went to these files.
	many --output other --resume before list -n
	expect 0
	[ "$(wc -l <out)" -eq 3 ]
}

@test "the exit code is the worst: a VM that is left behind before one that failed" {
	vms a
	SIM_NAME=b sim_start --boot --memory 16 --fault 'PUT /snapshot/create status=500' --fault 'PATCH /vm status=500@2+'
	ln -s "$SIM_SOCK" b.sock
	many --output new -- --find zero < <(printf '%s\n' nobody.sock b.sock a.sock)
	expect 5
	expect_lines 3 '(map(.exit_code) | sort) == [0, 1, 5]'
	expect_err 'exit code 5: "b.sock"'
	sim_use a
	sim_patch /vm '{"state":"Resumed"}'
	many --output new -- --strict --force <<<a.sock
	expect 4
}

# Hinting runs that end at their ceiling only: until then the VM is at work.
slow_vms() { VM_OPTIONS=(--hinting-ms -1) && vms "$@"; }

@test "a signal: no more are begun, those at work end well, and --resume goes on" {
	slow_vms a b
	printf '%s\n' a.sock b.sock >list
	many_start --output new --jobs 1 list -- --find zero --drain --fph-timeout-ms 1500
	sim_use a
	sim_wait_log '^PATCH /balloon/hinting/start'
	fcp_signal TERM
	many_end
	expect 4
	expect_lines 1 '.[0].api_sock == "a.sock" and .[0].exit_code == 0 and .[0].pause.vm_state == "Paused"'
	expect_err 'no more are begun'
	expect_err '1 of 2 were not begun'
	no_vm_was_asked b
	cp out before
	many --output new --resume before list -- --find zero
	expect 0
	expect_lines 1 '.[0].api_sock == "b.sock"'
}

@test "two signals: those at work are ended, at once, and their VMs run" {
	slow_vms a b
	printf '%s\n' a.sock b.sock >list
	many_start --output new --jobs 2 list -- --find zero --drain --fph-timeout-ms 50000
	# Both, at the same time.
	sim_use a
	sim_wait_log '^PATCH /balloon/hinting/start'
	sim_use b
	sim_wait_log '^PATCH /balloon/hinting/start'
	fcp_signal INT
	_sim_wait_file err 'no more are begun'
	fcp_signal INT
	many_end
	expect 1
	expect_lines 2 'all(.exit_code == 1 and .pause.error.class == "interrupted")'
	[ "$(state_of a)" = Running ] && [ "$(state_of b)" = Running ]
	grep -q '^PATCH /balloon/hinting/stop' "$SIM_LOG_a"
	[ -z "$(ls new)" ]
}

@test "an fcpause that is killed is told, and the others go on" {
	slow_vms a
	VM_OPTIONS=() && vms b
	printf '%s\n' a.sock b.sock >list
	many_start --output new --jobs 1 list -- --find zero --drain --fph-timeout-ms 50000
	sim_use a
	sim_wait_log '^PATCH /balloon/hinting/start'
	pkill -KILL -f -x "$FCPAUSE pause .*--api-sock=a.sock --json"
	many_end
	expect 1
	expect_lines 2 '(sort_by(.line) | .[0].exit_code == 137 and .[0].pause == null and .[0].status == "failed" and .[1].exit_code == 0)'
	expect_err 'exit code 137: "a.sock": '
}

@test "on a terminal: how far it is; elsewhere nothing" {
	vms a b
	need_terminal
	printf '%s\n' a.sock b.sock >list
	script -qec "$(printf '%q ' "$ROOT/scripts/pause-many" --fcpause "$FCPAUSE" --output new list -- --find zero) >report" typed </dev/null >shown 2>&1
	grep -q '1 of 2, 0 failed' shown
	grep -q '2 of 2, 0 failed' shown
	[ "$(wc -l <report)" -eq 2 ]
	sim_use a && sim_patch /vm '{"state":"Resumed"}'
	many --output new -- --find zero --force <<<a.sock
	expect 0
	expect_no_err
}

@test "the user's settings of parallel are not read" {
	vms a
	mkdir -p home/.parallel
	echo '--dry-run' >home/.parallel/config
	HOME=$T/home PARALLEL=--dry-run many --output new -- --find zero <<<a.sock
	expect 0
	expect_lines 1 '.[0].exit_code == 0'
}

@test "another parallel is told apart" {
	mkdir bin
	printf '#!/bin/sh\nexit 0\n' >bin/parallel
	chmod +x bin/parallel
	PATH=$T/bin:$PATH many --output new <<<a.sock
	expect 1
	expect_err 'another program than GNU parallel'
}

@test "--help, the manual and the parser have the same options" {
	need_parallel
	"$ROOT/scripts/pause-many" --help | grep -oE '^  (-[a-z], )?--[a-z-]+(=[A-Z]+)?' | grep -oE -- '--[a-z-]+(=[A-Z]+)?' | tr '=' ' ' | sort >a
	awk '/^\.Sh / { inside = $2 == "OPTIONS" } inside && /^\.It Fl/' "$ROOT/man/fcpause-pause-many.1" |
		grep -oE 'Fl Fl [a-z-]+( Ar [A-Z]+)?' | sed -E 's/Fl Fl ([a-z-]+)( Ar)?/--\1/' | sort >b
	[ "$(wc -l <b)" -eq 6 ]
	diff a b
	local name value
	while read -r name value; do
		[ -n "$value" ] || continue
		many "$name" </dev/null
		expect 2
		expect_err "$name needs a value"
	done <a
}

@test "the manual's page has no lint" {
	command -v mandoc >/dev/null || skip 'mandoc is not installed'
	run mandoc -T lint -W warning "$ROOT/man/fcpause-pause-many.1"
	[ -z "$output" ] || { echo "$output"; false; }
}

@test "installed, it finds its parts and fcpause" {
	vms a
	local b=${FCPAUSE%/*}
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$ROOT" -o product install B="${b#"$ROOT"/}" PREFIX="$T/usr" >log 2>&1 ||
		{ cat log; false; }
	status=0
	echo a.sock | "$T/usr/bin/fcpause-pause-many" --output new -- --find zero >out 2>err || status=$?
	expect 0
	expect_lines 1 '.[0].exit_code == 0'
	[ -e "$T/usr/share/man/man1/fcpause-pause-many.1" ]
}

@test "shellcheck finds nothing" {
	command -v shellcheck >/dev/null || skip 'shellcheck is not installed'
	cd "$ROOT" && shellcheck -x scripts/pause-many
}
