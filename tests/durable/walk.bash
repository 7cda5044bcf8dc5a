# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What faults.bats and requests.bats do between and after the runs of a walk.

VM() { vm --no-envd "$@" && reference; }

# What a run was begun with: MODE new (no files), force (an old pair), pause (new, checkpoint).
arrange() {
	rm -rf "$D"
	mkdir "$D"
	: >"$SIM_LOG"
	case $1 in force) old_pair ;; esac
}

run_mode() {
	case $1 in
	new) snapshot "${@:2}" ;;
	force) snapshot --force "${@:2}" ;;
	pause) pause --resume --type full "${@:2}" ;;
	esac
}

WANTED='length == 1 and (.[0] | .schema == "fcpause/1" and .ms < 12000 and
	if $code == 0 then .status != "failed" and (has("error") | not) and .vm_state == $state
	elif $code == 1 then .status == "failed" and .error.class != "left" and .vm_state != "Paused"
	elif $code == 5 then .status == "failed" and .error.class == "left"
	else false end)'

# judge MODE WHAT [leftover]
judge() {
	local state=Paused names='mem snap'
	[ "$1" != pause ] || state=Running
	jq -e -s --argjson code "$status" --arg state $state "$WANTED" out >/dev/null ||
		_show "$2: the exit code and the JSON" || return
	if [ "$status" -eq 0 ]; then
		vm_is $state || _show "$2" || return
		same_new_pair || _show "$2: the new pair is not whole" || return
	elif [ "$status" -eq 1 ]; then
		vm_is Running || _show "$2" || return
		if [ "$1" = force ]; then
			same_old_pair || _show "$2: failed, and the old pair is not as it was" || return
		else
			names='*'
		fi
	else
		names=$(listing) # who is left like that is looked at by the caller
	fi
	[ "${3:-}" = leftover ] || [ "$(listing)" = "$names" ] ||
		_show "$2: there are: $(listing)"
}

back_to_running() { sim_patch /vm '{"state":"Resumed"}'; }
