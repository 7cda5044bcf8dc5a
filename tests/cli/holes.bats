#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a hole of a memory file means: recorded with the file in
# extended attributes, in the JSON of each command, and asked for where it is not recorded and the
# guest uses the page.

load helpers

# attribute FILE NAME [VALUE]: reads, or sets, user.fcpause.NAME; "" when it is not there.
attribute() {
	python3 - "$@" <<-'P'
		import os, sys
		path, name = sys.argv[1], "user.fcpause." + sys.argv[2]
		if len(sys.argv) > 3:
		    os.setxattr(path, name, sys.argv[3].encode())
		else:
		    try:
		        print(os.getxattr(path, name).decode())
		    except OSError:
		        print("")
	P
}
need_attributes() {
	command -v python3 >/dev/null || skip 'needs python3'
	: >probe
	attribute probe probe 1 2>/dev/null || skip 'no extended attributes in this file system'
}
guest() { rm -f "${1:-guest}"; guest_file "${1:-guest}"; }
madvise() { fcp madvise-ranges --json --mem-file-path "$@"; }
UUID='^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'

# The byte offset of a page that the fixture's guest has in use and that is all zeros in the file:
# the first stretch that --find zero would take and --find free would not.
used_zero_page() {
	"$FCPAUSE" madvise-ranges --mem-file-path guest --find zero --list --holes zero | awk '$3 == "zero" { print $1; exit }'
}

@test "D2: a layer whose kernel and lists are all there is not taken for a whole file" {
	guest
	page=$(used_zero_page)
	[ -n "$page" ]
	fallocate -p -o "$page" -l 4096 guest
	for find in zero free,zero free; do
		before=$(allocated guest)
		madvise guest --find $find
		expect 3
		expect_json '.status == "unsupported"' '.reason | contains("layer")' '.holes == "unknown"' \
			'[.guest.gates[].state] | all(. == "passed")' ".reason | contains(\"(byte $page)\")"
		[ "$(allocated guest)" -eq "$before" ]
	done
	fcp madvise-ranges --mem-file-path guest --find free --list
	expect 3
	expect_no_out
	madvise guest --holes base
	expect 0
	expect_json '.holes == "base"' '.released_bytes > 0' '.zero_bytes == 0'
	guest
	fallocate -p -o "$page" -l 4096 guest
	madvise guest --holes zero
	expect 0
	expect_json '.holes == "zero"' '.zero_bytes > 0'
}

@test "D2: holes over free pages only need no explanation" {
	guest
	madvise guest --find free
	expect 0
	madvise guest --find free
	expect 0
	expect_json '.status == "ok"' '.free_bytes > 0' '.released_bytes == .free_bytes'
	madvise guest
	expect 0
	expect_json '.zero_bytes > 0' '.holes == "zero"'
}

@test "D2: ranges that are given are released without a question" {
	guest
	fallocate -p -o "$(used_zero_page)" -l 4096 guest
	echo '0 4096' >ranges
	madvise guest --ranges ranges
	expect 0
	expect_json '.released_bytes == 4096' '.holes == "unknown"'
}

@test "D2: a release records what it took the holes to mean, and the next run need not be told" {
	need_attributes
	guest
	madvise guest --find zero
	expect 0
	[ "$(attribute guest holes)" = zero ]
	madvise guest --find zero
	expect 0
	expect_json '.holes == "zero"' '.zero_bytes == 0'
	guest layer
	madvise layer --find free --holes base
	[ "$(attribute layer holes)" = base ]
	guest listed
	madvise listed --list
	madvise listed -n --holes zero
	[ -z "$(attribute listed holes)" ]
}

@test "D2: what is recorded counts: zeros of a recorded layer stay, whatever is found by default" {
	need_attributes
	guest
	attribute guest holes base
	madvise guest
	expect 0
	expect_json '.holes == "base"' '.zero_bytes == 0' '.released_bytes == .free_bytes' \
		'.warning | contains("layer")'
	madvise guest --find zero
	expect 3
	expect_json '.status == "unsupported"' '.reason | contains("layer")'
}

@test "D2: said against recorded: a layer is never taken for whole; a whole file for a layer, with a warning" {
	need_attributes
	guest
	attribute guest holes base
	before=$(allocated guest)
	for find in zero free free,zero; do
		madvise guest --find $find --holes zero
		expect 3
		expect_json '.reason | contains("recorded as a Diff layer")'
	done
	[ "$(allocated guest)" -eq "$before" ]
	attribute guest holes zero
	madvise guest --find free --holes base
	expect 0
	expect_json '.holes == "base"' '.warning | contains("recorded as whole")'
	[ "$(attribute guest holes)" = zero ]
}

@test "D2: an attribute that fcpause did not write is nothing recorded" {
	need_attributes
	guest
	fallocate -p -o "$(used_zero_page)" -l 4096 guest
	for value in '' zeros ZERO base2 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; do
		attribute guest holes "$value"
		attribute guest id "$(printf 'not\001an\nid')"
		madvise guest --find free
		expect 3
		expect_json '.holes == "unknown"' '.id == null'
	done
}

@test "D2: what was recorded before the file was written again counts no more" {
	need_attributes
	guest layer
	fallocate -p -o 4096 -l 4096 layer
	guest
	madvise guest
	expect 0
	madvise guest
	expect 0
	expect_json '.holes == "zero"'
	# Written over in place: cp keeps the attributes of the file that it writes to.
	cp --sparse=always layer guest
	[ "$(attribute guest holes)" = zero ]
	madvise guest
	expect 3
	expect_json '.holes == "unknown"'
	fcp inspect --mem-file-path guest --json
	expect_json '.holes == "unknown"' '.id == null'
	madvise guest --find free --holes base
	expect 0
	[ "$(attribute guest holes)" = base ]
	# A copy with all that belongs to the file is as good.
	cp -a guest copy
	madvise copy
	expect 0
	expect_json '.holes == "base"'
}

@test "D2: snapshot records a whole file: its holes, a fresh id; in its JSON, and read by the others" {
	need_attributes
	vm
	ids=
	for type in full diff; do
		fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --type $type --force \
			--resume --json
		expect 0
		expect_json '.layer == false' '.holes == "zero"' ".id | test(\"$UUID\")" '.base == null'
		id=$(jq -r .id out)
		[[ $ids != *$id* ]]
		ids+=" $id"
		[ "$(attribute mem holes)" = zero ]
		[ "$(attribute mem id)" = "$id" ]
		fcp inspect --mem-file-path mem --json
		expect_json '.holes == "zero"' ".id == \"$id\"" '.base == null'
		madvise mem --find zero -n
		expect 0
		expect_json '.holes == "zero"' ".id == \"$id\""
	done
}

@test "D2: snapshot records a layer as one; its base where the VM was restored from a recorded file" {
	need_attributes
	vm
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --type full --json
	id=$(jq -r .id out)
	SIM_NAME=b sim_start --memory 16
	sim_load "$T/snap" "$T/mem"
	# The name is another file's by now: the mapping tells.
	mv mem mem.old
	: >mem
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path snap2 --mem-file-path mem2 --type diff --json
	expect 0
	expect_json '.layer == true' '.holes == "base"'
	[ "$(attribute mem2 holes)" = base ]
	[ "$(attribute mem2 id)" != "$id" ]
	[ "$(id -u)" -ne 0 ] || [ "$(attribute mem2 base)" = "$id" ]
	madvise mem2 --find zero
	expect 3
}

@test "D2: pause records, and releases by it" {
	vm
	fcp pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --type full --resume --json
	expect_json '.steps[2].holes == "zero"' '.steps[3].holes == "zero"' '.steps[3].zero_bytes > 0'
	id=$(jq -r '.steps[2].id' out)
	[ "$id" != null ] || return 0
	# The release has changed the file, and what is recorded is still right.
	fcp inspect --mem-file-path mem --json
	expect_json '.holes == "zero"' ".id == \"$id\""
}

@test "A9: README's chain by hand: snapshot, then madvise-ranges on what it made" {
	need_attributes
	vm --workload 8,4,2
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path vm.snap --mem-file-path vm.mem
	expect 0
	fcp madvise-ranges --mem-file-path vm.mem --find free,zero --json
	# The simulator's guest has no kernel whose free pages could be found.
	expect 4
	expect_json '.status == "partial"' '.holes == "zero"' '.mem_file.allocated_bytes < 16777216'
}

@test "S1: pause releases pages of the file that it made, not of what has its name by then" {
	[ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null || skip 'needs root and setpriv'
	command -v python3 >/dev/null || skip 'needs python3'
	vm
	mkdir theirs secret
	chmod 755 "$T"
	chmod 700 secret
	head -c 1M /dev/zero >secret/victim
	chown 65534 theirs
	before=$(allocated secret/victim)
	# Who owns the directory puts a link to root's file where the memory file appears.
	mkfifo ready
	(cd theirs && exec setpriv --reuid 65534 --regid 65534 --clear-groups timeout 30 python3 -c '
import os, sys
print("ready", flush=True)
while True:
    try:
        os.rename("m", "taken")
        os.symlink(sys.argv[1], "m")
        break
    except FileNotFoundError:
        pass' "$T/secret/victim") >ready &
	swapper=$!
	read -r _ <ready
	fcp pause --api-sock "$SIM_SOCK" --snapshot-path theirs/s --mem-file-path theirs/m --type full --json
	kill $swapper 2>/dev/null || true
	wait $swapper || true
	[ "$(allocated secret/victim)" -eq "$before" ]
}

@test "S1: a link in a directory of somebody else's is not followed; in one's own it is" {
	[ "$(id -u)" -eq 0 ] || skip 'needs root'
	mkdir theirs ours
	head -c 1M /dev/zero >victim
	before=$(allocated victim)
	chown 65534 theirs
	ln -s "$T/victim" theirs/m
	mkdir shared && chmod 1777 shared && ln -s "$T/victim" shared/m
	for dir in theirs shared; do
		for command in 'madvise-ranges --find zero' 'madvise-ranges --find zero --list' inspect; do
			fcp $command --mem-file-path $dir/m --json
			expect 1
			expect_json '.error.class == "input"' '.error.message | contains("symbolic link")'
		done
	done
	[ "$(allocated victim)" -eq "$before" ]
	ln -s "$T/victim" ours/m
	madvise ours/m --find zero
	expect 0
	expect_json '.released_bytes == 1048576'
}
