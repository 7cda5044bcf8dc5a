#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `inspect --share` tells what of a memory file stands in a disk, on any file system.

load writer
load reflinks

inspect() { COLUMNS=80 fcp inspect "$@"; }

# 32 MiB of memory: a MiB of its own, 20 MiB of the disk elsewhere, pages of zeros that are data.
files() {
	head -c 24M /dev/urandom >disk
	truncate -s 32M vm.mem
	head -c 1M /dev/urandom | dd of=vm.mem conv=notrunc status=none
	dd if=disk of=vm.mem bs=4096 skip=512 seek=768 count=5000 conv=notrunc status=none
	dd if=disk of=vm.mem bs=4096 skip=3 seek=6000 count=7 conv=notrunc status=none
	dd if=/dev/zero of=vm.mem bs=4096 seek=7000 count=9 conv=notrunc status=none
}
FOUND=$((5007 * 4096))

@test "what a disk has, and what sharing would store; nothing is written beside it" {
	files
	inspect --mem-file-path vm.mem --share disk --json
	expect_json ".same == {share: {bytes: $FOUND, allocated_bytes: $FOUND}}" '.share_bytes == 1048576' \
		'.layer_bytes == null' ".classes.unknown.same.share.bytes == $FOUND" '.base_file == null'
	[ "$(find . -name '*fcpause-index')" = '' ]
	inspect --mem-file-path vm.mem --share disk
	grep -qE "^same as disk +19\.6 MiB +$FOUND " out
	grep -qE '^share stores +1\.0 MiB +1048576 ' out
	run ! grep -qE '^(same as base|layer stores)' out
	grep -q '╍ same as disk\|D same as disk' out
}

@test "runs that are shorter than --min-run are not found" {
	files
	inspect --mem-file-path vm.mem --share disk --min-run 32K --json
	expect_json ".same.share.bytes == $((5000 * 4096))" ".share_bytes == $((1048576 + 7 * 4096))"
	inspect --mem-file-path vm.mem --share disk --min-run 5000
	expect 2
	expect_err '--min-run: 5000 is no multiple of a page'
}

@test "with a base, what the disk has beyond it" {
	files
	cp vm.mem base.mem
	dd if=disk of=vm.mem bs=4096 skip=100 seek=1000 count=50 conv=notrunc status=none
	head -c 8192 /dev/urandom | dd of=vm.mem bs=4096 seek=3000 conv=notrunc status=none
	inspect --mem-file-path vm.mem --base base.mem --holes zero --share disk --json
	expect_json ".same.share.bytes == $((50 * 4096))" '.share_bytes == 8192' ".layer_bytes == $((52 * 4096))"
	inspect --mem-file-path vm.mem --base base.mem --holes zero --share disk
	[ "$(grep -cE '^(same as base|same as disk|layer stores|share stores)' out)" = 4 ]
}

@test "before and after: the difference" {
	files
	cp vm.mem after.mem
	head -c 1M /dev/urandom | dd of=after.mem bs=1M seek=30 conv=notrunc status=none
	inspect --before vm.mem --after after.mem --share disk --json
	expect_json '.difference.share_bytes == 1048576' '.before.share_bytes == 1048576'
	inspect --before vm.mem --after after.mem --share disk
	grep -qE '^share stores .* \+1048576$' out
	inspect --before vm.mem --after after.mem --share disk --svg picture.svg
	grep -q 'a file that shares its storage would store 2.0 MiB' picture.svg
	grep -q 'same as disk' picture.svg
}

@test "it is what fcpause share stores then" {
	fs_mounted xfs
	files
	cp disk vm.mem m
	inspect --mem-file-path m/vm.mem --share m/disk --json
	local told
	told=$(jq .share_bytes out)
	# cp(1) has made holes of the zeros.
	fcp share --json --mem-file-path m/vm.mem --share m/disk
	expect_json ".mem_file.own_bytes == $told"
	# Its index is used.
	inspect --mem-file-path m/vm.mem --share m/disk --json
	expect_json ".share_bytes == $told"
}

@test "refused: no file, the file itself, one twice; a disk that cannot be indexed is told" {
	files
	inspect --mem-file-path vm.mem --share nope
	expect 1
	expect_err 'nope: No such file'
	inspect --mem-file-path vm.mem --share vm.mem
	expect 2
	expect_err 'vm.mem is the memory file itself'
	inspect --mem-file-path vm.mem --share disk --share ./disk
	expect 1
	expect_err 'are the same file'
	inspect --mem-file-path vm.mem --share .
	expect 1
	expect_err 'not a regular file'
}

@test "an index that lies is not believed" {
	files
	fs_mounted xfs
	cp disk vm.mem m
	fcp share --json --mem-file-path m/vm.mem --share m/disk
	[ -e m/disk.fcpause-index ]
	# As long, and with the same times, but with other bytes.
	touch -r m/disk stamp
	head -c 24M /dev/urandom >other
	dd if=other of=m/disk bs=1M conv=notrunc status=none
	touch -r stamp m/disk
	inspect --mem-file-path m/vm.mem --share m/disk --json
	expect_json '.same.share.bytes == 0'
}
