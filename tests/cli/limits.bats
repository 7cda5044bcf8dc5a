#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# fcpause-limits(7) and the code's constants are held together, and the limits of the command line are tried
# at their edges. Those of answers and files: tests/unit/limits_test.c; of the guest's memory:
# tests/unit/guest_bounds_test.c; of envd's streams: exec.bats and reclaim_faults.bats.

load helpers

setup_file() { export BATS_TEST_TIMEOUT=120; }

# "FILE MACRO NUMBER UNIT" an item of the page that says where its value stands.
table() {
	awk '/^\.\\" [a-z]+\/[a-z_\/0-9]+\.[ch] [A-Z_]+$/ { where = $2 " " $3; next }
		/^\.It / && where != "" { print where, $2, $3; where = "" }' "$ROOT/man/fcpause-limits.7"
}

# definition FILE MACRO: what it is defined as, without its comment.
definition() {
	sed -nE "s/^#define $2[ \t]+//p" "$ROOT/$1" | sed -E 's,/\*.*,,'
}

# value FILE MACRO: as a number.
value() {
	local text
	text=$(definition "$1" "$2" | head -n 1 |
		sed -E 's/UINT64_C\(([0-9]+)\)/\1/g; s/\b([0-9]+)[uUlL]+\b/\1/g; s/FCP_MIB/(1 << 20)/g
			s/\bGIB\b/(1 << 30)/g; s/UINT32_MAX/4294967295/')
	[ -n "$text" ] || { echo "$1 does not define $2" >&2; return 1; }
	echo $((text))
}

# factor UNIT: how many of the code's units it is.
factor() {
	case $1 in
	KiB) echo 1024 ;;
	MiB) echo 1048576 ;;
	GiB) echo 1073741824 ;;
	s) echo 1000 ;;
	h) echo 3600000 ;;
	*) echo 1 ;;
	esac
}

@test "limits: the table has the values of the code" {
	local file macro number unit code
	table >rows
	[ "$(wc -l <rows)" -ge 40 ]
	while read -r file macro number unit; do
		echo "$file $macro: $number $unit"
		code=$(value "$file" "$macro")
		case $macro in *_MIB) unit= ;; esac
		[ "$((number * $(factor "$unit")))" = "$code" ]
	done <rows
}

# What a name like a limit's stands for otherwise: sizes of tables and structures that nothing from outside can
# make larger, searches and tries that end, and answers of which only the status counts.
other_maxima() {
	cat <<-'END'
		cmd/map/map.h MAP_CELLS_MAX
		cmd/output/progress.c STEPS_MAX
		cmd/parsing/unknown_variables.c NAME_MAX_BYTES
		cmd/telemetry/telemetry.c LABELS_MAX
		lib/base/call.h FCP_STRUCT_BYTES_MAX
		lib/base/lock.c POLL_MAX_NS
		lib/base/lock.c TRIES_MAX
		lib/base/nearest.h FCP_NEAREST_MAX_BYTES
		lib/base/seccomp.h FCP_SECCOMP_RULES_MAX
		lib/envd/health.c ANSWER_MAX_BYTES
		lib/envd/process.c HEADER_MAX_BYTES
		lib/guest/allocator/buddy.c DROPPED_MAX
		lib/guest/allocator/content_samples.c CHOSEN_MAX
		lib/guest/allocator/freelist.c DRIFT_MAX
		lib/guest/allocator/freelist.c VCPUS_MAX
		lib/guest/allocator/node.c STEPS_MAX
		lib/guest/arch/arm64.c IMAGE_BYTES_MAX
		lib/guest/arch/arm64.h FCP_ARM64_FDT_BYTES_MAX
		lib/guest/arch/arm64_running.c STEXT_MAX
		lib/guest/arch/arch.h FCP_GUEST_LEVELS_MAX
		lib/guest/arch/arch.h FCP_GUEST_SPANS_MAX
		lib/guest/arch/x86_64_boot.c E820_MAX
		lib/guest/arch/x86_64_note.c IMAGE_DATA_MAX
		lib/guest/arch/x86_64_note.c PROBES_MAX
		lib/guest/arch/x86_64_running.c CANDIDATES_MAX
		lib/guest/kernel/kernel_log.c RECORDS_MAX
		lib/guest/kernel/kernel_log.c SIZE_BITS_MAX
		lib/guest/kernel/kernel_log.c UNFINISHED_MAX
		lib/guest/kernel/search.c HEADS_MAX
		lib/guest/kernel/search.c LAYOUT_PROOFS_MAX
		lib/guest/kernel/vmcoreinfo.h FCP_GUEST_NOTE_SYMBOLS_MAX
		lib/guest/memory.h FCP_GUEST_LAYOUTS_MAX
		lib/guest/memory.h FCP_GUEST_REGIONS_MAX
		lib/guest/memory_source.h FCP_GUEST_GATHER_MAX
		lib/guest/pagemap.c RUNS_MAX
		lib/guest/ram_low.c MARK_BYTES_MAX
		lib/guest/ram_place.c JOINED_MAX_BYTES
		lib/guest/ram_place.c STARTS_MAX
		lib/memory/in_use_who.c GENERATIONS_MAX
		lib/memory/share/index.c PROBES_MAX
		lib/memory/share/share.h FCP_SHARE_SOURCES_MAX
		lib/steps/balloon_drain.c POLL_MAX_NS
		lib/steps/doctor/checks.h FCP_CHECKS_MAX
		lib/steps/doctor/envd.c ANSWER_MAX_BYTES
		lib/steps/snapshot/temporary.c TRIES_MAX
		lib/steps/snapshot/type.c SLOT_MAX_MIB
	END
}

@test "limits: each maximum of the code is in the table, or is no limit" {
	table | cut -d' ' -f1,2 | sort >told
	other_maxima | sort >others
	(cd "$ROOT" && grep -rnoE --include='*.[ch]' '^#define [A-Z0-9_]*_MAX(_[A-Z]+)?[ 	]' lib cmd) |
		sed -E 's/:[0-9]+:#define ([A-Z0-9_]+).*/ \1/' | sort -u >defined
	[ "$(wc -l <defined)" -ge 50 ]
	sort -u told others | comm -23 defined - | tee missing
	[ ! -s missing ]
	# What was renamed or removed is not listed either.
	comm -13 defined others | tee gone
	[ ! -s gone ]
}

# ---- the command line ---------------------------------------------------------------------------

# options OPTION COUNT: OPTION=fN for each, a line each.
repeated() {
	seq -f "$1=f%.0f" "$2"
}

@test "limits: 256 files with --layer" {
	mapfile -t words < <(repeated --layer 256)
	fcp merge -n --base base --out out "${words[@]}"
	[ "$(grep -cF 'there are more than' "$T/err")" = 0 ]
	fcp merge -n --base base --out out "${words[@]}" --layer one
	expect 2
	expect_err '--layer: there are more than 256'
}

@test "limits: 16 files with --share" {
	local i
	for i in $(seq 17); do head -c 4096 /dev/urandom >"f$i"; done
	head -c 4096 /dev/zero >mem
	mapfile -t words < <(repeated --share 16)
	fcp share --mem-file-path mem "${words[@]}"
	[ "$(grep -cF 'more than' "$T/err")" = 0 ]
	fcp share --mem-file-path mem "${words[@]}" --share f17
	expect 2
	expect_err '--share: there are more than 16'
}

@test "limits: 24 hours, and 1 GiB of alignment" {
	fcp status --api-sock none.sock --timeout-ms 86400000
	expect 1
	fcp status --api-sock none.sock --timeout-ms 86400001
	expect 2
	expect_err "--timeout-ms: '86400001' is too long (at most 24h, 86400000 ms)"
	head -c 1048576 /dev/zero >mem
	fcp madvise-ranges --mem-file-path mem --find zero --align 1GiB
	expect 0
	fcp madvise-ranges --mem-file-path mem --find zero --align 2GiB
	expect 2
	expect_err 'align'
}

@test "limits: a user's name of 120 bytes" {
	local name
	name=$(printf 'u%.0s' $(seq 120))
	# Nobody answers there; whether it came to that shows which name was taken.
	fcp exec --envd http://127.0.0.1:1 --user "$name" -- true
	expect_err 'cannot connect'
	fcp exec --envd http://127.0.0.1:1 --user "${name}u" -- true
	expect 125
	expect_err 'is not the name of a user'
}

@test "limits: 8 variables with an unknown name" {
	local i
	for i in $(seq 9); do export "FCPAUSE_WHATEVER_$i=1"; done
	fcp status --api-sock none.sock
	[ "$(grep -c 'FCPAUSE_WHATEVER_' "$T/err")" = 8 ]
}

@test "limits: 16 warnings of a flags file" {
	jq -n '{flagValues: ([range(17)] | map({key: "other-\(.)", value: 1}) | from_entries)}' >flags.json
	fcp pause -n --api-sock none.sock --flags flags.json --snapshot-path s --mem-file-path m
	expect 0
	[ "$(grep -c 'flag other-' "$T/err")" = 16 ]
}
