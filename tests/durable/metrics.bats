#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Firecracker's metrics, where a metrics file is configured: flushed before the
# pause, the balloon's and the latencies' figures in the JSON; its absence is fine.

load helpers

with_metrics() {
	sim_start --no-envd --memory 16 --balloon "$BALLOON" "$@"
	sim_put /metrics "{\"metrics_path\":\"$T/metrics\"}"
	sim_put /sim/boot '{}'
}
flush_lines() { grep -n 'FlushMetrics' "$SIM_LOG" | cut -d: -f1; }
step_has() { expect_json ".steps[] | select(.step == \"snapshot\") | $1"; }

@test "flushed before the pause and after the end, the figures in the JSON" {
	with_metrics
	snapshot --metrics-path metrics
	expect 0
	expect_json '.metrics.diff_create_snapshot_us > 0' '.metrics.full_create_snapshot_us == 0' \
		'.metrics.pause_vm_us > 0' '.metrics.resume_vm_us == 0' \
		'.metrics | has("free_page_hint_count") and has("free_page_hint_freed_bytes") and has("free_page_hint_fails") and has("free_page_report_freed_bytes")'
	local pause lines
	pause=$(grep -n Paused "$SIM_LOG" | cut -d: -f1)
	lines=($(flush_lines))
	[ "${#lines[@]}" -eq 2 ]
	[ "${lines[0]}" -lt "$pause" ]
	[ "${lines[1]}" -gt "$(grep -n snapshot/create "$SIM_LOG" | cut -d: -f1)" ]
}

@test "a checkpoint: resumed before the figures are read" {
	with_metrics
	pause --resume --metrics-path "$T/metrics" --type full
	expect 0
	step_has '.metrics.resume_vm_us > 0 and .metrics.full_create_snapshot_us > 0'
	[ "$(flush_lines | tail -1)" -gt "$(grep -n Resumed "$SIM_LOG" | cut -d: -f1)" ]
}

@test "what a drain before it freed is the drain's, not the snapshot's" {
	with_metrics --workload 8,4,0
	pause --drain --metrics-path metrics
	expect 0
	step_has '.metrics.free_page_hint_freed_bytes == 0'
	expect_json '.steps[] | select(.step == "balloon-drain") | .freed_bytes >= 0'
}

@test "no option: not asked for" {
	with_metrics
	snapshot
	expect 0
	expect_json '.metrics == null'
	run ! grep -q FlushMetrics "$SIM_LOG"
}

@test "no file, a directory, a FIFO, a socket, nothing readable: no figures, and the snapshot is good" {
	vm --no-envd
	reference
	mkdir "$T/dir"
	mkfifo "$T/fifo"
	local path
	for path in none dir fifo "$SIM_SOCK" /dev/zero dir/none/none; do
		rm -f "$D"/*
		snapshot --metrics-path "$path"
		expect 0
		expect_json '.metrics == null'
		same_new_pair
		sim_patch /vm '{"state":"Resumed"}'
	done
	SHIM=("SHIM_FAULT=open:$T/metrics@1+=EACCES")
	: >"$T/metrics"
	rm "$D"/*
	snapshot --metrics-path "$T/metrics"
	struck
	expect 0
	expect_json '.metrics == null'
}

@test "the file is another's, or nobody writes to it: fine" {
	vm --no-envd
	echo '{"balloon":"nonsense"}' >metrics
	snapshot --metrics-path metrics
	expect 0
	expect_json '.metrics == null'
}

@test "the flush is refused, or its answer is nonsense or late: fine" {
	local kind
	for kind in status=400 garbage hang reset; do
		SIM_NAME=${kind%=*} with_metrics --fault "PUT /actions $kind"
		rm -f "$D"/* "$T/metrics"
		: >"$T/metrics"
		snapshot --metrics-path "$T/metrics" --timeout-ms 150
		expect 0
		expect_json '.metrics == null'
		[ "$(listing)" = 'mem snap' ]
	done
}
