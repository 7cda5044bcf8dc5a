# SPDX-License-Identifier: Apache-2.0
# The simulator's own workings, where no recording shows them: memory, faults, logs.

bats_require_minimum_version 1.5.0

BALLOON='{"amount_mib":0,"deflate_on_oom":false,"free_page_hinting":true,"free_page_reporting":true}'

setup() {
	load ../lib/sim
}

teardown() {
	sim_stop
}

start() {
	sim_start --boot --balloon "$BALLOON" "$@"
}

state() {
	sim_patch /vm "{\"state\":\"$1\"}"
}

snapshot() {
	sim_put /snapshot/create "{\"snapshot_type\":\"$1\",\"snapshot_path\":\"$2.snap\",\"mem_file_path\":\"$2.mem\"}"
}

load_snapshot() {
	sim_load "$1" "$2"
}

# run_in_guest SCRIPT [CURL-OPTION]...: the frames, a line each, without their prefix.
run_in_guest() {
	local message
	message=$(jq -cn --arg a "$1" '{process:{cmd:"/bin/sh",args:["-c",$a]},stdin:false}')
	shift
	{
		printf '\0'
		printf '%08x' "${#message}" | sed 's/../\\x&/g' | xargs -0 printf '%b'
		printf %s "$message"
	} >"$BATS_TEST_TMPDIR/request"
	curl -sS -N --max-time 20 -H 'Content-Type: application/connect+json' \
		-H 'Authorization: Basic cm9vdDo=' "$@" --data-binary "@$BATS_TEST_TMPDIR/request" \
		"$SIM_ENVD/process.Process/Start" | tr -d '\000-\037' | sed 's/}\(.\){"e/}\n{"e/g'
	return "${PIPESTATUS[0]}"
}

@test "a run gives whole free blocks back to the host, and the guest keeps its data" {
	start --workload 24,12,8
	before=$(sim_state rss_bytes)
	sim_patch /balloon/hinting/start
	sim_wait_clock '^pages-returned'
	[ "$(sim_state rss_bytes)" -eq "$before" ]
	run_in_guest 'echo 3 > /proc/sys/vm/drop_caches; echo 1 >"/proc/sys/vm/compact_memory"'
	[ "$(sim_state cache_bytes)" -eq 0 ]
	sim_patch /balloon/hinting/start
	sim_wait_state hinting_running false
	[ "$(sim_state rss_bytes)" -lt $((before - (12 << 20))) ]
	[ "$(sim_state checksum_ok)" = true ]
}

@test "memfd: a run gives nothing back" {
	start --backing memfd --workload 24,24,0
	run_in_guest 'echo 1 > /proc/sys/vm/compact_memory'
	before=$(sim_state rss_bytes)
	sim_patch /balloon/hinting/start
	sim_wait_clock '^hinting-done'
	[ "$(sim_state rss_bytes)" -eq "$before" ]
	[ "$(sim_state checksum_ok)" = true ]
}

@test "a run that never ends holds the pages until it is stopped" {
	start --hinting-ms -1
	sim_patch /balloon/hinting/start
	sim_wait_state pages_out_bytes $((60 << 20))
	sim_patch /balloon/hinting/stop
	sim_wait_state pages_out_bytes 0
	sim_wait_clock '^pages-returned'
}

@test "hinting-ms 0 is over before the answer; a VM that is paused does not go on" {
	start --hinting-ms 0
	sim_patch /balloon/hinting/start
	[ "$(sim_get /balloon/hinting/status)" = '{"host_cmd":1,"guest_cmd":0}' ]
	state Paused
	sim_patch /balloon/hinting/start
	[ "$(sim_get /balloon/hinting/status)" = '{"host_cmd":3,"guest_cmd":0}' ]
	state Resumed
	[ "$(sim_get /balloon/hinting/status)" = '{"host_cmd":1,"guest_cmd":0}' ]
}

@test "guest_cmd ahead and null" {
	start --hinting-ms -1 --guest-ms 0 --guest-cmd ahead
	sim_patch /balloon/hinting/start
	[ "$(sim_get /balloon/hinting/status)" = '{"host_cmd":2,"guest_cmd":3}' ]
	sim_stop
	start --hinting-ms 0 --guest-ms 0 --guest-cmd null
	sim_patch /balloon/hinting/start
	[ "$(sim_get /balloon/hinting/status)" = '{"host_cmd":1,"guest_cmd":null}' ]
}

@test "full and diff snapshots, and a VM that goes on from them" {
	start --workload 20,10,4
	state Paused
	snapshot Full "$BATS_TEST_TMPDIR/full"
	snapshot Diff "$BATS_TEST_TMPDIR/diff"
	[ "$(stat -c %s "$BATS_TEST_TMPDIR/diff.mem")" -eq $((64 << 20)) ]
	[ "$(($(stat -c '%b * 512' "$BATS_TEST_TMPDIR/full.mem")))" -ge $((64 << 20)) ]
	for which in full diff; do
		SIM_NAME=$which sim_start
		load_snapshot "$BATS_TEST_TMPDIR/full.snap" "$BATS_TEST_TMPDIR/$which.mem"
		[ "$(sim_state state)" = Running ]
		[ "$(sim_state checksum_ok)" = true ]
		[ "$(sim_get /balloon/hinting/status)" = '{"host_cmd":1,"guest_cmd":null}' ]
		sim_patch /balloon/hinting/start
		sim_wait_state hinting_running true
		[ "$(sim_state checksum_ok)" = true ]
	done
}

@test "a damaged page of a snapshot is found out" {
	start --workload 20,10,4
	state Paused
	snapshot Full "$BATS_TEST_TMPDIR/s"
	dd if=/dev/zero of="$BATS_TEST_TMPDIR/s.mem" bs=4096 seek=3 count=1 conv=notrunc status=none
	SIM_NAME=b sim_start
	load_snapshot "$BATS_TEST_TMPDIR/s.snap" "$BATS_TEST_TMPDIR/s.mem"
	[ "$(sim_state checksum_ok)" = false ]
}

@test "loading is refused once something was configured; a load that fails ends the process" {
	sim_start
	sim_put /machine-config '{"vcpu_count":2,"mem_size_mib":32}'
	run load_snapshot /nowhere.snap /nowhere.mem
	[[ $output == *"not allowed after configuring boot-specific resources."* ]]
	sim_stop
	SIM_NAME=b sim_start
	run load_snapshot /nowhere.snap /nowhere.mem
	[[ $output == *"No such file or directory (os error 2)"* ]]
	wait "$SIM_PID"
}

@test "faults of the API" {
	start --fault 'GET /version status=503,busy@2' --fault 'GET /balloon* reset@1' \
		--fault 'PATCH /vm lost@1' --fault 'GET /machine-config truncate' \
		--fault 'GET /vm/config huge=100000' --fault 'GET / garbage@1'
	sim_get /version
	run sim_get /version
	[[ $status -ne 0 && $output == *busy* ]]
	sim_get /version
	run sim_get /balloon
	[ "$status" -eq 52 ]
	sim_get /balloon
	run state Paused
	[ "$status" -eq 52 ]
	[ "$(sim_state state)" = Paused ]
	run sim_get /machine-config
	[ "$status" -eq 18 ]
	[ "$(sim_get /vm/config | wc -c)" -eq 100000 ]
	run jq . <<<"$(sim_get /)"
	[ "$status" -ne 0 ]
	[ "$(sim_get / | jq -r .state)" = Paused ]
}

@test "a request that hangs does not block the others; faults at run time" {
	start
	sim_put /sim/fault '{"fault":"GET /version hang"}'
	run curl -sS --max-time 0.2 --unix-socket "$SIM_SOCK" http://localhost/version
	[ "$status" -eq 28 ]
	sim_get /balloon
	sim_delete /sim/fault
	sim_get /version
	run sim_put /sim/fault '{"fault":"GET /version bogus"}'
	[ "$status" -ne 0 ]
}

@test "die and die-after" {
	start --fault 'PATCH /vm die'
	run state Paused
	[ "$status" -ne 0 ]
	status=0
	wait "$SIM_PID" || status=$?
	[ "$status" -eq 137 ]
	start --fault 'PUT /snapshot/create die-after'
	state Paused
	run snapshot Full "$BATS_TEST_TMPDIR/s"
	[ "$status" -ne 0 ]
	[ "$(stat -c %s "$BATS_TEST_TMPDIR/s.mem")" -eq $((64 << 20)) ]
}

@test "faults of envd's stream" {
	start --fault 'POST /process.Process/Start no-end@1' \
		--fault 'POST /process.Process/Start no-eos@2' \
		--fault 'POST /process.Process/Start cut@3' \
		--fault 'POST /process.Process/Start error=unavailable@4' \
		--fault 'POST /process.Process/Start flood=200000@5' \
		--fault 'GET /health reset'
	run run_in_guest 'exit 0'
	[[ $status -eq 0 && $output != *'"end"'* ]]
	run run_in_guest 'exit 0'
	[[ $status -eq 18 && $output == *'"end"'* ]]
	run run_in_guest 'exit 0'
	[[ $status -eq 18 && $output != *'"exit status 0"'* ]]
	run run_in_guest 'exit 0'
	[[ $status -eq 0 && $output == *'"code":"unavailable"'* ]]
	[ "$(run_in_guest 'exit 0' | wc -c)" -gt 260000 ]
	run curl -sS "$SIM_ENVD/health"
	[ "$status" -eq 56 ]
}

@test "the reclaim's steps run in a real shell, under a real timeout" {
	start --workload 16,8,8 --step-ms drop_caches=5000 --guest-missing fstrim
	run run_in_guest 'rc=0; timeout -s KILL 0.100 sh -c "echo 3 > /proc/sys/vm/drop_caches" || rc=$?; exit $rc'
	[[ $output == *'"exitCode":137'* ]]
	[ "$(sim_state cache_bytes)" -eq $((8 << 20)) ]
	sim_put /sim/option '{"step_ms":{"drop_caches":0}}'
	run run_in_guest "timeout -s KILL 2.000 sh -c 'echo 3 > /proc/sys/vm/drop_caches'; command -v fstrim; LC_ALL=C fstrim /"
	[[ $output == *'"exitCode":127'* ]]
	[ "$(sim_state cache_bytes)" -eq 0 ]
	run run_in_guest 'echo nonsense > /proc/sys/vm/drop_caches'
	[[ $output == *'"exitCode":1,'* ]]
	run run_in_guest 'echo hi > /root/file; cat /root/file; ls /root'
	[[ $output == *'"exit status 0"'* ]]
	[ ! -e /root/file ]
}

@test "envd: token, client that goes away, a guest that is paused" {
	start --token secret --hinting-ms 0
	[ "$(curl -s -o /dev/null -w '%{http_code}' "$SIM_ENVD/envs")" = 401 ]
	[ "$(curl -s -o /dev/null -w '%{http_code}' -H 'X-Access-Token: secret' "$SIM_ENVD/envs")" = 200 ]
	run run_in_guest 'sleep 30' -H 'X-Access-Token: secret' --max-time 1
	[ "$status" -eq 28 ]
	sim_wait_log '^envd POST /process.Process/Start Authorization=Basic cm9vdDo= X-Access-Token=secret \{"process"'
	state Paused
	run curl -sS --max-time 0.2 "$SIM_ENVD/health"
	[ "$status" -eq 28 ]
	state Resumed
	curl -sS "$SIM_ENVD/health"
}

@test "the log has the requests as they came" {
	start
	sim_get /balloon
	run sim_put /balloon '{"x": 1}'
	sim_get /sim/state
	[ "$(sim_log)" = $'GET /balloon\nPUT /balloon {"x": 1}' ]
}

@test "a configuration file: the VM is configured and booted, and nothing of it is a request" {
	local config=$BATS_TEST_TMPDIR/config disk=$BATS_TEST_TMPDIR/disk
	jq -n --argjson balloon "$BALLOON" --arg disk "$disk" '{
		"boot-source": {kernel_image_path: "k", boot_args: "quiet"},
		drives: [{drive_id: "rootfs", path_on_host: $disk, is_root_device: false, is_read_only: false}],
		"network-interfaces": [{iface_id: "eth0", host_dev_name: "tap7"}],
		"machine-config": {vcpu_count: 1, mem_size_mib: 32}, balloon: $balloon, entropy: {}}' >"$config"
	sim_start --config-file "$config"
	[ "$(sim_state state)" = Running ]
	sim_get /vm/config | jq -e --arg disk "$disk" '.drives[0].path_on_host == $disk and .balloon.free_page_hinting
		and ."network-interfaces"[0].host_dev_name == "tap7" and ."machine-config".mem_size_mib == 32'
	[ "$(sim_log)" = 'GET /vm/config' ]
	# A disk's file can be another, if it is there.
	run sim_patch /drives/rootfs '{"drive_id":"rootfs","path_on_host":"'"$disk"'2"}'
	[[ $output == *'No such file or directory (os error 2)'* ]]
	touch "${disk}2"
	sim_patch /drives/rootfs '{"drive_id":"rootfs","path_on_host":"'"$disk"'2"}'
	sim_get /vm/config | jq -e --arg disk "${disk}2" '.drives[0].path_on_host == $disk'
	run sim_patch /drives/other '{"drive_id":"other","path_on_host":"'"$disk"'2"}'
	[[ $output == *'Device not found'* ]]
	sim_stop
	jq '.balloon.bogus = 1' "$config" >"$config.bad"
	run "$(sim_bin)" --api-sock "$BATS_TEST_TMPDIR/s" --config-file "$config.bad"
	[[ $status -eq 1 && $output == *'/balloon: '*bogus* ]]
}

@test "A1: the guest's commands see no file and no process of the host, and can change neither" {
	local before
	echo mine >"$BATS_TEST_TMPDIR/file"
	start --workload 16,8,8
	run run_in_guest "cat '$BATS_TEST_TMPDIR/file'"
	[[ $output == *'"exitCode":1,'* ]]
	# The manual's own example, and the rest of what a guest's root may do.
	before=$(sha256sum /etc/passwd; stat -c %Y /etc /usr/bin)
	run_in_guest 'printf hello >/etc/motd; echo x >>/etc/passwd; mkdir -p /srv/a /opt/b; rm -rf /usr/bin/ls /tmp/*'
	[ "$before" = "$(sha256sum /etc/passwd; stat -c %Y /etc /usr/bin)" ]
	[ "$(run_in_guest 'cat /etc/motd; exit 3' | grep -c aGVsbG8=)" -eq 1 ]
	[ "$(cat "$BATS_TEST_TMPDIR/file")" = mine ]
	# It cannot mount, nor set the kernel's values; the memory that it reads of is its own.
	run run_in_guest 'mount -o remount,rw /usr || mount -t tmpfs x /srv || mount -o remount,rw /proc ||
		cat /proc/sys/kernel/printk_ratelimit >/proc/sys/kernel/printk_ratelimit || exit 42'
	[[ $output == *'"exitCode":42,'* ]]
	[[ $(run_in_guest 'grep -c "MemTotal: *65536 kB" /proc/meminfo') == *MQo=* ]]
	# All that it can signal is its own.
	run run_in_guest 'kill -9 -1'
	kill -0 "$$" "$SIM_PID"
	# Its programs are those of the host; its pids are its own, for envd too.
	[[ $(run_in_guest 'echo $$; ps | grep -c fcpause-sim') =~ \"pid\":([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -lt 100 ]
	sim_stop
	[ -z "$(find "$BATS_TEST_TMPDIR" -maxdepth 1 -name 'fcpause-sim.*')" ]
}

@test "A1: what is shared with the guest by name is all that it can change" {
	mkdir "$BATS_TEST_TMPDIR/shared dir"
	start --guest-share "$BATS_TEST_TMPDIR/shared dir"
	run_in_guest "echo x >'$BATS_TEST_TMPDIR/shared dir/new'; echo y >'$BATS_TEST_TMPDIR/other'"
	[ "$(<"$BATS_TEST_TMPDIR/shared dir/new")" = x ]
	[ ! -e "$BATS_TEST_TMPDIR/other" ]
}

@test "A1: where namespaces are not permitted, commands are refused with the reason" {
	local line
	command -v unshare >/dev/null || skip 'no unshare'
	mkfifo "$BATS_TEST_TMPDIR/ready"
	# A namespace of users in which there can be none of mounts.
	unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_mnt_namespaces && exec "$@"' sh "$(sim_bin)" \
		--api-sock "$BATS_TEST_TMPDIR/s" --boot --die-with-parent >"$BATS_TEST_TMPDIR/ready" 3>&- 4>&- &
	read -r -t 20 line <"$BATS_TEST_TMPDIR/ready" || skip 'no such namespace here'
	SIM_ENVD=$(jq -r .envd <<<"$line")
	run run_in_guest 'touch /tmp/never-there'
	[[ $output == *"runs the guest's commands in a directory of their own only, and cannot here: "*'No space left on device'* ]]
	[ ! -e /tmp/never-there ]
	kill %%
	"$(sim_bin)" --help | grep -q 'Commands of the guest run on this machine, in namespaces of their own'
}

@test "a command that goes on when the simulator ends, or is killed, ends with it" {
	local signal end seconds=31000.$$
	for signal in TERM KILL; do
		SIM_NAME=$signal start
		run run_in_guest "sleep $seconds & exec >/dev/null 2>&1; exec sleep $seconds" --max-time 1
		pgrep -f "sleep $seconds"
		kill "-$signal" "$SIM_PID"
		wait "$SIM_PID" || true
		for ((end = SECONDS + 10; SECONDS < end;)); do pgrep -f "sleep $seconds" || break; done
		run ! pgrep -f "sleep $seconds"
	done
}

@test "bad options" {
	for bad in "--memory 3" "--fault x" "--backing disk" "--balloon {}" "--bogus"; do
		# shellcheck disable=SC2086
		run "$(sim_bin)" --api-sock "$BATS_TEST_TMPDIR/s" $bad
		[ "$status" -eq 2 ]
	done
	run "$(sim_bin)"
	[ "$status" -eq 2 ]
	"$(sim_bin)" --help
}

@test "requests are done in the order in which they came, whoever waits" {
	start --snapshot-ms 300
	state Paused
	snapshot Full "$BATS_TEST_TMPDIR/s" &
	sim_wait_log '^PUT /snapshot/create'
	local i state pids=($!)
	for i in 1 2 3 4 5 6; do
		state=Resumed
		[ $((i % 2)) = 1 ] || state=Paused
		sim_patch /vm "{\"state\":$(printf '%*s' $i '')\"$state\"}" &
		pids+=($!)
		sim_wait_log "^PATCH /vm .*: {$i}\"$state"
	done
	wait "${pids[@]}"
	[ "$(sim_get / | jq -r .state)" = Paused ]
}
