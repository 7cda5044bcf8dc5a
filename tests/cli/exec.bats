#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # the guest expands them
# fcpause exec: a command in the guest, through envd.
#  - the words are run as they are; --script is run by /bin/sh -c
#  - the guest's output byte for byte, as it comes, of any size
#  - a command that is given up is killed in the guest; the message says what became of it
#  - exit codes: 0 it exited with 0; 1 it failed or could not run; 2 usage; 4 timeout

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
	expect 2
	expect_json '.error.class == "usage"'
	fcp exec --bogus -- true --json
	expect 2
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

@test "a command that fails: exit 1, the message has its code" {
	vm
	fcp exec --script 'echo out; echo err >&2; exit 3'
	expect 1
	[ "$(<out)" = out ]
	diff err - <<-'D'
	err
	fcpause exec: failed: exit code 3
	D
}

@test "a command that a signal ends: exit 1, the message has the signal" {
	vm
	fcp exec --script 'kill -9 $$' --json
	expect 1
	expect_json '.status == "failed"' '.exit_code == null' '.left_running == false' 'has("error") | not'
	expect_err 'fcpause exec: failed: ended by a signal: killed'
}

@test "a command that is not there: exit 1" {
	vm
	fcp exec --json -- nothing-of-this-name
	expect 1
	expect_json '.exit_code == 127' '.stderr | contains("nothing-of-this-name")'
}

@test "a command that may not be executed: exit 1" {
	vm
	fcp exec --json -- /etc/passwd
	expect 1
	expect_json '.exit_code == 126' '.stderr | contains("Permission denied")'
}

@test "--best-effort: a command that fails is a warning" {
	vm
	fcp exec --best-effort -- false
	expect 0
	expect_err 'warning: failed: exit code 1'
	fcp exec --best-effort -q -- false
	expect_no_err
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
	expect 1
	cmp bytes out
	head -c 3000001 err | cmp bytes -
	tail -c +3000002 err | grep -qx 'fcpause exec: failed: exit code 9'
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
	expect 1
	expect_json '.error.class == "protocol"'
}

@test "JSON: output, exit code, time, settings" {
	vm
	fcp exec --json --user user --script 'echo out; echo err >&2; exit 4' -- word
	expect 1
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
	expect 1
	expect_json '.error.class == "server"' '.error.message | contains("invalid username: '"'nobodyhere'"'")' \
		'.left_running == false'
	fcp exec --user root:secret -- true
	expect 2
}

@test "words that cannot be sent as they are: exit 2, nothing is sent" {
	vm
	fcp exec -- echo $'\xff'
	expect 2
	expect_err 'word 2 of the command is no UTF-8'
	expect_no_requests
}

@test "usage: no command, no address" {
	fcp exec --envd http://127.0.0.1:1
	expect 2
	expect_err 'a command is needed'
	fcp exec --envd http://127.0.0.1:1 --
	expect 2
	fcp exec -- true
	expect 2
	expect_err '--envd URL is needed'
	fcp exec --envd http://127.0.0.1:1 --exec-timeout-ms 0 -- true
	expect 2
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
	expect 1
	expect_json '.error.http_status == 401' '.left_running == false'
}

@test "nobody listens where envd should be" {
	fcp exec --envd http://127.0.0.1:1 --json -- true
	expect 1
	expect_json '.error.class == "connect"' '.left_running == false'
}

# ---- given up --------------------------------------------------------------------------------

@test "timeout: exit 4, and the command is killed" {
	vm
	local seconds
	seconds=$(own)
	fcp exec --exec-timeout-ms 1500 --json -- sleep "$seconds"
	expect 4
	expect_json '.status == "timeout"' '.exit_code == null' '.left_running == false' \
		'.reason | contains("1500 ms") and contains("the command was killed")' '.ms >= 1500'
	wait_gone "sleep $seconds"
}

@test "timeout while a child of the command has its output: the command is killed, not the child" {
	vm
	local seconds
	seconds=$(own)
	fcp exec --exec-timeout-ms 300 --json --script 'sleep "$1" & wait' -- "$seconds"
	expect 4
	expect_json '.left_running == false' '.ms < 10000'
	pgrep -f "^sleep $seconds"
}

@test "timeout in a guest that stands still: told, and left" {
	vm
	sim_patch /vm '{"state":"Paused"}'
	fcp exec --exec-timeout-ms 200 --json -- true
	expect 4
	expect_json '.left_running' '.reason | contains("may have been started")'
}

@test "SIGINT, SIGTERM, SIGHUP: exit 1, and the command is killed, with the token" {
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
		expect 1
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
	expect 1
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
	expect 1
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
	expect 1
	expect_json '.error.class == "protocol"' '.left_running == false'
}

@test "the command ends while it is to be killed" {
	# envd's words when it has collected the process and not forgotten it yet.
	local done='{"code":"internal","message":"error sending signal: os: process already finished"}'
	vm --fault "POST /process.Process/SendSignal status=500,$done"
	fcp exec --exec-timeout-ms 200 --json -- sleep 1
	expect 4
	expect_json '.left_running == false' '.reason | contains("the command was killed")'
}

@test "a signal that cannot be sent: it may still run" {
	vm --fault 'POST /process.Process/SendSignal status=500'
	local seconds
	seconds=$(own)
	fcp exec --exec-timeout-ms 1500 --json -- sleep "$seconds"
	expect 4
	expect_json '.left_running' '.reason | contains("may still run in the guest")'
}

@test "a stream that breaks off" {
	local kind
	for kind in no-eos cut reset; do
		SIM_NAME=${kind/-/} vm --fault "POST /process.Process/Start $kind"
		fcp exec --json -- echo x
		expect 1
		expect_json '.status == "failed"' '.error.class == "protocol"'
	done
}

@test "stdout that is closed or full is a failure" {
	vm
	status=0
	"$FCPAUSE" exec -- echo x >&- 2>err || status=$?
	expect 1
	[ -e /dev/full ] || return 0
	status=0
	"$FCPAUSE" exec -- echo x >/dev/full 2>err || status=$?
	expect 1
	expect_err 'No space left'
}
