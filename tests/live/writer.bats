#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# fcpause writes the memory file of the real Firecracker's VM. What is in the file is compared with
# the held VM's memory (--verify), and loaded again in a Firecracker of its own.
#
# The tests share VMs and files, in this order: the booted VM is used until Firecracker is killed; what is
# restored comes from its snapshot, $DIR/a.snap and $DIR/a.mem, with the disk as it was then.

load helpers

MIB=1048576

# snap NAME OPTION…: one snapshot by fcpause, into $DIR/NAME.snap and .mem.
snap() {
	fcp snapshot --json --api-sock "$SOCK" --snapshot-path "$DIR/$1.snap" --mem-file-path "$DIR/$1.mem" "${@:2}"
}

by_fcpause() {
	expect 0
	expect_json '.status == "ok"' '.writer == "fcpause"' '.writer_reason == null' '.layer == false' \
		'.holes == "zero"' '.memory.free_reason == null' \
		'.memory | .zero_bytes + .base_equal_bytes + .written_bytes == .changed_bytes' "$@"
	nothing_left "$(dirname "$(jq -r .mem_file_path "$T/out")")"
}

nothing_left() {
	local left
	left=$(find "$1" -maxdepth 1 -name '*.fcpause-*' ! -name '*.fcpause-lock')
	[ -z "$left" ] || { echo "left: $left"; return 1; }
}

saved_disk() { stop_vm && cp --sparse=always "$DIR/$1.disk" "$DIR/disk"; }
from() { saved_disk a && restore "$DIR/$1.snap" "$DIR/$1.mem"; }
whole() { saved_disk a && is_whole "$DIR/$1.snap" "$DIR/$1.mem"; }

remove() { rm -f "${@/#/$DIR/}"; }

@test "booted, and packets are sent to the guest: pages that it uses are written" {
	boot
	workload
	packets
	snap a --verify
	no_packets
	by_fcpause '.vm_state == "Paused"' '.memory.verified' '.memory.base == null' \
		".memory.free_bytes > 200 * $MIB" '.downtime_ms | .pause > 0 and .copy > 0'
	[ "$(stat -c %s "$DIR/a.mem")" = $((512 << 20)) ]
	[ "$(on_disk "$DIR/a.mem")" -le $(($(jq .memory.written_bytes "$T/out") + MIB)) ]
	cp --sparse=always "$DIR/disk" "$DIR/a.disk"
	api PATCH /vm '{"state":"Resumed"}'
}

@test "no room in the middle of the hold: the VM runs on, nothing is left" {
	mkdir "$T/small"
	mount -t tmpfs -o size=700m tmpfs "$T/small"
	at_call pwrite:s.mem@2=hold
	fcp_start snapshot --json --api-sock "$SOCK" --snapshot-path "$T/small/s.snap" --mem-file-path "$T/small/s.mem"
	within 60 held
	mount -o remount,size=8m "$T/small"
	echo >"$T/gate"
	fcp_end
	local left
	left=$(ls -A "$T/small")
	umount "$T/small"
	expect 1
	expect_json '.vm_state == "Running"' '.created == false' '.error.message | contains("No space left")'
	[ -z "$left" ]
	vm_is Running
	same_sums
}

# The guard is the only one who can let Firecracker go.
@test "fcpause is killed at each point of the hold: the VM runs again, and the next run is as if nothing had been" {
	local fault
	for fault in process_vm_readv@1=kill pwrite:b.mem@1=kill pwrite:b.mem@9=kill unlinkat:fcpause-hold@1=kill; do
		at_call "$fault"
		{ snap b; } 2>/dev/null
		[ "$status" -eq 137 ] || _show "not killed at $fault" || return
		within 3 vm_is Running || _show "after $fault: $(api GET /)" || return
		run ! held
		[ ! -e "$DIR/b.mem.fcpause-hold" ]
	done
	at_no_call
	same_sums
	snap b --resume
	by_fcpause '.vm_state == "Running"'
	remove b.snap b.mem
}

@test "Firecracker is killed in the hold: that is said, in time, and nothing is left" {
	mkdir "$T/d"
	at_call pwrite:s.mem@2=hold
	fcp_start snapshot --json --api-sock "$SOCK" --snapshot-path "$T/d/s.snap" --mem-file-path "$T/d/s.mem"
	within 60 held
	kill -KILL "$FC_PID"
	within 60 vm_ended
	echo >"$T/gate"
	fcp_end
	expect 5
	expect_json '.created == false' '.error.class == "left"' '.error.message | contains("Firecracker has ended")'
	[ -z "$(ls -A "$T/d")" ]
}

@test "the booted VM's snapshot is whole" { whole a; }

# As many of them while packets come in. --verify, and a copy in memory, exclude each other.
@test "restored from a file, idle and after a build, five checkpoints: each loads" {
	from a
	packets
	local i
	for i in 1 2 3 4 5; do
		[ $i -ne 2 ] || guest 'dd if=/dev/zero of=/tmp/big bs=1M count=150; rm /tmp/big' 2>/dev/null
		guest "echo $i >/tmp/round"
		if [ $((i % 2)) = 1 ]; then
			snap c$i --resume --verify
			by_fcpause '.memory.verified'
		else
			snap c$i --resume
			by_fcpause '.memory.buffered'
		fi
		expect_json '.vm_state == "Running"' '.memory.base.path | endswith("/a.mem")' \
			".memory.written_bytes < 40 * $MIB" '.memory.copied_bytes + .memory.cloned_bytes > 0'
		figure "writer_checkpoint_$i" '{paused_ms, written_bytes: .memory.written_bytes}'
	done
	no_packets
	for i in 1 2 3 4 5; do
		from c$i
		[ "$(guest 'cat /tmp/round')" = "$i" ]
		same_sums
		[ $i = 5 ] || remove c$i.snap c$i.mem
	done
	whole c5
	remove c5.snap c5.mem
}

@test "restored by a page-fault handler: with the base what changed is written, and no missing page touched" {
	saved_disk a
	restore_by_handler "$DIR/a.snap" "$DIR/a.mem"
	guest 'dd if=/dev/urandom of=/tmp/more bs=1M count=5 2>/dev/null'
	local sum before
	sum=$(guest 'md5sum </tmp/more')
	api PATCH /vm '{"state":"Paused"}'
	before=$(rss_bytes)
	snap u --base "$DIR/a.mem" --verify
	by_fcpause '.memory.verified' '.memory.base.path | endswith("/a.mem")'
	figure writer_handler '{paused_ms, memory}'
	[ $(($(rss_bytes) - before)) -lt $MIB ]
	from u
	[ "$(guest 'md5sum </tmp/more')" = "$sum" ]
	whole u
	remove u.snap u.mem
}

@test "on a file system with reflinks: the base is shared, what it means is recorded, and it loads" {
	command -v mkfs.xfs >/dev/null || skip 'no mkfs.xfs'
	truncate -s 900M "$T/image"
	mkfs.xfs -q -m reflink=1 "$T/image"
	mkdir "$T/xfs"
	mount -o loop "$T/image" "$T/xfs"
	cp --sparse=always "$DIR/a.snap" "$DIR/a.mem" "$T/xfs"
	saved_disk a
	restore "$T/xfs/a.snap" "$T/xfs/a.mem"
	guest 'dd if=/dev/urandom of=/tmp/more bs=1M count=5 2>/dev/null'
	fcp snapshot --json --api-sock "$SOCK" --snapshot-path "$T/xfs/x.snap" --mem-file-path "$T/xfs/x.mem" --verify
	by_fcpause ".memory.cloned_bytes > 60 * $MIB" '.memory.copied_bytes == 0' '.memory.verified' '.id | length == 36'
	figure writer_reflinks '{paused_ms, memory}'
	fcp inspect --json --mem-file-path "$T/xfs/x.mem"
	expect 0
	expect_json '.holes == "zero"'
	# Firecracker's own layer beside it.
	fcp snapshot --json --api-sock "$SOCK" --type diff --snapshot-path "$T/xfs/d.snap" --mem-file-path "$T/xfs/d.mem"
	expect 0
	expect_json '.layer' '.holes == "base"'
	fcp madvise-ranges --json --mem-file-path "$T/xfs/d.mem" --find zero --holes zero
	expect 3
	expect_json '.reason | contains("recorded as a Diff layer")'
	saved_disk a
	is_whole "$T/xfs/x.snap" "$T/xfs/x.mem"
	stop_vm
	within 30 umount "$T/xfs"
}

@test "twenty pauses in a row, each restored from the one before" {
	local i previous=a
	saved_disk a
	for i in {1..20}; do
		restore "$DIR/$previous.snap" "$DIR/$previous.mem"
		guest "echo $i >>/tmp/rounds"
		snap s$i --verify
		by_fcpause '.memory.verified' ".memory.written_bytes < 40 * $MIB"
		stop_vm
		[ $previous = a ] || remove $previous.snap $previous.mem
		previous=s$i
	done
	is_whole "$DIR/s20.snap" "$DIR/s20.mem"
	[ "$(guest 'cat /tmp/rounds' | md5sum)" = "$(seq 20 | md5sum)" ]
	stop_vm
	remove s20.snap s20.mem
}

@test "dirty tracking: a Diff after a hold is as complete as one before it" {
	boot --track
	workload
	snap full --type full --resume
	expect 0
	expect_json '.writer == "firecracker"'
	guest 'dd if=/dev/urandom of=/tmp/more bs=1M count=20 2>/dev/null'
	snap held --resume
	by_fcpause
	guest 'dd if=/dev/urandom of=/tmp/still_more bs=1M count=5 2>/dev/null'
	# What is sent to a guest that is only Paused lands in its memory all the same.
	ip link set "$TAP" down
	snap end
	by_fcpause
	snap diff --type diff
	expect 0
	expect_json '.layer' ".type == \"Diff\""
	[ "$(on_disk "$DIR/diff.mem")" -gt $((25 * MIB)) ]
	snap beside --type full
	expect 0
	ip link set "$TAP" up
	stop_vm
	lay_over "$DIR/diff.mem" "$DIR/full.mem"
	cmp "$DIR/full.mem" "$DIR/beside.mem"
	# And fcpause wrote the same, but for what is free.
	free_alike "$DIR/beside.mem" "$DIR/end.mem"
	cmp "$DIR/beside.mem" "$DIR/end.mem"
	remove {full,held,end,diff,beside}.{snap,mem}
}

# Three regions: below and above the hole of the guest's addresses, and what can be plugged in.
@test "above 3 GiB, and with memory that is plugged in" {
	boot --memory 3328 --hotplug 256
	guest 'echo online >/sys/devices/system/memory/auto_online_blocks' || true
	api PATCH /hotplug/memory '{"requested_size_mib":128}'
	plugged() { api GET /hotplug/memory | jq -e '.plugged_size_mib == 128'; }
	within 60 plugged
	workload
	snap h --verify
	by_fcpause '.memory.verified' ".memory.guest_bytes == $(((3328 + 256) * MIB))" \
		".memory.written_bytes < 400 * $MIB" ".memory.free_bytes > 2900 * $MIB"
	figure writer_large '{paused_ms, downtime_ms, memory}'
	[ "$(stat -c %s "$DIR/h.mem")" = $(((3328 + 256) * MIB)) ]
	restore "$DIR/h.snap" "$DIR/h.mem"
	same_sums
	snap i --verify --resume
	by_fcpause '.memory.verified' ".memory.written_bytes < 60 * $MIB"
	uses_all_its_memory 700
	same_sums
	kernel_is_quiet
	restore "$DIR/i.snap" "$DIR/i.mem"
	same_sums
	uses_all_its_memory 300
	same_sums
	stop_vm
	remove {h,i}.{snap,mem}
}

# A Firecracker that is a jailer's: another root directory, another user.
boot_jailed() {
	local exec
	exec=$(command -v firecracker)
	JAIL=$DIR/jail/firecracker/live/root
	mkdir -p "$JAIL/out"
	cp --sparse=always "$FCPAUSE_LIVE_IMAGES"/guest.{vmlinux,initrd} "$JAIL"
	cp --sparse=always "$FCPAUSE_LIVE_IMAGES/guest.ext4" "$JAIL/disk"
	# Where it is not a static program, what it is linked to.
	ldd "$exec" | grep -o '/[^ ]*' | while read -r library; do
		mkdir -p "$JAIL$(dirname "$library")"
		cp -L "$library" "$JAIL$library"
	done || true
	chown -R 12345:12345 "$JAIL"
	stop_vm
	_tap
	(
		cd "$DIR" || exit
		jailer --id live --exec-file "$exec" --uid 12345 --gid 12345 --chroot-base-dir "$DIR/jail" -- \
			--api-sock /api.sock >"$DIR/log" 2>&1 </dev/null 3>&- &
		echo $! >"$DIR/pid"
	)
	FC_PID=$(cat "$DIR/pid") SOCK=$JAIL/api.sock
	printf 'SOCK=%s\nFC_PID=%s\n' "$SOCK" "$FC_PID" >"$DIR/values"
	within 60 test -S "$SOCK" || { cat "$DIR/log"; return 1; }
	api PUT /boot-source '{"kernel_image_path":"guest.vmlinux","initrd_path":"guest.initrd","boot_args":"console=ttyS0 reboot=k panic=1 quiet mitigations=off nowatchdog"}'
	api PUT /drives/rootfs '{"drive_id":"rootfs","path_on_host":"disk","is_root_device":false,"is_read_only":false}'
	api PUT /network-interfaces/eth0 "{\"iface_id\":\"eth0\",\"guest_mac\":\"06:00:ac:1e:00:02\",\"host_dev_name\":\"$TAP\"}"
	api PUT /machine-config '{"vcpu_count":1,"mem_size_mib":512}'
	api PUT /actions '{"action_type":"InstanceStart"}'
	within 240 envd_up
}

@test "under the real jailer: the pipe lies in its root, and is its user's; the files load outside" {
	command -v jailer >/dev/null || skip 'no jailer on PATH'
	boot_jailed
	[ "$(stat -c %u "/proc/$FC_PID")" = 12345 ]
	workload
	at_call pwrite:s.mem@2=hold
	fcp_start snapshot --json --api-sock "$SOCK" --snapshot-path "$JAIL/out/s.snap" --mem-file-path "$JAIL/out/s.mem" --verify
	within 60 held
	[ "$(stat -c '%u %a %F' "$JAIL/out/s.mem.fcpause-hold")" = '12345 600 fifo' ]
	echo >"$T/gate"
	fcp_end
	at_no_call
	by_fcpause '.memory.verified' '.vm_state == "Paused"'
	stop_vm
	cp --sparse=always "$JAIL/disk" "$DIR/disk"
	is_whole "$JAIL/out/s.snap" "$JAIL/out/s.mem"
}
