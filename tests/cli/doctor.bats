#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# doctor: each check's verdict, and that nothing is changed by looking.

load writer

doctor() { fcp doctor --json --api-sock "$SIM_SOCK" "$@"; }

# verdicts: "NAME VERDICT" a line.
verdicts() { jq -r '.checks[] | .name + " " + .verdict' "$T/out"; }
verdict() { verdicts | grep -qx "$1 $2" || _show "$1 is not $2"; }

@test "a booted VM: all but its guest, which is no Linux; nothing is changed" {
	vm --workload 4,2,1
	mkdir d
	doctor --mem-file-path "$T/d/m" --envd "$SIM_ENVD" --drain
	expect 4
	expect_json '.command == "doctor"' '.status == "partial"' '.reason == "1 of 12 checks say no"' \
		'[.checks[] | select(.verdict == "no")] == [{name: "guest-kernel", verdict: "no",
			found: "vmcoreinfo: no note of a kernel in this memory",
			why: "what the guest'\''s kernel has free is not written",
			what_to_do: "a Linux on x86_64 with VMCOREINFO is needed (CONFIG_CRASH_CORE or CONFIG_VMCORE_INFO)"}]' \
		"(.checks[0].found) == \"Firecracker 1.16.1, process $SIM_PID\"" \
		'[.checks[] | select(.verdict != "no" and .what_to_do != null)] == []'
	for name in socket vm guest-memory base balloon target room reflinks attributes envd guest-tools; do
		verdict $name ok
	done
	[ -z "$(ls -A d)" ]
	[ ! -e "$SIM_SOCK.fcpause-lock" ]
	run ! grep -v '^GET \|^envd POST /process.Process/Start' "$SIM_LOG"
	expect_state '.state == "Running"' '.checksum_ok'
}

@test "what was not asked for is not looked at" {
	vm
	doctor
	for name in balloon target room reflinks attributes envd guest-tools; do verdict $name skipped; done
	run ! grep -q balloon "$SIM_LOG"
}

@test "the text: a line a check, why and what to do, and which steps are on" {
	sim_start --boot --memory 16
	echo '{"flagValues": {"free-page-hinting": 1500}}' >flags
	fcp doctor --api-sock "$SIM_SOCK" --flags flags --no-reclaim
	expect 4
	expect_out "ok        vm             Running, 16 MiB, dirty pages not tracked"
	expect_out "no        balloon        there is no balloon
                         a drain was asked for, and goes through it:
                         install it before boot (fcpause balloon-install), or turn the drain off"
	expect_out "skipped   target         not looked at"
	expect_out "          reclaim        a pause would not do it, by the command line"
	expect_out "          drain          a pause would do it, by the flags"
}

@test "a restored VM: its base; without reflinks that is told" {
	vm
	snap base
	expect 0
	sim_stop
	sim_start --no-envd
	sim_load "$T/base.snap" "$T/base.mem"
	doctor --mem-file-path "$T/m"
	expect_json "[.checks[] | select(.name == \"base\")][0] | .verdict == \"ok\" and .found == \"$T/base.mem\""
	cp base.mem clone.mem
	if cp --reflink=always base.mem clone.mem 2>/dev/null; then verdict reflinks ok; else verdict reflinks no; fi
	doctor --base "$T/clone.mem"
	verdict base no
	expect_json '[.checks[] | select(.name == "base")][0].found | contains("is not the file that the VM was restored from")'
}

@test "the guest's kernel is read where it is a Linux" {
	guest_file guest.mem
	sim_start --boot --no-envd --memory 32 --memory-content guest.mem
	doctor
	expect 0
	verdict guest-kernel ok
	expect_json '[.checks[] | select(.name == "guest-kernel")][0].found | test("^Linux .*, [0-9]+ MiB free$")'
}

@test "no VM, nobody, and a socket of something else" {
	sim_start --memory 16 --no-envd
	doctor
	expect 4
	verdict socket ok
	verdict vm no
	verdict guest-memory skipped
	fcp doctor --json --api-sock "$T/none" --mem-file-path "$T/m"
	expect 4
	verdict socket no
	verdict vm skipped
	verdict target ok
	expect_json '.checks[0].found | contains("cannot connect")'
}

@test "a target that cannot be written, and one that is not there" {
	vm
	doctor --mem-file-path "$T/none/m"
	verdict target no
	verdict room skipped
	[ "$(id -u)" != 0 ] || skip 'root can write everywhere'
	mkdir d
	chmod 500 d
	doctor --mem-file-path "$T/d/m"
	verdict target no
}

@test "no room" {
	vm --memory 64
	[ -w /dev/shm ] && [ "$(id -u)" = 0 ] || skip 'no tmpfs can be mounted'
	mkdir small
	unshare -m sh -c 'mount -t tmpfs -o size=8m small "$1" && exec "$2" doctor --json --api-sock "$3" --mem-file-path "$1/m"' sh \
		"$T/small" "$FCPAUSE" "$SIM_SOCK" >"$T/out" 2>"$T/err" || [ $? = 4 ] || skip 'no tmpfs can be mounted'
	verdict room no
	expect_json '[.checks[] | select(.name == "room")][0].found == "8 MiB are free, the guest has 64"'
}

@test "envd that does not answer, and a guest without tools" {
	vm --fault 'POST /process.Process/Start status=401'
	doctor --envd "$SIM_ENVD"
	expect 4
	verdict envd no
	verdict guest-tools skipped
	sim_stop
	vm
	doctor --envd http://127.0.0.1:1
	verdict envd no
	doctor --envd http://bob:s3cret@127.0.0.1:1
	expect 2
	run ! grep s3cret "$T/out" "$T/err"
}

@test "a signal ends it" {
	vm --fault 'GET / hang'
	fcp_start doctor --api-sock "$SIM_SOCK" --timeout-ms 60000
	sim_wait_log '^GET /$'
	fcp_signal TERM
	fcp_end
	[ "$status" -ne 0 ] && [ "$status" -ne 4 ]
}
