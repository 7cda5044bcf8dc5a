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

@test "F1: a snapshot that is refused anyway ends nobody's claim; with --force it is busy" {
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
			[ $status -eq 1 ]
			[ -n "$force" ] || grep -q 'is there already' other.err
			[ -z "$force" ] || grep -q 'another fcpause works on it' other.err
			$other "$FCPAUSE" inspect --mem-file-path d/mem >other.out 2>other.err && return 1
			grep -q 'another fcpause works on it' other.err
		done
		release
		fcp_end
		expect 0
		expect_json '.status == "ok"' '.released_bytes == 1048576'
	done
}

@test "F1: a sign that somebody else puts up keeps nobody off" {
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
