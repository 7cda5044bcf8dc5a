#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `pause --resume` in a loop, 50 times on one VM of the simulator: each snapshot
# loads, nothing leaks (descriptors, files, memory). paused_ms ends with the resume.

load helpers

TIMES=50

@test "50 checkpoints of one VM as a command: each loads, the VM stays well, no file and no descriptor is left" {
	vm --no-envd --workload 2,0,0
	local n fds
	SHIM=("SHIM_FDS=$T/fds")
	mkdir "$T/kept"
	for ((n = 1; n <= TIMES; n++)); do
		pause --resume --force --drain
		expect 0 || return
		[[ $(<out) == *'"vm_state":"Running"'* ]]
		# At the end only what main() keeps until then: the descriptor of the signals.
		fds=$(grep -cv 'anon_inode:\[signalfd\]' fds || true)
		[ "$fds" -eq 0 ] || _show "run $n leaves open: $(<fds)" || return
		[ "$(listing)" = 'mem snap' ] || return
		cp --sparse=always d/snap kept/snap$n
		cp --sparse=always d/mem kept/mem$n
		# The guest goes on and changes a little.
		[ $((n % 10)) -ne 0 ] || sim_put /sim/workload '{"fill_mib":1,"free_mib":1,"cache_mib":0}'
	done
	expect_state '.checksum_ok' '.state == "Running"' '.hinting_running == false'
	for ((n = 1; n <= TIMES; n++)); do
		SIM_NAME=l sim_start --no-envd --memory 16
		sim_load "$T/kept/snap$n" "$T/kept/mem$n"
		[[ $(sim_get /sim/state) == *'"checksum_ok":true'* ]] || _show "snapshot $n does not load" || return
		kill "$SIM_PID"
		wait "$SIM_PID" || true
	done
}

@test "the same in one process of the library: neither descriptors nor memory grow" {
	local build=${FCPAUSE%/*}
	[ -e "$build/libfcpause.a" ] || skip 'no libfcpause.a'
	! ldd "$FCPAUSE" | grep -qE 'lib(a|ub)san' || skip 'a sanitizer counts by itself'
	"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O1 -I"$ROOT/lib" -o loop "$BATS_TEST_DIRNAME/loop.c" \
		"$build/libfcpause.a" -ljansson -lresolv -lm -pthread
	vm --no-envd --workload 2,0,0
	GLIBC_TUNABLES=glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0:glibc.malloc.arena_max=1 \
		timeout -k 1 $RUN_SECONDS ./loop "$SIM_SOCK" d/snap d/mem $TIMES >grown || { cat grown; return 1; }
	expect_state '.checksum_ok' '.state == "Running"'
	[ "$(listing)" = 'mem snap' ]
	load_pair "$D/snap" "$D/mem"
}

@test "paused_ms is what the guest stood still: from the request to pause to the answer to resume" {
	vm --no-envd --snapshot-ms 60
	pause --resume
	expect 0
	local stood_ms paused_ms
	stood_ms=$((($(sim_clock_ns resumed) - $(sim_clock_ns paused)) / 1000000))
	paused_ms=$(jq '.paused_ms | floor' out)
	[ "$paused_ms" -ge "$stood_ms" ]
	[ "$paused_ms" -le $((stood_ms + 500)) ]
	expect_json '.paused_ms < .ms' '.paused_ms >= 60'
}

@test "what can be done before the pause is: no request, no look around between pause and creation" {
	vm --no-envd
	pause --resume --drain
	expect 0
	local between
	between=$(sed -n '/"Paused"/,/"Resumed"/p' "$SIM_LOG" | wc -l)
	[ "$between" -eq 3 ]
}
