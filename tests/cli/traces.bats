#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Spans to a collector by OTLP/HTTP in JSON, as OpenTelemetry's variables say; the parent by TRACEPARENT;
# and no pause that fails, or waits long, for a collector.

load helpers
load ../lib/services

TRACE=0af7651916cd43dd8448eb211c80319c
PARENT=b7ad6b7169203331

eval "$(declare -f setup | sed '1s/setup/cli_setup/')"
eval "helpers_$(declare -f teardown)"

setup() {
	local name
	for name in $(compgen -e OTEL_) TRACEPARENT TRACESTATE; do unset "$name"; done
	cli_setup
}

teardown() {
	services_stop
	helpers_teardown
}

# The one request with spans: $T/spans holds the spans, $T/request all of it.
take_spans() {
	[ "$(jq -s 'map(select(.path == "/v1/traces")) | length' "$SERVICES_LOG")" -eq 1 ] ||
		{ cat "$SERVICES_LOG"; return 1; }
	jq -s '.[] | select(.path == "/v1/traces")' "$SERVICES_LOG" >request
	jq '.body | fromjson | .resourceSpans[0].scopeSpans[0].spans' request >spans
}

pause() { fcp pause --api-sock "$SIM_SOCK" --envd "$SIM_ENVD" --snapshot-path snap --mem-file-path mem --force "$@"; }

@test "a pause is a trace: its steps and phases, each within the one that holds it" {
	vm
	services_start
	export OTEL_EXPORTER_OTLP_ENDPOINT=$SERVICES_URL/
	pause --reclaim
	expect 0
	take_spans
	jq -e '.method == "POST" and .headers["content-type"] == "application/json"' request
	jq -e '
		(map({key: .spanId, value: .name}) | from_entries) as $names |
		(map({key: .name, value: ($names[.parentSpanId // ""] // null)}) | from_entries) as $parents |
		$parents == {
			"fcpause pause": null, "reclaim": "fcpause pause", "snapshot": "fcpause pause",
			"snapshot.hold": "snapshot", "snapshot.create": "snapshot.hold",
			"snapshot.publish": "snapshot.hold", "madvise-ranges": "fcpause pause"}' spans
	jq -e '
		(map(.traceId) | unique | length) == 1 and
		all(.[]; (.traceId | test("^[0-9a-f]{32}$")) and (.spanId | test("^[0-9a-f]{16}$")) and .kind == 1 and
			(.startTimeUnixNano | type) == "string" and
			(.startTimeUnixNano | tonumber) <= (.endTimeUnixNano | tonumber)) and
		(.[0].status == {code: 1})' spans
	jq -e '.body | fromjson | .resourceSpans[0].resource.attributes | map({key, value: .value | to_entries[0].value})
		| from_entries | ."service.name" == "fcpause" and has("host.name") and (."process.pid" | test("^[0-9]+$"))' request
}

@test "TRACEPARENT is the parent, TRACESTATE goes with it" {
	vm
	services_start
	export OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=$SERVICES_URL/v1/traces
	TRACEPARENT=00-$TRACE-$PARENT-01 TRACESTATE='a=1,b=2' pause
	expect 0
	take_spans
	jq -e --arg t $TRACE --arg p $PARENT 'all(.[]; .traceId == $t and .traceState == "a=1,b=2") and .[0].parentSpanId == $p' spans
}

@test "requests to envd carry the trace on: TRACEPARENT as it is, or the step that sends them; Firecracker's do not" {
	local command
	vm
	TRACEPARENT=00-$TRACE-$PARENT-01 pause --reclaim --freeze --resume
	expect 0
	[ "$(grep -c "^envd .* traceparent=00-$TRACE-$PARENT-01" "$SIM_LOG")" -eq 3 ]
	[ "$(grep -c traceparent= "$SIM_LOG")" -eq 3 ]
	TRACEPARENT=00-$TRACE-$PARENT-00 fcp exec --envd "$SIM_ENVD" -- true
	expect 0
	grep -q "^envd POST /process.Process/Start .*traceparent=00-$TRACE-$PARENT-00" "$SIM_LOG"
	TRACEPARENT=00-$TRACE-$PARENT-01 fcp resume --api-sock "$SIM_SOCK" --envd "$SIM_ENVD"
	expect 0
	grep -q "^envd GET /health .*traceparent=00-$TRACE-$PARENT-01" "$SIM_LOG"
	: >"$SIM_LOG"
	pause --reclaim
	TRACEPARENT=$TRACE pause --reclaim
	run ! grep -q traceparent "$SIM_LOG"
	sim_patch /vm '{"state":"Resumed"}'
	: >"$SIM_LOG"
	services_start
	OTEL_EXPORTER_OTLP_ENDPOINT=$SERVICES_URL pause --reclaim --freeze --resume
	expect 0
	take_spans
	for command in reclaim:/process freeze:/freeze unfreeze:/unfreeze; do
		grep -q "^envd POST ${command#*:}.*traceparent=$(jq -r --arg n "${command%:*}" \
			'.[] | select(.name == $n) | "00-\(.traceId)-\(.spanId)-01"' spans)" "$SIM_LOG"
	done
	run ! grep -vE '^envd' <(grep traceparent "$SIM_LOG")
}

@test "a parent that is not sampled: no spans" {
	vm
	services_start
	export OTEL_EXPORTER_OTLP_ENDPOINT=$SERVICES_URL
	TRACEPARENT=00-$TRACE-$PARENT-00 pause
	expect 0
	[ ! -s "$SERVICES_LOG" ]
}

@test "a TRACEPARENT that is none is passed over, with a warning; later versions are taken" {
	local bad
	vm
	services_start
	export OTEL_EXPORTER_OTLP_ENDPOINT=$SERVICES_URL
	for bad in x "00-$TRACE-$PARENT" "ff-$TRACE-$PARENT-01" "00-${TRACE^^}-$PARENT-01" "00-$TRACE-$PARENT-01-x" \
		"00-00000000000000000000000000000000-$PARENT-01" "00-$TRACE-0000000000000000-01" "00-$TRACE-$PARENT-1" \
		"00-$TRACE-$PARENT-011" "01-$TRACE-$PARENT-01x"; do
		: >"$SERVICES_LOG"
		TRACEPARENT=$bad fcp balloon-drain --api-sock "$SIM_SOCK"
		expect 0
		expect_err 'warning: TRACEPARENT: '
		take_spans
		jq -e --arg t $TRACE '.[0] | .traceId != $t and (has("parentSpanId") | not)' spans
	done
	: >"$SERVICES_LOG"
	TRACEPARENT=01-$TRACE-$PARENT-03-more fcp balloon-drain --api-sock "$SIM_SOCK"
	expect_no_err
	take_spans
	jq -e --arg t $TRACE '.[0].traceId == $t' spans
}

@test "headers, names and attributes of the environment" {
	vm
	services_start
	export OTEL_EXPORTER_OTLP_ENDPOINT=$SERVICES_URL OTEL_SERVICE_NAME=mine
	export OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20s3, x-scope = a%2Cb,evil=a%0d%0aX-Evil: 1'
	export OTEL_RESOURCE_ATTRIBUTES='service.name=other,deployment.environment=a%20b'
	fcp balloon-drain --api-sock "$SIM_SOCK"
	expect 0
	expect_err "OTEL_EXPORTER_OTLP_HEADERS: 'evil' is no header"
	take_spans
	jq -e '.headers | .authorization == "Bearer s3" and ."x-scope" == "a,b" and (has("evil") or has("x-evil") | not)' request
	jq -e '[.body | fromjson | .resourceSpans[0].resource.attributes[] | select(.key | test("service.name|deployment"))
		| .value.stringValue] == ["a b", "mine"]' request
	run ! grep -q s3 err
}

@test "a failed run's spans say why" {
	vm --fault 'PUT /snapshot/create status=400@1+'
	services_start
	export OTEL_EXPORTER_OTLP_ENDPOINT=$SERVICES_URL
	pause
	expect 1
	take_spans
	jq -e '(.[0].status.code == 2) and (map(select(.name == "snapshot"))[0].status | .code == 2 and (.message | length > 0))' spans
}

@test "a collector that is not there, refuses, or never answers: a warning, and the pause is good" {
	local kind start
	vm
	for kind in none refuse hang; do
		case $kind in
		none) services_start && services_stop ;;
		refuse) services_start --status 503 --body '{"message":"too much"}' ;;
		hang) services_start --hang ;;
		esac
		start=$SECONDS
		OTEL_EXPORTER_OTLP_ENDPOINT=$SERVICES_URL OTEL_EXPORTER_OTLP_TIMEOUT=3600000 pause --resume --json
		services_stop
		expect 0
		expect_json '.status == "ok" or .status == "partial"'
		expect_err 'warning: no spans: '
		# Two seconds at most, whatever the environment says; the rest is for a busy machine.
		[ $((SECONDS - start)) -lt 20 ]
	done
	expect_err 'within 2000 ms'
}

@test "spans that the collector rejects are a warning" {
	vm
	services_start --status 200 --body '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}'
	OTEL_EXPORTER_OTLP_ENDPOINT=$SERVICES_URL fcp balloon-drain --api-sock "$SIM_SOCK"
	expect 0
	expect_err 'all but 2 spans: too old'
}

@test "nothing is sent: no endpoint, switched off, a dry run, another protocol, an address with a password" {
	vm
	services_start
	pause
	expect 0
	OTEL_SDK_DISABLED=true OTEL_EXPORTER_OTLP_ENDPOINT=$SERVICES_URL pause
	OTEL_TRACES_EXPORTER=none OTEL_EXPORTER_OTLP_ENDPOINT=$SERVICES_URL pause
	OTEL_EXPORTER_OTLP_ENDPOINT=$SERVICES_URL pause -n
	OTEL_EXPORTER_OTLP_PROTOCOL=grpc OTEL_EXPORTER_OTLP_ENDPOINT=$SERVICES_URL pause
	expect_err 'grpc is not supported'
	OTEL_EXPORTER_OTLP_ENDPOINT=${SERVICES_URL/127/u:secret@127} pause
	expect 0
	expect_err 'no spans are sent'
	run ! grep -q secret err
	[ ! -s "$SERVICES_LOG" ]
}

@test "a signal during the pause: its spans are sent all the same" {
	vm --snapshot-ms 1000
	services_start
	OTEL_EXPORTER_OTLP_ENDPOINT=$SERVICES_URL fcp_start pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem
	sim_wait_log '^PUT /snapshot/create'
	fcp_signal TERM
	fcp_end
	expect 1
	take_spans
	jq -e '.[0].status.code == 2' spans
}
