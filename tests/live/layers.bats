#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What Firecracker loads of a base and layers after `fcpause merge`. Beside each layer a Full of the same
# VM is taken, and the merged file must be the same, but for pages that the guest has free.
#
# The tests share VMs and files, in this order. What fcpause writes lies on XFS, $DIR/xfs, which keeps the ids that
# are recorded and shares storage; each Full lies in memory.

load helpers

MIB=1048576

teardown_file() {
	stop_vm
	umount "$DIR/xfs" 2>/dev/null
	rm -rf "$DIR"
}

on_xfs() {
	X=$DIR/xfs
	[ ! -d "$X" ] || return 0
	command -v mkfs.xfs >/dev/null || skip 'no mkfs.xfs'
	truncate -s 2G "$DIR/image"
	mkfs.xfs -q -m reflink=1 "$DIR/image"
	mkdir "$X"
	mount -o loop "$DIR/image" "$X" || { rmdir "$X"; skip 'no loop mounts here'; }
}

# snap FILES OPTION…: one snapshot, into FILES.snap and .mem.
snap() { fcp snapshot --json --api-sock "$SOCK" --snapshot-path "$1.snap" --mem-file-path "$1.mem" "${@:2}"; }

# Each snapshot goes with the disk as it was then.
keep_disk() { cp --sparse=always "$DIR/disk" "$X/$1.disk"; }
put_disk() { stop_vm && cp --sparse=always "$X/$1.disk" "$DIR/disk"; }

# from NAME MEM_FILE: $X/NAME's VM, of that memory file.
from() { put_disk "$1" && restore "$X/$1.snap" "$2"; }

# layer_and_full NAME: the layer $X/NAME, its disk, and a Full of the same paused VM, $T/full. (What is sent to a
# guest that is only Paused lands in its memory all the same.)
layer_and_full() {
	ip link set "$TAP" down
	snap "$X/$1" --layer
	expect 0
	cp "$T/out" "$T/layer"
	snap "$T/full" --type full
	expect 0
	expect_json '.writer == "firecracker"' '.vm_state == "Paused"'
	ip link set "$TAP" up
	keep_disk "$1"
	stop_vm
	cp "$T/layer" "$T/out"
	expect_json '.layer' '.holes == "base"' '.id != null' '.writer == "fcpause"' '.memory.free_reason == null'
}

# is_the_full FILE: but for free pages.
is_the_full() {
	cp --sparse=always "$1" "$T/copy.mem"
	free_alike "$T/full.mem" "$T/copy.mem"
	cmp "$T/full.mem" "$T/copy.mem"
	rm "$T/copy.mem"
}

# merge OUT BASE LAYER…
merge() {
	local out=$1 base=$2 layer
	local -a layers
	shift 2
	for layer; do layers+=(--layer "$layer"); done
	fcp merge --json --base "$base" "${layers[@]}" --out "$out"
	expect 0
	expect_json '.created' '.holes == "zero"' '[.layers[] | .cloned_bytes + .copied_bytes + .zero_bytes == .data_bytes] | all'
}

@test "the snapshot to begin with" {
	on_xfs
	boot
	workload
	snap "$X/a"
	expect 0
	expect_json '.writer == "fcpause"' '.id != null'
	keep_disk a
	stop_vm
}

@test "a layer, after a build: merged it is the Full beside it, and what snapshot-editor makes; Firecracker loads it" {
	local before sum
	on_xfs
	from a "$X/a.mem"
	guest 'dd if=/dev/zero of=/root/object bs=1M count=50; sync; rm /root/object
		dd if=/dev/zero of=/tmp/big bs=1M count=150; rm /tmp/big; dd if=/dev/urandom of=/tmp/more bs=1M count=1' 2>/dev/null
	sum=$(guest 'md5sum </tmp/more')
	layer_and_full l
	[ "$(on_disk "$X/l.mem")" -lt $((16 * MIB)) ]
	figure layer_after_build '{paused_ms, memory, bytes: $bytes}' --argjson bytes "$(on_disk "$X/l.mem")"
	before=$(md5sum "$X/a.mem" "$X/l.mem")
	merge "$X/m.mem" "$X/a.mem" "$X/l.mem"
	expect_json ".base.cloned_bytes > 60 * $MIB" '.base.copied_bytes == 0' '.layers[0] | .cloned_bytes > 0 and .copied_bytes == 0' \
		".id == $(jq .id "$T/layer")"
	figure layer_merge_reflinks '{ms, base, layers}'
	[ "$(md5sum "$X/a.mem" "$X/l.mem")" = "$before" ]
	is_the_full "$X/m.mem"
	rm "$T"/full.*
	if command -v snapshot-editor >/dev/null; then
		cp --sparse=always "$X/a.mem" "$T/edited"
		snapshot-editor edit-memory rebase --memory-path "$T/edited" --diff-path "$X/l.mem"
		cmp "$T/edited" "$X/m.mem"
		rm "$T/edited"
	fi
	put_disk l
	is_whole "$X/l.snap" "$X/m.mem"
	[ "$(guest 'md5sum </tmp/more')" = "$sum" ]
	stop_vm
	rm "$X"/l.* "$X/m.mem"
}

# The guest works for so many seconds, and idles in between: files in memory and on the disk come, change, and go, and
# so do processes. A piece of it is short enough for one run of exec.
work() {
	local left=$1 piece
	while [ "$left" -gt 0 ]; do
		piece=$((left < 120 ? left : 120))
		guest 'mkdir -p /tmp/work /root/work
			now() { cut -d. -f1 /proc/uptime; }
			end=$(($(now) + '$piece')) i=$(cat /tmp/work/count 2>/dev/null || echo 0)
			while [ "$(now)" -lt $end ]; do
				i=$((i + 1))
				head -c $((65536 * (1 + i % 24))) /dev/urandom >/tmp/work/$((i % 9))
				head -c $((65536 * (1 + i % 16))) /dev/urandom >/root/work/$((i % 11))
				gzip -c /tmp/work/$((i % 9)) | sort >/root/work/sorted
				rm -f /tmp/work/$((i * 4 % 9)) /root/work/$((i * 3 % 11))
				sleep 1
			done
			echo $i >/tmp/work/count; sync'
		left=$((left - piece))
	done
}
worked() { guest 'md5sum /tmp/work/* /root/work/*'; }

@test "a chain of five layers, each of a VM restored from the merge before, with work between: each merge is its Full" {
	local i previous=a memory=a layers=()
	on_xfs
	for i in 1 2 3 4 5; do
		from "$previous" "$X/$memory.mem"
		[ $i = 1 ] || worked | diff "$DIR/worked" -
		work "$FCPAUSE_LIVE_WORK_SECONDS"
		worked >"$DIR/worked"
		layer_and_full l$i
		figure "layer_chain_$i" '{paused_ms, memory}'
		layers+=("$X/l$i.mem")
		merge "$X/m$i.mem" "$X/a.mem" "${layers[@]}"
		expect_json ".layers | length == $i" ".id == $(jq .id "$T/layer")"
		is_the_full "$X/m$i.mem"
		rm "$T"/full.*
		# One merge of all is the same as one after the other.
		merge "$T/step.mem" "$X/$memory.mem" "$X/l$i.mem"
		cmp "$T/step.mem" "$X/m$i.mem"
		rm "$T/step.mem"
		[ "$previous" = a ] || rm "$X/$previous".{snap,disk} "$X/$memory.mem"
		previous=l$i memory=m$i
	done
	put_disk l5
	is_whole "$X/l5.snap" "$X/m5.mem"
	worked | diff "$DIR/worked" -
	stop_vm
	# Of one that is missing nothing is made.
	fcp merge --base "$X/a.mem" --layer "$X/l1.mem" --layer "$X/l3.mem" --out "$X/x.mem"
	expect 1
	expect_err 'a layer between them is missing'
	[ ! -e "$X/x.mem" ]
}

@test "the chain merged where there are no reflinks: the same bytes, and Firecracker loads it" {
	on_xfs
	merge "$T/m.mem" "$X/a.mem" "$X"/l[1-5].mem
	expect_json '.base.cloned_bytes == 0' ".base.copied_bytes > 60 * $MIB" '[.layers[].cloned_bytes] | add == 0'
	figure layer_merge_copied '{ms, base, layers}'
	cmp "$T/m.mem" "$X/m5.mem"
	put_disk l5
	is_whole "$X/l5.snap" "$T/m.mem"
	worked | diff "$DIR/worked" -
	stop_vm
	rm "$X"/l[1-5].* "$X/m5.mem"
}

@test "Diffs that Firecracker wrote, with dirty tracking: merged with their Full they are the Full beside, and it loads" {
	local i
	boot --track
	workload
	snap "$T/base" --type full --resume
	expect 0
	for i in 1 2; do
		guest 'dd if=/dev/urandom of=/tmp/more'$i' bs=1M count=10 2>/dev/null; dd if=/dev/zero of=/tmp/big bs=1M count=30 2>/dev/null; rm /tmp/big'
		[ $i = 1 ] || ip link set "$TAP" down
		snap "$T/diff$i" --type diff $([ $i = 2 ] || echo --resume)
		expect 0
		expect_json '.layer' '.writer == "firecracker"'
	done
	snap "$T/beside" --type full
	expect 0
	ip link set "$TAP" up
	stop_vm
	fcp merge --json --base "$T/base.mem" --layer "$T/diff1.mem" --layer "$T/diff2.mem" --out "$T/m.mem" --any-base
	expect 0
	cmp "$T/m.mem" "$T/beside.mem"
	rm "$T"/{base,diff1,beside}.*
	is_whole "$T/diff2.snap" "$T/m.mem"
	stop_vm
}

# What a file's extents share with another file's, by FIEMAP.
shared_bytes() { filefrag -v -b4096 "$1" | awk '/shared/ { gsub(":", ""); blocks += $6 } END { print blocks * 4096 }'; }

# A disk with blocks of 4 KiB, as a page has: those of the small image are shorter, and lie between.
boot_with_larger_blocks() {
	mkdir -p "$T/root" "$T/images"
	debugfs -R "rdump / $T/root" "$FCPAUSE_LIVE_IMAGES/guest.ext4" 2>/dev/null
	mke2fs -q -t ext4 -b 4096 -d "$T/root" "$T/images/guest.ext4" 192M
	ln -sf "$FCPAUSE_LIVE_IMAGES"/guest.{vmlinux,initrd} "$T/images"
	FCPAUSE_LIVE_IMAGES=$T/images boot
	rm -r "$T/root"
}

# What is on the disk is in the page cache, too; and what the VM has not changed is in its base.
@test "shared with the base and with the disk: it loads, though the base is gone and the disk rewritten by then" {
	"$REAL_FCPAUSE" snapshot --help=all | grep -q -- --share= || skip 'fcpause snapshot has no --share'
	local sum
	on_xfs
	boot_with_larger_blocks
	workload
	snap "$X/b"
	expect 0
	keep_disk b
	from b "$X/b.mem"
	guest 'dd if=/dev/urandom of=/root/object bs=1M count=10; sync; dd if=/dev/urandom of=/tmp/more bs=1M count=3' 2>/dev/null
	sum=$(guest 'md5sum /root/object /tmp/more')
	ip link set "$TAP" down
	api PATCH /vm '{"state":"Paused"}'
	keep_disk s
	snap "$X/plain"
	expect 0
	snap "$X/s" --share "$X/b.mem" --share "$X/s.disk" --verify
	expect 0
	ip link set "$TAP" up
	figure layer_share '{paused_ms, memory}'
	cmp "$X/s.mem" "$X/plain.mem"
	# The pages of the file that the guest has written are the disk's.
	sync "$X/s.mem" "$X/plain.mem"
	[ "$(shared_bytes "$X/s.mem")" -ge $(($(shared_bytes "$X/plain.mem") + 8 * MIB)) ]
	put_disk s
	rm "$X/b.mem"
	dd if=/dev/urandom of="$X/s.disk" bs=1M count=192 conv=notrunc 2>/dev/null
	cmp "$X/s.mem" "$X/plain.mem"
	rm "$X"/plain.*
	is_whole "$X/s.snap" "$X/s.mem"
	[ "$(guest 'md5sum /root/object /tmp/more')" = "$sum" ]
	stop_vm
}

# What another VM of the same image has in its memory, and what is on the disk, is not stored again, of a VM that was
# booted and used, with nothing reclaimed. 30 MiB of random bytes in its tmpfs (workload) can be stored nowhere else.
# Three of each: the first shared one builds the indexes too.
@test "booted, the page cache left alone: shared with the disk and with the memory of another VM of the same image" {
	local i
	on_xfs
	boot_with_larger_blocks
	workload
	snap "$X/other"
	expect 0
	stop_vm
	boot_with_larger_blocks
	workload
	guest 'find / -xdev -type f -exec cat {} + >/dev/null; cat /sbin/* /bin/* /lib/*/* >/dev/null; sync' 2>/dev/null || true
	ip link set "$TAP" down
	api PATCH /vm '{"state":"Paused"}'
	keep_disk c && sync "$X/c.disk"
	for i in 1 2 3; do
		snap "$X/plain" --force
		expect 0
		cp "$T/out" "$T/plain$i"
		snap "$X/c" --share "$X/c.disk" --share "$X/other.mem" --force
		expect 0
		cp "$T/out" "$T/shared$i"
	done
	ip link set "$TAP" up
	sync "$X/c.mem" "$X/plain.mem"
	figure booted_share '{memory, plain: $plain, shared: $shared, stored_bytes: $stored, plain_bytes: $bytes}' \
		--argjson plain "$(jq -s 'map({ms, paused_ms, downtime_ms})' "$T"/plain?)" \
		--argjson shared "$(jq -s 'map({ms, paused_ms, downtime_ms})' "$T"/shared?)" \
		--argjson stored "$(($(on_disk "$X/c.mem") - $(shared_bytes "$X/c.mem")))" \
		--argjson bytes "$(on_disk "$X/plain.mem")"
	cmp "$X/c.mem" "$X/plain.mem"
	[ $(($(on_disk "$X/c.mem") - $(shared_bytes "$X/c.mem"))) -le $(((30 + 35) * MIB)) ]
	put_disk c
	rm "$X"/{other,plain}.*
	is_whole "$X/c.snap" "$X/c.mem"
	stop_vm
}
