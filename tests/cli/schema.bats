#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The published schema of --json, and what each report has. (That the reports of all other tests are as it
# says is looked at after each of them: check_reports in helpers.bash.)

load helpers

check() { "${FCPAUSE_BUILD:-$ROOT/build}/schema-check" "${2:-$ROOT/cmd/schema/fcpause.schema.json}" "$1"; }

@test "fcpause schema prints the file that is installed" {
	fcp schema
	expect 0
	expect_no_err
	cmp out "$ROOT/cmd/schema/fcpause.schema.json"
	jq -e '."$schema" == "https://json-schema.org/draft/2020-12/schema"' out
}

@test "it is a schema by the draft's own rules, and another validator agrees about good and bad reports" {
	python3 -c 'import jsonschema' 2>/dev/null || skip 'python3-jsonschema is not installed'
	vm
	fcp status --api-sock "$SIM_SOCK" --json
	cp out good
	jq -c '.vm_state = "Resting"' good >bad
	python3 - "$ROOT/cmd/schema/fcpause.schema.json" good bad <<-'P'
	import json, sys
	from jsonschema import Draft202012Validator as V
	schema = json.load(open(sys.argv[1]))
	V.check_schema(schema)
	assert not list(V(schema).iter_errors(json.load(open(sys.argv[2]))))
	assert list(V(schema).iter_errors(json.load(open(sys.argv[3]))))
	P
	check good
	run ! check bad
}

@test "the check finds what is wrong: another type, a member that is missing, or that the schema lacks" {
	vm
	fcp pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --drain --json
	expect 0
	cp out good
	check good
	local change
	for change in '.paused_ms = "1"' '.paused_ms = -1' '.status = "fine"' 'del(.vm_state)' '.steps[1].polls = null' \
		'.extra = 1' '.steps[2].extra = 1' '.steps[2].memory = {}' '.steps |= .[:3]' '.steps[0].name = "snapshot"' \
		'.settings.use.origin = "dream"' '.status = "failed" | del(.reason)' 'del(.host)' '.schema = "fcpause/2"' '.warnings = [1]'; do
		jq -c "$change" good >bad
		run ! check bad
	done
}

@test "each report says which fcpause, which host, which VM, and when" {
	local before after
	vm
	before=$(date -u +%Y-%m-%dT%H:%M:%S)
	fcp pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --json
	after=$(date -u +%Y-%m-%dT%H:%M:%S.999Z)
	expect 0
	expect_json ".host == \"$(uname -n)\"" ".version == \"$("$FCPAUSE" --version | cut -d' ' -f2)\"" \
		".vm_id == \"$(sim_get / | jq -r .id)\"" ".vmm_version == \"$(sim_get / | jq -r .vmm_version)\"" \
		".start_time >= \"$before\" and .start_time <= \"$after\"" '.start_time | test("^[0-9-]+T[0-9:]+\\.[0-9]{3}Z$")'
	: >nothing
	fcp inspect --mem-file-path nothing --json
	expect_json '.vm_id == null' '.vmm_version == null'
}

@test "--no-settings leaves the settings out, and nothing else" {
	vm
	fcp status --api-sock "$SIM_SOCK" --json
	expect 0
	expect_json '.settings | length > 5'
	jq -S 'del(.settings, .ms, .start_time)' out >with
	fcp status --api-sock "$SIM_SOCK" --json --no-settings
	expect_json 'has("settings") | not'
	jq -S 'del(.ms, .start_time)' out | diff with -
	FCPAUSE_SETTINGS=0 fcp status --api-sock "$SIM_SOCK" --json
	expect_json 'has("settings") | not'
}

@test "errors before there is a command are JSON too, on stdout, and a message on stderr" {
	local words
	for words in --json 'puase --json' '--json pause' '-x --json' 'pause --api-sock --json' 'pause --json --nix' \
		'status --json' 'schema2 --json'; do
		# shellcheck disable=SC2086
		fcp $words
		expect 2
		expect_json '.status == "failed"' '.error.class == "usage"' '.reason == .error.message' '.version | length > 0'
		[ "$(wc -l <err)" -eq 1 ]
	done
	fcp puase --json
	expect_json '.command == null' '.reason | contains("did you mean pause")'
	FCPAUSE_JSON=1 fcp puase
	expect 2
	expect_json '.command == null'
	fcp puase
	expect 2
	expect_no_out
}

@test "--version --json, in either order" {
	local words
	for words in '--version --json' '--json --version' 'version --json' 'pause --version --json'; do
		# shellcheck disable=SC2086
		fcp $words
		expect 0
		expect_json '.command == "version"' '.status == "ok"' \
			".version == \"$(sed -n 's/^#define FCP_VERSION "\(.*\)"/\1/p' "$ROOT/lib/fcpause.h")\""
	done
}

@test "members do not come and go with the status" {
	vm
	local command
	for command in "balloon-drain --api-sock $SIM_SOCK" "balloon-drain --api-sock $SIM_SOCK --fph-timeout-ms 0" \
		'balloon-drain --api-sock none'; do
		# shellcheck disable=SC2086
		fcp $command --json --no-settings
		jq -c 'del(.reason, .error) | keys' out >>keys
	done
	[ "$(wc -l <keys)" -eq 3 ]
	[ "$(sort -u keys | wc -l)" -eq 1 ] || { cat keys; return 1; }
}

@test "reports one after the other are NDJSON that the schema holds for" {
	vm
	: >all
	for n in 1 2 3; do
		fcp status --api-sock "$SIM_SOCK" --json
		cat out >>all
	done
	[ "$(jq -c .vm_state all | wc -l)" -eq 3 ]
	check all
}
