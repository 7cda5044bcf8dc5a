#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Flags, as `pause` obeys them. No VM: --dry-run prints the plan,
# with each setting and its source (that the work then follows the plan: pause.bats, chain.bats).
#  - two flags, off by default: reclaim-on-pause and free-page-hinting
#  - a number is a timeout in ms, 0 or absent is off; objects: ms per step, a step missing or below 1
#    is off; {"enabled","pause","build"} with --use pause|build, default pause
#  - command line > environment > file > off; three states: unset, off (--no-… or 0), a value
#  - a wrong type or an unknown key is a warning and reads as off; --strict-flags: an error
#  - an unreadable or malformed file is off with a warning, and never stops a pause

load helpers

# plan [OPTION…]: with the flags file `flags`.
plan() { fcp pause --api-sock s --envd http://e:1 --snapshot-path s --mem-file-path m --flags flags --json -n "$@"; }
flags() { printf '{"flagValues":%s}' "$1" >flags; }

# What is planned of reclaim and drain, as "on 2000 cli" or "off - flags" (no figure said); with reclaim's caps.
# (Of what is off the figures do not matter.)
FIGURE='if .origin == "default" then "-" else .value | tostring end'
RECLAIM="(if .steps[0].planned then \"on \" + (.settings.reclaim_timeout_ms | $FIGURE) else \"off -\" end)
	+ \" \" + .settings.reclaim.origin"
DRAIN="(if .steps[1].planned then \"on \" + (.settings.fph_timeout_ms | $FIGURE) else \"off -\" end)
	+ \" \" + .settings.drain.origin"
CAPS='if .steps[0].planned then [.settings | .["step_timeout_ms.sync"], .["step_timeout_ms.drop_caches"],
	.["step_timeout_ms.compact_memory"], .["step_timeout_ms.fstrim"] | .value] | map(tostring) | join(" ")
	else "500 200 1000 500" end'

# is EXPECTED-RECLAIM EXPECTED-DRAIN [EXPECTED-CAPS]
is() {
	expect 0 &&
		expect_json "($RECLAIM) == \"$1\"" "($DRAIN) == \"$2\"" \
			"($CAPS) == \"${3:-500 200 1000 500}\"" 'has("dry_run")'
}

@test "no file: both off, by default" {
	fcp pause --api-sock s --snapshot-path s --mem-file-path m --json -n
	is 'off - default' 'off - default'
	expect_json '[.steps[:2][].reason] == ["off by default", "off by default"]' '.warnings == []'
}

@test "numbers are timeouts" {
	flags '{"reclaim-on-pause":2000,"free-page-hinting":1200}'
	plan
	is 'on 2000 flags' 'on 1200 flags'
	expect_json '.settings.reclaim_timeout_ms.origin == "flags"' '.settings.fph_timeout_ms.origin == "flags"'
	expect_no_err
}

@test "0 and absent are off" {
	flags '{"reclaim-on-pause":0}'
	plan
	is 'off - flags' 'off - flags'
	expect_json '[.steps[:2][].reason] == ["flag reclaim-on-pause is off", "flag free-page-hinting is off"]' \
		'.warnings == []'
	flags '{}'
	plan
	is 'off - flags' 'off - flags'
}

@test "fractions: below 1 is off" {
	flags '{"reclaim-on-pause":0.9,"free-page-hinting":1.9}'
	plan
	is 'off - flags' 'on 1 flags'
}

@test "an object of steps: ms per step; a step missing, 0 or below 1 is off" {
	flags '{"reclaim-on-pause":{"sync":700,"compact_memory":0,"fstrim":0.5}}'
	plan
	is 'on - flags' 'off - flags' '700 0 0 0'
	expect_json '.settings["step_timeout_ms.drop_caches"].origin == "flags"'
}

@test "an object of steps that are all off is off" {
	flags '{"reclaim-on-pause":{"sync":0}}'
	plan
	is 'off - flags' 'off - flags'
	flags '{"reclaim-on-pause":{}}'
	plan
	is 'off - flags' 'off - flags'
}

@test "an object of uses: pause by default, --use build, FCPAUSE_USE" {
	flags '{"reclaim-on-pause":{"enabled":true,"pause":800,"build":4000},"free-page-hinting":{"enabled":true,"pause":500,"build":0}}'
	plan
	is 'on 800 flags' 'on 500 flags'
	plan --use pause
	is 'on 800 flags' 'on 500 flags'
	plan --use build
	is 'on 4000 flags' 'off - flags'
	FCPAUSE_USE=build plan
	is 'on 4000 flags' 'off - flags'
	FCPAUSE_USE=build plan --use pause
	is 'on 800 flags' 'on 500 flags'
}

@test "enabled false is off, whatever the figures; enabled missing is on" {
	flags '{"reclaim-on-pause":{"enabled":false,"pause":800},"free-page-hinting":{"pause":500}}'
	plan
	is 'off - flags' 'on 500 flags'
}

@test "enabled true without a figure is off" {
	flags '{"free-page-hinting":{"enabled":true},"reclaim-on-pause":{"enabled":true,"build":9}}'
	plan
	is 'off - flags' 'off - flags'
}

@test "uses and steps in one object" {
	flags '{"reclaim-on-pause":{"enabled":true,"pause":900,"sync":100,"fstrim":200}}'
	plan
	is 'on 900 flags' 'off - flags' '100 0 0 200'
}

@test "a wrong type is off, with a warning that names it; the other flag holds" {
	local value
	for value in '"2000"' true null '[1]' -1 86400001 1e300; do
		flags "{\"reclaim-on-pause\":$value,\"free-page-hinting\":700}"
		plan
		is 'off - flags' 'on 700 flags'
		expect_json '[.warnings[] | select(contains("reclaim-on-pause"))] | length == 1'
		expect_err 'fcpause pause: warning: flag reclaim-on-pause'
	done
}

@test "a wrong type within an object is off, with a warning" {
	flags '{"reclaim-on-pause":{"sync":"500","fstrim":300},"free-page-hinting":{"enabled":"yes","pause":500}}'
	plan
	is 'on - flags' 'off - flags' '0 0 0 300'
	expect_json '[.warnings[] | select(contains("reclaim-on-pause.sync"))] | length == 1' \
		'[.warnings[] | select(contains("free-page-hinting.enabled"))] | length == 1'
}

@test "an unknown key or flag is a warning" {
	flags '{"free-page-hinting":{"pause":500,"sync":3},"reclaim-on-pause":{"pause":5,"defrag":1},"reclaim-on-pasue":1}'
	plan
	is 'on 5 flags' 'on 500 flags'
	expect_json '[.warnings[] | select(startswith("flag "))] | length == 3' \
		'.warnings | tostring | contains("free-page-hinting.sync") and contains("reclaim-on-pause.defrag") and contains("reclaim-on-pasue")'
}

@test "more warnings than are kept: no harm" {
	flags "{$(printf '"flag-%d":1,' {1..60})\"free-page-hinting\":9}"
	plan
	is 'off - flags' 'on 9 flags'
	expect_json '[.warnings[] | select(startswith("flag "))] | length == 16'
}

@test "a file that is not there, empty, no JSON, of another form, twice the key, a directory, too large: off, a warning" {
	local case
	mkdir dir
	: >empty
	echo '{"flagValues":{"free-page-hinting":500}' >cut
	echo '{"flagValues":{"free-page-hinting":500}} x' >behind
	echo '{"free-page-hinting":500}' >other
	echo '[]' >array
	echo '{"flagValues":[]}' >list
	echo '{"flagValues":{"free-page-hinting":500,"free-page-hinting":0}}' >twice
	{ echo '{"flagValues":{"free-page-hinting":500}}'; head -c 1100000 /dev/zero | tr '\0' ' '; } >large
	mkfifo fifo
	for case in none dir empty cut behind other array list twice large fifo /dev/null; do
		plan --flags "$case"
		is 'off - flags' 'off - flags'
		expect_json "[.warnings[] | select(contains(\"$case\") and contains(\"both flags are off\"))] | length == 1"
		expect_err 'fcpause pause: warning: '
		plan --flags "$case" --strict-flags
		expect 1
		expect_json '.error.class == "input"' ".error.message | contains(\"$case\")"
	done
}

@test "--strict-flags: what would be a warning is an error, exit 1; a good file is none" {
	local value
	for value in '{"reclaim-on-pause":"5"}' '{"unknown":1}' '{"free-page-hinting":{"pause":1,"x":1}}'; do
		flags "$value"
		plan --strict-flags
		expect 1
		expect_json '.status == "failed"' '.error.class == "input"'
		FCPAUSE_STRICT_FLAGS=1 plan
		expect 1
	done
	flags '{"reclaim-on-pause":5}'
	plan --strict-flags
	is 'on 5 flags' 'off - flags'
}

@test "-q keeps the warnings off stderr, not out of the JSON" {
	flags '{"unknown":1}'
	plan -q
	expect 0
	expect_no_err
	expect_json '.warnings | length == 1'
}

@test "precedence: the command line over the environment over the file" {
	flags '{"reclaim-on-pause":1000,"free-page-hinting":100}'
	plan
	is 'on 1000 flags' 'on 100 flags'
	FCPAUSE_RECLAIM_TIMEOUT_MS=2000 FCPAUSE_FPH_TIMEOUT_MS=200 plan
	is 'on 2000 env' 'on 200 env'
	FCPAUSE_RECLAIM_TIMEOUT_MS=2000 FCPAUSE_FPH_TIMEOUT_MS=200 plan --reclaim-timeout-ms 3000 --fph-timeout-ms 300
	is 'on 3000 cli' 'on 300 cli'
}

@test "off wins upwards: each level can turn off what a lower one turned on" {
	flags '{"reclaim-on-pause":1000,"free-page-hinting":100}'
	FCPAUSE_RECLAIM=0 FCPAUSE_DRAIN=off plan
	is 'off - env' 'off - env'
	expect_json '[.steps[:2][].reason] | unique == ["off by the environment"]'
	FCPAUSE_RECLAIM_TIMEOUT_MS=0 FCPAUSE_FPH_TIMEOUT_MS=0 plan
	is 'off - env' 'off - env'
	plan --no-reclaim --no-drain
	is 'off - cli' 'off - cli'
	expect_json '[.steps[:2][].reason] | unique == ["off by the command line"]'
	plan --reclaim-timeout-ms 0 --fph-timeout-ms 0
	is 'off - cli' 'off - cli'
	FCPAUSE_RECLAIM_TIMEOUT_MS=2000 FCPAUSE_DRAIN=1 plan --no-reclaim --no-drain
	expect_json '[.steps[:2][].planned] == [false, false]'
}

@test "on wins upwards: each level can turn on what a lower one turned off" {
	flags '{"reclaim-on-pause":0,"free-page-hinting":0}'
	FCPAUSE_RECLAIM=yes FCPAUSE_DRAIN=true plan
	is 'on - env' 'on - env'
	FCPAUSE_RECLAIM=0 FCPAUSE_DRAIN=0 plan --reclaim --drain
	is 'on - cli' 'on - cli'
	FCPAUSE_RECLAIM_TIMEOUT_MS=0 FCPAUSE_FPH_TIMEOUT_MS=0 plan --reclaim --drain
	is 'on - cli' 'on - cli'
	FCPAUSE_RECLAIM=0 FCPAUSE_DRAIN=0 plan --reclaim-timeout-ms 70 --fph-timeout-ms 80
	is 'on 70 cli' 'on 80 cli'
}

@test "off wins over a value of the same level" {
	flags '{}'
	plan --no-reclaim --reclaim-timeout-ms 500 --fph-timeout-ms 500 --no-drain
	expect_json '[.steps[:2][].planned] == [false, false]'
	plan --reclaim --reclaim-timeout-ms 0 --drain --fph-timeout-ms 0
	expect_json '[.steps[:2][].planned] == [false, false]'
	FCPAUSE_RECLAIM=1 FCPAUSE_RECLAIM_TIMEOUT_MS=0 FCPAUSE_DRAIN=0 FCPAUSE_FPH_TIMEOUT_MS=9 plan
	expect_json '[.steps[:2][].planned] == [false, false]'
}

@test "the last of two contradicting options counts" {
	flags '{}'
	plan --reclaim --no-reclaim --no-drain --drain
	expect_json '[.steps[:2][].planned] == [false, true]'
	plan --fph-timeout-ms 5 --fph-timeout-ms 6
	is 'off - flags' 'on 6 cli'
}

@test "an empty variable is not set" {
	flags '{"reclaim-on-pause":1000,"free-page-hinting":100}'
	FCPAUSE_RECLAIM='' FCPAUSE_RECLAIM_TIMEOUT_MS='' FCPAUSE_DRAIN='' FCPAUSE_FPH_TIMEOUT_MS='' \
		FCPAUSE_STRICT_FLAGS='' plan
	is 'on 1000 flags' 'on 100 flags'
}

@test "--reclaim without figures: 500, 200, 1000, 500 ms" {
	fcp pause --api-sock s --envd e --snapshot-path s --mem-file-path m --json -n --reclaim
	is 'on - cli' 'off - default' '500 200 1000 500'
}

@test "caps: the command line over the environment over the file, each step for itself" {
	flags '{"reclaim-on-pause":{"sync":11,"drop_caches":12,"compact_memory":13,"fstrim":14}}'
	plan
	is 'on - flags' 'off - flags' '11 12 13 14'
	FCPAUSE_STEP_TIMEOUT_MS=drop_caches=22,fstrim=24 plan
	is 'on - flags' 'off - flags' '11 22 13 24'
	FCPAUSE_STEP_TIMEOUT_MS=drop_caches=22,fstrim=24 plan --step-timeout-ms fstrim=34 --step-timeout-ms=sync=0
	is 'on - flags' 'off - flags' '0 22 13 34'
	expect_json '.settings["step_timeout_ms.sync"].origin == "cli"' \
		'.settings["step_timeout_ms.drop_caches"].origin == "env"' \
		'.settings["step_timeout_ms.compact_memory"].origin == "flags"'
}

@test "the file by FCPAUSE_FLAGS, and --flags before it" {
	flags '{"free-page-hinting":100}'
	mv flags env-flags
	flags '{"free-page-hinting":200}'
	FCPAUSE_FLAGS=env-flags fcp pause --api-sock s --snapshot-path s --mem-file-path m --json -n
	is 'off - flags' 'on 100 flags'
	FCPAUSE_FLAGS=env-flags plan
	is 'off - flags' 'on 200 flags'
}

@test "read at every run: a flag is flipped without anything else" {
	vm
	flags '{"free-page-hinting":0}'
	fcp pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --find zero --json --flags flags --resume
	expect 0
	expect_json '.steps[1].status == "skipped"'
	flags '{"free-page-hinting":20000}'
	fcp pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --find zero --json --flags flags --force
	expect 0
	expect_json '.steps[1].status == "ok"'
}

@test "a broken file never stops a pause" {
	vm
	echo '{broken' >flags
	fcp pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --find zero --json --flags flags
	expect 0
	expect_json '.status == "ok"' '[.steps[].status] == ["skipped", "skipped", "ok", "ok"]' '.warnings | length == 1'
	expect_err 'warning: '
}
