#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# scripts/examples: programs in other languages that use the library, built and run as their comments
# say. What they leave out of a copy is held against what `madvise-ranges --find free` releases.

load helpers

BLOCK=$((2 << 20))

# library: pkg-config, the linker and ctypes find the library that was built.
library() {
	local build=${FCPAUSE_BUILD:-$ROOT/build}
	case $build in *asan* | *ubsan*) skip 'a library with sanitizers needs a program with them' ;; esac
	mkdir -p "$T/library"
	cp "$build/libfcpause.so" "$T/library/libfcpause.so.0"
	ln -sf libfcpause.so.0 "$T/library/libfcpause.so"
	sed -e "s|@LIBDIR@|$T/library|" -e "s|@INCLUDEDIR@|$ROOT/lib|" -e 's|@PREFIX@|/usr|' -e 's|@VERSION@|0|' \
		"$ROOT/lib/libfcpause.pc.in" >"$T/library/libfcpause.pc"
	export PKG_CONFIG_PATH=$T/library LD_LIBRARY_PATH=$T/library
}

# made_up_guest: ./guest, and ./expected, which is ./guest with holes for the free pages.
made_up_guest() {
	guest_file guest
	cp guest expected
	fcp madvise-ranges --mem-file-path expected --find free --holes zero --json
	expect 0
	FREE=$(jq .free_bytes "$T/out")
	SIZE=$(stat -c %s guest)
	[ "$FREE" -gt 0 ]
}

# is_copy OUT FREE_BYTES: equal to ./expected, and FREE_BYTES of it are holes, beside what the file system
# needs for its extents.
is_copy() {
	cmp "$1" expected
	[ $((SIZE - $(stat -c %b "$1") * 512)) -ge $(($2 - (64 << 10))) ]
}

# refused_guest: ./refused, whose note lacks a key.
refused_guest() {
	LC_ALL=C sed 's/SIZE(page)=/SIZE(pagE)=/g' guest >refused
	[ "$(stat -c %s refused)" = "$SIZE" ]
	run ! cmp -s guest refused
}

build_c() {
	command -v pkg-config >/dev/null || skip 'pkg-config is not installed'
	# shellcheck disable=SC2046 # the flags are words
	"${CC:-cc}" -Wall -Wextra -Werror -o free_pages "$ROOT/scripts/examples/free_pages.c" \
		$(pkg-config --cflags --libs libfcpause)
}

build_go() {
	command -v go >/dev/null || skip 'go is not installed'
	command -v pkg-config >/dev/null || skip 'pkg-config is not installed'
	(cd "$ROOT/scripts/examples/go" && CGO_ENABLED=1 GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local GOCACHE=$T/go-cache \
		GOPATH=$T/go go build -buildvcs=false -o "$T/free_pages_go" .) ||
		{ go version | grep -q 'go1\.\(1[0-9]\|[0-9]\)[. ]' && skip "$(go version) is older than 1.20"; return 1; }
}

@test "C: a memory file is copied without the guest's free pages" {
	library
	build_c
	made_up_guest
	run ./free_pages guest out
	[ "$status" -eq 0 ]
	[ "$output" = "$FREE of $SIZE bytes left out" ]
	is_copy out "$FREE"
}

@test "C: a memfd of another process, as /proc/PID/fd/N" {
	command -v python3 >/dev/null || skip 'python3 is not installed'
	library
	build_c
	made_up_guest
	mkfifo stop
	python3 - <<-'P' 2>python.err &
		import os
		fd = os.memfd_create("guest", 0)
		os.write(fd, open("guest", "rb").read())
		open("path.new", "w").write("/proc/%d/fd/%d" % (os.getpid(), fd))
		os.rename("path.new", "path")
		open("stop").read()
	P
	local pid=$!
	until [ -e path ]; do
		kill -0 "$pid" 2>/dev/null || { cat python.err; return 1; }
	done
	run ./free_pages "$(cat path)" out
	: >stop
	wait "$pid"
	[ "$status" -eq 0 ]
	is_copy out "$FREE"
}

@test "C: where a gate refuses all is copied; what is no guest's memory is an error" {
	library
	build_c
	made_up_guest
	refused_guest
	run ./free_pages refused out
	[ "$status" -eq 0 ]
	[[ $output == *'all is copied: vmcoreinfo: '* ]]
	cmp refused out
	echo text >text
	run ./free_pages text out
	[ "$status" -eq 1 ]
	[[ $output == *'free_pages: '* ]]
}

@test "Python: by callbacks, the same copy" {
	command -v python3 >/dev/null || skip 'python3 is not installed'
	library
	made_up_guest
	run python3 "$ROOT/scripts/examples/free_pages.py" guest out
	[ "$status" -eq 0 ]
	[ "$output" = "$FREE of $SIZE bytes left out" ]
	is_copy out "$FREE"
	refused_guest
	run python3 "$ROOT/scripts/examples/free_pages.py" refused out
	[ "$status" -eq 0 ]
	[[ $output == *'all is copied: vmcoreinfo: '* ]]
	cmp refused out
}

@test "Python: its structs have the sizes of the header's" {
	command -v python3 >/dev/null || skip 'python3 is not installed'
	library
	printf '%s\n' '#include <fcpause.h>' '#include <stdio.h>' 'int main(void) { printf("%zu %zu %zu %zu %zu\n",' \
		'sizeof(struct fcp_error), sizeof(struct fcp_outcome), sizeof(struct fcp_memory_source),' \
		'sizeof(struct fcp_free_pages_settings), sizeof(struct fcp_free_pages_result)); }' >sizes.c
	"${CC:-cc}" -I"$ROOT/lib" -o sizes sizes.c
	run python3 -B - "$ROOT/scripts/examples" <<-'P'
		import ctypes, sys
		sys.path.insert(0, sys.argv[1])
		import free_pages as f
		print(*map(ctypes.sizeof, (f.Error, f.Outcome, f.MemorySource, f.Settings, f.Result)))
	P
	[ "$output" = "$(./sizes)" ]
}

@test "Go: the same copy, and whole blocks of 2 MiB" {
	library
	build_go
	made_up_guest
	run ./free_pages_go guest out
	[ "$status" -eq 0 ]
	[ "$output" = "$FREE of $SIZE bytes left out" ]
	is_copy out "$FREE"
	fcp madvise-ranges --mem-file-path guest --find free --holes zero --align "$BLOCK" --list
	expect 0
	local blocks
	blocks=$(awk '!/^#/ {sum += $2} END {print sum + 0}' "$T/out")
	[ "$blocks" -gt 0 ] && [ "$blocks" -lt "$FREE" ]
	run ./free_pages_go guest out "$BLOCK"
	[ "$status" -eq 0 ]
	[ "$output" = "$blocks of $SIZE bytes left out" ]
	run ./free_pages_go guest out 12345
	[ "$status" -eq 1 ]
	[[ $output == *alignment* ]]
}

# build_export: ./export_memory, which needs nothing but Go.
build_export() {
	command -v go >/dev/null || skip 'go is not installed'
	(cd "$ROOT/scripts/examples/go-export" && CGO_ENABLED=0 GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local \
		GOCACHE=$T/go-cache GOPATH=$T/go go build -buildvcs=false -o "$T/export_memory" .) ||
		{ go version | grep -q 'go1\.\(1[0-9]\|[0-9]\)[. ]' && skip "$(go version) is older than 1.20"; return 1; }
}

# export_memory OUT OPTION…: sets WITHOUT and COPIED, the two figures that it prints.
export_memory() {
	run ./export_memory -fcpause "$FCPAUSE" -api-sock "$SIM_SOCK" -pid "$SIM_PID" -out "$@"
	echo "$output"
	[ "$status" -eq 0 ]
	WITHOUT=$(awk '/ bytes would have been copied/ {print $1}' <<<"$output")
	COPIED=$(awk '/ bytes would have been copied/ {print $7}' <<<"$output")
}

# The VM's memory as Firecracker writes it: truth.
full() {
	fcp snapshot --api-sock "$SIM_SOCK" --type full --writer firecracker --snapshot-path truth.snap --mem-file-path truth --force
	expect 0
}

@test "Go, an export: a booted VM's memory without its zeros is the memory that Firecracker writes" {
	build_export
	sim_start --boot --no-envd --memory 64 --workload 20,10,8
	sim_patch /vm '{"state":"Paused"}'
	full
	export_memory exported
	cmp exported truth
	[[ $output == *'a hole is zeros' ]]
	[ "$COPIED" -lt "$(stat -c %s truth)" ] && [ "$COPIED" -le "$WITHOUT" ]
	run ./export_memory -fcpause "$FCPAUSE" -api-sock "$SIM_SOCK" -pid "$SIM_PID" -out exported
	[ "$status" -eq 1 ]
	[[ $output == *exists* ]]
	run ./export_memory -fcpause "$FCPAUSE" -api-sock "$SIM_SOCK"
	[ "$status" -eq 2 ]
}

@test "Go, an export: of a restored VM only what has changed; over the base it is the VM's memory" {
	local align
	build_export
	sim_start --boot --no-envd --memory 64 --workload 20,10,8
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path base.snap --mem-file-path base.mem
	expect 0
	SIM_NAME=restored sim_start --no-envd
	sim_load "$T/base.snap" "$T/base.mem"
	sim_put /sim/workload '{"fill_mib":4,"free_mib":3}'
	sim_patch /vm '{"state":"Paused"}'
	full
	for align in 4096 $BLOCK; do
		export_memory out.$align -align "$align"
		[[ $output == *"a hole is the base's bytes" ]]
		[ "$COPIED" -ge $((4 << 20)) ] && [ "$COPIED" -lt $((16 << 20)) ] && [ "$COPIED" -le "$WITHOUT" ]
		fcp merge --base base.mem --layer out.$align --out whole.$align --any-base
		expect 0
		cmp whole.$align truth
	done
	run ./export_memory -fcpause "$FCPAUSE" -api-sock "$SIM_SOCK" -pid $$ -out other
	[ "$status" -eq 1 ]
}
