#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `fcpause share` lets a memory file that is there share its storage with other files.
# The content is compared with a copy; whether storage is shared is asked of the file system (FIEMAP).

load writer
load reflinks

setup_file() { export BATS_TEST_TIMEOUT=180; }

share() { fcp share --json --mem-file-path m/vm.mem --share m/disk "$@"; }

# 32 MiB of memory: a MiB of its own, a hole, 20 MiB of the disk in other places, a MiB of its own, a page
# of zeros that is data, a hole to the end. The disk has 40 MiB of its own.
make_files() {
	head -c 40M /dev/urandom >m/disk
	truncate -s 32M m/vm.mem
	head -c 1M /dev/urandom | dd of=m/vm.mem conv=notrunc status=none
	dd if=m/disk of=m/vm.mem bs=4096 skip=2560 seek=768 count=2560 conv=notrunc status=none
	dd if=m/disk of=m/vm.mem bs=4096 skip=17 seek=3328 count=2543 conv=notrunc status=none
	dd if=m/disk of=m/vm.mem bs=4096 skip=9000 seek=5871 count=17 conv=notrunc status=none
	head -c 1M /dev/urandom | dd of=m/vm.mem bs=1M seek=23 conv=notrunc status=none
	dd if=/dev/zero of=m/vm.mem bs=4096 seek=6144 count=1 conv=notrunc status=none
	cp --reflink=never --sparse=never m/vm.mem expected
	# Records what its holes mean, and releases nothing.
	fcp madvise-ranges --mem-file-path m/vm.mem --holes zero --find zero --min-run 1G
	chmod 640 m/vm.mem
	sync -f m
	data_of m/vm.mem >data.before
}
# The holes are where they were.
same_data() { data_of m/vm.mem | diff data.before -; }
SHARED=$((5120 * 4096))

# The storage of a file that was replaced is given back a little later.
settle() {
	umount m
	mount -o loop image m
}

used() { sync -f m; df -B1 --output=used m | tail -1; }

shares() {
	local sum before
	make_files
	sum=$(sha256sum m/disk)
	share
	expect 0
	expect_no_err
	expect_json '.status == "ok"' '.replaced' ".shares == [{path: \"m/disk\", frozen: true, index: \"built\", shared_bytes: $SHARED}]" \
		".mem_file.own_before_bytes - .mem_file.own_bytes == $SHARED" '.mem_file.logical_bytes == 33554432' \
		'.mem_file.data_bytes == .mem_file.own_before_bytes' '.holes == "zero"' '.base == null'
	cmp m/vm.mem expected
	same_data
	[ "$(stat -c %a m/vm.mem)" = 640 ]
	is_shared m/vm.mem $SHARED
	[ "$(sha256sum m/disk)" = "$sum" ]
	[ "$(find m -name 'vm.mem*')" = m/vm.mem ]
	fcp inspect --json --mem-file-path m/vm.mem
	expect_json '.holes == "zero"'
	# Once more there is nothing to do, and the file stays.
	before=$(stat -c %i m/vm.mem)
	share
	expect 0
	expect_json '.status == "skipped"' '.replaced == false' '.shares[0].index == "read"' \
		".mem_file.own_bytes == .mem_file.own_before_bytes"
	[ "$(stat -c %i m/vm.mem)" = "$before" ]
	# The disk is written, and goes.
	dd if=/dev/zero of=m/disk bs=1M count=20 conv=notrunc status=none
	cmp m/vm.mem expected
	rm m/disk
	sync -f m
	cmp m/vm.mem expected
	dd if=/dev/urandom of=m/vm.mem bs=1M count=32 conv=notrunc status=none
}

@test "XFS: equal, and shared" {
	fs_mounted xfs
	shares
}

@test "btrfs: equal, and shared" {
	fs_mounted btrfs
	shares
}

@test "XFS: room is gained" {
	local before
	fs_mounted xfs
	make_files
	before=$(used)
	share
	expect 0
	settle
	[ $((before - $(used))) -gt $((SHARED - 2 * MIB)) ]
}

@test "the text says what is left of its own" {
	fs_mounted xfs
	make_files
	fcp share --mem-file-path m/vm.mem --share m/disk --min-run 64K
	expect 0
	grep -qE '^share +ok .* m/vm.mem: 20.0 MiB \([0-9]+ bytes\) more shared; of its own 2.0 MiB \([0-9]+ bytes\), before 22.0 MiB' out
}

@test "several files, the first one first; runs that are shorter than --min-run stay" {
	fs_mounted xfs
	make_files
	dd if=m/disk of=m/first bs=4096 skip=9000 count=17 status=none
	fcp share --json --mem-file-path m/vm.mem --share m/first --share m/disk --min-run 128K
	expect 0
	expect_json '.shares[0].shared_bytes == 0' ".shares[1].shared_bytes == $((5103 * 4096))"
	cmp m/vm.mem expected
	settle
	fcp share --json --mem-file-path m/vm.mem --share m/first --share m/disk
	expect 0
	expect_json '.shares[0].shared_bytes == 69632' '.shares[1].shared_bytes == 0'
	cmp m/vm.mem expected
}

# A layer's holes are the base's bytes: a page of zeros stays data. It is the same memory, with the same id.
@test "a layer stays one, and what is recorded with it" {
	local id base
	fs_mounted xfs
	sim_start --boot --no-envd --memory 64 --workload 20,10,8
	snap m/base
	loads_pair m/base.snap m/base.mem restored
	sim_put /sim/workload '{"fill_mib":4,"free_mib":3}'
	snap m/vm --layer --verify
	expect 0
	id=$(jq .id out) base=$(jq .base out)
	[ "$id" != null ]
	sim_stop
	cp --reflink=never m/vm.mem before.mem
	data_of m/vm.mem >data.before
	disk_of m/vm.mem
	share
	expect 0
	expect_json '.replaced' ".id == $id" ".base == $base" '.holes == "base"' '.mem_file.own_bytes < 1048576'
	cmp m/vm.mem before.mem
	same_data
	fcp merge --json --base m/base.mem --layer m/vm.mem --out m/out.mem
	expect 0
	loads_pair m/vm.snap m/out.mem merged
}

unsupported() {
	expect 3
	expect_json '.status == "unsupported"' '.replaced == false' ".reason | contains(\"$1\")"
	cmp m/vm.mem expected
	[ "$(stat -c %i m/vm.mem)" = "$2" ]
	[ "$(find m -name '*.fcpause-tmp')" = '' ]
}

@test "no reflinks, or another file system: not supported, and nothing is done" {
	local inode
	fs_mounted ext4
	make_files
	inode=$(stat -c %i m/vm.mem)
	share
	unsupported 'has no reflinks' "$inode"
	fs_unmount
	mount -t tmpfs -o size=200m tmpfs m || skip 'no tmpfs here'
	make_files
	inode=$(stat -c %i m/vm.mem)
	share
	unsupported 'has no reflinks' "$inode"
	umount m
	fs_mounted xfs
	make_files
	inode=$(stat -c %i m/vm.mem)
	cp m/disk disk
	fcp share --json --mem-file-path m/vm.mem --share disk
	unsupported 'it is on another file system' "$inode"
}

@test "refused: in use, no file, a link, the file itself, another fcpause's" {
	fs_mounted xfs
	make_files
	exec 7>>m/vm.mem
	share
	exec 7>&-
	expect 1
	expect_json '.error.class == "busy"'
	fcp share --mem-file-path m/none --share m/disk
	expect 1
	expect_err 'none'
	ln -s vm.mem m/link
	fcp share --mem-file-path m/link --share m/disk
	expect 1
	expect_err 'name the file itself'
	share --share m/vm.mem
	expect 2
	expect_err 'is the memory file itself'
	exec 7<m/vm.mem
	flock -x 7
	share
	exec 7>&-
	expect 6
	cmp m/vm.mem expected
	[ "$(find m -name '*.fcpause-tmp')" = '' ]
}

# It may be the only copy of what a VM has written.
@test "refused: what a snapshot that was killed has left is not touched" {
	fs_mounted xfs
	make_files
	echo pages >m/vm.mem.fcpause-tmp
	share
	expect 1
	expect_err 'vm.mem.fcpause-tmp was left by a killed snapshot'
	[ "$(<m/vm.mem.fcpause-tmp)" = pages ]
	cmp m/vm.mem expected
}

@test "refused: a VM runs from it" {
	fs_mounted xfs
	sim_start --boot --no-envd --memory 16 --workload 8,0,0
	snap m/vm
	loads_pair m/vm.snap m/vm.mem restored
	head -c 1M /dev/urandom >m/disk
	share
	expect 1
	expect_err 'in use'
}

@test "usage: what is missing is named; the plan" {
	fcp share --share d
	expect 2
	expect_err '--mem-file-path'
	fcp share --mem-file-path f
	expect 2
	expect_err '--share'
	fcp share --mem-file-path f --share d --min-run 5000
	expect 2
	fcp share --json -n --mem-file-path f --share d --share e
	expect 0
	expect_json '.settings.share.value == ["d", "e"]' '.steps[0].step == "share"'
}
