#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What answers is not what was meant, or is hostile: proxies, other servers, other kinds of files
# (R11), and text that drives terminals (S2). Long paths of sockets (R8).

load helpers
eval "helpers_$(declare -f teardown)"

teardown() {
	[ -z "${SERVER:-}" ] || kill "$SERVER" 2>/dev/null || true
	helpers_teardown
}

# serve ADDRESS ANSWER: each connection that sends something gets these bytes (printf's escapes) and
# is closed; "silent" is never answered. ADDRESS: a socket's path, or tcp, then URL is its address.
serve() {
	command -v python3 >/dev/null || skip 'needs python3'
	[ -z "${SERVER:-}" ] || kill "$SERVER" 2>/dev/null || true
	rm -f "$T/a.sock"
	: >"$T/ready"
	printf "$2" >"$T/answer"
	python3 - "$1" "$T/answer" >"$T/ready" 3>&- <<-'P' &
	import socket, sys
	where, answer = sys.argv[1], open(sys.argv[2], 'rb').read()
	if where == 'tcp':
	    s = socket.socket(); s.bind(('127.0.0.1', 0))
	else:
	    s = socket.socket(socket.AF_UNIX); s.bind(where)
	s.listen(8)
	print('http://127.0.0.1:%d' % s.getsockname()[1] if where == 'tcp' else 'unix', flush=True)
	kept = []
	while True:
	    c, _ = s.accept()
	    if answer == b'silent':
	        kept.append(c)
	        continue
	    got = b''
	    while b'\r\n\r\n' not in got:
	        more = c.recv(65536)
	        if not more: break
	        got += more
	    try:
	        c.sendall(answer)
	        c.shutdown(socket.SHUT_WR)
	        while c.recv(65536): pass
	    except OSError: pass
	    c.close()
	P
	SERVER=$!
	_sim_wait_file "$T/ready" '.'
	URL=$(<"$T/ready")
}

# answer STATUS TYPE BODY
answer() { printf '%s' "HTTP/1.1 $1\\r\\nContent-Type: $2\\r\\nContent-Length: $(printf "$3" | wc -c)\\r\\n\\r\\n$3"; }

# frame FLAGS JSON: an envelope of Connect's, as printf's escapes.
frame() { printf '\\%03o\\000\\000%s%s' "$1" "$(printf '\\%03o\\%03o' $((${#2} / 256)) $((${#2} % 256)))" "$(sed 's/\\/\\\\/g; s/%/%%/g' <<<"$2")"; }

# envd_says STDERR: what it says of an answer.
envd_says() {
	serve tcp "$1"
	fcp exec --envd "$URL" -- true
	expect 125 && expect_err "$2"
	fcp reclaim --envd "$URL" --json
	expect 1 && expect_err "$2"
}

# Nothing on stdout or stderr that drives a terminal, and no character that hides or reorders.
tame() {
	run ! grep -qaP '[\x00-\x08\x0b-\x1f\x7f]' "$T/out" "$T/err"
	run ! grep -qaP '\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf' "$T/out" "$T/err"
	iconv -f UTF-8 -t UTF-8 "$T/out" "$T/err" >/dev/null || _show 'not UTF-8'
}

EVIL='\u001b]52;c;Y3VybCBldmlsfHNo\u0007\u001b[2J\u009b31m\u202egnp.exe\u2066\u200b\ufeff\r\nreclaim ok'

@test "S2: what envd says at the end of its stream does not drive the terminal" {
	local stream
	stream="$(frame 0 '{"event":{"start":{"pid":7}}}')$(frame 2 "{\"error\":{\"code\":\"internal\",\"message\":\"$EVIL\"}}")"
	serve tcp "HTTP/1.1 200 OK\r\nContent-Type: application/connect+json\r\nConnection: close\r\n\r\n$stream"
	local args
	for args in 'reclaim' 'reclaim --json' 'exec -- true' 'exec --json -- true' 'reclaim --best-effort -v'; do
		set -- $args
		fcp "$1" --envd "$URL" "${@:2}"
		tame
		[ "$(wc -l <"$T/err")" -eq "$(grep -c 'fcpause\|^  \|^1\|^settings' "$T/err")" ] || _show 'a line of its own'
	done
	fcp reclaim --envd "$URL" --json
	expect_json '.error.message | contains("\\x1b]52;c;Y3VybCBldmlsfHNo\\x07\\x1b[2J\\u009b31m\\u202egnp.exe\\u2066\\u200b\\ufeff\\r\\nreclaim ok")'
}

@test "S2: what Firecracker says does not drive the terminal" {
	serve a.sock "$(answer '400 Bad Request' application/json "{\"fault_message\":\"${EVIL//\\/\\\\}\"}")"
	local args
	for args in balloon-drain 'balloon-drain --json' 'pause --snapshot-path s --mem-file-path m' \
		'snapshot --json --snapshot-path s --mem-file-path m' balloon-install; do
		fcp $args --api-sock a.sock
		expect 1
		tame
		grep -qF '\x1b]52' "$T/err"
	done
}

@test "S2: what a proxy says, its content type too, does not drive the terminal" {
	envd_says "$(answer '502 Bad Gateway' text/plain '\033[2J\302\233x\377 gone\n')" 'HTTP status 502: \x1b[2J\u009bx\xff gone'
	tame
	envd_says "$(answer '200 OK' 'text/\033[2Jhtml' 'x')" 'is this envd?'
	tame
	serve a.sock "$(answer '200 OK' text/plain '\033[2Jx')"
	fcp balloon-drain --api-sock a.sock
	tame
}

@test "S2: names that the user gives, flags, and what a flags file holds come out escaped" {
	local name
	name=$(printf 'a\033[2J\342\200\256b\377')
	fcp madvise-ranges --mem-file-path "$name" --find zero
	tame
	expect_err 'a\x1b[2J\u202eb\xff'
	fcp inspect --mem-file-path "$name" --json
	tame
	fcp pause -n -v --api-sock "$name" --snapshot-path "$name" --mem-file-path "$name"
	tame
	expect_out '\x1b[2J'
	fcp exec -n --envd http://h:1 -- "$(printf 'echo\033[2J')"
	tame
	fcp "$name"
	tame
	fcp pause "$name"
	tame
	fcp pause "--$name"
	tame
	printf '{"flagValues":{"x\\u001b[2J\\u202e":1}}' >flags
	fcp pause -n --flags flags --api-sock x --snapshot-path s --mem-file-path m
	tame
	expect_err 'flag x\x1b[2J\u202e'
}

@test "S2: a name with control characters is the same one in JSON" {
	local name
	name=$(printf 'a\033\342\200\256b')
	fcp madvise-ranges --mem-file-path "$name" --find zero --json
	tame
	[ "$(jq -r .settings.mem_file_path.value "$T/out")" = "$name" ]
}

@test "R11: envd is a proxy: its status, and the first line of what it says" {
	envd_says "$(answer '502 Bad Gateway' text/plain '\r\n Sandbox is not running or not found.\nmore')" \
		'HTTP status 502: Sandbox is not running or not found.'
	envd_says "$(answer '502 Bad Gateway' application/json '{"sandboxId":"abc","message":"The sandbox was not found","code":502}')" \
		'HTTP status 502: The sandbox was not found'
	envd_says "$(answer '503 Service Unavailable' text/html '<html><body>nginx</body></html>')" \
		'HTTP status 503: <html><body>nginx</body></html>'
	envd_says "$(answer '415 Unsupported Media Type' text/plain '')" 'HTTP status 415'
	envd_says "$(answer '401 Unauthorized' application/json '{"code":"unauthenticated","message":"invalid auth token"}')" \
		'HTTP status 401: invalid auth token (a token file is needed, or its token is wrong)'
}

@test "R11: 200 that is not a Connect stream" {
	envd_says "$(answer '200 OK' text/html '<html><body>login</body></html>')" 'not a Connect stream (text/html): is this envd?'
	envd_says "$(answer '200 OK' application/json '{}')" 'not a Connect stream (application/json): is this envd?'
	envd_says 'HTTP/1.1 200 OK\r\n\r\nhello' 'not a Connect stream (of no content type): is this envd?'
	# As much as anybody wants to send.
	envd_says "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n$(head -c 100000 /dev/zero | tr '\0' x)" \
		'not a Connect stream (text/html)'
}

@test "R11: something else than HTTP answers for envd" {
	envd_says 'SSH-2.0-OpenSSH_9.2\r\n' 'the answer is not HTTP'
}

@test "R11: a web server answers for envd" {
	envd_says "$(answer '404 Not Found' text/html '<html>')" 'HTTP status 404: <html> (is this envd?)'
	envd_says "$(answer '501 Not Implemented' text/html '<html>')" '(is this envd?)'
}

@test "R11: a socket that is not Firecracker's" {
	serve a.sock 'SSH-2.0-OpenSSH_9.2\r\n'
	fcp balloon-drain --api-sock a.sock
	expect 1
	expect_err "GET /: the answer is not HTTP (is a.sock Firecracker's API socket?)"
	serve a.sock ''
	fcp balloon-drain --api-sock a.sock
	expect_err "GET /: the connection ended before the answer did (is a.sock Firecracker's API socket?)"
	serve a.sock "$(answer '404 Not Found' text/plain 'not found')"
	fcp balloon-drain --api-sock a.sock
	expect_err "GET /: HTTP status 404: not found (is a.sock Firecracker's API socket?)"
	serve a.sock "$(answer '200 OK' text/html '<html>')"
	fcp balloon-drain --api-sock a.sock
	expect_err "(is a.sock Firecracker's API socket?)"
	serve a.sock "$(answer '200 OK' application/json '{"containers":[]}')"
	fcp balloon-drain --api-sock a.sock
	expect_err 'is this Firecracker?'
}

@test "R11: a silent socket: which one, and how long" {
	serve a.sock silent
	fcp balloon-drain --api-sock a.sock --timeout-ms 321
	expect 1
	expect_err 'GET /: no answer from a.sock within 321 ms'
}

@test "R11: what is no socket at all" {
	local command
	mkdir dir; echo x >file; mkfifo fifo
	for command in balloon-drain balloon-install 'snapshot --snapshot-path s --mem-file-path m'; do
		for name in dir file fifo; do
			fcp $command --api-sock $name --json
			expect 1
			expect_json '.error.class == "connect"' ".error.message | contains(\"$name is not a socket\")"
		done
		fcp $command --api-sock nothing --json
		expect_json '.error.errno == 2'
	done
}

@test "R8: sockets whose path is longer than an address" {
	local long name=api.sock
	long=$T/$(printf 'd%.0s' {1..200})/$(printf 'e%.0s' {1..200})/$(printf 'f%.0s' {1..200})
	mkdir -p "$long"
	vm
	# As a jailer's: bound by a short name in its root, reached from outside.
	(cd "$long" && ln "$SIM_SOCK" $name)
	fcp balloon-drain --api-sock "$long/$name" --json
	expect 0
	fcp snapshot --api-sock "$long/$name" --snapshot-path snap --mem-file-path mem --resume --json
	expect 0
	expect_json '.vm_state == "Running"'
	(cd "$long" && ln "$SIM_SOCK" "$(printf 'n%.0s' {1..107})")
	fcp balloon-drain --api-sock "$long/$(printf 'n%.0s' {1..107})" --json
	expect 0
	# Relative paths are as long as that from within.
	cd "$T"
	fcp balloon-drain --api-sock "${long#"$T"/}/$name" --json
	expect 0
	fcp balloon-drain --api-sock "$long/none" --json
	expect 1
	expect_json '.error.class == "connect"' '.error.errno == 2'
	fcp balloon-drain --api-sock "$(printf 'x%.0s' {1..5000})" --json
	expect 1
	expect_json '.error.errno == 36'
}

@test "R8: the shortest path that is too long for an address, and the longest that fits" {
	vm
	local length path
	for length in 107 108 109; do
		path=$(printf '%*s' $((length - ${#T} - 1)) '' | tr ' ' p)
		ln "$SIM_SOCK" "$T/$path"
		fcp balloon-drain --api-sock "$T/$path"
		expect 0
	done
}
