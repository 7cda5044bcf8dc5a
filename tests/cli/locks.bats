#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Locks that hold in all namespaces, that no other user can take, block or forge,
# that name their holder, and that can be waited for.

load helpers

only_root() { [ "$(id -u)" -eq 0 ] || skip 'not root'; }
can() { "$@" true 2>/dev/null || skip "cannot $*"; }

# The first run: its first request gets no answer, so that it holds the VM until it is told to end.
first() {
	sim_put /sim/fault '{"fault":"GET / hang"}'
	sim_put /sim/fault '{"fault":"GET /balloon hang"}'
	: >"$SIM_LOG"
	fcp_start "$@" --api-sock "$SIM_SOCK" --timeout-ms 60000
	first_pid=$FCP_PID
	sim_wait_log '^GET /'
	sim_delete /sim/fault
}
first_end() {
	FCP_PID=$first_pid
	fcp_signal TERM
	fcp_end
	expect 1
	[ ! -e "$SIM_SOCK.fcpause-lock" ]
}
# The run that was started last has the lock file open, too.
until_waiting() {
	local end=$((SECONDS + SIM_DEADLINE_S))
	until ls -l /proc/"$(pgrep -P "$FCP_PID")"/fd 2>/dev/null | grep -q fcpause-lock; do
		[ $SECONDS -lt $end ] || _show 'it does not wait' || return
	done
}
# second [PREFIX…] -- ARGS…: a run beside it.
second() {
	local prefix=()
	while [ "$1" != -- ]; do
		prefix+=("$1")
		shift
	done
	status=0
	timeout -k 1 $RUN_SECONDS "${prefix[@]}" "$FCPAUSE" "${@:2}" --api-sock "$SIM_SOCK" --json \
		>"$T/out" 2>"$T/err" 3>&- || status=$?
}
is_locked() {
	expect 6
	expect_json '.error.class == "locked"' \
		'.error.message | test("sock: another fcpause is using it: process [0-9]+ [(]fcpause[)] on .* since 2")'
}

@test "A7: one run on a VM, whichever commands the two are; exit code 6, and who it is" {
	vm
	local first second
	for first in 'pause --snapshot-path s --mem-file-path m' 'snapshot --snapshot-path s --mem-file-path m' \
		balloon-drain balloon-install; do
		first $first
		for second in 'pause --snapshot-path t --mem-file-path n' 'snapshot --snapshot-path t --mem-file-path n' \
			balloon-drain balloon-install; do
			second -- $second
			is_locked
		done
		[ "$(grep -vcE '^GET /(balloon)? *$' "$SIM_LOG" || true)" -eq 0 ] || _show 'it asked for something'
		first_end
	done
}

@test "D1: two runs in two network namespaces, two mount namespaces, and by a bind mount" {
	only_root
	can unshare -n
	can unshare -m
	vm
	first snapshot --snapshot-path s --mem-file-path m
	second unshare -n -- snapshot --snapshot-path t --mem-file-path n
	is_locked
	second unshare -m -- snapshot --snapshot-path t --mem-file-path n
	is_locked
	second unshare -n -m -p -f -- snapshot --snapshot-path t --mem-file-path n
	is_locked
	mkdir bound
	local sock=$SIM_SOCK
	SIM_SOCK=$T/bound/$(basename "$sock")
	second unshare -m sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' sh "$(dirname "$sock")" "$T/bound" \
		-- snapshot --snapshot-path t --mem-file-path n
	is_locked
	ln -s "$sock" link.sock
	SIM_SOCK=$T/link.sock
	second -- snapshot --snapshot-path t --mem-file-path n
	is_locked
	SIM_SOCK=$sock
	first_end
}

@test "D1: two runs on one target of two VMs, in two network namespaces: the second one touches nothing" {
	only_root
	can unshare -n
	vm --no-envd
	local sock=$SIM_SOCK
	sim_put /sim/fault '{"fault":"PUT /snapshot/create hang"}'
	fcp_start snapshot --api-sock "$SIM_SOCK" --snapshot-path s --mem-file-path m --snapshot-timeout-ms 60000
	first_pid=$FCP_PID
	sim_wait_log '^PUT /snapshot/create'
	local before
	before=$(ls -i)
	SIM_NAME=other vm --no-envd
	local names
	for names in 's m' 's m2' 's2 m' 'm s'; do
		second unshare -n -- snapshot --snapshot-path "${names% *}" --mem-file-path "${names#* }"
		expect 6
		expect_json '.error.class == "locked"' '.vm_state == "Running"' \
			'.error.message | contains("another fcpause is using it: process ")'
		[ "$(ls -i | grep -v other)" = "$(grep -v other <<<"$before")" ] || _show "$(ls -i)"
	done
	[ "$(grep -c PATCH "$SIM_LOG" || true)" -eq 0 ]
	kill -KILL "$first_pid"
	SIM_SOCK=$sock
}

@test "S4: no other user takes, blocks or forges the lock" {
	only_root
	vm
	local lock=$SIM_SOCK.fcpause-lock
	echo held >"$lock"
	chmod 600 "$lock"
	chown 65534 "$lock"
	exec 9<"$lock"
	flock -n -x 9
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path s --mem-file-path m --json
	exec 9>&-
	expect 0
	expect_json '.warnings[0] | contains("was not a lock of ours")'
	[ ! -e "$lock" ]
}

@test "A7: --wait-lock-ms waits until the other one is through; a signal ends the wait" {
	vm
	first snapshot --snapshot-path s --mem-file-path m
	second -- snapshot --snapshot-path t --mem-file-path n --wait-lock-ms 50
	is_locked
	fcp_start snapshot --api-sock "$SIM_SOCK" --snapshot-path t --mem-file-path n --wait-lock-ms 60000 --json
	until_waiting
	fcp_signal INT
	fcp_end
	expect 1
	expect_json '.error.class == "interrupted"'
	fcp_start snapshot --api-sock "$SIM_SOCK" --snapshot-path t --mem-file-path n --wait-lock-ms 60000 --json
	local second=$FCP_PID
	until_waiting
	FCP_PID=$first_pid
	fcp_signal TERM
	fcp_end
	expect 1
	FCP_PID=$second
	fcp_end
	expect 0
	[ -s t ] && [ -s n ]
}

@test "A7: the lock of a run that was killed keeps nobody off" {
	vm
	first balloon-drain
	kill -KILL "$(pgrep -P "$first_pid")"
	FCP_PID=$first_pid
	fcp_end
	[ -e "$SIM_SOCK.fcpause-lock" ]
	fcp balloon-drain --api-sock "$SIM_SOCK"
	expect 0
	[ ! -e "$SIM_SOCK.fcpause-lock" ]
}
