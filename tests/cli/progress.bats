#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The steps on a terminal while they run: a line each from when it begins, finished in place, with the
# elapsed time, and gone when the results are printed. On a real pseudo-terminal, made by script(1).

load helpers

ESC=$'\x1b'

# on_terminal COLUMNS ARGS…: fcpause in the background; what its terminal is sent goes to $T/shown, and what is
# written to $T/keys is typed there.
on_terminal() {
	[ -p keys ] || { mkfifo keys && exec {KEYS}<>keys; }
	script -qec true /dev/null >/dev/null 2>&1 </dev/null || skip 'no pseudo-terminal can be had here (script)'
	# A background job of a shell ignores SIGINT.
	COLUMNS_OF=$1 PROGRAM=$FCPAUSE WORDS=${*@Q} env --default-signal=INT script -qfec \
		'eval "set -- $WORDS"; stty cols "$COLUMNS_OF"; shift; exec "$PROGRAM" "$@"' "$T/shown" \
		>/dev/null 2>&1 <keys 3>&- &
	FCP_PID=$!
}

ended() {
	status=0
	wait "$FCP_PID" || status=$?
	FCP_PID=
	# Without script's own lines.
	sed -i '/^Script \(started\|done\) on/d' shown
}

until_shown() {
	local end=$((SECONDS + SIM_DEADLINE_S))
	until grep -qE "$1" shown 2>/dev/null; do
		[ "$SECONDS" -lt "$end" ] || { cat -v shown; return 1; }
	done
}

# The lines that are on the screen at the end.
screen() {
	awk -v RS='^$' '{
		count = split($0, c, "")
		row = last = 1
		for (i = 1; i <= count; i++) {
			if (c[i] == "\r") col = 0
			else if (c[i] == "\n") { row++; if (row > last) last = row }
			else if (c[i] == "\033") {
				number = ""
				for (i += 2; c[i] ~ /[0-9]/; i++) number = number c[i]
				if (c[i] == "A") row -= number
				else if (c[i] == "K") text[row] = substr(text[row], 1, col)
				else if (c[i] == "J") {
					text[row] = substr(text[row], 1, col)
					for (below = row + 1; below <= last; below++) text[below] = ""
				} else { print "unexpected: ESC [" number c[i]; exit 1 }
			} else {
				text[row] = sprintf("%-" col "s", substr(text[row], 1, col)) c[i] substr(text[row], col + 2)
				col++
			}
		}
		for (i = 1; i <= last; i++) print text[i]
	}' shown
}

# What was drawn, a line for each time.
drawn() { tr '\r' '\n' <shown | sed -n "s/${ESC}\[K.*//p"; }

pause() { on_terminal "$1" pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem "${@:2}"; }

@test "each step has a line from when it begins, and it is finished in place; at the end only the results stay" {
	vm --snapshot-ms 400
	export TERM=xterm
	pause 100 --drain --no-trim --resume
	until_shown 'snapshot +\.\.\. +0\.[0-9] s  Firecracker writes'
	# Before the end: nobody has a result yet, but for what is drawn.
	grep -qE "balloon-drain +ok +[0-9.]+ ms${ESC}\[K" shown
	ended
	[ "$status" -eq 0 ] || { cat -v shown; return 1; }
	drawn | grep -qE '^snapshot +ok +[0-9.]+ ms$'
	screen >at_end
	[ "$(grep -c '^snapshot ' at_end)" -eq 1 ]
	grep -qE '^snapshot +ok .*VM Running' at_end
	run ! grep -q '\.\.\.' at_end
	[ "$(grep -c . at_end)" -eq 5 ] || { cat -A at_end; return 1; }
}

@test "the elapsed time goes on while a step runs" {
	vm --snapshot-ms 600
	export TERM=xterm
	pause 100 --no-trim
	ended
	drawn | grep -oE '^snapshot +\.\.\. +[0-9.]+ s  Firecracker' | sort -u >times
	[ "$(wc -l <times)" -ge 3 ] || { cat times; return 1; }
}

@test "no flicker: nothing is written again that stands there, and nothing is wider than the terminal" {
	vm --snapshot-ms 300
	export TERM=xterm
	pause 44 --no-trim
	ended
	drawn >lines
	[ "$(wc -l <lines)" -ge 4 ]
	[ "$(uniq <lines | wc -l)" -eq "$(wc -l <lines)" ] || { cat lines; return 1; }
	awk 'length > 43 { print; wrong = 1 } END { exit wrong }' lines
	# The screen is never cleared, only lines of ours.
	run ! grep -q "$ESC\[2J" shown
}

@test "bytes and the rate, where they are known" {
	sim_start --boot --memory 64 --workload 48,0,0
	unset FCPAUSE_WRITER
	export TERM=xterm
	pause 120 --no-trim
	ended
	[ "$status" -eq 0 ] || { cat -v shown; return 1; }
	grep -qE 'ok .* written' shown || skip 'fcpause cannot write the memory here'
	drawn | grep -qE '^snapshot +\.\.\. .*writing, [0-9.]+ MiB of [0-9.]+ MiB, [0-9.]+ [KMG]iB/s$' || { cat -v shown; return 1; }
}

@test "nothing of it with --quiet, on a dumb terminal, or where the standard error is none; never a colour" {
	vm
	export TERM=xterm
	pause 100 --no-trim --quiet
	ended
	run ! grep -q . shown
	TERM=dumb pause 100 --no-trim --force
	ended
	run ! grep -q "$ESC" shown
	grep -q '^snapshot' shown
	rm -f snap mem
	fcp pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --no-trim
	expect 0
	expect_no_err
	run ! grep -q "$ESC" out
	NO_COLOR=1 pause 100 --no-trim --force
	ended
	grep -q "$ESC\[K" shown
	run ! grep -q "$ESC\[[0-9;]*m" shown
}

@test "Ctrl-C says at once what is waited for and what another one would do; the steps stand below it" {
	vm --snapshot-ms 1500
	export TERM=xterm
	pause 200 --no-trim
	until_shown 'Firecracker writes'
	printf '\003' >keys
	until_shown 'interrupted; Firecracker is still writing .*another signal changes nothing'
	printf '\003' >keys
	until_shown 'interrupted again; still waiting'
	ended
	[ "$status" -ne 0 ]
	awk '/interrupted; Firecracker/ { said = 1 } said && /snapshot +\.\.\./ { below = 1 } END { exit !below }' shown
	[ "$(sim_get / | jq -r .state)" = Running ]
	expect_no_files
}

@test "warnings and messages do not stand in the middle of a step's line" {
	vm
	export TERM=xterm
	pause 100 -vv --no-trim
	ended
	screen >at_end
	grep -qE '^fcpause pause: [0-9TZ.:-]+ firecracker PATCH /vm .*204' at_end
	run ! grep -qE '.+fcpause pause:|\.\.\.' at_end
}

@test "while Firecracker writes: the bytes that the memory file occupies, and the rate" {
	sim_start --boot --memory 64 --workload 48,0,0 --snapshot-ms 700
	export TERM=xterm
	pause 80 --no-trim --type full
	ended
	[ "$status" -eq 0 ] || { cat -v shown; return 1; }
	drawn | grep -qE '^snapshot +\.\.\. .*Firecracker writes, [0-9.]+ MiB of 64 MiB, [0-9.]+ [KMG]iB/s$' || { cat -v shown; return 1; }
	# How much a Diff will have is not known.
	pause 120 --no-trim --type diff --force
	ended
	run ! grep -qE 'Firecracker writes, .* of ' shown
}

@test "a line while another run is waited for, which is gone at the end" {
	vm --fault 'PUT /snapshot/create hang@1'
	export TERM=xterm
	fcp_start snapshot --api-sock "$SIM_SOCK" --snapshot-path a --mem-file-path b --snapshot-timeout-ms 60s
	sim_wait_log '^PUT /snapshot/create'
	first=$FCP_PID
	pause 100 --no-trim --wait-lock-ms 60s
	second=$FCP_PID
	until_shown 'pause +\.\.\. +0\.[3-9] s  waiting for another fcpause'
	kill -KILL "$first"
	wait "$first" 2>/dev/null || true
	FCP_PID=$second
	ended
	screen >at_end
	run ! grep -q 'waiting for another' at_end
}
