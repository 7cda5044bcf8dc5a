#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # others expand them
# The README's figures are those that the live tests recorded; its examples are run, as they are written,
# on the simulator.

load helpers
eval "helpers_$(declare -f setup)"

setup() {
	helpers_setup
	# The README speaks of what happens by default.
	unset FCPAUSE_WRITER
}

# Each example of the README, a line "N TEXT" for each of its lines. Examples are what is indented; an empty
# line ends none.
examples() {
	awk '/^    / { if (!inside) n++; inside = 1; for (; empty; empty--) print n, ""; print n, substr($0, 5); next }
		/^$/ { empty += inside; next }
		{ inside = empty = 0 }' "$ROOT/README.md"
}

# example WORD: the example that has this word in its first line.
example() {
	examples | awk -v word="$1" '$1 != n { n = $1; wanted = index($0, word) } wanted' | cut -d' ' -f2-
}

# A VM as the examples speak of it, which holds a kernel, and the flags file beside it. Only its address
# is another one.
a_vm() {
	rm -f guest
	guest_file guest 2>/dev/null
	sim_start --boot --memory 32 --memory-content guest --balloon "$BALLOON"
	ln -s "$SIM_SOCK" fc.sock
	example '"flagValues"' >flags.json
	PATH=$(dirname "$FCPAUSE"):$PATH
	# Its steps have time on a machine that is busy.
	export FCPAUSE_STEP_TIMEOUT_MS=sync=20000,drop_caches=20000,compact_memory=20000,fstrim=20000
}

# run_example WORD: under set -e, and any failure of a pipe is one.
run_example() {
	example "$1" | sed "s#http://172.30.0.2:49983#$SIM_ENVD#g" >example
	[ -s example ]
	status=0
	timeout -k 1 "$RUN_SECONDS" bash -euo pipefail ./example >out 2>err || status=$?
	expect 0
}

@test "the README's figures are what tests/live/table makes of tests/live/figures.json" {
	diff -u <(sed '1,/^<!-- figures: /d; /^<!-- end of figures -->/,$d' "$ROOT/README.md") \
		<("$ROOT/tests/live/table")
	diff -u <(sed '1,/^<!-- picture: /d; /^<!-- end of picture -->/,$d' "$ROOT/README.md") \
		<("$ROOT/tests/live/table" --picture)
}

@test "there is a row for each variant, with its figures" {
	local table
	table=$("$ROOT/tests/live/table")
	[ "$(grep -cE '^\| .*( \| [0-9]+\.[0-9] MiB){2} \| [0-9.]+ s \| [0-9.]+ s \|$' <<<"$table")" -eq 15 ]
	[ "$(grep -cE '^\| .*( \| [0-9]+\.[0-9] MiB \| [0-9]+ ms){2} \|$' <<<"$table")" -eq 4 ]
	[ "$(grep -cE '\| (done|stopped) \|' <<<"$table")" -eq 3 ]
	run ! grep -q null <<<"$table"
}

@test "A9: each example of the README is one that a test here runs" {
	# The first words of each.
	examples | awk '$1 != n { n = $1; print $2, $3 }' >all
	diff all - <<-'E'
	./scripts/demo #
	scripts/fph-bench --config-file
	A simulated
	fcpause balloon-install
	fcpause pause
	export FCPAUSE_API_SOCK=fc.sock
	fcpause madvise-ranges
	fcpause pause
	{"flagValues": {"reclaim-on-pause":
	fcpause pause
	scripts/resume-build --snapshot-path
	make #
	E
}

@test "A9: what the demo prints is what the README shows" {
	# The demo's guest has 256 MiB, and so has a mapping of AddressSanitizer's own: which is which?
	[[ ${FCPAUSE_BUILD:-} != *asan* ]] || skip 'a sanitizer maps as much itself'
	# Figures and the address aside.
	shape() { sed -E 's/[0-9]+(\.[0-9]+)?/N/g; s/ +/ /g'; }
	"$ROOT/tests/demo" "$(dirname "$FCPAUSE")" >out 2>err
	diff <(example 'A simulated microVM' | shape) <(shape <out)
}


@test "A9: by hand, step by step" {
	a_vm
	run_example 'fcpause balloon-install'
	expect_no_err
	[ "$(awk '{ print $1, $2 }' out)" = "$(printf '%s ok\n' balloon-install reclaim balloon-drain snapshot madvise-ranges |
		sed 's/reclaim ok/&\nsync ok\ndrop_caches ok\ncompact_memory ok\nfstrim unsupported/')" ]
	[ "$(allocated vm.mem)" -lt "$(length vm.mem)" ]
	expect_state '.state == "Paused"'
}

@test "A9: what each page is, for a program that exports memory" {
	guest_file base.mem
	cp base.mem vm.mem
	printf changed | dd of=vm.mem bs=4096 seek=4500 conv=notrunc status=none
	PATH=$(dirname "$FCPAUSE"):$PATH SIM_ENVD=none
	run_example 'fcpause madvise-ranges --list'
	expect_no_err
	grep -qx '4194304 10485760 free' out
	grep -qE '^[0-9]+ [0-9]+ (zero|base)$' out
	[ "$(tail -n 1 out)" = '[18432000,4096,"changed"]' ]
}

@test "A9: the plan of a pause with flags" {
	a_vm
	run_example 'fcpause pause -n'
	expect_out '1. reclaim          yes'
	expect_out '2000 (flags)'
	expect_no_requests
}

@test "A9: in a shell chain: nothing fails, and the ranges arrive" {
	a_vm
	run_example 'export FCPAUSE_API_SOCK'
	expect_no_err
	[ "$(allocated vm.mem)" -lt "$(length vm.mem)" ]
	expect_state '.state == "Paused"'
}

@test "A9: in CI, with jq" {
	a_vm
	run_example 'fcpause pause --json'
	jq -e '.status == "ok" and .vm_state == "Paused" and .paused_ms > 0 and .on_disk > 0' out
}

@test "A9: a build that overrides the flags" {
	a_vm
	run_example 'fcpause pause --flags'
	expect_out 'reclaim           ok'
	expect_out 'balloon-drain     skipped'
}

# A network of its own: the examples make a tap. "firecracker" is the simulator, in whose guest the
# workloads are.
in_a_network() {
	unshare --net true 2>/dev/null || skip 'no network namespace here'
	[ -c /dev/net/tun ] || skip 'there is no /dev/net/tun'
	mkdir -p bin files/srv
	printf '#!/bin/sh\necho served\n' | tee files/srv/serve-some >files/srv/warm-up
	chmod +x files/srv/*
	printf '#!/bin/bash\nexec %q --die-with-parent --envd-port 49983 --workload 6,3,2 --resumed-hinting-ms 5 --guest-files %q "$@"\n' \
		"$(sim_bin)" "$T/files" >bin/firecracker
	chmod +x bin/firecracker
	ln -s "$ROOT/scripts" scripts
	# shellcheck disable=SC2155 # dirname does not fail
	export PATH=$T/bin:$(dirname "$FCPAUSE"):$PATH FCPAUSE_ENVD=http://127.0.0.1:49983
	export FCPAUSE_STEP_TIMEOUT_MS=sync=20000,drop_caches=20000,compact_memory=20000,fstrim=20000
	example "$1" >example
	[ -s example ]
	status=0
	timeout -k 1 150 unshare --net sh -c 'ip link set lo up && exec bash -euo pipefail ./example' >out 2>err 3>&- ||
		status=$?
	expect 0
}

@test "A9: fph-bench" {
	echo disk >disk
	jq -n --arg disk "$T/disk" --argjson balloon "$BALLOON" '{"boot-source": {kernel_image_path: "k"},
		drives: [{drive_id: "rootfs", path_on_host: $disk, is_root_device: true, is_read_only: false}],
		"network-interfaces": [{iface_id: "eth0", host_dev_name: "tap9"}],
		"machine-config": {vcpu_count: 1, mem_size_mib: 16}, balloon: $balloon}' >vm.json
	in_a_network scripts/fph-bench
	expect_out 'reclaim+drain'
	jq -e '.status == "ok" or .status == "partial"' bench.json
	[ -s bench.svg ]
}

@test "A9: resume-build" {
	sim_start --boot --memory 16 --balloon "$BALLOON"
	"$FCPAUSE" snapshot -q --type full --api-sock "$SIM_SOCK" --snapshot-path base.snap --mem-file-path base.mem
	sim_stop
	in_a_network scripts/resume-build
	expect_err served
	[ -s warm.snap ] && [ -s warm.mem ]
}

@test "A9: the targets of make are there" {
	local target
	for target in $(example 'build/fcpause-sim' | awk '$1 == "make" && $2 != "#" { print $2 }'); do
		make -n -C "$ROOT" "$target" >/dev/null
	done
	[ -x "$ROOT/scripts/demo" ]
	[ -x "$ROOT/scripts/check" ]
}

@test "scripts/sim: a VM to try the commands on, which goes with the shell" {
	mkdir tmp
	export TMPDIR=$T/tmp FCPAUSE_BUILD=${FCPAUSE_BUILD:-$ROOT/build}
	unset FCPAUSE_API_SOCK FCPAUSE_ENVD
	run "$ROOT/scripts/sim" sh -c 'fcpause status && fcpause exec -- true && cd "$(dirname "$FCPAUSE_API_SOCK")" &&
		fcpause pause --json --find free --snapshot-path vm.snap --mem-file-path vm.mem >'"'$T/out'"' && exit 42'
	[ "$status" -eq 42 ]
	[[ ${lines[0]} == Running,* ]] || { echo "$output"; return 1; }
	expect_json '.status == "ok"' '.vm_state == "Paused"' '.steps[] | select(.step == "snapshot").memory.free_bytes > 0'
	[ -z "$(ls tmp)" ]
	# What it proposes proposes works.
	"$ROOT/scripts/sim" <<<'exit 0' >proposed
	sed -n 's/^    //p' proposed | SHELL=/bin/sh "$ROOT/scripts/sim" sh -e >out
	grep -q '^pause  *ok' out
	[ -z "$(ls tmp)" ]
}
