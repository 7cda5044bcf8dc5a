#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Whatever call a merge is killed at, or fails, the old file is there or the new one,
# whole, and the next merge puts all right.

load helpers

# Base, layer and what they make, in T; the output goes into D.
arrange() {
	head -c $((64 * 4096)) /dev/zero | tr '\0' b >"$T/base.mem"
	truncate -s $((64 * 4096)) "$T/layer.mem"
	head -c 8192 /dev/zero | tr '\0' l | dd of="$T/layer.mem" bs=4096 seek=9 conv=notrunc status=none
	dd if=/dev/zero of="$T/layer.mem" bs=4096 seek=30 count=2 conv=notrunc status=none
	cp "$T/base.mem" "$T/expected"
	dd if="$T/layer.mem" of="$T/expected" bs=4096 skip=9 seek=9 count=2 conv=notrunc status=none
	dd if=/dev/zero of="$T/expected" bs=4096 seek=30 count=2 conv=notrunc status=none
	cp "$T/base.mem" "$T/base.before"
	cp "$T/layer.mem" "$T/layer.before"
}

merge() { fcp merge --json --base base.mem --layer layer.mem --out d/out.mem --any-base "$@"; }

# begin MODE: with an old file, or without.
begin() {
	rm -rf "$D"
	mkdir "$D"
	[ "$1" != force ] || echo old >"$D/out.mem"
	FORCE=()
	[ "$1" != force ] || FORCE=(--force)
}

# Which call of which function: "NAME N" a line, of a merge that went well.
walked() {
	begin "$1"
	SHIM=()
	merge "${FORCE[@]}"
	expect 0 || return
	awk '$2 !~ "^/proc" { print $1, ++n[$1] }' "$T/calls"
}

old_or_new() {
	if [ "$1" = force ] && [ "$(head -c 4 "$D/out.mem")" = old ]; then return 0; fi
	if [ "$1" = new ] && [ ! -e "$D/out.mem" ]; then return 0; fi
	cmp "$D/out.mem" "$T/expected"
}

@test "SIGKILL at each call in turn: the old file or the new one, whole; then the next merge puts all right" {
	local mode name nth
	arrange
	for mode in new force; do
		walked $mode >"$T/walk"
		[ "$(wc -l <"$T/walk")" -gt 15 ]
		while read -r name nth; do
			begin $mode
			SHIM=("SHIM_FAULT=$name@$nth=kill")
			{ merge "${FORCE[@]}"; } 2>/dev/null
			[ "$status" -eq 137 ] || _show "$name $nth: not killed" || return
			old_or_new $mode || _show "$mode: $name $nth, killed" || return
			SHIM=()
			merge --force
			expect 0 || return
			cmp "$D/out.mem" "$T/expected"
			[ "$(listing)" = out.mem ] || _show "$mode: $name $nth: left: $(listing)" || return
		done <"$T/walk"
	done
	cmp base.mem base.before
	cmp layer.mem layer.before
}

@test "each call fails in turn: the old file or the new one, and nothing else is left" {
	local mode name nth
	arrange
	for mode in new force; do
		walked $mode >"$T/walk"
		while read -r name nth; do
			begin $mode
			SHIM=("SHIM_FAULT=$name@$nth=EIO")
			merge "${FORCE[@]}"
			[ "$status" -le 1 ] || [ "$status" -eq 6 ] || _show "$name $nth" || return
			old_or_new $mode || _show "$mode: $name $nth failed" || return
			case $status:$(listing) in
			0:out.mem | ?:'*' | ?:out.mem) ;;
			# What cannot be looked at or removed stays for the next run.
			*) [[ $name == @(unlinkat|fstat*|flock) ]] || _show "$mode: $name $nth: left: $(listing)" || return ;;
			esac
			[ "$status" -ne 0 ] || cmp "$D/out.mem" "$T/expected"
			SHIM=()
			merge --force
			expect 0 || return
			[ "$(listing)" = out.mem ] || _show "$mode: $name $nth, and again: left: $(listing)" || return
		done <"$T/walk"
	done
}

@test "SIGTERM while it copies: interrupted, nothing is left, and the old file is as it was" {
	arrange
	begin force
	SHIM=("SHIM_FAULT=pread:layer.mem@1=hold")
	fcp_start merge --json --base base.mem --layer layer.mem --out d/out.mem --any-base --force
	until_held
	kill -TERM "$FCP_PID"
	release
	fcp_end
	[ "$status" -ne 0 ]
	expect_json '.created == false' '.error.class == "interrupted"'
	[ "$(<"$D/out.mem")" = old ]
	[ "$(listing)" = out.mem ]
}

@test "a base that changes during the merge: given up" {
	arrange
	begin new
	SHIM=("SHIM_FAULT=pread:layer.mem@1=hold")
	fcp_start merge --json --base base.mem --layer layer.mem --out d/out.mem --any-base
	until_held
	echo x >>base.mem
	release
	fcp_end
	[ "$status" -eq 1 ]
	expect_err 'was changed in the meantime'
	[ "$(listing)" = '*' ]
}
