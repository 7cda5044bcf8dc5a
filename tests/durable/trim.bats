#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# madvise-ranges and the trim of pause where something happens in the middle of it: attributes that
# cannot be written, files that are opened meanwhile, other runs.

load helpers

@test "D2: no extended attributes, no room for them: the snapshot is good, and nothing is recorded" {
	vm
	for errno in EOPNOTSUPP EPERM ENOSPC EDQUOT EIO; do
		SHIM=("SHIM_FAULT=fsetxattr@1+=$errno")
		pause --type full --resume --force
		expect 0
		struck
		expect_json '.steps[2].created' '.steps[2].holes == "zero"' '.steps[2].id == null' \
			'.steps[3].holes == "zero"' '.steps[3].zero_bytes > 0'
	done
}

# ---- others at the file meanwhile (D9, F1) ----------------------------------------------------

# What --find zero releases in one punch: 1 MiB of zeros between pages of data.
mem() {
	{ head -c 4096 /dev/urandom; head -c 1M /dev/zero; head -c 4096 /dev/urandom; } >mem
	cp mem mem.before
}
trim_start() { fcp_start madvise-ranges --mem-file-path mem --find zero --json "$@"; }
# The kernel grants a lease here, which tells that nobody maps the file.
need_leases() {
	case $(stat -f -c %T "$T") in
	ext2/ext3 | tmpfs | xfs | btrfs | f2fs) ;;
	*) skip 'no leases on this file system' ;;
	esac
}
# How long the kernel lets an opener wait for the one who has the lease. The host's; put back at once.
break_after() {
	local seconds
	read -r seconds </proc/sys/fs/lease-break-time
	echo "$1" 2>/dev/null >/proc/sys/fs/lease-break-time || skip 'the lease break time is not ours to set'
	BREAK_SECONDS=${BREAK_SECONDS:-$seconds}
}
break_as_ever() { [ -z "${BREAK_SECONDS:-}" ] || echo "$BREAK_SECONDS" >/proc/sys/fs/lease-break-time; }
eval "durable_$(declare -f teardown)"
teardown() {
	break_as_ever
	durable_teardown
}

@test "D9: stopped for longer than an opener waits: what he wrote may be lost, and it is no success" {
	need_leases
	mem
	break_after 1
	SHIM=('SHIM_FAULT=fallocate@1=hold')
	trim_start
	until_held
	# Waits until the kernel gives up on the one who has the lease.
	timeout 20 sh -c 'printf written | dd of=mem bs=1 seek=8192 conv=notrunc status=none'
	release
	fcp_end
	expect 1
	expect_json '.status == "failed"' '.error.class == "busy"' '.reason | contains("may be lost")'
}

@test "D9: somebody opens the file during a punch: he waits for its end, nothing of his is lost, exit 1" {
	need_leases
	mem
	SHIM=('SHIM_FAULT=fallocate@1=hold')
	trim_start
	until_held
	timeout 20 sh -c 'printf written | dd of=mem bs=1 seek=8192 conv=notrunc status=none' &
	writer=$!
	# Blocked in open(2): it has dd's name by then, and no descriptor of the file.
	until grep -qs 'BREAKING\|BREAKER' /proc/locks; do kill -0 $writer; done
	release
	fcp_end
	wait $writer
	expect 1
	expect_json '.error.class == "busy"' '.reason | contains("somebody opened it") and contains("1048576 bytes were released")'
	printf written | dd of=mem.before bs=1 seek=8192 conv=notrunc status=none
	cmp mem mem.before
}

@test "D9: where there is no lease, who uses the file is looked at once more at the end" {
	only_root
	command -v setpriv >/dev/null || skip 'needs setpriv'
	chmod 755 "$T"
	mem
	chmod 666 mem
	# Another user's file: no lease without CAP_LEASE.
	chown 65534 mem
	SHIM=('SHIM_FAULT=fallocate@1=hold')
	: >"$T/calls"
	_shim_env
	setpriv --bounding-set -lease --inh-caps -lease "${ENV[@]}" "$FCPAUSE" madvise-ranges --mem-file-path mem \
		--find zero --json >out 2>err 3>&- &
	FCP_PID=$!
	until_held
	exec 9<>mem
	release
	fcp_end
	exec 9>&-
	expect 1
	expect_json '.error.class == "busy"' '.reason | contains("has it open for writing")'
}

@test "F1: a snapshot that is refused anyway ends no other run's claim; with --force it is busy" {
	need_leases
	vm
	mem
	mkdir -p d
	mv mem d/mem
	for other in '' 'unshare -n' 'unshare -n -p -f --mount-proc'; do
		[ -z "$other" ] || $other true 2>/dev/null || continue
		cp mem.before d/mem
		SHIM=('SHIM_FAULT=fallocate@1=hold')
		fcp_start madvise-ranges --mem-file-path d/mem --find zero --json
		until_held
		for force in '' --force; do
			status=0
			$other "$FCPAUSE" snapshot --api-sock "$SIM_SOCK" "${FILES[@]}" --type full $force >other.out 2>other.err || status=$?
			case $force in
			'') [ $status -eq 1 ] && grep -q 'already exists' other.err ;;
			*) [ $status -eq 6 ] && grep -q 'another fcpause is using it' other.err ;;
			esac
			$other "$FCPAUSE" inspect --mem-file-path d/mem >other.out 2>other.err && return 1
			grep -q 'another fcpause is using it' other.err
		done
		release
		fcp_end
		expect 0
		expect_json '.status == "ok"' '.released_bytes == 1048576'
	done
}

@test "F1: the claim of a pause that trims what it made is seen, too" {
	need_leases
	vm
	SHIM=('SHIM_FAULT=fallocate@1=hold')
	pause_start --type full --resume --find zero
	until_held
	status=0
	"$FCPAUSE" inspect --mem-file-path d/mem >other.out 2>other.err || status=$?
	[ $status -eq 6 ]
	release
	fcp_end
	expect 0
	expect_json '.steps[3].status == "ok"' '.steps[3].released_bytes > 0'
}

@test "another run is waited for when --wait-lock-ms says so" {
	need_leases
	mem
	SHIM=('SHIM_FAULT=fallocate@1=hold')
	trim_start
	until_held
	status=0
	"$FCPAUSE" madvise-ranges --mem-file-path mem --find zero --json >other || status=$?
	[ $status -eq 6 ]
	"$FCPAUSE" madvise-ranges --mem-file-path mem --find zero --wait-lock-ms 20000 >other &
	other=$!
	release
	fcp_end
	expect 0
	wait $other
}

@test "F1: a marker that somebody else sets keeps nobody off" {
	need_leases
	command -v python3 >/dev/null || skip 'needs python3'
	[ "$(readlink /proc/self/ns/pid)" = 'pid:[4026531836]' ] || skip 'leases of outside are not seen here'
	mem
	mkfifo ready
	python3 -c '
import fcntl, os, struct, sys
fd = os.open(".", os.O_RDONLY)
F_OFD_SETLK = 37
fcntl.fcntl(fd, F_OFD_SETLK, struct.pack("hhqqi", fcntl.F_RDLCK, 0, 0, 0, 0))
print("ready", flush=True)
sys.stdin.read()' <gate >ready &
	exec 8>gate
	read -r _ <ready
	fcp madvise-ranges --mem-file-path mem --find zero --json
	exec 8>&-
	expect 0
	expect_json '.released_bytes == 1048576'
}

# ---- looking who uses a file (F2, S6, R10) ----------------------------------------------------

@test "F2: in the good case no process is looked at: --force over an old pair, a release" {
	need_leases
	vm
	old_pair
	snapshot --type full --force --resume
	expect 0
	run ! calls '^opendir /proc$'
	pause --type full --force --resume
	expect 0
	run ! calls '^opendir /proc$'
	fcp madvise-ranges --mem-file-path d/mem --find zero
	expect 0
	run ! calls '^opendir /proc$'
	# It does look where somebody has the file.
	exec 9<d/mem
	snapshot --type full --force --resume
	exec 9<&-
	expect 0
	calls '^opendir /proc$'
}

@test "S6: a process that holds a file of a server that never answers hangs nobody" {
	only_root
	command -v python3 >/dev/null && [ -r /dev/fuse ] || skip 'needs python3 and /dev/fuse'
	mem
	mkdir dead
	mkfifo ready
	python3 -c '
import ctypes, os, sys
fuse = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = b"fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % fuse
if libc.mount(b"dead", b"dead", b"fuse", 0, options):
    print("no", flush=True)
    sys.exit()
held = os.open("dead", os.O_PATH)
print("ready", flush=True)
sys.stdin.read()
libc.umount2(b"dead", 2)' <gate >ready &
	exec 8>gate
	read -r mounted <ready
	[ "$mounted" = ready ] || skip 'no mount of FUSE here'
	exec 9<mem
	SHIM=(SHIM_ALARM=10)
	fcp madvise-ranges --mem-file-path mem --find zero --json
	exec 9<&- 8>&-
	wait
	expect 0
	expect_json '.released_bytes == 1048576'
}

# overlay: an overlayfs on o/mnt, its upper layer in o/up.
overlay() {
	only_root
	mkdir o
	mount -t tmpfs overlay o 2>/dev/null || skip 'no mounts here'
	mkdir o/lo o/up o/wo o/mnt
	head -c 4096 /dev/urandom >o/lo/n
	head -c 1M /dev/zero >>o/lo/n
	mount -t overlay -o lowerdir=o/lo,upperdir=o/up,workdir=o/wo overlay o/mnt || {
		umount o
		skip 'no overlayfs here'
	}
}

# mapped FILE COMMAND...: the command while another process maps the file, its descriptor closed.
mapped() {
	python3 -c '
import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
held = mmap.mmap(fd, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
os.close(fd)
print("ready", flush=True)
sys.stdin.read()' "$1" <"$T/gate" >"$T/ready" &
	exec 8>"$T/gate"
	read -r _ <"$T/ready"
	shift
	"$@"
	exec 8>&-
	wait $!
}

@test "R10: overlayfs: a file that is mapped by its other identity is in use" {
	command -v python3 >/dev/null || skip 'needs python3'
	local file pair theirs ours good=true
	mkfifo ready
	overlay
	cp o/lo/n o/mnt/m
	# One that was copied up has another inode number in the upper layer.
	touch o/mnt/n
	for file in m n; do
		for pair in 'up mnt' 'mnt up' 'mnt mnt'; do
			read -r theirs ours <<<"$pair"
			mapped o/$theirs/$file fcp madvise-ranges --mem-file-path o/$ours/$file --find zero --json
			expect 1 && expect_json '.error.class == "busy"' '.reason | contains("in use")' || good=false
		done
		fcp madvise-ranges --mem-file-path o/mnt/$file --find zero --json
		expect 0 && expect_json '.released_bytes == 1048576' || good=false
	done
	umount o/mnt o
	$good
}

# ---- the memory of a paused VM (D5) ------------------------------------------------------------

guest_vm() {
	! ldd "$(sim_bin)" | grep -q libasan || skip "a sanitizer's own memory in the simulator hides the guest's"
	"${FCPAUSE_BUILD:-$ROOT/build}/guest-file" guest
	sim_start --boot --no-envd --memory 32 --memory-content "$T/guest" --backing memfd
	sim_patch /vm '{"state":"Paused"}'
}
process_start() { fcp_start madvise-ranges --find free --api-sock "$SIM_SOCK" --pid "$SIM_PID" --json; }

@test "D5: the VM is resumed while its memory is released: exit 5, pages may be lost" {
	guest_vm
	SHIM=('SHIM_FAULT=fallocate@1=hold')
	process_start
	until_held
	sim_patch /vm '{"state":"Resumed"}'
	release
	fcp_end
	expect 5
	expect_json '.status == "failed"' '.reason | contains("Running") and contains("may be lost")' \
		'.released_bytes > 0'
}

@test "D5: ... at the very end, or interrupted besides: the same" {
	guest_vm
	fcp madvise-ranges --find free --api-sock "$SIM_SOCK" --pid "$SIM_PID" --json
	expect 0
	last=$(grep -c '^fallocate' calls)
	sim_stop
	for how in '' TERM; do
		guest_vm
		SHIM=("SHIM_FAULT=fallocate@$last=hold")
		process_start
		until_held
		sim_patch /vm '{"state":"Resumed"}'
		[ -z "$how" ] || fcp_signal $how
		release
		fcp_end
		expect 5
		expect_json '.reason | contains("may be lost")'
		sim_stop
	done
}

@test "D5: the VM has run in between and is paused again: told by its memory" {
	command -v python3 >/dev/null || skip 'needs python3'
	guest_vm
	SHIM=('SHIM_FAULT=fallocate@1=hold')
	process_start
	until_held
	sim_patch /vm '{"state":"Resumed"}'
	# What a guest does that runs: it changes its memory. Its note is easy to find.
	python3 - "$SIM_PID" <<-'P'
		import re, sys
		pid = sys.argv[1]
		with open(f"/proc/{pid}/mem", "r+b") as memory:
		    for line in open(f"/proc/{pid}/maps"):
		        start, end = (int(x, 16) for x in line.split()[0].split("-"))
		        if end - start < 32 << 20 or "memfd" not in line:
		            continue
		        memory.seek(start)
		        note = memory.read(end - start).find(b"VMCOREINFO")
		        memory.seek(start + note)
		        memory.write(b"changed")
	P
	sim_patch /vm '{"state":"Paused"}'
	release
	fcp_end
	expect 5
	expect_json '.reason | contains("has run") and contains("may be lost")'
}

@test "D5: resumed before the first page: nothing is released, exit 1" {
	guest_vm
	SHIM=('SHIM_FAULT=open:/map_files@1=hold')
	process_start
	until_held
	sim_patch /vm '{"state":"Resumed"}'
	release
	fcp_end
	expect 1
	expect_json '.error.class == "state"' '.released_bytes == 0'
	run ! calls '^fallocate'
}

@test "D5: another fcpause on the VM meanwhile is kept out, and waits when it is told to" {
	guest_vm
	SHIM=('SHIM_FAULT=fallocate@1=hold')
	process_start
	until_held
	status=0
	"$FCPAUSE" snapshot --resume --api-sock "$SIM_SOCK" "${FILES[@]}" --type full >other || status=$?
	[ $status -eq 6 ]
	vm_is Paused
	"$FCPAUSE" snapshot --resume --api-sock "$SIM_SOCK" "${FILES[@]}" --type full --wait-lock-ms 20000 >other &
	other=$!
	release
	fcp_end
	expect 0
	wait $other
	# And the other way round.
	SHIM=('SHIM_FAULT=fsync@1=hold')
	fcp_start snapshot --api-sock "$SIM_SOCK" "${FILES[@]}" --type full --force
	until_held
	status=0
	"$FCPAUSE" madvise-ranges --find free --api-sock "$SIM_SOCK" --pid "$SIM_PID" || status=$?
	[ $status -eq 6 ]
	release
	fcp_end
	expect 0
}

# ---- file systems with blocks of their own (R14) ------------------------------------------------

@test "R14: hugetlbfs: what is free is told, though every byte counts as data there" {
	only_root
	command -v python3 >/dev/null || skip 'needs python3'
	local pages
	read -r pages </proc/sys/vm/nr_hugepages
	echo $((pages + 16)) >/proc/sys/vm/nr_hugepages 2>/dev/null || skip 'no huge pages to be had'
	mkdir huge
	mount -t hugetlbfs -o pagesize=2M huge huge 2>/dev/null || mounted=false
	python3 -c '
import mmap, os
fd = os.open("huge/m", os.O_RDWR | os.O_CREAT)
os.ftruncate(fd, 32 << 20)
m = mmap.mmap(fd, 32 << 20)
m[0:4096] = b"x" * 4096
m[4 << 20] = 1
for at in range(0, 32 << 20, 2 << 20):
    m[at + 8192] = m[at + 8192]
    m[at + 8193] = 0' && made=true
	if ${made:-false}; then
		fcp madvise-ranges --mem-file-path huge/m --find zero --json
	fi
	umount huge
	echo "$pages" >/proc/sys/vm/nr_hugepages
	${made:-false} || skip 'too few huge pages'
	expect 4
	# Two huge pages hold data; what of them is zeros was zeroed in place.
	expect_json '.released_bytes == 29360128' '.status == "partial"' '.reason | contains("zeroed in place")' \
		'.mem_file.allocated_before_bytes - .mem_file.allocated_bytes == 29360128'
}
