#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `fcpause reclaim` and `fcpause balloon-drain` run alone
# because they were asked to; when a flags file is given, they obey it (off: `skipped`, exit 0), so
# that a chain in a script is gated like `pause`. (What a file may hold: pause_flags.bats.)

load helpers

flags() { printf '{"flagValues":%s}' "$1" >flags; }
# planned COMMAND [OPTION…]: is the step on, by whom, with which figure?
planned() {
	fcp "$1" --api-sock s --envd http://e:1 --json -n "${@:2}"
	expect 0
	jq -r '.settings as $s | ($s.reclaim_timeout_ms // $s.fph_timeout_ms) as $figure |
		"\(.steps[0].planned) \(($s.reclaim // $s.drain).origin) \(if $figure.origin == "default" then "-" else $figure.value end)"' "$T/out"
}

@test "alone, without a file: on" {
	[ "$(planned reclaim)" = 'true default -' ]
	[ "$(planned balloon-drain)" = 'true default -' ]
}

@test "with a file: as it says" {
	flags '{"reclaim-on-pause":700,"free-page-hinting":800}'
	[ "$(planned reclaim --flags flags)" = 'true flags 700' ]
	[ "$(planned balloon-drain --flags flags)" = 'true flags 800' ]
	flags '{"reclaim-on-pause":0}'
	[ "$(planned reclaim --flags flags)" = 'false flags -' ]
	[ "$(planned balloon-drain --flags flags)" = 'false flags -' ]
}

@test "with a file that cannot be read: off, with a warning" {
	[ "$(planned reclaim --flags none)" = 'false flags -' ]
	expect_err 'both flags are off'
	[ "$(planned balloon-drain --flags none)" = 'false flags -' ]
}

@test "the command line and the environment over the file" {
	flags '{"reclaim-on-pause":0,"free-page-hinting":0}'
	[ "$(planned reclaim --flags flags --reclaim)" = 'true cli -' ]
	[ "$(planned balloon-drain --flags flags --drain)" = 'true cli -' ]
	[ "$(FCPAUSE_DRAIN=1 planned balloon-drain --flags flags)" = 'true env -' ]
	[ "$(planned balloon-drain --flags flags --fph-timeout-ms 9)" = 'true cli 9' ]
	flags '{"reclaim-on-pause":5,"free-page-hinting":6}'
	[ "$(planned reclaim --flags flags --no-reclaim)" = 'false cli -' ]
	[ "$(FCPAUSE_FPH_TIMEOUT_MS=0 planned balloon-drain --flags flags)" = 'false env -' ]
}

@test "--use build" {
	flags '{"reclaim-on-pause":{"pause":1,"build":2},"free-page-hinting":{"pause":0,"build":4}}'
	[ "$(planned reclaim --flags flags --use build)" = 'true flags 2' ]
	[ "$(planned balloon-drain --flags flags)" = 'false flags -' ]
	[ "$(planned balloon-drain --flags flags --use build)" = 'true flags 4' ]
}

@test "skipped needs neither socket nor envd: exit 0" {
	flags '{}'
	fcp reclaim --flags flags --json
	expect 0
	expect_json '.status == "skipped"' '.steps == []'
	fcp balloon-drain --flags flags --json
	expect 0
	expect_json '.status == "skipped"' '.host_cmd == null'
	fcp balloon-drain --flags flags
	expect 0
	expect_out 'skipped'
	expect_out 'flag free-page-hinting is off'
}

@test "--strict-flags: exit 1 before anything is done" {
	vm
	flags '{"free-page-hinting":"yes"}'
	fcp balloon-drain --api-sock "$SIM_SOCK" --flags flags --strict-flags --json
	expect 1
	expect_json '.error.class == "input"'
	fcp reclaim --envd "$SIM_ENVD" --flags flags --strict-flags
	expect 1
	expect_no_requests
}

@test "balloon-install: what a file says of the balloon, else the defaults" {
	sim_start --memory 16
	flags '{"free-page-hinting-config":{"enabled":true},"free-page-reporting":true}'
	fcp balloon-install --api-sock "$SIM_SOCK" --flags flags --json -n
	expect_json '.settings.free_page_reporting == {"value": true, "origin": "flags"}' \
		'.settings.free_page_hinting == {"value": true, "origin": "flags"}'
	fcp balloon-install --api-sock "$SIM_SOCK" --flags none --strict-flags
	expect 1
	fcp balloon-install --api-sock "$SIM_SOCK" --flags none --json
	expect 0
	expect_json '.balloon.free_page_hinting' '.balloon.free_page_reporting | not'
	expect_err 'flags file none'
}

@test "the successor's names: caps of steps, ceilings of uses; no number is a mistake there" {
	flags '{"guest-pause-reclaim":{"sync":5,"fstrim":-1},"free-page-hinting-config":{"enabled":false,"pause":6,"build":-1}}'
	[ "$(planned reclaim --flags flags)" = 'true flags -' ]
	[ "$(planned balloon-drain --flags flags)" = 'true flags 6' ]
	[ "$(planned balloon-drain --flags flags --use build)" = 'false flags -' ]
	expect_no_err
	flags '{"guest-pause-reclaim":null,"free-page-hinting-config":null}'
	[ "$(planned reclaim --flags flags)" = 'false flags -' ]
	[ "$(planned balloon-drain --flags flags)" = 'false flags -' ]
	expect_no_err
	flags '{"guest-pause-reclaim":500,"free-page-hinting-config":{"sync":1}}'
	[ "$(planned reclaim --flags flags)" = 'false flags -' ]
	expect_err 'flag guest-pause-reclaim: not an object'
	expect_err 'flag free-page-hinting-config.sync: unknown key'
}

@test "both names of one behaviour: the successor's counts, with a warning" {
	flags '{"guest-pause-reclaim":{"sync":5},"reclaim-on-pause":0,"free-page-hinting":9,"free-page-hinting-config":null}'
	[ "$(planned reclaim --flags flags)" = 'true flags -' ]
	expect_err 'flags reclaim-on-pause and guest-pause-reclaim are for the same behaviour; guest-pause-reclaim is used'
	[ "$(planned balloon-drain --flags flags)" = 'false flags -' ]
	fcp balloon-drain --flags flags --strict-flags
	expect 1
}

@test "commands without a flag of their own pass the file over" {
	vm
	fcp status --api-sock "$SIM_SOCK" --flags none --strict-flags --json
	expect 0
	expect_json 'has("flags_source") | not'
}
