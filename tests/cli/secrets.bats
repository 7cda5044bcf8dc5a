#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Passwords and tokens are shown nowhere, and token files that others can
# read are refused.

load helpers
load ../lib/services
eval "helpers_$(declare -f teardown)"

teardown() {
	services_stop
	helpers_teardown
}

# hides WORD: it is neither on stdout nor on stderr.
hides() { run ! grep -q -- "$1" "$T/out" "$T/err"; }

@test "R12: a URL with a user or a password is refused before anything is done, and not shown" {
	vm
	local url option
	for url in http://bob:s3cret@127.0.0.1:49983 http://s3cret@127.0.0.1 bob:s3cret@127.0.0.1:49983 \
		http://bob:s3/cr3t@127.0.0.1 'http://127.0.0.1:1/?x=s3cret@y' https://bob:s3cret@h http:bob:s3cret@h; do
		for option in '' --json -v -n '--json -n'; do
			fcp pause --api-sock "$SIM_SOCK" --reclaim --envd "$url" --snapshot-path snap --mem-file-path mem $option
			expect 2
			expect_err 'contains a user or a password'
			hides s3c
			hides cr3t
		done
		FCPAUSE_ENVD=$url fcp exec --json -- true
		expect 125
		expect_json '.error.class == "usage"' '.error.message | startswith("FCPAUSE_ENVD: ")'
		hides s3c
	done
	expect_no_requests
	expect_no_files
}

@test "R12: a password in what is given elsewhere is masked in messages, settings and the plan" {
	fcp madvise-ranges --mem-file-path http://bob:s3cret@host/x --json
	expect 1
	hides s3cret
	expect_json '.settings.mem_file_path.value == "http://***@host/x"'
	fcp exec --envd http://127.0.0.1:1 -n --script 'curl http://bob:s3cret@host' -- ftp://u:s3cret@h
	expect 0
	hides s3cret
	expect_out 'curl http://***@host'
	fcp exec --envd http://127.0.0.1:1 -n --json -- curl ftp://u:s3cret@h
	expect_json '.settings.operands.value == ["curl", "ftp://***@h"]'
	fcp pause http://bob:s3cret@host
	expect 2
	hides s3cret
	fcp http://bob:s3cret@host
	hides s3cret
}

@test "R12: a URL that cannot be used is a wrong option, before anything is done" {
	vm
	local url
	for url in https://127.0.0.1:1 ftp://x http:// http:///path http://127.0.0.1:99999 http://127.0.0.1:0 \
		http://127.0.0.1: http://127.0.0.1:x 'http://[::1' 'http://a b' 'http://h/?q' 'http://h/#f' unix:///x /a/path; do
		fcp pause --api-sock "$SIM_SOCK" --reclaim --envd "$url" --snapshot-path snap --mem-file-path mem --json
		expect 2
		expect_json '.error.class == "usage"' '.error.message | startswith("--envd: ")'
	done
	for url in https://127.0.0.1:1 http://127.0.0.1:99999; do
		fcp exec --envd "$url" -- true
		expect_err 49983
	done
	expect_no_requests
	expect_no_files
}

@test "R12: nobody listens at a URL without a port: envd's is named" {
	fcp exec --envd http://127.0.0.9 -- true
	[ "$status" -eq 125 ]
	expect_err 'envd: cannot connect to http://127.0.0.9: '
	expect_err "envd's is 49983"
}

@test "R12: a token file that others can read or write, or that is another user's, is refused" {
	vm --token s3cr3t
	echo s3cr3t >token
	local mode
	for mode in 644 640 604 620 602 610; do
		chmod $mode token
		fcp exec --envd "$SIM_ENVD" --envd-token-file token --json -- true
		expect 125
		expect_json '.error.class == "input"' '.error.message | contains("chmod 600")'
		hides s3cr3t
		fcp reclaim --envd "$SIM_ENVD" --envd-token-file token --json
		expect 1
		expect_json '.error.class == "input"'
	done
	expect_no_requests
	for mode in 600 400; do
		chmod $mode token
		fcp exec --envd "$SIM_ENVD" --envd-token-file token -- true
		expect 0
	done
	[ "$(id -u)" -eq 0 ] || skip 'only root can give a file away'
	chown 65534 token
	fcp exec --envd "$SIM_ENVD" --envd-token-file token -- true
	expect 125
	expect_err 'another user (65534)'
}

@test "R12: a token by a FIFO, or by the shell's <(...), late and in pieces" {
	vm --token s3cr3t
	mkfifo fifo
	{ printf s3c; sim_get /sim/state >/dev/null; printf 'r3t\nmore\n'; } >fifo &
	fcp exec --envd "$SIM_ENVD" --envd-token-file fifo -- echo in
	expect 0
	expect_out in
	wait $! || true
	fcp exec --envd "$SIM_ENVD" --envd-token-file <(echo s3cr3t) -- echo in
	expect 0
	expect_out in
	fcp exec --envd "$SIM_ENVD" --envd-token-file /dev/stdin -- echo in < <(printf s3cr3t)
	expect 0
}

@test "R12: a FIFO that nobody writes to is waited for until a signal" {
	vm --token s3cr3t
	mkfifo fifo
	: >err
	fcp_start exec --envd "$SIM_ENVD" --envd-token-file fifo -v -- true
	# The plan is printed right before.
	_sim_wait_file "$T/err" envd-token-file
	fcp_signal TERM
	fcp_end
	expect 125
	expect_err interrupted
}

@test "R12: a command that is killed at its deadline is killed with a token that was read once" {
	vm --token s3cr3t
	fcp exec --envd "$SIM_ENVD" --envd-token-file <(echo s3cr3t) --exec-timeout-ms 500 -- sleep 30
	expect 125
	expect_err 'the command was killed'
}

# in_process PID WORD: it is in the arguments or the environment.
in_process() { grep -qaF -- "$2" "/proc/$1/cmdline" "/proc/$1/environ"; }

@test "a token is not in the arguments or the environment of fcpause, nor in its output" {
	vm --token s3cr3t
	(umask 077; echo s3cr3t >token)
	local option pid
	for option in '' --json -v '--json -v'; do
		# shellcheck disable=SC2086
		fcp_start exec --envd "$SIM_ENVD" --envd-token-file token $option -- sleep 30
		sim_wait_log Start
		pid=$(pgrep -P "$FCP_PID" -x fcpause)
		run ! in_process "$pid" s3cr3t
		fcp_signal TERM
		fcp_end
		hides s3cr3t
		: >"$SIM_LOG"
	done
}

@test "a token that envd refuses is not in the message; nor is a good one in a guest's environment" {
	vm --token s3cr3t
	(umask 077; echo wr0ng >token)
	fcp exec --envd "$SIM_ENVD" --envd-token-file token --json -v -- env
	[ "$status" -ne 0 ]
	hides wr0ng
	hides s3cr3t
	(umask 077; echo s3cr3t >token)
	FCPAUSE_ENVD_TOKEN_FILE=token fcp exec --envd "$SIM_ENVD" -- env
	expect 0
	hides s3cr3t
}

# dumps ARGS…: has a run of exec that is aborted left a core file, as its parent is told?
dumps() {
	python3 - "$FCPAUSE" "$SIM_LOG" exec --envd "$SIM_ENVD" --envd-token-file token "$@" -- sleep 30 <<-'E'
	import os, resource, signal, sys, time
	resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
	pid = os.posix_spawn(sys.argv[1], [sys.argv[1]] + sys.argv[3:], os.environ)
	end = time.monotonic() + 20
	while "Start" not in open(sys.argv[2]).read() and time.monotonic() < end:
	    pass
	os.kill(pid, signal.SIGABRT)
	sys.exit(0 if os.WCOREDUMP(os.waitpid(pid, 0)[1]) else 1)
	E
}

@test "a core file of a run that has a token is not written" {
	command -v python3 >/dev/null || skip 'no python3'
	vm --token s3cr3t
	(umask 077; echo s3cr3t >token)
	if ! dumps --no-sandbox; then skip 'no core files here'; fi
	find . -maxdepth 1 -name 'core*' -delete
	: >"$SIM_LOG"
	run ! dumps
	[ -z "$(find . -maxdepth 1 -name 'core*')" ]
}

# A server that sends one request on to LOCATION; PORT, REDIRECTING.
redirecting() {
	mkfifo ready
	python3 - "$1" >ready 3>&- <<-'E' &
	import http.server, sys
	class Handler(http.server.BaseHTTPRequestHandler):
	    def do_POST(self):
	        self.send_response(307)
	        self.send_header("Location", sys.argv[1] + self.path)
	        self.send_header("Content-Length", "0")
	        self.end_headers()
	    do_GET = do_POST
	    def log_message(self, *args): pass
	server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
	server.timeout = 20
	print(server.server_port, flush=True)
	server.handle_request()
	E
	REDIRECTING=$!
	read -r -t "$SIM_DEADLINE_S" PORT <ready
}

@test "no redirect is followed: a token goes to the server that was named, and to no other" {
	command -v python3 >/dev/null || skip 'no python3'
	vm --token s3cr3t
	(umask 077; echo s3cr3t >token)
	redirecting "$SIM_ENVD"
	fcp exec --envd "http://127.0.0.1:$PORT" --envd-token-file token -- true
	[ "$status" -ne 0 ]
	expect_err 307
	expect_no_requests
	wait "$REDIRECTING"
}

@test "proxies of the environment are not asked, for envd and for Firecracker" {
	vm --token s3cr3t
	(umask 077; echo s3cr3t >token)
	local name
	for name in http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY; do
		export "$name=http://127.0.0.1:1"
	done
	fcp exec --envd "$SIM_ENVD" --envd-token-file token -- echo in
	expect 0
	fcp status --api-sock "$SIM_SOCK"
	expect 0
}

@test "https: a certificate that nobody vouches for is refused, and no request is sent" {
	local program
	for program in openssl python3; do command -v $program >/dev/null || skip "no $program"; done
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out certificate -days 2 -subj /CN=localhost \
		-addext subjectAltName=IP:127.0.0.1 2>openssl.err
	mkfifo ready
	python3 - >ready 3>&- <<-'E' &
	import socket, ssl
	context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
	context.load_cert_chain("certificate", "key")
	server = socket.create_server(("127.0.0.1", 0))
	server.settimeout(20)
	print(server.getsockname()[1], flush=True)
	try:
	    connection = server.accept()[0]
	    open("accepted", "w").close()
	    with context.wrap_socket(connection, server_side=True) as client:
	        open("received", "wb").write(client.recv(4096))
	except OSError:
	    pass
	E
	read -r -t "$SIM_DEADLINE_S" PORT <ready
	OTEL_EXPORTER_OTLP_ENDPOINT=https://127.0.0.1:$PORT OTEL_EXPORTER_OTLP_HEADERS=authorization=s3cr3t \
		fcp status --api-sock none
	expect 1
	expect_err certificate
	hides s3cr3t
	wait $!
	[ -e accepted ] && [ ! -s received ]
}

@test "a header for the collector of spans reaches it, and no trace, report, message or file of figures" {
	unset FCPAUSE_WRITER
	vm
	services_start
	export OTEL_EXPORTER_OTLP_ENDPOINT=$SERVICES_URL OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20s3cr3t'
	fcp pause --api-sock "$SIM_SOCK" --envd "$SIM_ENVD" --reclaim --snapshot-path snap --mem-file-path mem --json -vv \
		--trace trace --metrics-textfile m.prom
	expect 0
	grep -q 'Bearer s3cr3t' "$SERVICES_LOG"
	[ -s trace ] && [ -s m.prom ]
	run ! grep -raE 's3cr3t' out err trace m.prom snap mem
}

@test "a header as HTTP writes it is no header here: its name is in the warning, and not its value" {
	vm
	services_start
	export OTEL_EXPORTER_OTLP_ENDPOINT=$SERVICES_URL OTEL_EXPORTER_OTLP_HEADERS='Authorization: Bearer s3cr3t=='
	fcp status --api-sock "$SIM_SOCK" --json
	expect 0
	expect_err "OTEL_EXPORTER_OTLP_HEADERS: 'Authorization' is no header"
	hides s3cr3t
}

# By a process of the user that fcpause runs as.
can_look() { setpriv --reuid 65534 --regid 65534 --clear-groups -- cat "/proc/$1/$2" >looked 2>&1; }

# looks_at ARGS...: a drain that lasts, by another user than root; RUNNING and GUARD are its processes.
drain_as_nobody() {
	printf '#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --clear-groups -- %q "$@"\n' "$FCPAUSE" >nobody
	chmod +x nobody
	FCPAUSE=$T/nobody fcp_start balloon-drain --api-sock "$SIM_SOCK" --fph-timeout-ms 20000 "$@"
	sim_wait_log '^PATCH /balloon/hinting/start'
	RUNNING=$(pgrep -P "$FCP_PID" -x fcpause)
	GUARD=$(pgrep -P "$RUNNING" -x fcpause-guard)
}

@test "another process of the same user reads nothing of fcpause and its guard in /proc" {
	[ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null || skip 'not root, or no setpriv'
	vm --hinting-ms -1
	chmod 777 "$SIM_SOCK"
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T" "${SIM_SOCK%/*}"
	export SECRET=s3cr3t
	drain_as_nobody --no-sandbox
	can_look "$RUNNING" environ && grep -qa s3cr3t looked
	can_look "$GUARD" environ
	fcp_signal TERM
	fcp_end
	: >"$SIM_LOG"
	drain_as_nobody
	local process what
	for process in "$RUNNING" "$GUARD"; do
		for what in environ auxv maps mem; do run ! can_look "$process" $what; done
	done
	fcp_signal TERM
	fcp_end
}
