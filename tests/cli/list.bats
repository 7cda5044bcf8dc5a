#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --list --find free,zero,base,changed, of files and of a Paused VM's memory, and --align.
# What is listed is held against a comparison page by page (by_hand), of files that another program wrote.

load writer

need_python() { command -v python3 >/dev/null || skip 'needs python3'; }

# by_hand FIND FILE BASE [LAYER]: the same list, of bytes alone. What is free is read from ./free where FIND
# has it. LAYER: a hole of FILE has the base's bytes.
by_hand() {
	python3 - "$@" <<-'P'
		import os, sys
		find, name, base_name = sys.argv[1].split(','), sys.argv[2], sys.argv[3]
		layer = len(sys.argv) > 4
		page = 4096
		file, base = open(name, 'rb'), open(base_name, 'rb')
		size = os.stat(name).st_size
		free = set()
		if 'free' in find:
		    for line in open('free'):
		        if line[0] != '#':
		            start, length = map(int, line.split()[:2])
		            free.update(range(start, start + length, page))

		def is_hole(at):
		    try:
		        return os.lseek(file.fileno(), at, os.SEEK_DATA) >= at + page
		    except OSError:
		        return True

		def kind(at):
		    if at in free:
		        return 'free'
		    theirs = os.pread(base.fileno(), page, at)
		    own = theirs if layer and is_hole(at) else os.pread(file.fileno(), page, at)
		    if 'zero' in find and own == bytes(page):
		        return 'zero'
		    return 'base' if own == theirs else 'changed'

		run = None
		for at in range(0, size + page, page):
		    now = kind(at) if at < size else None
		    if run and now != run[1]:
		        if run[1] in find:
		            print(run[0], at - run[0], run[1])
		        run = None
		    if now and not run:
		        run = (at, now)
	P
}

# A file and its base of 6 MiB: stretches of data that is the same, differs, is zeros in one or both; holes.
two_files() {
	head -c $((4 * MIB)) /dev/urandom >base
	cp base file
	truncate -s $((6 * MIB)) base file
	put file 10 5 /dev/zero     # zeros where the base has data
	put base 40 9 /dev/zero     # data where the base has zeros
	put file 60 3 /dev/zero; put base 60 3 /dev/zero
	put file 100 7 /dev/urandom
	put file 111 1 /dev/urandom
	put base 1300 2 /dev/urandom # a hole where the base has data
	put file 1400 4 /dev/urandom # data where the base has a hole
	put base 1500 4 /dev/zero    # zeros where the file has a hole
	punch file 200 30            # a hole, and data in the base
	punch base 300 3
	punch file 900 10; punch base 900 10
}
put() { dd if="$4" of="$1" bs=4096 seek="$2" count="$3" conv=notrunc status=none; }
punch() { fallocate -p -o $(($2 * 4096)) -l $(($3 * 4096)) "$1"; }

list() { fcp madvise-ranges --mem-file-path "${1:-file}" --base "${2:-base}" --list --find "${@:3}"; }
listed() { grep -v '^#' "$T/out" >"$T/listed" || true; }
# As by_hand says; the arguments are its.
expect_list() {
	listed
	by_hand "$@" >expected
	[ -s expected ]
	diff -u expected listed || _show 'the list differs'
}

# ---- files -----------------------------------------------------------------------------------

@test "files: each page is of one kind, as a comparison page by page says, whatever is asked for" {
	local find
	need_python
	two_files
	sums=$(sha256sum file base)
	for find in zero,base,changed base,changed changed base zero,changed changed,zero,base; do
		list file base $find --holes zero
		expect 0
		expect_no_err
		expect_list $find file base
	done
	[ "$(head -n 1 out)" = "# file $(stat -c '%d:%i %s %.9Y' file)" ]
	[ "$(sha256sum file base)" = "$sums" ]
}

@test "files: larger than a thread reads at a time, without a hole" {
	need_python
	head -c $((40 * MIB)) /dev/urandom >base
	cp base file
	for i in {1..60}; do put file $((i * 150)) $((i % 7 + 1)) /dev/urandom; put file $((i * 150 + 20)) 3 /dev/zero; done
	list file base zero,base,changed
	expect 0
	expect_list zero,base,changed file base
}

@test "files: JSON has the kind with each range, the sums, and the base" {
	two_files
	list file base zero,base,changed --holes zero --json
	expect 0
	expect_json '.status == "ok"' '.list | all(length == 3)' \
		'([.list[] | .[1]] | add) == .mem_file.logical_bytes' \
		'([.list[] | select(.[2] == "base") | .[1]] | add) == .base_bytes' \
		'([.list[] | select(.[2] == "changed") | .[1]] | add) == .changed_bytes' \
		'([.list[] | select(.[2] == "zero") | .[1]] | add) == .zero_bytes' '.released_bytes == 0' \
		'.base_file == {path: "base", id: null, fits: null}'
	list file base zero,base,changed --holes zero --json
}

@test "files: free pages of the guest come before all else" {
	need_python
	guest_file base
	cp base file
	put file 4500 20 /dev/urandom
	put file 2000 4 /dev/urandom
	fcp madvise-ranges --mem-file-path file --find free --list
	expect 0
	cp out free
	list file base free,zero,base,changed
	expect 0
	expect_list free,zero,base,changed file base
	grep -q ' free$' listed && grep -q ' changed$' listed && grep -q ' base$' listed
}

@test "files: a guest that cannot be read has no free pages; the rest is listed, exit 4" {
	two_files
	list file base free,zero,changed --holes zero
	expect 4
	expect_err 'partial: free pages: '
	listed
	grep -q ' changed$' listed
}

@test "files: holes of which nothing is known are not guessed at" {
	two_files
	list file base changed
	expect 3
	expect_no_out
	expect_err 'Say what its holes mean'
}

@test "a layer: its holes are the base's, its zeros differ; as fcpause and by hand" {
	need_python
	sim_start --boot --no-envd --memory 64 --workload 20,10,8
	snap base
	loads base restored
	sim_put /sim/workload '{"fill_mib":4}'
	snap layer --layer
	expect 0
	[ "$(jq .id out)" != null ] || skip 'no attributes here'
	# Zeros as data; the record stays right.
	touch -r layer.mem times
	put layer.mem 1000 2 /dev/zero
	touch -r times layer.mem
	list layer.mem base.mem base,changed --json
	expect 0
	expect_json '.holes == "base"' '.base_file.fits == true' '.base_file.id == .base' \
		".changed_bytes >= $((4 * MIB))" '.base_bytes + .changed_bytes == .mem_file.logical_bytes'
	list layer.mem base.mem base,changed
	expect_list base,changed layer.mem base.mem layer
	# Of a layer zeros are no kind of their own: a hole there would be the base's bytes.
	list layer.mem base.mem zero,base,changed
	expect 0
	expect_err 'zero pages of a Diff layer are not listed'
	expect_list base,changed layer.mem base.mem layer
}

@test "a layer of another base is refused; one of which it is not recorded is told with a warning" {
	sim_start --boot --no-envd --memory 64 --workload 8,0,0
	snap base --resume
	snap other --resume
	[ "$(jq .id out)" != null ] || skip 'no attributes here'
	SIM_NAME=r sim_start --no-envd
	sim_load "$T/base.snap" "$T/base.mem"
	snap layer --layer
	expect 0
	list layer.mem other.mem changed
	expect 1
	expect_err 'another base'
	expect_no_out
	cp --no-preserve=all base.mem plain.mem
	list layer.mem plain.mem changed
	expect 0
	expect_err 'is not recorded'
	list other.mem layer.mem changed
	expect 1
	expect_err 'the base is a layer itself'
}

@test "base: needed, of the same size, another file, not being written" {
	two_files
	fcp madvise-ranges --mem-file-path file --list --find changed --holes zero
	expect 2
	expect_err '--base FILE is needed'
	list file none changed --holes zero
	expect 1
	expect_err none
	head -c 8192 /dev/urandom >small
	list file small changed --holes zero
	expect 1
	expect_err 'the base has 8192 bytes'
	ln file again
	list file again changed --holes zero
	expect 1
	expect_err 'are the same file'
	exec 9>>base
	list file base changed --holes zero --json
	exec 9>&-
	expect 1
	expect_json '.error.class == "busy"' '.list == []'
	# One of the environment is meant for other commands; one that has no use here is said to have none.
	FCPAUSE_BASE=none fcp madvise-ranges --mem-file-path file --list --find zero --holes zero
	expect 0
	list file base zero --holes zero
	expect 2
	expect_err '--base'
}

@test "files: holes of 1 TiB cost nothing" {
	truncate -s 1T file 2>/dev/null && truncate -s 1T base || skip 'the file system has no files of 1 TiB'
	printf x | dd of=file bs=4096 seek=100000000 conv=notrunc status=none
	printf x | dd of=base bs=4096 seek=200000000 conv=notrunc status=none
	status=0
	(ulimit -v 262144; timeout 20 "$FCPAUSE" madvise-ranges --mem-file-path file --base base --list \
		--find base,changed --holes zero >out 2>err) || status=$?
	[ "$status" -ne 134 ] || skip 'a sanitizer needs more address space'
	expect 0
	diff - <(grep -v '^#' out) <<-'E'
		0 409600000000 base
		409600000000 4096 changed
		409600004096 409599995904 base
		819200000000 4096 changed
		819200004096 280311623680 base
	E
}

@test "files: interrupted, it lists nothing" {
	env --block-signal=INT true 2>/dev/null || skip 'env cannot block signals'
	two_files
	status=0
	# The signal waits for the program from before its first instruction.
	# shellcheck disable=SC2016
	env --block-signal=INT sh -c 'kill -INT $$; exec "$@"' sh "$FCPAUSE" madvise-ranges --mem-file-path file \
		--base base --list --find base,changed --holes zero --json >out 2>err || status=$?
	expect 1
	expect_json '.error.class == "interrupted"' '.list == []'
}

# ---- nothing of it is ever released ------------------------------------------------------------

@test "changed and base pages cannot be released: not found without --list, not taken by --ranges" {
	two_files
	sum=$(sha256sum file)
	before=$(allocated file)
	for find in changed base free,zero,changed; do
		fcp madvise-ranges --mem-file-path file --base base --find $find
		expect 2
		expect_err 'only be listed (--list)'
		fcp madvise-ranges --mem-file-path file --base base --find $find --dry-run
		expect 2
	done
	for command in snapshot pause; do
		fcp $command --api-sock none --snapshot-path s --mem-file-path m --find free,changed
		expect 2
		expect_err "'changed' pages cannot be left out"
	done
	list file base zero,base,changed --holes zero
	cp out ranges
	fcp madvise-ranges --mem-file-path file --ranges ranges --json
	expect 1
	expect_json '.error.class == "input"' '.reason | contains("line 2:") and contains("must not be released")'
	grep -vw base ranges | fcp madvise-ranges --mem-file-path file --ranges -
	expect 1
	expect_err 'pages that have changed'
	[ "$(allocated file)" -eq "$before" ]
	# Its zeros can.
	grep -vw -e base -e changed ranges >zeros
	fcp madvise-ranges --mem-file-path file --ranges zeros --json
	expect 0
	[ "$(sha256sum file)" = "$sum" ]
	[ "$(allocated file)" -lt "$before" ]
}

# ---- --align -----------------------------------------------------------------------------------

@test "--align: ranges are cut down to whole blocks, listed and released" {
	head -c 262144 /dev/zero >mem
	printf x | dd of=mem bs=4096 seek=5 conv=notrunc status=none
	printf x | dd of=mem bs=4096 seek=40 conv=notrunc status=none
	cp mem before
	fcp madvise-ranges --mem-file-path mem --find zero --list --align 16K
	expect 0
	diff - <(grep -v '^#' out) <<-'E'
		0 16384 zero
		32768 131072 zero
		180224 81920 zero
	E
	fcp madvise-ranges --mem-file-path mem --find zero --list --align 128K
	[ "$(grep -vc '^#' out)" -eq 0 ]
	fcp madvise-ranges --mem-file-path mem --find zero --json --align 16K
	expect 0
	expect_json '.released_bytes == 229376' '.ranges == 3'
	cmp mem before
	[ "$(allocated mem)" -eq $((262144 - 229376)) ]
}

@test "--align: of ranges that are given, too; and with a shortest run" {
	head -c 262144 /dev/urandom >mem
	echo '4096 65536' >ranges
	fcp madvise-ranges --mem-file-path mem --ranges ranges --align 32K --json
	expect 0
	expect_json '.released_bytes == 32768'
	cmp -n 32768 mem <(head -c 32768 mem)
	cmp <(dd if=mem bs=32768 skip=1 count=1 status=none) <(head -c 32768 /dev/zero)
	head -c 262144 /dev/zero >mem
	printf x | dd of=mem bs=4096 seek=5 conv=notrunc status=none
	fcp madvise-ranges --mem-file-path mem --find zero --align 16K --min-run 32K --json
	expect_json '.released_bytes == 229376' '.ranges == 1'
}

@test "--align: free and zero pages beside each other fill a block when they are released" {
	guest_file guest
	fcp madvise-ranges --mem-file-path guest --find free,zero --list
	cp out small
	fcp madvise-ranges --mem-file-path guest --find free,zero --align 2M --json -n
	expect 0
	jq .ranges out >count
	[ "$(<count)" -gt 0 ]
	fcp madvise-ranges --mem-file-path guest --find free,zero --align 2M --json
	expect 0
	expect_json ".ranges == $(<count)" '.released_bytes % 2097152 == 0' '.released_bytes > 0'
}

@test "--align: with changed, what is cut off counts as changed: whoever copies these has all of it" {
	need_python
	local kind start length
	two_files
	list file base zero,base,changed --holes zero --align 64K --json
	expect 0
	expect_json '([.list[] | .[1]] | add) == .mem_file.logical_bytes' \
		'.list | all(.[0] % 65536 == 0 and .[1] % 65536 == 0)'
	list file base zero,base,changed --holes zero --align 64K
	listed
	# A copy by the list: the base, what is changed over it, zeros where it says zero.
	cp base copy
	while read -r start length kind; do
		case $kind in
		changed) dd if=file of=copy bs=65536 skip=$((start / 65536)) seek=$((start / 65536)) count=$((length / 65536)) conv=notrunc status=none ;;
		zero) dd if=/dev/zero of=copy bs=65536 seek=$((start / 65536)) count=$((length / 65536)) conv=notrunc status=none ;;
		esac
	done <listed
	cmp file copy
	# As large blocks by hand: none that is wholly of one kind is changed.
	python3 - <<-'P'
		kinds = {}
		for line in open('listed'):
		    start, length, kind = line.split()
		    for block in range(int(start), int(start) + int(length), 65536):
		        kinds[block] = kind
		file, base = open('file', 'rb').read(), open('base', 'rb').read()
		for block, kind in kinds.items():
		    own, theirs = file[block:block + 65536], base[block:block + 65536]
		    assert kind != 'base' or own == theirs
		    assert kind != 'zero' or own == bytes(65536)
		    assert kind != 'changed' or (own != bytes(65536))
		    pages = [(own[i:i + 4096], theirs[i:i + 4096]) for i in range(0, 65536, 4096)]
		    assert kind != 'changed' or any(a == bytes(4096) or a != b for a, b in pages)
	P
}

@test "--align: what is not a power of two from 4096 to 1 GiB is refused" {
	local align
	two_files
	for align in 0 1 4095 2048 5000 12K 3M 2G 9223372036854775808; do
		fcp madvise-ranges --mem-file-path file --find zero --align $align --json
		expect 2
		expect_json '.error.class == "usage"'
		expect_err '--align: '
		expect_err 'power of two'
	done
	fcp madvise-ranges --mem-file-path file --find zero --holes zero --align 1G --list
	expect 0
}

# ---- a paused VM -------------------------------------------------------------------------------

live() { fcp madvise-ranges --api-sock "$SIM_SOCK" --pid "$SIM_PID" --list --find "$@"; }
state() { sim_patch /vm "{\"state\":\"$1\"}"; }

# What the VM's memory holds, written by Firecracker: truth.
full() {
	fcp snapshot --api-sock "$SIM_SOCK" --type full --writer firecracker --snapshot-path truth --mem-file-path truth.mem --force
	expect 0
}

@test "a restored VM: what has changed since, and the base found by itself" {
	need_python
	local find
	sim_start --boot --no-envd --memory 64 --workload 20,10,8
	snap base
	loads base restored
	sim_put /sim/workload '{"fill_mib":4,"free_mib":3}'
	state Paused
	before=$(sim_state rss_bytes)
	for find in base,changed zero,base,changed changed zero; do
		live $find --json
		expect 0
		expect_json '.status == "ok"' '.file == null' '.base_file.path | endswith("base.mem")' \
			'.base_file.id | length == 36' ".mem_file.logical_bytes == $((64 * MIB))"
	done
	live base,changed --json
	expect_json ".changed_bytes >= $((4 * MIB)) and .changed_bytes < $((8 * MIB))" \
		'.base_bytes + .changed_bytes == .mem_file.logical_bytes'
	# Nothing was touched, but what was read is the VM's own.
	[ "$(sim_state rss_bytes)" -eq "$before" ]
	for find in base,changed zero,base,changed changed zero zero,changed; do
		live $find
		cp out live.$find
	done
	full
	for find in base,changed zero,base,changed changed zero zero,changed; do
		cp live.$find out
		expect_list $find truth.mem base.mem
	done
	run ! grep -q '^#' live.changed
	# A layer stores the same pages.
	live base,changed --json
	jq .changed_bytes out >changed
	snap layer --layer
	expect 0
	expect_json ".memory.written_bytes + .memory.dropped_bytes == $(<changed)"
	state Resumed
	[ "$(sim_state checksum_ok)" = true ]
}

@test "a restored VM: pages that a discard dropped are zeros, also where the base has others" {
	need_python
	sim_start --boot --no-envd --memory 64 --workload 40,30,0 --balloon "$BALLOON"
	snap base
	SIM_NAME=restored sim_start --no-envd --resumed-hinting-ms 5
	sim_load "$T/base.snap" "$T/base.mem"
	sim_put /sim/workload '{"free_mib":10}' || true
	fcp balloon-drain --api-sock "$SIM_SOCK" --fph-timeout-ms 20000
	expect 0
	state Paused
	live zero,base,changed
	expect 0
	cp out live.all
	live base,changed
	cp out live.two
	full
	cp live.all out
	expect_list zero,base,changed truth.mem base.mem
	cp live.two out
	expect_list base,changed truth.mem base.mem
}

@test "a restored guest: free pages come first, live as in the file" {
	need_python
	guest_file guest.mem
	sim_start --boot --no-envd --memory 32 --memory-content guest.mem
	snap base --find zero
	expect 0
	SIM_NAME=restored sim_start --no-envd
	sim_load "$T/base.snap" "$T/base.mem"
	state Paused
	live free
	expect 0
	grep -v '^#' out >free
	[ -s free ]
	live free,zero,base,changed --json
	expect 0
	expect_json '.free_bytes > 0' '([.list[] | .[1]] | add) == .mem_file.logical_bytes'
	live free,zero,base,changed
	cp out live.all
	full
	cp live.all out
	expect_list free,zero,base,changed truth.mem base.mem
	live free,zero,base,changed --align 2M --json
	expect_json '([.list[] | .[1]] | add) == .mem_file.logical_bytes' '.list | all(.[0] % 2097152 == 0)'
}

@test "a booted VM: zeros, of private and of shared memory; what has changed is not known" {
	need_python
	local backing
	for backing in anonymous memfd; do
		SIM_NAME=$backing sim_start --boot --no-envd --memory 64 --workload 20,10,8 --backing $backing
		state Paused
		before=$(sim_state rss_bytes)
		live zero
		expect 0
		cp out live.zero
		[ "$backing" = memfd ] || [ "$(sim_state rss_bytes)" -eq "$before" ]
		full
		cp live.zero out
		expect_list zero truth.mem truth.mem
		live changed --json
		expect 3
		expect_json '.reason | contains("no base")' '.list == []'
		live changed --base truth.mem
		expect 1
		expect_err 'has no base'
		rm truth*
	done
}

# copy_by_regions OUT: the VM's memory as the last report says where it is.
copy_by_regions() {
	python3 - "$SIM_PID" "$T/out" "$1" <<-'P'
		import json, os, sys
		report = json.load(open(sys.argv[2]))
		memory, out = open('/proc/%s/mem' % sys.argv[1], 'rb', buffering=0), open(sys.argv[3], 'wb')
		for offset, length, address in report['regions']:
		    os.pwrite(out.fileno(), os.pread(memory.fileno(), length, address), offset)
	P
}

@test "a Paused VM: where the process has its memory, for a program that copies it" {
	need_python
	local backing
	for backing in anonymous memfd; do
		SIM_NAME=$backing sim_start --boot --no-envd --memory 64 --workload 20,10,8 --backing $backing
		state Paused
		live zero --json
		expect 0
		expect_json '([.regions[][1]] | add) == .mem_file.logical_bytes'
		copy_by_regions copy
		full
		cmp copy truth.mem
		rm truth* copy
	done
	sim_use anonymous
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path base.snap --mem-file-path base.mem
	expect 0
	SIM_NAME=restored sim_start --no-envd
	sim_load "$T/base.snap" "$T/base.mem"
	sim_put /sim/workload '{"fill_mib":4,"free_mib":3}'
	state Paused
	live base --json
	expect 0
	copy_by_regions copy
	full
	cmp copy truth.mem
	fcp madvise-ranges --mem-file-path base.mem --list --find zero --json
	expect_json 'has("regions") | not'
}

@test "a VM whose guest cannot be read has no free pages; the rest is listed, exit 4" {
	sim_start --boot --no-envd --memory 64 --workload 8,0,0
	state Paused
	live free,zero --json
	expect 4
	expect_json '.status == "partial"' '.reason | startswith("free pages: ")' '.free_bytes == 0' \
		'.zero_bytes > 0' '.list | length > 0 and all(.[2] == "zero")'
	live free --json
	expect 3
	expect_json '.list == []'
}

@test "memory that is not plugged in is zeros" {
	sim_start --no-envd --memory 64
	sim_put /hotplug/memory '{"total_size_mib":128,"block_size_mib":2,"slot_size_mib":128}' || skip 'the simulator has no such device'
	sim_put /actions '{"action_type":"InstanceStart"}'
	state Paused
	live zero --json
	expect 0
	expect_json ".mem_file.logical_bytes == $((192 * MIB))" ".list[-1] | .[0] + .[1] == $((192 * MIB)) and .[1] >= $((128 * MIB))"
}

@test "while another fcpause works on the VM: exit 6" {
	sim_start --boot --no-envd --memory 16
	state Paused
	: >"$SIM_LOG"
	sim_put /sim/fault '{"fault":"GET / hang"}'
	fcp_start snapshot --api-sock "$SIM_SOCK" --snapshot-path s --mem-file-path m --timeout-ms 60000
	sim_wait_log '^GET /'
	sim_delete /sim/fault
	live zero --json
	expect 6
	expect_json '.error.class == "locked"' '.list == []'
	fcp_signal TERM
	fcp_end
	expect 1
}

@test "memory that a page-fault handler fills in: with its base; no missing page is touched" {
	need_python
	sim_start --boot --no-envd --memory 64 --workload 20,0,0
	snap base
	mkfifo uffd.ready
	"$(sim_bin)" --uffd-handler "$T/uffd.sock" --mem-file-path "$T/base.mem" >uffd.ready 2>/dev/null 3>&- &
	handler=$!
	read -r -t 10 _ <uffd.ready || skip 'no userfaultfd here'
	SIM_NAME=u sim_start --no-envd
	sim_put /snapshot/load "{\"snapshot_path\":\"$T/base.snap\",\"mem_backend\":{\"backend_type\":\"Uffd\",\"backend_path\":\"$T/uffd.sock\"},\"resume_vm\":true}" >answer 2>&1 ||
		{ kill $handler; skip "$(<answer)"; }
	sim_put /sim/workload '{"fill_mib":4}'
	state Paused
	before=$(sim_state rss_bytes)
	# The handler stands still: a page that is touched would never come.
	kill -STOP $handler
	live base,changed
	kill -CONT $handler
	kill -STOP $handler
	fcp madvise-ranges --api-sock "$SIM_SOCK" --pid "$SIM_PID" --list --find base,changed --base "$T/base.mem"
	kill -CONT $handler
	expect 0
	[ "$(sim_state rss_bytes)" -eq "$before" ]
	cp out live.all
	fcp madvise-ranges --api-sock "$SIM_SOCK" --pid "$SIM_PID" --list --find base,changed
	expect 3
	expect_err 'page-fault handler'
	full
	kill $handler 2>/dev/null || true
	cp live.all out
	expect_list base,changed truth.mem base.mem
}

@test "the VM must be Paused, and stay so; the base must be its own; only free pages can be released" {
	sim_start --boot --no-envd --memory 64 --workload 8,0,0
	snap base
	loads base restored
	live changed --json
	expect 1
	expect_json '.error.class == "state"' '.reason | contains("Running")' '.list == []'
	state Paused
	sim_put /sim/fault '{"fault":"GET / status=200,{\"state\":\"Running\",\"vmm_version\":\"1.14.4\"}@2"}'
	live changed
	expect 1
	expect_err 'somebody resumed it'
	expect_no_out
	cp base.mem copy.mem
	live changed --base copy.mem
	expect 1
	expect_err 'is not the file that the VM was restored from'
	live changed --base base.mem
	expect 0
	for find in zero changed free,zero; do
		fcp madvise-ranges --api-sock "$SIM_SOCK" --pid "$SIM_PID" --find $find
		expect 2
		expect_err 'listed'
	done
}
