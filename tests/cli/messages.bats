#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016
# What a mistake is answered with: what is wrong, why, and the option, file or address concerned.
#  - durations and sizes have units; the last of --NAME and --no-NAME counts
#  - what was meant is named, for commands, options, values, steps and flags
#  - the reason of a failure has the option that puts it right

load helpers

start() { vm "$@"; export FCPAUSE_API_SOCK=$SIM_SOCK FCPAUSE_ENVD=$SIM_ENVD; }

files() { export FCPAUSE_SNAPSHOT_PATH=snap FCPAUSE_MEM_FILE_PATH=mem; }

# says TEXT ARGS…: a usage error, and its words.
says() {
	fcp "${@:2}"
	expect 2
	[ "$(<err)" = "$1" ] || _show "not: $1"
	expect_no_out
}

# ---- durations, sizes, toggles ---------------------------------------------------------------

@test "durations: plain is ms; ms, s, m, min, h, fractions, and several in a row" {
	local text ms
	while read -r text ms; do
		fcp balloon-drain --api-sock s -n --json --fph-timeout-ms "$text"
		expect_json ".settings.fph_timeout_ms == {value: $ms, origin: \"cli\"}"
		FCPAUSE_FPH_TIMEOUT_MS=$text fcp balloon-drain --api-sock s -n --json
		expect_json ".settings.fph_timeout_ms == {value: $ms, origin: \"env\"}"
	done <<-'T'
	1500 1500
	1500ms 1500
	1.5s 1500
	0.25s 250
	2m 120000
	2min 120000
	0.5m 30000
	1m30s 90000
	1h1m1s1ms 3661001
	24h 86400000
	0x10 16
	007 7
	T
}

@test "durations: each option and variable of one, and caps by step" {
	local command name arg
	for command in reclaim balloon-drain snapshot resume exec; do
		"$FCPAUSE" "$command" --help=all >help
		while read -r name; do
			fcp "$command" "--$name=1m" --help
			expect 0
			fcp "$command" "--$name=1x"
			expect_err "--$name: '1x' is not a duration (1500, 1500ms, 1.5s, 2m)"
		done < <(grep -oE -- '--[a-z-]+=TIME' help | sed 's/^--//; s/=TIME//' | sort -u)
	done
	FCPAUSE_STEP_TIMEOUT_MS=sync=1.5s,fstrim=2m fcp reclaim --envd http://e:1 --step-timeout-ms drop_caches=1h -n --json
	expect_json '.settings["step_timeout_ms.sync"].value == 1500' '.settings["step_timeout_ms.fstrim"].value == 120000' \
		'.settings["step_timeout_ms.drop_caches"] == {value: 3600000, origin: "cli"}'
	says "fcpause reclaim: --step-timeout-ms: sync: '1.5' is not a duration (1500, 1500ms, 1.5s, 2m)" reclaim --step-timeout-ms sync=1.5
}

@test "durations: too long, and no number" {
	says "fcpause balloon-drain: --timeout-ms: '99999999999999999999' is too long (at most 24h, 86400000 ms)" \
		balloon-drain --timeout-ms 99999999999999999999
	says "fcpause balloon-drain: --timeout-ms: '25h' is too long (at most 24h, 86400000 ms)" balloon-drain --timeout-ms 25h
	says "fcpause balloon-drain: --timeout-ms: '1.5' is not a duration (1500, 1500ms, 1.5s, 2m)" balloon-drain --timeout-ms 1.5
	says "fcpause balloon-drain: --timeout-ms: '0s' is not a wait of 1 ms or more" balloon-drain --timeout-ms 0s
}

@test "sizes: MiB where there is no unit" {
	local text mib
	while read -r text mib; do
		fcp balloon-install --api-sock s -n --json --amount-mib "$text"
		expect_json ".settings.amount_mib.value == $mib"
	done <<-'T'
	512 512
	512M 512
	2GiB 2048
	1024K 1
	T
	says "fcpause balloon-install: --amount-mib: '1K' is not a size in whole MiB (512, 512M, 2GiB)" balloon-install --amount-mib 1K
	says "fcpause balloon-install: --amount-mib: '99999999999999999999' is too large (at most 4294967295)" \
		balloon-install --amount-mib 99999999999999999999
}

@test "the last of --NAME and --no-NAME counts" {
	local args on
	while read -r on args; do
		# shellcheck disable=SC2086
		fcp pause --api-sock s --snapshot-path s --mem-file-path m --envd http://e:1 -n --json $args
		expect_json ".settings.drain == {value: $on, origin: \"cli\"}"
	done <<-'T'
	true --no-drain --drain
	false --drain --no-drain
	true --drain --no-drain --drain
	T
	FCPAUSE_DRAIN=0 fcp pause --api-sock s --snapshot-path s --mem-file-path m -n --json --drain
	expect_json '.settings.drain.value'
	# Of an alias, an option of its own.
	fcp pause --api-sock s --snapshot-path s --mem-file-path m -n --json --timeout-ms 1s --timeout-ms 2s
	expect_json '.settings.timeout_ms.value == 2000'
}

# ---- what was meant --------------------------------------------------------------------------

@test "what was meant: commands, options, letters" {
	says "fcpause: unknown command 'puase'; did you mean pause? (see fcpause --help)" puase
	says "fcpause: '--api-sock' stands before the command, and options follow it: fcpause COMMAND [OPTION...]" --api-sock x pause
	says "fcpause pause: unknown option '--driain'; did you mean --drain? (see fcpause pause --help=all)" pause --driain
	says "fcpause pause: unknown option '--no-driain'; did you mean --no-drain? (see fcpause pause --help=all)" pause --no-driain
	says "fcpause pause: unknown option '-x' in '-nx' (see fcpause pause --help)" pause -nx
	says "fcpause pause: unknown option '-x' (see fcpause pause --help)" pause -x
	says "fcpause pause: unknown option '-j' in '-json'; did you mean --json? (see fcpause pause --help)" pause -json
	says "fcpause reclaim: '--drain' is an option of balloon-drain, pause, doctor, not of reclaim (see fcpause reclaim --help)" \
		reclaim --drain
	says "fcpause reclaim: 'now': this command takes options only (see fcpause reclaim --help)" reclaim now
	says "fcpause reclaim: --json takes no value" reclaim --json=1
	says "fcpause reclaim: --envd needs a value: URL" reclaim --envd
	says "fcpause reclaim: --envd: the value is empty" reclaim --envd ''
	says "fcpause reclaim: --steps: the value is empty" reclaim --steps=
}

@test "what was meant: help and the words that are not commands" {
	fcp help puase
	expect 2
	expect_err "unknown command 'puase'; did you mean pause?"
	says "fcpause: unknown command 'shema'; did you mean schema? (see fcpause --help)" shema
	says "fcpause: unknown command 'completoin'; did you mean completion? (see fcpause --help)" completoin
	fcp help completion
	expect 0
	expect_out 'fcpause completion SHELL'
	fcp version
	expect 0
	[ "$(<out)" = "$("$FCPAUSE" --version)" ]
}

@test "a list with a word twice" {
	says "fcpause reclaim: --steps: sync is there twice" reclaim --envd http://e:1 --steps sync,fstrim,sync
	says "fcpause madvise-ranges: --find: free is there twice" madvise-ranges --mem-file-path m --find free,free
}

@test "resume-build: too few and too many places for the new snapshot" {
	rb_says() {
		status=0
		"$ROOT/scripts/resume-build" --envd http://e:1 --snapshot-path a --mem-file-path b --pause "${@:2}" >out 2>err || status=$?
		expect 2
		[ "$(<err)" = "resume-build: $1 (see --help)" ] || _show "not: $1"
	}
	local places='--out-snapshot-path with --out-mem-file-path, --output, and --discard'
	rb_says "$places exclude each other" --output d --discard
	rb_says "$places exclude each other" --out-snapshot-path c --out-mem-file-path d --discard
	rb_says "one of $places is needed"
}

@test "what was meant: values, steps, kinds of pages; by the environment too" {
	says "fcpause snapshot: --type: unknown value 'Full' (auto, full, diff); did you mean full?" snapshot --type Full
	says "fcpause snapshot: --writer: unknown value 'x' (auto, fcpause, firecracker)" snapshot --writer x
	FCPAUSE_TYPE=ful says "fcpause snapshot: FCPAUSE_TYPE: unknown value 'ful' (auto, full, diff); did you mean full?" snapshot
	says "fcpause reclaim: --steps: unknown step 'fstrm' (sync, drop_caches, compact_memory, fstrim); did you mean fstrim?" \
		reclaim --envd http://e:1 --steps sync,fstrm
	FCPAUSE_STEPS=snyc says "fcpause reclaim: FCPAUSE_STEPS: unknown step 'snyc' (sync, drop_caches, compact_memory, fstrim); did you mean sync?" \
		reclaim --envd http://e:1
	says "fcpause reclaim: --step-timeout-ms: unknown step 'fstrm' (sync, drop_caches, compact_memory, fstrim); did you mean fstrim?" \
		reclaim --step-timeout-ms fstrm=5
	says "fcpause madvise-ranges: --find: unknown kind of page 'used' (free, zero, base, changed)" \
		madvise-ranges --mem-file-path m --find used
	says "fcpause madvise-ranges: --find: unknown kind of page 'fre' (free, zero, base, changed); did you mean free?" \
		madvise-ranges --mem-file-path m --find fre
}

@test "what was meant: flags and their keys, with the file's name; strict is an error" {
	local json text
	files
	while IFS='|' read -r json text; do
		echo "{\"flagValues\":{$json}}" >f.json
		fcp pause --api-sock s -n --flags f.json
		expect 0
		expect_err "fcpause pause: warning: flag $text (f.json)"
		fcp pause --api-sock s -n --flags f.json --strict-flags
		expect 1
		expect_err 'fcpause pause: flag '
		expect_err '(f.json)'
		run ! grep -E 'ignored|treated|dropped' err
	done <<-'T'
	"free-page-hintng":2000|free-page-hintng: unknown; ignored; did you mean free-page-hinting?
	"x":1|x: unknown (known: reclaim-on-pause, free-page-hinting, ...); ignored
	"reclaim-on-pause":{"snyc":5,"pause":1}|reclaim-on-pause.snyc: unknown key; ignored; did you mean sync?
	"reclaim-on-pause":true|reclaim-on-pause: true is not enough: give milliseconds, such as 2000; treated as off
	"reclaim-on-pause":"soon"|reclaim-on-pause: not a duration (2000, or "1.5s"); treated as off
	"reclaim-on-pause":-1|reclaim-on-pause: not from 0 to 86400000 milliseconds (24 h); treated as off
	"free-page-hinting":1.5|free-page-hinting: 1.5 is in milliseconds (for seconds: "1.5s"); the fraction is dropped
	T
}

@test "flags: durations with units" {
	files
	echo '{"flagValues":{"free-page-hinting":"1.5s","reclaim-on-pause":{"sync":"2s","fstrim":300}}}' >f.json
	fcp pause --api-sock s --envd http://e:1 -n --json --flags f.json --strict-flags
	expect 0
	expect_json '.settings.fph_timeout_ms == {value: 1500, origin: "flags"}' \
		'.settings["step_timeout_ms.sync"] == {value: 2000, origin: "flags"}' \
		'.settings["step_timeout_ms.fstrim"].value == 300'
}

# ---- the option that helps -------------------------------------------------------------------

@test "a target that is there: --force; one that is no file is named for what it is" {
	start
	files
	: >snap
	fcp snapshot
	expect 1
	expect_err "snap already exists (--force replaces it)"
	rm snap
	ln -s nowhere snap
	fcp snapshot --force
	expect 1
	expect_err 'snap is a symbolic link, not a regular file'
	rm snap
	mkdir snap
	fcp snapshot --force
	expect_err 'snap is a directory, not a regular file'
	expect_state '.state == "Running"'
}

@test "a directory in which nothing can be created is named, not a file that nobody gave" {
	start
	fcp snapshot --snapshot-path /proc/snap --mem-file-path mem
	expect 1
	expect_err '/proc/snap: no file can be created in /proc: '
	run ! grep -q fcpause-tmp err
}

@test "no room: how much is needed, how much is free, and that the VM was not paused" {
	[ "$(id -u)" = 0 ] || skip 'needs root to mount a small file system'
	start
	mkdir small
	status=0
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs -o size=8m small small || exit 77; exec "$1" snapshot --type full \
		--snapshot-path small/snap --mem-file-path small/mem' sh "$FCPAUSE" >out 2>err || status=$?
	[ "$status" -ne 77 ] || skip 'no tmpfs can be mounted'
	expect 1
	grep -qxE 'fcpause snapshot: failed: .*small/mem: not enough room: up to 1[67] MiB needed, 8 MiB free; the VM was not paused' err
	expect_state '.state == "Running"'
}

@test "a read-only file system: the file that was given, and its directory" {
	[ "$(id -u)" = 0 ] || skip 'needs root to mount a file system'
	start
	mkdir ro
	status=0
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs -o ro none ro || exit 77; exec "$1" snapshot \
		--snapshot-path ro/snap --mem-file-path ro/mem' sh "$FCPAUSE" >out 2>err || status=$?
	[ "$status" -ne 77 ] || skip 'no tmpfs can be mounted'
	expect 1
	grep -qE '/ro/(mem|snap): no file can be created in .*/ro: Read-only file system$' err
}

@test "no answer in time: the limit's option" {
	start --fault 'GET / hang'
	fcp status --timeout-ms 100
	expect 1
	expect_err "no answer from $SIM_SOCK within 100 ms (--timeout-ms)"
	sim_stop
	start --fault 'PUT /snapshot/create hang'
	files
	fcp snapshot --writer firecracker --snapshot-timeout-ms 300
	expect_err '(--snapshot-timeout-ms)'
}

@test "the deadlines of a command, a drain and a reclaim: their options" {
	start --hinting-ms -1 --step-ms sync=5000
	fcp exec --exec-timeout-ms 200 -- sleep 30
	expect 125
	expect_err '(--exec-timeout-ms)'
	fcp reclaim --reclaim-timeout-ms 200 --step-timeout-ms sync=10s
	expect 4
	expect_err 'sync: timeout (the deadline of 200 ms was reached); drop_caches: skipped; compact_memory: skipped; fstrim: skipped (--reclaim-timeout-ms)'
	fcp balloon-drain --fph-timeout-ms 1s
	expect 4
	expect_err '(--fph-timeout-ms)'
	sim_patch /vm '{"state":"Paused"}'
	fcp reclaim --reclaim-timeout-ms 200
	expect 4
	expect_err '(--reclaim-timeout-ms)'
}

@test "a token that is missing, holes without a meaning: their options" {
	start --token secret
	fcp exec -- true
	expect 125
	expect_err '(--envd-token-file)'
	head -c 65536 /dev/zero | tr '\0' x >base
	cp base file
	fallocate -p -o 4096 -l 4096 file || skip 'no holes on this file system'
	fcp madvise-ranges --list --mem-file-path file --base base --find changed
	expect 3
	expect_err 'Say what its holes mean: zero or base (--holes)'
}

@test "another run is at work: --wait-lock-ms" {
	start --fault 'PUT /snapshot/create hang'
	files
	fcp_start snapshot --writer firecracker --snapshot-timeout-ms 60s
	sim_wait_log '^PUT /snapshot/create'
	status=0
	timeout 20 "$FCPAUSE" balloon-drain >out2 2>err2 || status=$?
	expect 6
	grep -q '(--wait-lock-ms waits for it)$' err2
	fcp_signal KILL
	fcp_end
}

@test "--metrics-path without effect is a warning" {
	start
	files
	fcp snapshot --metrics-path nosuch
	expect 0
	expect_err 'warning: --metrics-path: nosuch: No such file or directory; no figures are read from it'
	FCPAUSE_METRICS_PATH=/etc fcp snapshot --force --json
	expect_json '.warnings | any(. == "FCPAUSE_METRICS_PATH: /etc: neither a file nor a pipe; no figures are read from it")'
	: >metrics
	fcp snapshot --force --json --metrics-path metrics
	expect_json '.warnings | all(contains("METRICS_PATH") or contains("metrics-path") | not)'
}

# ---- one reason, once ------------------------------------------------------------------------

# once TEXT: among all that was printed.
once() { [ "$(cat out err | grep -oF -- "$1" | wc -l)" -eq 1 ] || _show "not once: $1"; }

@test "one reason is printed once: a step's own" {
	start --hinting-ms -1
	fcp balloon-drain --fph-timeout-ms 1s
	expect 4
	once 'not done within 1000 ms, stopped'
	[[ $(<out) =~ ^balloon-drain\ +timeout\ +[0-9.]+\ ms\ +0\ bytes ]]
	fcp reclaim --no-reclaim
	expect 0
	once 'off by the command line'
	fcp reclaim --envd http://127.0.0.1:1
	expect 1
	once 'cannot connect to http://127.0.0.1:1'
	head -c 65536 /dev/zero | tr '\0' x >mem
	fcp madvise-ranges --mem-file-path mem
	expect 4
	once 'vmcoreinfo: no note of a kernel'
	# One step's reason that others were not run for.
	sim_patch /vm '{"state":"Paused"}'
	fcp reclaim --reclaim-timeout-ms 100
	expect 4
	once 'envd did not begin within 100 ms'
}

@test "one reason is printed once: a pause's" {
	start --hinting-ms -1
	files
	fcp pause --reclaim --envd http://127.0.0.1:1 --drain --fph-timeout-ms 1s
	expect 0
	once 'cannot connect to http://127.0.0.1:1'
	once 'not done within 1000 ms'
	once 'vmcoreinfo: no note of a kernel'
	run ! grep -q ' $' out
	fcp pause
	expect 1
	once 'already exists'
	# Of steps that were not reached there is nothing to say, but of the VM.
	grep -qxE 'pause +failed +[0-9.]+ ms  VM Paused, stood still 0.0 ms' out
	[ "$(wc -l <out)" -eq 1 ]
	# What stderr does not have is in the step's line: the guest lacks fstrim, and the pause does not mind.
	fcp resume
	fcp pause --reclaim --steps sync,fstrim --no-trim --force
	expect 0
	expect_no_err
	once "the guest's disk has no discard"
	# Nor does --strict: no step that the guest can do fell short.
	fcp resume
	fcp pause --reclaim --steps sync,fstrim --no-trim --force --strict
	expect 0
	# With --json, in the object and on stderr, which others read.
	fcp resume
	fcp pause --reclaim --envd http://127.0.0.1:1 --no-trim --force --json
	expect_err 'cannot connect to http://127.0.0.1:1'
	expect_json '.steps[0].reason | contains("cannot connect to http://127.0.0.1:1")'
}

@test "a step that nobody asked for: the option that turns it on" {
	start
	files
	fcp pause --no-trim
	expect 0
	expect_out 'off by default (--reclaim turns it on)'
	expect_out 'off by default (--drain turns it on)'
	fcp resume
	fcp pause --no-trim --force --no-drain
	expect_out 'off by the command line'
	run ! grep -q -- '(--drain' out
}

@test "a snapshot that failed in the pause: how the VM is now" {
	start --fault 'PUT /snapshot/create hang'
	files
	fcp snapshot --writer firecracker --snapshot-timeout-ms 300
	expect 1
	expect_err '(--snapshot-timeout-ms)'
	[[ $(<out) =~ ^snapshot\ +failed\ +[0-9.]+\ ms\;\ VM\ Running,\ stood\ still\ [1-9][0-9.]+\ ms$ ]] || _show 'another line'
	# One that had not begun.
	: >snap
	fcp snapshot
	expect 1
	expect_no_out
}
