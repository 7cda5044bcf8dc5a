#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Refuses a memory file path that backs the running VM (same inode as one of its
# mappings) or is in use by another; paths are resolved against the jailer's root when the socket's
# process runs in one (--chroot-base, or found through /proc/PID/root); a symlink in a directory that
# others can write is not followed.

load helpers

refused() {
	expect 1 && expect_json ".error.class == \"$1\"" ".error.message | contains(\"$2\")" '.vm_state == "Running"' &&
		{ ! grep -qE '^(PUT|PATCH)' "$SIM_LOG" || _show 'the VM was asked for something'; }
}

# ---- in use ----

loaded_vm() {
	vm --no-envd --workload 2,0,0
	snapshot
	expect 0
	SIM_NAME=b sim_start --no-envd --memory 16
	sim_load "$D/snap" "$D/mem"
	: >"$SIM_LOG"
	cp --sparse=always d/mem mem.copy
}

@test "the path backs the running VM, by this or another name, as memory or as snapshot file: refused" {
	loaded_vm
	snapshot --force
	refused busy 'maps it'
	ln d/mem other
	fcp snapshot --api-sock "$SIM_SOCK" --json --force --snapshot-path d/snap2 --mem-file-path other
	refused busy 'maps it'
	fcp snapshot --api-sock "$SIM_SOCK" --json --force --snapshot-path other --mem-file-path d/mem2
	refused busy 'maps it'
	fcp pause --api-sock "$SIM_SOCK" --json --force --snapshot-path d/snap2 --mem-file-path d/mem
	refused busy 'maps it'
	cmp d/mem mem.copy
	cmp other mem.copy
	expect_state '.checksum_ok'
}

@test "the path backs another VM, or somebody writes to it: refused, and it is said who" {
	loaded_vm
	sim_use a
	sim_patch /vm '{"state":"Resumed"}'
	: >"$SIM_LOG"
	snapshot --force
	refused busy "process $SIM_PID_b (fcpause-sim) maps it"
	cmp d/mem mem.copy
	exec {writer}>>other
	fcp snapshot --api-sock "$SIM_SOCK" --json --force --snapshot-path d/snap2 --mem-file-path other
	exec {writer}>&-
	refused busy 'open for writing'
}

@test "somebody only reads it: replaced, and the reader keeps what it has" {
	vm --no-envd
	old_pair
	exec {reader}<d/mem
	snapshot --force
	expect 0
	cmp - old/mem <&$reader
	exec {reader}<&-
}

# ---- links ----

@test "the target itself is a link, to a file, to nothing, or no regular file: refused with --force too" {
	vm --no-envd
	echo precious >precious
	local kind
	for kind in 'ln -s ../precious' 'ln -s nowhere' mkfifo mkdir; do
		rm -rf "${D:?}"/*
		(cd d && $kind mem)
		: >"$SIM_LOG"
		snapshot --force
		refused input 'not a regular file'
		rm -rf "${D:?}"/*
		(cd d && $kind snap)
		snapshot --force
		refused input 'not a regular file'
	done
	[ "$(cat precious)" = precious ]
}

@test "the temporary name is a link, a FIFO: it is removed, what it leads to is untouched" {
	vm --no-envd
	local kind
	for kind in 'ln -s ../precious' mkfifo; do
		echo precious >precious
		rm -f "$D"/*
		(cd d && $kind mem.fcpause-tmp && $kind snap.fcpause-tmp)
		snapshot --resume
		expect 0
		[ "$(listing)" = 'mem snap' ]
		[ ! -L d/mem ] && [ ! -L d/snap ]
		[ "$(cat precious)" = precious ]
	done
}

@test "the temporary file is replaced during the creation: not given the name" {
	vm --no-envd --snapshot-ms 300
	echo precious >precious
	snapshot_start
	sim_wait_clock '^snapshot-begin'
	ln -sf "$T/precious" d/mem.fcpause-tmp
	fcp_end
	expect 1
	expect_json '.created == false' '.vm_state == "Running"'
	[ ! -e d/mem ] && [ ! -e d/snap ]
	vm_is Running
}

@test "a link on the way, in a directory that others can write, is not followed" {
	vm --no-envd
	mkdir real world sticky
	chmod 777 world
	chmod 1777 sticky
	ln -s ../real world/link
	ln -s ../real sticky/link
	local way
	for way in world/link sticky/link "$T/sticky/link" d/../sticky/./link; do
		: >"$SIM_LOG"
		fcp snapshot --api-sock "$SIM_SOCK" --json --snapshot-path d/snap --mem-file-path "$way/mem"
		refused input 'symbolic link'
		fcp snapshot --api-sock "$SIM_SOCK" --json --snapshot-path "$way/snap" --mem-file-path d/mem
		refused input 'symbolic link'
	done
	[ -z "$(ls real)" ]
	# In a directory of ours it is.
	ln -s real ours
	fcp snapshot --api-sock "$SIM_SOCK" --json --snapshot-path ours/snap --mem-file-path ours/mem
	expect 0
	[ "$(echo real/*)" = 'real/mem real/snap' ]
}

@test "a link in a directory of another user's is not followed either" {
	only_root
	vm --no-envd
	mkdir real theirs
	ln -s ../real theirs/link
	chown -h 65534 theirs theirs/link
	: >"$SIM_LOG"
	fcp snapshot --api-sock "$SIM_SOCK" --json --snapshot-path d/snap --mem-file-path theirs/link/mem
	refused input 'symbolic link'
	[ -z "$(ls real)" ]
}

@test "the target's directory: others can write there and replace files: refused; sticky is fine" {
	vm --no-envd
	chmod 777 d
	snapshot
	refused input 'others can write'
	chmod 1777 d
	snapshot
	expect 0
	[ "$(listing)" = 'mem snap' ]
}

# ---- Firecracker's own root ----

# jail WAY [USER]: the simulator in a root of its own, J, its socket at run/api.sock.
jail() {
	only_root
	J=$T/jail
	mkdir -p "$J"/{run,tmp,snapshots,proc,old}
	chmod 711 "$T" 2>/dev/null || true
	cp "$(sim_bin)" "$J/sim"
	local library
	ldd "$J/sim" | grep -oE '/[^ ]+' | while read -r library; do
		[ "$library" = "$J/sim" ] || cp --parents -L "$library" "$J"
	done
	! ldd "$J/sim" | grep -qE 'lib(a|ub)san' || skip 'a sanitizer wants /proc'
	: >"$J/requests"
	chown -R "${2:-0}:${2:-0}" "$J"/{run,snapshots,requests}
	SIM_LOG=$J/requests SIM_SOCK=$J/run/api.sock SIM_ERR=$T/jail.err
	local arguments="--no-envd --boot --memory 16 --api-sock /run/api.sock --request-log /requests"
	mkfifo "$T/jail.ready"
	case $1 in
	chroot) chroot --userspec="${2:-0}:${2:-0}" "$J" /sim $arguments >"$T/jail.ready" 2>"$SIM_ERR" 3>&- & ;;
	pivot)
		command -v unshare pivot_root >/dev/null || skip 'no pivot_root'
		unshare -m true 2>/dev/null || skip 'no mount namespaces'
		unshare -m sh -c "mount --make-rprivate / && mount --bind '$J' '$J' && cd '$J' && pivot_root . old &&
			exec /sim $arguments" >"$T/jail.ready" 2>"$SIM_ERR" 3>&- &
		;;
	esac
	SIM_PID=$!
	mkdir -p "$T/sim-jail"
	echo "$SIM_PID" >"$T/sim-jail/pid"
	local line
	read -r -t "$SIM_DEADLINE_S" line <"$T/jail.ready" || _show "no jail: $(<"$SIM_ERR")"
	SIM_PID=$(jq -r .pid <<<"$line")
	# After pivot_root(2) the socket's name is below the bind mount, which only they see; the
	# directory is the same.
}

created() { grep -F '/snapshot/create' "$J/requests" | tail -1 | sed 's/^[^{]*//'; }
in_jail() {
	expect 0 || return
	[ "$(created | jq -r '.snapshot_path + " " + .mem_file_path')" = "$1/snap.fcpause-tmp $1/mem.fcpause-tmp" ] ||
		_show "asked for: $(created)" || return
	[ "$(cd "$J/$1" && echo *)" = 'mem snap' ] || _show "in the jail: $(ls "$J/$1")" || return
	[ "$(length "$J/$1/mem")" -eq 16777216 ]
	rm -f "$J/$1"/*
	sim_patch /vm '{"state":"Resumed"}'
}
jailed() { fcp "$1" --api-sock "$SIM_SOCK" --json --snapshot-path "$2/snap" --mem-file-path "$2/mem" "${@:3}"; }

@test "in a chroot: host paths below the root and paths inside it, with and without --chroot-base" {
	jail chroot
	jailed snapshot "$J/snapshots"
	in_jail /snapshots
	jailed snapshot /snapshots
	in_jail /snapshots
	jailed snapshot jail/snapshots
	in_jail /snapshots
	jailed snapshot "$J/snapshots" --chroot-base "$J"
	in_jail /snapshots
	jailed snapshot /snapshots --chroot-base "$J"
	in_jail /snapshots
	jailed pause /snapshots --chroot-base "$J/"
	in_jail /snapshots
	# The pair at the root itself.
	fcp snapshot --api-sock "$SIM_SOCK" --json --snapshot-path /snap --mem-file-path /mem
	expect 0
	[ -s "$J/snap" ] && [ -s "$J/mem" ] && [ ! -e /snap ] && [ ! -e /mem ]
}

@test "in a mount namespace and behind pivot_root(2), as the jailer does: found through /proc/PID/root" {
	jail pivot
	jailed snapshot "$J/snapshots"
	in_jail /snapshots
	jailed pause /snapshots
	in_jail /snapshots
	jailed snapshot /snapshots --chroot-base "$J"
	in_jail /snapshots
}

@test "in a chroot as another user: the files are its own, and it can write them" {
	jail chroot 65534
	jailed snapshot /snapshots
	expect 0
	[ "$(stat -c %u "$J/snapshots/mem" "$J/snapshots/snap" | sort -u)" = 65534 ]
	# The files cannot be given away: said before the pause, and nothing is left.
	sim_patch /vm '{"state":"Resumed"}'
	local n
	for n in 1 2; do
		: >"$J/requests"
		rm -f "$J"/snapshots/*
		SHIM=("SHIM_FAULT=fchown@$n=EPERM")
		jailed snapshot /snapshots
		struck
		expect 1
		expect_json '.error.message | contains("65534")'
		[ -z "$(ls -A "$J/snapshots")" ]
		run ! grep -q Paused "$J/requests"
	done
}

@test "a jail's path that exists outside only, or a host's path outside of the jail: refused, nothing is written" {
	jail chroot
	mkdir "$T/outside"
	: >"$J/requests"
	local path
	for path in "$T/outside" outside "$J/../outside" /snapshots/../../outside /proc/self/cwd; do
		jailed snapshot "$path"
		expect 1
		run ! grep -qE '^(PUT|PATCH)' "$J/requests"
	done
	[ -z "$(ls -A "$T/outside")" ]
}

@test "a link inside the jail that points outside does not lead out" {
	jail chroot
	mkdir "$T/outside"
	ln -s "$T/outside" "$J/absolute"
	ln -s ../outside "$J/relative"
	ln -s ../../../../../../../../../../..$T/outside "$J/snapshots/climbing"
	: >"$J/requests"
	local path
	for path in /absolute /relative /snapshots/climbing "$J/absolute" "$J/relative" "$J/snapshots/climbing"; do
		jailed snapshot "$path"
		expect 1
		jailed snapshot "$path" --chroot-base "$J"
		expect 1
		run ! grep -qE '^(PUT|PATCH)' "$J/requests"
	done
	[ -z "$(ls -A "$T/outside")" ]
	# One that stays inside is followed, by both.
	ln -s /snapshots "$J/inside"
	jailed snapshot /inside
	expect 0
	[ "$(cd "$J/snapshots" && ls)" = "$(printf 'climbing\nmem\nsnap')" ]
}

@test "the target in the jail is a link that points outside: refused" {
	jail chroot
	echo precious >"$T/precious"
	ln -s "$T/precious" "$J/snapshots/mem"
	jailed snapshot /snapshots --force
	expect 1
	expect_json '.error.message | contains("not a regular file")'
	[ "$(cat "$T/precious")" = precious ]
}

@test "a --chroot-base that is not there, or is no directory: exit 1, nothing is touched" {
	vm --no-envd
	echo file >file
	local base
	for base in none file; do
		: >"$SIM_LOG"
		snapshot --chroot-base $base
		refused io "$base"
	done
}
