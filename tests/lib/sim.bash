# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Bats helpers around fcpause-sim.
#
#   setup()    { load ../lib/sim; }
#   teardown() { sim_stop; }
#
#   sim_start --boot --workload 20,10,8     sets SIM_PID SIM_SOCK SIM_ENVD SIM_LOG SIM_CLOCK
#   SIM_NAME=b sim_start …                  a second one; its values also as SIM_PID_b …
#   sim_use b                               makes b's values the current ones again
#   sim_get /balloon                        the body (fails on a status of 400 and more)
#   sim_put /sim/option '{"hinting_ms":-1}'
#   sim_log                                 the request log
#   sim_wait_log '^PATCH /vm'               until a line matches (a bash regular expression)
#   sim_stop                                ends all of them

: "${SIM_DEADLINE_S:=20}"

# Prints what is wrong, with the simulator's own words.
_sim_fail() {
	echo "sim: $*" >&2
	[ ! -s "${SIM_ERR:-}" ] || sed 's/^/sim: stderr: /' "$SIM_ERR" >&2
	return 1
}

sim_bin() {
	local root
	root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
	echo "${FCPAUSE_SIM:-$root/build/fcpause-sim}"
}

sim_start() {
	local name=${SIM_NAME:-a} dir line
	dir=$BATS_TEST_TMPDIR/sim-$name
	mkdir -p "$dir"
	rm -f "$dir"/api.sock "$dir"/ready
	SIM_SOCK=$dir/api.sock SIM_LOG=$dir/requests SIM_CLOCK=$dir/clock SIM_ERR=$dir/stderr
	: >"$SIM_LOG"
	_sim_keep_secret "$dir/secret" "$@"
	: >"$SIM_CLOCK"
	mkfifo "$dir/ready"
	TMPDIR=$BATS_TEST_TMPDIR "$(sim_bin)" --api-sock "$SIM_SOCK" --request-log "$SIM_LOG" --clock-log "$SIM_CLOCK" \
		"$@" >"$dir/ready" 2>"$SIM_ERR" 3>&- 4>&- &
	SIM_PID=$!
	echo "$SIM_PID" >"$dir/pid"
	# One that ends before it is ready closes the FIFO: read then ends at once.
	if ! read -r -t "$SIM_DEADLINE_S" line <"$dir/ready"; then
		_sim_fail "$(sim_bin) did not become ready"
		return 1
	fi
	SIM_ENVD=$(jq -r '.envd // empty' <<<"$line")
	printf '%s\n' "$SIM_PID" "$SIM_SOCK" "$SIM_ENVD" "$SIM_LOG" "$SIM_CLOCK" "$SIM_ERR" \
		>"$dir/values"
	sim_use "$name"
}

# --token's value, for who looks where else it is.
_sim_keep_secret() {
	local file=$1
	while [ $# -gt 1 ]; do
		[ "$1" != --token ] || printf %s "$2" >"$file"
		shift
	done
}

# Makes the named simulator's values the current ones.
sim_use() {
	local -a v
	mapfile -t v <"$BATS_TEST_TMPDIR/sim-$1/values"
	SIM_PID=${v[0]} SIM_SOCK=${v[1]} SIM_ENVD=${v[2]} SIM_LOG=${v[3]} SIM_CLOCK=${v[4]}
	SIM_ERR=${v[5]}
	printf -v "SIM_PID_$1" %s "$SIM_PID"
	printf -v "SIM_SOCK_$1" %s "$SIM_SOCK"
	printf -v "SIM_ENVD_$1" %s "$SIM_ENVD"
	printf -v "SIM_LOG_$1" %s "$SIM_LOG"
	printf -v "SIM_CLOCK_$1" %s "$SIM_CLOCK"
}

sim_stop() {
	local file pid
	for file in "$BATS_TEST_TMPDIR"/sim-*/pid; do
		[ -e "$file" ] || continue
		pid=$(<"$file")
		rm -f "$file"
		kill -TERM "$pid" 2>/dev/null || continue
		wait "$pid" 2>/dev/null || true
	done
	return 0
}

# sim_request METHOD PATH [JSON]: the body on stdout; fails on a status of 400 and more.
sim_request() {
	local -a data=()
	[ $# -lt 3 ] || data=(-H 'Content-Type: application/json' --data-binary "$3")
	curl -sS --fail-with-body --max-time "$SIM_DEADLINE_S" --unix-socket "$SIM_SOCK" \
		-X "$1" "${data[@]}" "http://localhost$2"
}

sim_get() { sim_request GET "$1"; }
sim_put() { sim_request PUT "$1" "$2"; }
sim_patch() { sim_request PATCH "$1" "${@:2}"; }
sim_delete() { sim_request DELETE "$1"; }

# sim_load SNAPSHOT-FILE MEMORY-FILE, absolute: loads and resumes.
sim_load() {
	sim_put /snapshot/load "{\"snapshot_path\":\"$1\",\"mem_backend\":{\"backend_type\":\"File\",\"backend_path\":\"$2\"},\"resume_vm\":true}"
}

# One value of GET /sim/state.
sim_state() { sim_get /sim/state | jq -r ".$1"; }

sim_log() { cat "$SIM_LOG"; }

# _sim_wait_file FILE PATTERN
_sim_wait_file() {
	local line fd tail_pid end=$((SECONDS + SIM_DEADLINE_S)) found=1
	exec {fd}< <(exec tail -n +1 -F -s 0.01 "$1" 2>/dev/null 3>&- 4>&-)
	tail_pid=$!
	while [ "$SECONDS" -lt "$end" ]; do
		read -r -t 1 line <&"$fd" || continue
		[[ $line =~ $2 ]] || continue
		found=0
		break
	done
	kill "$tail_pid" 2>/dev/null
	exec {fd}<&-
	[ "$found" -eq 0 ] || _sim_fail "no line matches: $2"
}

# sim_wait_state KEY VALUE: until GET /sim/state says so.
sim_wait_state() {
	local end=$((SECONDS + SIM_DEADLINE_S))
	until [ "$(sim_state "$1")" = "$2" ]; do
		[ "$SECONDS" -lt "$end" ] || return 1
	done
}

# Waits until the request log has a line that matches.
sim_wait_log() { _sim_wait_file "$SIM_LOG" "$1"; }
# Waits until the clock log has a line that matches.
sim_wait_clock() { _sim_wait_file "$SIM_CLOCK" "$1"; }

# sim_clock_ns EVENT: the time of the event's last line, in ns.
sim_clock_ns() { awk -v e="$1" '$1 == e { ns = $NF } END { if (ns == "") exit 1; print ns }' "$SIM_CLOCK"; }
