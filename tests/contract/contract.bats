# SPDX-License-Identifier: Apache-2.0
# The simulator answers as the real servers were recorded to answer.

setup() {
	load ../lib/sim
	load ../lib/envd
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	REPLAY=${FCPAUSE_REPLAY:-$ROOT/build/replay}
	RECORDED=${FCPAUSE_RECORDED:-$ROOT/tests/data/recorded}
	DIR=$BATS_TEST_TMPDIR/snapshot
	mkdir -p "$DIR/small"
}

teardown() {
	sim_stop
	envd_stop
}

# Starts the booted VM's simulator (a) and the resumed one's (b).
start_both() {
	SIM_NAME=b sim_start
	sim_start --driver-delay-ms -1 --workload 80,20,40 --space-limit "$DIR/small=8388608"
}

play() {
	"$REPLAY" play --recorded "$1" --dir "$DIR" --api "$SIM_SOCK_a" --envd "$SIM_ENVD_a" \
		--resumed-api "$SIM_SOCK_b" --resumed-envd "$SIM_ENVD_b"
}

@test "every recorded exchange is answered as recorded" {
	start_both
	run play "$RECORDED"
	echo "$output"
	[ "$status" -eq 0 ]
	lines=$(cat "$RECORDED"/firecracker-1.16.1.jsonl "$RECORDED"/envd.jsonl | wc -l)
	[ "$(grep -c '^ok ' <<<"$output")" -eq "$lines" ]
	# Bytes that the snapshots left: a full-length partial file too.
	[ "$(stat -c %s "$DIR/full.mem")" -eq $((512 << 20)) ]
	[ "$(stat -c %s "$DIR/small/f.mem")" -eq $((512 << 20)) ]
	[ "$(sim_use b; sim_state checksum_ok)" = true ]
	sim_stop
	"$REPLAY" metrics "$RECORDED/firecracker-1.16.1-metrics.jsonl" "$DIR/metrics"
}

# play_hotplug PHASE: sends the recorded requests of that phase, and compares the answers.
play_hotplug() {
	local line method path body answer
	while read -r line; do
		method=$(jq -r .method <<<"$line") path=$(jq -r .path <<<"$line")
		body=$(jq -r '.request_body // empty' <<<"$line")
		answer=$(curl -s --unix-socket "$SIM_SOCK" -X "$method" ${body:+-d "$body"} -w '%{http_code}' \
			"http://localhost$path")
		[ "$answer" = "$(jq -r '.response_body + (.status | tostring)' <<<"$line")" ] ||
			{ echo "$line: $answer"; return 1; }
	done < <(jq -c --arg phase "$1" 'select(.phase == $phase and (.path | test("^/(hotplug|machine)")))' \
		"$RECORDED/firecracker-1.16.1-hotplug-and-hold.jsonl")
}

@test "D7: the hotplug device's answers are the recorded ones, and the memory file is as long" {
	sim_start --driver-delay-ms -1 --memory 512
	play_hotplug "before boot"
	sim_put /actions '{"action_type":"InstanceStart"}'
	play_hotplug running
	sim_patch /vm '{"state":"Paused"}'
	sim_put /snapshot/create "{\"snapshot_path\":\"$DIR/h.snap\",\"mem_file_path\":\"$DIR/h.mem\"}"
	[ "$(stat -c %s "$DIR/h.mem")" -eq $((768 << 20)) ]
}

@test "a recorded byte that differs is found" {
	mkdir "$BATS_TEST_TMPDIR/changed"
	cp "$RECORDED"/*.jsonl "$BATS_TEST_TMPDIR/changed"
	sed -i '9s/at line 1 column 50/at line 1 column 51/' \
		"$BATS_TEST_TMPDIR/changed/firecracker-1.16.1.jsonl"
	start_both
	run play "$BATS_TEST_TMPDIR/changed"
	echo "$output"
	[ "$status" -eq 1 ]
	[ "$(grep -c '^ok ' <<<"$output")" -eq 8 ]
	[[ $output == *"not ok 9 - before boot: PUT /balloon"* ]]
}

play_exec() {
	"$REPLAY" exec --recorded "$1" --envd "$2"
}

# All lines of envd-exec.jsonl were played, and none differs.
expect_all() {
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -c '^ok ' <<<"$output")" -eq "$(wc -l <"$RECORDED/envd-exec.jsonl")" ]
}

@test "commands and signals are answered as recorded" {
	sim_start --boot
	run play_exec "$RECORDED" "$SIM_ENVD"
	expect_all
}

@test "the recording of commands and signals is what a real envd does" {
	envd_needs
	envd_start
	run play_exec "$RECORDED" "$ENVD_URL"
	expect_all
}

# play_quiesce URL: sends what was recorded, and compares the status, the headers that say what the answer is,
# and the body: of figures only which there are, as they depend on the guest.
play_quiesce() {
	local line shape answer
	# shellcheck disable=SC2016
	shape='def shape: if startswith("{") then fromjson | map_values(type) else . end; '
	while read -r line; do
		answer=$(curl -s -X "$(jq -r .method <<<"$line")" -w '\n%{http_code} %{content_type}' "$1$(jq -r .path <<<"$line")")
		jq -en --argjson recorded "$line" --arg answer "$answer" "$shape"'
			($answer | rindex("\n")) as $at | ($answer[$at + 1:] | split(" ")) as $head |
			($recorded.response_headers | map(select(startswith("Content-Type: "))[14:])[0] // "") as $type |
			($head[0] | tonumber) == $recorded.status and ($head[1:] | join(" ")) == $type and
			($answer[:$at] | shape) == ($recorded.response_body | shape)' >/dev/null ||
			{ echo "recorded: $line"; echo "answered: $answer"; return 1; }
	done < <(jq -c "select(.note | test(\"${2:-.}\"))" "$RECORDED/envd-quiesce.jsonl")
}

@test "freezing and thawing is answered as recorded" {
	sim_start --boot
	play_quiesce "$SIM_ENVD"
	[ "$(sim_state frozen) $(sim_state fs_frozen)" = 'false false' ]
}

# Not the file system: it may be this machine's.
@test "the recording of freezing and thawing is what a real envd does" {
	envd_needs
	envd_start
	play_quiesce "$ENVD_URL" '^(un)?freeze( |$|,)(?!.*file system)|collapse|number|older'
}

@test "a recorded command or signal that differs is found" {
	mkdir "$BATS_TEST_TMPDIR/changed"
	# The end of a stream, the answer to a call, and that to a call that came into a stream.
	grep -e '"exit code 42"' -e '"SIGKILL: no such process"' -e '"SIGTERM while it runs"' \
		"$RECORDED/envd-exec.jsonl" |
		sed '1s/exit status 42/exit status 43/; 2s/with pid 4194305/with pid 4194306/; 3s/"{}"/"{ }"/' \
			>"$BATS_TEST_TMPDIR/changed/envd-exec.jsonl"
	sim_start --boot
	run play_exec "$BATS_TEST_TMPDIR/changed" "$SIM_ENVD"
	echo "$output"
	[ "$status" -eq 1 ]
	[ "$(grep -c '^not ok ' <<<"$output")" -eq 3 ]
}

@test "creations are answered as recorded: into a FIFO (the hold), /dev/null, paths that cannot be opened" {
	local line request answer expected count=0
	cd "$DIR"
	sim_start --boot
	sim_patch /vm '{"state":"Paused"}'
	mkfifo fifo
	while read -r line; do
		request=$(jq -r .request_body <<<"$line")
		# Whoever comes second to the FIFO lets the first go on.
		case $request in *'"h.snap","mem_file_path":"fifo"'*) : <fifo 3>&- 4>&- & ;; esac
		answer=$(curl -sS --max-time 20 --unix-socket "$SIM_SOCK" -X PUT -w '\n%{http_code}' \
			-H 'Content-Type: application/json' --data-binary "$request" http://localhost/snapshot/create)
		expected=$(jq -r '.response_body + "\n" + (.status | tostring)' <<<"$line")
		[ "$answer" = "$expected" ] || { diff <(echo "$expected") <(echo "$answer"); false; }
		count=$((count + 1))
	done < <(jq -c 'select(.path == "/snapshot/create")' "$RECORDED/firecracker-1.16.1-hotplug-and-hold.jsonl")
	[ "$count" -eq 6 ]
	[ ! -e missing ]
	sim_patch /vm '{"state":"Resumed"}'
}
