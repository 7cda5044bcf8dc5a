#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A snapshot shares storage with other files. What is in it is compared with a plain
# one of the same VM, byte for byte; whether storage is shared is asked of the file system (FIEMAP).

load writer
load reflinks

setup_file() { export BATS_TEST_TIMEOUT=180; }

# A booted VM of 64 MiB, whose memory is in plain.mem, and a disk image with all of it in 1 MiB pieces, the
# last one first, 12 KiB behind where pieces would be.
booted() {
	sim_start --boot --no-envd --memory 64 --workload "${1:-20,10,8}"
	snap plain --resume
	expect 0
	disk_of plain.mem
}

shared() {
	expect 0
	expect_json '.status == "ok"' '.writer == "fcpause"' \
		'.memory | .zero_bytes + .base_equal_bytes + .shared_bytes + .written_bytes == .changed_bytes' \
		'.memory | .shared_bytes == ([.shares[].shared_bytes] | add)' "$@"
}

# The unit test's own, where pages can be shared.
units() {
	local unit=${FCPAUSE%/*}/unit/memory_share_test
	[ -x "$unit" ] || skip 'the unit test is not built'
	"$unit" m >units 2>&1 || { cat units; false; }
	run ! grep -q SKIP units
}

booted_shares() {
	local sum
	booted
	sum=$(sha256sum m/disk)
	snap m/a --share m/disk --verify --resume
	shared '.memory.written_bytes < 1048576' '.memory.shared_bytes > 20000000' '.memory.verified' \
		'.memory.shares | length == 1' '.memory.shares[0] | .path == "m/disk" and .frozen and .index == "built"'
	expect_no_err
	cmp m/a.mem plain.mem
	is_shared m/a.mem "$(jq .memory.shared_bytes out)"
	# The index is there now, and the same is found by it.
	jq .memory.shared_bytes out >first
	[ -s m/disk.fcpause-index ]
	[ "$(sha256sum m/disk)" = "$sum" ]
	snap m/b --share m/disk --resume
	shared '.memory.shares[0].index == "read"' ".memory.shared_bytes == $(<first)" '.memory.buffered'
	cmp m/b.mem plain.mem
	# What becomes of the disk is nothing to the snapshots.
	dd if=/dev/urandom of=m/disk bs=1M count=64 conv=notrunc status=none
	cmp m/a.mem plain.mem
	rm m/disk m/b.mem
	sync -f m
	cmp m/a.mem plain.mem
	loads_pair m/a.snap m/a.mem loaded
}

restored_shares() {
	local sum
	booted
	cp --reflink=never plain.mem m/base.mem
	cp plain.snap m/base.snap
	sum=$(sha256sum m/base.mem m/disk)
	loads_pair m/base.snap m/base.mem restored
	sim_put /sim/workload '{"fill_mib":4,"free_mib":3}'
	for kind in '' --layer; do
		# shellcheck disable=SC2086
		snap m/plain$kind $kind --verify --resume
		expect 0
		# shellcheck disable=SC2086
		snap m/a$kind $kind --share m/disk --verify --resume
		shared '.memory.verified' '.memory.shares | length == 2' '.memory.shares[1].path | endswith("/base.mem")'
		cmp m/a$kind.mem m/plain$kind.mem
		same_holes m/a$kind.mem m/plain$kind.mem
	done
	[ "$(sha256sum m/base.mem m/disk)" = "$sum" ]
	# They can go.
	sim_stop
	cp --reflink=never m/plain.mem m/plain--layer.mem .
	rm m/base.mem m/disk m/plain.mem m/plain--layer.mem
	sync -f m
	cmp m/a.mem plain.mem
	cmp m/a--layer.mem plain--layer.mem
	loads_pair m/a.snap m/a.mem again
}

@test "XFS: a booted VM's memory is shared with its disk" {
	fs_mounted xfs
	booted_shares
}

@test "btrfs: a booted VM's memory is shared with its disk" {
	fs_mounted btrfs
	booted_shares
}

@test "XFS: a restored VM, a whole file and a layer" {
	fs_mounted xfs
	restored_shares
}

@test "XFS, btrfs: what the unit test says" {
	fs_mounted xfs
	units
	fs_unmount
	fs_mounted btrfs
	units
}

# Pages that were moved: what was the base's first half is its second one now.
@test "XFS: what stands elsewhere in the base is shared too" {
	fs_mounted xfs
	booted
	sim_stop
	cp --reflink=never plain.mem m/base.mem
	fcp share --json --mem-file-path m/base.mem --share m/disk
	expect 0
	loads_pair plain.snap m/base.mem restored
	sim_put /sim/workload '{"fill_mib":4}'
	snap m/plain --verify --resume
	# The disk has nothing of it.
	head -c 1048576 /dev/urandom >m/other
	snap m/a --share m/other --verify
	shared '.memory.shares[0].shared_bytes == 0' '.memory.shares[1].frozen'
	cmp m/a.mem m/plain.mem
}

@test "XFS: a disk that is written all the time" {
	local i writer
	fs_mounted xfs
	booted 8,2,2
	cp --reflink=never m/disk other
	while [ ! -e stop ]; do
		dd if=/dev/urandom of=m/disk bs=1M count=64 conv=notrunc,fsync status=none
		dd if=other of=m/disk bs=1M conv=notrunc,fsync status=none
	done 3>&- &
	writer=$!
	for ((i = 0; i < 12; i++)); do
		snap m/a --share m/disk --verify --resume --force || break
		[ "$status" -eq 0 ] && cmp m/a.mem plain.mem || break
		jq .memory.shared_bytes out >>found
	done
	touch stop
	wait $writer
	[ $i -eq 12 ]
	shared
}

@test "XFS: checkpoints over each other, each sharing with the one before" {
	local i
	fs_mounted xfs
	booted 20,2,2
	snap m/a --resume
	for i in 1 2 3; do
		sim_put /sim/workload '{"fill_mib":1}'
		snap plain --resume --force
		snap m/a --resume --force --share m/a.mem
		shared '.memory.written_bytes < 2097152' '.memory.shared_bytes > 20000000'
		cmp m/a.mem plain.mem
		[ "$(find m -name '*.fcpause-tmp' -o -name '*.fcpause-old')" = '' ]
	done
	loads_pair m/a.snap m/a.mem loaded
}

@test "runs that are shorter than --min-run are written" {
	fs_mounted xfs
	booted 8,2,2
	snap m/a --share m/disk --resume
	shared
	jq .memory.shared_bytes out >all
	snap m/b --share m/disk --min-run 64K --resume
	shared ".memory.shared_bytes <= $(<all)" '.settings.min_run.value == 65536'
	cmp m/b.mem plain.mem
	snap m/c --share m/disk --min-run 2M --resume
	shared '.memory.shared_bytes == 0'
	snap m/d --share m/disk --min-run 5000
	expect 2
	expect_err '--min-run'
}

@test "pause --share; the text says how much" {
	fs_mounted xfs
	booted 8,2,2
	fcp pause --find zero --api-sock "$SIM_SOCK" --snapshot-path m/a.snap --mem-file-path m/a.mem --share m/disk
	expect 0
	expect_no_err
	grep -qE 'of 64.0 MiB \(67108864 bytes\) written, [0-9.]+ MiB \([0-9]+ bytes\) shared' out
	cmp m/a.mem plain.mem
}

# It said once that nothing is shared, and why.
plainly() {
	expect 0
	expect_json '.memory.shared_bytes == 0' '.memory.shares | all(.frozen == false and .index == null and .shared_bytes == 0)' \
		'.warnings | length == 1' ".warnings[0] | contains(\"$1\")"
	[ "$(wc -l <err)" -eq 1 ]
}

@test "ext4, tmpfs: written plainly, with one warning" {
	local kind
	fs_mounted ext4
	booted 8,2,2
	cp m/disk m/disk2
	snap m/a --share m/disk --share m/disk2 --verify --resume
	plainly 'no storage is shared with m/disk and 1 more: the file system has no reflinks'
	cmp m/a.mem plain.mem
	fs_unmount
	mount -t tmpfs -o size=300m tmpfs m || skip 'no tmpfs here'
	FS_MOUNTED=1
	disk_of plain.mem
	snap m/a --share m/disk --verify
	plainly 'no reflinks'
	cmp m/a.mem plain.mem
	[ ! -e m/disk.fcpause-index ]
}

@test "a file on another file system: written plainly, and the one beside it is shared" {
	fs_mounted xfs
	booted 8,2,2
	cp m/disk disk
	snap m/a --share disk --share m/disk --resume
	expect 0
	expect_json '.memory.shares | .[0].frozen == false and .[1].frozen and .[1].shared_bytes > 0' \
		'.warnings == ["no storage is shared with disk: it is on another file system"]'
	cmp m/a.mem plain.mem
}

@test "where Firecracker writes nothing is shared, and a warning says so" {
	booted_here
	for who in '--writer firecracker' '--type full'; do
		# shellcheck disable=SC2086
		snap a --share disk $who --resume --force
		expect 0
		expect_json '.writer == "firecracker"' '.warnings | length == 1 and (.[0] | contains("no storage is shared"))'
	done
}
booted_here() {
	sim_start --boot --no-envd --memory 16
	head -c 65536 /dev/urandom >disk
}

@test "refused before the pause: no file, no regular file, one file twice" {
	booted_here
	ln disk link
	snap a --share none
	expect 1
	expect_err 'none'
	snap a --share /dev/null
	expect 1
	expect_err 'not a regular file'
	snap a --share disk --share link
	expect 1
	expect_err 'are the same file'
	run ! grep -q PATCH "$SIM_LOG"
	no_leftovers
}

@test "usage: an empty name, too many; the plan names them all" {
	local many=() i
	for ((i = 0; i < 17; i++)); do many+=(--share "f$i"); done
	fcp snapshot --api-sock s --snapshot-path s --mem-file-path m "${many[@]}"
	expect 2
	expect_err 'more than 16'
	fcp snapshot --api-sock s --snapshot-path s --mem-file-path m --share ''
	expect 2
	fcp pause --json -n --api-sock s --snapshot-path s --mem-file-path m --share a --share b
	expect 0
	expect_json '.settings.share == {"value": ["a", "b"], "origin": "cli"}'
	FCPAUSE_SHARE=c fcp pause --json -n --api-sock s --snapshot-path s --mem-file-path m
	expect 0
	expect_json '.settings.share == {"value": ["c"], "origin": "env"}'
	FCPAUSE_SHARE=c fcp pause --json -n --api-sock s --snapshot-path s --mem-file-path m --share a
	expect 0
	expect_json '.settings.share == {"value": ["a"], "origin": "cli"}'
}
