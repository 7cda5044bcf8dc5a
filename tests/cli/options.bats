#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Bad options and bad values of
# every option of every command, found by walking --help, at the command line and by the environment:
# exit 2, a message that names the option, one object with --json, nothing done. That help, parser and
# manual agree is held by manual.bats.

load helpers

COMMANDS='reclaim balloon-install balloon-drain madvise-ranges snapshot pause'

# The options of a command, as --help tells: "name ARG" a line, ARG - for switches.
options_of() {
	"$FCPAUSE" "$1" --help=all |
		grep -oE '^ {2,6}(-[a-zA-Z], )?--[a-z-]+(=[A-Z=]+)?(, --no-[a-z-]+)?' |
		grep -oE -- '--[a-z-]+(=[A-Z=]+)?' | sed -E 's/^--//; s/=/ /; /^[a-z-]+$/s/$/ -/' | sort -u
}

# refused OPTION ARGS…: exit 2, the message names the option, stdout is one object that says so.
refused() {
	fcp "${@:2}" --json
	expect 2 && expect_err "fcpause ${2}: " && expect_err "$1" &&
		grep -qF '"class":"usage"' "$T/out" && [ "$(wc -l <"$T/out")" -eq 1 ] ||
		_show "fcpause ${*:2}: not refused as it should be"
}

# Bad values for an argument that --help calls so.
bad_values() {
	case $1 in
	N) printf '%s\n' x -1 +1 1.5 1e3 ' 1' '1 ' 0x 1ms 18446744073709551616 99999999999999999999999 '' ;;
	TIME) printf '%s\n' x -1 +1 1.5 1e3 ' 1' '1 ' 0x 1d 1S .5s 1.s 1.5 1s1 1s\ 1s 0.0005s 25h 1441min \
		18446744073709551616 18446744073709551615h 99999999999999999999999 '' ;;
	BYTES) printf '%s\n' x -4096 1.5K 4KB 4k5 K 16777216T '0x' ' 4096' '' ;;
	STEP=TIME) printf '%s\n' sync sync= =5 sync=x sync=-1 sync=1.5 nothing=5 sync=5,fstrim=6 sync=86400001 '' ;;
	TYPE) printf '%s\n' fulll Full '' ;;
	USE) printf '%s\n' pauses '' ;;
	WHO) printf '%s\n' nobody Firecracker '' ;;
	MEANING) printf '%s\n' zeros '' ;;
	PATH | FILE | DIR | URL | LIST) printf '%s\n' '' --json ;;
	esac
}

@test "each option of each command: bad values at the command line" {
	local command name arg value count=0
	for command in $COMMANDS; do
		while read -r name arg; do
			[ "$arg" != - ] || continue
			while IFS= read -r value; do
				# One process a value, without jq: there are hundreds.
				status=0
				"$FCPAUSE" $command "--$name=$value" --json >"$T/out" 2>"$T/err" </dev/null || status=$?
				[ "$status" -eq 2 ] && [[ $(<"$T/err") == "fcpause $command: --$name"* ]] &&
					[[ $(<"$T/out") == '{"schema":"fcpause/1",'*'"class":"usage"'*'}' ]] ||
					_show "fcpause $command --$name='$value'"
				count=$((count + 1))
			done < <(bad_values "$arg")
		done < <(options_of $command)
	done
	[ "$count" -gt 200 ]
}

@test "each option of each command: bad values by the environment" {
	local command name arg value variable count=0
	for command in $COMMANDS; do
		while read -r name arg; do
			case $name in help | version | no-*) continue ;; esac
			variable=FCPAUSE_${name//-/_}
			variable=${variable^^}
			while IFS= read -r value; do
				# An empty variable is one that is not set.
				[ -n "$value" ] && [ "$value" != sync=5,fstrim=6 ] || continue
				status=0
				env "$variable=$value" "$FCPAUSE" $command >"$T/out" 2>"$T/err" </dev/null || status=$?
				[ "$status" -eq 2 ] && [[ $(<"$T/err") == "fcpause $command: $variable"* ]] ||
					_show "$variable='$value' fcpause $command"
				count=$((count + 1))
			done < <([ "$arg" = - ] && printf '%s\n' maybe 2 ye || bad_values "$arg")
		done < <(options_of $command)
	done
	[ "$count" -gt 200 ]
}

@test "each option without its value, each switch with one" {
	local command name arg
	for command in $COMMANDS; do
		while read -r name arg; do
			status=0
			if [ "$arg" = - ]; then
				"$FCPAUSE" $command "--$name=1" >"$T/out" 2>"$T/err" </dev/null || status=$?
			else
				"$FCPAUSE" $command "--$name" >"$T/out" 2>"$T/err" </dev/null || status=$?
			fi
			[ "$status" -eq 2 ] && grep -qF -- "--$name" "$T/err" || _show "fcpause $command --$name"
		done < <(options_of $command)
	done
}

@test "options that do not exist, letters that do not, arguments that are none" {
	local command args
	for command in $COMMANDS; do
		for args in --bogus --bogus=1 -x -nx --- extra 'extra more' '-- extra' --no-json --no-steps; do
			refused '' $command $args
		done
	done
}

@test "an option of another command" {
	refused --fph-timeout-ms reclaim --fph-timeout-ms 5
	refused --snapshot-path madvise-ranges --snapshot-path x
	refused --steps balloon-drain --steps sync
	refused --strict snapshot --strict
	refused --ranges pause --ranges -
	refused --amount-mib pause --amount-mib 1
}

@test "the variable of an option of another command is passed over" {
	FCPAUSE_SNAPSHOT_PATH=x FCPAUSE_STEPS=nonsense FCPAUSE_TYPE=bad fcp madvise-ranges --mem-file-path none
	expect 1
}

@test "an option's value that is the next option by mistake: an empty variable in a script" {
	refused --envd reclaim --envd --steps sync
	refused --api-sock pause --api-sock --snapshot-path s --mem-file-path m
	refused --mem-file-path madvise-ranges --mem-file-path --find zero
}

@test "milliseconds: up to 24 hours, and not one more" {
	fcp balloon-drain --api-sock s -n --fph-timeout-ms 86400000 --timeout-ms 86400000
	expect 0
	refused --fph-timeout-ms balloon-drain --fph-timeout-ms 86400001
	refused --timeout-ms balloon-drain --timeout-ms 4294967296
	refused --step-timeout-ms reclaim --step-timeout-ms sync=4294967297
}

@test "numbers may be hexadecimal, bytes may have suffixes" {
	fcp balloon-drain --api-sock s -n --json --fph-timeout-ms 0x64
	expect_json '.settings.fph_timeout_ms.value == 100'
	local text
	while read -r text value; do
		fcp pause --api-sock s --snapshot-path s --mem-file-path m -n --json --min-run "$text"
		expect_json ".settings.min_run.value == $value"
	done <<-'E'
	0 0
	4096 4096
	0x2000 8192
	4K 4096
	4k 4096
	8KiB 8192
	1M 1048576
	1MiB 1048576
	2G 2147483648
	1T 1099511627776
	E
}

@test "--steps: unknown ones, one twice, empty ones" {
	local list
	for list in sync,sync nothing sync,nothing sync, ,sync sync,,fstrim ,; do
		refused --steps reclaim --envd http://e:1 --steps "$list"
		refused --steps pause --api-sock s --snapshot-path s --mem-file-path m --steps "$list"
	done
}

@test "switches by the environment: 1 0 true false yes no on off, in any case" {
	local word
	for word in 1 true yes on TRUE Yes; do
		FCPAUSE_RESUME=$word fcp snapshot --api-sock s --snapshot-path s --mem-file-path m -n --json
		expect_json '.settings.resume == {"value": true, "origin": "env"}'
	done
	for word in 0 false no off OFF; do
		FCPAUSE_RESUME=$word fcp snapshot --api-sock s --snapshot-path s --mem-file-path m -n --json
		expect_json '.settings.resume == {"value": false, "origin": "env"}'
	done
}

@test "FCPAUSE_ALL of an option that is said at the command line does not matter, even if it is bad" {
	FCPAUSE_TIMEOUT_MS=bad fcp balloon-drain --api-sock s -n --timeout-ms 5
	expect 0
}

@test "every option can be said in one word or two" {
	fcp balloon-drain --api-sock=s --timeout-ms=5 -n
	expect 0
	fcp balloon-drain --api-sock s --timeout-ms 5 --dry-run
	expect 0
}

@test "--help of each command: exit 0, on stdout, names each command's own options, wins over errors" {
	local command
	for command in $COMMANDS; do
		fcp $command --help
		expect 0
		expect_no_err
		expect_out "Usage: fcpause $command"
		expect_out '--json'
		fcp $command --help=all
		expect 0
		expect_no_err
		expect_out '--api-sock'
		expect_out 'Exit codes: '
		fcp $command -h
		expect 0
	done
}

@test "a hostile length: long options, long values, many of them" {
	local long
	long=$(printf 'x%.0s' {1..5000})
	refused '' pause "--$long"
	refused --timeout-ms pause --timeout-ms "$long"
	refused '' pause "$long"
	refused --steps reclaim --envd e --steps "$long"
	refused --step-timeout-ms reclaim --step-timeout-ms "$long=5"
	fcp balloon-drain --api-sock "$long" --json
	expect 1
	expect_json '.error.class == "connect"'
	fcp reclaim --envd "http://$long" --json
	[ "$status" -ne 0 ]
	expect_json '.status == "failed"'
}

@test "A10: a wait of 0 ms is refused, as the manual says" {
	fcp pause --timeout-ms 0
	expect 2
	expect_err "'0' is not a wait of 1 ms or more"
	grep -q 'answer of the API, 1 ms or more' "$ROOT/man/fcpause.1"
}

@test "an empty value is said to be one" {
	local option
	for option in envd api-sock steps snapshot-path; do
		fcp pause --$option ''
		expect 2
		expect_err "--$option: the value is empty"
	done
}

@test "a slip of the pen: the command, or the option of the command, that may have been meant" {
	fcp snapsht
	expect 2
	expect_err "unknown command 'snapsht'; did you mean snapshot? (see fcpause --help)"
	fcp snapshot --api-sok="$T/secret"
	expect 2
	expect_err "unknown option '--api-sok'; did you mean --api-sock? (see fcpause snapshot --help=all)"
	run ! grep secret "$T/err"
	fcp pause --no-drian
	expect 2
	expect_err "did you mean --no-drain?"
	# One of another command is none of this one.
	fcp reclaim --api-sock x --mem-file-pat y
	expect 2
	run ! grep 'did you mean' "$T/err"
	fcp xx
	expect 2
	run ! grep 'did you mean' "$T/err"
}

@test "an option before the command is explained" {
	fcp --json status
	expect 2
	expect_err "'--json' stands before the command, and options follow it: fcpause COMMAND [OPTION...]"
}
