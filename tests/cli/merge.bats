#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A base and the layers on it become a whole memory file. What it must hold is made by
# cp and dd from the same files, and checked by a second simulator that loads it.

load writer

# A layer a.mem of base.mem, by a VM that was restored from it.
layer() {
	sim_start --boot --no-envd --memory 64 --workload 20,10,8
	snap base
	loads_pair base.snap base.mem restored
	sim_put /sim/workload '{"fill_mib":4,"free_mib":3}'
	snap a --layer "$@"
	expect 0
}

merge() { fcp merge --json --base base.mem --layer a.mem --out out.mem "$@"; }

# Files of pages without any VM: base of 'b', and a Diff as Firecracker writes it, page 3 zeros.
plain() {
	head -c $((16 * 4096)) /dev/zero | tr '\0' b >base.mem
	truncate -s $((16 * 4096)) diff.mem
	head -c 8192 /dev/zero | tr '\0' d | dd of=diff.mem bs=4096 seek=1 conv=notrunc status=none
	dd if=/dev/zero of=diff.mem bs=4096 seek=3 count=1 conv=notrunc status=none
	cp base.mem expected
	dd if=diff.mem of=expected bs=4096 skip=1 seek=1 count=3 conv=notrunc status=none
}

# What a refused or failed merge leaves.
refused() {
	[ "$status" -eq "${2:-1}" ] || _show "expected exit code ${2:-1}" || return
	expect_err "$1" && no_leftovers
}

@test "a layer over its base is the VM's memory, and it loads; base and layer are not touched" {
	local before id
	layer --verify
	id=$(jq .id out)
	before=$(sha256sum base.mem a.mem)
	merge
	expect 0
	expect_json '.status == "ok"' '.created' '.holes == "zero"' ".id == $id" '.layers | length == 1' \
		'.layers[0] | .data_bytes > 0 and .cloned_bytes + .copied_bytes + .zero_bytes == .data_bytes' \
		'.base | .cloned_bytes + .copied_bytes > 0' ".mem_file.logical_bytes == $((64 * MIB))" \
		".mem_file.allocated_bytes == $(allocated out.mem)"
	[ "$(sha256sum base.mem a.mem)" = "$before" ]
	[ "$(allocated out.mem)" -le $((40 * MIB)) ]
	[ "$(stat -c %a out.mem)" = 600 ]
	no_leftovers
	loads_pair a.snap out.mem merged
}

@test "a chain of five layers, each of a VM restored from the merge before; all at once is the same" {
	local i args=()
	sim_start --boot --no-envd --memory 64 --workload 20,10,8
	snap m0
	for i in 1 2 3 4 5; do
		loads_pair "$([ $i = 1 ] && echo m0.snap || echo l$((i - 1)).snap)" m$((i - 1)).mem vm$i
		sim_put /sim/workload '{"fill_mib":3,"free_mib":3}'
		snap l$i --layer --verify
		expect 0
		sim_stop
		fcp merge --json --base m$((i - 1)).mem --layer l$i.mem --out m$i.mem
		expect 0
		args+=(--layer "l$i.mem")
	done
	fcp merge --json --base m0.mem "${args[@]}" --out all.mem
	expect 0
	expect_json '.layers | length == 5'
	cmp m5.mem all.mem
	loads_pair l5.snap all.mem last
	# One is missing, two are the wrong way round, the first is of another base.
	fcp merge --base m0.mem --layer l1.mem --layer l3.mem --out x.mem
	refused 'another base, or a layer between them is missing'
	fcp merge --base m0.mem --layer l2.mem --layer l1.mem --out x.mem
	refused 'another base, or a layer between them is missing'
	fcp merge --base m3.mem --layer l1.mem --out x.mem --any-base
	refused 'another base, or a layer between them is missing'
	[ ! -e x.mem ]
}

@test "a Diff that Firecracker wrote: only with --any-base, and pages of zeros become holes" {
	plain
	fcp merge --base base.mem --layer diff.mem --out out.mem
	refused 'is not recorded'
	fcp merge --json --base base.mem --layer diff.mem --out out.mem --any-base
	expect 0
	expect_json '.layers[0].data_bytes == 12288' '.layers[0].zero_bytes == 4096'
	cmp out.mem expected
	fcp inspect --json --mem-file-path out.mem
	expect_json '.mem_file.data_bytes == 61440'
}

@test "equal byte for byte to what Firecracker's snapshot-editor makes" {
	command -v snapshot-editor >/dev/null || skip 'snapshot-editor is not on PATH'
	plain
	fcp merge --base base.mem --layer diff.mem --out out.mem --any-base
	expect 0
	snapshot-editor edit-memory rebase --memory-path base.mem --diff-path diff.mem
	cmp out.mem base.mem
	rm base.mem
	layer
	merge --force
	expect 0
	snapshot-editor edit-memory rebase --memory-path base.mem --diff-path a.mem
	cmp out.mem base.mem
}

@test "refused: sizes, a whole file as a layer, a layer as the base, one file twice, no file" {
	layer
	truncate -s $((32 * MIB)) small.mem
	fcp merge --base base.mem --layer small.mem --out x.mem --any-base
	refused 'it is not a layer of it'
	fcp merge --base a.mem --layer base.mem --out x.mem
	refused 'the base is a layer itself'
	cp -a base.mem whole.mem
	fcp merge --base base.mem --layer whole.mem --out x.mem --any-base
	refused 'is a whole memory file, not a layer'
	fcp merge --base base.mem --layer base.mem --out x.mem --any-base
	refused 'are the same file'
	fcp merge --base none.mem --layer a.mem --out x.mem
	refused 'none.mem'
	: >empty.mem
	fcp merge --base empty.mem --layer a.mem --out x.mem
	refused 'empty.mem'
	[ ! -e x.mem ]
}

@test "refused: a file that is there without --force, and one of the files to merge even so" {
	layer
	sim_stop
	echo old >out.mem
	merge
	refused 'already exists'
	[ "$(<out.mem)" = old ]
	chmod 640 out.mem
	merge --force
	expect 0
	[ "$(length out.mem)" -eq $((64 * MIB)) ]
	[ "$(stat -c %a out.mem)" = 640 ]
	for file in base.mem a.mem; do
		merge --force --out "$file"
		refused 'is one of the files to merge' 2
	done
	ln a.mem link.mem
	merge --force --out link.mem
	refused 'is one of the files to merge' 2
	merge --force --out /dev/null
	[ "$status" -ne 0 ]
	[ -c /dev/null ]
}

@test "refused: a file that somebody has open for writing, another fcpause's, an output that a VM uses" {
	layer
	exec 7>>a.mem
	merge
	exec 7>&-
	refused 'has it open for writing'
	exec 7<base.mem
	flock -x 7
	merge
	exec 7>&-
	expect 6
	# The VM that was restored from base.mem runs: that is no hindrance, but to replace it is.
	cp -a base.mem base2.mem
	fcp merge --base base2.mem --layer a.mem --out base.mem --force
	refused 'in use'
}

@test "usage: what is missing is named" {
	fcp merge --layer a --out b
	expect 2
	expect_err '--base'
	fcp merge --base a --out b
	expect 2
	expect_err '--layer'
	fcp merge --base a --layer b
	expect 2
	expect_err '--out'
	fcp merge --base a --layer '' --out b
	expect 2
	fcp merge --dry-run --json --base a --layer b --layer c --out d
	expect 0
	expect_json '.settings.layer.value == ["b", "c"]'
	[ ! -e d ]
}

# small MIB: a file system of that size, ./small.
small() {
	[ "$(id -u)" = 0 ] || skip "needs root to mount a small file system"
	mkdir small
	mount -t tmpfs -o "size=${1}m" tmpfs small 2>/dev/null || skip "no mounts here"
}

@test "no room: said before anything is written, with how much it needs; nothing is left" {
	local needed
	small 8
	layer
	merge --out small/out.mem
	cp out refused
	ls -A small >left
	# With what it asked for it succeeds.
	needed=$(sed -n 's/.*not enough room: up to \([0-9]*\) MiB needed, 8 MiB free.*/\1/p' err)
	mount -o "remount,size=$((needed + 1))m" small
	merge --out small/out.mem
	umount small
	expect 0
	[ ! -s left ]
	mv refused out
	expect_json '.status == "failed"' '.base.copied_bytes == 0' '.layers[0].data_bytes == 0'
}

@test "room for all data of base and layer is enough, though they would not fit side by side" {
	head -c $((10 * MIB)) /dev/urandom >base.mem
	head -c $((10 * MIB)) /dev/urandom >layer.mem
	small 12
	fcp merge --json --base base.mem --layer layer.mem --out small/out.mem --any-base
	cmp small/out.mem layer.mem || { umount small; false; }
	umount small
	expect 0
	expect_json '.base.copied_bytes == 0' ".layers[0].copied_bytes == $((10 * MIB))"
}

@test "layers of many MiB, over one another: what their data makes of the base, written in turn" {
	local i layers=()
	head -c $((48 * MIB)) /dev/urandom >base.mem
	fallocate -p -o $((5 * MIB)) -l $((9 * MIB)) base.mem
	cp base.mem expected
	for i in 1 2 3; do
		truncate -s $((48 * MIB)) l$i.mem
		# Every other stretch of 68 KiB or so, and zeros in the middle of it.
		head -c $((20 * MIB)) /dev/urandom | perl -e '
			open $f, "+<", $ARGV[0] or die; $at = $ARGV[1] * 4096;
			while (read STDIN, $data, 69632) {
				substr($data, 8192, 12288) = "\0" x 12288;
				sysseek $f, $at, 0; syswrite $f, $data; $at += 2 * 69632;
			}' l$i.mem $((i * 7))
		perl -e 'open $l, "<", $ARGV[0]; open $e, "+<", $ARGV[1]; read $l, $all, 50331648; $end = 0;
			while (defined($at = sysseek $l, $end, 3)) {
				$end = sysseek $l, $at, 4; sysseek $e, $at, 0; syswrite $e, substr($all, $at, $end - $at);
			}' l$i.mem expected
		layers+=(--layer "l$i.mem")
	done
	fcp merge --json --base base.mem "${layers[@]}" --out out.mem --any-base
	expect 0
	expect_json '[.layers[].data_bytes > 20000000] | all' \
		'[.layers[] | .zero_bytes > 3000000 and .cloned_bytes + .copied_bytes + .zero_bytes == .data_bytes] | all' \
		".base.cloned_bytes == $((39 * MIB)) or .base.copied_bytes < $((25 * MIB))"
	cmp out.mem expected
}

# On a terminal: the standard error's.
@test "how far it is, on a terminal only, and not with --quiet" {
	need_terminal
	plain
	fcp merge --base base.mem --layer diff.mem --out out.mem --any-base
	expect 0
	expect_no_err
	export TERM=xterm
	PROGRAM=$FCPAUSE script -qec 'exec "$PROGRAM" merge --base base.mem --layer diff.mem --out o1.mem --any-base' /dev/null >shown
	grep -qE $'\rmerge +\.\.\. +[0-9.]+ s  writing, 64 KiB of 64 KiB' shown || { cat -v shown; false; }
	# The line is gone before the result is said.
	tr '\r' '\n' <shown | grep -qE $'^\033\\[Jmerge +ok ' || { cat -v shown; false; }
	PROGRAM=$FCPAUSE script -qec 'exec "$PROGRAM" merge -q --base base.mem --layer diff.mem --out o2.mem --any-base' /dev/null >shown
	[ ! -s shown ]
	cmp o1.mem out.mem
	cmp o2.mem out.mem
}

# It may be the only copy of what a VM has written. (What a killed merge left is replaced: tests/durable/merge.bats.)
@test "what a snapshot that was killed has left under the output's temporary name is not touched" {
	layer
	echo pages >out.mem.fcpause-tmp
	merge
	expect 1
	expect_err 'out.mem.fcpause-tmp was left by a killed snapshot'
	[ "$(<out.mem.fcpause-tmp)" = pages ]
	[ ! -e out.mem ]
}
