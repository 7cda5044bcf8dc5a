#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # the guest expands them
# fcpause exec: a command in the guest, through envd.
#  - the words are run as they are; --script is run by /bin/sh -c
#  - the guest's output byte for byte, as it comes, of any size
#  - a command that is given up is killed in the guest; the message says what became of it
#  - the exit code is the command's, 128 + N when signal N ended it; 125: fcpause's own failures
#  - with -i the standard input is the command's, byte for byte, as far as it reads

load helpers

# A token file is refused when others can read it.
umask 077

vm() { sim_start --boot --memory 16 --guest-share "$T" "$@"; export FCPAUSE_ENVD=$SIM_ENVD; }

# The messages of the request log, without their headers.
messages() { sed 's/.* \({"process":.*\)/\1/' "$SIM_LOG"; }

# Until no process has these words in its command line: the guest's are processes of this machine, in a namespace.
wait_gone() {
	local end=$((SECONDS + 20))
	while pgrep -f "$1" >/dev/null; do
		[ "$SECONDS" -lt "$end" ] || _show "it is still there: $1" || return 1
		read -r -t 0.05 <> <(:) || true
	done
}

# A number of seconds for sleep(1) by which a test knows its own.
own() { echo "$((30000 + BATS_TEST_NUMBER)).$$"; }

@test "a command's output and its success" {
	vm
	fcp exec -- echo hello
	expect 0
	expect_no_err
	[ "$(<out)" = hello ]
}

@test "one request, as root, with the timeout for envd" {
	vm
	fcp exec --exec-timeout-ms 12345 -- true
	expect_log <<-'L'
	envd POST /process.Process/Start Connect-Timeout-Ms=12345 Authorization=Basic cm9vdDo= Connect-Protocol-Version=1 SCRIPT
	L
}

@test "the words are sent as they are" {
	vm
	fcp exec -- printf '[%s]' 'a  b' '$HOME' '"' "it's" '' '*' '--json' 'ä€'
	expect 0
	[ "$(<out)" = "[a  b][\$HOME][\"][it's][][*][--json][ä€]" ]
	messages | jq -e '.process.cmd == "printf" and .stdin == false and
		.process.args == ["[%s]", "a  b", "$HOME", "\"", "it'"'"'s", "", "*", "--json", "ä€"]'
}

@test "options end at the first word that is none, or at --" {
	vm
	fcp exec echo --json -n --bogus
	expect 0
	[ "$(<out)" = '--json -n --bogus' ]
	fcp exec --json -- echo -- x
	expect 0
	expect_json '.stdout == "-- x\n"'
	fcp exec --json --bogus -- true
	expect 125
	expect_json '.error.class == "usage"'
	fcp exec --bogus -- true --json
	expect 125
	expect_no_out
}

@test "--script: /bin/sh -c, and what follows are its arguments" {
	vm
	fcp exec --script 'echo "$2,$1"; exit 0' -- 'a b' -n
	expect 0
	[ "$(<out)" = '-n,a b' ]
	messages | jq -e '.process == {cmd: "/bin/sh", args: ["-c", "echo \"$2,$1\"; exit 0", "sh", "a b", "-n"]}'
	fcp exec --script 'echo alone'
	[ "$(<out)" = alone ]
}

@test "the command's exit code is the exit code, and nothing is added to what it wrote" {
	local code
	vm
	for code in 1 2 3 4 5 6 42 124 125 126 127 128 255; do
		fcp exec --script 'echo out; echo err >&2; exit "$1"' -- "$code"
		expect "$code"
		[ "$(<out)" = out ] && [ "$(<err)" = err ]
		fcp exec --json --script 'exit "$1"' -- "$code"
		expect "$code"
		expect_no_err
		expect_json '.status == "failed"' ".exit_code == $code" '.signal == null' \
			".reason == \"exit code $code\"" 'has("error") | not'
	done
}

@test "a command that a signal ends: 128 and its number, and the message names it" {
	local signal
	vm
	for signal in 1 9 11 15 31 40 64; do
		fcp exec --script 'ulimit -c 0; kill -"$1" $$' --json -- "$signal"
		expect $((128 + signal))
		expect_json '.status == "failed"' '.exit_code == null' ".signal == $signal" '.left_running == false' \
			'has("error") | not'
	done
	fcp exec --script 'kill -9 $$'
	expect 137
	expect_err 'fcpause exec: failed: ended by a signal: killed'
}

@test "a command that is not there: exit 127" {
	vm
	fcp exec --json -- nothing-of-this-name
	expect 127
	expect_json '.exit_code == 127' '.stderr | contains("nothing-of-this-name")'
}

@test "a command that may not be executed: exit 126" {
	vm
	fcp exec --json -- /etc/passwd
	expect 126
	expect_json '.exit_code == 126' '.stderr | contains("Permission denied")'
}

@test "--best-effort: a command that fails is a warning" {
	vm
	fcp exec --best-effort -- false
	expect 0
	expect_err 'warning: failed: exit code 1'
	fcp exec --best-effort -q -- false
	expect 0
	expect_no_err
	# Of codes too that are usage and a VM left behind where they are fcpause's own.
	fcp exec --best-effort --script 'exit 2'
	expect 0
	fcp exec --best-effort --script 'exit 5'
	expect 0
	fcp exec --best-effort --script 'kill -9 $$'
	expect 0
}

@test "any bytes, more than a MiB, to stdout and to stderr" {
	vm
	head -c 3000001 /dev/urandom >"$T/bytes"
	fcp exec -- cat "$T/bytes"
	expect 0
	cmp bytes out
	fcp exec --script 'cat "$1" >&2' -- "$T/bytes"
	expect 0
	expect_no_out
	cmp bytes err
	# With a failure behind it, and both at once.
	fcp exec --script 'cat "$1"; cat "$1" >&2; exit 9' -- "$T/bytes"
	expect 9
	cmp bytes out
	cmp bytes err
}

@test "output comes as it is written, not at the end" {
	vm
	mkfifo go
	: >out
	fcp_start exec --script 'echo first; read -r line <"$1"; echo "$line"' -- "$T/go"
	_sim_wait_file "$T/out" '^first$'
	echo second >go
	fcp_end
	expect 0
	[ "$(<out)" = $'first\nsecond' ]
}

@test "a message that is longer than allowed" {
	vm --fault 'POST /process.Process/Start huge=3000000'
	fcp exec --json -- true
	expect 125
	expect_json '.error.class == "protocol"'
}

@test "JSON: output, exit code, time, settings" {
	vm
	fcp exec --json --user user --script 'echo out; echo err >&2; exit 4' -- word
	expect 4
	expect_json '.command == "exec"' '.status == "failed"' '.reason == "exit code 4"' '.exit_code == 4' \
		'.stdout == "out\n"' '.stderr == "err\n"' '.truncated == false' '.left_running == false' \
		'.ms > 0' '.settings.user == {value: "user", origin: "cli"}' \
		'.settings.operands == {value: ["word"], origin: "cli"}'
	fcp exec --json -- true
	expect 0
	expect_json '.status == "ok"' '.exit_code == 0' '.stdout == ""'
}

@test "JSON: the first 64 KiB of each, as UTF-8" {
	vm
	fcp exec --json --script 'yes | tr -d "\n" | head -c 65536; echo x >&2'
	expect_json '.stdout | length == 65536' '.truncated == false'
	fcp exec --json --script 'yes | tr -d "\n" | head -c 65537 >&2'
	expect_json '.stderr | length == 65536' '.stdout == ""' '.truncated'
	# A character that the end cuts in two, a NUL, bytes that are none.
	fcp exec --json --script 'printf "ä\000\377€"; yes | tr -d "\n" | head -c 65528; printf "ä"'
	expect_json '.stdout | startswith("ä??€yy") and endswith("y?") and utf8bytelength == 65536' '.truncated'
}

@test "--user" {
	vm
	fcp exec --user user --script 'echo "$USER"'
	[ "$(<out)" = user ]
	FCPAUSE_USER=user fcp exec --script 'echo "$USER"'
	[ "$(<out)" = user ]
	fcp exec --user nobodyhere --json -- true
	expect 125
	expect_json '.error.class == "server"' '.error.message | contains("invalid username: '"'nobodyhere'"'")' \
		'.left_running == false'
	fcp exec --user root:secret -- true
	expect 125
}

@test "words that cannot be sent as they are: exit 125, nothing is sent" {
	vm
	fcp exec -- echo $'\xff'
	expect 125
	expect_err 'word 2 of the command is not UTF-8'
	expect_no_requests
}

@test "usage: no command, no address" {
	fcp exec --envd http://127.0.0.1:1
	expect 125
	expect_err 'a command is needed'
	fcp exec --envd http://127.0.0.1:1 --
	expect 125
	fcp exec -- true
	expect 125
	expect_err '--envd URL is needed'
	fcp exec --envd http://127.0.0.1:1 --exec-timeout-ms 0 -- true
	expect 125
}

@test "a dry run asks nobody, and shows the words" {
	vm
	fcp exec -n -- ls -l
	expect 0
	expect_out '1. exec             yes'
	expect_out 'ls -l (cli)'
	fcp exec -n --json -- ls -l
	expect_json '.dry_run' '.settings.operands.value == ["ls", "-l"]'
	expect_no_requests
}

@test "the token comes from a file" {
	vm --token secret
	echo secret >token
	fcp exec --envd-token-file token -- echo in
	expect 0
	[ "$(<out)" = in ]
	fcp exec --json -- echo in
	expect 125
	expect_json '.error.http_status == 401' '.left_running == false'
}

@test "nobody listens where envd should be" {
	fcp exec --envd http://127.0.0.1:1 --json -- true
	expect 125
	expect_json '.error.class == "connect"' '.left_running == false'
}

# ---- given up --------------------------------------------------------------------------------

@test "timeout: exit 125, and the command is killed" {
	vm
	local seconds
	seconds=$(own)
	fcp exec --exec-timeout-ms 1500 --json -- sleep "$seconds"
	expect 125
	expect_json '.status == "timeout"' '.exit_code == null' '.left_running == false' \
		'.reason | contains("1500 ms") and contains("the command was killed")' '.ms >= 1500'
	wait_gone "sleep $seconds"
}

@test "timeout while a child of the command has its output: the command is killed, not the child" {
	vm
	local seconds
	seconds=$(own)
	fcp exec --exec-timeout-ms 300 --json --script 'sleep "$1" & wait' -- "$seconds"
	expect 125
	expect_json '.left_running == false' '.ms < 10000'
	pgrep -f "^sleep $seconds"
}

@test "timeout in a guest that stands still: told, and left" {
	vm
	sim_patch /vm '{"state":"Paused"}'
	fcp exec --exec-timeout-ms 200 --json -- true
	expect 125
	expect_json '.left_running' '.reason | contains("may have been started")'
}

@test "SIGINT, SIGTERM, SIGHUP: exit 125, and the command is killed, with the token" {
	local signal seconds
	vm --token secret
	echo secret >token
	for signal in INT TERM HUP; do
		seconds=$(own)1
		: >out
		fcp_start exec --envd-token-file token --script 'echo $$; exec sleep "$1"' -- "$seconds"
		_sim_wait_file "$T/out" '^[0-9]+$' # envd has told of it then
		fcp_signal "$signal"
		fcp_end
		expect 125
		expect_err 'interrupted; the command was killed'
		wait_gone "^sleep $seconds"
	done
	messages | tail -n 1 >last
	jq -e --argjson pid "$(<out)" '. == {process: {pid: $pid}, signal: "SIGNAL_SIGKILL"}' last
	grep -q 'X-Access-Token=secret.*SIGNAL_SIGKILL' "$SIM_LOG"
}

@test "a signal: JSON" {
	vm --fault 'POST /process.Process/Start hang-after-start'
	fcp_start exec --json -- sleep 60
	sim_wait_log '"cmd":"sleep"'
	fcp_signal TERM
	fcp_end
	expect 125
	expect_json '.error.class == "interrupted"' '.exit_code == null' '.left_running | type == "boolean"'
}

@test "a signal while nobody reads the output" {
	vm
	mkfifo pipe
	: >out
	{ head -c 2 >out; exec sleep 60; } <pipe 3>&- &
	local reader=$!
	env --default-signal=INT timeout -k 20 20 "$FCPAUSE" exec -- yes >pipe 2>err 3>&- &
	FCP_PID=$!
	_sim_wait_file "$T/out" '^y$'
	fcp_signal INT
	fcp_end
	expect 125
	expect_err 'the command was killed'
	kill "$reader"
}

@test "a reader that goes away ends it" {
	vm
	run --separate-stderr bash -c '"$1" exec -- yes | head -n 1' sh "$FCPAUSE"
	[ "$output" = y ]
	[[ $stderr == *'stdout: Broken pipe; the command was killed'* ]]
	wait_gone '^yes$'
}

@test "the command has ended when it is to be killed" {
	# A stream without its end: not_found is the answer to the signal, and that is fine.
	vm --fault 'POST /process.Process/Start no-end'
	fcp exec --json -- true
	expect 125
	expect_json '.error.class == "protocol"' '.left_running == false'
}

@test "the command ends while it is to be killed" {
	# envd's words when it has collected the process and not forgotten it yet.
	local done='{"code":"internal","message":"error sending signal: os: process already finished"}'
	vm --fault "POST /process.Process/SendSignal status=500,$done"
	fcp exec --exec-timeout-ms 200 --json -- sleep 1
	expect 125
	expect_json '.left_running == false' '.reason | contains("the command was killed")'
}

@test "a signal that cannot be sent: it may still run" {
	vm --fault 'POST /process.Process/SendSignal status=500'
	local seconds
	seconds=$(own)
	fcp exec --exec-timeout-ms 1500 --json -- sleep "$seconds"
	expect 125
	expect_json '.left_running' '.reason | contains("may still run in the guest")'
}

@test "a stream that breaks off" {
	local kind
	for kind in no-eos cut reset; do
		SIM_NAME=${kind/-/} vm --fault "POST /process.Process/Start $kind"
		fcp exec --json -- echo x
		expect 125
		expect_json '.status == "failed"' '.error.class == "protocol"'
	done
}

@test "stdout that is closed or full is a failure" {
	vm
	status=0
	"$FCPAUSE" exec -- echo x >&- 2>err || status=$?
	expect 125
	[ -e /dev/full ] || return 0
	status=0
	"$FCPAUSE" exec -- echo x >/dev/full 2>err || status=$?
	expect 125
	expect_err 'No space left'
}

# ---- standard input --------------------------------------------------------------------------

# Behind it "$@" and in: what fcp does, with the standard input of the test.
fcp_in() {
	status=0
	timeout -k 20 60 "$FCPAUSE" exec "$@" >out 2>err || status=$?
}

@test "stdin: without -i the command has none" {
	vm
	fcp_in -- cat < <(echo hello)
	expect 0
	expect_no_out
	messages | jq -e '.stdin == false'
	run ! grep -q SendInput "$SIM_LOG"
}

@test "stdin: -i, --stdin and FCPAUSE_STDIN pass it, to its end" {
	vm
	fcp_in -i -- cat < <(echo hello)
	expect 0
	[ "$(<out)" = hello ]
	expect_no_err
	fcp_in --stdin --script 'cat; echo "[$?]"' < <(printf 'no newline')
	[ "$(<out)" = 'no newline[0]' ]
	FCPAUSE_STDIN=1 fcp_in -- cat < <(echo again)
	[ "$(<out)" = again ]
	fcp_in -i -- cat </dev/null
	expect 0
	expect_no_out
}

@test "stdin: what is sent" {
	vm
	fcp_in -i -- cat < <(printf 'one\n')
	expect 0
	local pid
	pid=$(sed -n 's/.*SendInput.*"pid":\([0-9]*\).*/\1/p' "$SIM_LOG")
	_log | sed "s/:$pid}/:PID}/" | diff - <(cat <<-'L'
	envd POST /process.Process/Start Connect-Timeout-Ms=60000 Authorization=Basic cm9vdDo= Connect-Protocol-Version=1 SCRIPT
	envd POST /process.Process/SendInput Connect-Protocol-Version=1 SCRIPT
	envd POST /process.Process/CloseStdin Connect-Protocol-Version=1 SCRIPT
	L
	)
	messages | jq -se --argjson pid "$pid" '.[0].stdin and
		.[1] == {process: {pid: $pid}, input: {stdin: "b25lCg=="}} and .[2] == {process: {pid: $pid}}'
}

@test "stdin: any bytes, of a file and of a pipe, into a command that writes them back" {
	vm
	head -c 3000001 /dev/urandom >bytes
	fcp_in -i -- cat <bytes
	expect 0
	cmp bytes out
	fcp_in -i -- cat < <(cat bytes)
	expect 0
	cmp bytes out
}

@test "stdin: comes as it is written, not at its end" {
	vm
	mkfifo in
	: >out
	env --default-signal=INT timeout -k 20 60 "$FCPAUSE" exec -i --script 'while read -r line; do echo "<$line>"; done' \
		<in >out 2>err 3>&- &
	FCP_PID=$!
	exec {in}>in
	echo one >&"$in"
	_sim_wait_file "$T/out" '^<one>$'
	echo two >&"$in"
	_sim_wait_file "$T/out" '^<two>$'
	exec {in}>&-
	fcp_end
	expect 0
}

@test "stdin: a command that reads no further ends it, and its exit code counts" {
	vm
	yes | head -c 5000000 >lines
	fcp_in -i -- head -n 1 <lines
	expect 0
	[ "$(<out)" = y ]
	fcp_in -i --script 'exec <&-; echo closed; exit 7' <lines
	expect 7
	[ "$(<out)" = closed ]
	# It ends while its input goes on: nothing waits for that.
	mkfifo in
	exec {in}<>in
	fcp_in -i --script 'exit 8' <&"$in"
	expect 8
	expect_no_err
	exec {in}>&-
}

@test "stdin: a command that does not read is given up at the deadline" {
	vm
	local seconds
	seconds=$(own)
	head -c 5000000 /dev/zero >bytes
	fcp_in -i --exec-timeout-ms 1500 --json -- sleep "$seconds" <bytes
	expect 125
	expect_json '.status == "timeout"' '.left_running == false'
	wait_gone "^sleep $seconds"
}

@test "stdin: a signal ends it while it waits for input" {
	vm
	mkfifo in
	: >out
	env --default-signal=INT timeout -k 20 60 "$FCPAUSE" exec -i --script 'echo ready; exec cat' <in >out 2>err 3>&- &
	FCP_PID=$!
	exec {in}>in
	_sim_wait_file "$T/out" '^ready$'
	fcp_signal INT
	fcp_end
	expect 125
	expect_err 'interrupted; the command was killed'
	exec {in}>&-
}

@test "stdin: with a token" {
	vm --token secret
	echo secret >token
	fcp_in -i --envd-token-file token -- cat < <(echo hello)
	expect 0
	[ "$(<out)" = hello ]
	[ "$(grep -c 'X-Access-Token=secret' "$SIM_LOG")" -eq 3 ]
}

@test "stdin: that cannot be read kills the command" {
	vm
	fcp_in -i --json -- cat <"$T"
	expect 125
	expect_json '.error.class == "io"' '.reason | contains("Is a directory; the command was killed")' \
		'.left_running == false'
	fcp_in -i -- cat <&-
	expect 125
	expect_err "the command's input: Bad file descriptor"
}

@test "stdin: envd fails on the way" {
	vm --fault 'POST /process.Process/SendInput status=503'
	fcp_in -i --json -- cat < <(echo hello)
	expect 125
	expect_json '.error.class == "server"' '.error.http_status == 503' '.left_running == false' \
		'.reason | contains("SendInput: HTTP status 503") and contains("the command was killed")'
}

@test "stdin: an envd that cannot close it" {
	vm --fault 'POST /process.Process/CloseStdin status=404'
	fcp_in -i --json -- cat < <(echo hello)
	expect 125
	expect_json '.status == "unsupported"' '.left_running == false' '.reason | contains("it has no CloseStdin")' \
		'.stdout | . == "hello\n" or . == ""' # what came before it was killed
}
