#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A program that was built against a release of the library runs with this one: the binary interface as
# it was then (libfcpause.abi) is still there, and program.c, built against the header of then, does the
# same. `make release-abi` stores both at a release.

bats_require_minimum_version 1.5.0

setup() {
	load ../lib/sim
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	BUILD=${FCPAUSE_BUILD:-$ROOT/build}
	case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
	T=$BATS_TEST_TMPDIR
	cd "$T" || return 1
}

teardown() { sim_stop; }

# ---- the stored interface ----

dump() {
	command -v abidiff >/dev/null || skip 'abidiff is not installed (abigail-tools)'
	[ "$(uname -m)" = x86_64 ] || skip "what is stored is of x86_64, not $(uname -m)"
	case $BUILD in *asan* | *ubsan* | *tsan*) skip 'a library with sanitizers has other dependencies' ;; esac
	"$ROOT/tests/abi/dump" "$BUILD/libfcpause.so" >new.abi
	grep -q "class-decl name='fcp_merge_settings'" new.abi || skip 'the library was built without -g'
}

# edited SCRIPT: new.abi, edited by awk, as the interface of a release before; it must differ.
edited() {
	awk "$1" new.abi >old.abi
	run ! cmp -s old.abi new.abi
}

# without_last NAME: the interface of before the last member of the struct.
without_last() {
	edited '
		/<class-decl name=\047'"$1"'\047/ { inside = 1 }
		inside { lines[++n] = $0 }
		!inside { print }
		inside && /<\/class-decl>/ {
			split(lines[n - 3], word, "\047")
			bits = int((word[4] + 63) / 64) * 64
			sub(/size-in-bits=\047[0-9]+\047/, "size-in-bits=\047" bits "\047", lines[1])
			for (i = 1; i <= n; i++) if (i < n - 3 || i == n) print lines[i]
			inside = n = 0
		}'
}

additions() { run "$ROOT/tests/abi/compare" "$@"; }
allowed() { additions old.abi new.abi; [ "$status" -eq 0 ] || { echo "refused: $output"; return 1; }; }
# refused TEXT: and the report has the text.
refused() {
	additions old.abi new.abi
	[ "$status" -eq 1 ] && [[ $output == *"$1"* ]] || { echo "ended with $status: $output"; return 1; }
}

@test "abi: what the last release had is there, and has its layout: additions only" {
	dump
	additions "$ROOT/tests/abi/libfcpause.abi" new.abi
	[ "$status" -eq 0 ] || { echo "$output"; return 1; }
}

@test "abi: the stored interface names nothing of a machine, and is of all that the library exports" {
	run ! grep -nE "='/|/(home|usr|opt|tmp)/|comp-dir-path" "$ROOT/tests/abi/libfcpause.abi"
	[ "$(grep -c "<elf-symbol name='fcp_" "$ROOT/tests/abi/libfcpause.abi")" -gt 40 ]
	[ "$(grep -c "<function-decl name='fcp_" "$ROOT/tests/abi/libfcpause.abi")" -gt 40 ]
}

@test "abi: may be added: a function, a value, a member behind the end of what has a size, or of what the library makes" {
	dump
	edited '/<elf-symbol name=\047fcp_share_result_clear\047/ { next }
		/<function-decl name=\047fcp_share_result_clear\047/ { skip = 1 }
		!skip { print } /<\/function-decl>/ { skip = 0 }'
	allowed
	edited '!/enumerator name=\047FCP_PAGE_UNKNOWN\047/'
	allowed
	local name
	for name in fcp_doctor_settings fcp_reclaim_settings fcp_merge_result fcp_status_result fcp_observer \
		fcp_flags fcp_check fcp_inspect_class fcp_merge_layer fcp_exchange; do
		without_last $name
		allowed || { echo "$name"; return 1; }
	done
}

@test "abi: may not be added: a member of settings in the padding of those of before" {
	dump
	# The last members of these share eight bytes with the ones before them.
	for name in fcp_merge_settings fcp_exec_settings; do
		without_last $name
		refused "$name:"
	done
}

@test "abi: may not be changed: what has no size, a member's place, name or type, a value, a parameter, what is gone" {
	dump
	local name
	for name in fcp_range fcp_found_range fcp_reclaim_step fcp_outcome fcp_error fcp_class_bytes fcp_balloon; do
		without_last $name
		refused "$name" || { echo "$name"; return 1; }
	done
	edited '/<class-decl name=\047fcp_merge_settings\047/ { inside = 1 } /<\/class-decl>/ { inside = 0 }
		inside && /<data-member/ && ++n == 2 { skip = 3 }
		skip > 0 { skip--; next }
		inside && /<data-member/ && n > 2 { split($0, w, "\047"); sub(w[4] "\047", w[4] - 64 "\047") }
		{ print }'
	refused "fcp_merge_settings:  there are data member changes"
	edited '{ sub(/name=\047layer_count\047/, "name=\047layers\047") } 1'
	refused "layers"
	edited '/<class-decl name=\047fcp_status_result\047/ { inside = 1 } /<\/class-decl>/ { inside = 0 }
		inside && /name=\047memory_bytes\047/ { sub(/type-id=\047[^\047]*\047/, "type-id=\047" id "\047") }
		/<type-decl name=\047int\047/ { split($0, w, "\047"); id = w[6] } { print }'
	refused "memory_bytes"
	edited '{ sub(/name=\047FCP_VERDICT_NO\047 value=\0471\047/, "name=\047FCP_VERDICT_NO\047 value=\0473\047") } 1'
	refused "FCP_VERDICT_NO"
	edited '{ print } /enumerator name=\047FCP_VERDICT_NO\047/ { sub(/NO/, "GONE"); sub(/\0471\047/, "\0479\047"); print }'
	refused "FCP_VERDICT_GONE"
	edited '{ print } /<elf-symbol name=\047fcp_version\047/ { sub(/fcp_version/, "fcp_gone"); print }'
	refused "fcp_gone"
	edited '{ print } /<function-decl name=\047fcp_status_name\047/ { inside = 1 } /<\/function-decl>/ { inside = 0 }
		inside && /<parameter / { sub(/name=\047status\047/, "name=\047more\047"); print }'
	refused "fcp_status_name"
}

@test "abi: dumps that cannot be compared are an error of their own" {
	dump
	echo 'no dump' >old.abi
	additions old.abi new.abi
	[ "$status" -eq 2 ]
}

# ---- the header ----

@test "abi: the header of this version is stored, and says the version that it is named after" {
	local version file
	version=$(sed -n 's/^#define FCP_VERSION "\(.*\)"/\1/p' "$ROOT/lib/fcpause.h")
	[ -n "$(ls "$ROOT"/tests/abi/fcpause-*.h)" ]
	for file in "$ROOT"/tests/abi/fcpause-*.h; do
		grep -qx "#define FCP_VERSION \"$(basename "$file" .h | sed 's/^fcpause-//')\"" "$file"
		# Those of a soname before need not run.
		[ "$(basename "$file" .h | sed 's/^fcpause-//; s/\..*//')" = "${version%%.*}" ]
	done
}

@test "abi: settings have no padding at their end, where an older program leaves anything" {
	echo '#include "fcpause.h"' >padded.c
	"${CC:-cc}" -I"$ROOT/lib" -Wpadded -fsyntax-only padded.c 2>warned
	# The warning is at the struct's last line.
	sed -nE 's/.*fcpause\.h:([0-9]+):.*padding struct size.*/\1/p' warned >ends
	[ -s ends ] || skip 'the compiler does not tell'
	awk 'NR == FNR { ends[$1]; next } /^struct [a-z_]+ \{/ { name = $2 } FNR in ends { print name }' ends \
		"$ROOT/lib/fcpause.h" >names
	run ! grep -E '_settings$|^fcp_(observer|memory_source|ranges_text)$' names
	# That it would be seen.
	sed 's/^struct fcp_merge_settings {/&\n\tbool odd;/; s/^\tuint32_t reserved;/&\n\tbool odder;/' "$ROOT/lib/fcpause.h" >fcpause.h
	"${CC:-cc}" -I. -Wpadded -fsyntax-only padded.c 2>warned
	[ "$(grep -c 'padding struct size' warned)" -gt "$(wc -l <names)" ]
}

@test "abi: no array of the header has the length of an enum or of a list" {
	# Those of text, whose lengths are figures; and an id's, which is a UUID's.
	run grep -nE '\[[^]]*[A-Za-z_][^]]*\];' "$ROOT/lib/fcpause.h"
	[ -z "$(grep -v '\[FCP_ID_BYTES\];' <<<"$output")" ] || { echo "$output"; return 1; }
	run ! grep -nE '^\t[^*(]*[^r] [a-z_]+\[[0-9]+\];' "$ROOT/lib/fcpause.h"
	# No enum ends with how many values it has.
	run ! grep -nE '^\tFCP_[A-Z_]*(COUNT|KINDS|CLASSES|MAX)( =|,)' "$ROOT/lib/fcpause.h"
}

# ---- programs ----

# library: the linker finds the library that was built.
library() {
	case $BUILD in *asan* | *ubsan* | *tsan*) skip 'a library with sanitizers needs a program with them' ;; esac
	mkdir -p library
	cp "$BUILD/libfcpause.so" library/libfcpause.so.0
	ln -sf libfcpause.so.0 library/libfcpause.so
}

# build HEADER PROGRAM [FLAG…]
build() {
	local header=$1 program=$2
	shift 2
	mkdir -p "include-$program"
	cp "$header" "include-$program/fcpause.h"
	"${CC:-cc}" -std=gnu17 -Wall -Werror "$@" -I"include-$program" -o "$program" "$ROOT/tests/abi/program.c" \
		-Llibrary -lfcpause
}

# Structs that may get members at their end.
GROW='_(settings|result)$|^fcp_(observer|memory_source|flags|check|gate|share_report|merge_layer|inspect_class|inspect_cell|exchange)$'

# older HEADER: without the last member of each of them which program.c does not need.
older() {
	awk -v grow="$GROW" '
		/^struct [a-z_]+ \{/ { inside = $2 ~ grow && $2 !~ /^fcp_(inspect_cell|outcome)$/; name = $2; last = 0 }
		{ lines[NR] = $0; if (inside && /^\t[^\/ *].*;/) last = NR }
		/^};/ { if (inside && last && name lines[last] !~ needed) drop[last]; inside = 0 }
		END { for (i = 1; i <= NR; i++) if (!(i in drop)) print lines[i] }
		BEGIN { needed = "trim_off_reason|vm_state;|\\*\\*checks|cancel_fd|^fcp_reclaim_settings" }' "$1"
}

# newer HEADER: with a member more in each of them.
newer() {
	awk -v grow="$GROW" '/^struct [a-z_]+ \{/ { inside = $2 ~ grow }
		/^};/ { if (inside) print "\tuint64_t news;"; inside = 0 } { print }' "$1"
}

world() {
	sim_start --boot --memory 16 --workload 4,2,1
	"$BUILD/guest-file" guest
	echo '{"flagValues": {"reclaim-on-pause": {"pause": 700, "fstrim": 5, "sync": 6}, "other": 1}}' >flags
}

# does PROGRAM: what it prints is what a program of today must see.
does() {
	rm -f snap mem
	LD_LIBRARY_PATH=library timeout 60 "./$1" "$SIM_SOCK" "$SIM_ENVD" guest "$T/snap" "$T/mem" flags >out 2>&1 ||
		{ cat out; return 1; }
	sim_patch /vm '{"state": "Resumed"}'
	{
		printf 'check %s %s\n' socket ok vm ok guest-memory ok
		printf 'step %s\n' 'sync ok 300' 'drop_caches ok 400'
		echo 'phases 1'
		printf '%s\n' 'flag 1 700' 'cap sync 6' 'cap fstrim 5' 'warnings 1'
		echo 'pause ok, created 1, Paused, trim skipped: not now'
	} >expected
	grep -Fxf expected out | diff expected - || { cat out; return 1; }
	# Each class of the whole is the sum of its cells', and all of them are the file.
	[ "$(grep -c '^class ' out)" -ge 10 ]
	awk '/^class / { if ($3 != $4) exit 1; all += $3 } END { exit all != size }' size="$(stat -c %s guest)" out ||
		{ cat out; return 1; }
	grep -q '^class free [1-9]' out
}

@test "abi: a program that was built against the header of a release does the same with this library" {
	library
	world
	local header
	for header in "$ROOT"/tests/abi/fcpause-*.h "$ROOT/lib/fcpause.h"; do
		build "$header" program
		does program || { echo "$header"; return 1; }
	done
}

@test "abi: against a header with fewer members: settings, results and items are found in their places" {
	library
	world
	older "$ROOT/lib/fcpause.h" >older.h
	[ "$(diff older.h "$ROOT/lib/fcpause.h" | grep -c '^>')" -gt 25 ]
	build older.h program
	does program
}

@test "abi: against a header with more members: they may be zero, and are refused where they are set" {
	library
	world
	newer "$ROOT/lib/fcpause.h" >newer.h
	[ "$(diff newer.h "$ROOT/lib/fcpause.h" | grep -c '^< .uint64_t news;')" -gt 30 ]
	build newer.h program
	does program
	build newer.h program -DNEWS
	LD_LIBRARY_PATH=library run ./program "$SIM_SOCK" "$SIM_ENVD" guest "$T/snap" "$T/mem" flags
	[ "$status" -eq 1 ]
	[[ $output == 'doctor: usage: settings: one is set that libfcpause '*' does not know: '* ]]
}
