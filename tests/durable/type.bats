#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --type auto is a Diff where a Diff is complete and sparse, else Full. Complete: no
# dirty tracking, guest memory anonymous, nothing of it in swap, Firecracker >= 1.13. Any doubt is
# Full, and the JSON says which and why. (That a real Diff is complete is for the live tests.)

load helpers

is_full() { expect 0 && expect_json '.type == "Full"' '.layer == false' ".type_reason | contains(\"$1\")" && whole; }
is_diff() { expect 0 && expect_json '.type == "Diff"' '.layer == false' '.type_reason | contains("complete")' && whole; }
whole() { cmp "$T/new/mem" "$D/mem" && [ "$(listing)" = 'mem snap' ]; }
requested() { grep -c "\"snapshot_type\":\"$1\"" "$SIM_LOG"; }

@test "anonymous memory: a Diff, sparse, the Full's bytes, and whole for another VM" {
	vm --no-envd --workload 2,0,0
	# First of all: a Full reads every page, and what was read is resident from then on.
	sim_patch /vm '{"state":"Paused"}'
	sim_patch /vm '{"state":"Resumed"}'
	snapshot
	sim_patch /vm '{"state":"Resumed"}'
	reference
	is_diff
	[ "$(allocated "$D/mem")" -lt 8000000 ]
	[ "$(allocated "$T/new/mem")" -gt 16000000 ]
	load_pair "$D/snap" "$D/mem"
}

@test "dirty pages are tracked: Full" {
	sim_start --no-envd --memory 16
	sim_put /machine-config '{"vcpu_count":1,"mem_size_mib":16,"track_dirty_pages":true}'
	sim_put /sim/boot '{}'
	reference
	snapshot
	is_full 'dirty pages are tracked'
}

@test "memory in a memfd: Full" {
	vm --no-envd --backing memfd
	reference
	snapshot
	is_full 'backed by a file or shared'
}

@test "a VM that was loaded, its memory a private mapping of a file: Full" {
	vm --no-envd --workload 2,0,0
	reference
	SIM_NAME=b sim_start --no-envd --memory 16
	sim_load "$T/new/snap" "$T/new/mem"
	snapshot
	is_full 'backed by a file or shared'
	load_pair "$D/snap" "$D/mem" c
}

@test "an old or an unknown version: Full" {
	local version i=0
	for version in '"1.12.1"' '"0.25.2"' '"1.13"' '"2.0.0"' '"v1.16"' '""' 'null' '16'; do
		SIM_NAME=n$((i++)) vm --no-envd
		reference
		sim_put /sim/fault "$(jq -nc --arg v "$version" '{fault: "GET / status=200,{\"state\":\"Running\",\"vmm_version\":\($v)}"}')"
		rm -f "$D"/*
		snapshot
		case $version in
		'"1.13"' | '"2.0.0"') is_diff ;;
		*) is_full 'older than 1.13' ;;
		esac
	done
}

@test "the answer says nothing of dirty tracking: as without it" {
	vm --no-envd
	reference
	sim_put /sim/fault '{"fault":"GET /machine-config status=200,{\"mem_size_mib\":16}"}'
	snapshot
	is_diff
}

@test "/proc/PID/maps, status or fd cannot be read: Full" {
	vm --no-envd
	reference
	local fault
	for fault in fopen:/maps fopen:/status opendir:/fd; do
		rm -f "$D"/*
		SHIM=("SHIM_FAULT=$fault@1=EACCES")
		snapshot
		struck
		is_full 'cannot be read'
		sim_patch /vm '{"state":"Resumed"}'
	done
}

@test "fcpause of another user, who may not look into Firecracker's process: Full" {
	only_root
	command -v setpriv >/dev/null || skip 'no setpriv'
	vm --no-envd
	reference
	local place
	place=$(mktemp -d "${TMPDIR:-/tmp}/fcpause-other.XXXXXX")
	chmod 711 "$place"
	mkdir "$place/d"
	# A socket is reached by its inode, wherever else it has a name.
	ln "$SIM_SOCK" "$place/sock"
	chmod 777 "$place/sock"
	cp "$FCPAUSE" "$place/fcpause"
	chown 65534 "$place/d"
	status=0
	(cd "$place/d" && setpriv --reuid 65534 --clear-groups timeout $RUN_SECONDS "$place/fcpause" snapshot \
		--json --api-sock "$place/sock" --snapshot-path snap --mem-file-path mem) >out 2>err || status=$?
	mv "$place/d/"* "$D"
	rm -rf "$place"
	is_full 'cannot be read'
}

@test "some of the process is in swap before: Full, and nothing is thrown away" {
	vm --no-envd
	reference
	SHIM=(SHIM_SWAP=4)
	snapshot
	is_full 'swapped out'
	[ "$(requested Full)" -eq 1 ]
	[ "$(requested Diff || true)" -eq 0 ]
}

@test "some of the process is in swap after the creation: the Diff is thrown away, a Full is made" {
	vm --no-envd
	reference
	SHIM=(SHIM_SWAP=4 "SHIM_SWAP_WHEN=$D/mem.fcpause-tmp")
	snapshot
	is_full 'swapped out during a Diff'
	[ "$(requested Diff)" -eq 1 ]
	[ "$(requested Full)" -eq 1 ]
	# Between the two the guest stood still.
	[ "$(grep -c '^PATCH' "$SIM_LOG")" -eq 1 ]
}

@test "/proc/PID/status cannot be read after the creation: Full" {
	vm --no-envd
	reference
	snapshot
	local last
	SHIM=('SHIM_FAULT=fopen:/status@999=EACCES')
	rm "$D"/*
	for ((last = 2; last < 12; last++)); do
		sim_patch /vm '{"state":"Resumed"}'
		rm -f "$D"/*
		: >"$SIM_LOG"
		SHIM=("SHIM_FAULT=fopen:/status@$last=EACCES")
		snapshot
		expect 0
		whole
		struck || break
		[ "$(requested Full || true)" -eq 0 ] || return 0
	done
	_show 'it was never looked at after the creation'
}

@test "swap before or after does not turn an asked-for type" {
	vm --no-envd
	reference
	SHIM=(SHIM_SWAP=4)
	snapshot --type diff
	expect 0
	expect_json '.type == "Diff"' '.layer == true' '.type_reason | contains("swapped out")'
	[ "$(requested Full || true)" -eq 0 ]
}

@test "--type full, --type diff: as asked for, without a reason" {
	vm --no-envd
	reference
	snapshot --type full
	expect 0
	expect_json '.type == "Full"' '.layer == false' '.type_reason == null'
	sim_patch /vm '{"state":"Resumed"}'
	snapshot --type diff --force
	expect 0
	expect_json '.type == "Diff"' '.layer == false'
	whole
}

@test "--type diff with tracking is a layer: pause leaves its zero pages alone" {
	sim_start --no-envd --memory 16
	sim_put /machine-config '{"vcpu_count":1,"mem_size_mib":16,"track_dirty_pages":true}'
	sim_put /sim/boot '{}'
	pause --type diff
	expect 0
	expect_json '.steps[] | select(.step == "snapshot") | .type == "Diff" and .layer == true'
	# Zeros of the layer, by hand: what punching them would do is what must not be done.
	expect_json '.steps[] | select(.step == "madvise-ranges") | (.zero_bytes // 0) == 0 and (.released_bytes // 0) == 0'
	run ! calls '^fallocate '
}

@test "a Full has its zero pages released by pause, and stays the same" {
	vm --no-envd
	reference
	pause --type full
	expect 0
	expect_json '.steps[] | select(.step == "madvise-ranges") | .released_bytes > 8000000'
	whole
	[ "$(allocated "$D/mem")" -lt 8000000 ]
}

# A forwarder with more anonymous memory of its own than the guest has, before the API socket.
start_proxy() {
	command -v python3 >/dev/null || skip 'needs python3'
	python3 - "$T/proxy.sock" "$SIM_SOCK" >"$T/proxy-ready" 3>&- 4>&- <<-'P' &
		import socket, sys, threading
		ballast = bytearray(b"x") * (64 << 20)
		def pump(a, b):
		    try:
		        while (data := a.recv(65536)):
		            b.sendall(data)
		    except OSError:
		        pass
		    for s in a, b:
		        try: s.shutdown(socket.SHUT_RDWR)
		        except OSError: pass
		listener = socket.socket(socket.AF_UNIX)
		listener.bind(sys.argv[1])
		listener.listen(16)
		print("ready", flush=True)
		while True:
		    near, _ = listener.accept()
		    far = socket.socket(socket.AF_UNIX)
		    far.connect(sys.argv[2])
		    for pair in (near, far), (far, near):
		        threading.Thread(target=pump, args=pair, daemon=True).start()
	P
	PROXY=$!
	echo "$PROXY" >"$T/proxy.pid"
	until [ -s "$T/proxy-ready" ]; do kill -0 "$PROXY" || return 1; done
}

@test "R1: a proxy before the API socket: Full, with the reason, and no room is taken for granted" {
	vm --no-envd --workload 2,0,0
	reference
	start_proxy
	fcp snapshot --json --api-sock "$T/proxy.sock" --snapshot-path "$D/snap" --mem-file-path "$D/mem"
	is_full 'no KVM VM'
	sim_patch /vm '{"state":"Resumed"}'
	# A Diff that is asked for may lack anything.
	fcp snapshot --json --force --type diff --api-sock "$T/proxy.sock" --snapshot-path "$D/snap" --mem-file-path "$D/mem"
	kill "$PROXY"
	expect 0
	expect_json '.layer == true' '.type_reason | contains("no KVM VM")'
}

@test "R1: --pid of a proxy is unsupported, not a look at its memory" {
	vm --no-envd
	start_proxy
	sim_patch /vm '{"state":"Paused"}'
	fcp madvise-ranges --json --find free --api-sock "$T/proxy.sock" --pid "$PROXY"
	kill "$PROXY"
	expect 3
	expect_json '.status == "unsupported"' '.reason | contains("no KVM VM")'
}

@test "D6: --type diff, some of the process in swap during the creation: a layer, said, and not trimmed as whole" {
	vm --no-envd --workload 2,0,0
	SHIM=(SHIM_SWAP=4 "SHIM_SWAP_WHEN=$D/mem.fcpause-tmp")
	pause --type diff --find zero
	expect 0
	expect_json '.steps[] | select(.step == "snapshot") | .type == "Diff" and .layer == true and (.type_reason | contains("swapped out"))'
	expect_json '.steps[] | select(.step == "madvise-ranges") | (.released_bytes // 0) == 0'
	run ! calls '^fallocate '
}

@test "D6: a Diff of more than 3 GiB by a Firecracker before 1.15: Full, or refused" {
	vm --no-envd
	sim_put /sim/fault '{"fault":"GET / status=200,{\"state\":\"Running\",\"vmm_version\":\"1.14.1\"}"}'
	sim_put /sim/fault '{"fault":"GET /machine-config status=200,{\"mem_size_mib\":4096}"}'
	snapshot --type diff
	expect 3
	expect_json '.reason | contains("more than one memory slot")'
	vm_is Running
}
