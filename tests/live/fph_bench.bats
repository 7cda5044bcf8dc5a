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
