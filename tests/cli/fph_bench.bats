#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # others expand them
# scripts/fph-bench on the simulator, which takes Firecracker's place:
#  - each variant is run with its own steps, by turns, from one state; the user's disks are never written
#  - the figures: medians, differences, table, plot, JSON, of given runs and of real ones
#  - runs that fail are counted and shown; what the VM cannot do is `unsupported`
#  - no process, socket, directory or disk is left, on whatever way out

load helpers

setup_file() { export BATS_TEST_TIMEOUT=180; }

# An address for envd that nobody else has.
free_port() {
	sim_start --memory 16
	ENVD=$SIM_ENVD
	sim_stop
}

# firecracker [OPTION…]: what it does from now on. It logs its starts and its requests in requests.
firecracker() {
	printf '%q ' "$(sim_bin)" --die-with-parent --envd-port "${ENVD##*:}" --workload 6,3,2 --request-log "$T/requests" --guest-share "$T" \
		--resumed-hinting-ms 5 "$@" >words
	printf '#!/bin/bash\necho "START $*" >>%q\n[ "$1" != --config-file ] || cp "$2" %q\nexec %s "$@"\n' \
		"$T/requests" "$T/config.used" "$(<words)" >fc
	chmod +x fc
	: >requests
}

# booted_vm [FILTER]: vm.json, a VM to boot, with a disk.
booted_vm() {
	free_port
	echo old >disk
	jq -n --arg disk "$T/disk" --argjson balloon "$BALLOON" '{"boot-source": {kernel_image_path: "k"},
		drives: [{drive_id: "rootfs", path_on_host: $disk, is_root_device: true, is_read_only: false},
			{drive_id: "lower", path_on_host: "/dev/null", is_root_device: false, is_read_only: true}],
		"network-interfaces": [{iface_id: "eth0", host_dev_name: "tap9"}],
		"machine-config": {vcpu_count: 1, mem_size_mib: 16}, balloon: $balloon,
		metrics: {metrics_path: "/nowhere/metrics"}} | '"${1:-.}" >vm.json
	firecracker
	VM=(--config-file vm.json)
	sha256sum vm.json disk >sums
}

# A VM to restore: old.snap, old.mem.
restored_vm() {
	echo old >disk
	sim_start --memory 16 --balloon "$BALLOON" --workload 6,3,2
	sim_put /drives/rootfs "{\"drive_id\":\"rootfs\",\"path_on_host\":\"$T/disk\",\"is_root_device\":true,\"is_read_only\":false}"
	sim_put /network-interfaces/eth0 '{"iface_id":"eth0","host_dev_name":"tap9"}'
	sim_put /actions '{"action_type":"InstanceStart"}'
	"$FCPAUSE" snapshot -q --type full --api-sock "$SIM_SOCK" --snapshot-path old.snap --mem-file-path old.mem
	ENVD=$SIM_ENVD
	sim_stop
	firecracker
	VM=(--snapshot-path old.snap --mem-file-path old.mem)
	sha256sum old.snap old.mem disk >sums
}

OPTIONS=(--no-tap --no-warm-up --step-timeout-ms sync=20000 --step-timeout-ms drop_caches=20000 --step-timeout-ms compact_memory=20000
	--step-timeout-ms fstrim=20000 --fph-timeout-ms 20000)
# What the simulator's memory, which holds no kernel, can have released.
ZERO=(-- --find zero)

# bench ARGS…: the script on the VM; $status, out, err. What every run must leave is looked at here: nothing.
bench() {
	mkdir -p tmp
	status=0
	TMPDIR=$T/tmp timeout -k 1 120 "$ROOT/scripts/fph-bench" "${VM[@]}" --fcpause "$FCPAUSE" --firecracker "$T/fc" \
		--envd "$ENVD" "${OPTIONS[@]}" "$@" >out 2>err 3>&- || status=$?
	keep_report
	cat ./*.json 2>/dev/null | grep '"command":"fph-bench"' >>reports.to-check || true
	nothing_left
}

bench_start() {
	mkdir -p tmp
	# (--foreground: the signal is for the script, not for its Firecracker.)
	TMPDIR=$T/tmp env --default-signal=INT timeout --foreground -k 60 60 "$ROOT/scripts/fph-bench" "${VM[@]}" --fcpause "$FCPAUSE" \
		--firecracker "$T/fc" --envd "$ENVD" "${OPTIONS[@]}" "$@" >out 2>err 3>&- &
	FCP_PID=$!
}

nothing_left() {
	# (A simulator that is killed leaves its guest.)
	rm -rf tmp/fcpause-sim.*
	[ -z "$(ls tmp)" ] || _show "left in TMPDIR: $(ls tmp)" || return 1
	! pgrep -f "api-sock $T/tmp" >left || _show "left: $(<left)" || return 1
	! find "$T" -name '*fcpause-tmp*' -o -name '*.json.??????' -o -name '*.svg.??????' | grep -v 'failed$' | grep . ||
		_show 'half a file is left' || return 1
	[ ! -e sums ] || sha256sum --quiet -c sums || _show 'a file of the user was changed'
}

well_formed() { xmllint --noout --nonet "$1" || { cat "$1"; false; }; }

# Each Firecracker that was started, a line: what was asked of it.
asked() {
	awk '/^START/ { if (n++) print line; line = $2 }
		/process.Process.Start.*--script-of-the-test/ { line = line " workload" }
		/drop_caches/ { line = line " reclaim" }
		/hinting\/start/ { line = line " drain" }
		/"Paused"/ { line = line " pause" }
		END { print line }' requests
}

# ---- the runs --------------------------------------------------------------------------------

@test "booted: six variants, each with its steps, by turns; table, JSON and plot" {
	booted_vm
	bench --iterations 2 --workload ': --script-of-the-test; echo in the guest' --json out.json --svg out.svg "${ZERO[@]}"
	expect 0
	cp out table
	cp out.json out
	expect_json '.command == "fph-bench"' '.status == "ok"' '.config_file == "vm.json"' '.iterations == 2' \
		'.variants == ["nothing", "reclaim", "drain", "reclaim+drain", "trim", "all"]' \
		'[.runs[] | .variant] == .variants + .variants[1:] + .variants[:1]' \
		'[.runs[] | .iteration] == [1,1,1,1,1,1,2,2,2,2,2,2]' \
		'[.runs[] | .variant as $v | .pause.settings |
			(.reclaim.value == ($v | test("reclaim|all"))) and (.drain.value == ($v | test("drain|all"))) and
			(.trim.value == ($v | test("trim|all"))) and .find.value == "zero"] | all' \
		'[.runs[] | .pause.steps | map(select(.status != "skipped") | .step) | join(" ")] | .[:6] == ["snapshot",
			"reclaim snapshot", "balloon-drain snapshot", "reclaim balloon-drain snapshot", "snapshot madvise-ranges",
			"reclaim balloon-drain snapshot madvise-ranges"]' \
		'[.runs[] | .start_ms > 0 and .envd_ms > 0 and .workload_ms > 0 and .paused_ms > 0 and
			.total_ms >= .paused_ms and .mem_file.logical_bytes == 16777216 and
			.mem_file.allocated_bytes > 0 and .mem_file.allocated_bytes <= 16777216] | all' \
		'[.runs[] | select(.variant | test("drain|all") | not) | .drained_bytes] | all(. == null)' \
		'[.runs[] | select(.variant | test("drain|all")) | .drained_bytes] | all(. > 0)'
	# The sums are those of the runs.
	expect_json '[.summary[] | .measured == 2 and .failed == 0] | all' \
		'.runs as $runs | [.summary[] | .variant as $v | [$runs[] | select(.variant == $v)] as $of |
			(.paused_ms | .min == ($of | map(.paused_ms) | min) and .max == ($of | map(.paused_ms) | max)) and
			.mem_file_bytes.median == ($of | map(.mem_file.allocated_bytes) | add / 2)] | all' \
		'.summary[5].mem_file_bytes.median < .summary[0].mem_file_bytes.median' \
		'.summary[5].against_nothing.mem_file_percent < 0' '.summary[0].against_nothing == null'
	sed -n 's/^START //p' requests >starts
	[ "$(wc -l <starts)" -eq 12 ]
	local with='--config-file workload'
	[ "$(asked | head -n 7)" = "$with pause
$with reclaim pause
$with drain pause
$with reclaim drain pause
$with pause
$with reclaim drain pause
$with reclaim pause" ] || { asked; false; }
	[ "$(awk '{ print $1, $2 }' table | head -n 7 | paste -sd ,)" = 'variant n,nothing 2,reclaim 2,drain 2,reclaim+drain 2,trim 2,all 2' ]
	grep -qE '^all +2 +[0-9.]+ \([0-9.]+-[0-9.]+\) +-[0-9.]+% ' table
	well_formed out.svg
	[ "$(grep -c '<rect class="ba' out.svg)" -eq 12 ]
	[ "$(grep -c '<circle' out.svg)" -eq 24 ]
	[ "$(grep -c 'in the guest' err)" -eq 12 ]
}

@test "restored: loaded anew each time, on copies of its disks, and a drain is insisted on" {
	restored_vm
	bench --variants nothing,drain --iterations 1 --json out.json "${ZERO[@]}"
	expect 0
	# What fcpause does from then on is not looked at here.
	sed -e "s|$T/tmp/[^/]*/|WORK/|g; s|$T|T|g; s/ --api-sock.*//" requests | awk '/^START/ { on = 1 }
		on && !/^GET \/$/ || /hinting\/start/; /Resumed/ { on = 0 }' >log
	diff log - <<-'L'
	START
	PUT /metrics {"metrics_path":"WORK/metrics"}
	PUT /snapshot/load {"snapshot_path":"T/old.snap","mem_backend":{"backend_type":"File","backend_path":"T/old.mem"},"resume_vm":false}
	GET /vm/config
	PATCH /drives/rootfs {"drive_id":"rootfs","path_on_host":"WORK/run.rootfs"}
	GET /balloon
	PATCH /vm {"state":"Resumed"}
	START
	PUT /metrics {"metrics_path":"WORK/metrics"}
	PUT /snapshot/load {"snapshot_path":"T/old.snap","mem_backend":{"backend_type":"File","backend_path":"T/old.mem"},"resume_vm":false}
	GET /vm/config
	PATCH /drives/rootfs {"drive_id":"rootfs","path_on_host":"WORK/run.rootfs"}
	PATCH /vm {"state":"Resumed"}
	PATCH /balloon/hinting/start {"acknowledge_on_stop":true}
	L
	cp out.json out
	expect_json '.runs[1].pause.steps[1].status == "ok"' ".snapshot_path == \"$T/old.snap\""
}

@test "who writes: fcpause, Firecracker, a layer; beside it any step, and whatever the environment says" {
	restored_vm
	FCPAUSE_WRITER=firecracker bench --variants nothing,firecracker+trim,fcpause,layer,reclaim+layer --iterations 2 \
		--json out.json --svg out.svg "${ZERO[@]}"
	expect 0
	grep -qE '^layer +2 .* fcpause \(layer\)$' out
	grep -qE '^firecracker\+trim +2 .* firecracker$' out
	grep -q '>2 runs, by fcpause (layer)<' out.svg
	well_formed out.svg
	cp out.json out
	expect_json '.variants == ["nothing", "firecracker+trim", "fcpause", "layer", "layer+reclaim"]' \
		'[.runs[:5][] | [.writer, .layer]] == [["firecracker", false], ["firecracker", false], ["fcpause", false],
			["fcpause", true], ["fcpause", true]]' \
		'[.summary[].writers] == [{firecracker: 2}, {firecracker: 2}, {fcpause: 2}, {"fcpause (layer)": 2}, {"fcpause (layer)": 2}]' \
		'[.runs[4].pause.steps[] | select(.status != "skipped") | .step] == ["reclaim", "snapshot"]' \
		'.summary[3].mem_file_bytes.median < .summary[2].mem_file_bytes.median'
	# Longer names have their room.
	[ "$(xmllint --xpath 'count(//*[local-name()="text"][@class="name"])' out.svg)" -eq 5 ]
}

@test "a layer of a VM that has no base: unsupported, and the rest is measured, whatever comes first" {
	restored_vm
	# As fcpause answers for a VM that was restored by a page-fault handler.
	printf '#!/bin/sh\ncase "$*" in *" --layer"*" -n") exec %q "$@" ;; *" --layer"*)\n%s\nexit 3 ;; esac\nexec %q "$@"\n' "$FCPAUSE" \
		"echo '{\"status\":\"unsupported\",\"reason\":\"a layer needs a base\"}'" "$FCPAUSE" >fake
	chmod +x fake
	OPTIONS+=(--fcpause "$T/fake")
	bench --variants layer,nothing --iterations 1 --json out.json "${ZERO[@]}"
	expect 0
	grep -qE '^layer +0 +unsupported$' out
	cp out.json out
	expect_json '.status == "partial"' '.reason == "layer is unsupported: fcpause pause: a layer needs a base"' \
		'[.runs[].status] == ["unsupported", "ok"]'
	rm reports.to-check # (the answer that was made up is no whole report)
}

@test "a booted VM has the user's configuration, but its own disks, metrics and tap" {
	booted_vm
	bench --variants nothing --iterations 1 --tap tap7 --iface eth0
	expect 0
	jq -S . vm.json >a
	jq -S '.drives[0].path_on_host |= (ltrimstr("'"$T"'/tmp/") | sub("^[^/]*"; "WORK")) | .metrics.metrics_path |= sub(".*/"; "")' \
		config.used >b
	diff a b >differ || true
	grep '^[<>]' differ | tr -d ' ' | diff - <(cat <<-L
	<"path_on_host":"$T/disk"
	>"path_on_host":"WORK/run.rootfs"
	<"metrics_path":"/nowhere/metrics"
	>"metrics_path":"metrics"
	<"host_dev_name":"tap9",
	>"host_dev_name":"tap7",
	L
	) || { cat differ; false; }
}

@test "what the guest writes to a disk is gone before the next run, and is never the user's" {
	local write="d=\$(echo $T/tmp/fcpause-fph-bench.*/run.rootfs); cat \$d >>$T/seen; echo new >>\$d"
	booted_vm
	bench --variants nothing,trim --iterations 2 --workload "$write" "${ZERO[@]}"
	expect 0
	[ "$(<seen)" = $'old\nold\nold\nold' ]
	rm seen
	restored_vm
	bench --variants nothing,trim --iterations 1 --workload "$write" "${ZERO[@]}"
	expect 0
	[ "$(<seen)" = $'old\nold' ]
}

@test "--keep: snapshots that can be restored as they are, with their disks" {
	booted_vm
	OPTIONS=(--no-tap)
	bench --variants nothing,all --iterations 1 --keep kept --json out.json "${ZERO[@]}"
	expect 0
	# And a run that does not count.
	[ "$(cd kept && echo *)" = 'all.1.mem all.1.rootfs all.1.snap nothing.1.mem nothing.1.rootfs nothing.1.snap' ]
	[ "$(grep -c ^START requests)" -eq 3 ]
	cp out.json out
	expect_json '.runs | length == 2' ".runs[1].mem_file_path == \"$T/kept/all.1.mem\"" \
		".runs[1].mem_file.allocated_bytes == $(allocated kept/all.1.mem)" ".runs[1].mem_file.logical_bytes == $(length kept/all.1.mem)"
	grep -qF "$T/kept/all.1.rootfs" kept/all.1.snap
	# Files that are there stay.
	: >requests
	bench --variants nothing,all --iterations 1 --keep kept "${ZERO[@]}"
	expect 1
	expect_err 'kept/nothing.1.mem is there'
	[ ! -s requests ]
	VM=(--snapshot-path kept/all.1.snap --mem-file-path kept/all.1.mem)
	bench --variants nothing --iterations 1 --no-warm-up
	expect 0
}

@test "caps and passed options reach their variants only, and turn no step on or off" {
	booted_vm
	OPTIONS=(--no-tap --no-warm-up)
	bench --variants trim,reclaim,drain --iterations 1 --fph-timeout-ms 7000 --reclaim-timeout-ms 9000 \
		--step-timeout-ms sync=800 --step-timeout-ms fstrim=0 --json - -- --find zero --drain --reclaim --no-trim --min-run 8192
	expect 0
	expect_json '[.runs[].pause.settings | .min_run.value] == [8192, 8192, 8192]' \
		'.runs[0].pause.settings | .reclaim.value == false and .drain.value == false and .trim.value' \
		'.runs[1].pause.settings | .reclaim.value and .reclaim_timeout_ms.value == 9000 and
			.["step_timeout_ms.sync"].value == 800 and .["step_timeout_ms.fstrim"].value == 0 and
			.drain.value == false and .trim.value == false' \
		'.runs[2].pause.settings | .drain.value and .fph_timeout_ms.value == 7000 and .reclaim.value == false'
	: >requests
	bench --iterations 1 --json - -- --bogus
	expect 2
	bench --iterations 1 --step-timeout-ms nap=3
	expect 2
	[ ! -s requests ]
}

@test "variables that would change what is measured do not" {
	booted_vm
	FCPAUSE_DRAIN=1 FCPAUSE_RECLAIM=1 FCPAUSE_TRIM=0 FCPAUSE_DRY_RUN=1 FCPAUSE_BEST_EFFORT=1 FCPAUSE_FPH_TIMEOUT_MS=1000 \
		FCPAUSE_RECLAIM_TIMEOUT_MS=1000 FCPAUSE_RESUME=1 bench --variants nothing,trim --iterations 1 --json - "${ZERO[@]}"
	expect 0
	expect_json '[.runs[].pause.steps | map(select(.status != "skipped") | .step) | join(" ")] == ["snapshot", "snapshot madvise-ranges"]' \
		'[.runs[].pause.vm_state] == ["Paused", "Paused"]'
}

# ---- what a VM cannot do ---------------------------------------------------------------------

@test "no balloon, or none with hinting: the drain is unsupported, and the rest is measured" {
	local filter
	for filter in 'del(.balloon)' '.balloon.free_page_hinting = false'; do
		booted_vm "$filter"
		bench --variants nothing,drain,all,trim --iterations 2 --force --json out.json --svg out.svg "${ZERO[@]}"
		expect 0
		grep -qE '^drain +0 +unsupported$' out
		grep -qE '^all +0 +unsupported$' out
		expect_out 'drain: 2 of 2: unsupported: the VM has no balloon with free_page_hinting'
		grep -qE '^trim +2 ' out
		grep -q '>unsupported</text>' out.svg
		well_formed out.svg
		# Known after the first run: nothing is started for the others.
		[ "$(grep -c ^START requests)" -eq 4 ]
		cp out.json out
		expect_json '.status == "partial"' '.reason | contains("no balloon")' 'has("error") | not' \
			'[.runs[] | select(.status == "unsupported")] | length == 4' '.summary[1] | .unsupported == 2 and .measured == 0 and .failed == 0'
	done
	bench --variants drain --json -
	expect 3
	expect_json '.status == "unsupported"' '.error.class == "unsupported"'
}

@test "a step that falls short is shown, and measured" {
	booted_vm
	firecracker --hinting-ms -1
	bench --variants nothing,drain --iterations 2 --fph-timeout-ms 50
	expect 0
	grep -qE '^drain +2 ' out
	expect_out 'drain: 2 of 2: balloon-drain timeout: not done within 50 ms, stopped'
}

# ---- failures --------------------------------------------------------------------------------

@test "a workload that fails the first time ends it: exit 1, its output, nothing measured" {
	booted_vm
	OPTIONS=(--no-tap)
	bench --workload 'echo what went wrong; exit 7' --json out.json --svg out.svg
	expect 1
	expect_no_out
	expect_err 'what went wrong'
	expect_err 'exit code 7'
	[ "$(grep -c ^START requests)" -eq 1 ]
	run ! grep -q Paused requests
	[ ! -e out.svg ]
	cp out.json out
	expect_json '.status == "failed"' '.reason | contains("workload")' '.runs | length == 1' '.runs[0].workload_ms > 0' \
		'.summary[0] | .measured == 0 and .failed == 1 and .paused_ms == null'
	firecracker
	bench --workload 'exec sleep 31237.5' --workload-timeout-ms 300 --json -
	expect 4
	expect_json '.status == "timeout"' '.runs[0].status == "timeout"'
	run ! pgrep -f '^sleep 31237.5'
}

@test "a run that fails later is counted and shown, the others go on: exit 4" {
	booted_vm
	bench --variants nothing,trim --iterations 2 --workload "echo x >>$T/count; [ \$(wc -l <$T/count) != 2 ]" \
		--json out.json --svg out.svg "${ZERO[@]}"
	expect 4
	grep -qE '^nothing +2 ' out
	grep -qE '^trim +1/2 ' out
	expect_out 'trim: 1 of 2: failed: the workload did not succeed'
	expect_err '1 of 4 runs failed'
	grep -q '>1 of 2 runs, 1 failed, by firecracker<' out.svg
	cp out.json out
	expect_json '.status == "partial"' '.error.message == "1 of 4 runs failed"' '.runs | length == 4' '.runs[1].mem_file == null' \
		'.summary[1] | .measured == 1 and .failed == 1'
}

@test "Firecracker refuses, ends, or never answers; envd never comes; the pause fails" {
	booted_vm
	bench --firecracker "$T/none"
	expect 1
	expect_err 'there is no such program'
	printf '#!/bin/sh\necho no KVM here; exit 3\n' >fc
	bench
	expect 1
	expect_err 'Firecracker has ended'
	expect_err 'no KVM here'
	printf '#!/bin/sh\nexec sleep 30\n' >fc
	bench --load-timeout-ms 300
	expect 4
	firecracker --no-envd
	bench --envd-timeout-ms 300
	expect 4
	expect_err "envd did not answer at $ENVD within 300 ms"
	firecracker --fault 'PUT /snapshot/create status=500'
	bench --json -
	expect 1
	expect_json '.reason | startswith("fcpause pause: ")' '.runs[0].pause.status == "failed"'
	echo '[1]' >vm.json
	rm sums
	bench
	expect 1
	expect_err 'is not a JSON object'
	VM=(--config-file none.json)
	bench
	expect 1
	expect_err 'none.json cannot be read'
}

@test "a disk that is not a regular file, or not there: told, and nothing is written" {
	booted_vm '.drives[0].path_on_host = "/dev/zero"'
	bench --json -
	expect 3
	expect_err 'disk rootfs, /dev/zero: only a regular file can be copied'
	[ ! -s requests ]
}

@test "an output that cannot be written is found before the first run" {
	booted_vm
	bench --json "$T/none/out.json"
	expect 1
	expect_err 'none/out.json cannot be written'
	bench --svg "$T/none/out.svg"
	expect 1
	[ ! -s requests ]
}

@test "A2: --json and --svg replace a file with --force only, and by a good run only" {
	local option
	booted_vm
	for option in json svg; do
		echo "hours of work" >kept.$option
		bench --variants nothing --iterations 1 --$option kept.$option "${ZERO[@]}"
		expect 1
		expect_err "kept.$option is there (--force replaces it)"
		[ "$(<kept.$option)" = 'hours of work' ]
	done
	[ ! -s requests ]
	# A run that fails, from its first moment and in its second run, leaves them with --force too.
	bench --envd http://127.0.0.1:1 --envd-timeout-ms 200 --force --json kept.json --svg kept.svg
	expect 4
	expect_err 'kept.json stays as it was'
	[ "$(cat kept.json kept.svg)" = $'hours of work\nhours of work' ]
	jq -e '.status == "timeout"' kept.json.failed
	bench --variants nothing --iterations 2 --workload "echo x >>$T/count; [ \$(wc -l <$T/count) != 2 ]" --force --json kept.json --svg kept.svg "${ZERO[@]}"
	expect 4
	[ "$(cat kept.json kept.svg)" = $'hours of work\nhours of work' ]
	jq -e '.status == "partial" and (.runs | length == 2)' kept.json.failed
	well_formed kept.svg.failed
	# A good one replaces them.
	bench --variants nothing --iterations 1 --force --json kept.json --svg kept.svg "${ZERO[@]}"
	expect 0
	jq -e '.status == "ok"' kept.json
	well_formed kept.svg
}

@test "A2: --from replaces a file with --force only, and what it reads is no output by accident" {
	given_runs
	VM=(--from given.json) OPTIONS=()
	cp given.json before
	echo kept >out.svg
	run "$ROOT/scripts/fph-bench" --from given.json --svg out.svg
	[ "$status" -eq 1 ]
	[ "$(<out.svg)" = kept ]
	run "$ROOT/scripts/fph-bench" --from given.json --json given.json
	[ "$status" -eq 1 ]
	cmp given.json before
	"$ROOT/scripts/fph-bench" --from given.json --svg out.svg --force
	well_formed out.svg
	[ -z "$(find . -name '*.svg.*')" ]
}

@test "A13: a signal while the directory for the run is made leaves nothing" {
	local signal
	booted_vm
	signal_at_directory
	for signal in HUP INT TERM; do
		SIGNAL=$signal PATH=$T/bin:$PATH bench --json -
		expect 1
		expect_json ".reason == \"interrupted by SIG$signal\""
	done
}

@test "usage: exit 2, nothing is started, JSON too" {
	local args
	ENVD=http://127.0.0.1:1 VM=()
	while IFS= read -r args; do
		# shellcheck disable=SC2086
		bench --json - $args
		expect 2
		expect_json '.error.class == "usage"'
	done <<-'E'
	--iterations 1
	--snapshot-path a
	--snapshot-path a --mem-file-path b --config-file c
	--config-file c --from d
	--config-file c --iterations 0
	--config-file c --iterations x
	--config-file c --variants
	--config-file c --variants none
	--config-file c --variants trim,,all
	--config-file c --variants trim,trim
	--config-file c --variants reclaim+trim,trim+reclaim
	--config-file c --variants nothing+trim
	--config-file c --variants nothing+fcpause
	--config-file c --variants fcpause+firecracker
	--config-file c --variants layer
	--config-file c --variants trim+fcpause,fcpause+trim
	--snapshot-path a --mem-file-path b --variants layer+firecracker
	--config-file c --fph-timeout-ms 0
	--config-file c --step-timeout-ms 100
	--config-file c --bogus
	--config-file c --bogus=1
	--config-file c word
	--config-file=
	--config-file
	E
}

@test "a dry run says what would be done, and does nothing" {
	booted_vm
	OPTIONS=(--tap-address 10.231.8.1/30)
	bench -n --iterations 2 --variants nothing,reclaim+trim,all --workload 'make all' --fph-timeout-ms 3s --workload-timeout-ms 2m
	expect 0
	expect_no_err
	expect_out 'ip tuntap add dev tap9 mode tap, address 10.231.8.1/30'
	expect_out "$T/fc --config-file WORK/config.json --api-sock WORK/api.sock"
	expect_out '--script=make\ all'
	expect_out '--no-reclaim --no-drain --no-trim'
	expect_out '--reclaim --no-drain --trim'
	expect_out '--reclaim --fph-timeout-ms 3s --drain --trim'
	expect_out '--exec-timeout-ms 120000'
	expect_out '# iteration 2: reclaim+trim all nothing'
	[ ! -s requests ]
	bench -n --json -
	expect_json '.dry_run' '.plan | length > 20'
	VM=(--snapshot-path old.snap --mem-file-path old.mem)
	bench -n
	expect 0
	expect_out "PUT /snapshot/load {\"snapshot_path\":\"$T/old.snap\""
}

# ---- signals ---------------------------------------------------------------------------------

# interrupted SIGNAL REQUEST OPTION…: the signal when the request has been logged.
interrupted() {
	rm -f out.json out.svg
	bench_start --json out.json --svg out.svg "${@:3}"
	_sim_wait_file "$T/requests" "$2"
	fcp_signal "$1"
	fcp_end
	expect 1
	nothing_left
	mv out out.table
	cp out.json out
	expect_json '.status == "failed"' ".reason == \"interrupted by SIG$1\"" '.error.class == "interrupted"' \
		'.runs[-1].status == "skipped"' '[.summary[].failed] | add == 0'
	! ls kept/* 2>/dev/null || _show 'something is kept'
}

@test "a signal while it boots, waits, works, drains, creates: nothing is left, the disk is as it was" {
	booted_vm
	firecracker --fault 'GET /health hang'
	interrupted INT /health --keep kept
	firecracker
	interrupted HUP '^envd POST /process' --workload 'exec sleep 31238.5'
	run ! pgrep -f '^sleep 31238.5'
	firecracker --hinting-ms -1
	interrupted TERM '^PATCH /balloon/hinting/start' --variants drain --fph-timeout-ms 60000
	grep -q '^PATCH /balloon/hinting/stop' requests
	firecracker --snapshot-ms 1000
	interrupted TERM '^PUT /snapshot/create' --keep kept
	restored_vm
	firecracker --fault 'PUT /snapshot/load hang'
	interrupted TERM '^PUT /snapshot/load'
}

@test "a signal later: what was measured until then is shown" {
	booted_vm
	interrupted TERM '^PATCH /balloon/hinting/start' --variants nothing,drain --iterations 1 --workload "echo >>$T/n" \
		"${ZERO[@]}"
	grep -qE '^nothing +1 ' out.table
	expect_json '.runs | length == 2' '.summary[0].measured == 1' '.runs[0].status == "ok"'
	well_formed out.svg
}

@test "Firecracker's vsock socket is removed, one that was there is not" {
	local uds=$T/v.sock
	booted_vm ".vsock = {guest_cid: 3, uds_path: \"$T/v.sock\"}"
	# A socket that its maker leaves behind.
	printf '#!/bin/bash\n%q --api-sock %q --no-envd >/dev/null & until [ -S %q ]; do sleep 0.02; done; kill -KILL $!\nexec %s "$@"\n' \
		"$(sim_bin)" "$uds" "$uds" "$(<words)" >fc
	bench --variants nothing --iterations 2
	expect 0
	[ ! -e "$uds" ]
	touch "$uds"
	firecracker
	bench --variants nothing --iterations 1
	expect 0
	[ -e "$uds" ]
}

# ---- the figures -----------------------------------------------------------------------------

# Runs by hand: bytes and ms that are easy to follow.
given_runs() {
	jq -nc '
	def run($v; $i; $mib; $paused; $total; $drained): {variant: $v, iteration: $i, status: "ok",
		mem_file: {logical_bytes: 536870912, allocated_bytes: ($mib * 1048576)}, paused_ms: $paused, total_ms: $total,
		drained_bytes: $drained, pause: {status: "ok", steps: [{step: "snapshot", status: "ok", ms: $paused}]}};
	{schema: "fcpause/1", command: "fph-bench", status: "partial", reason: "x", workload: "a < b && \"c\" \u0007]]>",
	 variants: ["nothing", "drain", "all", "trim"], runs: [
		(run("nothing"; 1; 200; 1000; 1010; null), run("nothing"; 2; 100; 900.5; 950; null) | .writer = "fcpause"),
		(run("nothing"; 3; 120; 2000; 2100; null) | .writer = "firecracker"),
		(run("drain"; 1; 90; 500; 600; 10485760) | .status = "partial" | .reason = "s" | .pause.status = "partial" |
			.pause.steps += [{step: "balloon-drain", status: "timeout", reason: "not done", ms: 1500}]),
		run("drain"; 2; 30; 700; 900; 31457280),
		{variant: "drain", iteration: 3, status: "failed", reason: "no <luck>", mem_file: null, pause: null},
		{variant: "all", iteration: 1, status: "unsupported", reason: "none", mem_file: null, pause: null},
		{variant: "trim", iteration: 1, status: "timeout", reason: "late", mem_file: null, pause: null}]}' >given.json
}

@test "given runs: medians, differences, counts, notes" {
	given_runs
	"$ROOT/scripts/fph-bench" --from given.json >out
	diff out - <<-'E'
	variant  n    MiB on disk          change  paused ms              change  total ms               change  drained MiB  written by
	nothing  3    120.0 (100.0-200.0)  -       1000.0 (900.5-2000.0)  -       1010.0 (950.0-2100.0)  -       -            fcpause: 2, firecracker: 1
	drain    2/3  60.0 (30.0-90.0)     -50.0%  600.0 (500.0-700.0)    -40.0%  750.0 (600.0-900.0)    -25.7%  20.0         -
	all      0    unsupported
	trim     0/1  failed

	Each: median (min-max), and the median's change against that of nothing.
	512 MiB guest.
	drain: 1 of 3: balloon-drain timeout: not done
	drain: 1 of 3: failed: no <luck>
	all: 1 of 1: unsupported: none
	trim: 1 of 1: timeout: late
	E
	"$ROOT/scripts/fph-bench" --from given.json --json - >out
	jq -e '.summary[1] == {"variant": "drain", "measured": 2, "unsupported": 0, "failed": 1,
		"mem_file_bytes": {"median": 62914560, "p95": 94371840, "min": 31457280, "max": 94371840},
		"logical_bytes": {"median": 536870912, "p95": 536870912, "min": 536870912, "max": 536870912},
		"paused_ms": {"median": 600, "p95": 700, "min": 500, "max": 700}, "total_ms": {"median": 750, "p95": 900, "min": 600, "max": 900},
		"drained_bytes": {"median": 20971520, "p95": 31457280, "min": 10485760, "max": 31457280}, "writers": {},
		"steps": {"balloon-drain": {"ms": {"median": 1500, "p95": 1500, "min": 1500, "max": 1500}, "statuses": {"timeout": 1}},
			"snapshot": {"ms": {"median": 600, "p95": 700, "min": 500, "max": 700}, "statuses": {"ok": 2}}},
		"against_nothing": {"mem_file_percent": -50, "mem_file_noise": false, "paused_percent": -40, "paused_noise": false,
			"total_percent": -25.7, "total_noise": false}}' out ||
		{ jq '.summary[1]' out; false; }
	echo '{"command":"pause"}' >other.json
	run -1 "$ROOT/scripts/fph-bench" --from other.json --json x.json
	[[ $output == *'is not what --json'* ]]
	[ ! -e x.json ]
}

@test "given runs: what may be noise is marked; of which guest, versions, host and day they are" {
	given_runs
	# Trim cannot change the standstill: its range is within that of nothing.
	jq -c '(.runs[0] | .variant = "trim" | .paused_ms = 950) as $trim | .variants = ["nothing", "drain", "trim"] |
		.runs |= (.[:5] + [$trim, ($trim | .iteration = 2 | .paused_ms = 1000 | .mem_file.allocated_bytes = 0)]) |
		.runs[].pause += {version: "0.1.0", vmm_version: "1.16.1", host: "h<1>", start_time: "2026-11-25T10:00:00.000Z"}' given.json >noise.json
	"$ROOT/scripts/fph-bench" --from noise.json --svg out.svg >out
	grep -qE '^trim .* ~-2\.5% ' out || _show 'the noise is not marked'
	grep -qE '^drain .* -50\.0% .* -40\.0% ' out
	grep -qx '~: the ranges overlap, so that it may be noise.' out
	grep -qx '512 MiB guest, Firecracker 1.16.1, fcpause 0.1.0, on h<1>, 2026-11-25.' out
	well_formed out.svg
	grep -qF '>−2.5%, maybe noise<' out.svg
	grep -qF '>−40.0%<' out.svg
	grep -qF '>512 MiB guest, Firecracker 1.16.1, fcpause 0.1.0, on h&lt;1&gt;, 2026-11-25.<' out.svg
	# The figure beside a bar is its median, and says so.
	grep -qF '>median 600.0<' out.svg
	# Nothing is said of the noise of single runs, and no change is no sign.
	jq -c '.runs |= [.[0], (.[0] | .variant = "drain")] | .variants = ["nothing", "drain"]' noise.json >one.json
	"$ROOT/scripts/fph-bench" --from one.json --json - >out
	jq -e '.summary[1].against_nothing | .paused_noise == null and .paused_percent == 0' out
	"$ROOT/scripts/fph-bench" --from one.json >out
	grep -qE '^drain .* 0% .* 0% .* 0% ' out
}

@test "given runs: without nothing there are no differences; one run is enough" {
	given_runs
	jq -c '.variants = ["drain"]' given.json >one.json
	"$ROOT/scripts/fph-bench" --from one.json --svg one.svg >out
	grep -qE '^drain +2/3 +60.0 \(30.0-90.0\) +- ' out
	run ! grep -q % one.svg.text < <(grep -o '<text.*' one.svg | tee one.svg.text)
	well_formed one.svg
	jq -c '.runs |= .[:1] | .variants = ["nothing"]' given.json >one.json
	"$ROOT/scripts/fph-bench" --from one.json --svg one.svg --force
	well_formed one.svg
	grep -q '>1 run, by fcpause<' one.svg
}

@test "given runs: the plot has all of them, to scale, and nothing that is not XML" {
	given_runs
	"$ROOT/scripts/fph-bench" --from given.json --svg out.svg >/dev/null
	well_formed out.svg
	grep -qF 'Workload: a &lt; b &amp;&amp; &quot;c&quot; ]]&gt;' out.svg
	run ! grep -qE '<script|href|url\(|<image' out.svg
	local svg='//*[local-name()="%s"]'
	# shellcheck disable=SC2059
	count() { xmllint --xpath "count($(printf "$svg" "$1")$2)" out.svg; }
	[ "$(count circle)" -eq 10 ]
	[ "$(count rect '[@class="base"]')" -eq 2 ]
	[ "$(count rect '[@class="bar"]')" -eq 2 ]
	[ "$(count text '[text()="unsupported"]')" -eq 2 ]
	[ "$(count text '[text()="failed"]')" -eq 2 ]
	# 60 MiB is half of 120.
	xmllint --xpath '//*[local-name()="rect"]/@width' out.svg | tr -dc '0-9.\n ' >widths
	awk 'NF { w[n++] = $1 } END { d = w[2] * 2 - w[1]; exit !(d < 0.3 && d > -0.3) }' widths || { cat widths; false; }
}

# ---- what holds it together ------------------------------------------------------------------

@test "--help, the manual and the parser have the same options" {
	local page=$ROOT/man/fcpause-fph-bench.1 name value
	"$ROOT/scripts/fph-bench" --help >help
	sed -n 's/^  *\(-n, \|-h, \)\?\(--[a-z-]*\)\(=\([A-Z=]*\)\)\? .*/\2 \4/p' help | sed 's/ $//' | sort -u >a
	awk '/^\.Sh / { inside = $2 == "OPTIONS" } inside && /^\.It Fl/' "$page" | grep -oE 'Fl Fl [a-z-]+( Ar [A-Z=]+)?' |
		sed -E 's/Fl Fl ([a-z-]+)( Ar)?/--\1/' | sort -u >b
	[ "$(wc -l <b)" -eq 30 ]
	diff a b
	# One that has a value and none here is told so; a switch is not unknown.
	while read -r name value; do
		[ -n "$value" ] || { "$ROOT/scripts/fph-bench" "$name" --help >out 2>&1 || _show "$name"; continue; }
		run -2 "$ROOT/scripts/fph-bench" "$name"
		[[ $output == *"$name needs a value"* ]] || { echo "$output"; false; }
	done <a
}

@test "the manual's page has no lint" {
	command -v mandoc >/dev/null || skip 'mandoc is not installed'
	run mandoc -T lint -W warning "$ROOT/man/fcpause-fph-bench.1"
	[ -z "$output" ] || { echo "$output"; false; }
}

@test "installed, it finds its parts and fcpause" {
	booted_vm
	local b=${FCPAUSE%/*}
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$ROOT" -o product install B="${b#"$ROOT"/}" PREFIX="$T/usr" >log 2>&1 ||
		{ cat log; false; }
	mkdir -p tmp
	status=0
	TMPDIR=$T/tmp "$T/usr/bin/fcpause-fph-bench" "${VM[@]}" --variants nothing --iterations 1 --firecracker "$T/fc" \
		--envd "$ENVD" --no-tap --svg out.svg >out 2>err || status=$?
	expect 0
	expect_err 'fcpause-fph-bench: [1/1] nothing: '
	nothing_left
	well_formed out.svg
	"$T/usr/bin/fcpause-fph-bench" "${VM[@]}" -n | grep -q "^$T/usr/bin/fcpause pause"
	[ -e "$T/usr/share/man/man1/fcpause-fph-bench.1" ]
}

@test "shellcheck finds nothing" {
	command -v shellcheck >/dev/null || skip 'shellcheck is not installed'
	cd "$ROOT" && shellcheck -x scripts/fph-bench
}
