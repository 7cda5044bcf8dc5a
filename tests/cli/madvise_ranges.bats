#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# madvise-ranges:
#  - --mem-file-path, --find zero, --ranges FILE|-, --list, --min-run, --dry-run
#  - holes by fallocate(PUNCH_HOLE|KEEP_SIZE): the file reads as before, its length stays
#  - checks the result; reports logical, allocated before and after
#  - `--list` prints what `--ranges -` reads, so that they pipe
#  - holes that nobody explained, in a file that may be a layer: refused; --holes zero|base
#  - a memory file that any process maps or holds open for writing is not touched
# Free pages need a Linux guest: they have tests of their own. Input of ranges: ranges_input.bats.

load helpers

# MEM is 64 pages: pages 0-7 data, 8-23 zeros that occupy storage, 24-31 data, 32-39 zeros,
# 40 data, 41 zeros, 42-55 data, 56-63 zeros.
#
#   DDDDDDDD ZZZZZZZZ ZZZZZZZZ DDDDDDDD ZZZZZZZZ DZDDDDDD DDDDDDDD ZZZZZZZZ
mem() {
	head -c 262144 /dev/zero | tr '\0' x >mem
	zero 8 16
	zero 32 8
	zero 41 1
	zero 56 8
	cp --sparse=never mem mem.before
}
# zero PAGE COUNT: bytes of zero, written, not punched.
zero() { dd if=/dev/zero of=mem bs=4096 seek="$1" count="$2" conv=notrunc status=none; }

ZERO_RANGES='32768 65536 zero
131072 32768 zero
167936 4096 zero
229376 32768 zero'

madvise() { fcp madvise-ranges --mem-file-path mem --json "$@"; }

@test "--find zero: the file reads as before, its length stays, its zeros are holes" {
	mem
	before=$(allocated mem)
	madvise --find zero
	expect 0
	expect_no_err
	expect_json '.command == "madvise-ranges"' '.status == "ok"' '.zero_bytes == 135168' \
		'.free_bytes == 0' '.released_bytes == 135168' '.ranges == 4' \
		'.mem_file.logical_bytes == 262144' '.ms > 0'
	expect_json ".mem_file.allocated_before_bytes == $before" \
		".mem_file.allocated_bytes == $(allocated mem)"
	cmp mem mem.before
	[ "$(length mem)" -eq 262144 ]
	[ $((before - $(allocated mem))) -eq 135168 ]
}

@test "exactly the zeros became holes, page for page" {
	mem
	madvise --find zero
	expect 0
	# A file of the same data and holes has the same zero pages left: none that occupy storage.
	fcp madvise-ranges --mem-file-path mem --find zero --holes zero --list
	expect 0
	[ "$(grep -vc '^# file ' out)" -eq 0 ]
	# And its data is where it was: what is left of it, page by page, by its holes.
	cp --sparse=always mem.before mem.sparse
	[ "$(allocated mem)" -eq "$(allocated mem.sparse)" ]
}

@test "a second time finds nothing, and changes nothing" {
	mem
	madvise --find zero
	after=$(allocated mem)
	madvise --find zero --holes zero
	expect 0
	expect_json '.status == "ok"' '.released_bytes == 0' '.zero_bytes == 0' '.ranges == 0'
	[ "$(allocated mem)" -eq "$after" ]
	cmp mem mem.before
}

@test "holes that are there already stay, and are not counted" {
	mem
	fallocate -p -o 32768 -l 32768 mem
	madvise --find zero --holes zero
	expect 0
	expect_json '.zero_bytes == 102400' '.released_bytes == 102400'
	cmp mem mem.before
}

@test "a file of nothing but zeros, of nothing but a hole, of nothing but data" {
	head -c 1048576 /dev/zero >mem
	madvise --find zero
	expect 0
	expect_json '.released_bytes == 1048576' '.mem_file.allocated_bytes == 0' '.ranges == 1'
	rm mem
	truncate -s 1M mem
	madvise --find zero --holes zero
	expect 0
	expect_json '.released_bytes == 0' '.zero_bytes == 0'
	head -c 1048576 /dev/urandom >mem
	madvise --find zero
	expect 0
	expect_json '.released_bytes == 0' '.mem_file.allocated_bytes >= 1048576'
	[ "$(length mem)" -eq 1048576 ]
}

@test "one byte that is not zero, at the page's begin or end, keeps the page" {
	head -c 40960 /dev/zero >mem
	printf x | dd of=mem bs=1 seek=8191 conv=notrunc status=none
	printf x | dd of=mem bs=1 seek=20480 conv=notrunc status=none
	printf x | dd of=mem bs=1 seek=40959 conv=notrunc status=none
	cp mem mem.before
	madvise --find zero
	expect 0
	expect_json '.released_bytes == 28672' '.ranges == 3'
	cmp mem mem.before
}

@test "more ranges than any buffer holds: every other page of 32 MiB" {
	{ head -c 4096 /dev/zero; head -c 4096 /dev/zero | tr '\0' x; } >two
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do cat two two >more; mv more two; done
	mv two mem
	cp mem mem.before
	madvise --find zero
	expect 0
	expect_json '.released_bytes == 16777216' '.ranges == 4096'
	cmp mem mem.before
	rm mem mem.before
}

@test "--list prints the ranges and changes nothing" {
	mem
	before=$(allocated mem)
	fcp madvise-ranges --mem-file-path mem --find zero --list
	expect 0
	[ "$(<"$T/out")" = "# file $(stat -c '%d:%i %s %.9Y' mem)
$ZERO_RANGES" ]
	[ "$(allocated mem)" -eq "$before" ]
	cmp mem mem.before
}

@test "--list pipes into --ranges -" {
	mem
	"$FCPAUSE" madvise-ranges --mem-file-path mem --find zero --list |
		"$FCPAUSE" madvise-ranges --mem-file-path mem --ranges - --json >"$T/out"
	status=0
	expect_json '.status == "ok"' '.released_bytes == 135168'
	cmp mem mem.before
}

@test "--dry-run changes nothing and says what it would do, with each setting's origin" {
	mem
	before=$(allocated mem)
	madvise --find zero --dry-run
	expect 0
	expect_json '.status == "ok"' '.zero_bytes == 135168' '.released_bytes == 0' '.ranges == 4' \
		'.mem_file.allocated_bytes == .mem_file.allocated_before_bytes' \
		'.settings.find == {"value": "zero", "origin": "cli"}' '.settings.min_run.origin == "default"'
	[ "$(allocated mem)" -eq "$before" ]
	cmp mem mem.before
	echo '0 4096' | fcp madvise-ranges --mem-file-path mem --ranges - -n
	expect 0
	cmp mem mem.before
}

@test "--dry-run is told as such: in JSON, and the plan as text" {
	mem
	madvise --find zero --dry-run
	expect_json '.dry_run == true'
	fcp madvise-ranges --mem-file-path mem --find zero --dry-run
	expect 0
	grep -qE '^ +find +zero \(cli\)$' "$T/out"
}

@test "--min-run leaves shorter runs alone" {
	mem
	madvise --find zero --min-run 32768 --dry-run
	expect_json '.ranges == 3'
	madvise --find zero --min-run 64K
	expect 0
	expect_json '.released_bytes == 65536' '.ranges == 1'
	cmp mem mem.before
}

@test "--min-run counts for ranges that are given, too" {
	mem
	printf '0 4096\n32768 65536\n' >ranges
	madvise --ranges ranges --min-run 8192
	expect 0
	expect_json '.released_bytes == 65536'
	cmp mem mem.before
}

@test "--min-run must be whole pages" {
	mem
	madvise --find zero --min-run 5000
	expect 2
	expect_json '.error.class == "usage"' '.error.message | contains("4096")'
}

@test "--ranges from a file: these bytes are zeros afterwards, the others as before" {
	mem
	printf '# data\n0x1000 0x2000\n\n49152 16384\n' >ranges
	madvise --ranges ranges
	expect 0
	expect_json '.released_bytes == 24576' '.ranges == 2' '.zero_bytes == 0'
	cmp -n 4096 mem mem.before
	cmp -n 8192 -i 4096 mem /dev/zero 2>/dev/null || head -c 12288 mem | tail -c 8192 | cmp -n 8192 - /dev/zero
	cmp -i 12288 mem mem.before
}

@test "ranges that touch are one" {
	mem
	printf '4096 4096\n0 4096\n' >ranges
	madvise --ranges ranges
	expect 0
	expect_json '.ranges == 1' '.released_bytes == 8192'
}

@test "ranges that are holes already count as released" {
	mem
	fallocate -p -o 0 -l 8192 mem
	echo '0 16384' >ranges
	madvise --ranges ranges
	expect 0
	expect_json '.status == "ok"' '.released_bytes == 16384'
}

@test "no ranges at all: ok, nothing released" {
	mem
	: >ranges
	madvise --ranges ranges
	expect 0
	expect_json '.status == "ok"' '.released_bytes == 0' '.ranges == 0'
	cmp mem mem.before
}

@test "--find and --ranges exclude each other; a word that cannot be found" {
	mem
	: >ranges
	madvise --find zero --ranges ranges
	expect 2
	expect_json '.error.message | contains("exclude")'
	local list
	for list in nothing zero,nothing zero,,zero ,; do
		madvise --find "$list"
		expect 2
		expect_json '.error.class == "usage"' '.error.message | contains("--find")'
	done
	cmp mem mem.before
}

@test "holes of a file that may be a layer: refused, exit 3, unless told what they mean" {
	mem
	fallocate -p -o 0 -l 8192 mem
	cp mem mem.before
	before=$(allocated mem)
	madvise --find zero
	expect 3
	expect_json '.status == "unsupported"' '.reason | contains("layer")'
	[ "$(allocated mem)" -eq "$before" ]
	madvise --find zero --holes base
	expect 2
	expect_json '.error.class == "usage"'
	[ "$(allocated mem)" -eq "$before" ]
	madvise --find zero --holes zero
	expect 0
	cmp mem mem.before
}

@test "free pages of what is no guest: zeros are released all the same, partial, exit 4" {
	mem
	madvise
	expect 4
	expect_json '.status == "partial"' '.reason | startswith("free pages: ")' '.zero_bytes == 135168' \
		'.released_bytes == 135168' '.settings.find == {"value": "free,zero", "origin": "default"}'
	cmp mem mem.before
}

@test "free pages alone of what is no guest: unsupported, exit 3, nothing touched" {
	mem
	before=$(allocated mem)
	madvise --find free
	expect 3
	expect_json '.status == "unsupported"' '.reason | length > 0'
	[ "$(allocated mem)" -eq "$before" ]
	cmp mem mem.before
}

@test "no file, a directory, a FIFO, a device, an empty file, no whole pages: exit 1, each says why" {
	mkdir dir
	mkfifo fifo
	: >empty
	head -c 5000 /dev/zero >odd
	ln -s nowhere dangling
	local path why
	while read -r path why; do
		fcp madvise-ranges --mem-file-path "$path" --find zero --json
		expect 1
		expect_json '.status == "failed"' ".error.message | contains(\"$path\") and contains(\"$why\")"
	done <<-'E'
	none No such file
	dangling No such file
	dir 
	fifo not a regular file
	/dev/null not a regular file
	empty empty
	odd multiple of 4096
	E
	[ "$(length odd)" -eq 5000 ]
}

@test "a file that we may not write" {
	[ "$(id -u)" -ne 0 ] || skip 'root may'
	mem
	chmod 444 mem
	madvise --find zero
	expect 1
	expect_json '.error.class == "io"' '.error.message | contains("Permission denied")'
	madvise --find zero --list
	expect 0
}

@test "a file that another process has open for writing: busy, untouched" {
	mem
	before=$(allocated mem)
	exec 9>>mem
	madvise --find zero
	exec 9>&-
	expect 1
	expect_json '.error.class == "busy"' '.error.message | contains("in use")'
	[ "$(allocated mem)" -eq "$before" ]
	madvise --find zero
	expect 0
}

@test "the file that a VM was restored from is busy, and the VM goes on" {
	vm --workload 4,0,0
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --type full
	cp mem mem.before
	SIM_NAME=b sim_start --memory 16
	sim_load "$T/snap" "$T/mem"
	before=$(allocated mem)
	madvise --find zero
	expect 1
	expect_json '.error.class == "busy"' '.error.message | contains("in use")' \
		".error.message | contains(\"$SIM_PID\")"
	[ "$(allocated mem)" -eq "$before" ]
	expect_state '.checksum_ok'
}

@test "the way of a whole snapshot: it can be loaded after the release" {
	vm --workload 8,4,2
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --type full
	madvise --find zero
	expect 0
	expect_json '.released_bytes > 2097152'
	SIM_NAME=b sim_start --memory 16
	sim_load "$T/snap" "$T/mem"
	expect_state '.checksum_ok'
}

@test "as text: a line, with bytes for people and for programs" {
	mem
	fcp madvise-ranges --mem-file-path mem --find zero
	expect 0
	expect_no_err
	grep -qE '^madvise-ranges +ok +[0-9.]+ ms  132\.0 KiB \(135168 bytes\) released' "$T/out"
}

@test "needs a memory file" {
	fcp madvise-ranges --find zero
	expect 2
	expect_err '--mem-file-path FILE is needed (or FCPAUSE_MEM_FILE_PATH)'
}

@test "SIGTERM while it reads ranges from a silent pipe: exit 1, untouched" {
	mem
	mkfifo pipe
	exec 8<>pipe
	fcp_start madvise-ranges --mem-file-path mem --ranges - --json <pipe
	# More than a pipe holds: when all of it is written, somebody reads.
	{ echo '0 4096'; yes '#' | head -c 200000; } >&8
	fcp_signal TERM
	fcp_end
	exec 8>&-
	expect 1
	expect_json '.error.class == "interrupted"'
	cmp mem mem.before
}

@test "the text says what was on the disk before, if that is less now" {
	truncate -s 4M mem
	dd if=/dev/zero of=mem bs=1M count=4 conv=notrunc status=none
	fcp madvise-ranges --mem-file-path mem --find zero --holes zero
	expect 0
	grep -qE 'on disk 0 bytes of 4\.0 MiB \(4194304 bytes\), before 4\.0 MiB \([0-9]+ bytes\)$' out
	fcp madvise-ranges --mem-file-path mem --find zero --holes zero
	expect 0
	run ! grep -q before out
}
