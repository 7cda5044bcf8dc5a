#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# fcpause writes the memory file itself, while Firecracker is held behind its state file. What
# is in the file is checked by --verify in the run, and by a second simulator that loads it: the
# simulated guest knows what each of its pages must hold.

load writer

by_fcpause() {
	expect 0
	expect_json '.status == "ok"' '.created' '.writer == "fcpause"' '.writer_reason == null' '.type == "Full"' \
		'.layer == false' '.holes == "zero"' '.memory.guest_bytes > 0' \
		'.memory | .zero_bytes + .base_equal_bytes + .written_bytes == .changed_bytes' "$@"
}

by_firecracker() {
	expect 0
	expect_json '.status == "ok"' '.created' '.writer == "firecracker"' '.memory == null' '.downtime_ms == null' \
		"$@"
}

state() { sim_patch /vm "{\"state\":\"$1\"}"; }

@test "booted: what the guest holds is written, the VM stays Paused, and it loads" {
	sim_start --boot --no-envd --memory 64 --workload 20,10,8
	snap a --verify
	by_fcpause '.vm_state == "Paused"' '.memory.verified' ".memory.written_bytes == $((32 * MIB))" \
		'.memory.base == null' '.downtime_ms | .pause > 0 and .copy > 0'
	[ "$(stat -c %s a.mem)" -eq $((64 * MIB)) ]
	[ "$(allocated a.mem)" -le $((33 * MIB)) ]
	no_leftovers
	expect_log <<-E
		GET /
		GET /machine-config
		GET /hotplug/memory
		GET /balloon/hinting/status
		PATCH /vm {"state":"Paused"}
		PUT /snapshot/create {"snapshot_type":"Full","snapshot_path":"T/a.snap.fcpause-tmp","mem_file_path":"T/a.mem.fcpause-hold"}
	E
	loads a
}

@test "a checkpoint: the guest runs again once its pages are copied to memory, and the file is whole" {
	sim_start --boot --no-envd --memory 64 --workload 20,0,0 --paused-writes
	snap a --resume
	by_fcpause '.vm_state == "Running"' '.memory.buffered'
	loads a
	sim_use a
	snap b --resume --buffer-mib 0
	by_fcpause '.memory.buffered == false'
	loads b
	sim_use a
	snap c --resume --buffer-mib 3
	by_fcpause '.memory.buffered == false'
	loads c
	no_leftovers
}

@test "restored: only changed pages are written, the rest is the base's; base and its VM are not touched" {
	sim_start --boot --no-envd --memory 64 --workload 20,10,8
	snap base
	sum=$(sha256sum <base.mem)
	id=$(jq .id out)
	loads base restored
	sim_put /sim/workload '{"fill_mib":4}'
	snap b --verify --resume
	by_fcpause ".memory.written_bytes == $((4 * MIB))" '.memory.verified' '.memory.base.path | endswith("/base.mem")' \
		".memory.base.id == $id" \
		'.memory.copied_bytes + .memory.cloned_bytes > 0'
	[ "$(sha256sum <base.mem)" = "$sum" ]
	[ "$(sim_state checksum_ok)" = true ]
	loads b
	# The same again, from the VM that goes on.
	sim_use restored
	sim_put /sim/workload '{"fill_mib":2}'
	snap c --verify
	by_fcpause ".memory.written_bytes == $((6 * MIB))"
	loads c
}

@test "restored: pages that hold what the base holds are not written, pages of zeros become holes" {
	sim_start --boot --no-envd --memory 64 --workload 20,0,0
	snap base
	loads base restored
	snap same --verify --resume
	by_fcpause '.memory.written_bytes == 0'
	cmp base.mem same.mem
}

@test "restored: what a discard has dropped is a hole, whatever the base holds there" {
	local balloon='{"amount_mib":0,"deflate_on_oom":false,"free_page_hinting":true,"free_page_reporting":false}'
	sim_start --boot --no-envd --memory 64 --workload 40,30,0 --balloon "$balloon"
	snap base
	before=$(allocated base.mem)
	SIM_NAME=restored sim_start --no-envd --resumed-hinting-ms 5
	sim_load "$T/base.snap" "$T/base.mem"
	sim_put /sim/workload '{"free_mib":10}' || true
	fcp balloon-drain --api-sock "$SIM_SOCK" --fph-timeout-ms 20000
	expect 0
	snap b --verify
	by_fcpause
	[ "$(allocated b.mem)" -le "$before" ]
	loads b
}

@test "a chain of ten pauses, each restored from the one before" {
	local i previous=s0
	sim_start --boot --no-envd --memory 64 --workload 20,10,8
	snap s0 --verify
	for i in 1 2 3 4 5 6 7 8 9 10; do
		loads $previous vm$i
		rm -f $previous.snap
		sim_put /sim/workload "{\"fill_mib\":3,\"free_mib\":3}"
		snap s$i --verify
		by_fcpause ".memory.written_bytes <= $((3 * MIB))"
		sim_stop
		previous=s$i
	done
	loads $previous last
}

@test "while it is held nothing is written to the memory; a VM that is only Paused goes on" {
	sim_start --boot --no-envd --memory 64 --workload 20,0,0 --paused-writes
	state Paused
	until [ "$(sim_state paused_writes)" -gt 3 ]; do :; done
	snap a --verify
	by_fcpause '.memory.verified' '.vm_state == "Paused"'
	loads a
}

@test "hotplug: memory that is not plugged in is a hole" {
	sim_start --no-envd --memory 64
	sim_put /hotplug/memory '{"total_size_mib":128,"block_size_mib":2,"slot_size_mib":128}' || skip "the simulator has no such device"
	sim_put /actions '{"action_type":"InstanceStart"}'
	snap a --verify
	by_fcpause ".memory.guest_bytes == $((192 * MIB))"
	[ "$(stat -c %s a.mem)" -eq $((192 * MIB)) ]
}

@test "memfd: shared memory is read by its extents" {
	sim_start --boot --no-envd --memory 64 --backing memfd --workload 20,10,8
	snap a --verify
	by_fcpause ".memory.written_bytes == $((32 * MIB))"
	loads a
}

@test "userfaultfd: the base must be given; a missing page is never touched" {
	sim_start --boot --no-envd --memory 64 --workload 20,0,0
	snap base
	mkfifo uffd.ready
	"$(sim_bin)" --uffd-handler "$T/uffd.sock" --mem-file-path "$T/base.mem" >uffd.ready 2>/dev/null 3>&- &
	handler=$!
	read -r -t 10 _ <uffd.ready || skip "no userfaultfd here"
	SIM_NAME=u sim_start --no-envd
	sim_put /snapshot/load "{\"snapshot_path\":\"$T/base.snap\",\"mem_backend\":{\"backend_type\":\"Uffd\",\"backend_path\":\"$T/uffd.sock\"},\"resume_vm\":true}" >answer 2>&1 ||
		{ kill $handler; skip "$(<answer)"; }
	sim_put /sim/workload '{"fill_mib":4}'
	before=$(sim_state rss_bytes)
	snap b --base "$T/base.mem" --verify --resume
	by_fcpause ".memory.written_bytes == $((4 * MIB))" '.memory.base.path | endswith("base.mem")'
	[ "$(sim_state rss_bytes)" -eq "$before" ]
	snap c
	by_firecracker '.writer_reason | contains("page-fault handler")'
	loads b
	kill $handler 2>/dev/null || true
}

@test "--base: a file that is not the one that is mapped is refused before the pause" {
	sim_start --boot --no-envd --memory 64 --workload 20,0,0
	snap base
	cp base.mem copy.mem
	loads base restored
	: >"$SIM_LOG"
	snap b --base "$T/copy.mem"
	expect 1
	expect_err 'is not the file that the VM was restored from'
	run ! grep -q PATCH "$SIM_LOG"
	snap b --base "$T/base.mem" --resume
	by_fcpause
}

@test "--base of a VM that has none is refused" {
	sim_start --boot --no-envd --memory 64
	head -c $((64 * MIB)) /dev/zero >zero.mem
	snap a --base "$T/zero.mem"
	expect 1
	expect_err 'has no base'
}

@test "who writes: a type is Firecracker's; --writer says; a Diff is never fcpause's" {
	sim_start --boot --no-envd --memory 64 --workload 8,0,0
	snap a --type full --resume
	by_firecracker '.writer_reason | contains("type")' '.type == "Full"'
	snap b --type full --writer fcpause --resume
	by_fcpause
	snap c --writer firecracker --resume
	by_firecracker '.writer_reason == null' '.type == "Diff"'
	snap d --type diff --writer fcpause
	expect 2
	expect_err 'only Firecracker writes a Diff'
}

@test "a memory file that is opened otherwise: Firecracker writes, and it is said why" {
	sim_start --boot --no-envd --memory 64 --workload 8,0,0 --memory-open nonblock
	snap a --resume
	by_firecracker '.writer_reason | length > 0'
	loads a
	sim_use a
	snap b --writer fcpause
	[ "$status" -ne 0 ]
	expect_json '.created == false' '.vm_state == "Running"'
	no_leftovers
}

@test "a damaged state file: never published; Firecracker is asked again" {
	local damage
	for damage in crc magic cut; do
		SIM_NAME=$damage sim_start --boot --no-envd --memory 64 --workload 8,0,0 --state-damage $damage
		snap $damage --writer fcpause
		[ "$status" -ne 0 ]
		expect_json '.created == false' '.vm_state == "Running"'
		expect_err 'state file'
		[ ! -e $damage.snap ] && [ ! -e $damage.mem ]
		no_leftovers
	done
}

@test "Firecracker refuses the creation: failed, the VM runs again, nothing is left" {
	sim_start --boot --no-envd --memory 64 --fault 'PUT /snapshot/create status=400'
	snap a
	[ "$status" -eq 1 ]
	expect_json '.created == false' '.vm_state == "Running"'
	no_leftovers
}

@test "somebody else opens the pipe while memory is read: what was read is thrown away" {
	sim_start --boot --no-envd --memory 288 --workload 200,0,0 --snapshot-ms 0
	fcp_start snapshot --json --api-sock "$SIM_SOCK" --snapshot-path a.snap --mem-file-path a.mem --verify
	sim_wait_clock '^memory-open '
	timeout 5 sh -c ': <a.mem.fcpause-hold' || true
	fcp_end
	if [ "$(jq -r .writer out)" = firecracker ]; then
		by_firecracker '.writer_reason | contains("continued") or contains("did not wait")'
	else
		by_fcpause
	fi
	loads a
	no_leftovers
}

@test "no room: failed before or while writing, the VM runs again, nothing is left" {
	[ "$(id -u)" = 0 ] || skip "needs root to mount a small file system"
	mkdir small
	mount -t tmpfs -o size=8m tmpfs small 2>/dev/null || skip "no mounts here"
	sim_start --boot --no-envd --memory 64 --workload 20,0,0
	fcp snapshot --json --api-sock "$SIM_SOCK" --snapshot-path small/a.snap --mem-file-path small/a.mem
	umount small
	[ "$status" -eq 1 ]
	expect_json '.created == false' '.vm_state == "Running"'
	grep -qE 'No space left on device|not enough room: up to [0-9]+ MiB needed, [0-9]+ MiB free; the VM was not paused$' err
}

@test "pause: what was left out while writing needs no release" {
	sim_start --boot --memory 64 --workload 20,10,8
	fcp pause --json --find zero --api-sock "$SIM_SOCK" --snapshot-path a.snap --mem-file-path a.mem --verify
	expect 0
	expect_json '.status == "ok"' '.steps[2].writer == "fcpause"' '.steps[2].memory.verified' \
		'.steps[3].status == "skipped"' '.steps[3].reason == "left out while writing"' \
		".steps[3].mem_file.allocated_bytes == $(allocated a.mem)"
	loads a
}

@test "pause: free pages that a gate refuses are written, and it is said why; --strict: 4" {
	sim_start --boot --memory 64 --workload 20,10,8
	fcp pause --json --strict --resume --api-sock "$SIM_SOCK" --snapshot-path a.snap --mem-file-path a.mem
	expect 4
	expect_json '.steps[2].writer == "fcpause"' '.steps[2].memory.free_reason | contains("vmcoreinfo")' \
		'.steps[3].status == "partial"' '.steps[3].reason | startswith("free pages: vmcoreinfo")'
	loads a
}

@test "a guest's free pages are left out, and only they" {
	guest_file guest.mem
	sim_start --boot --no-envd --memory 32 --memory-content guest.mem
	snap a --verify --resume
	by_fcpause '.memory.free_bytes > 0' '.memory.free_reason == null' '.guest.release | length > 0'
	jq '.memory.free_bytes' out >free
	fcp madvise-ranges -n --json --mem-file-path a.mem --find free --holes zero
	expect_json ".free_bytes == $(<free)"
	snap b --find zero --resume
	by_fcpause '.memory.free_bytes == 0'
	[ "$(allocated b.mem)" -gt "$(allocated a.mem)" ]
	# Outside of the free ranges both are the same.
	fcp madvise-ranges --list --mem-file-path b.mem --find free --holes zero
	expect 0
	cp out ranges
	fcp madvise-ranges --mem-file-path b.mem --ranges ranges
	cmp a.mem b.mem
}

# killed_in_hold: SIGKILL once Firecracker waits at the pipe. Stopped first, so that the copy is not done.
killed_in_hold() {
	env --default-signal "$FCPAUSE" snapshot --json --api-sock "$SIM_SOCK" --snapshot-path a.snap \
		--mem-file-path a.mem >out 2>err 3>&- &
	FCP_PID=$!
	sim_wait_clock '^memory-open '
	kill -STOP "$FCP_PID"
	[ -p a.mem.fcpause-hold ] || skip "the copy was faster than the signal"
}

within_deadline() {
	local end=$((SECONDS + 20))
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || { echo "not in time: $*"; return 1; }
		read -r -t 0.02 <> <(:) || true
	done
}

runs_again() { [ "$(curl -s -m 1 --unix-socket "$SIM_SOCK" http://localhost/sim/state | jq -r .state)" = Running ]; }

@test "SIGINT and SIGTERM in the hold: the VM runs again, nothing is left" {
	local signal
	for signal in INT TERM; do
		SIM_NAME=$signal sim_start --boot --no-envd --memory 288 --workload 200,0,0
		killed_in_hold
		kill -s $signal "$FCP_PID"
		kill -CONT "$FCP_PID"
		fcp_end
		[ "$status" -ne 0 ]
		expect_json '.created == false' '.vm_state == "Running"' '.error.class == "interrupted"'
		[ "$(sim_state state)" = Running ]
		no_leftovers
		[ ! -e a.mem ]
	done
}

@test "SIGKILL in the hold: the guard lets Firecracker go, and the VM runs again" {
	sim_start --boot --no-envd --memory 288 --workload 200,0,0
	killed_in_hold
	kill -KILL "$FCP_PID"
	FCP_PID=
	within_deadline runs_again
	within_deadline test ! -e a.mem.fcpause-hold
	[ ! -e a.snap ] && [ ! -e a.mem ]
	snap a --verify
	by_fcpause
	no_leftovers
}

@test "SIGKILL of fcpause and its guard in the hold: the next run lets Firecracker go, and says so" {
	local guard
	sim_start --boot --no-envd --memory 288 --workload 200,0,0
	killed_in_hold
	guard=$(pgrep -x fcpause-guard -P "$FCP_PID" || pgrep -nx fcpause-guard)
	kill -KILL "$guard" "$FCP_PID"
	FCP_PID=
	snap a --verify --resume --wait-lock-ms 20000
	by_fcpause '.vm_state == "Running"' '.warnings | length > 0'
	no_leftovers
	loads a
}

@test "by hand, as the manual says: ': <> FIFO' lets a held Firecracker go" {
	sim_start --boot --no-envd --memory 288 --workload 200,0,0
	killed_in_hold
	kill -KILL "$(pgrep -x fcpause-guard -P "$FCP_PID" || pgrep -nx fcpause-guard)" "$FCP_PID"
	FCP_PID=
	bash -c ': <> a.mem.fcpause-hold'
	within_deadline curl -s -m 1 -o /dev/null --unix-socket "$SIM_SOCK" http://localhost/
	state Resumed
	runs_again
}
