#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The exit codes: 0 done; 1 failed; 2 usage; 3 not supported here; 4 partly done;
# 5 the VM was left in another state than asked. One table, a line each: how it is provoked is tested
# in full elsewhere; here the contract is seen at a glance.

load helpers

# code EXPECTED ARGS…
code() {
	fcp "${@:2}"
	expect "$1"
}

@test "0: done, or nothing to do" {
	vm --fstrim ok
	export FCPAUSE_API_SOCK=$SIM_SOCK FCPAUSE_ENVD=$SIM_ENVD FCPAUSE_SNAPSHOT_PATH=snap FCPAUSE_MEM_FILE_PATH=mem
	export FCPAUSE_STEP_TIMEOUT_MS=sync=20000,drop_caches=20000,compact_memory=20000,fstrim=20000
	code 0 balloon-install
	code 0 reclaim
	code 0 reclaim --no-reclaim
	code 0 balloon-drain
	code 0 balloon-drain --fph-timeout-ms 0
	code 0 snapshot --resume
	code 0 madvise-ranges --find zero --holes zero
	code 0 pause --force --find zero
	code 0 pause -n
	code 0 --version
}

@test "1: failed" {
	vm --fault 'PUT /snapshot/create status=500' --fault 'POST /process.Process/Start reset'
	export FCPAUSE_API_SOCK=$SIM_SOCK FCPAUSE_ENVD=$SIM_ENVD
	code 1 balloon-install --deflate-on-oom
	code 1 reclaim
	code 1 balloon-drain --api-sock none
	code 1 snapshot --snapshot-path snap --mem-file-path mem
	code 1 madvise-ranges --mem-file-path none
	code 1 pause --snapshot-path snap --mem-file-path mem
	code 1 pause --snapshot-path snap --mem-file-path mem --flags none --strict-flags
}

@test "2: usage" {
	code 2
	code 2 nothing
	local command
	for command in reclaim balloon-install balloon-drain madvise-ranges snapshot pause; do
		code 2 $command
		code 2 $command --bogus
		code 2 $command --bogus --best-effort
	done
}

@test "3: not supported here" {
	sim_start --boot --memory 16 --guest-missing timeout
	export FCPAUSE_API_SOCK=$SIM_SOCK FCPAUSE_ENVD=$SIM_ENVD
	code 3 balloon-install
	code 3 reclaim
	code 3 balloon-drain
	truncate -s 1M mem
	code 3 madvise-ranges --mem-file-path mem --find zero
	code 0 balloon-drain --best-effort
}

@test "4: partly done" {
	vm --hinting-ms -1 --fstrim fail
	export FCPAUSE_API_SOCK=$SIM_SOCK FCPAUSE_ENVD=$SIM_ENVD
	export FCPAUSE_STEP_TIMEOUT_MS=sync=20000,drop_caches=20000,compact_memory=20000,fstrim=20000
	code 4 reclaim
	code 4 balloon-drain --fph-timeout-ms 50
	head -c 65536 /dev/zero >zeros
	code 4 madvise-ranges --mem-file-path zeros
	code 4 pause --snapshot-path snap --mem-file-path mem --drain --fph-timeout-ms 50 --strict --resume
	code 0 pause --snapshot-path snap --mem-file-path mem --drain --fph-timeout-ms 50 --force --resume
	code 0 balloon-drain --fph-timeout-ms 50 --best-effort
}

@test "5: the VM was left in another state than asked, --best-effort or not" {
	vm --fault 'PUT /snapshot/create die'
	code 5 snapshot --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --best-effort
	SIM_NAME=b vm --fault 'PATCH /vm die@2'
	code 5 pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --resume
	SIM_NAME=c vm --hinting-ms -1 --fault 'GET /balloon/hinting/status die@2'
	code 5 balloon-drain --api-sock "$SIM_SOCK"
}
