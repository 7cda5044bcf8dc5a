#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# pause:
#  - the chain: reclaim, balloon-drain, pause + snapshot, madvise-ranges, in this order
#  - reclaim and drain are off by default
#  - best-effort steps never fail it: exit 0 when the snapshot is good; --strict makes that 4
#  - one JSON object, on failure too; every status but ok has a reason
#  - an already paused VM: no reclaim and no drain, it stays paused
#  - snapshot fails: resumed, exit 1
#  - --no-trim, --resume, --type, --dry-run

load helpers

# Caps that a slow machine does not come near, and zero pages only: the simulated guest has no kernel.
ON='--reclaim --drain --step-timeout-ms sync=20000 --step-timeout-ms drop_caches=20000
    --step-timeout-ms compact_memory=20000 --step-timeout-ms fstrim=20000 --fph-timeout-ms 20000'
pause() {
	fcp pause --api-sock "$SIM_SOCK" --envd "$SIM_ENVD" --snapshot-path snap --mem-file-path mem \
		--find zero --json "$@"
}

CREATE='PUT /snapshot/create {"snapshot_type":"Diff","snapshot_path":"T/snap.fcpause-tmp","mem_file_path":"T/mem.fcpause-tmp"}'
RECLAIM='envd POST /process.Process/Start Connect-Timeout-Ms=80500 Authorization=Basic cm9vdDo= Connect-Protocol-Version=1 SCRIPT'

@test "all of it: in order, everything ok, the VM paused, the file small" {
	vm --fstrim ok --workload 8,4,2
	pause $ON --type full
	expect 0
	expect_no_err
	expect_json '.command == "pause"' '.status == "ok"' '.vm_state == "Paused"' '.paused_ms > 0' \
		'has("error") | not' \
		'[.steps[].step] == ["reclaim", "balloon-drain", "snapshot", "madvise-ranges"]' \
		'[.steps[].status] == ["ok", "ok", "ok", "ok"]' \
		'[.steps[0].steps[].name] == ["sync", "drop_caches", "compact_memory", "fstrim"]' \
		'.steps[1].host_cmd == 1' '.steps[1].freed_bytes > 0' '.steps[2].type == "Full"' \
		'.steps[2].snapshot_path == "snap"' '.steps[2].mem_file_path == "mem"' \
		'.steps[3].mem_file.logical_bytes == 16777216' '.steps[3].zero_bytes > 4194304' \
		'.steps[3].released_bytes == .steps[3].zero_bytes' \
		'.steps[3].mem_file | .allocated_bytes < .allocated_before_bytes' \
		'.warnings | length == 1' '.settings.fph_timeout_ms == {"value": 20000, "origin": "cli"}'
	expect_log <<-E
	GET /
	GET /machine-config
	GET /hotplug/memory
	$RECLAIM
	GET /
	GET /balloon
	PATCH /balloon/hinting/start {"acknowledge_on_stop":true}
	GET /balloon/hinting/status
	GET /
	GET /machine-config
	GET /hotplug/memory
	GET /balloon/hinting/status
	PATCH /vm {"state":"Paused"}
	${CREATE/Diff/Full}
	E
	expect_state '.state == "Paused"' '.cache_bytes == 0'
	[ "$(allocated mem)" -lt 12582912 ]
	expect_no_temporary
}

@test "what was paused so can be loaded, with equal checksums" {
	vm --fstrim ok --workload 8,4,2
	pause $ON --type full
	expect 0
	SIM_NAME=b sim_start --memory 16
	sim_load "$T/snap" "$T/mem"
	expect_state '.checksum_ok' '.state == "Running"' '.used_bytes > 4000000'
}

@test "plain: reclaim and drain are off by default" {
	vm
	pause
	expect 0
	expect_no_err
	expect_json '.status == "ok"' '[.steps[].status] == ["skipped", "skipped", "ok", "ok"]' \
		'[.steps[:2][].reason] == ["off by default", "off by default"]' '.warnings == []'
	expect_log <<-E
	GET /
	GET /machine-config
	GET /hotplug/memory
	GET /
	GET /machine-config
	GET /hotplug/memory
	GET /balloon/hinting/status
	PATCH /vm {"state":"Paused"}
	$CREATE
	E
}

@test "A12: steps that fell short are warnings on stderr and in the JSON, with exit 0 too" {
	vm --hinting-ms -1
	fcp pause --api-sock "$SIM_SOCK" --envd http://127.0.0.1:1 --snapshot-path snap --mem-file-path mem \
		--find zero --reclaim --drain --fph-timeout-ms 50 --json --resume
	expect 0
	expect_json '.status == "partial"' \
		'.warnings | map(select(startswith("reclaim: ") or . == "balloon-drain: not done within 50 ms, stopped")) | length == 2'
	grep -qx 'fcpause pause: warning: reclaim: envd: cannot connect .*' err
	grep -qxF 'fcpause pause: warning: balloon-drain: not done within 50 ms, stopped (--fph-timeout-ms)' err
	fcp pause --api-sock "$SIM_SOCK" --envd http://127.0.0.1:1 --snapshot-path snap --mem-file-path mem \
		--find zero --reclaim -q --force
	expect 0
	expect_no_err
}

@test "a reclaim that fell short: exit 0, partial with the reason; --strict: exit 4; --best-effort: 0" {
	vm --fstrim fail
	pause $ON --resume
	expect 0
	expect_json '.status == "partial"' '.reason | startswith("reclaim: ") and contains("fstrim")' \
		'.steps[0].status == "partial"' '[.steps[1:][].status] == ["ok", "ok", "ok"]'
	expect_err 'fcpause pause: warning: reclaim: fstrim: failed (exit code 1)'
	[ "$(wc -l <err)" -eq 1 ]
	pause $ON --resume --force --strict --best-effort
	expect 0
	expect_json '.status == "partial"'
	pause $ON --force --strict
	expect 4
	expect_json '.status == "partial"' '.vm_state == "Paused"' '.steps[2].created'
	expect_err 'fstrim'
	[ -s mem ] && [ -s snap ]
	expect_state '.state == "Paused"'
}

@test "what the guest cannot do at all, fstrim without discard, is told, and is no shortfall" {
	vm
	pause $ON --strict
	expect 0
	expect_json '.status == "ok"' '.steps[0].status == "ok" and (.steps[0].note | contains("fstrim"))' '.steps[0].steps[3].status == "unsupported"'
}

@test "reclaim fails: the pause goes on, exit 0" {
	vm --fault 'POST /process.Process/Start reset'
	pause $ON
	expect 0
	expect_json '.status == "partial"' '.steps[0].status == "failed"' '.steps[0].reason | length > 0' \
		'[.steps[1:][].status] == ["ok", "ok", "ok"]' 'has("error") | not'
}

@test "envd is down: the pause goes on, exit 0" {
	vm --no-envd
	fcp pause --api-sock "$SIM_SOCK" --envd http://127.0.0.1:1 --reclaim --find zero --json \
		--snapshot-path snap --mem-file-path mem
	expect 0
	expect_json '.status == "partial"' '.steps[0].status == "failed"' '.steps[2].status == "ok"'
}

@test "reclaim runs out of time: the pause goes on" {
	vm --step-ms sync=60000
	pause --reclaim --step-timeout-ms sync=50000 --reclaim-timeout-ms 200
	expect 0
	expect_json '.steps[0].status == "timeout"' '.steps[2].status == "ok"' \
		'.steps[0].steps[1].status == "skipped"'
}

@test "the drain runs out of time: stopped, the pause goes on, the guest has its pages" {
	vm --hinting-ms -1 --workload 12,12,0
	pause --drain --fph-timeout-ms 100
	expect 0
	expect_json '.status == "partial"' '.steps[1].status == "timeout"' '.steps[1].stopped' \
		'.steps[2].status == "ok"' 'has("hinting_stopped") | not'
	expect_log <<-E
	GET /
	GET /machine-config
	GET /hotplug/memory
	GET /
	GET /balloon
	PATCH /balloon/hinting/start {"acknowledge_on_stop":true}
	GET /balloon/hinting/status
	PATCH /balloon/hinting/stop
	GET /
	GET /machine-config
	GET /hotplug/memory
	GET /balloon/hinting/status
	PATCH /vm {"state":"Paused"}
	$CREATE
	E
	expect_state '.hinting_running == false' '.state == "Paused"'
}

@test "the drain fails mid-run: stopped, the pause goes on" {
	vm --hinting-ms -1 --fault 'GET /balloon/hinting/status status=500@2'
	pause --drain --fph-timeout-ms 20000
	expect 0
	expect_json '.steps[1].status == "failed"' '.steps[1].stopped' '.steps[2].status == "ok"'
}

@test "no balloon, no hinting, no driver: the drain is unsupported or skipped, the pause goes on" {
	local name=0 args
	# shellcheck disable=SC2089
	for args in '' '--balloon {"amount_mib":0,"deflate_on_oom":false}' "--balloon $BALLOON --driver-delay-ms -1"; do
		# shellcheck disable=SC2090 # words
		SIM_NAME=n$((++name)) sim_start --boot --memory 16 $args
		pause --drain --force
		expect 0
		expect_json '.steps[1].status | IN("unsupported", "skipped")' '.steps[1].reason | length > 0' \
			'.steps[2].status == "ok"' '.vm_state == "Paused"'
	done
}

@test "the release falls short: exit 0, the snapshot is good" {
	# The simulated guest has no Linux kernel, so free pages cannot be found in it.
	vm
	fcp pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --json
	expect 0
	expect_json '.status == "partial"' '.reason | startswith("madvise-ranges: free pages: ")' \
		'.steps[3].status == "partial"' '.steps[2].created' '.settings.find.origin == "default"'
}

@test "--no-trim leaves the file as Firecracker wrote it" {
	vm
	pause --no-trim --type full
	expect 0
	expect_json '.status == "ok"' '.steps[3].status == "skipped"' '.steps[3].reason | contains("command line")'
	[ "$(allocated mem)" -ge 16777216 ]
	FCPAUSE_TRIM=0 pause --force
	expect_json '.steps[3].reason | contains("environment")'
}

@test "the snapshot fails: resumed, exit 1, no file, and what was done before is told" {
	vm --fstrim ok --fault 'PUT /snapshot/create status=400,{"fault_message":"so it is"}'
	pause $ON
	expect 1
	expect_json '.status == "failed"' '.error.class == "server"' '.error.message | contains("so it is")' \
		'.vm_state == "Running"' '[.steps[].status] == ["ok", "ok", "failed", "skipped"]' \
		'.steps[3].reason == "not reached"'
	expect_err 'so it is'
	expect_state '.state == "Running"' '.checksum_ok'
	expect_no_files
}

@test "the snapshot fails, --strict or --best-effort: 1 and 0" {
	vm --fault 'PUT /snapshot/create status=500'
	pause --strict
	expect 1
	pause --best-effort
	expect 0
	expect_json '.status == "failed"' '.error.class == "server"'
}

@test "what cannot be a snapshot is known before the guest is touched" {
	vm
	echo there >mem
	pause $ON
	expect 1
	expect_json '[.steps[].status] == ["skipped", "skipped", "skipped", "skipped"]' \
		'[.steps[].reason] | unique == ["not reached"]' '.error.message | contains("already exists")' \
		'[.quiesce | .freeze, .collapse, .fs_freeze, .fs_thaw, .unfreeze | .status + ": " + .reason] | unique == ["skipped: not reached"]'
	expect_log <<-'E'
	GET /
	E
}

@test "the VM is paused already: no reclaim, no drain, snapshot, and it stays paused" {
	vm
	sim_patch /vm '{"state":"Paused"}'
	: >"$SIM_LOG"
	pause $ON
	expect 0
	expect_json '.status == "ok"' '.vm_state == "Paused"' '.paused_ms == 0' \
		'[.steps[:2][] | .status == "skipped" and (.reason | contains("paused already"))] | all'
	expect_log <<-E
	GET /
	GET /machine-config
	GET /hotplug/memory
	GET /
	GET /machine-config
	GET /hotplug/memory
	GET /balloon/hinting/status
	$CREATE
	E
	expect_state '.state == "Paused"'
}

@test "the VM is paused already, and the snapshot fails: it stays paused" {
	vm --fault 'PUT /snapshot/create status=500'
	sim_patch /vm '{"state":"Paused"}'
	pause $ON
	expect 1
	expect_json '.vm_state == "Paused"'
	expect_state '.state == "Paused"'
}

@test "the VM is not started: exit 1" {
	sim_start --memory 16
	pause $ON
	expect 1
	expect_json '.error.class == "state"'
}

@test "--resume: the VM runs again, the file is released all the same" {
	vm --workload 4,0,0
	pause --resume --type full
	expect 0
	expect_json '.vm_state == "Running"' '.steps[3].status == "ok"' '.steps[3].released_bytes > 0' '.paused_ms > 0'
	expect_state '.state == "Running"' '.checksum_ok'
}

@test "a layer is not released where its holes would show the base" {
	sim_start --boot --memory 16 --backing memfd --workload 4,0,0
	pause --type diff
	expect 0
	expect_json '.steps[2].layer' '.steps[3].status == "skipped"' '.steps[3].reason | contains("base")'
}

@test "the guest cannot be left without pages: a run that cannot be stopped fails the pause" {
	vm --hinting-ms -1 --fault 'PATCH /balloon/hinting/stop status=500'
	pause --drain --fph-timeout-ms 50
	expect 5
	expect_json '.steps[1].status == "failed"' '.status == "failed"' '.error.class == "left"'
	expect_err 'could not be stopped'
	expect_err "by hand: fcpause balloon-drain --stop --api-sock $SIM_SOCK ("
	expect_no_files
}

@test "Firecracker dies during the drain: the pause fails, in time, and says both" {
	vm --hinting-ms -1 --fault 'GET /balloon/hinting/status die@2'
	pause --drain --fph-timeout-ms 20000
	expect 5
	expect_json '.status == "failed"' '.steps[1].status == "failed"' '.ms < 10000' '.vm_state == "unknown"' \
		'.error.class == "left"' '.error.message | startswith("Firecracker has ended, and the VM with it")'
	expect_no_files
}

@test "nobody at the socket: exit 1, nothing is asked of envd" {
	vm
	fcp pause --api-sock "$T/none" --envd "$SIM_ENVD" --reclaim --snapshot-path snap --mem-file-path mem --json
	expect 1
	expect_json '.error.class == "connect"' '[.steps[].status] | unique == ["skipped"]'
	expect_no_requests
}

@test "each of socket, snapshot file and memory file is needed; envd when reclaim is asked for" {
	fcp pause --snapshot-path s --mem-file-path m
	expect 2
	expect_err '--api-sock PATH is needed'
	fcp pause --api-sock s --mem-file-path m
	expect 2
	expect_err '--snapshot-path FILE is needed'
	fcp pause --api-sock s --snapshot-path s
	expect 2
	expect_err '--mem-file-path FILE is needed'
	fcp pause --api-sock s --snapshot-path s --mem-file-path m --reclaim
	expect 2
	expect_err '--envd URL is needed'
	FCPAUSE_RECLAIM=1 fcp pause --api-sock s --snapshot-path s --mem-file-path m
	expect 2
	expect_err '--envd URL is needed'
}

@test "a flag turns reclaim on, and nobody said where envd is: failed, the pause goes on" {
	vm
	echo '{"flagValues":{"reclaim-on-pause":1000}}' >flags
	fcp pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --flags flags --find zero --json
	expect 0
	expect_json '.steps[0].status == "failed"' '.steps[0].reason | contains("envd")' '.steps[2].status == "ok"'
}

@test "as text: a line a step, and one for all" {
	vm --fstrim ok
	fcp pause --api-sock "$SIM_SOCK" --envd "$SIM_ENVD" --snapshot-path snap --mem-file-path mem \
		--find zero $ON
	expect 0
	expect_no_err
	diff <(awk '{ print $1, $2 }' "$T/out") - <<-'E'
	reclaim ok
	sync ok
	drop_caches ok
	compact_memory ok
	fstrim ok
	balloon-drain ok
	snapshot ok
	madvise-ranges ok
	pause ok
	E
}

@test "settings: every option that decides the work, each with its origin" {
	vm
	FCPAUSE_TIMEOUT_MS=3000 pause --fph-timeout-ms 0
	expect 0
	expect_json '[.settings[] | .origin | IN("cli", "env", "flags", "default")] | all' \
		'[.settings[] | has("value")] | all' \
		'.settings.timeout_ms == {"value": 3000, "origin": "env"}' \
		'.settings.snapshot_path == {"value": "snap", "origin": "cli"}' \
		'.settings.drain == {"value": false, "origin": "cli"}' \
		'.settings.reclaim == {"value": false, "origin": "default"}' \
		'.settings["step_timeout_ms.sync"] == {"value": 500, "origin": "default"}' \
		'.settings | has("json") or has("quiet") or has("dry_run") | not'
}
