#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Bad ranges (unaligned, past the end, overlapping, not numbers, 2^64 wrap) name
# the line. A range on a line of text is `START LENGTH` in bytes, decimal or 0x.
# Whatever is wrong, exit 1 and the file is as it was.

load helpers

mem() {
	head -c 65536 /dev/zero | tr '\0' x >mem
	cp mem mem.before
}

# refuse TEXT LINE WORD: the text (printf's) is refused, naming the line, from a file and from stdin.
refuse() {
	printf -- "$1" >ranges
	fcp madvise-ranges --mem-file-path mem --ranges ranges --json
	expect 1
	expect_json '.status == "failed"' '.error.class == "input"' \
		".error.message | startswith(\"ranges: line $2: \")" ".error.message | contains(\"$3\")"
	fcp madvise-ranges --mem-file-path mem --ranges - <ranges
	expect 1
	expect_err "fcpause madvise-ranges: stdin: line $2: "
	cmp mem mem.before
}

@test "not two numbers" {
	mem
	refuse '0\n' 1 'not two numbers'
	refuse '0 4096\n0\n' 2 'not two numbers'
	refuse '0 4096 0\n' 1 'not two numbers'
	refuse '0,4096\n' 1 'not two numbers'
	refuse '0-4096\n' 1 'not two numbers'
}

@test "words, signs, suffixes, fractions, and what begins like a number" {
	mem
	refuse '# comment\n\nzero 4096\n' 3 'START'
	refuse '0 x\n' 1 'LENGTH'
	refuse '-4096 4096\n' 1 'START'
	refuse '+0 4096\n' 1 'START'
	refuse '0 4K\n' 1 'LENGTH'
	refuse '0 4096.0\n' 1 'LENGTH'
	refuse '0 0x\n' 1 'LENGTH'
	refuse '0x0x1000 4096\n' 1 'START'
	refuse '0 1e4\n' 1 'LENGTH'
	refuse '0 4096#\n' 1 'LENGTH'
}

@test "a length of 0" {
	mem
	refuse '4096 0\n' 1 'LENGTH is 0'
}

@test "unaligned" {
	mem
	refuse '0 4096\n8192 4096\n1 4096\n' 3 'START is not a multiple of 4096'
	refuse '0 4095\n' 1 'LENGTH is not a multiple of 4096'
	refuse '0x800 4096\n' 1 'START'
}

@test "2^64: numbers beyond it, and a sum that wraps" {
	mem
	refuse '18446744073709551616 4096\n' 1 'START'
	refuse '0 99999999999999999999999\n' 1 'LENGTH'
	refuse '0x10000000000000000 4096\n' 1 'START'
	refuse '0 4096\n0xfffffffffffff000 0x2000\n' 2 '2^64'
	refuse '18446744073709547520 4096\n' 1 ''
}

@test "past the end of the file" {
	mem
	refuse '0 4096\n61440 8192\n' 2 'past the end'
	refuse '65536 4096\n' 1 'past the end'
	refuse '0 69632\n' 1 'past the end'
	refuse '9223372036854775808 4096\n' 1 'past the end'
}

@test "overlapping, in whatever order" {
	mem
	refuse '0 8192\n16384 4096\n4096 4096\n' 3 'overlaps the range of line 1'
	refuse '8192 4096\n0 12288\n' 2 'overlaps the range of line 1'
	refuse '0 4096\n0 4096\n' 2 'overlaps the range of line 1'
}

@test "a NUL byte, a line without an end" {
	mem
	refuse '0 4096\n0\0000 4096\n' 2 'NUL'
	head -c 300 /dev/zero | tr '\0' 1 >long
	refuse "0 4096\n$(cat long) 4096\n" 2 '255'
	refuse '0 4096\n8192' 2 'not two numbers'
}

@test "binary data" {
	mem
	head -c 65536 /dev/zero >ranges
	fcp madvise-ranges --mem-file-path mem --ranges ranges --json
	expect 1
	expect_json '.error.message | startswith("ranges: line 1: ")'
	cmp mem mem.before
}

@test "what is fine: comments, empty lines, blanks, CR, hexadecimal, any order, no last line break" {
	mem
	printf '# ranges\r\n\n  \t\n\t0x1000   0X1000\r\n 12288\t4096 \n#\n32768 0x00001000' >ranges
	fcp madvise-ranges --mem-file-path mem --ranges ranges --json
	expect 0
	expect_json '.ranges == 3' '.released_bytes == 12288'
}

@test "a ranges file that is not there, or a directory" {
	mem
	fcp madvise-ranges --mem-file-path mem --ranges none --json
	expect 1
	expect_json '.error.class == "input"' '.error.message | contains("none") and contains("No such file")'
	fcp madvise-ranges --mem-file-path mem --ranges "$T" --json
	expect 1
	expect_json '.error.message | contains("directory")'
	cmp mem mem.before
}

@test "stdin is closed" {
	mem
	fcp madvise-ranges --mem-file-path mem --ranges - --json <&-
	expect 1
	expect_json '.status == "failed"'
	cmp mem mem.before
}

@test "with --best-effort bad input is a failure all the same in JSON, exit as for others" {
	mem
	echo 'bad' >ranges
	fcp madvise-ranges --mem-file-path mem --ranges ranges --json --best-effort
	expect_json '.status == "failed"' '.error.class == "input"'
	cmp mem mem.before
}

@test "ranges by the environment" {
	mem
	echo '0 4096' >ranges
	FCPAUSE_RANGES=ranges FCPAUSE_MEM_FILE_PATH=mem fcp madvise-ranges --json
	expect 0
	expect_json '.released_bytes == 4096' '.settings.ranges.origin == "env"'
}

# ---- which file a list is of (D8) --------------------------------------------------------------

zeros() { head -c 65536 /dev/zero >"$1"; }
list() { "$FCPAUSE" madvise-ranges --mem-file-path "$1" --find zero --list; }

@test "D8: a list says which file it is of, as text and in JSON, also when it is empty" {
	mem
	list mem >ranges
	[ "$(cat ranges)" = "# file $(stat -c '%d:%i %s %.9Y' mem)" ]
	fcp madvise-ranges --mem-file-path mem --find zero --list --json
	expect_json '.list == []' ".file == \"$(stat -c '%d:%i %s %.9Y' mem)\""
}

@test "D8: another file under the name is refused, with both identities; so is this one after a write" {
	zeros mem
	list mem >ranges
	was=$(stat -c '%d:%i %s %.9Y' mem)
	# As --force replaces it: the same size, another file.
	mem
	mv mem new
	zeros mem
	mv new mem
	now=$(stat -c '%d:%i %s %.9Y' mem)
	fcp madvise-ranges --mem-file-path mem --ranges ranges --json
	expect 1
	expect_json '.error.class == "input"' ".reason | contains(\"$was\") and contains(\"$now\")"
	cmp mem mem.before
	# A shorter one: not "past the end", which would be said of any file.
	truncate -s 4096 mem
	fcp madvise-ranges --mem-file-path mem --ranges - <ranges
	expect 1
	expect_err "$was"
	mem
	list mem >ranges
	echo '0 4096' >>ranges
	printf x | dd of=mem conv=notrunc status=none
	fcp madvise-ranges --mem-file-path mem --ranges ranges --json
	expect 1
	expect_json '.error.class == "input"' '.released_bytes == 0'
	fcp madvise-ranges --mem-file-path mem --ranges ranges --json --dry-run
	expect 1
	cmp mem mem.before
}

@test "D8: the same file by another name, a list without an identity: fine" {
	zeros mem
	list mem >ranges
	ln mem other
	mv mem third
	fcp madvise-ranges --mem-file-path other --ranges ranges --json
	expect 0
	expect_json '.released_bytes == 65536'
	zeros mem
	grep -v '^#' ranges >bare
	fcp madvise-ranges --mem-file-path mem --ranges bare --json
	expect 0
	expect_json '.released_bytes == 65536'
}

@test "D8: a line that begins like an identity must be one; two lists must be of one file" {
	mem
	local line
	for line in 1 1:2 '1:2 65536' '1:2 65536 5' '1:2 65536 5.5' '01:2 65536 5.000000000' '1:0 65536 5.000000000' \
		'1:2 65536 5.000000000x' '1:2  65536 5.000000000' '99999999999999999999:2 65536 5.000000000'; do
		refuse "# file $line\n0 4096\n" 1 'identity'
	done
	refuse '# file 1:2 65536 5.000000000\n# file 1:3 65536 5.000000000\n' 2 'line 1'
	printf '# file of yesterday\n#file 1\n# files 1\n\t # file %s\r\n0 4096\n' "$(stat -c '%d:%i %s %.9Y' mem)" >ranges
	fcp madvise-ranges --mem-file-path mem --ranges ranges --json
	expect 0
	expect_json '.released_bytes == 4096'
}

@test "A9: nothing on standard input, as from a command that failed: a warning; an empty list is none" {
	mem
	fcp madvise-ranges --mem-file-path mem --ranges - --json </dev/null
	expect 0
	expect_json '.status == "ok"' '.warnings == ["no ranges on standard input"]'
	expect_err 'warning: no ranges on standard input'
	"$FCPAUSE" madvise-ranges --mem-file-path none --list 2>/dev/null | {
		status=0
		"$FCPAUSE" madvise-ranges --mem-file-path mem --ranges - >out 2>err || status=$?
		expect 0
		expect_err 'no ranges on standard input'
	}
	: >ranges
	fcp madvise-ranges --mem-file-path mem --ranges ranges
	expect_err 'no ranges in ranges'
	list mem | { "$FCPAUSE" madvise-ranges --mem-file-path mem --ranges - >out 2>err; }
	expect_no_err
	cmp mem mem.before
}
