# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Around every test of the command line: `load helpers` at the top of the file brings setup() and
# teardown(), the simulator's helpers (../lib/sim.bash), and these.
#
#   fcp ARGS…               runs fcpause: $status, $T/out, $T/err
#   fcp_start ARGS…         the same in the background; fcp_signal TERM; fcp_end waits for it
#   expect N                the exit code
#   expect_json FILTER…     jq -e on stdout, which must be one object, and sound
#   expect_err TEXT         stderr holds the text;   expect_no_err: it is empty
#   expect_out TEXT         stdout holds the text;   expect_no_out: it is empty
#   expect_log <<E          the request log, whole: word for word
#   expect_state FILTER…    jq -e on GET /sim/state
#
# FCPAUSE names the binary to test (build/fcpause).

bats_require_minimum_version 1.5.0

load "$(dirname "${BASH_SOURCE[0]}")/../lib/sim"
load "$(dirname "${BASH_SOURCE[0]}")/../lib/state"

BALLOON='{"amount_mib":0,"deflate_on_oom":false,"free_page_hinting":true,"free_page_reporting":false}'

setup() {
	local name
	# The caller's settings are not ours, and ours are not fcpause's.
	for name in $(compgen -e FCPAUSE_); do
		case $name in FCPAUSE_SIM | FCPAUSE_REPLAY | FCPAUSE_BUILD) export -n "${name?}" ;; *) unset "$name" ;; esac
	done
	# Firecracker's writing is what most tests are about; those of the fcpause writer unset it.
	export FCPAUSE_WRITER=firecracker
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	: "${FCPAUSE:=$ROOT/build/fcpause}"
	T=$BATS_TEST_TMPDIR
	cd "$T" || return 1
}

teardown() {
	[ -z "${FCP_PID:-}" ] || kill -KILL "$FCP_PID" 2>/dev/null || true
	sim_stop
	check_secrets && check_reports
}

# The token that a simulator wanted, and the key of a service, are in no file that came of the test, but
# the token files themselves and what the simulator or the service was sent.
check_secrets() {
	local kept token file bad=
	for kept in "$BATS_TEST_TMPDIR"/{sim-*,services}/secret; do
		[ -s "$kept" ] || continue
		token=$(<"$kept")
		while IFS= read -r file; do
			[ "$(head -n 1 "$file")" = "$token" ] || bad+=" $file"
		done < <(find "$BATS_TEST_TMPDIR" -type f ! -path "$kept" ! -path "${kept%secret}requests" \
			! -path "${kept%secret}log" \
			-exec grep -laF -e "$token" {} +)
	done
	[ -z "$bad" ] || { echo "the token is in$bad"; return 1; }
}

# All reports of the test must be as the published schema says, and have no member that it lacks.
_REPORTS=reports.to-check
keep_report() {
	local head
	IFS= read -r -n 10 head <"$T/out" || true
	[ "$head" != '{"schema":' ] || cat "$T/out" >>"$T/$_REPORTS"
}
check_reports() {
	[ -s "$T/$_REPORTS" ] || return 0
	"${FCPAUSE_BUILD:-$ROOT/build}/schema-check" "$ROOT/cmd/schema/fcpause.schema.json" "$T/$_REPORTS"
}

# A booted VM with an armed balloon, 16 MiB, small: what most tests want.
vm() { sim_start --boot --memory 16 --balloon "$BALLOON" "$@"; }

# No run may take longer than this; one that hangs ends with 124.
RUN_SECONDS=40

fcp() {
	status=0
	timeout -k 1 $RUN_SECONDS "$FCPAUSE" "$@" >"$T/out" 2>"$T/err" || status=$?
	keep_report
}

# A shell's background jobs ignore SIGINT, which env takes back, and read /dev/null, unless told to
# read what is there.
fcp_start() {
	# (-k counts from the signal that a test sends, too.)
	# The leak checker's helper process gets the signal too, and then the end waits for it for ever.
	env --default-signal=INT ASAN_OPTIONS=detect_leaks=0 timeout -k $RUN_SECONDS $RUN_SECONDS \
		"$FCPAUSE" "$@" <&0 >"$T/out" 2>"$T/err" 3>&- &
	FCP_PID=$!
}

fcp_signal() { kill -s "$1" "$FCP_PID"; }

fcp_end() {
	status=0
	wait "$FCP_PID" || status=$?
	FCP_PID=
	keep_report
}

# Prints what came out, for the one who reads a failed test, and fails.
_show() {
	echo "$*"
	echo "-- exit code $status, stdout:"
	cat "$T/out"
	echo "-- stderr:"
	cat "$T/err"
	[ ! -s "${SIM_LOG:-}" ] || { echo "-- requests:"; _log | uniq -c | head -n 60; }
	return 1
}

expect() { [ "$status" -eq "$1" ] || _show "expected exit code $1"; }

# What holds for the JSON of every run, good or bad.
_SOUND='.schema == "fcpause/1" and (.command | type | IN("string", "null")) and
	([.. | objects | select(has("status"))
	  | (.status | IN("ok", "partial", "skipped", "timeout", "unsupported", "failed")) and
	    if .status == "ok" then has("reason") | not
	    else .reason | type == "string" and length > 0 end] | all)'

# jq is slow to start: all filters in one go, and one by one only to say which of them is not so.
expect_json() {
	local filter all=$_SOUND
	for filter; do all="$all and ($filter)"; done
	jq -e -s "length == 1 and (.[0] | type == \"object\" and $all)" "$T/out" >/dev/null 2>&1 &&
		[ "$(wc -l <"$T/out")" -eq 1 ] && return 0
	for filter in "$_SOUND" "$@"; do
		jq -e "$filter" "$T/out" >/dev/null || { _show "not so: $filter" || return 1; }
	done
	_show 'not one line with one JSON object'
}

expect_err() {
	grep -qF -- "$1" "$T/err" || _show "stderr does not hold: $1"
}
expect_no_err() { [ ! -s "$T/err" ] || _show "stderr is not empty"; }
expect_out() {
	grep -qF -- "$1" "$T/out" || _show "stdout does not hold: $1"
}
expect_no_out() { [ ! -s "$T/out" ] || _show "stdout is not empty"; }

# The request log without what differs from run to run: the test's directory is T, the script is
# SCRIPT, and however often the hinting's status was asked, it is one line.
_log() {
	sed -e "s|$T|T|g" -e 's/ {"process":.*/ SCRIPT/' "$SIM_LOG" |
		awk '$0 != "GET /balloon/hinting/status" || $0 != last { print } { last = $0 }'
}

expect_log() {
	diff -u --label expected --label 'request log' - <(_log) || _show "the request log differs"
}

expect_no_requests() { [ ! -s "$SIM_LOG" ] || _show "there were requests"; }

expect_state() {
	local filter all=true
	sim_get /sim/state >"$T/state"
	for filter; do all="$all and ($filter)"; done
	jq -e "$all" "$T/state" >/dev/null || _show "the simulator's state: $(<"$T/state"): not $all"
}

# The bytes that a file has on disk, and its length.
allocated() { echo $(($(stat -c '%b * %B' "$1"))); }
length() { stat -c %s "$1"; }

# No file of a snapshot, whole, half or temporary, in the test's directory.
expect_no_files() {
	local found
	found=$(find "$T" -maxdepth 2 -name 'fcpause-sim.*' -prune -o \( -name 'snap*' -o -name 'mem*' \) -print)
	[ -z "$found" ] || _show "files are there: $found"
}
expect_no_temporary() {
	local found
	found=$(find "$T" -maxdepth 2 -name 'fcpause-sim.*' -prune -o -name '*tmp*' -print)
	[ -z "$found" ] || _show "files are there: $found"
}

# guest_file NAME [OPTION...]: a memory file that a Linux kernel lies in (guest_file.c).
# Where script(1) has no pseudo-terminal to give, as in a chroot without /dev/pts, the test is skipped.
need_terminal() { script -qec true /dev/null >pty 2>&1 </dev/null || skip 'no pseudo-terminal can be had here'; }

guest_file() { "${FCPAUSE_BUILD:-$ROOT/build}/guest-file" "$@"; }

# In $T/bin, for a script's PATH: mkdir and mktemp, which send $SIGNAL to the script that makes a directory
# for its run.
signal_at_directory() {
	local tool
	mkdir -p bin tmp
	for tool in mkdir mktemp; do
		printf '#!/bin/sh\n%s "$@" || exit\ncase $* in *fcpause-*) kill -"$SIGNAL" $PPID ;; esac\n' "$(command -v $tool)" >bin/$tool
		chmod +x bin/$tool
	done
}

# The directory in which the simulated guest has its programs (of the test's only simulator); /guest in there.
guest_dir() {
	local -a found=("$T"/fcpause-sim.*)
	[ ${#found[@]} -eq 1 ] && [ -d "${found[0]}/guest/bin" ] && echo "${found[0]}/guest"
}

# guest_program NAME <<E: a program of the guest's becomes this shell script.
guest_program() {
	local file
	file=$(guest_dir)/bin/$1 || _show 'where is the guest?' || return 1
	rm -f "$file"
	cat >"$file"
	chmod +x "$file"
}
