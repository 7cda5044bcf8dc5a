#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Flags from a service: LaunchDarkly's Relay Proxy and OFREP, as recorded with the real ones
# (tests/data/recorded/flags.jsonl); their keys, in both spellings; a deadline; a cache; and no pause that
# fails, or waits long, for a service.

load helpers
load ../lib/services

eval "$(declare -f setup | sed '1s/setup/cli_setup/')"
eval "helpers_$(declare -f teardown)"

setup() {
	cli_setup
	RECORDED=$ROOT/tests/data/recorded/flags.jsonl
	(umask 077 && echo sdk-test-key >key)
	mkdir services
	printf sdk-test-key >services/secret
}

teardown() {
	services_stop
	helpers_teardown
}

# The service that answers as recorded; RELAY and OFREP are its addresses.
recorded() {
	services_start --recorded "$RECORDED" "$@"
	RELAY=$SERVICES_URL/sdk/evalx/contexts OFREP=$SERVICES_URL/ofrep/v1/evaluate/flags
}

# A service that answers all requests with this body.
answers() {
	services_stop
	services_start --status "${STATUS:-200}" --body "$1"
	RELAY=$SERVICES_URL/sdk/evalx/contexts OFREP=$SERVICES_URL/ofrep/v1/evaluate/flags
}

# A busy machine is not what most tests are about.
plan() { fcp pause --api-sock s --envd http://e:1 --snapshot-path s --mem-file-path m --json -n --flags-timeout-ms 20000 "$@"; }
# A run that needs no VM: reclaim, of a guest that is not there.
run_plan() {
	fcp reclaim --envd http://127.0.0.1:9 --json --flags-timeout-ms 20000 "$@"
}

# What reclaim and drain are planned as: "on, caps" and "on, ms".
ON='[.steps[0].planned, .settings["step_timeout_ms.sync"].value, .settings["step_timeout_ms.drop_caches"].value,
	.settings["step_timeout_ms.compact_memory"].value, .settings["step_timeout_ms.fstrim"].value,
	.steps[1].planned, .settings.fph_timeout_ms.value]'
requests() { jq -s length "$SERVICES_LOG"; }

@test "the Relay Proxy: all flags for a context, by the SDK key of a file" {
	recorded
	plan --flags "$RELAY" --flags-key-file key --flags-context key=sb1
	expect 0
	expect_json "$ON == [true, 500, 200, 1000, 500, true, 500]" '.settings.reclaim.origin == "flags"' \
		'.settings.fph_timeout_ms.origin == "flags"' '.flags_source == "launchdarkly"' \
		'.settings.flags_context.value == ["key=sb1"]' \
		'[.warnings[] | select(contains("reclaim-on-pause and guest-pause-reclaim are for the same behaviour"))] | length == 1'
	[ "$(requests)" -eq 1 ]
	run ! grep -rq sdk-test-key out err
}

@test "the Relay Proxy: a rule that matches an attribute, and several kinds of contexts" {
	local slash
	recorded
	for slash in '' / //; do
		plan --flags "$RELAY$slash" --flags-key-file key --flags-context key=sb1 --flags-context template-id=big
		expect_json "$ON == [true, 900, 0, 0, 0, true, 500]"
	done
	plan --flags "$RELAY" --flags-key-file key --flags-context key=sb1 --flags-context template-id=big \
		--flags-context team:key=t1
	expect_json "$ON == [true, 900, 0, 0, 0, true, 500]"
	FCPAUSE_FLAGS_CONTEXT=key=sb1,template-id=big,team:key=t1 FCPAUSE_FLAGS=$RELAY FCPAUSE_FLAGS_KEY_FILE=key plan
	expect_json "$ON == [true, 900, 0, 0, 0, true, 500]" '.settings.flags.origin == "env"'
	jq -es 'all(.method == "GET")' "$SERVICES_LOG"
}

@test "a context that names no key or kind has fcpause's" {
	local path
	answers '{}'
	for pair in '' a=1 kind=vm team:a=1; do
		plan --flags "$RELAY" ${pair:+--flags-context "$pair"}
		expect 0
	done
	while IFS= read -r path; do base64 -d <<<"$(tr _- /+ <<<"${path##*/}")" && echo; done \
		< <(jq -r .path "$SERVICES_LOG") >contexts
	diff contexts - <<'E'
{"kind":"sandbox","key":"fcpause"}
{"kind":"sandbox","a":"1","key":"fcpause"}
{"kind":"vm","key":"fcpause"}
{"kind":"multi","team":{"a":"1","key":"fcpause"}}
E
	answers '{"flags":[]}'
	plan --flags "$OFREP" --flags-context kind=vm --flags-context team:a=1
	expect 0
	jq -e '.body | fromjson == {"context": {"kind": "vm", "team": {"a": "1"}, "targetingKey": "fcpause"}}' "$SERVICES_LOG"
}

@test "OFREP: all flags for a context; a disabled one is off" {
	recorded
	plan --flags "$OFREP" --flags-context key=sb1
	expect 0
	expect_json "$ON == [true, 500, 200, 1000, 500, true, 500]" '.flags_source == "ofrep"' \
		'[.warnings[] | select(contains("flag"))] == []'
	plan --flags "$OFREP" --flags-context key=sb1 --flags-context template-id=big
	expect_json "$ON == [true, 900, 0, 0, 0, true, 500]"
}

@test "OFREP: the key as a bearer token and as X-API-Key; a flag that could not be evaluated" {
	answers '{"flags":[{"key":"free-page-hinting-config","errorCode":"PARSE_ERROR"},{"key":"reclaim-on-pause","value":70},{"key":"else","errorCode":"GENERAL"}]}'
	plan --flags "$OFREP" --flags-key-file key
	expect 0
	expect_json '[.steps[:2][].planned] == [true, false]' '.settings.reclaim_timeout_ms.value == 70' \
		'[.warnings[] | select(contains("the service answers PARSE_ERROR"))] | length == 1' \
		'[.warnings[] | select(contains("else"))] == []'
	jq -e '.headers | .authorization == "Bearer sdk-test-key" and ."x-api-key" == "sdk-test-key"' "$SERVICES_LOG"
}

# The run is good, both flags are off, and a warning says why.
off() {
	expect 0
	expect_json '[.steps[:2][].planned] == [false, false]' '.flags_source == "none"' \
		"[.warnings[] | select(contains(\"$1\") and contains(\"both flags are off\"))] | length == 1"
}

@test "the service's own refusals: off, with a warning that says why" {
	recorded
	plan --flags "$RELAY" --flags-context key=sb1
	off 'HTTP status 401 (a key file is needed)'
	(umask 077 && echo sdk-wrong-key >wrong)
	plan --flags "$RELAY" --flags-context key=sb1 --flags-key-file wrong
	off 'Relay Proxy does not recognize the client credential'
	run ! grep -rq sdk-wrong out err
	plan --flags "$RELAY" --flags-context kind='a b' --flags-context key=k --flags-key-file key
	off 'did not decode to valid evaluation context as JSON'
	plan --flags "$SERVICES_URL/x/sdk/evalx/contexts" --flags-key-file key
	off 'HTTP status 404: 404 page not found'
	plan --flags "$RELAY" --flags-context key=sb1 --strict-flags
	expect 1
	expect_json '.error.class == "input"'
}

@test "answers that are none: off, with a warning" {
	local body
	for body in '[]' 'x' '{"flags":{}}' '{"a":1}' '{"a":{"value":1}' '{"flags":[{"value":1}]}' '{"flags":[3]}' \
		'{"a":{"value":1},"a":{"value":2}}'; do
		answers "$body"
		plan --flags "$RELAY"
		off ''
		plan --flags "$OFREP"
		off ''
	done
}

@test "a redirect is not followed" {
	STATUS=307 answers '{}'
	plan --flags "$RELAY"
	off 'HTTP status 307'
	[ "$(requests)" -eq 1 ]
}

@test "a service that is not there, or never answers: the pause is good, and soon" {
	local start kind
	vm
	for kind in none hang; do
		services_start --hang
		[ "$kind" = hang ] || services_stop
		start=$SECONDS
		fcp pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --resume --force --json \
			--flags "$SERVICES_URL/ofrep/v1/evaluate/flags"
		services_stop
		expect 0
		expect_json '.steps[0].reason == "flag reclaim-on-pause is off"' '.flags_source == "none"'
		[ $((SECONDS - start)) -lt 20 ]
	done
	# What was used up before the request went out is not part of the figure.
	grep -qE 'flag service http://127.0.0.1:[0-9]+/ofrep/v1/evaluate/flags: .*no answer within (300|2[0-9][0-9]) ms; both flags are off' err
}

@test "a signal while the service is waited for ends the run" {
	services_start --hang
	fcp_start reclaim --envd http://127.0.0.1:9 --flags "$SERVICES_URL/ofrep/v1/evaluate/flags" \
		--flags-timeout-ms 30000 --json
	_sim_wait_file "$SERVICES_LOG" evaluate
	fcp_signal TERM
	fcp_end
	expect 1
	expect_json '.error.class == "interrupted"'
}

@test "https: a certificate that this machine does not trust is refused, before the key is sent" {
	command -v openssl >/dev/null || skip 'no openssl on PATH'
	openssl req -x509 -newkey rsa:2048 -nodes -keyout tls.key -out tls.crt -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null
	services_start --recorded "$RECORDED" --tls-key tls.key --tls-certificate tls.crt
	[[ $SERVICES_URL == https://* ]]
	plan --flags "$SERVICES_URL/sdk/evalx/contexts" --flags-key-file key --flags-context key=sb1
	off 'certificate'
	[ "$(requests)" -eq 0 ]
}

@test "URLs that name no service, or hold a password: off, and not shown" {
	local url
	for url in http://h/flags http://h ftp://h/sdk/evalx/contexts http:///ofrep/v1/evaluate/flags \
		'http://h/sdk/evalx/contexts?x'; do
		plan --flags "$url"
		off ''
	done
	plan --flags http://bob:s3cret@h/sdk/evalx/contexts
	off ''
	run ! grep -q s3cret out err
}

@test "a key file that others can read is not sent" {
	recorded
	chmod 644 key
	plan --flags "$RELAY" --flags-key-file key
	off 'key file key: others can read or write it (mode 0644; chmod 600)'
	plan --flags "$RELAY" --flags-key-file none
	off 'key file none: No such file'
	[ "$(requests)" -eq 0 ]
}

@test "contexts that cannot be: a wrong option, or off with a warning" {
	local pair
	recorded
	plan --flags "$RELAY" --flags-context nothing
	expect 2
	expect_json '.error.message | contains("KEY=VALUE")'
	for pair in a=b a=c ':a=b' 'team:=1' 'kind:a=1' 'multi:a=1' 'a b:c=1'; do
		[ "$pair" != a=b ] || continue
		plan --flags "$RELAY" --flags-context a=b --flags-context "$pair"
		off 'flags context'
	done
	[ "$(requests)" -eq 0 ]
}

@test "the last good answer is kept, for this user only, and counts when the service does not answer" {
	local other
	recorded
	run_plan --flags "$OFREP" --flags-context key=sb1 --flags-cache cache
	expect_json '.flags_source == "ofrep"'
	[ "$(stat -c %a cache)" = 600 ]
	jq -e --arg u "$OFREP" '.schema == "fcpause/flags-cache/1" and .source == $u and (.time | test("^20.*Z$"))' cache
	services_stop
	plan --flags "$OFREP" --flags-context key=sb1 --flags-cache cache
	expect 0
	expect_json "$ON == [true, 500, 200, 1000, 500, true, 500]" '.flags_source == "cache"' \
		'[.warnings[] | select(contains("its answer of 20") and contains("in cache is used"))] | length == 1'
	plan --flags "$OFREP" --flags-context key=sb1 --flags-cache cache --strict-flags
	expect 0
	# Another question, another service.
	for other in "--flags $OFREP --flags-context key=sb2" "--flags ${OFREP/ofrep/x\/ofrep} --flags-context key=sb1"; do
		# shellcheck disable=SC2086
		plan $other --flags-cache cache
		off 'no answer of this service to this context'
	done
	expect_no_temporary
}

@test "the cache: not written in a dry run, nor by a refusal; one that others can write is not used" {
	local text
	recorded
	plan --flags "$OFREP" --flags-context key=sb1 --flags-cache cache
	[ ! -e cache ]
	run_plan --flags "$OFREP" --flags-context key=sb1 --flags-cache cache
	cp cache good
	run_plan --flags "$OFREP" --flags-context key=nobody --flags-cache cache
	cmp cache good
	services_stop
	chmod 620 cache
	plan --flags "$OFREP" --flags-context key=sb1 --flags-cache cache
	off 'others can write it'
	chmod 600 cache
	for text in '' '{' '{}' '[]' '{"schema":"fcpause/flags-cache/1"}'; do
		echo "$text" >cache
		plan --flags "$OFREP" --flags-context key=sb1 --flags-cache cache
		off cache
	done
}

@test "a cache that cannot be written is a warning, and the flags count" {
	recorded
	run_plan --flags "$OFREP" --flags-context key=sb1 --flags-cache no/cache
	expect_json '.flags_source == "ofrep"' '[.warnings[] | select(contains("flags cache: no/cache"))] | length == 1'
}

@test "the command line and the environment over a service" {
	recorded
	plan --flags "$OFREP" --flags-context key=sb1 --no-drain --reclaim-timeout-ms 77
	expect_json '[.steps[:2][].planned] == [true, false]' '.settings.reclaim_timeout_ms == {"value": 77, "origin": "cli"}'
	FCPAUSE_DRAIN=0 plan --flags "$OFREP" --flags-context key=sb1
	expect_json '[.steps[:2][].planned] == [true, false]'
}

@test "the request is in the trace, without the key" {
	recorded
	run_plan --flags "$RELAY" --flags-key-file key --flags-context key=sb1 --trace trace
	grep -q ' flags GET /sdk/evalx/contexts/.*: 200, ' trace
	run ! grep -q sdk-test trace
}

@test "balloon-install: a service arms the balloon, and has it report" {
	local case
	sim_start --memory 16
	arms() {
		answers "$1"
		fcp balloon-install --api-sock "$SIM_SOCK" --flags "$RELAY" --flags-timeout-ms 20000 --json -n "${@:3}"
		expect 0
		expect_json "[.settings.free_page_hinting.value, .settings.free_page_reporting.value] == $2"
	}
	arms '{}' '[true, false]'
	arms '{"free-page-hinting-config":{"value":{"enabled":false,"pause":1}}}' '[false, false]'
	arms '{"free-page-hinting-config":{"value":{"pause":1}},"free-page-reporting":{"value":false}}' '[true, false]'
	arms '{"free-page-reporting":{"value":true}}' '[true, true]'
	arms '{"free-page-hinting-config":{"value":{"enabled":false}},"free-page-reporting":{"value":true}}' '[true, true]'
	arms '{"free-page-reporting":{"value":true}}' '[true, false]' --no-free-page-reporting
	arms '{"free-page-reporting":{"value":"yes"}}' '[true, false]'
	expect_err 'flag free-page-reporting: not true or false'
	answers '{"free-page-reporting":{"value":true}}'
	fcp balloon-install --api-sock "$SIM_SOCK" --flags "$RELAY" --flags-timeout-ms 20000 --json
	expect 0
	expect_json '.balloon.free_page_reporting and .balloon.free_page_hinting' '.flags_source == "launchdarkly"' \
		'.settings.free_page_reporting.origin == "flags"'
	# Nothing is known: what stands in the command line, or the default.
	services_stop
	fcp balloon-install --api-sock "$SIM_SOCK" --flags "$RELAY" --json -n
	expect_json '.settings.free_page_hinting == {"value": true, "origin": "default"}' '.flags_source == "none"'
}

@test "with the sandbox, too" {
	recorded
	fcp reclaim --sandbox --envd http://127.0.0.1:9 --flags "$OFREP" --flags-context key=sb1 --flags-timeout-ms 20000 --json
	expect_json '.flags_source == "ofrep"'
	fcp balloon-drain --sandbox --api-sock none --flags "$OFREP" --flags-context key=sb1 --flags-timeout-ms 20000 --json
	expect_json '.flags_source == "ofrep"'
}
