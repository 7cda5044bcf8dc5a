# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# File systems of a test's own, at m: `load reflinks` behind the other helpers.
#
#   fs_mounted KIND [MKFS-OPTION…]   makes one and mounts it; skips with the reason where that cannot be done
#   fs_unmount                       before another one; at the end of a test it is done anyway
#   disk_of FILE                     m/disk: the file's MiBs, the last one first, 12 KiB behind its place
#   is_shared FILE BYTES             so many of its bytes are shared by the file system's own word
#   data_of FILE                     where its data and its holes begin
#   same_holes A B                   both have data at the same places

# Not with the others: they may be at it still.
eval "reflinks_$(declare -f teardown)"
teardown() {
	reflinks_teardown
	fs_unmount
}

fs_mounted() {
	[ "$(id -u)" = 0 ] || skip 'needs root to mount'
	command -v "mkfs.$1" >/dev/null || skip "mkfs.$1 is not installed"
	command -v xfs_io >/dev/null || skip 'xfs_io is not installed'
	rm -f image
	truncate -s 700M image
	case $1 in ext4) set -- "$@" -F ;; esac
	"mkfs.$1" -q "${@:2}" image >mkfs.out 2>&1
	mkdir -p m
	mount -o loop image m 2>mount.err || skip "no loop mounts here: $(<mount.err)"
	FS_MOUNTED=1
}

fs_unmount() {
	[ -z "${FS_MOUNTED:-}" ] || umount "$T/m" || umount -l "$T/m"
	FS_MOUNTED=
}

disk_of() {
	local i count=$(($(stat -c %s "$1") / 1048576))
	truncate -s 12288 m/disk
	for ((i = count - 1; i >= 0; i--)); do
		dd if="$1" bs=1M skip=$i count=1 status=none
	done >>m/disk
}

# filefrag's table: "EXT: LOGICAL..LOGICAL: PHYSICAL..PHYSICAL: LENGTH: [EXPECTED:] FLAGS", in blocks of 4 KiB.
shared_bytes() {
	filefrag -s -v -b4096 "$1" | awk '/shared/ { gsub(/[.:]+/, " "); blocks += $6 } END { print blocks * 4096 }'
}

is_shared() {
	command -v filefrag >/dev/null || skip 'filefrag is not installed'
	local bytes
	bytes=$(shared_bytes "$1")
	[ "$bytes" -ge "$2" ] || _show "$1: $bytes bytes are shared, not $2"
}

data_of() {
	xfs_io -r -c 'seek -a -r 0' "$1"
}
same_holes() {
	diff <(data_of "$1") <(data_of "$2")
}
