#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# scripts/fph-bench on the real servers.

load helpers

@test "a booted VM, with nothing and with all: fewer bytes, a plot, and the disk as it was" {
	local images=$FCPAUSE_LIVE_IMAGES before
	_tap
	cp --sparse=always "$images/guest.ext4" "$DIR/disk"
	before=$(md5sum <"$DIR/disk")
	jq -n --arg images "$images" --arg disk "$DIR/disk" --arg tap "$TAP" --argjson balloon "$BALLOON" '{
		"boot-source": {kernel_image_path: ($images + "/guest.vmlinux"), initrd_path: ($images + "/guest.initrd"),
			boot_args: "console=ttyS0 reboot=k panic=1 quiet mitigations=off"},
		drives: [{drive_id: "rootfs", path_on_host: $disk, is_root_device: false, is_read_only: false}],
		"network-interfaces": [{iface_id: "eth0", guest_mac: "06:00:ac:1e:00:02", host_dev_name: $tap}],
		balloon: $balloon, "machine-config": {vcpu_count: 1, mem_size_mib: 512}}' >"$T/vm.json"
	status=0
	"$ROOT/scripts/fph-bench" --config-file "$T/vm.json" --fcpause "$FCPAUSE" --envd "$ENVD" --tap "$TAP" \
		--workload 'dd if=/dev/zero of=/root/gone bs=1M count=60; sync; rm /root/gone' --workload-timeout-ms 240000 \
		--variants nothing,all --iterations 1 --no-warm-up "${CAPS[@]}" --fph-timeout-ms 60000 \
		--api-timeout-ms 60000 --load-timeout-ms 120000 --envd-timeout-ms 240000 \
		--json "$T/bench.json" --svg "$T/plot.svg" >"$T/out" 2>"$T/err" || status=$?
	expect 0
	jq -e '[.runs[] | {(.variant): .mem_file.allocated_bytes}] | add | .all < .nothing' "$T/bench.json"
	grep -q '<svg' "$T/plot.svg"
	[ "$(md5sum <"$DIR/disk")" = "$before" ]
}

@test "a restored VM, by who writes: fcpause writes less than Firecracker, and sooner; a layer takes the least" {
	boot
	workload
	fcp snapshot --api-sock "$SOCK" --snapshot-path "$DIR/s.snap" --mem-file-path "$DIR/s.mem"
	expect 0
	stop_vm
	status=0
	# (On tmpfs a hole that is read through the mapping takes room from then on: what the whole file takes is no
	# measure here.)
	"$ROOT/scripts/fph-bench" --snapshot-path "$DIR/s.snap" --mem-file-path "$DIR/s.mem" --fcpause "$FCPAUSE" --envd "$ENVD" \
		--tap "$TAP" --workload 'dd if=/dev/zero of=/tmp/big bs=1M count=100; rm /tmp/big' --workload-timeout-ms 240000 \
		--variants fcpause,layer,firecracker+trim --iterations 1 --no-warm-up \
		--api-timeout-ms 60000 --load-timeout-ms 120000 --envd-timeout-ms 240000 --json "$T/bench.json" >"$T/out" 2>"$T/err" || status=$?
	expect 0
	cp "$T/bench.json" "$T/out"
	expect_json '[.runs[] | [.writer, .layer]] == [["fcpause", false], ["fcpause", true], ["firecracker", false]]' \
		'.runs[2].mem_file.allocated_bytes as $trimmed | .runs[1].mem_file.allocated_bytes < $trimmed / 4 and
			.runs[0].pause.steps[2].memory.written_bytes < $trimmed / 4' \
		'[.runs[].paused_ms] as [$whole, $layer, $firecracker] | $whole < $firecracker and $layer < $firecracker'
	figure fph_bench_writers '[.runs[] | {variant, paused_ms, total_ms, bytes: .mem_file.allocated_bytes}]'
}
