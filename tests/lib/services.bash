# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Services for flags and traces (tests/sim/services.h):
#
#   services_start ARGS…   sets SERVICES_URL and SERVICES_LOG, a JSON object a request
#   services_stop          in teardown

services_start() {
	local dir=$BATS_TEST_TMPDIR/services line
	mkdir -p "$dir"
	rm -f "$dir/ready"
	SERVICES_LOG=$dir/log
	: >"$SERVICES_LOG"
	mkfifo "$dir/ready"
	"${FCPAUSE_SIM:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/fcpause-sim}" services \
		--log "$SERVICES_LOG" "$@" >"$dir/ready" 2>"$dir/stderr" 3>&- 4>&- &
	SERVICES_PID=$!
	read -r -t "${SIM_DEADLINE_S:-20}" line <"$dir/ready" || { cat "$dir/stderr" >&2; return 1; }
	SERVICES_URL=$(jq -r .url <<<"$line")
}

services_stop() {
	[ -n "${SERVICES_PID:-}" ] || return 0
	kill -TERM "$SERVICES_PID" 2>/dev/null || true
	wait "$SERVICES_PID" 2>/dev/null || true
	SERVICES_PID=
}
