#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# How long the guest stands still while a checkpoint of it is taken, and how much is written: by fcpause, and
# by Firecracker, of one VM by turns. Times are kept as figures; what is written is a test. The floor is what
# a hold takes in which no memory is read.

load helpers

ROUNDS=5

checkpoint() {
	fcp snapshot --json --resume --force --api-sock "$SOCK" --snapshot-path "$DIR/$1.snap" --mem-file-path "$DIR/$1.mem" \
		"${@:2}"
	expect 0
	jq -c --arg name "$1" --argjson bytes "$(on_disk "$DIR/$1.mem")" \
		'{name: $name, paused_ms, downtime_ms, memory, bytes: $bytes}' "$T/out" >>"$T/rounds"
}

# all_rounds NAME: the medians go to the figures.
all_rounds() {
	jq -sc 'map(if .name == "floor" then .paused_ms = (.downtime_ms | .pause + .state + .resume) else . end) | . as $all | [.[].name] | unique | map(. as $name | {($name): ([$all[] | select(.name == $name)] |
		{paused_ms: [.[].paused_ms], file_bytes: ([.[].bytes] | sort | .[length / 2 | floor])} +
		if .[0].memory then {written_bytes: ([.[].memory.written_bytes] | sort | .[length / 2 | floor]),
			changed_bytes: ([.[].memory.changed_bytes] | sort | .[length / 2 | floor]),
			parts_ms: [.[].downtime_ms]} else {} end)}) | add' "$T/rounds" >"$T/out"
	cat "$T/out"
	figure "$1" '. + {median_ms: map_values(.paused_ms | sort | .[length / 2 | floor])}'
}

# pages_to_write BASE FILE: bytes of the pages of FILE that are not zero and not as in BASE.
bytes_to_write() {
	perl -e 'open $a, "<", $ARGV[0] or die; open $b, "<", $ARGV[1] or die; $n = 0; $zero = "\0" x 4096;
		while (sysread($b, $new, 1048576)) {
			sysread($a, $old, 1048576);
			next if $new eq $old;
			for ($i = 0; $i < length $new; $i += 4096) {
				$page = substr($new, $i, 4096);
				$n++ if $page ne $zero && $page ne substr($old, $i, 4096);
			}
		}
		print $n * 4096, "\n"' "$1" "$2"
}

@test "booted, after a reclaim" {
	boot
	workload
	fcp reclaim --json --envd "$ENVD" "${CAPS[@]}"
	local i
	for ((i = 0; i < ROUNDS; i++)); do
		checkpoint fcpause --buffer-mib 0
		checkpoint buffered
		checkpoint diff --writer firecracker
	done
	# A Full leaves pages resident, which a Diff would write.
	for ((i = 0; i < ROUNDS; i++)); do checkpoint full --writer firecracker --type full; done
	all_rounds speed_booted
	fcp snapshot --json --api-sock "$SOCK" --snapshot-path "$DIR/s.snap" --mem-file-path "$DIR/s.mem"
	expect 0
	cp --sparse=always "$DIR/disk" "$DIR/disk.saved"
	stop_vm
}

# work MIB: 3 MiB change in the end; so much more was used, and is free again.
work() {
	guest "dd if=/dev/urandom of=/tmp/more bs=1M count=3; dd if=/dev/zero of=/tmp/big bs=1M count=$1; rm -f /tmp/big" 2>/dev/null
}

# Without free pages nothing is looked for while Firecracker saves its state: --find zero shows how long that is.
rounds() {
	local i
	rm -f "$T/rounds"
	for ((i = 0; i < ROUNDS; i++)); do
		work "$2"
		checkpoint floor --find zero
		checkpoint tracked --type diff
		checkpoint fcpause --buffer-mib 0
		checkpoint buffered
		checkpoint full --writer firecracker --type full
	done
	all_rounds "$1"
}

@test "restored, some MiB changed: no more is written than has to be" {
	cp --sparse=always "$DIR/disk.saved" "$DIR/disk"
	restore --track "$DIR/s.snap" "$DIR/s.mem"
	rounds speed_restored 0
	local written
	written=$(jq '.fcpause.written_bytes' "$T/out")
	[ "$written" -lt $((16 << 20)) ]
	rounds speed_worked 100
	fcp snapshot --json --api-sock "$SOCK" --snapshot-path "$DIR/e.snap" --mem-file-path "$DIR/e.mem"
	expect 0
	jq -e --argjson needed "$(bytes_to_write "$DIR/s.mem" "$DIR/e.mem")" \
		'.memory.written_bytes | . <= $needed * 1.05 and . >= $needed * 0.95' "$T/out"
	is_whole "$DIR/e.snap" "$DIR/e.mem"
}
