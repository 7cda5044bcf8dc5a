#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# inspect tells what a memory file is: its id, what its holes mean, on what it lies; and
# what it says of a layer is what a layer takes.

load writer

inspect() { COLUMNS=80 fcp inspect "$@"; }

# A restored VM that has written 4 MiB since; base.mem, its whole file a.mem, and its layer.
files() {
	sim_start --boot --no-envd --memory 64 --workload 20,10,8
	snap base
	[ "$(jq .id out)" != null ] || skip 'no attributes here'
	BASE=$(jq -r .id out)
	loads base restored
	sim_put /sim/workload '{"fill_mib":4,"free_mib":2}'
	sim_patch /vm '{"state":"Paused"}'
	snap a
	snap layer --layer
	expect 0
	LAYER=$(jq -r .id out)
	WRITTEN=$(jq .memory.written_bytes out)
}

@test "a whole file and its layer: what a layer stores is what it has written" {
	files
	inspect --mem-file-path a.mem --base base.mem --json
	expect_json ".layer_bytes == $WRITTEN" '.base_file.fits == null' ".base_file.id == \"$BASE\"" '.holes == "zero"'
	inspect --mem-file-path layer.mem --base base.mem --json
	expect_json ".layer_bytes == $WRITTEN" '.base_file.fits == true' '.holes == "base"' ".id == \"$LAYER\"" \
		".base == \"$BASE\"" '.mem_file.data_bytes == .layer_bytes'
	# Its holes are the base's, and not on disk.
	expect_json '.same.base.allocated_bytes == 0' '.same.base.bytes == .mem_file.logical_bytes - .layer_bytes'
}

@test "the lineage as text" {
	files
	inspect --mem-file-path layer.mem --base base.mem
	grep -qx "  memory $LAYER; its holes are the base's bytes, of memory $BASE" out
	grep -qx "  base base.mem: memory $BASE, this layer's" out
	inspect --mem-file-path base.mem
	grep -qx "  memory $BASE; its holes are zeros" out
	cp --no-preserve=all layer.mem plain.mem
	inspect --mem-file-path plain.mem
	grep -qx '  memory without a recorded id; what its holes mean is not recorded' out
}

@test "a layer of another base is not compared, and it says so; one of which it is not known is" {
	files
	inspect --mem-file-path layer.mem --base a.mem --json
	expect 4
	expect_json '.base_file.fits == false' '.same == null and .layer_bytes == null' \
		'.reason | startswith("not compared: layer.mem is a layer of memory")' '.reason | contains("the guest cannot be read")'
	inspect --mem-file-path layer.mem --base a.mem
	grep -q "^  base a.mem: memory .*, another than this layer's: not compared\$" out
	run ! grep -q '^layer stores' out
	cp --no-preserve=all base.mem plain.mem
	inspect --mem-file-path layer.mem --base plain.mem --json
	expect_json '.base_file.fits == null' ".layer_bytes == $WRITTEN"
	inspect --mem-file-path layer.mem --base base.mem --holes zero --json
	expect 3
	expect_json '.status == "unsupported"' '.reason | contains("recorded as a Diff layer")' '.classes == null'
	inspect --before base.mem --after layer.mem --holes zero --json
	expect 3
	expect_json '.status == "unsupported"' 'has("before") | not'
	inspect --before layer.mem --after base.mem --holes zero
	expect 3
	expect_no_out
	inspect --mem-file-path a.mem --base layer.mem
	expect 1
	expect_err 'the base is a layer itself'
}

@test "the guest in a layer is read through its base" {
	guest_file guest.mem
	sim_start --boot --no-envd --memory 32 --memory-content guest.mem
	snap base
	SIM_NAME=restored sim_start --no-envd
	sim_load "$T/base.snap" "$T/base.mem"
	snap layer --layer
	expect 0
	[ "$(jq .id out)" != null ] || skip 'no attributes here'
	inspect --mem-file-path layer.mem --json
	expect 4
	inspect --mem-file-path layer.mem --base base.mem --json
	expect 0
	expect_json '.guest.release == "6.1.0-fixture"' '.classes.free.bytes > 0' '.layer_bytes == 0' '.mem_file.data_bytes == 0'
}
