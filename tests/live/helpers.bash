# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Around every live test: `load helpers`. Everything here is the real thing; one VM at a time, on the
# network 172.30.0.0/24 (tap fcptap0).
#
#   boot [--track] [--no-balloon | --balloon JSON] [--memory MIB] [--hotplug MIB] [--no-wait]
#                              a new VM: $SOCK, $FC_PID, $DIR
#   restore [--track] SNAPSHOT MEM_FILE    a new Firecracker, restored and resumed
#   restore_by_handler SNAPSHOT MEM_FILE   the same, its memory filled in by a page-fault handler
#   stop_vm                    ends it;  vm_ended: within the deadline
#   api METHOD PATH [BODY]     the answer; fails when it is an error
#   guest SCRIPT               runs it in the guest, as root; its output
#   free_mib                   what the guest itself holds free
#   block_compaction           a step of reclaim that lasts;  unblock_compaction;  [not_]compacting
#   workload; sums; same_sums  files that must stay, in the page cache and on the disk; their sums
#   is_whole SNAPSHOT MEM_FILE it loads, and the guest is as it was and goes on
#   measure_pause FIGURE OPTION…  one pause, its figures kept; what it made is whole
#   uses_all_its_memory [MIB]  the guest fills what it has, or so much of it, and reads it back
#   kernel_is_quiet            nothing in its log since the workload
#   fcp ARGS…, expect…         as in ../cli/helpers.bash
#   at_call FAULT              the runs of fcpause that follow are under ../durable/shim.c with this SHIM_FAULT,
#                              its gate is $T/gate;  at_no_call: they are not any more
#   held                       Firecracker waits for a reader of the named pipe
#   packets; no_packets        the guest gets some all the while
#   vm_is STATE                what Firecracker says
#   lay_over LAYER FILE        what the layer holds is written over the file
#   free_alike FILE…          the pages that the guest in the first has free become holes in each
#   figure NAME [FILTER]       keeps jq's answer over the last JSON on stdout for the record
#   within SECONDS COMMAND…    until it succeeds, with a deadline

load "$(dirname "${BASH_SOURCE[0]}")/../cli/helpers"

GUEST=172.30.0.2
ENVD=http://$GUEST:49983
TAP=fcptap0
# The real servers answer late under an emulated CPU.
RUN_SECONDS=300
# Caps that a slow guest keeps: what is measured here is not the cap.
CAPS=(--step-timeout-ms sync=20000 --step-timeout-ms drop_caches=20000
	--step-timeout-ms compact_memory=20000 --step-timeout-ms fstrim=20000)

# What a file of tests has in common: a directory for its VM.
setup_file() {
	DIR=$BATS_FILE_TMPDIR/vm
	mkdir -p "$DIR"
	export DIR
}

teardown_file() {
	stop_vm
	rm -rf "$DIR"
}

setup() {
	local name
	for name in $(compgen -e FCPAUSE_); do
		case $name in FCPAUSE_LIVE_*) export -n "${name?}" ;; *) unset "$name" ;; esac
	done
	REAL_FCPAUSE=${FCPAUSE:?}
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	T=$BATS_TEST_TMPDIR
	cd "$T" || return 1
	[ ! -f "$DIR/values" ] || . "$DIR/values"
}

# A VM outlives its test, not its file.
teardown() {
	[ -n "${BATS_TEST_COMPLETED:-}" ] || { echo "-- Firecracker's log:"; tail -n 20 "$DIR/log"; } 2>/dev/null
	[ -z "${FCP_PID:-}" ] || kill -KILL "$FCP_PID" 2>/dev/null || true
	no_packets
	# Snapshots are large, and the files lie in memory.
	umount "$T"/*/ 2>/dev/null || true
	rm -rf "${T:?}"/*
}

within() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || { echo "not in time: $*"; return 1; }
		read -r -t 0.05 <> <(:) || true
	done
}

_tap() {
	ip link show "$TAP" >/dev/null 2>&1 && return
	ip tuntap add "$TAP" mode tap && ip addr add 172.30.0.1/24 dev "$TAP" && ip link set "$TAP" up
}

_firecracker() {
	stop_vm
	_tap || return
	SOCK=$DIR/api.sock
	rm -f "$SOCK"
	: >"$DIR/metrics"
	# Its parent ends at once, so that nobody has to wait for it.
	(
		cd "$DIR" || exit
		firecracker --api-sock "$SOCK" >"$DIR/log" 2>&1 </dev/null 3>&- &
		echo $! >"$DIR/pid"
	)
	FC_PID=$(cat "$DIR/pid")
	printf 'SOCK=%s\nFC_PID=%s\n' "$SOCK" "$FC_PID" >"$DIR/values"
	within 60 test -S "$SOCK" || return
	api PUT /metrics "{\"metrics_path\":\"$DIR/metrics\"}"
}

vm_ended() { [ ! -d "/proc/$FC_PID" ] || [ "$(cut -d' ' -f3 "/proc/$FC_PID/stat")" = Z ]; }

stop_vm() {
	[ ! -f "$DIR/values" ] || . "$DIR/values"
	[ -n "${FC_PID:-}" ] || return 0
	kill -KILL "$FC_PID" 2>/dev/null || true
	within 60 vm_ended
	FC_PID=
	rm -f "$DIR/values"
}

api() {
	local status
	status=$(curl -sS -m 120 --unix-socket "$SOCK" -X "$1" -o "$DIR/answer" -w '%{http_code}' \
		"http://localhost$2" ${3:+-d "$3"}) || return
	cat "$DIR/answer"
	[ "$status" -lt 400 ]
}

envd_up() { curl -s -m 5 -o /dev/null "$ENVD/health"; }

boot() {
	local track=false balloon=$BALLOON wait=1 memory=512 hotplug=
	while [ $# -gt 0 ]; do
		case $1 in
		--track) track=true ;;
		--memory) memory=$2; shift ;;
		--hotplug) hotplug=$2; shift ;;
		--no-balloon) balloon= ;;
		--balloon) balloon=$2; shift ;;
		--no-wait) wait= ;;
		esac
		shift
	done
	configure "$track" "$memory" || return
	[ -z "$balloon" ] || api PUT /balloon "$balloon" || return
	[ -z "$hotplug" ] || api PUT /hotplug/memory "{\"total_size_mib\":$hotplug}" || return
	api PUT /actions '{"action_type":"InstanceStart"}' || return
	[ -z "$wait" ] || within 240 envd_up
}

# A Firecracker with all that a VM needs but a balloon, not started.
configure() {
	local images=$FCPAUSE_LIVE_IMAGES
	_firecracker || return
	cp --sparse=always "$images/guest.ext4" "$DIR/disk"
	api PUT /boot-source "{\"kernel_image_path\":\"$images/guest.vmlinux\",\"initrd_path\":\"$images/guest.initrd\",\"boot_args\":\"console=ttyS0 reboot=k panic=1 quiet mitigations=off nowatchdog\"}" &&
		api PUT /drives/rootfs "{\"drive_id\":\"rootfs\",\"path_on_host\":\"$DIR/disk\",\"is_root_device\":false,\"is_read_only\":false}" &&
		api PUT /network-interfaces/eth0 "{\"iface_id\":\"eth0\",\"guest_mac\":\"06:00:ac:1e:00:02\",\"host_dev_name\":\"$TAP\"}" &&
		api PUT /machine-config "{\"vcpu_count\":1,\"mem_size_mib\":${2:-512},\"track_dirty_pages\":${1:-false}}"
}

restore() {
	local track=false
	[ "$1" != --track ] || { track=true; shift; }
	_firecracker || return
	api PUT /snapshot/load "{\"snapshot_path\":\"$1\",\"mem_backend\":{\"backend_type\":\"File\",\"backend_path\":\"$2\"},\"track_dirty_pages\":$track,\"resume_vm\":true}" || return
	within 240 envd_up
}

# The handler is the simulator's, which speaks Firecracker's protocol; it ends with the VM.
restore_by_handler() {
	_firecracker || return
	rm -f "$DIR/uffd.sock"
	"$(dirname "$REAL_FCPAUSE")/fcpause-sim" --uffd-handler "$DIR/uffd.sock" --mem-file-path "$2" \
		>"$DIR/handler" 2>&1 3>&- &
	within 60 grep -q ready "$DIR/handler" || return
	api PUT /snapshot/load "{\"snapshot_path\":\"$1\",\"mem_backend\":{\"backend_type\":\"Uffd\",\"backend_path\":\"$DIR/uffd.sock\"},\"resume_vm\":true}" || return
	within 240 envd_up
}

# Whatever the guest does with them, its network device writes them to its memory.
packets() {
	(
		exec 4>/dev/udp/$GUEST/4000
		while :; do
			echo "$RANDOM $RANDOM $RANDOM" >&4 || :
			read -r -t 0.02 <> <(:) || :
		done
	) >/dev/null 2>&1 3>&- &
	PACKETS_PID=$!
}
no_packets() {
	[ -z "${PACKETS_PID:-}" ] || kill "$PACKETS_PID" || true
	PACKETS_PID=
}

at_call() {
	[ -n "${FCPAUSE_LIVE_SHIM:-}" ] || skip 'no C compiler for the shim'
	[ -p "$T/gate" ] || mkfifo "$T/gate"
	: >"$T/calls"
	printf '#!/bin/sh\nLD_PRELOAD=%s SHIM_LOG=%s SHIM_GATE=%s SHIM_FAULT="%s" exec %s "$@"\n' "$FCPAUSE_LIVE_SHIM" \
		"$T/calls" "$T/gate" \
		"$1" "$REAL_FCPAUSE" >"$T/fcpause"
	chmod +x "$T/fcpause"
	FCPAUSE=$T/fcpause
}
at_no_call() { FCPAUSE=$REAL_FCPAUSE; }

held() { [ "$(cat "/proc/$FC_PID/wchan")" = wait_for_partner ]; }

guest() { "$REAL_FCPAUSE" exec -q --envd "$ENVD" --exec-timeout-ms 280000 -- /bin/sh -c "$1"; }

# The step compact_memory does not end by itself: it opens a FIFO that nobody reads. (busybox's shell
# runs its own sync and fstrim, whatever lies in /bin.)
block_compaction() { guest 'mkfifo /tmp/never; mount --bind /tmp/never /proc/sys/vm/compact_memory'; }
unblock_compaction() { guest 'umount /proc/sys/vm/compact_memory; rm /tmp/never'; }
compacting() { guest 'ps' | grep -q '[c]ompact_memory'; }
not_compacting() { ! compacting; }

free_mib() { guest "awk '/^MemFree/ { print int(\$2 / 1024) }' /proc/meminfo"; }

# 30 MiB of tmpfs and 40 MiB on the disk stay; 60 MiB on the disk and 200 MiB of memory were used and
# are not any more.
workload() {
	guest 'dd if=/dev/urandom of=/tmp/keep bs=1M count=30
		dd if=/dev/zero of=/root/gone bs=1M count=60; sync; rm /root/gone
		dd if=/dev/urandom of=/root/kept bs=1M count=40; sync
		dd if=/dev/zero of=/tmp/big bs=1M count=200; rm /tmp/big' >/dev/null 2>&1 && sums >"$DIR/sums" &&
		guest 'dmesg | wc -l' >"$DIR/dmesg_lines"
}

sums() { guest 'md5sum /tmp/keep /root/kept'; }
same_sums() { sums | diff "$DIR/sums" -; }

# Zeros would not show a page that was taken away under the guest; what is written is read back.
uses_all_its_memory() {
	guest "most=${1:-1000000}"'; mkdir -p /fill; mount -t tmpfs -o size=100% tmpfs /fill
		count=$(($(awk "/^MemAvailable/ { print int(\$2 / 1024) }" /proc/meminfo) - 24))
		[ $count -lt $most ] || count=$most
		# A process for each MiB would take longer than the MiB.
		pieces=$((count / 16))
		head -c 16777216 /dev/urandom >/fill/a
		i=1; while [ $i -lt $pieces ]; do cp /fill/a /fill/$i; i=$((i + 1)); done
		bad=0; sum=$(md5sum </fill/a)
		for i in 1 $((pieces / 2)) $((pieces - 1)); do [ "$(md5sum </fill/$i)" = "$sum" ] || bad=1; done
		umount /fill; echo "filled $((pieces * 16)) MiB"; [ $bad = 0 ] && [ $count -gt 200 ]'
}

# (At boot it says much.)
kernel_is_quiet() {
	local log
	log=$(guest 'dmesg' | tail -n +$(($(cat "$DIR/dmesg_lines") + 1)) |
		grep -iE 'bug|oops|bad page|corrupt|general protection|call trace|out of memory|ext4.*error' || true)
	[ -z "$log" ] || { echo "$log"; return 1; }
}

# is_whole SNAPSHOT MEM_FILE: it loads, and the guest is as it was, and goes on.
is_whole() {
	restore "$1" "$2"
	same_sums
	uses_all_its_memory
	same_sums
	kernel_is_quiet
}

vm_is() { api GET / | jq -e --arg state "$1" '.state == $state'; }

# lay_over LAYER FILE: what the layer holds is written over the file.
lay_over() {
	perl -e 'open $l, "<", $ARGV[0] or die; open $f, "+<", $ARGV[1] or die; $end = 0;
		while (defined($at = sysseek($l, $end, 3))) {
			$end = sysseek($l, $at, 4); sysseek($l, $at, 0); sysseek($f, $at, 0);
			for ($left = $end - $at; $left > 0; $left -= $got) {
				$got = sysread($l, $pages, $left < 1048576 ? $left : 1048576) or die;
				syswrite($f, $pages) == $got or die;
			}
		}' "$1" "$2"
}

# free_alike FILE…: the pages that the guest in the first has free are holes in each of them.
free_alike() {
	"$REAL_FCPAUSE" madvise-ranges --list --holes zero --find free --mem-file-path "$1" | grep -v '^#' >"$T/ranges"
	local file
	for file; do
		"$REAL_FCPAUSE" madvise-ranges -q --holes zero --mem-file-path "$file" --ranges "$T/ranges"
	done
}

rss_bytes() { awk '/^VmRSS/ { print $2 * 1024 }' "/proc/$FC_PID/status"; }

pause_once() {
	fcp pause --json --force --api-sock "$SOCK" --envd "$ENVD" --metrics-path "$DIR/metrics" \
		--snapshot-path "$T/s.snap" --mem-file-path "$T/s.mem" "$@"
	expect 0
	expect_json '.vm_state == "Paused"' '.steps[2].status == "ok"'
}

# measure_pause FIGURE OPTION...: one pause, all its figures kept; how long the guest stood still is the median of
# this and two more. What it made is whole, unless it is a layer.
measure_pause() {
	local name=$1 rss paused
	shift
	rss=$(rss_bytes)
	pause_once "$@"
	cp "$T/out" "$T/first"
	[ "$(stat -c %s "$T/s.mem")" = $((512 << 20)) ]
	local on_disk
	on_disk=$(on_disk "$T/s.mem")
	paused=$(jq .paused_ms "$T/out")
	if [ "$(jq .steps[2].layer "$T/first")" = false ]; then
		for _ in 1 2; do
			api PATCH /vm '{"state":"Resumed"}'
			pause_once "$@"
			paused+=,$(jq .paused_ms "$T/out")
		done
		is_whole "$T/s.snap" "$T/s.mem"
	fi
	mv "$T/first" "$T/out"
	figure "$name" '.steps[2] as $snapshot | {ms, paused_ms: ($paused | sort | .[length / 2 | floor]), all_paused_ms: $paused,
		type: $snapshot.type, writer: $snapshot.writer, bytes: $bytes, rss_before_bytes: $rss,
		written_bytes: ($snapshot.memory.written_bytes // $bytes), memory: $snapshot.memory,
		downtime_ms: $snapshot.downtime_ms, steps: [.steps[] | {step, status, ms}]}' \
		--argjson bytes "$on_disk" --argjson rss "$rss" --argjson paused "[$paused]"
	stop_vm
}

on_disk() { echo $(($(stat -c %b "$1") * 512)); }

# figure NAME FILTER [JQ ARGS…]: FILTER over $T/out
figure() {
	local name=$1 filter=$2
	shift 2
	jq -c --arg figure "$name" "$@" "{(\$figure): ($filter)}" "$T/out" >>"$FCPAUSE_LIVE_FIGURES"
}
