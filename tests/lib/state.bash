# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Bats helpers for what the simulator writes and holds: its state file, its guest's memory; and for
# its page-fault handler.

# state_text FILE: the JSON of a state file, without its ends.
state_text() {
	local head
	head=$(od -An -tx1 -N8 "$1" | tr -d ' ')
	tail -c +"$([ "$head" = 0000648684191007 ] && echo 9 || echo 10)" "$1" | head -c -8
}

# memory_of PID: the bytes of the simulator's guest memory, of one mapping after the other.
memory_of() {
	"${FCPAUSE_REPLAY:-$(dirname "$(sim_bin)")/replay}" memory "$1"
}

memory_sum() {
	memory_of "$1" | sha256sum
}

# uffd_start MEMORY-FILE: a page-fault handler that listens on $BATS_TEST_TMPDIR/uffd.sock; HANDLER.
uffd_start() {
	local line
	mkfifo "$BATS_TEST_TMPDIR/handler.ready"
	"$(sim_bin)" --uffd-handler "$BATS_TEST_TMPDIR/uffd.sock" --mem-file-path "$1" \
		>"$BATS_TEST_TMPDIR/handler.ready" 3>&- 4>&- &
	HANDLER=$!
	echo "$HANDLER" >"$BATS_TEST_TMPDIR/handler.pid"
	read -r -t "$SIM_DEADLINE_S" line <"$BATS_TEST_TMPDIR/handler.ready"
	[ "$line" = '{"ready":true}' ]
}
