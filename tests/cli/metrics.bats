#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --metrics-textfile: node_exporter's rules for its textfile collector (a family's samples together
# behind its HELP and TYPE, no timestamps, labels escaped, the file replaced at once), and what a run
# that failed leaves there. Where promtool is, it has its say too.

load helpers

# Writes "NAME{LABELS} VALUE" lines to $T/samples; fails where the file breaks the format.
check() {
	local file=${1:-m.prom}
	[ "$(tail -c 1 "$file" | od -An -c | tr -d ' ')" = '\n' ]
	LC_ALL=C awk '
		function bad(why) { print FILENAME ":" FNR ": " why ": " $0; failed = 1 }
		/^# HELP / { if ($3 in seen) bad("a family that was there"); seen[$3] = 1; family = $3; help = 1; next }
		/^# TYPE / { if ($3 != family || !help) bad("TYPE without HELP"); if ($4 != "gauge") bad("type"); next }
		/^#/ || /^$/ { bad("no line of the format"); next }
		{
			name = $0; sub(/[{ ].*/, "", name)
			if (name != family) bad("a sample outside its family")
			if ($0 !~ /^[a-z_]+(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\.)*",?)+\})? -?[0-9][0-9.e+-]*$/) bad("sample")
			series = $0; sub(/ [^ ]*$/, "", series)
			if (series in all) bad("twice"); all[series] = 1
			print > "'"$T/samples"'"
		}
		END { exit failed }' "$file"
	! command -v promtool >/dev/null || promtool check metrics <"$file"
}

# value NAME [LABEL…]: of the one sample with these labels.
value() {
	local name=$1 found label
	shift
	found=$(grep -E "^$name[{ ]" samples)
	for label; do found=$(grep -F "$label" <<<"$found"); done
	[ "$(wc -l <<<"$found")" -eq 1 ] || { echo "not one: $found" >&2; return 1; }
	echo "${found##* }"
}

@test "pause: its figures are those of its JSON" {
	unset FCPAUSE_WRITER
	vm
	fcp pause --api-sock "$SIM_SOCK" --envd "$SIM_ENVD" --reclaim --drain --snapshot-path snap \
		--mem-file-path mem --metrics-textfile m.prom --json
	expect 0
	check
	[ "$(value fcpause_last_run_success 'command="pause"')" = 1 ]
	[ "$(value fcpause_last_run_exit_code)" = 0 ]
	[ "$(value fcpause_mem_file_bytes 'kind="logical"')" = $((16 << 20)) ]
	[ "$(value fcpause_mem_file_bytes 'kind="allocated"')" = "$(jq '.steps[3].mem_file.allocated_bytes' out)" ]
	[ "$(value fcpause_guest_memory_bytes 'class="written"')" = "$(jq '.steps[2].memory.written_bytes' out)" ]
	local step
	for step in reclaim balloon-drain snapshot madvise-ranges; do
		jq -e --arg step $step --argjson seconds "$(value fcpause_step_duration_seconds "step=\"$step\"")" \
			'.steps[] | select(.step == $step) | (.ms / 1000 - $seconds) | fabs < 0.0001' out
		grep -qF "step=\"$step\",status=\"$(jq -r --arg step $step '.steps[] | select(.step == $step).status' out)\"" samples
	done
	jq -e --argjson seconds "$(value fcpause_guest_stopped_seconds)" '(.paused_ms / 1000 - $seconds) | fabs < 0.0001' out
	[ "$(grep -c '^fcpause_reclaim_duration_seconds' samples)" -eq 4 ]
	# Now, give or take the run itself.
	[ $(($(date +%s) - $(value fcpause_last_run_timestamp_seconds))) -le 5 ]
}

@test "reclaim, balloon-drain and snapshot have their own" {
	vm
	fcp reclaim --envd "$SIM_ENVD" --metrics-textfile m.prom
	expect 0
	check
	value fcpause_step_duration_seconds 'command="reclaim"' 'step="reclaim"' 'status="ok"'
	fcp balloon-drain --api-sock "$SIM_SOCK" --metrics-textfile m.prom --json
	expect 0
	check
	[ "$(value fcpause_drain_freed_bytes 'command="balloon-drain"')" = "$(jq .freed_bytes out)" ]
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --metrics-textfile m.prom
	expect 0
	check
	value fcpause_guest_stopped_seconds 'command="snapshot"'
	# Firecracker wrote it: nobody looked at its pages.
	run ! grep -q fcpause_guest_memory_bytes m.prom
}

@test "a run that fails says so: before it began, and in it" {
	fcp pause --api-sock none --snapshot-path snap --mem-file-path mem --metrics-textfile m.prom
	expect 1
	check
	[ "$(value fcpause_last_run_success)" = 0 ]
	[ "$(value fcpause_last_run_exit_code)" = 1 ]
	fcp pause --metrics-textfile m.prom --api-sock
	expect 2
	check
	[ "$(value fcpause_last_run_exit_code)" = 2 ]
}

@test "labels: escaped, replaced, left out; of the environment several" {
	vm
	fcp balloon-drain --api-sock "$SIM_SOCK" --metrics-textfile m.prom --metrics-label 'a=x"y\z{},=' \
		--metrics-label $'b=\e[31m\nred' --metrics-label vm= --metrics-label command=mine
	expect 0
	check
	grep -qF 'command="mine",a="x\"y\\z{},=",b="\\x1b[31m\\nred"' samples
	run ! grep -q vm= samples
	FCPAUSE_METRICS_LABEL=vm=seven,zone=z1 fcp balloon-drain --api-sock "$SIM_SOCK" --metrics-textfile m.prom
	expect 0
	check
	grep -qF '{command="balloon-drain",vm="seven",zone="z1"}' samples
}

@test "labels that are none are exit 2" {
	local label
	for label in a '=b' '1a=b' 'a-b=c' 'é=x' '__name__=x' ''; do
		fcp balloon-drain --api-sock none --metrics-label "$label"
		expect 2
		expect_err --metrics-label
	done
}

@test "the file is replaced whole: a reader that has it open sees the old one" {
	vm
	echo old >m.prom
	chmod 640 m.prom
	exec 9<m.prom
	fcp balloon-drain --api-sock "$SIM_SOCK" --metrics-textfile m.prom
	expect 0
	[ "$(cat <&9)" = old ]
	exec 9<&-
	check
	[ "$(stat -c %a m.prom)" = 640 ]
	# Nothing else lies about that the collector could read.
	[ "$(ls -- *prom* | wc -l)" -eq 1 ]
}

@test "a file that cannot be written is a warning: the pause is good" {
	vm
	fcp pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --metrics-textfile none/m.prom --json
	expect 0
	expect_err 'warning: no metrics: none/m.prom'
	[ -s snap ]
}

@test "a dry run writes nothing" {
	fcp pause --api-sock s --snapshot-path snap --mem-file-path mem --metrics-textfile m.prom -n
	expect 0
	[ ! -e m.prom ]
}
