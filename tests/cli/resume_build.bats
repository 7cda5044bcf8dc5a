#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # others expand them
# scripts/resume-build on the simulator, which takes Firecracker's place:
#  - load, resume, envd, a command or none, fcpause pause with what overrides it, a new snapshot
#  - the old snapshot stays byte for byte, and its disks with --restore-drives
#  - exit codes as fcpause's; one JSON object with --json, on failure too
#  - no process, socket, directory or tap is left, on whatever way out

load helpers

# A token file is refused when others can read it.
umask 077

setup_file() { export BATS_TEST_TIMEOUT=120; }

# A snapshot to start from, old.snap and old.mem, and a "firecracker" that is the simulator on a port of
# its own. source_vm [OPTION…]: of the simulator that takes the snapshot.
source_vm() {
	sim_start --memory 16 --balloon "$BALLOON" --workload 6,3,2 "$@"
	[ ! -e disk ] || sim_put /drives/rootfs "{\"drive_id\":\"rootfs\",\"path_on_host\":\"$T/disk\",\"is_root_device\":true,\"is_read_only\":false}"
	sim_put /network-interfaces/eth0 '{"iface_id":"eth0","host_dev_name":"tap9"}'
	sim_put /actions '{"action_type":"InstanceStart"}'
	"$FCPAUSE" snapshot -q --type full --api-sock "$SIM_SOCK" --snapshot-path old.snap --mem-file-path old.mem
	ENVD=$SIM_ENVD
	sim_stop
	sha256sum old.snap old.mem >old.sums
	firecracker
}

# firecracker [OPTION…]: what it does from now on. It logs its requests in requests.
firecracker() {
	printf '%q ' "$(sim_bin)" --die-with-parent --envd-port "${ENVD##*:}" --request-log "$T/requests" --guest-share "$T" \
		--resumed-hinting-ms 5 "$@" >words
	printf '#!/bin/bash\nexec %s "$@"\n' "$(<words)" >fc
	chmod +x fc
	: >requests
}

old_is_untouched() { sha256sum --quiet -c old.sums || _show 'the old snapshot was changed'; }

# rb ARGS…: the script; $status, out, err. What every run must leave is looked at here: nothing.
rb() {
	mkdir -p tmp
	status=0
	TMPDIR=$T/tmp timeout -k 1 $RUN_SECONDS "$ROOT/scripts/resume-build" --fcpause "$FCPAUSE" --firecracker "$T/fc" \
		--envd "$ENVD" --no-tap "$@" >out 2>err 3>&- || status=$?
	keep_report
	nothing_left
}

OLD=(--snapshot-path old.snap --mem-file-path old.mem)
NEW=(--out-snapshot-path new.snap --out-mem-file-path new.mem)

nothing_left() {
	# (A simulator that is killed leaves its guest.)
	rm -rf tmp/fcpause-sim.*
	[ -z "$(ls tmp)" ] || _show "left in TMPDIR: $(ls tmp)" || return 1
	! pgrep -f "api-sock $T/tmp" >left || _show "left: $(<left)" || return 1
	! ls "$T"/*fcpause-tmp "$T"/*.resume-build 2>/dev/null || _show 'half a file is left'
}

rb_start() {
	mkdir -p tmp
	# (In the foreground, for timeout would send the signal to all processes below it, too.)
	TMPDIR=$T/tmp env --default-signal=INT timeout --foreground -k $RUN_SECONDS $RUN_SECONDS "$ROOT/scripts/resume-build" \
		--fcpause "$FCPAUSE" --firecracker "$T/fc" --envd "$ENVD" --no-tap "$@" >out 2>err 3>&- &
	FCP_PID=$!
}

wait_for_file() {
	local end=$((SECONDS + SIM_DEADLINE_S))
	until [ -e "$1" ]; do [ "$SECONDS" -lt "$end" ] || _show "$1 does not come" || return 1; done
}

wait_request() { _sim_wait_file "$T/requests" "$1"; }

# ---- the flow --------------------------------------------------------------------------------

@test "load, resume, command, pause: a new snapshot; the old one is untouched" {
	source_vm
	rb "${OLD[@]}" "${NEW[@]}" --cmd-pause 'echo in the guest; echo err >&2; touch "$HOME/mark"' --json
	expect 0
	expect_json '.command == "resume-build"' '.status == "ok" or .status == "partial"' \
		'.iterations | length == 1' '.iterations[0].pause.command == "pause"' \
		'.iterations[0].pause.vm_state == "Paused"' \
		'.iterations[0] | .load_ms > 0 and .envd_ms > 0 and .cmd_ms > 0 and .pause.paused_ms > 0' \
		'.iterations[0] | .total_ms > .load_ms + .envd_ms + .cmd_ms' \
		'.iterations[0].snapshot_path == "new.snap"' '.summary.total_ms.median == .iterations[0].total_ms' \
		'.summary.cmd_ms.min == .summary.cmd_ms.max' '.summary.drain_ms == null'
	expect_err 'in the guest'
	expect_err '[1/1] $ echo in the guest'
	grep -qx err err
	old_is_untouched
	# What was asked, in this order; the status of the API at the start, and envd's, are polled.
	sed -e "s|$T/tmp/[^/]*/|WORK/|g; s|$T|T|g" -e 's/"process":.*/.../' requests | grep -v '^GET /$\|/health' >asked
	diff asked - <<-'L'
	PUT /metrics {"metrics_path":"WORK/metrics"}
	PUT /snapshot/load {"snapshot_path":"T/old.snap","mem_backend":{"backend_type":"File","backend_path":"T/old.mem"},"resume_vm":false}
	GET /vm/config
	PATCH /vm {"state":"Resumed"}
	envd POST /process.Process/Start Connect-Timeout-Ms=60000 Authorization=Basic cm9vdDo= Connect-Protocol-Version=1 {...
	GET /machine-config
	GET /hotplug/memory
	GET /machine-config
	GET /hotplug/memory
	GET /balloon/hinting/status
	PUT /actions {"action_type":"FlushMetrics"}
	PATCH /vm {"state":"Paused"}
	PUT /snapshot/create {"snapshot_type":"Full","snapshot_path":"T/new.snap.fcpause-tmp","mem_file_path":"T/new.mem.fcpause-tmp"}
	PUT /actions {"action_type":"FlushMetrics"}
	L
	# The new one loads.
	cp new.snap old.snap
	cp new.mem old.mem
	rb "${OLD[@]}" --discard --pause
	expect 0
}

@test "--pause: at once, as text" {
	source_vm
	rb "${OLD[@]}" "${NEW[@]}" --pause
	expect 0
	[ -s new.snap ] && [ -s new.mem ]
	run ! grep -q 'POST /process' requests
	grep -qE '^load +[0-9]+\.[0-9]$' out
	grep -qE '^total +[0-9]+\.[0-9]$' out
	grep -qE '^new.snap, new.mem: [0-9]+ bytes on disk of 16777216$' out
	expect_err 'resume-build: [1/1] loaded in '
	old_is_untouched
}

@test "what overrides reaches fcpause pause: reclaim, drain, ceilings, flags, use, and all behind --" {
	source_vm
	echo '{"flagValues":{"reclaim-on-pause":{"enabled":true,"pause":0,"build":7000},"free-page-hinting":9000}}' >flags
	rb "${OLD[@]}" "${NEW[@]}" --pause --json --flags flags -- --find zero --min-run 8192
	expect 0
	expect_json '.iterations[0].pause.settings | .use.value == "build" and .reclaim.value == true and
		.reclaim.origin == "flags" and .reclaim_timeout_ms.value == 7000 and .fph_timeout_ms.value == 9000 and
		.find.value == "zero" and .min_run.value == 8192' '.summary.reclaim_ms.min > 0'
	rb "${OLD[@]}" "${NEW[@]}" --pause --json --flags flags --use pause --no-reclaim --fph-timeout-ms 8000 --force
	expect 0
	expect_json '.iterations[0].pause.settings | .use.value == "pause" and .reclaim == {value: false, origin: "cli"} and
		.fph_timeout_ms == {value: 8000, origin: "cli"}' '.summary.reclaim_ms == null' '.summary.drain_ms.min > 0'
	rb "${OLD[@]}" "${NEW[@]}" --pause --json --reclaim --reclaim-timeout-ms 6000 --no-drain --force
	expect_json '.iterations[0].pause.settings | .reclaim.value and .reclaim_timeout_ms.value == 6000 and
		.drain == {value: false, origin: "cli"}'
	old_is_untouched
}

@test "iterations: each from the same snapshot, files by number, median, min and max" {
	source_vm
	rb "${OLD[@]}" --output new --iterations 3 --cmd-pause 'sleep 0.1' --json
	expect 0
	expect_json '[.iterations[].snapshot_path] == ["new/1.snap", "new/2.snap", "new/3.snap"]' \
		'([.iterations[].cmd_ms] | sort) as $c | .summary.cmd_ms == {median: $c[1], p95: $c[2], min: $c[0], max: $c[2]}' \
		'[.summary[] | select(.)] | length == 6'
	[ "$(ls new | wc -l)" -eq 6 ]
	[ "$(grep -c "PUT /snapshot/load.*$T/old.snap" requests)" -eq 3 ]
	old_is_untouched
	rb "${OLD[@]}" --discard --iterations 2 --pause
	expect 0
	grep -qE '^ms +median +p95 +min +max$' out
	grep -qE '^total +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+$' out
	old_is_untouched
}

@test "the interface goes on another tap" {
	source_vm
	rb "${OLD[@]}" "${NEW[@]}" --pause --tap tap7 --no-tap --iface eth0
	expect 0
	grep -q '"network_overrides":\[{"iface_id":"eth0","host_dev_name":"tap7"}\]' requests
}

@test "the token and the user reach envd" {
	source_vm
	firecracker --token secret
	echo secret >token
	rb "${OLD[@]}" "${NEW[@]}" --cmd-pause true --user user --envd-token-file token
	expect 0
	grep -q 'Authorization=Basic dXNlcjo= X-Access-Token=secret' requests
}

# ---- when it is paused -------------------------------------------------------------------------

# The script's own process, to which the user sends the signal.
rb_start_known() {
	printf '#!/bin/sh\necho $$ >%q\nexec %q "$@"\n' "$T/script.pid" "$ROOT/scripts/resume-build" >known
	chmod +x known
	mkdir -p tmp
	rm -f err script.pid
	TMPDIR=$T/tmp timeout -k 1 $RUN_SECONDS ./known --fcpause "$FCPAUSE" --firecracker "$T/fc" --envd "$ENVD" --no-tap "$@" \
		>out 2>err 3>&- &
	FCP_PID=$!
}

@test "--signal: it waits, and the signal pauses; one that comes early does so, too" {
	source_vm
	rb_start_known "${OLD[@]}" "${NEW[@]}" --signal SIGUSR1 --json
	_sim_wait_file err 'waits for: kill -USR1 '
	run ! grep -q '"Paused"' requests
	# As it says.
	# shellcheck disable=SC2091 # that is the test
	$(sed -n 's/.*waits for: //p' err)
	fcp_end
	expect 0
	expect_json '.iterations[0].cmd_ms == null' '.iterations[0].pause.vm_state == "Paused"'
	[ -s new.mem ]
	nothing_left
	firecracker --fault 'PUT /snapshot/load slow=700'
	rb_start_known "${OLD[@]}" "${NEW[@]}" --signal USR2 --force
	wait_request '^PUT /snapshot/load'
	kill -USR2 "$(<script.pid)"
	fcp_end
	expect 0
	nothing_left
	old_is_untouched
}

@test "--signal with a command: it is in the snapshot at work, or ended; one that fails ends it all" {
	source_vm
	rb_start_known "${OLD[@]}" "${NEW[@]}" --signal USR1 --json --cmd-pause "touch $T/mark; exec sleep 31239.5"
	_sim_wait_file err 'waits for: '
	wait_for_file mark
	kill -USR1 "$(<script.pid)"
	fcp_end
	expect 0
	expect_json '.iterations[0].cmd_ms == null' '.iterations[0].pause.status != "failed"'
	# The guest's process was left alone until it stood still.
	run ! grep -q SendSignal requests
	nothing_left
	rb_start_known "${OLD[@]}" "${NEW[@]}" --force --signal USR1 --json --cmd-pause true
	_sim_wait_file err 'the command succeeded'
	kill -USR1 "$(<script.pid)"
	fcp_end
	expect 0
	expect_json '.iterations[0].cmd_ms > 0'
	rm new.snap
	rb "${OLD[@]}" "${NEW[@]}" --force --signal USR1 --json --cmd-pause 'exit 7'
	expect 1
	expect_json '.reason | contains("exit code 7")'
	[ ! -e new.snap ]
}

@test "--signal: Firecracker ends meanwhile, and a signal that ends the script" {
	source_vm
	rb_start_known "${OLD[@]}" "${NEW[@]}" --signal USR1
	_sim_wait_file err 'waits for: '
	kill -KILL "$(sed -n 's/.*Firecracker is process //p' err)"
	fcp_end
	expect 1
	expect_err 'Firecracker has ended'
	nothing_left
	rb_start_known "${OLD[@]}" "${NEW[@]}" --signal USR1 --cmd-pause 'exec sleep 31239.5'
	_sim_wait_file err 'waits for: '
	kill -TERM "$(<script.pid)"
	fcp_end
	expect 1
	expect_err 'interrupted by SIGTERM'
	nothing_left
	[ ! -e new.snap ]
}

@test "--shell: what is typed runs in the guest, and its end pauses, whatever its exit code" {
	source_vm
	printf '%s\n' "echo out of the guest" "touch $T/mark" 'exit 3' >typed
	rb "${OLD[@]}" "${NEW[@]}" --shell --json <typed
	expect 0
	expect_json '.iterations[0].cmd_ms > 0' '.iterations[0].pause.vm_state == "Paused"'
	expect_err "out of the guest"
	[ -e mark ]
	[ -s new.mem ]
	rb "${OLD[@]}" "${NEW[@]}" --shell --force </dev/null
	expect 0
	# One that cannot be opened ends it.
	firecracker --fault 'POST /process.Process/Start reset'
	rb "${OLD[@]}" --discard --shell </dev/null
	expect 1
	expect_err 'not paused'
}

resident() { fincore -b -n -o RES "$1" | tr -d ' '; }

@test "--cold: the files are out of the page cache when they are loaded; elsewhere it says what stays" {
	command -v fincore >/dev/null || skip 'fincore is not installed'
	source_vm
	cat old.mem old.snap >/dev/null
	[ "$(resident old.mem)" -gt 0 ]
	sync old.mem old.snap
	dd if=old.mem iflag=nocache count=0 status=none
	[ "$(resident old.mem)" = 0 ] || skip 'this file system keeps its pages'
	# What is resident when Firecracker starts.
	sed -i "2i fincore -b -n -o RES $T/old.mem $T/old.snap >>$T/resident" fc
	local before
	before=$(stat -c '%Y %Z %s' old.mem)
	cat old.mem old.snap >/dev/null
	rb "${OLD[@]}" --discard --pause --iterations 2 --json
	expect_json '.cold == false'
	[ "$(tr -d ' ' <resident | sort -u | wc -l)" -gt 1 ]
	rm resident
	cat old.mem old.snap >/dev/null
	rb "${OLD[@]}" --discard --pause --iterations 2 --cold --json
	expect 0
	expect_json '.cold'
	[ "$(tr -d ' ' <resident | tr '\n' ' ')" = '0 0 0 0 ' ]
	[ "$(stat -c '%Y %Z %s' old.mem)" = "$before" ]
	old_is_untouched
	# What somebody else maps stays.
	python3 -c '
import mmap, sys
f = open("old.mem", "rb"); m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ); sum(m[::4096])
open("mapped", "w").close(); sys.stdin.read()' < <(exec tail -f /dev/null) 3>&- &
	local pid=$!
	wait_for_file mapped
	rb "${OLD[@]}" --discard --pause --cold
	kill "$pid"
	expect 0
	expect_err 'old.mem: 16777216 bytes stay in the page cache: it is not cold'
}

# ---- disks -----------------------------------------------------------------------------------

@test "a disk that the guest writes: told; with --restore-drives it is as before, its new state beside the snapshot" {
	echo old >disk
	source_vm
	rb "${OLD[@]}" "${NEW[@]}" --cmd-pause "echo new >$T/disk"
	expect 0
	expect_err "the guest may write its disk rootfs, $T/disk"
	[ "$(<disk)" = new ]
	echo old >disk
	rb "${OLD[@]}" --output new --iterations 2 --restore-drives --cmd-pause "cat $T/disk; echo new >>$T/disk"
	expect 0
	[ "$(<disk)" = old ]
	[ "$(<new/1.snap.rootfs)" = $'old\nnew' ]
	cmp new/1.snap.rootfs new/2.snap.rootfs
	# Also when it fails, and without a state to keep.
	rb "${OLD[@]}" --output new --force --restore-drives --cmd-pause "echo new >$T/disk; exit 1"
	expect 1
	[ "$(<disk)" = old ]
	rb "${OLD[@]}" --discard --restore-drives --cmd-pause "echo new >$T/disk"
	expect 0
	[ "$(<disk)" = old ]
	# A snapshot that is made is of use with its disk only, whatever fell short.
	firecracker --resumed-hinting-ms -1
	rb "${OLD[@]}" "${NEW[@]}" --force --restore-drives --cmd-pause "echo newer >$T/disk" --fph-timeout-ms 50 -- --strict
	expect 4
	[ "$(<disk)" = old ]
	[ "$(<new.snap.rootfs)" = newer ]
}

@test "several iterations on a disk that is written need --restore-drives, before the guest runs" {
	echo old >disk
	source_vm
	rb "${OLD[@]}" --discard --iterations 2 --pause
	expect 1
	expect_err 'several iterations need --restore-drives'
	run ! grep -q 'PATCH /vm' requests
}

@test "a disk that a killed run left aside is not lost" {
	echo old >disk
	source_vm
	echo older >disk.resume-build
	rb "${OLD[@]}" "${NEW[@]}" --pause --restore-drives || : # which is left
	expect 1
	expect_err 'put it back, or remove it'
	[ "$(<disk.resume-build)" = older ]
}

# ---- layers ----------------------------------------------------------------------------------

# What a command in the guest does that uses N MiB of memory. (The simulator's socket is below TMPDIR.)
fills() {
	# shellcheck disable=SC2086
	printf '%s -sS -f --unix-socket %s/tmp/*/api.sock -X PUT -d %s http://localhost/sim/workload' "$(command -v curl)" "$T" \
		"'{\"fill_mib\":$1,\"free_mib\":0}'"
}

# The simulated guest has no free pages to find.
ZERO=(-- --find zero)

# A snapshot whose base is whole, as fcpause writes it.
source_of_layers() {
	unset FCPAUSE_WRITER
	source_vm
}

# loads SNAP MEM: in a simulator of its own, whose guest finds all its pages as it left them.
loads() {
	SIM_NAME=merged sim_start --no-envd
	sim_load "$T/$1" "$T/$2"
	[ "$(sim_state checksum_ok)" = true ] || _show "$1 and $2 are not what the guest left"
	sim_stop
}

merge_of() { fcp merge -q --base old.mem "$@" && expect 0; }

@test "--layer: the new memory file is a layer of the old one; merged they load" {
	source_of_layers
	rb "${OLD[@]}" "${NEW[@]}" --layer --cmd-pause "$(fills 2)" --json "${ZERO[@]}"
	expect 0
	expect_json '.iterations[0] | .merge == null and (.pause.steps[] | select(.step == "snapshot") | .layer)' \
		'.summary.merge_ms == null'
	[ "$(allocated new.mem)" -lt $((4 << 20)) ]
	old_is_untouched
	merge_of --layer new.mem --out whole.mem
	loads new.snap whole.mem
	rb "${OLD[@]}" "${NEW[@]}" --layer --force --pause "${ZERO[@]}"
	expect 0
	grep -qE '^new.snap, new.mem: [0-9]+ bytes on disk of 16777216$' out
}

@test "--layer with iterations: a chain, each from the one before; only the layers stay" {
	source_of_layers
	rb "${OLD[@]}" --output new --layer --iterations 3 --cmd-pause "$(fills 1)" --json "${ZERO[@]}"
	expect 0
	expect_json '[.iterations[].merge.created] == [null, true, true]' '.summary.merge_ms.max > 0' \
		'[.iterations[].pause.steps[] | select(.step == "snapshot") | .layer] == [true, true, true]' \
		'[.iterations[1:][].merge.layers | length] == [1, 1]'
	[ "$(ls new)" = $'1.mem\n1.snap\n2.mem\n2.snap\n3.mem\n3.snap' ]
	# Each was loaded of the snapshot of the one before it, and of a merge.
	sed -n "s|.*/snapshot/load {\"snapshot_path\":\"\([^\"]*\)\".*\"backend_path\":\"\([^\"]*\)\".*|\1 \2|p" requests |
		sed "s|$T/||g" >loads
	diff loads - <<-'L'
	old.snap old.mem
	new/1.snap new/1.mem.whole
	new/2.snap new/2.mem.whole
	L
	old_is_untouched
	merge_of --layer new/1.mem --layer new/2.mem --layer new/3.mem --out whole.mem
	loads new/3.snap whole.mem
	rb "${OLD[@]}" --discard --layer --iterations 3 --pause
	expect 0
	expect_err '[2/3] merged in '
	old_is_untouched
}

@test "a chain's disk goes on from one to the next, is kept beside each, and put back at the end" {
	echo old >disk
	source_of_layers
	rb "${OLD[@]}" --output new --layer --iterations 3 --restore-drives --cmd-pause "echo new >>$T/disk"
	expect 0
	[ "$(<disk)" = old ]
	[ "$(<new/1.snap.rootfs)" = $'old\nnew' ]
	[ "$(<new/3.snap.rootfs)" = $'old\nnew\nnew\nnew' ]
	# The third fails: of the two before it everything is there.
	rb "${OLD[@]}" --output n2 --layer --iterations 3 --restore-drives \
		--cmd-pause "echo new >>$T/disk; [ \$(wc -l <$T/disk) -lt 4 ]" --json "${ZERO[@]}"
	expect 1
	expect_json '[.iterations[].status] == ["ok", "ok", "failed"]'
	[ "$(<disk)" = old ]
	[ "$(ls n2)" = $'1.mem\n1.snap\n1.snap.rootfs\n2.mem\n2.snap\n2.snap.rootfs' ]
	[ "$(<n2/2.snap.rootfs)" = $'old\nnew\nnew' ]
	# Without --restore-drives the disk is the last one's.
	rb "${OLD[@]}" --discard --layer --iterations 2 --cmd-pause "echo new >>$T/disk"
	expect 0
	[ "$(<disk)" = $'old\nnew\nnew' ]
}

@test "a merge that fails ends the run, and no file of somebody else's is lost" {
	source_of_layers
	mkdir new
	echo mine >new/1.mem.whole
	rb "${OLD[@]}" --output new --layer --iterations 2 --pause
	expect 1
	expect_err 'new/1.mem.whole is there'
	[ ! -s requests ]
	# It comes while the first iteration runs.
	rm new/1.mem.whole
	rb "${OLD[@]}" --output new --layer --iterations 2 --cmd-pause "echo mine >$T/new/1.mem.whole" --json "${ZERO[@]}"
	expect 1
	expect_json '.reason | startswith("fcpause merge: ")' '[.iterations[].status] == ["ok", "failed"]' \
		'.iterations[1].merge.status == "failed"'
	[ "$(<new/1.mem.whole)" = mine ]
	[ -s new/1.mem ]
	old_is_untouched
}

@test "--share reaches fcpause pause, each of them" {
	source_of_layers
	"$FCPAUSE" pause --help=all | grep -q -- --share= || skip 'fcpause pause has no --share'
	head -c 8192 /dev/zero | tr '\0' d >image
	rb "${OLD[@]}" "${NEW[@]}" --share old.mem --share image --pause --json "${ZERO[@]}"
	expect 0
	expect_json '.iterations[0].pause.settings.share.value == ["old.mem", "image"]'
	loads new.snap new.mem
}

@test "a layer where Firecracker has to write: refused before the pause" {
	source_of_layers
	FCPAUSE_WRITER=firecracker rb "${OLD[@]}" "${NEW[@]}" --layer --pause --json
	expect 2
	[ ! -e new.mem ]
	[ ! -s requests ]
}

# ---- failures --------------------------------------------------------------------------------

no_new_files() { [ ! -e new.snap ] && [ ! -e new.mem ] || _show 'there are new files'; }

@test "a command that fails: its output, exit 1, no pause, no new snapshot" {
	source_vm
	rb "${OLD[@]}" "${NEW[@]}" --cmd-pause 'echo what went wrong; exit 7' --json
	expect 1
	expect_err 'what went wrong'
	expect_err 'exit code 7'
	run ! grep -q "Firecracker's log" err
	expect_json '.status == "failed"' '.reason | contains("not paused")' '.error.class == "failed"' \
		'.iterations[0] | .status == "failed" and .cmd_ms > 0 and .pause == null and .total_ms == null' \
		'.summary.total_ms == null'
	run ! grep -q Paused requests
	no_new_files
	old_is_untouched
}

@test "a command that takes too long: exit 4, and it is killed" {
	source_vm
	rb "${OLD[@]}" "${NEW[@]}" --cmd-pause 'exec sleep 31234.5' --cmd-timeout-ms 300 --json
	expect 4
	expect_json '.status == "timeout"' '.error.class == "timeout"'
	run ! pgrep -f '^sleep 31234.5'
	no_new_files
}

@test "envd never comes up: exit 4; Firecracker's log is kept" {
	source_vm
	firecracker --no-envd
	printf '#!/bin/sh\necho "firecracker says this"\nexec %s "$@"\n' "$(<words)" >fc
	rb "${OLD[@]}" "${NEW[@]}" --pause --envd-timeout-ms 400 --json
	expect 4
	expect_err "envd did not answer at $ENVD within 400 ms"
	expect_err 'firecracker says this'
	grep -q 'firecracker says this' new.snap.firecracker.log
	expect_json '.status == "timeout"' '.iterations[0].envd_ms == null'
	no_new_files
	firecracker --fault 'GET /health hang'
	rb "${OLD[@]}" "${NEW[@]}" --pause --envd-timeout-ms 400
	expect 4
}

@test "the load is refused: exit 1, with Firecracker's own words" {
	source_vm
	echo nonsense >old.snap
	sha256sum old.snap old.mem >old.sums
	rb "${OLD[@]}" "${NEW[@]}" --pause --json
	expect 1
	expect_err 'PUT /snapshot/load: Load snapshot error: '
	expect_json '.reason | contains("HTTP status 400")'
	no_new_files
	old_is_untouched
}

@test "a load, or another answer, that does not come: exit 4" {
	source_vm
	firecracker --fault 'PUT /snapshot/load hang'
	rb "${OLD[@]}" "${NEW[@]}" --pause --load-timeout-ms 300
	expect 4
	expect_err 'PUT /snapshot/load: no answer within 300 ms'
	firecracker --fault 'PATCH /vm hang'
	rb "${OLD[@]}" "${NEW[@]}" --pause --api-timeout-ms 1000
	expect 4
}

@test "Firecracker cannot be started, ends at once, ends in between, never answers" {
	source_vm
	rb "${OLD[@]}" "${NEW[@]}" --pause --firecracker "$T/none"
	expect 1
	expect_err "$T/none: there is no such program"
	printf '#!/bin/sh\necho no KVM here; exit 3\n' >fc
	rb "${OLD[@]}" "${NEW[@]}" --pause
	expect 1
	expect_err 'Firecracker has ended'
	expect_err 'no KVM here'
	printf '#!/bin/sh\nexec sleep 30\n' >fc
	rb "${OLD[@]}" "${NEW[@]}" --pause --api-timeout-ms 300
	expect 4
	firecracker --fault 'GET /health die'
	rb "${OLD[@]}" "${NEW[@]}" --pause
	expect 1
	expect_err 'Firecracker has ended'
	no_new_files
}

@test "one that does not end at SIGTERM is killed" {
	source_vm
	printf '#!/bin/bash\ntrap "" TERM\n%s "$@" &\nwhile :; do wait; sleep 0.1; done\n' "$(<words)" >fc
	rb "${OLD[@]}" "${NEW[@]}" --pause
	expect 0
}

@test "the pause fails: its exit code and its reason" {
	source_vm
	firecracker --fault 'PUT /snapshot/create status=500'
	rb "${OLD[@]}" "${NEW[@]}" --pause --json
	expect 1
	expect_json '.iterations[0].pause.status == "failed"' '.reason | startswith("fcpause pause: ")'
	no_new_files
	firecracker --resumed-hinting-ms -1
	rb "${OLD[@]}" "${NEW[@]}" --pause --json --fph-timeout-ms 50 -- --strict --find zero
	expect 4
	expect_json '.status == "partial"' '.reason | contains("balloon-drain")'
	[ -s new.snap ]
	rb "${OLD[@]}" "${NEW[@]}" --force --pause --json --fph-timeout-ms 50
	expect 0
	expect_json '.status == "partial"' 'has("error") | not' '.iterations[0].status == "partial"'
}

@test "an iteration that fails ends the run; the figures of those before it stay" {
	source_vm
	rb "${OLD[@]}" --output new --iterations 3 --cmd-pause "echo x >>$T/count; [ \$(wc -l <$T/count) -lt 2 ]" --json
	expect 1
	expect_json '.iterations | length == 2' '.iterations[0].total_ms > 0' '.iterations[1].status == "failed"' \
		'.summary.total_ms.median == .iterations[0].total_ms'
	[ "$(ls new)" = $'1.mem\n1.snap' ]
}

@test "a good snapshot is said to be there, whatever the pause's exit code; a pause that fell short says why" {
	source_vm
	firecracker --resumed-hinting-ms -1
	rb "${OLD[@]}" "${NEW[@]}" --pause --drain --fph-timeout-ms 50 -- --strict
	expect 4
	expect_err "the snapshot is there and good: $T/new.snap, $T/new.mem" || expect_err 'the snapshot is there and good: new.snap, new.mem'
	run ! grep -q "the end of Firecracker's log" err
	rb "${OLD[@]}" "${NEW[@]}" --force --pause --drain --fph-timeout-ms 50
	expect 0
	grep -qE 'pause: partial \(.*balloon-drain.*\), the guest stood still' err
}

@test "16: a TMPDIR that is too long for a socket, with spaces and quotes" {
	local long
	long="$T/a 'long' \"one\"/$(printf 'l%.0s' {1..100})"
	mkdir -p "$long"
	source_vm
	status=0
	TMPDIR=$long timeout -k 1 $RUN_SECONDS "$ROOT/scripts/resume-build" --fcpause "$FCPAUSE" --firecracker "$T/fc" \
		--envd "$ENVD" --no-tap "${OLD[@]}" "${NEW[@]}" --pause >out 2>err 3>&- || status=$?
	expect 0
	[ -z "$(ls "$long")" ]
	rm new.snap new.mem
	long="$T/a 'b' \"c\""
	mkdir "$long"
	TMPDIR=$long timeout -k 1 $RUN_SECONDS "$ROOT/scripts/resume-build" --fcpause "$FCPAUSE" --firecracker "$T/fc" \
		--envd "$ENVD" --no-tap "${OLD[@]}" "${NEW[@]}" --pause >out 2>err 3>&- || status=$?
	expect 0
}

@test "another fcpause writes the same files: exit 6" {
	local fd
	source_vm
	exec {fd}>new.mem.fcpause-tmp
	chmod 600 new.mem.fcpause-tmp
	flock "$fd"
	rb "${OLD[@]}" "${NEW[@]}" --pause --json || true
	expect 6
	expect_json '.error.class == "locked"'
	[ ! -e new.snap ]
	exec {fd}>&-
	rb "${OLD[@]}" "${NEW[@]}" --pause
	expect 0
}

@test "a log that another run has left is not replaced without --force" {
	source_vm
	firecracker --fault 'PUT /snapshot/load status=500'
	echo kept >new.snap.firecracker.log
	rb "${OLD[@]}" "${NEW[@]}" --pause
	expect 1
	[ "$(<new.snap.firecracker.log)" = kept ]
	rb "${OLD[@]}" "${NEW[@]}" --pause --force
	[ "$(<new.snap.firecracker.log)" != kept ]
}

@test "files that are there stay, without --force; those to resume always" {
	source_vm
	echo mine >new.mem
	rb "${OLD[@]}" "${NEW[@]}" --pause
	expect 1
	expect_err 'new.mem is there'
	[ "$(<new.mem)" = mine ]
	[ ! -s requests ]
	rb "${OLD[@]}" "${NEW[@]}" --pause --force
	expect 0
	ln old.mem link.mem
	rb "${OLD[@]}" --out-snapshot-path new2.snap --out-mem-file-path link.mem --pause --force
	expect 1
	expect_err 'a file of the snapshot to resume'
	old_is_untouched
	rb "${OLD[@]}" --out-snapshot-path no/new.snap --out-mem-file-path new2.mem --pause
	expect 1
	expect_err 'no/new.snap: there is no such directory'
	rb --snapshot-path none --mem-file-path old.mem "${NEW[@]}" --pause --force
	expect 1
	expect_err 'none cannot be read'
}

@test "usage: exit 2, nothing is started, JSON too" {
	ENVD=http://127.0.0.1:1
	local args
	while IFS= read -r args; do
		# shellcheck disable=SC2086
		rb $args --json
		expect 2
		expect_json '.error.class == "usage"'
	done <<-'E'
	--pause
	--snapshot-path a --mem-file-path b --discard
	--snapshot-path a --mem-file-path b --pause --cmd-pause x --discard
	--snapshot-path a --mem-file-path b --pause
	--snapshot-path a --mem-file-path b --pause --discard --output d
	--snapshot-path a --mem-file-path b --pause --out-snapshot-path c
	--snapshot-path a --mem-file-path b --pause --out-snapshot-path c --out-mem-file-path d --iterations 2
	--snapshot-path a --mem-file-path b --pause --discard --iterations 0
	--snapshot-path a --mem-file-path b --pause --discard --iterations x
	--snapshot-path a --mem-file-path b --pause --discard --envd-timeout-ms 86400001
	--snapshot-path a --mem-file-path b --pause --discard --envd-timeout-ms 1.5
	--snapshot-path a --mem-file-path b --pause --discard --envd-timeout-ms 25h
	--snapshot-path a --mem-file-path b --pause --discard --bogus
	--snapshot-path a --mem-file-path b --pause --discard --bogus=1
	--snapshot-path a --mem-file-path b --pause --discard word
	--snapshot-path= --mem-file-path b --pause --discard
	--snapshot-path a --mem-file-path b --pause --discard --envd --no-tap
	--snapshot-path
	E
}

@test "options that fcpause does not take are found before anything is started" {
	source_vm
	rb "${OLD[@]}" "${NEW[@]}" --pause --json -- --bogus
	expect 2
	expect_err 'unknown option'
	rb "${OLD[@]}" "${NEW[@]}" --pause --fph-timeout-ms x
	expect 2
	[ ! -s requests ]
}

@test "a dry run says what would be done, and does nothing" {
	ENVD=http://127.0.0.1:1
	rb "${OLD[@]}" "${NEW[@]}" --cmd-pause 'make all' --reclaim --envd-timeout-ms 1m30s --cmd-timeout-ms=1.5s -n -- --min-run 8192
	expect 0
	expect_no_err
	expect_out 'until it answers, at most 90000 ms'
	expect_out '--exec-timeout-ms 1500'
	expect_out "$T/fc --api-sock WORK/api.sock"
	expect_out "PUT /snapshot/load {\"snapshot_path\":\"$T/old.snap\""
	expect_out '--script=make\ all'
	expect_out '--use build --reclaim --min-run 8192'
	rb "${OLD[@]}" --discard --pause -n --json --iterations 2
	expect_json '.dry_run' '.plan | length > 8'
	rb "${OLD[@]}" --output new --pause -n --layer --iterations 3
	expect_out "$FCPAUSE merge --json --base $T/old.mem --layer new/1.mem --out new/1.mem.whole --any-base"
	expect_out "$FCPAUSE merge --json --base new/1.mem.whole --layer new/2.mem --out new/2.mem.whole --any-base"
	expect_out '--use build --layer'
	rb "${OLD[@]}" "${NEW[@]}" --pause -n --share old.mem --share=image
	expect_out '--use build --share old.mem --share image'
}

@test "variables that would change what fcpause does here do not" {
	source_vm
	FCPAUSE_DRY_RUN=1 FCPAUSE_BEST_EFFORT=1 FCPAUSE_JSON=1 FCPAUSE_SNAPSHOT_PATH=x rb "${OLD[@]}" "${NEW[@]}" --cmd-pause false
	expect 1
	no_new_files
	FCPAUSE_DRY_RUN=1 FCPAUSE_LAYER=1 rb "${OLD[@]}" "${NEW[@]}" --pause --json
	expect 0
	[ -s new.snap ]
	expect_json '.iterations[0].pause.steps[2].layer == false'
}

# ---- signals ---------------------------------------------------------------------------------

# interrupted SIGNAL REQUEST OPTION…: the signal when the request has been logged.
interrupted() {
	rb_start "${OLD[@]}" "${NEW[@]}" --json "${@:3}"
	[ -z "$2" ] || wait_request "$2"
	fcp_signal "$1"
	fcp_end
	expect 1
	expect_json '.status == "failed"' ".reason == \"interrupted by SIG$1\"" '.error.class == "interrupted"'
	nothing_left
	no_new_files
	old_is_untouched
}

@test "a signal during the load, the wait for envd, the command, the drain, the snapshot: nothing is left" {
	source_vm
	firecracker --fault 'PUT /snapshot/load hang'
	interrupted TERM '^PUT /snapshot/load' --pause
	firecracker --fault 'GET /health hang'
	interrupted INT '/health' --pause
	firecracker
	interrupted HUP '^envd POST /process' --cmd-pause 'exec sleep 31235.5'
	run ! pgrep -f '^sleep 31235.5'
	firecracker --resumed-hinting-ms -1
	interrupted TERM '^PATCH /balloon/hinting/start' --pause --fph-timeout-ms 60000
	grep -q '^PATCH /balloon/hinting/stop' requests
	firecracker --snapshot-ms 1000
	interrupted INT '^PUT /snapshot/create' --pause
}

@test "a signal while a snapshot is written that takes long: no part of it is left" {
	source_vm
	firecracker --snapshot-ms 60000
	interrupted TERM '^PUT /snapshot/create' --pause
}

@test "A13: a signal while the directory for the run is made leaves nothing" {
	local signal
	source_vm
	signal_at_directory
	for signal in HUP INT TERM; do
		SIGNAL=$signal PATH=$T/bin:$PATH rb "${OLD[@]}" "${NEW[@]}" --pause --json
		expect 1
		expect_json ".reason == \"interrupted by SIG$signal\""
		no_new_files
	done
}

@test "a signal while Firecracker starts" {
	source_vm
	printf '#!/bin/bash\necho started >>%q\nexec sleep 30\n' "$T/requests" >fc
	interrupted TERM '^started' --pause
}

@test "a signal in a chain: its merged file is removed, and the layers that are whole stay" {
	source_of_layers
	rb_start "${OLD[@]}" --output new --layer --iterations 3 --json \
		--cmd-pause "echo x >>$T/count; [ \$(wc -l <$T/count) -lt 2 ] || exec sleep 31239" "${ZERO[@]}"
	wait_request '1.mem.whole'
	_sim_wait_file count x
	until [ "$(wc -l <count)" = 2 ]; do sleep 0.05; done
	fcp_signal TERM
	fcp_end
	expect 1
	expect_json '[.iterations[].status] == ["ok", "failed"]'
	nothing_left
	[ "$(ls new)" = $'1.mem\n1.snap' ]
	old_is_untouched
}

@test "a signal with disks aside: they are put back" {
	echo old >disk
	source_vm
	interrupted TERM '^envd POST /process' --restore-drives --cmd-pause "echo new >$T/disk; sleep 31236"
	[ "$(<disk)" = old ]
}

# ---- the tap ---------------------------------------------------------------------------------

can_tap() {
	[ "$(id -u)" = 0 ] || skip 'root is needed for a tap'
	[ -c /dev/net/tun ] || skip 'there is no /dev/net/tun'
	command -v ip >/dev/null || skip 'ip is not installed'
	ip tuntap add dev "$1" mode tap 2>/dev/null || skip 'a tap cannot be made here'
	ip tuntap del dev "$1" mode tap
}

@test "the tap is made and removed, also by a signal; one that is there is left" {
	local tap=fcprb$((RANDOM % 10000)) script=$ROOT/scripts/resume-build
	can_tap "$tap"
	source_vm
	local -a args=("${OLD[@]}" --discard --fcpause "$FCPAUSE" --firecracker "$T/fc" --envd "$ENVD"
		--tap "$tap" --tap-address 10.231.7.1/30)
	mkfifo go
	"$script" "${args[@]}" --cmd-pause "read -r line <$T/go" >out 2>err 3>&- &
	FCP_PID=$!
	wait_request '^envd POST /process'
	ip -4 addr show dev "$tap" | grep -qF 10.231.7.1/30
	echo go >go
	wait "$FCP_PID"
	[ ! -e "/sys/class/net/$tap" ]
	firecracker --fault 'GET /health hang'
	"$script" "${args[@]}" --pause >out 2>err 3>&- &
	FCP_PID=$!
	wait_request /health
	[ -e "/sys/class/net/$tap" ]
	fcp_signal TERM
	fcp_end
	[ ! -e "/sys/class/net/$tap" ]
	firecracker
	ip tuntap add dev "$tap" mode tap
	"$script" "${args[@]}" --pause >out 2>err
	[ -e "/sys/class/net/$tap" ]
	ip tuntap del dev "$tap" mode tap
}

@test "a tap that cannot be made: exit 1, with the reason, nothing is started" {
	source_vm
	mkdir bin
	printf '#!/bin/sh\necho "Operation not permitted" >&2\nexit 1\n' >bin/ip
	chmod +x bin/ip
	status=0
	TMPDIR=$T/tmp && mkdir -p tmp
	PATH=$T/bin:$PATH TMPDIR=$T/tmp "$ROOT/scripts/resume-build" "${OLD[@]}" --discard --pause --fcpause "$FCPAUSE" \
		--firecracker "$T/fc" --envd "$ENVD" --tap fcprbnone >out 2>err || status=$?
	expect 1
	expect_err 'tap fcprbnone: Operation not permitted'
	nothing_left
	[ ! -s requests ]
}

# ---- what holds it together ------------------------------------------------------------------

@test "--help, the manual and the parser have the same options" {
	local page=$ROOT/man/fcpause-resume-build.1 name
	"$ROOT/scripts/resume-build" --help >help
	grep -oE -- '--[a-z][a-z-]+(=[A-Z]+)?' help | grep -vE '^--(snapshot-path|mem-file-path|out-snapshot-path|out-mem-file-path|output|cmd-pause|signal)$' |
		tr '=' ' ' | sort -u >a
	awk '/^\.Sh / { inside = $2 == "OPTIONS" } inside && /^\.It Fl/' "$page" |
		grep -oE 'Fl Fl [a-z-]+( Ar [A-Z]+)?' | sed -E 's/Fl Fl ([a-z-]+)( Ar)?/--\1/' | sort -u >b
	[ "$(wc -l <b)" -gt 30 ]
	diff a b
	# One that has a value and none here is told so; a switch is not unknown.
	while read -r name value; do
		[ -n "$value" ] || { "$ROOT/scripts/resume-build" "$name" --help >out 2>&1 || _show "$name"; continue; }
		run -2 "$ROOT/scripts/resume-build" "$name"
		[[ $output == *"$name needs a value"* ]] || { echo "$output"; false; }
	done <a
}

@test "installed, it finds its parts and fcpause" {
	source_vm
	local b=${FCPAUSE%/*}
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$ROOT" -o product install B="${b#"$ROOT"/}" PREFIX="$T/usr" >log 2>&1 ||
		{ cat log; false; }
	status=0
	mkdir -p tmp
	TMPDIR=$T/tmp "$T/usr/bin/fcpause-resume-build" "${OLD[@]}" "${NEW[@]}" --pause --firecracker "$T/fc" --envd "$ENVD" \
		--no-tap >out 2>err || status=$?
	expect 0
	expect_err 'fcpause-resume-build: [1/1] '
	nothing_left
	"$T/usr/bin/fcpause-resume-build" "${OLD[@]}" --discard --pause -n | grep -q "^$T/usr/bin/fcpause pause"
	[ -e "$T/usr/share/man/man1/fcpause-resume-build.1" ]
}

@test "shellcheck finds nothing" {
	command -v shellcheck >/dev/null || skip 'shellcheck is not installed'
	cd "$ROOT" && shellcheck -x scripts/resume-build scripts/vm.sh
}
