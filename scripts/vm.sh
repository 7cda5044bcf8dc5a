# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # the variables are for those who source it
# Sourced by scripts that run one microVM at a time: Firecracker, its API, the guest's envd, a tap.
# Needs bash, curl, jq, and ip(8) for the tap. Times are in milliseconds; functions return 0, 1 for a
# failure or 4 for a deadline that came first, with the reason in vm_error.
#
# Traps see the variables of the function that they interrupt: the names of all that is local here are not
# for globals of the script.
#
# The script that sources it runs vm_clean at its end, on every way out:
#   trap 'code=$?; trap "" INT TERM HUP; vm_clean; exit "$code"' EXIT; trap 'exit 1' INT TERM HUP

vm_pid=''    # Firecracker's; empty: none
vm_sock=''   # its API socket
vm_tap=''    # the tap device that we made; empty: none
vm_error=''  # why the last function failed
vm_answer='' # the body of the last answer of the API
vm_api_us='' # how long it took

# Sets now_us: microseconds of the clock. (EPOCHREALTIME has the locale's decimal point.)
vm_now() { now_us=${EPOCHREALTIME//[!0-9]/}; }

# vm_ms US: sets ms, with one decimal; vm_ms_since START_US: those since then.
vm_ms() { printf -v ms '%d.%d' $(($1 / 1000)) $(($1 / 100 % 10)); }
vm_ms_since() {
	vm_now
	vm_ms $((now_us > $1 ? now_us - $1 : 0)) # (the clock can be set back)
}

# vm_say TEXT: a line of the log.
vm_say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# vm_run COMMAND...: runs it and returns its exit code. In the background, because bash runs a trap only
# when the command in the foreground has ended.
vm_run() {
	local code=0 pid
	"$@" &
	pid=$!
	wait "$pid" || code=$?
	# A trap that returns ends the wait, with a code of its own; the command's is asked for again.
	while ((code > 128)) && kill -0 "$pid" 2>/dev/null; do
		code=0
		wait "$pid" || code=$?
	done
	((code <= 128)) || { code=0 && wait "$pid"; } || code=$?
	return "$code"
}

# vm_to FILE COMMAND...: for vm_run, with the command's stdout in the file. (A redirection of vm_run itself
# would hold for the trap, too.) vm_to_stderr: with it there.
vm_to() {
	local out=$1
	shift
	exec "$@" >"$out"
}
vm_to_stderr() { exec "$@" >&2; }

# vm_until TIMEOUT_MS COMMAND...: until the command succeeds, which finds in left_ms how long it may
# take. Fails at once when Firecracker has ended.
vm_until() {
	local end
	vm_now
	end=$((now_us + $1 * 1000)) left_ms=$1
	shift
	until "$@"; do
		if ! vm_is_alive; then
			vm_error='Firecracker has ended'
			return 1
		fi
		vm_now
		left_ms=$(((end - now_us) / 1000))
		((left_ms > 0)) || return 4
		vm_run sleep 0.02
	done
}

vm_is_alive() { [ -n "$vm_pid" ] && kill -0 "$vm_pid" 2>/dev/null; }

# vm_curl MAX_MS OUT ERR ARGUMENT...: without the user's settings and proxies.
vm_curl() {
	local max_ms=$1 out=$2 err=$3 seconds
	shift 3
	printf -v seconds '%d.%03d' $((max_ms / 1000)) $((max_ms % 1000))
	vm_run vm_to "$out" curl -q --stderr "$err" --noproxy '*' --max-time "$seconds" "$@"
}

_vm_answers() {
	local ms=$((left_ms < 1000 ? left_ms : 1000))
	[ -S "$vm_sock" ] && vm_curl "$ms" /dev/null /dev/null -s --unix-socket "$vm_sock" http://localhost/
}

# vm_start FIRECRACKER SOCKET LOG TIMEOUT_MS: starts Firecracker, until its API answers. The log takes
# what it writes.
vm_start() {
	local code=0
	vm_sock=$2
	"$1" --api-sock "$2" </dev/null >"$3" 2>&1 &
	vm_pid=$!
	vm_until "$4" _vm_answers || code=$?
	[ "$code" -ne 4 ] || vm_error="Firecracker's API did not answer within $4 ms"
	return "$code"
}

# vm_api TIMEOUT_MS METHOD PATH [JSON]: one request, sent once; its answer is in vm_answer.
vm_api() {
	local code=0 http_status seconds why dir=${vm_sock%/*}
	local -a body=()
	[ $# -lt 4 ] || body=(-H 'Content-Type: application/json' --data-binary "$4")
	vm_curl "$1" "$dir/answer" "$dir/answer.err" -sS --unix-socket "$vm_sock" -X "$2" "${body[@]}" \
		-w '\n%{http_code} %{time_total}' "http://localhost$3" || code=$?
	vm_answer=$(<"$dir/answer")
	read -r http_status seconds <<<"${vm_answer##*$'\n'}"
	vm_answer=${vm_answer%$'\n'*}
	seconds=${seconds//[!0-9]/} # with six decimals, whatever the locale's point is
	vm_api_us=$((10#${seconds:-0}))
	case $code:$http_status in
	0:2*) return 0 ;;
	0:*)
		why=$(jq -r '.fault_message // .error // empty' <<<"$vm_answer" 2>/dev/null)
		vm_error="$2 $3: ${why:-$vm_answer} (HTTP status $http_status)"
		return 1
		;;
	28:*) vm_error="$2 $3: no answer within $1 ms" ;;
	*) vm_error="$2 $3: $(<"$dir/answer.err")" ;;
	esac
	[ "$code" -ne 28 ] || return 4
	return 1
}

_vm_envd_answers() {
	local ms=$((left_ms < 5000 ? left_ms : 5000))
	vm_curl "$ms" /dev/null /dev/null -sf --connect-timeout 1 "$1/health"
}

# vm_wait_envd URL TIMEOUT_MS: until envd answers in the guest.
vm_wait_envd() {
	local code=0
	vm_until "$2" _vm_envd_answers "${1%/}" || code=$?
	[ "$code" -ne 4 ] || vm_error="envd did not answer at $1 within $2 ms"
	return "$code"
}

# _vm_gone TIMEOUT_MS PID: waits until our child has ended.
_vm_gone() {
	local end
	vm_now
	end=$((now_us + $1 * 1000))
	while kill -0 "$2" 2>/dev/null; do
		vm_now
		((now_us < end)) || return 1
		sleep 0.02
	done
	wait "$2" 2>/dev/null || true
}

# _vm_end TIMEOUT_MS PID: SIGTERM, and at the deadline SIGKILL. Fails when it is there all the same.
_vm_end() {
	kill -TERM "$2" 2>/dev/null || return 0
	_vm_gone "$1" "$2" && return 0
	kill -KILL "$2" 2>/dev/null
	_vm_gone 5000 "$2" && return 0
	vm_error="process $2 does not end"
	return 1
}

# vm_stop: ends Firecracker, and removes its socket.
vm_stop() {
	local code=0
	[ -z "$vm_pid" ] || _vm_end 5000 "$vm_pid" || code=1
	[ -z "$vm_sock" ] || rm -f "$vm_sock"
	vm_pid='' vm_sock=''
	return "$code"
}

_vm_tap_is_there() { [ -e "/sys/class/net/$1" ]; }

# vm_tap_up NAME ADDRESS: a tap device with this address ("172.30.0.1/24"). One that is there is left as it
# is, and is not removed by vm_tap_down.
vm_tap_up() {
	_vm_tap_is_there "$1" && return 0
	vm_tap=$1
	if ! vm_error=$({ ip tuntap add dev "$1" mode tap && ip addr add "$2" dev "$1" &&
		ip link set dev "$1" up; } 2>&1); then
		vm_error="tap $1: $vm_error"
		return 1
	fi
}

vm_tap_down() {
	local name=$vm_tap
	vm_tap=
	[ -n "$name" ] && _vm_tap_is_there "$name" || return 0
	vm_error=$(ip tuntap del dev "$name" mode tap 2>&1) && return 0
	vm_error="tap $name: $vm_error"
	return 1
}

# vm_clean: ends what vm_run has started, and gives it the time to put the VM right; then Firecracker, whose
# end also ends the wait for an answer of it that may take minutes; the tap last, which it holds. Fails when
# something is left.
vm_clean() {
	local pid pids code=0
	pids=$(jobs -p | grep -vx "${vm_pid:-none}")
	for pid in $pids; do
		kill -TERM "$pid" 2>/dev/null && _vm_gone 5000 "$pid"
	done
	vm_stop || code=1
	for pid in $pids; do
		_vm_end 5000 "$pid" || code=1
	done
	vm_tap_down || code=1
	return "$code"
}

# ---- what the scripts have in common beside the VM -------------------------------------------

# vm_is_count TEXT: a whole number as fcpause takes its milliseconds, up to 24 hours.
vm_is_count() { [[ $1 =~ ^[1-9][0-9]{0,7}$ ]] && (($1 <= 86400000)); }

# vm_to_ms TEXT: sets $ms to a duration as fcpause takes it: 1500, 1500ms, 1.5s, 2m, 1h, 1m30s. False: it is not one.
vm_to_ms() {
	local rest=$1 sum=0 unit fraction
	[[ ! $rest =~ ^[0-9]{1,8}$ ]] || { ms=$((10#$rest)) && return; }
	while [[ $rest =~ ^([0-9]{1,8})(\.([0-9]{1,3}))?(ms|s|min|m|h)(.*)$ ]]; do
		case ${BASH_REMATCH[4]} in ms) unit=1 ;; s) unit=1000 ;; m | min) unit=60000 ;; h) unit=3600000 ;; esac
		fraction=${BASH_REMATCH[3]}000
		fraction=$((10#${fraction:0:3} * unit))
		((fraction % 1000 == 0)) || return 1
		sum=$((sum + 10#${BASH_REMATCH[1]} * unit + fraction / 1000))
		rest=${BASH_REMATCH[5]}
	done
	[ -n "$1" ] && [ -z "$rest" ] && ms=$sum
}

# vm_find_fcpause: sets fcpause, if it is empty: the one beside the script, that of its build, or by PATH.
vm_find_fcpause() {
	local dir try
	dir=$(dirname "$(readlink -f "$0")")
	[ -z "$fcpause" ] || return 0
	for try in "$dir/fcpause" "$dir/../build/fcpause"; do
		[ ! -x "$try" ] || { fcpause=$(readlink -f "$try") && return; }
	done
	fcpause=fcpause
}

# vm_make_work NAME: makes a directory for a run, and sets work. The name is set before it is made: a trap
# finds all that there is to remove.
vm_make_work() {
	local LC_ALL=C base try
	base=$(realpath -m -- "${TMPDIR:-/tmp}")
	# A socket goes there, and its path has at most 107 bytes.
	[ ${#base} -le 60 ] || base=/tmp
	for try in 1 2 3 4 5; do
		work=$base/$1.$$.$RANDOM$try
		if mkdir -m 700 -- "$work"; then return 0; fi
		[ -e "$work" ] || break # not for its name, which the next one would differ in
	done
	work=''
	return 1
}

# vm_lines_of NAME: that file of the work directory, as far as there is one.
vm_lines_of() { if [ -n "$work" ] && [ -e "$work/$1" ]; then echo "$work/$1"; else echo /dev/null; fi; }

# vm_code_of_exec CODE MS TIMEOUT-MS: an exit code as above for that of fcpause exec, which is the command's,
# or 125, after so many ms.
vm_code_of_exec() {
	if [ "$1" = 0 ]; then
		echo 0
	elif [ "$1" = 125 ] && [ "${2%.*}" -ge "$3" ]; then
		echo 4
	else
		echo 1
	fi
}

# vm_class_of_code CODE: fcpause's class of error for its exit code.
vm_class_of_code() {
	case $1 in
	2) echo usage ;;
	3) echo unsupported ;;
	4) echo timeout ;;
	5) echo left ;;
	6) echo locked ;;
	*) echo failed ;;
	esac
}
