# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What tests of the fcpause writer, its layers and their merging need beside helpers.bash: `load writer`
# instead of it.
#
#   snap NAME ARGS…             one snapshot, into NAME.snap and NAME.mem
#   loads NAME [SIM-NAME]       a simulator of its own loads it; its guest finds all its pages as it left them
#   loads_pair SNAP MEM SIM-NAME    the same of two files

load helpers
eval "helpers_$(declare -f setup)"

MIB=1048576

setup() {
	helpers_setup
	unset FCPAUSE_WRITER
}

snap() {
	local name=$1
	shift
	fcp snapshot --json --api-sock "$SIM_SOCK" --snapshot-path "$name.snap" --mem-file-path "$name.mem" "$@"
}

loads_pair() {
	SIM_NAME=$3 sim_start --no-envd
	sim_load "$T/$1" "$T/$2"
	[ "$(sim_state checksum_ok)" = true ]
}
loads() { loads_pair "$1.snap" "$1.mem" "${2:-loaded_$1}"; }

no_leftovers() {
	local left
	left=$(find . -name '*.fcpause-*')
	[ -z "$left" ] || _show "left: $left"
}
