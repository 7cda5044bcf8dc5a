#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The steps as a chain in a script: pipes between --list and --ranges,
# `&&` with --best-effort, and one flags file that gates the chain as it gates `pause`.

load helpers

export_vm() {
	export FCPAUSE_API_SOCK=$SIM_SOCK FCPAUSE_ENVD=$SIM_ENVD FCPAUSE_SNAPSHOT_PATH=snap FCPAUSE_MEM_FILE_PATH=mem
	export FCPAUSE_STEP_TIMEOUT_MS=sync=20000,drop_caches=20000,compact_memory=20000,fstrim=20000
	PATH=$(dirname "$FCPAUSE"):$PATH
}

CREATE='PUT /snapshot/create {"snapshot_type":"Diff","snapshot_path":"T/snap.fcpause-tmp","mem_file_path":"T/mem.fcpause-tmp"}'

# The chain of a script, as the README has it.
chain() {
	fcpause reclaim && fcpause balloon-drain && fcpause snapshot --type full &&
		fcpause madvise-ranges --find zero
}

# What envd and Firecracker were asked, without the questions.
deeds() { _log | grep -v '^GET ' || true; }

@test "reclaim && balloon-drain && snapshot && madvise-ranges" {
	vm --fstrim ok --workload 8,4,2
	export_vm
	run chain
	[ "$status" -eq 0 ]
	diff <(deeds) - <<-E
	envd POST /process.Process/Start Connect-Timeout-Ms=80500 Authorization=Basic cm9vdDo= Connect-Protocol-Version=1 SCRIPT
	PATCH /balloon/hinting/start {"acknowledge_on_stop":true}
	PATCH /vm {"state":"Paused"}
	${CREATE/Diff/Full}
	E
	[ "$(allocated mem)" -lt 12582912 ]
	expect_state '.state == "Paused"'
}

@test "the chain asks for the same as pause does" {
	vm --fstrim ok
	export_vm
	run chain
	[ "$status" -eq 0 ]
	deeds >"$T/chain"
	SIM_NAME=b vm --fstrim ok
	export_vm
	rm snap mem
	fcpause pause --reclaim --drain --type full --find zero
	diff "$T/chain" <(deeds)
}

@test "a step that falls short stops the chain; with --best-effort it goes on" {
	vm --fstrim fail
	export_vm
	run chain
	# reclaim did only part.
	[ "$status" -eq 4 ]
	diff <(deeds | cut -c1-9) - <<<'envd POST'
	FCPAUSE_BEST_EFFORT=1 run chain
	[ "$status" -eq 0 ]
	[ -s snap ] && [ -s mem ]
}

@test "A9: a guest whose disk has no discard does not stop the chain" {
	vm
	export_vm
	run chain
	[ "$status" -eq 0 ]
	[ -s snap ] && [ -s mem ]
}

@test "one flags file gates the chain: all off" {
	vm
	export_vm
	echo '{"flagValues":{"reclaim-on-pause":0,"free-page-hinting":0}}' >flags
	FCPAUSE_FLAGS=flags run chain
	[ "$status" -eq 0 ]
	diff <(deeds) - <<-E
	PATCH /vm {"state":"Paused"}
	${CREATE/Diff/Full}
	E
	[[ ${lines[0]} == 'reclaim           skipped'*'flag reclaim-on-pause is off' ]]
}

@test "one flags file gates the chain: one of two on" {
	vm
	export_vm
	echo '{"flagValues":{"free-page-hinting":20000}}' >flags
	FCPAUSE_FLAGS=flags run chain
	[ "$status" -eq 0 ]
	diff <(deeds) - <<-E
	PATCH /balloon/hinting/start {"acknowledge_on_stop":true}
	PATCH /vm {"state":"Paused"}
	${CREATE/Diff/Full}
	E
}

@test "one flags file gates the chain: a broken one is off, and nothing stops" {
	vm
	export_vm
	echo broken >flags
	FCPAUSE_FLAGS=flags run chain
	[ "$status" -eq 0 ]
	diff <(deeds | head -n 1) - <<<'PATCH /vm {"state":"Paused"}'
}

@test "--list | --ranges -: what is left of a list after a filter is what is released" {
	head -c 65536 /dev/zero >mem
	printf x | dd of=mem bs=1 seek=20480 conv=notrunc status=none
	cp mem mem.before
	export FCPAUSE_MEM_FILE_PATH=mem
	"$FCPAUSE" madvise-ranges --find zero --list | awk '$1 > 0' |
		"$FCPAUSE" madvise-ranges --ranges - --json >"$T/out"
	status=0
	expect_json '.released_bytes == 40960'
	cmp mem mem.before
}

@test "--list fails: nothing is released behind the pipe" {
	head -c 65536 /dev/zero >mem
	before=$(allocated mem)
	run bash -c 'set -o pipefail; "$0" madvise-ranges --mem-file-path none --find zero --list |
		"$0" madvise-ranges --mem-file-path mem --ranges -' "$FCPAUSE"
	[ "$status" -ne 0 ]
	[ "$(allocated mem)" -eq "$before" ]
}

@test "JSON of each step through jq: what an engine collects" {
	vm
	export_vm
	fcpause balloon-drain --json | jq -e '.command == "balloon-drain" and .host_cmd == 1'
	fcpause snapshot --json | jq -e '.created and .vm_state == "Paused"'
	fcpause madvise-ranges --find zero --holes zero --json | jq -e '.mem_file.logical_bytes == 16777216'
}
