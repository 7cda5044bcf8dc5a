#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# On file systems with reflinks a merge shares its storage with the base and the layers,
# and none of them changes by what is written to the others afterwards.

load helpers

setup_file() { export BATS_TEST_TIMEOUT=120; }

MIB=1048576

# fs_with KIND MKFS…: skips where that file system cannot be made or mounted here.
fs_with() {
	[ "$(id -u)" = 0 ] || skip 'needs root to mount'
	command -v "mkfs.$1" >/dev/null || skip "mkfs.$1 is not installed"
	truncate -s 600M image
	"mkfs.$1" -q "${@:2}" image
	mkdir m
	unshare -m true 2>/dev/null || skip 'no mount namespaces here'
	unshare -m mount -o loop image m 2>mount.err || skip "no loop mounts here: $(<mount.err)"
}

# Base of 100 MiB of data in 128, a layer of 10 MiB in two places with a MiB of zeros; what they must make.
make_files='
	truncate -s 128M base layer
	dd if=/dev/urandom of=base bs=1M count=100 conv=notrunc status=none
	dd if=/dev/urandom of=layer bs=1M seek=20 count=9 conv=notrunc status=none
	dd if=/dev/urandom of=layer bs=4096 seek=30001 count=7 conv=notrunc status=none
	dd if=/dev/zero of=layer bs=1M seek=50 count=1 conv=notrunc status=none
	cp --reflink=never base expected
	dd if=layer of=expected bs=1M skip=20 seek=20 count=9 conv=notrunc status=none
	dd if=layer of=expected bs=4096 skip=30001 seek=30001 count=7 conv=notrunc status=none
	dd if=/dev/zero of=expected bs=1M seek=50 count=1 conv=notrunc status=none
	sync -f .
	used() { sync -f .; df -B1 --output=used . | tail -1; }
'

# in_mount COMMANDS: a shell in m, in a mount namespace of its own.
in_mount() {
	# shellcheck disable=SC2097,SC2098 # the values as they are here
	T=$T FCPAUSE=$FCPAUSE unshare -m bash -euc "mount -o loop '$T/image' '$T/m'; cd '$T/m'; $make_files $1"
}

merges='
	sums=$(sha256sum base layer)
	before=$(used)
	"$FCPAUSE" merge --json --base base --layer layer --out out --any-base >"$T/out" 2>"$T/err" 3>&-
	[ $(($(used) - before)) -le $((4 << 20)) ]
	cmp out expected
	[ "$(sha256sum base layer)" = "$sums" ]
	# A write to one is nobody else'"'"'s.
	dd if=/dev/zero of=out bs=1M seek=1 count=1 conv=notrunc status=none
	dd if=/dev/zero of=out bs=1M seek=21 count=1 conv=notrunc status=none
	[ "$(sha256sum base layer)" = "$sums" ]
	rm base layer
	dd if=expected of=out bs=1M skip=1 seek=1 count=1 conv=notrunc status=none
	dd if=expected of=out bs=1M skip=21 seek=21 count=1 conv=notrunc status=none
	cmp out expected
'

shared() {
	in_mount "$merges"
	status=0
	expect_json '.status == "ok"' ".base.cloned_bytes == $((100 * MIB))" '.base.copied_bytes == 0' \
		'.layers[0].copied_bytes == 0' ".layers[0].cloned_bytes == $((9 * MIB + 7 * 4096))" \
		".layers[0].zero_bytes == $MIB"
}

@test "XFS: base and layer are shared, not copied" {
	fs_with xfs
	shared
}

@test "btrfs: base and layer are shared, not copied" {
	fs_with btrfs
	shared
}

@test "ext4: copied, with the holes" {
	fs_with ext4
	in_mount '
		"$FCPAUSE" merge --json --base base --layer layer --out out --any-base >"$T/out" 2>"$T/err" 3>&-
		cmp out expected'
	status=0
	expect_json '.base.cloned_bytes == 0' ".base.copied_bytes == $((90 * MIB))" '.layers[0].cloned_bytes == 0' \
		".layers[0].zero_bytes == $MIB" ".mem_file.allocated_bytes < $((101 * MIB))"
}

@test "the base on one file system, the file on another: the layer beside it is shared all the same" {
	fs_with xfs
	# Room is there for what is copied, 90 MiB, and not for the layer, too.
	in_mount '
		cp base "$T/base" && rm base && sync -f .
		fallocate -l $(($(df -B1 --output=avail . | tail -1) - (97 << 20))) filler
		"$FCPAUSE" merge --json --base "$T/base" --layer layer --out out --any-base >"$T/out" 2>"$T/err" 3>&-
		cmp out expected'
	status=0
	expect_json ".base.copied_bytes == $((90 * MIB))" ".layers[0].cloned_bytes == $((9 * MIB + 7 * 4096))"
}
