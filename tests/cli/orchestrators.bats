#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# scripts/examples for those who pause VMs by something else: each is looked at by its own linter or dry run where
# that is installed, and what it runs is run for real, on simulators.

load helpers
eval "helpers_$(declare -f setup)"

setup_file() { export BATS_TEST_TIMEOUT=180; }

setup() {
	helpers_setup
	unset FCPAUSE_WRITER
	E=$ROOT/scripts/examples
	# As installed, of the build.
	mkdir bin tmp
	ln -s "$FCPAUSE" bin/fcpause
	printf '#!/bin/sh\nexec "%s" --fcpause "%s" "$@"\n' "$ROOT/scripts/pause-many" "$FCPAUSE" >bin/fcpause-pause-many
	chmod +x bin/fcpause-pause-many
	export PATH=$T/bin:$PATH TMPDIR=$T/tmp
}

need() { command -v "$1" >/dev/null || skip "$1 is not installed"; }

# vms NAME…: VMs that run, their sockets at run/NAME.sock.
vms() {
	local name
	mkdir -p run lib
	for name; do
		SIM_NAME=$name sim_start --boot --memory 16 --balloon "$BALLOON"
		ln -sf "$SIM_SOCK" "run/$name.sock"
	done
}

state_of() {
	sim_use "$1"
	sim_get / | jq -r .state
}

# here: its paths are of this test's directory.
here() { sed "s|/run/firecracker|$T/run|g; s|/var/lib/fcpause|$T/lib|g; s|/usr/bin/fcpause|$T/bin/fcpause|g"; }

# ---- systemd -----------------------------------------------------------------------------------

@test "systemd: the unit is right by systemd-analyze" {
	need systemd-analyze
	here <"$E/systemd/fcpause-pause@.service" >fcpause-pause@vm1.service
	run systemd-analyze verify --man=no ./fcpause-pause@vm1.service
	[ "$status" -eq 0 ] && [ -z "$output" ] || { echo "$output"; false; }
	# It would say what is not.
	sed 's/^KillSignal=.*/KillSignal=SIGNIX/' fcpause-pause@vm1.service >fcpause-pause@vm2.service
	run systemd-analyze verify --man=no ./fcpause-pause@vm2.service
	[[ $output == *SIGNIX* ]]
}

@test "systemd: what the unit starts pauses the VM; stopped, it has the time to put the VM right" {
	local unit=$E/systemd/fcpause-pause@.service command
	vms vm1
	command=$(here <"$unit" | sed 's/%i/vm1/g' | sed -n '/^ExecStart=/,/[^\\]$/p' | sed 's/^ExecStart=//')
	bash -ec "$command"
	[ "$(state_of vm1)" = Paused ]
	[ -s lib/vm1.snap ] && [ -s lib/vm1.mem ]
	# Firecracker's answer may take a while; and fcpause's guard is not killed.
	[ "$(sed -n 's/^TimeoutStopSec=//p' "$unit")" -ge 60 ]
	grep -qx 'SendSIGKILL=no' "$unit"
	grep -qx 'KillMode=mixed' "$unit"
}

# ---- Nomad -------------------------------------------------------------------------------------

@test "Nomad: the job is right by nomad job validate" {
	need nomad
	nomad job validate "$E/nomad/fcpause-pause.nomad.hcl"
}

@test "Nomad: the task's script pauses the node's VMs, and after a restart those that are left" {
	need parallel
	vms a b
	sed -n '/<<-EOT$/,/^ *EOT$/p' "$E/nomad/fcpause-pause.nomad.hcl" | sed '1d; $d; s/\$\$/$/g' >pause
	[ "$(wc -l <pause)" -ge 5 ]
	mkdir -p alloc/data
	export NOMAD_ALLOC_DIR=$T/alloc NOMAD_META_SOCKETS="$T/run/*.sock" NOMAD_META_OUTPUT=$T/lib NOMAD_META_JOBS=2
	ln -s nobody run/c.sock
	run bash pause
	[ "$status" -eq 1 ]
	[ "$(state_of a)" = Paused ] && [ "$(state_of b)" = Paused ]
	rm run/c.sock
	vms c
	bash pause
	[ "$(state_of c)" = Paused ]
	[ "$(jq -s 'map(select(.exit_code == 0)) | length' alloc/data/report.ndjson)" -eq 3 ]
	NOMAD_META_SOCKETS="$T/none/*.sock" bash pause
}

# ---- Kubernetes --------------------------------------------------------------------------------

@test "Kubernetes: the manifests are right by a validator" {
	if command -v kubeconform >/dev/null; then
		kubeconform -strict -summary "$E"/kubernetes/*.yaml
	elif command -v kubernetes-validate >/dev/null; then
		kubernetes-validate --strict "$E"/kubernetes/*.yaml
		sed 's/backoffLimit: 3/backoffLimit: three/' "$E/kubernetes/job.yaml" >bad.yaml
		run ! kubernetes-validate --strict bad.yaml
	else
		skip 'neither kubeconform nor kubernetes-validate is installed'
	fi
}

# container FILE: its command, a word a line in JSON.
container() {
	python3 -c 'import yaml' 2>/dev/null || skip 'python3-yaml is not installed'
	python3 -c 'import json, sys, yaml
print(json.dumps(yaml.safe_load(open(sys.argv[1]))["spec"]["template"]["spec"]["containers"][0]["command"]))' "$1"
}

@test "Kubernetes: the Job's command pauses the VM; its policy has fcpause's exit codes" {
	local -a command
	container "$E/kubernetes/job.yaml" >command.json
	vms vm1
	mapfile -t command < <(jq -r '.[]' command.json | here)
	"${command[@]}" >out
	jq -e '.vm_state == "Paused"' out
	[ -s lib/vm1.mem ]
	# What is not tried again, and what is tried as often as need be.
	python3 - "$E/kubernetes/job.yaml" <<-'P'
	import sys, yaml
	rules = yaml.safe_load(open(sys.argv[1]))["spec"]["podFailurePolicy"]["rules"]
	codes = {code: rule["action"] for rule in rules if "onExitCodes" in rule for code in rule["onExitCodes"]["values"]}
	assert codes == {2: "FailJob", 3: "FailJob", 5: "FailJob", 6: "Ignore"}, codes
	P
}

@test "Kubernetes: when the DaemonSet's pod ends, all VMs of the node are paused" {
	need parallel
	local -a command
	local pid
	container "$E/kubernetes/daemonset.yaml" >command.json
	vms a b
	mapfile -d '' -t command < <(jq -j '.[] + "\u0000"' command.json | here | sed "s|/tmp/sockets|$T/sockets|g")
	# (It is told when it waits.)
	printf '#!/bin/sh\necho >"%s"\nexec %s "$@"\n' "$T/waits" "$(command -v sleep)" >bin/sleep
	chmod +x bin/sleep
	mkfifo waits
	"${command[@]}" >report 2>err 3>&- &
	pid=$!
	read -r -t 20 <waits
	[ "$(state_of a)" = Running ]
	kill -TERM "$pid"
	wait "$pid"
	[ "$(state_of a)" = Paused ] && [ "$(state_of b)" = Paused ]
	[ "$(wc -l <report)" -eq 2 ]
}

# ---- Ansible -----------------------------------------------------------------------------------

@test "Ansible: the playbook is right by its own check, and by ansible-lint" {
	need ansible-playbook
	export LC_ALL=C.UTF-8
	ansible-playbook --syntax-check -i localhost, "$E/ansible/pause.yml"
	command -v ansible-lint >/dev/null || skip 'its syntax is right; ansible-lint is not installed'
	cp "$E/ansible/pause.yml" .
	ansible-lint --offline --nocolor pause.yml
}

play() {
	status=0
	LC_ALL=C.UTF-8 ANSIBLE_LOCALHOST_WARNING=0 ANSIBLE_LOCAL_TEMP=$T/tmp ANSIBLE_REMOTE_TEMP=$T/tmp ansible-playbook -i localhost, -c local \
		"$E/ansible/pause.yml" -e "fcpause_sockets=$T/run/*.sock fcpause_output=$T/lib ansible_python_interpreter=$(command -v python3)" \
		>out 2>err </dev/null || status=$?
}

@test "Ansible: run for real: the VMs of a host are paused, once; one that is not fails the host" {
	need ansible-playbook
	need parallel
	vms a b
	play
	expect 0
	expect_out 'failed=0'
	[ "$(state_of a)" = Paused ] && [ "$(state_of b)" = Paused ]
	[ "$(wc -l <lib/report.ndjson)" -eq 2 ]
	play
	expect 0
	expect_out 'changed=0'
	ln -s nobody run/c.sock
	play
	expect 2
	expect_out 'fcpause-pause-many ended with 1'
	expect_out 'exit code 1'
	[ "$(wc -l <lib/report.ndjson)" -eq 3 ]
}

# ---- GNU parallel ------------------------------------------------------------------------------

@test "GNU parallel: the VMs are paused; run again, those that failed" {
	need parallel
	vms a c
	mv run/a.sock 'run/a b.sock'
	ln -s nobody run/d.sock
	status=0
	"$E/parallel.sh" 'lib x' run/*.sock >out 2>err || status=$?
	expect 1
	[ "$(state_of a)" = Paused ] && [ "$(state_of c)" = Paused ]
	[ -s 'lib x/a b.snap' ]
	[ "$(jq -s 'map(select(.vm_state == "Paused")) | length' out)" -eq 2 ]
	rm run/d.sock
	vms d
	run "$E/parallel.sh" 'lib x' run/*.sock
	[ "$status" -eq 0 ]
	[ "$(state_of d)" = Paused ]
	[ "$(grep -c 'PUT /snapshot/create' "$SIM_LOG_c")" -eq 1 ]
}

@test "shellcheck finds nothing" {
	need shellcheck
	shellcheck "$E/parallel.sh"
}
