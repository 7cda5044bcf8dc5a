#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The memory file of an arm64 guest, as Firecracker lays it out there (tests/unit/guest_arm64): it is read
# on every host.

load helpers

@test "an arm64 guest's memory file: what each page is" {
	local free
	guest_file x86_64.mem
	guest_file arm64.mem arm64
	fcp inspect --json --mem-file-path x86_64.mem
	expect 0
	free=$(jq .classes.free.bytes out)
	# The two have the same free blocks.
	fcp inspect --json --mem-file-path arm64.mem
	expect 0
	expect_json '.status == "ok"' '.mem_file.logical_bytes == 67108864' ".classes.free.bytes == $free" \
		".classes.free.allocated_bytes == $free" '.guest.release != null'
}

@test "an arm64 guest's memory file: its free pages are released, and no other byte changes" {
	local start length
	guest_file mem arm64
	cp mem expected
	fcp madvise-ranges --list --find free --mem-file-path mem
	expect 0
	while read -r start length _; do
		dd if=/dev/zero of=expected bs=4096 seek=$((start / 4096)) count=$((length / 4096)) conv=notrunc status=none
	done < <(grep '^[0-9]' out)
	run ! cmp -s mem expected
	fcp madvise-ranges --json --find free --mem-file-path mem
	expect 0
	expect_json '.status == "ok"' '.released_bytes > 10000000'
	cmp mem expected
}

@test "an arm64 guest: what is not supported is refused with the reason, and nothing is released" {
	local at
	guest_file mem arm64
	at=$(grep -abo PAGESIZE=4096 mem | head -n 1 | cut -d: -f1)
	printf 'PAGESIZE=8192' | dd of=mem bs=1 seek="$at" conv=notrunc status=none
	cp mem before
	fcp madvise-ranges --json --find free --mem-file-path mem
	expect 3
	expect_json '.reason | test("vmcoreinfo.* 8 KiB")'
	cmp mem before
}
