#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A snapshot whose memory file holds only what differs from the file that the VM was
# restored from. What is in it is checked by --verify in the run, and by a second simulator that loads it
# once it is merged.

load writer

a_layer() {
	expect 0
	expect_json '.status == "ok"' '.created' '.writer == "fcpause"' '.type == "Diff"' '.layer' '.holes == "base"' \
		'.memory | .zero_bytes + .base_equal_bytes + .written_bytes == .changed_bytes' "$@"
}


# A VM that was restored from base.mem.
restored() {
	sim_start --boot --no-envd --memory 64 --workload "${1:-20,10,8}"
	snap base
	expect 0
	loads base restored
}

@test "a layer holds what has changed, and says what it is a layer of; the base is not touched" {
	local sum id
	restored
	sum=$(sha256sum <base.mem)
	id=$(jq .id out)
	sim_put /sim/workload '{"fill_mib":4}'
	snap a --layer --verify --resume
	a_layer ".memory.written_bytes == $((4 * MIB))" '.memory.verified' ".base == $id" '.id != .base' \
		".memory.base.id == $id" '.memory.cloned_bytes == 0 and .memory.copied_bytes == 0'
	expect_no_err
	[ "$(length a.mem)" -eq $((64 * MIB)) ]
	[ "$(allocated a.mem)" -le $((5 * MIB)) ]
	[ "$(sha256sum <base.mem)" = "$sum" ]
	[ "$(sim_state checksum_ok)" = true ]
	no_leftovers
	# The attributes are the file's.
	fcp inspect --json --mem-file-path a.mem
	expect_json '.holes == "base"' ".base == $id"
}

@test "a layer of what has not changed is empty" {
	restored
	snap a --layer --verify
	a_layer '.memory.written_bytes == 0'
	[ "$(allocated a.mem)" -lt 65536 ]
}

@test "a page that became zero where the base has other bytes is data" {
	local balloon='{"amount_mib":0,"deflate_on_oom":false,"free_page_hinting":true,"free_page_reporting":false}'
	sim_start --boot --no-envd --memory 64 --workload 40,30,0 --balloon "$balloon"
	snap base
	SIM_NAME=restored sim_start --no-envd --resumed-hinting-ms 5
	sim_load "$T/base.snap" "$T/base.mem"
	sim_put /sim/workload '{"free_mib":10}' || true
	fcp balloon-drain --api-sock "$SIM_SOCK" --fph-timeout-ms 20000
	expect 0
	snap a --layer --verify
	a_layer '.memory.dropped_bytes > 0'
	[ "$(allocated a.mem)" -ge "$(jq .memory.dropped_bytes out)" ]
}

@test "a checkpoint: pages are copied to memory first, and the guest goes on" {
	restored
	sim_put /sim/workload '{"fill_mib":4}'
	snap a --layer --resume
	a_layer '.memory.buffered' '.vm_state == "Running"' ".memory.written_bytes == $((4 * MIB))"
}

@test "a base without an id is given one, and neither its content nor its times change" {
	local before
	sim_start --boot --no-envd --memory 64 --workload 20,10,8
	snap base
	[ "$(jq .id out)" != null ] || skip 'no attributes here'
	cp --no-preserve=all base.mem copy.mem
	mv copy.mem base.mem
	loads base restored
	before=$(stat -c '%s %.9Y %.9X %a %u' base.mem; sha256sum <base.mem)
	snap a --layer --resume
	a_layer '.base | length == 36' '.memory.base.id == .base'
	[ "$(stat -c '%s %.9Y %.9X %a %u' base.mem; sha256sum <base.mem)" = "$before" ]
	jq .base out >first
	snap b --layer
	a_layer ".base == $(<first)"
}

@test "a base that has been written since is not known by its old id" {
	restored
	id=$(jq .id out)
	[ "$id" != null ] || skip 'no attributes here'
	touch base.mem
	snap a --layer
	a_layer '.base | length == 36' ".base != $id"
}

@test "where no id can be recorded with the base: null, and a warning" {
	[ "$(id -u)" = 0 ] || skip 'needs root to mount'
	mkdir ro
	mount -t tmpfs -o size=80m tmpfs ro 2>/dev/null || skip 'no mounts here'
	sim_start --boot --no-envd --memory 64 --workload 8,0,0
	snap base
	cp base.mem ro/base.mem
	mount -o remount,ro ro
	SIM_NAME=restored sim_start --no-envd
	sim_load "$T/base.snap" "$T/ro/base.mem"
	snap a --layer --verify
	sim_stop
	umount ro
	a_layer '.base == null' '.memory.base.id == null' '.warnings | length == 1'
}

@test "a VM without a base: refused before the pause" {
	sim_start --boot --no-envd --memory 64
	snap a --layer
	[ "$status" -ne 0 ]
	expect_json '.created == false'
	expect_err 'a layer needs a base'
	run ! grep -q PATCH "$SIM_LOG"
	fcp pause --api-sock "$SIM_SOCK" --snapshot-path a.snap --mem-file-path a.mem --layer
	[ "$status" -ne 0 ]
	run ! grep -q PATCH "$SIM_LOG"
	no_leftovers
}

@test "Firecracker writes no layer: --writer firecracker and --type are usage errors, a fallback is none" {
	sim_start --boot --no-envd --memory 64 --workload 8,0,0
	snap a --layer --writer firecracker
	expect 2
	expect_err '--writer firecracker'
	for type in full diff; do
		snap a --layer --type $type
		expect 2
		expect_err '--type'
	done
	expect_no_requests
	snap base
	SIM_NAME=restored sim_start --no-envd --memory-open nonblock
	sim_load "$T/base.snap" "$T/base.mem"
	snap b --layer
	[ "$status" -ne 0 ]
	expect_json '.created == false' '.vm_state == "Running"'
	[ ! -e b.mem ]
	no_leftovers
}

@test "pause --layer: there is nothing left to release" {
	restored
	sim_put /sim/workload '{"fill_mib":4}'
	fcp pause --json --find zero --api-sock "$SIM_SOCK" --snapshot-path a.snap --mem-file-path a.mem --layer --verify
	expect 0
	expect_json '.status == "ok"' '.steps[2].layer' '.steps[2].memory.verified' '.steps[3].status == "skipped"' \
		".steps[2].memory.written_bytes == $((4 * MIB))"
}

@test "a file system that has no holes of one page: refused before the pause" {
	[ "$(id -u)" = 0 ] || skip 'needs root to mount'
	mkdir huge
	mount -t tmpfs -o size=128m,huge=always tmpfs huge 2>/dev/null || skip 'no mounts here'
	restored 8,0,0
	: >"$SIM_LOG"
	snap huge/a --layer
	umount huge
	[ "$status" -ne 0 ] || skip 'no huge pages here'
	expect_err "the file system's blocks, of 2097152 bytes, are larger than the guest's pages"
	run ! grep -q PATCH "$SIM_LOG"
}

# What is left out has the base's bytes once it is merged, not zeros.
@test "free pages are left out; of a guest that may rely on zeros, only those that are zeros in the base" {
	local find free
	guest_file guest.mem
	for find in zero free; do
		SIM_NAME=boot_$find sim_start --boot --no-envd --memory 32 --memory-content guest.mem
		snap base_$find --find $find
		expect 0
		free=$(jq .memory.free_bytes out)
		SIM_NAME=restored_$find sim_start --no-envd
		sim_load "$T/base_$find.snap" "$T/base_$find.mem"
		snap layer_$find --layer --verify
		a_layer '.memory.free_bytes > 0' '.memory.free_reason == null'
	done
	expect_json ".memory.free_bytes == $free"
	# All its free pages are zeros now, and the base has data of some: whole, and not to be left out.
	cp --sparse=never base_free.mem full.mem
	SIM_NAME=full sim_start --no-envd
	sim_load "$T/base_free.snap" "$T/full.mem"
	snap layer_full --layer --verify
	a_layer '.memory.free_bytes == 0' '.memory.free_reason | contains("zeroes on free relies on it")'
}
