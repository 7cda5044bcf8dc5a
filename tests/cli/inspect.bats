#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# inspect:
#  - what the memory file holds, by class, in bytes and of it on disk: JSON and text
#  - a map in the terminal: its width, colours where it has them, plain characters where not; --svg
#  - a file without a guest: pages of zeros, data, holes; partial, with the reason
#  - --before and --after: both, and the difference
#  - "why is it still this big?": the last line
# It only reads. Classes of a real guest need one: its pages are made up by tests/unit/guest_fixture.

load helpers

# Locale and terminal are the test's own.
clear_terminal() { unset NO_COLOR COLORTERM COLUMNS TERM LANG LC_CTYPE; export LC_ALL=C; }

# MEM is 256 pages without a guest: 0-7 data, 8-23 zeros on disk, 24-63 data, a hole to the end.
mem() {
	head -c 262144 /dev/zero | tr '\0' x >"${1:-mem}"
	dd if=/dev/zero of="${1:-mem}" bs=4096 seek=8 count=16 conv=notrunc status=none
	truncate -s 1M "${1:-mem}"
}

inspect() { clear_terminal; fcp inspect "$@"; }

# The map's rows: what stands behind their offsets.
rows() { sed -nE '/a cell is/,/^$/s/^ +[0-9.]+( [KMGT]iB)? ([^ ].*)/\2/p' out; }

# On a terminal of 100 columns: what it shows goes to $T/out.
on_terminal() {
	command -v script >/dev/null || skip 'script (util-linux) is not installed'
	clear_terminal
	status=0
	env "${ENV[@]}" "PROGRAM=$FCPAUSE" script -qec "stty cols 100; exec \"\$PROGRAM\" inspect $*" /dev/null \
		</dev/null 2>err | tr -d '\r' >out || status=$?
}

ESC=$'\x1b'

SUMS='(.classes | [.[].bytes] | add) == .mem_file.logical_bytes and
	(.classes | [.[].allocated_bytes] | add) == .mem_file.data_bytes and
	.mem_file.data_bytes + .mem_file.hole_bytes == .mem_file.logical_bytes and
	(.classes | [.[] | .allocated_bytes <= .bytes] | all)'

# ---- a file without a guest ------------------------------------------------------------------

@test "no guest: pages of zeros, data and holes; the rest is unknown; partial, with the reason" {
	mem
	inspect --mem-file-path mem --json
	expect 4
	expect_json '.command == "inspect"' '.status == "partial"' \
		'.reason | startswith("the guest cannot be read: ")' '.ms > 0' "$SUMS" \
		'.mem_file.logical_bytes == 1048576' '.mem_file.data_bytes == 262144' \
		'.mem_file.hole_bytes == 786432' ".mem_file.allocated_bytes == $(allocated mem)" \
		'.classes.zero == {bytes: 65536, allocated_bytes: 65536}' \
		'.classes.unknown == {bytes: 983040, allocated_bytes: 196608}' \
		'.guest.release == null' '.largest == "unknown"'
	expect_json '.classes | keys | sort == (["free", "zero", "page_cache", "shmem", "anonymous",
		"slab", "page_tables", "kernel_image", "reserved", "unknown"] | sort)'
}

@test "no guest: a file without a hole, and one that is a single hole" {
	head -c 65536 /dev/zero >mem
	inspect --mem-file-path mem --json
	expect 4
	expect_json "$SUMS" '.classes.zero.allocated_bytes == 65536' '.largest == "zero"'
	truncate -s 64K hole
	inspect --mem-file-path hole --json
	expect 4
	expect_json "$SUMS" '.classes.unknown == {bytes: 65536, allocated_bytes: 0}' '.largest == null'
	inspect --mem-file-path hole
	expect 4
	[ "$(tail -1 out)" = 'Nothing of it is on disk: it is one hole.' ]
}

@test "a hole of 1 TiB costs nothing" {
	truncate -s 1T mem 2>/dev/null || skip 'the file system has no files of 1 TiB'
	printf x | dd of=mem bs=4096 seek=100000000 conv=notrunc status=none
	clear_terminal
	status=0
	(ulimit -v 262144; timeout 20 "$FCPAUSE" inspect --mem-file-path mem --json >out 2>err) || status=$?
	[ "$status" -ne 134 ] || skip 'a sanitizer needs more address space'
	expect 4
	expect_json "$SUMS" '.mem_file.logical_bytes == 1099511627776' '.mem_file.data_bytes == 4096'
}

@test "the text: both sizes, shares, the map, and the answer as the last line" {
	mem
	inspect --mem-file-path mem
	expect 4
	expect_out 'mem: 1.0 MiB (1048576 bytes), on disk'
	grep -qE '^zero +64.0 KiB +65536 +6.2 % +64.0 KiB +65536 +25.0 %$' out
	grep -qE '^unknown +960.0 KiB +983040 +93.8 % +192.0 KiB +196608 +75.0 %$' out
	grep -qE '^all +1.0 MiB +1048576 +100.0 % +256.0 KiB +262144 +100.0 %$' out
	# What only the guest could tell has no rows of nothing.
	[ "$(grep -cE '^[a-z].* [0-9.]+ %$' out)" -eq 3 ]
	expect_out 'Can be released now: 64.0 KiB (25 %), pages of zeros'
	expect_out '--holes zero'
	[[ $(tail -1 out) == 'Largest on disk: unknown, 192.0 KiB (75 %): '* ]]
	head -c 65536 /dev/zero >zeros
	inspect --mem-file-path zeros
	# shellcheck disable=SC2016
	[[ $(tail -1 out) == *'zero, 64.0 KiB (100 %): `fcpause madvise-ranges --mem-file-path zeros --find zero` '* ]]
}

@test "it changes nothing" {
	mem
	chmod 400 mem
	touch -d '2001-01-01' mem
	before=$(sha256sum mem; stat -c '%y %b %s' mem)
	inspect --mem-file-path mem
	expect 4
	[ "$(sha256sum mem; stat -c '%y %b %s' mem)" = "$before" ]
}

# ---- a guest ---------------------------------------------------------------------------------

# guest: a memory file with the guest of the unit tests in it. In use: a page of page cache, two
# of tmpfs, one of an anonymous mapping, one of slab, one of page tables.
guest() { # [PAGES of tmpfs]
	local directory flags=("-DTMPFS_PAGES=${1:-2}")
	command -v cc >/dev/null || skip 'cc is not installed'
	directory=$(dirname "$FCPAUSE")
	[[ $directory != *asan* ]] || flags+=(-fsanitize=address)
	[[ $directory != *ubsan* ]] || flags+=(-fsanitize=undefined)
	[ -f "$ROOT/tests/unit/guest_fixture.c" ] || skip 'no guest_fixture'
	cat >guest.c <<-'C'
		#include "guest_fixture.h"
		#include <fcntl.h>
		#include <unistd.h>
		static void mark(struct fixture *f, uint64_t pfn, uint64_t flags, uint64_t mapping, uint32_t mapcount)
		{
			static const char page[4096] = "in use";
			fixture_write_word(f, fixture_page(pfn), flags);
			fixture_write_word(f, fixture_page(pfn) + FIXTURE_MAPPING, mapping);
			fixture_write_half(f, fixture_page(pfn) + FIXTURE_MAPCOUNT, mapcount);
			fixture_write(f, pfn * 4096, page, sizeof(page));
		}
		int main(void)
		{
			struct fixture f;
			static char page[4096];
			off_t at = 0, hole;
			int out = open("guest", O_CREAT | O_TRUNC | O_WRONLY, 0600);
			fixture_build(&f, &(struct fixture_settings){.note_edit = "NUMBER(PG_lru)=4\nNUMBER(PG_private)=13"});
			mark(&f, 0x1b00, 1u << 4, UINT64_C(0xffff888000001000), 0);
			mark(&f, 0x1b01, 1u << 4, UINT64_C(0xffff888000001001), 0);
			mark(&f, 0x1b02, 1u << 9, 0, UINT32_MAX);
			mark(&f, 0x1b03, 0, 0, 0xfffffdff);
			for (int i = 0; i < TMPFS_PAGES; i++)
				mark(&f, 0x1b04 + i, 1u << 4 | 1u << 19, UINT64_C(0xffff888000001000), 0);
			fixture_write(&f, 0x400 * 4096, "left", 4); /* a free page that holds something */
			if (ftruncate(out, 32 << 20) < 0)
				return 1;
			for (; (at = lseek(f.fd, at, SEEK_DATA)) >= 0; at = hole)
				for (hole = lseek(f.fd, at, SEEK_HOLE); at < hole; at += 4096)
					if (pread(f.fd, page, 4096, at) != 4096 || pwrite(out, page, 4096, at) != 4096)
						return 1;
			return 0;
		}
	C
	cc -std=gnu17 -D_GNU_SOURCE "${flags[@]}" -I"$ROOT/lib" -I"$ROOT/tests/unit" -o guest_maker guest.c \
		"$ROOT/tests/unit/guest_fixture.c" "$directory/libfcpause.a" -ljansson -lresolv -lm 2>cc.err || skip "guest_fixture needs more: $(head -1 cc.err)"
	./guest_maker
}

@test "a guest: each class, its release, and the sum is the file" {
	guest
	inspect --mem-file-path guest --json
	expect 0
	expect_json '.status == "ok"' "$SUMS" '.mem_file.logical_bytes == 33554432' \
		'.guest.release == "6.1.0-fixture"' \
		'.classes.page_cache == {bytes: 4096, allocated_bytes: 4096}' \
		'.classes.shmem == {bytes: 8192, allocated_bytes: 8192}' \
		'.classes.anonymous == {bytes: 4096, allocated_bytes: 4096}' \
		'.classes.slab == {bytes: 4096, allocated_bytes: 4096}' \
		'.classes.page_tables == {bytes: 4096, allocated_bytes: 4096}' \
		'.classes.free.allocated_bytes >= 4096' '.classes.free.bytes > .classes.free.allocated_bytes'
	# The same pages are free for madvise-ranges.
	free=$(jq .classes.free.bytes out)
	fcp madvise-ranges --mem-file-path guest --find free --holes zero --dry-run --json
	expect 0
	expect_json ".free_bytes == $free"
	inspect --mem-file-path guest
	expect 0
	expect_no_err
	expect_out 'guest: Linux 6.1.0-fixture'
}

@test "a guest: what tmpfs holds is told apart, and that no reclaim releases it" {
	guest 900
	inspect --mem-file-path guest
	expect 0
	grep -qE '^tmpfs/shmem +3.5 MiB +3686400 ' out
	expect_out 'M tmpfs/shmem'
	[[ $(tail -1 out) == 'Largest on disk: tmpfs/shmem, 3.5 MiB ('*'only it can remove them.' ]]
}

@test "a guest: before and after a release, free pages left the disk" {
	guest
	cp --sparse=always guest after
	fcp madvise-ranges --mem-file-path after --find free --holes zero
	expect 0
	inspect --before guest --after after --json
	expect 0
	expect_json '.before.classes.free.allocated_bytes > 0' '.after.classes.free.allocated_bytes == 0' \
		'.difference.classes.free.allocated_bytes == -.before.classes.free.allocated_bytes' \
		'.difference.classes.free.bytes == 0' '.difference.classes.anonymous.allocated_bytes == 0'
}

# A layer without the memmap: what the struct pages say would be made up.
@test "a layer is not taken for what its holes are not: partial" {
	guest
	fallocate -p -o $((24 << 20)) -l $((1 << 20)) guest || skip 'no holes here'
	inspect --mem-file-path guest --json
	expect 4
	expect_json '.reason | startswith("the guest cannot be read: ")' "$SUMS" '.classes.free.bytes == 0'
}

# ---- large guests ----------------------------------------------------------------------------

# made GIB [scattered]: a large sparse guest.
made() {
	[[ $FCPAUSE != *[au]san* ]] || skip 'a sanitizer has memory of its own'
	guest_file guest "$@" 2>made.err ||
		skip "no file of $1 GiB: $(tail -1 made.err)"
}

# within MIB ARGS: with that much memory of its own (RLIMIT_DATA: all that it writes to).
within() {
	local mib=$1
	shift
	clear_terminal
	status=0
	(ulimit -d $((mib * 1024)); exec timeout -k 1 $RUN_SECONDS "$FCPAUSE" inspect "$@" >out 2>err) || status=$?
}

# The bound: 64 MiB and a bit a page. A byte a page would be 128 MiB.
@test "a guest of 512 GiB: no more than 64 MiB of memory and a bit a page" {
	made 512
	within $((64 + 512 * 1024 / 4 / 8 / 1024)) --mem-file-path guest --json
	expect 0
	expect_json '.status == "ok"' "$SUMS" '.mem_file.logical_bytes == 549755813888' \
		'.classes.free.bytes == .classes.free.allocated_bytes' '.mem_file.data_bytes < 16777216'
}

@test "two guests need no more memory than one: what the first took is given back" {
	local mib=1
	made 2 scattered
	until within $mib --mem-file-path guest --json && [ "$status" -eq 0 ]; do
		[ $((mib++)) -lt 64 ] || _show 'one guest needs more than 64 MiB'
	done
	expect_json '.classes.free.bytes > 900000000'
	within $((mib + 2)) --before guest --after guest --json
	expect 0
}

# ---- the map ---------------------------------------------------------------------------------

@test "the map: one letter a cell, by its main class" {
	mem
	inspect --mem-file-path mem
	expect_out 'a cell is 4 KiB, a row 256 KiB'
	rows >map
	[ "$(sed -n 1p map)" = UUUUUUUUZZZZZZZZZZZZZZZZUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUU ]
	[ "$(sed -n 2p map)" = "$(printf '.%.0s' {1..64})" ]
	[ "$(wc -l <map)" -eq 4 ]
	expect_out 'Z zero  U unknown  . hole'
	run ! grep -q "[^ -~]" out
}

@test "the map: a cell that is less than half on disk is a small letter" {
	# Cells of 64 KiB, of which one has a page.
	truncate -s 64M mem
	printf x | dd of=mem bs=4096 conv=notrunc status=none
	inspect --mem-file-path mem
	expect_out 'a cell is 64 KiB, a row 4 MiB'
	rows >map
	[ "$(sed -n 1p map)" = "u$(printf '.%.0s' {1..63})" ]
	expect_out 'u less than half on disk'
}

@test "the map: as wide as COLUMNS, 80 without, no row wider" {
	mem
	for columns in 30 50 79 80 120 200; do
		clear_terminal
		COLUMNS=$columns fcp inspect --mem-file-path mem
		expect 4
		[ "$(grep -E '^ +[0-9]' out | awk '{ print length }' | sort -n | tail -1)" -le "$columns" ]
		[ "$(rows | head -1 | awk '{ print length }')" -eq $(((columns - 11) / 8 * 8)) ]
	done
	for columns in 0 x -1 99999999999999999999 ''; do
		clear_terminal
		COLUMNS=$columns fcp inspect --mem-file-path mem
		expect 4
		[ "$(rows | head -1 | awk '{ print length }')" -eq 64 ]
	done
}

@test "the map: blocks where the locale is UTF-8" {
	mem
	for variable in LC_ALL LC_CTYPE LANG; do
		clear_terminal
		unset LC_ALL
		env "$variable=xx_XX.UTF-8" "$FCPAUSE" inspect --mem-file-path mem >out 2>err || true
		grep -q '▗▗▗▗▗▗▗▗▁▁▁▁' out
		grep -q '▁ zero  ▗ unknown  · hole' out
		run ! grep -q "$ESC" out
	done
	LC_ALL=C LANG=xx_XX.UTF-8 fcp inspect --mem-file-path mem
	run ! grep -q '▗' out
}

@test "colours: never without a terminal, always when told" {
	mem
	TERM=xterm-256color COLORTERM=truecolor fcp inspect --mem-file-path mem
	run ! grep -q "$ESC" out
	clear_terminal
	for colors in "-u COLORTERM TERM=xterm;90" "-u COLORTERM TERM=xterm-256color;38;5;74" \
		"TERM=xterm COLORTERM=truecolor;38;2;86;180;233" "NO_COLOR=1 TERM=xterm-256color;38;5;74"; do
		# shellcheck disable=SC2086
		env ${colors%%;*} "$FCPAUSE" inspect --mem-file-path mem --color always >out 2>err || true
		grep -qF "${ESC}[${colors#*;}m" out
		grep -qF "${ESC}[0m" out
	done
	# What a colour began, a row ends.
	[ "$(rows | grep -c "${ESC}\[0m\$")" -eq 4 ]
}

@test "colours: on a terminal, unless NO_COLOR, TERM=dumb or --color never; its width counts" {
	need_terminal
	mem
	ENV=(TERM=xterm-256color COLUMNS=33)
	on_terminal --mem-file-path mem
	grep -qF "${ESC}[38;5;74m" out
	sed -i "s/${ESC}\[[0-9;]*m//g" out
	[ "$(rows | head -1 | awk '{ print length }')" -eq 88 ]
	for setting in NO_COLOR=1 TERM=dumb TERM=; do
		ENV=(TERM=xterm "$setting")
		on_terminal --mem-file-path mem
		grep -q 'a cell is' out
		run ! grep -q "$ESC\[[0-9;]*m" out
	done
	ENV=(TERM=xterm NO_COLOR=)
	on_terminal --mem-file-path mem
	grep -q "$ESC\[[0-9;]*m" out
	on_terminal --mem-file-path mem --color never
	run ! grep -q "$ESC\[[0-9;]*m" out
}

# ---- the picture -----------------------------------------------------------------------------

well_formed() {
	if command -v xmllint >/dev/null; then
		xmllint --noout "$1"
	elif command -v python3 >/dev/null; then
		python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$1"
	else
		skip 'neither xmllint nor python3 is installed'
	fi
}

@test "--svg: a picture that can be read alone, beside the text" {
	mem
	inspect --mem-file-path mem --svg map.svg
	expect 4
	expect_out 'Largest on disk'
	[ "$(head -c 5 map.svg)" = '<?xml' ]
	grep -q '<title>What the memory file holds</title>' map.svg
	grep -q '>mem</text>' map.svg
	grep -q '>64.0 KiB (65536)</text>' map.svg
	grep -q '>Largest on disk: unknown, 192.0 KiB' map.svg
	grep -q '<path fill="url(#p1)" d="M8 0h' map.svg
	grep -q '<pattern id="p1" .*fill="#56b4e9"' map.svg
	expect_no_temporary
	[ "$(stat -c %a map.svg)" = "$(umask -S >/dev/null; touch usual; stat -c %a usual)" ]
	well_formed map.svg
}

@test "--svg: with --json; with --before and --after; - is stdout, not with --json" {
	mem
	mem other
	inspect --mem-file-path mem --svg map.svg --json
	expect 4
	expect_json "$SUMS"
	grep -q '</svg>' map.svg
	inspect --before mem --after other --svg - --quiet
	expect_out '</svg>'
	inspect --before mem --after other --svg -
	expect 4
	run ! grep -q 'a cell is' out
	grep -q '>before: mem</text>' out
	grep -q '>after: other</text>' out
	inspect --mem-file-path mem --svg - --json
	expect 2
	expect_err '--svg - and --json exclude each other'
	fcp inspect --before mem --after other --svg both.svg
	well_formed both.svg
}

@test "--svg: a headline with what was saved, or can be; by which fcpause, and when" {
	mem
	mem other
	inspect --mem-file-path mem --svg map.svg
	grep -q 'class="h">On disk 256.0 KiB; 192.0 KiB without free pages and zeros: -25 %</text>' map.svg
	grep -qE ">fcpause $("$FCPAUSE" --version | cut -d' ' -f2), [0-9]{4}-[0-9]{2}-[0-9]{2}</text>" map.svg
	fallocate --punch-hole --offset 0 --length 32768 other
	inspect --before mem --after other --svg map.svg
	grep -q 'class="h">On disk 256.0 KiB before, 224.0 KiB after: -12 %</text>' map.svg
}

@test "--svg: it is as dark as the reader's other pages" {
	mem
	inspect --mem-file-path mem --svg map.svg
	grep -q '@media (prefers-color-scheme: dark) { text { fill: #[0-9a-f]* } .paper { fill: #[0-9a-f]* } .hole' map.svg
	# What is drawn has no colour of its own beside the looks'.
	run ! grep -E '^<(text|rect|path)[^>]*(fill|stroke)="#' map.svg
}

# Viénot's and Machado's matrices for those who see no red, no green or no blue, as distances in CIELAB.
@test "--svg: looks that colour-blind readers cannot tell apart by colour have other hatching" {
	mem
	inspect --mem-file-path mem --svg map.svg
	sed -nE 's/^<pattern id="p([0-9]+)".* fill="#([0-9a-f]{6})"\/>(<path class="hatch" d="([^"]*)"\/>)?<.*/\1 \2 \4/p' map.svg >looks
	[ "$(wc -l <looks)" -ge 10 ]
	printf '%s\n' 'hole eceef1' 'dark 2b3038' >>looks
	awk '
		function hex(text) { return (index(digits, substr(text, 1, 1)) - 1) * 16 + index(digits, substr(text, 2, 1)) - 1 }
		function linear(c) { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ^ 2.4 }
		function clamp(c) { return c < 0 ? 0 : c > 1 ? 1 : c }
		function root(t) { return t > 0.008856 ? t ^ (1 / 3) : 7.787 * t + 16 / 116 }
		BEGIN {
			digits = "0123456789abcdef"
			m[1] = "1 0 0 0 1 0 0 0 1"
			m[2] = "0.152286 1.052583 -0.204868 0.114503 0.786281 0.099216 -0.003882 -0.048116 1.051998"
			m[3] = "0.367322 0.860646 -0.227968 0.280085 0.672501 0.047413 -0.011820 0.042940 0.968881"
			m[4] = "1.255528 -0.076749 -0.178779 -0.078411 0.930809 0.147602 0.004733 0.691367 0.303900"
		}
		{
			name[NR] = $1; hatch[NR] = $3 $4 $5
			for (i = 0; i < 3; i++) v[i] = linear(hex(substr($2, 2 * i + 1, 2)))
			for (k = 1; k <= 4; k++) {
				split(m[k], a, " ")
				r = clamp(a[1] * v[0] + a[2] * v[1] + a[3] * v[2])
				g = clamp(a[4] * v[0] + a[5] * v[1] + a[6] * v[2])
				b = clamp(a[7] * v[0] + a[8] * v[1] + a[9] * v[2])
				x = root((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505)
				y = root(0.2126 * r + 0.7152 * g + 0.0722 * b)
				z = root((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089)
				L[NR, k] = 116 * y - 16; A[NR, k] = 500 * (x - y); B[NR, k] = 200 * (y - z)
			}
		}
		END {
			for (i = 1; i <= NR; i++) for (j = 1; j < i; j++) for (k = 1; k <= 4; k++) {
				d = sqrt((L[i, k] - L[j, k]) ^ 2 + (A[i, k] - A[j, k]) ^ 2 + (B[i, k] - B[j, k]) ^ 2)
				if (hatch[i] == hatch[j] && d < 15) { print name[i], name[j], k, d; bad = 1 }
			}
			exit bad
		}' looks
}

@test "--svg: a long path is broken into lines that fit, and between its letters" {
	local part name
	part=$(printf 'M%.0s' {1..120})
	mkdir -p "$part/$part"
	name=$part/$part/$(printf 'W%.0s' {1..100})ééé$(printf 'i%.0s' {1..40})
	mem "$name"
	inspect --mem-file-path "$name" --svg map.svg
	# 872 pixels, a wide letter of a bold font of 13 pixels is up to 14.
	sed -nE 's/^<text x="24" [^>]*class="b">(.*)<\/text>$/\1/p' map.svg >lines
	awk -v most=$((872 / 14 + 2)) '/^[MW]+$/ && length > most { print; bad = 1 } END { exit bad }' lines
	grep -q 'ééé' lines
	# Nothing of it is lost.
	[[ $(tr -d '\n' <lines) == "$name"* ]]
	well_formed map.svg
}

@test "--svg: names of any bytes" {
	name=$'<a&b>"\x01\xff\'é-'$(printf 'long-%.0s' {1..40})
	mem "$name"
	inspect --mem-file-path "$name" --svg map.svg
	expect 4
	grep -qF '&lt;a&amp;b&gt;"??' map.svg
	grep -q 'é' map.svg
	well_formed map.svg
}

@test "--svg: whole or not at all" {
	mem
	inspect --mem-file-path mem --svg none/map.svg --json
	expect 1
	expect_json '.status == "failed"' '.error.class == "io"'
	mkdir dir
	inspect --mem-file-path mem --svg dir
	expect 1
	expect_err 'not a regular file'
	inspect --mem-file-path mem --svg mem
	expect 2
	expect_err 'that is the memory file'
	ln -s mem link
	inspect --mem-file-path mem --svg link
	expect 2
	# A link's target is replaced, the link stays; a failed look leaves what is there.
	echo old >target.svg
	ln -s target.svg link.svg
	inspect --mem-file-path none --svg link.svg
	expect 1
	[ "$(cat target.svg)" = old ]
	inspect --mem-file-path mem --svg link.svg
	[ -L link.svg ]
	grep -q '</svg>' target.svg
	expect_no_temporary
}

# ---- two files -------------------------------------------------------------------------------

@test "--before and --after: both objects, and the difference" {
	mem before
	cp --sparse=never before after
	fallocate -d after || skip 'no holes here'
	inspect --before before --after after --json
	expect 4
	expect_json '.status == "partial"' '.ms >= .before.ms' \
		'.before.classes.zero.allocated_bytes == 65536' '.after.classes.zero.allocated_bytes == 0' \
		'.difference.classes.zero == {bytes: -65536, allocated_bytes: -65536}' \
		'.difference.classes.unknown == {bytes: 65536, allocated_bytes: 0}' \
		'.difference.mem_file.data_bytes == -65536' '.difference.mem_file.hole_bytes == 65536' \
		'.difference.mem_file.logical_bytes == 0' "(.before | $SUMS)" "(.after | $SUMS)"
	inspect --before before --after after
	expect 4
	grep -qE '^zero +64.0 KiB +65536 +0 +0 +-64.0 KiB +-65536$' out
	grep -qE '^unknown .*\+64.0 KiB +\+65536$' out
	# Of what is in neither there is no difference to show.
	run ! grep -qE '^[a-z/ ]+ 0 +0 +0 +0 +0 +0$' out
	# Two maps side by side, 32 cells each.
	[ "$(rows | head -1 | awk '{ print length($1), length($2), NF }')" = '32 32 2' ]
	[ "$(sed -n '/a cell/,/^$/p' out | awk '{ print length }' | sort -n | tail -1)" -le 80 ]
}

@test "--before and --after: files of two sizes have one scale; one below the other when narrow" {
	mem before
	mem after
	truncate -s 512K after
	inspect --before before --after after
	expect 4
	expect_out 'a cell is 4 KiB, a row 128 KiB'
	rows | sed -n 5p | grep -qxE '\.{32} +'
	COLUMNS=40 fcp inspect --before before --after after
	[ "$(rows | head -1 | awk '{ print length($1), NF }')" = '24 1' ]
}

# ---- mistakes --------------------------------------------------------------------------------

@test "bad options: exit 2, and the message names them" {
	mem
	inspect
	expect 2
	expect_err '--mem-file-path FILE is needed'
	inspect --before mem
	expect 2
	expect_err '--before and --after need each other'
	inspect --after mem --json
	expect 2
	expect_json '.error.class == "usage"'
	inspect --mem-file-path mem --before mem --after mem
	expect 2
	expect_err '--mem-file-path excludes --before and --after'
	inspect --mem-file-path mem --color sometimes
	expect 2
	expect_err '--color'
	inspect --mem-file-path mem --find zero
	expect 2
	# The environment's is for other commands.
	FCPAUSE_MEM_FILE_PATH=none fcp inspect --before mem --after mem --json
	expect 4
}

@test "a file that is none: exit 1, and the message names it" {
	local name
	mkdir dir
	: >empty
	head -c 5000 /dev/zero >odd
	mkfifo fifo
	for name in none dir empty odd fifo; do
		inspect --mem-file-path $name --json
		expect 1
		expect_json '.status == "failed"' '.error.class | IN("io", "input")' \
			".reason | contains(\"$name\")" '.classes == null'
		expect_err "$name: "
	done
	mem
	inspect --before mem --after none --json
	expect 1
	expect_json '.status == "failed"' 'has("before") | not'
	[ "$(id -u)" -ne 0 ] || command -v setpriv >/dev/null || skip 'root reads all files'
	chmod 0 mem
	chmod 755 "$T"
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=65534 --clear-groups --bounding-set=-all true 2>/dev/null || skip 'no setpriv here'
		status=0
		setpriv --reuid=65534 --clear-groups "$FCPAUSE" inspect --mem-file-path mem >out 2>err || status=$?
		# The test's directory may be closed to others: that is an error of its own, and the same.
	else
		inspect --mem-file-path mem
	fi
	[ "$status" -ne 0 ]
	expect_no_out
}

@test "while another fcpause has claimed it: locked, exit 6" {
	mem
	exec 9<mem
	flock -n -x 9
	inspect --mem-file-path mem --json
	exec 9<&-
	expect 6
	expect_json '.error.class == "locked"'
}

@test "interrupted: it stops, says so, and writes no picture" {
	env --block-signal=INT true 2>/dev/null || skip 'env cannot block signals'
	mem
	clear_terminal
	# The signal waits for the program from before its first instruction.
	status=0
	# shellcheck disable=SC2016
	env --block-signal=INT sh -c 'kill -INT $$; exec "$@"' sh \
		"$FCPAUSE" inspect --mem-file-path mem --svg map.svg --json >out 2>err || status=$?
	expect 1
	expect_json '.error.class == "interrupted"'
	[ ! -e map.svg ]
	expect_no_temporary
}

@test "--dry-run is a plan, --quiet is silent, --best-effort forgives a guest that cannot be read" {
	mem
	inspect --mem-file-path mem --dry-run --svg map.svg --json
	expect 0
	expect_json '.dry_run' '.steps == [{name: "inspect", step: "inspect", planned: true}]' \
		'.settings.color == {value: "auto", origin: "default"}'
	[ ! -e map.svg ]
	inspect --mem-file-path mem --quiet
	expect 4
	expect_no_out
	inspect --mem-file-path mem --best-effort
	expect 0
	expect_out 'Largest on disk'
}

@test "a stdout that is full is a failure" {
	[ -c /dev/full ] || skip 'no /dev/full'
	mem
	status=0
	"$FCPAUSE" inspect --mem-file-path mem --best-effort >/dev/full 2>err || status=$?
	expect 1
}

@test "S7: the command that inspect offers is quoted for the shell" {
	local name answer
	for name in "it's \$(touch evil) here.mem" "$(printf 'a\033[2J\nb\351.mem')"; do
		head -c 1048576 /dev/zero >"$name"
		fcp inspect --mem-file-path "$name"
		expect 0 || [ "$status" -eq 4 ]
		run ! grep -qaP '[\x00-\x08\x0b-\x1a\x1c-\x1f]|\x1b\[2J' "$T/out"
		answer=$(sed -n 's/.*`\(fcpause madvise-ranges[^`]*\)`.*/\1/p' "$T/out" | head -n 1)
		[ -n "$answer" ] || _show 'no command'
		fcpause() { [ "$3" = "$name" ] || _show "read by the shell as: $3"; }
		eval "$answer"
		unset -f fcpause
		[ ! -e evil ]
	done
}

# ---- the base -----------------------------------------------------------------------------------

# A base of 256 pages beside MEM, of which differ: of its data pages 3; of its pages of zeros 2; and under
# its hole the base has data on 5, which are the first of it.
base() {
	mem
	cp mem base
	printf other | dd of=base bs=4096 seek=2 conv=notrunc status=none
	printf other | dd of=base bs=4096 seek=30 conv=notrunc status=none
	printf other | dd of=base bs=4096 seek=63 conv=notrunc status=none
	head -c 8192 /dev/urandom | dd of=base bs=4096 seek=10 conv=notrunc status=none
	head -c 20480 /dev/urandom | dd of=base bs=4096 seek=64 conv=notrunc status=none
}

SAME_SUMS='(.same.base.bytes == ([.classes | to_entries[] | select(.key != "free") | .value.same.base.bytes] | add)) and
	(.same.base.allocated_bytes == ([.classes | to_entries[] | select(.key != "free") | .value.same.base.allocated_bytes] | add)) and
	.layer_bytes == .mem_file.logical_bytes - .same.base.bytes - .classes.free.bytes and
	(.classes | [.[] | .same.base.bytes <= .bytes and .same.base.allocated_bytes <= .allocated_bytes] | all)'

@test "--base: what is the same there, by class, and what a layer would store" {
	base
	inspect --mem-file-path mem --holes zero --base base --json
	expect 4
	expect_json "$SUMS" "$SAME_SUMS" '.layer_bytes == 10 * 4096' \
		'.base_file == {path: "base", id: null, fits: null}' \
		'.classes.zero.same.base == {bytes: (14 * 4096), allocated_bytes: (14 * 4096)}' \
		'.classes.unknown.same.base == {bytes: ((45 + 187) * 4096), allocated_bytes: (45 * 4096)}'
	inspect --mem-file-path mem --holes zero --base base
	expect 4
	grep -qE '^same as base +984.0 KiB +1007616 +96.1 % +236.0 KiB +241664 +92.2 %$' out
	grep -qE '^layer stores +40.0 KiB +40960 +3.9 %$' out
	grep -qx '  base base: memory without a recorded id' out
	# Without one there is no such row, and JSON says null.
	inspect --mem-file-path mem --json
	expect_json '.base_file == null and .same == null and .layer_bytes == null' '.classes.zero | has("same") | not'
	inspect --mem-file-path mem
	run ! grep -q -e '^same as' -e '^layer stores' out
}

@test "--base: the map has it, as text and as a picture; zeros stay zeros" {
	base
	inspect --mem-file-path mem --holes zero --base base --svg map.svg
	expect 4
	# 64 cells of 4 KiB: data, zeros, data; what differs is as without a base.
	[ "$(rows | head -n 1)" = "BBUBBBBBZZZZZZZZZZZZZZZZBBBBBBUBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBU" ]
	expect_out 'B same as base'
	well_formed map.svg
	grep -q '<title>same as base</title>' map.svg
	grep -q '>same as base</text>' map.svg
	grep -q 'a layer would store 40.0 KiB (40960 bytes)' map.svg
	inspect --mem-file-path mem --svg map.svg
	run ! grep -q 'same as base' map.svg
}

@test "--base: a guest's free pages are in neither" {
	guest
	cp guest base
	# Of a free page, of one in use, and of the page cache.
	printf other | dd of=base bs=4096 seek=1024 conv=notrunc status=none
	printf other | dd of=base bs=4096 seek=$((0x1b02)) conv=notrunc status=none
	printf other | dd of=base bs=4096 seek=$((0x1b00)) conv=notrunc status=none
	inspect --mem-file-path guest --base base --json
	expect 0
	expect_json "$SUMS" "$SAME_SUMS" '.layer_bytes == 8192' '.classes.page_cache.same.base.bytes == 0' \
		'.classes.slab.same.base.bytes == 0' '.classes.anonymous.same.base.bytes == 4096' \
		'.classes.free.same.base.bytes == .classes.free.bytes - 4096'
}

@test "--base with --before and --after: both, and the difference" {
	base
	cp mem after
	printf more | dd of=after bs=4096 seek=4 conv=notrunc status=none
	inspect --before mem --after after --holes zero --base base --json
	expect 4
	expect_json '.before.layer_bytes == 40960' '.after.layer_bytes == 45056' '.difference.layer_bytes == 4096'
	inspect --before mem --after after --holes zero --base base
	grep -qE '^layer stores +40.0 KiB +40960 +44.0 KiB +45056 +\+4.0 KiB +\+4096$' out
}

@test "--base: another size, the file itself, none: exit 1, and the message says so" {
	base
	head -c 8192 /dev/zero >small
	inspect --mem-file-path mem --base small --json
	expect 1
	expect_json '.error.class == "input"' '.reason | contains("the base has 8192 bytes")'
	inspect --mem-file-path mem --base ./mem
	expect 1
	expect_err 'are the same file'
	inspect --mem-file-path mem --base none
	expect 1
	expect_err none
}

@test "--base: holes of which nothing is known are not guessed at; --holes says what they mean" {
	base
	inspect --mem-file-path mem --base base --json
	expect 4
	expect_json "$SUMS" '.reason | startswith("not compared: is mem a whole memory file, or a Diff layer?")' \
		'.same == null and .layer_bytes == null' '.base_file.path == "base"'
	inspect --mem-file-path mem --base base
	grep -qx '  base base: memory without a recorded id: not compared' out
	# As a layer its hole is the base's.
	inspect --mem-file-path mem --holes base --base base --json
	expect 4
	expect_json "$SUMS" "$SAME_SUMS" '.layer_bytes == 5 * 4096' '.holes == "base"'
}

@test "several files: a report each, in order, and the highest exit code" {
	guest_file a 2>/dev/null
	cp a b
	truncate -s 8M zeros
	fcp inspect a zeros --json b
	[ "$(wc -l <"$T/out")" -eq 3 ]
	jq -es 'map(.settings.mem_file_path.value) == ["a", "zeros", "b"] and .[0].status == "ok" and
		(map(del(.settings, .ms)) | .[0] == .[2] and .[0] != .[1])' "$T/out"
	local code=$status
	fcp inspect zeros --json
	expect "$code"
	fcp inspect a nothing b
	expect 1
	expect_out 'a: 32.0 MiB'
	expect_out 'b: 32.0 MiB'
	expect_err 'nothing'
	fcp inspect a b --svg x.svg
	expect 2
	[ "$(wc -l <"$T/err")" -eq 1 ]
	[ ! -e x.svg ]
	fcp inspect a --before b --after b
	expect 2
}
