# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Bats helpers around a real envd: it runs as it does in a guest, in a root file system of its own
# (busybox, the users root and user) and with its own process ids.
#
#   setup()    { load ../lib/envd; envd_needs; }   skips where it cannot run
#   envd_start                                     sets ENVD_URL
#   envd_stop

: "${ENVD_DEADLINE_S:=20}"

envd_needs() {
	local program
	for program in envd busybox unshare curl; do
		command -v "$program" >/dev/null || skip "no $program on PATH"
	done
	[ "$(id -u)" = 0 ] || skip "a real envd needs a root file system, and that needs root"
	unshare --mount --pid --fork true 2>/dev/null || skip "no namespaces here"
	_envd_root "$BATS_TEST_TMPDIR/guest"
	chroot "$BATS_TEST_TMPDIR/guest" /bin/sh -c : 2>/dev/null || skip "busybox is not static"
}

# What a small guest has. No nice: envd then starts commands through ionice alone.
_envd_root() {
	local applet
	mkdir -p "$1"/{bin,dev,etc,home/user,proc,root,run,tmp,usr/bin,var}
	cp "$(command -v busybox)" "$1/bin/busybox"
	for applet in $("$1/bin/busybox" --list); do
		case $applet in
		nice | busybox) ;;
		*) ln -s busybox "$1/bin/$applet" ;;
		esac
	done
	printf '%s\n' root:x:0:0:root:/root:/bin/sh user:x:1000:1000::/home/user:/bin/sh >"$1/etc/passwd"
	printf '%s\n' root:x:0: user:x:1000: >"$1/etc/group"
	chown 1000:1000 "$1/home/user"
	cp "$(command -v envd)" "$1/bin/envd"
}

envd_start() {
	local port try end
	for try in 1 2 3 4 5; do
		port=$((20000 + RANDOM % 10000))
		# shellcheck disable=SC2016
		unshare --mount --pid --fork --kill-child /bin/sh -c '
			mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" &&
			exec chroot "$1" /bin/env -i PATH=/bin /bin/envd -isnotfc -no-cgroups -port "$2"' \
			sh "$BATS_TEST_TMPDIR/guest" "$port" >"$BATS_TEST_TMPDIR/envd.log" 2>&1 3>&- 4>&- &
		ENVD_PID=$!
		ENVD_URL=http://127.0.0.1:$port
		end=$((SECONDS + ENVD_DEADLINE_S))
		while kill -0 "$ENVD_PID" 2>/dev/null && [ "$SECONDS" -lt "$end" ]; do
			! curl -sf -o /dev/null "$ENVD_URL/health" || return 0
			read -r -t 0.05 <> <(:) || true
		done
		envd_stop
	done
	echo "envd did not become ready ($try times)" >&2
	cat "$BATS_TEST_TMPDIR/envd.log" >&2
	return 1
}

envd_stop() {
	[ -n "${ENVD_PID:-}" ] || return 0
	kill -KILL "$ENVD_PID" 2>/dev/null || true
	wait "$ENVD_PID" 2>/dev/null || true
	ENVD_PID=
}
