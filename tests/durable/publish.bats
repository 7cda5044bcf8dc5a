#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Publishing that is proven, on file systems without hard links and where a
# directory cannot be synced; owner and mode; chains of Diffs.

load helpers

LINK_ERRORS='EPERM EOPNOTSUPP EINVAL ENOSYS EMLINK'

@test "R7: without hard links, whatever errno link has, also where a rename has no flags" {
	vm --no-envd
	reference
	local error flags mode
	for error in $LINK_ERRORS; do
		for flags in '' ';renameat2@1+=EINVAL'; do
			for mode in '' --force; do
				rm -f "$D"/*
				[ -z "$mode" ] || old_pair
				SHIM=("SHIM_FAULT=linkat@1+=$error$flags")
				snapshot $mode
				expect 0 || return
				same_new_pair
				[ "$(listing)" = 'mem snap' ] || _show "$error $flags: $(listing)" || return
				sim_patch /vm '{"state":"Resumed"}'
			done
		done
	done
}

@test "D4: without hard links, SIGKILL at each step; the next run puts all right or says what lies where" {
	vm --no-envd
	reference
	local base call n mode
	for base in 'linkat@1+=EPERM' 'linkat@1+=EPERM;renameat2@1+=EINVAL'; do
		for mode in '' --force; do
			for call in rename renameat2 fsync unlinkat openat:fcpause-old openat:fcpause-tmp; do
				[[ $base != *$call* ]] || continue
				for ((n = 1; ; n++)); do
					rm -f "$D"/*
					[ -z "$mode" ] || old_pair
					SHIM=("SHIM_FAULT=$call@$n=kill;$base")
					{ snapshot $mode; } 2>/dev/null
					[ "$status" -eq 137 ] || break
					sim_patch /vm '{"state":"Resumed"}'
					SHIM=("SHIM_FAULT=$base")
					sim_put /sim/fault '{"fault":"PUT /snapshot/create status=500"}'
					snapshot --force
					sim_delete /sim/fault
					_one_pair "$mode" || _show "$base, killed at $call $n: $(listing)" || return
				done
				expect 0
				sim_patch /vm '{"state":"Resumed"}'
			done
		done
	done
}
# Old or new and nothing else; or everything is still there, and the message says so.
_one_pair() {
	if grep -q 'cannot be told' "$T/err"; then
		[ -e "$D/mem.fcpause-old" ] || [ -e "$D/snap.fcpause-old" ]
		return
	fi
	expect 1 || return
	case $(listing) in
	'mem snap') same_old_pair >/dev/null 2>&1 || same_new_pair >/dev/null 2>&1 ;;
	'*') [ -z "$1" ] ;;
	*) false ;;
	esac
}

@test "D4: a file that cannot be renamed is found out before the pause" {
	vm --no-envd
	old_pair
	chattr +i "$D/mem" 2>/dev/null || skip 'no chattr +i here'
	: >"$SIM_LOG"
	snapshot --force
	chattr -i "$D/mem"
	expect 1
	expect_err 'cannot be replaced'
	run ! grep -q '^PATCH' "$SIM_LOG"
	same_old_pair
	[ "$(listing)" = 'mem snap' ]
}

@test "R7: a file system without locks: one at a time by the name, and nobody is locked out" {
	vm --no-envd
	reference
	SHIM=('SHIM_FAULT=flock:fcpause-tmp@1+=ENOLCK')
	snapshot
	expect 0
	same_new_pair
	[ "$(listing)" = 'mem snap' ]
	sim_patch /vm '{"state":"Resumed"}'
	echo left >"$D/mem.fcpause-tmp"
	snapshot --force
	expect 1
	expect_err 'No locks available'
	[ "$(<"$D/mem.fcpause-tmp")" = left ]
}

@test "R7: a directory that cannot be synced is a warning, and known before the pause" {
	vm --no-envd
	reference
	local error
	for error in EINVAL EOPNOTSUPP EPERM; do
		rm -f "$D"/*
		SHIM=("SHIM_FAULT=fsync:/d@1=$error")
		snapshot
		expect 0
		expect_json '.warnings[0] | contains("cannot be synced")'
		same_new_pair
		sim_patch /vm '{"state":"Resumed"}'
	done
	rm -f "$D"/*
	: >"$SIM_LOG"
	SHIM=('SHIM_FAULT=fsync:/d@1=EIO')
	snapshot
	expect 1
	run ! grep -q '^PATCH' "$SIM_LOG"
	[ "$(listing)" = '*' ]
}

@test "D4: two file systems, a power cut between the names: nothing is removed, and it says what lies where" {
	vm --no-envd
	mkdir "$T/e"
	echo old >"$D/snap"
	echo new >"$D/snap.fcpause-tmp"
	echo old >"$T/e/mem.fcpause-old"
	echo new >"$T/e/mem.fcpause-tmp"
	ln "$T/e/mem.fcpause-tmp" "$T/e/mem"
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path d/snap --mem-file-path e/mem --json --force
	expect 1
	expect_json '.error.message | contains("e/mem.fcpause-old")' '.vm_state == "Running"'
	[ "$(<"$T/e/mem.fcpause-old")" = old ] && [ "$(<"$D/snap")" = old ] && [ "$(<"$T/e/mem")" = new ]
}

@test "S3, A15: files are 0600, whatever the umask, or as those that they replace" {
	vm --no-envd
	(umask 0 && snapshot)
	[ "$(stat -c %a "$D/snap" "$D/mem" | sort -u)" = 600 ]
	sim_patch /vm '{"state":"Resumed"}'
	chmod 640 "$D/mem"
	chmod 604 "$D/snap"
	[ "$(id -u)" -ne 0 ] || chown 65534:65533 "$D/mem"
	snapshot --force
	[ "$(stat -c %a "$D/mem" "$D/snap" | xargs)" = '640 604' ]
	[ "$(id -u)" -ne 0 ] || [ "$(stat -c %u:%g "$D/mem")" = 65534:65533 ]
}

@test "S3: while they are written they are 0600" {
	vm --no-envd
	old_pair
	chmod 644 "$D"/*
	SHIM=('SHIM_FAULT=fsync:fcpause-tmp@1=hold')
	snapshot_start --force
	until_held
	[ "$(stat -c %a "$D"/*.fcpause-tmp | sort -u)" = 600 ]
	release
	fcp_end
	expect 0
	[ "$(stat -c %a "$D"/* | sort -u)" = 644 ]
}

@test "R9: a name that is not UTF-8 is refused before the pause, the directory's too" {
	vm --no-envd
	local name
	mkdir "$(printf 'd/\351')"
	for name in "$(printf 'd/caf\351')" "$(printf 'd/\351/mem')"; do
		fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path d/snap --mem-file-path "$name"
		expect 1
		expect_err 'not UTF-8'
		[ "$(find "$D" -type f | wc -l)" -eq 0 ]
	done
	run ! grep -q '^P' "$SIM_LOG"
}

@test "S5: a link in a directory that a group can write is not followed" {
	vm --no-envd
	mkdir "$T/shared" "$T/private"
	ln -s "$T/private" "$T/shared/link"
	chmod 2775 "$T/shared"
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path shared/link/s --mem-file-path shared/link/m --json
	expect 1
	expect_json '.error.class == "input"' '.error.message | contains("symbolic link")'
	[ -z "$(ls -A "$T/private")" ]
	chmod 755 "$T/shared"
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path shared/link/s --mem-file-path shared/link/m --json
	expect 0
}

# ---- D3 ----

tracked() {
	sim_start --no-envd --memory 16 "$@"
	sim_put /machine-config '{"vcpu_count":1,"mem_size_mib":16,"track_dirty_pages":true}'
	sim_put /sim/boot '{}'
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path d/snap0 --mem-file-path d/base --resume --type diff
	expect 0
	sim_put /sim/workload '{"fill_mib":4,"free_mib":0,"cache_mib":0}'
}
# The layer that was kept, over the base, is the guest's memory.
chain_is_whole() {
	cp --sparse=never "$D/base" "$T/merged"
	python3 - "$T/merged" "$@" <<'P'
import os, sys
b = os.open(sys.argv[1], os.O_RDWR)
for name in sys.argv[2:]:
    l, at = os.open(name, os.O_RDONLY), 0
    while True:
        try: at = os.lseek(l, at, os.SEEK_DATA)
        except OSError: break
        end = os.lseek(l, at, os.SEEK_HOLE)
        os.pwrite(b, os.pread(l, end - at, at), at)
        at = end
P
	sim_patch /vm '{"state":"Paused"}'
	sim_put /snapshot/create "{\"snapshot_type\":\"Full\",\"snapshot_path\":\"$T/s\",\"mem_file_path\":\"$T/truth\"}"
	cmp "$T/merged" "$T/truth"
}

@test "D3: with dirty tracking a failure after the creation keeps the layer, exit 5, and says: take a Full" {
	command -v python3 >/dev/null || skip 'no python3'
	tracked
	local fault n=0 path
	for fault in fsync:mem.fcpause-tmp@1=EIO linkat:snap.fcpause-tmp@2=EIO; do
		SHIM=("SHIM_FAULT=$fault")
		snapshot --type diff
		struck
		expect 5
		expect_json '.error.class == "left"' '.created == false' '.vm_state == "Running"' \
			'.error.message | contains("must be a Full")'
		vm_is Running
		path=$D/mem.fcpause-failed
		[ $n -eq 0 ] || path=$path.$n
		[ -s "$path" ] && [ ! -e "$D/mem" ] && [ ! -e "$D/mem.fcpause-tmp" ]
		n=$((n + 1))
		grep -qF "$path" err
	done
	chain_is_whole "$D/mem.fcpause-failed" "$D/mem.fcpause-failed.1"
}

@test "D3: interrupted during the creation, and a checkpoint that failed: likewise" {
	command -v python3 >/dev/null || skip 'no python3'
	tracked --snapshot-ms 200
	: >"$SIM_CLOCK"
	snapshot_start --type diff
	sim_wait_clock '^snapshot-begin'
	fcp_signal INT
	fcp_end
	expect 5
	[ -s "$D/mem.fcpause-failed" ]
	SHIM=(SHIM_FAULT=fsync:mem.fcpause-tmp@1=EIO)
	snapshot --type diff --resume
	expect 5
	chain_is_whole "$D/mem.fcpause-failed" "$D/mem.fcpause-failed.1"
}

@test "D3, R6: Firecracker ends during the creation: that is said, and its half of a layer is not kept" {
	local state
	for state in Running Paused; do
		SIM_NAME=$state tracked --snapshot-ms 1500
		[ $state = Running ] || sim_patch /vm '{"state":"Paused"}'
		: >"$SIM_CLOCK"
		snapshot_start --type diff
		sim_wait_clock '^snapshot-begin'
		kill -KILL "$SIM_PID"
		fcp_end
		expect 5
		expect_json '.error.message | startswith("Firecracker has ended, and the VM with it") and
			(contains("must be a Full") | not)' '.vm_state == "unknown"' || _show "$state" || return
		[ "$(listing)" = 'base snap0' ] || _show "$state: $(listing)" || return
		rm -f "$D"/*
	done
}

@test "D3: a run that was killed: the next Diff is refused, its file kept; a Full is taken" {
	tracked
	SHIM=(SHIM_FAULT=fsync:mem.fcpause-tmp@1=kill)
	{ snapshot --type diff; } 2>/dev/null
	struck
	# Its guard puts the VM back meanwhile.
	until_no_guard
	sim_patch /vm '{"state":"Resumed"}'
	SHIM=()
	: >"$SIM_LOG"
	snapshot --type diff
	expect 1
	expect_json '.error.class == "state"' '.error.message | contains("take a Full")'
	[ -s "$D/mem.fcpause-failed" ]
	run ! grep -q '^PATCH' "$SIM_LOG"
	snapshot --type full
	expect 0
}

@test "D3: without tracking, or refused by Firecracker, nothing is kept" {
	vm --no-envd
	SHIM=(SHIM_FAULT=fsync:mem.fcpause-tmp@1=EIO)
	snapshot
	expect 1
	[ "$(listing)" = '*' ]
	SIM_NAME=t tracked
	sim_put /sim/fault '{"fault":"PUT /snapshot/create status=400"}'
	SHIM=()
	snapshot --type diff
	expect 1
	[ "$(listing)" = 'base snap0' ]
}

@test "F1: a snapshot that is refused anyway does not end a trim" {
	vm --no-envd
	"$FCPAUSE_BUILD/guest-file" "$D/mem" || skip 'no guest-file'
	SHIM=('SHIM_FAULT=fallocate@1=hold')
	fcp_start madvise-ranges --mem-file-path d/mem --find free --holes zero
	until_held
	local trim=$FCP_PID
	cp "$T/calls" "$T/trim-calls"
	SHIM=()
	snapshot
	expect 1
	expect_json '.error.class == "input"'
	snapshot --force
	expect 6
	FCP_PID=$trim
	release
	fcp_end
	expect 0
}
