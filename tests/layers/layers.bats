#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Includes follow the order of the layers, only
# lib/net knows libcurl and jansson, the library never prints, exits, reads argv or the environment, or
# logs, and what it exports is what its header promises. Read from the sources, and from what was
# built (FCPAUSE_BUILD, default build/).

bats_require_minimum_version 1.5.0

setup() {
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	BUILD=${FCPAUSE_BUILD:-$ROOT/build}
	case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
	T=$BATS_TEST_TMPDIR
	cd "$ROOT" || return 1
}

# "FILE INCLUDED" for each include of a file of ours, FILE as others would include it.
includes() {
	grep -rnoHE --include='*.[ch]' '^#[[:space:]]*include[[:space:]]+"[^"]+"' lib cmd |
		sed -E 's|^lib/||; s|:[0-9]+:#[[:space:]]*include[[:space:]]+"([^"]+)"| \1|'
}

# wrong CONDITION: the lines "FILE INCLUDED" for which the awk condition holds; fails when there are
# any. rank() is the number of the layer that a file is in; lib/fcpause.h is outside: everybody may
# know it.
wrong() {
	local found
	found=$(includes | awk '
		function rank(file) {
			if (file == "fcpause.h") return 0
			if (file ~ /^base\// || file == "version.c") return 1
			if (file ~ /^net\//) return 2
			if (file ~ /^(firecracker|envd|memory)\//) return 3
			if (file ~ /^guest\//) return 4
			if (file ~ /^steps\//) return 5
			if (file ~ /^(flags\.c|report\.[ch])$/ || file ~ /^(flags|services)\//) return 6
			if (file ~ /^cmd\//) return 7
			return -1
		}
		function layer(file) { sub(/\/.*/, "", file); return file }
		'"$1"' { print $1 " includes " $2 }')
	[ -z "$found" ] || { echo "$found"; return 1; }
}

@test "there are files and includes to look at" {
	[ "$(includes | wc -l)" -gt 100 ]
	[ "$(nm -u "$BUILD/libfcpause.a" 2>/dev/null | grep -c ' U ')" -gt 100 ]
}

@test "every file has its place in the layers" {
	wrong 'rank($1) < 0 || rank($2) < 0'
}

@test "includes lead to files by their whole name" {
	local file
	for file in $(includes | cut -d' ' -f2 | sort -u); do
		[ -e "lib/$file" ] || [ -e "$file" ] || { echo "no $file"; return 1; }
	done
}

@test "a file includes its own layer and lower ones only" {
	wrong 'rank($2) > rank($1)'
}

@test "firecracker, envd and memory, side by side, do not know each other" {
	wrong 'rank($1) == 3 && rank($2) == 3 && layer($1) != layer($2)'
}

@test "the steps do not read flags and do not report" {
	run ! grep -rnE 'fcp_flags_read|fcp_report_|include "(report|flags)' lib/steps
}

@test "a public step calls no other public step, except pause, which composes them" {
	local step bad=
	for step in reclaim exec balloon_install balloon_drain snapshot madvise_ranges inspect merge share \
		status resume doctor; do
		bad+=$(grep -rnE "\bfcp_$step\(" --include='*.c' lib/steps |
			grep -vE "^lib/steps/($step|$step/$step|pause)\.c:" || true)
	done
	[ -z "$bad" ] || { echo "$bad"; return 1; }
}

@test "only lib/net includes libcurl and jansson" {
	run ! grep -rnE --include='*.[ch]' 'include[[:space:]]*[<"](curl/|jansson)' lib/base lib/firecracker \
		lib/envd lib/memory lib/guest lib/steps lib/flags.c lib/report.c lib/report.h lib/fcpause.h cmd
}

@test "cmd includes no server's layer: one library call, and rendering" {
	run ! grep -rnE --include='*.[ch]' 'include "(firecracker|envd|guest|net/http|net/curl)' cmd
}

@test "the public header stands alone, in C and in C++" {
	echo '#include "fcpause.h"' >"$T/alone.c"
	cc -std=gnu17 -Wall -Wextra -Werror -Ilib -fsyntax-only "$T/alone.c"
	if command -v c++ >/dev/null; then
		cp "$T/alone.c" "$T/alone.cc"
		c++ -Wall -Wextra -Werror -Ilib -fsyntax-only "$T/alone.cc"
	fi
	# Only the standard's headers.
	run ! grep -nE '^#include "' lib/fcpause.h
}

@test "the library's objects neither print, exit, log, nor read argv or the environment" {
	local banned='stdout|stderr|stdin|printf|vprintf|__printf_chk|__vprintf_chk|puts|putchar|perror|psignal'
	banned+='|exit|_exit|_Exit|quick_exit|abort|atexit|getenv|secure_getenv|setenv|putenv|environ'
	banned+='|err|errx|verr|verrx|warn|warnx|vwarn|vwarnx|error|error_at_line|syslog|vsyslog|openlog'
	banned+='|argp_parse|getopt|getopt_long|program_invocation_name|program_invocation_short_name'
	banned+='|signal|sigaction|sigprocmask|raise|system|popen|fork|vfork|execve|execvp|setlocale|chdir'
	nm -A -u "$BUILD/libfcpause.a" 2>/dev/null | sed -E 's/@.*//' >"$T/undefined"
	# The sanitizers' own runtime is not ours.
	run grep -E " U ($banned)$" "$T/undefined"
	[ "$status" -eq 1 ] || { echo "$output"; return 1; }
}

@test "the public functions of the header, of the map, and of the shared library are the same" {
	# Prototypes: FCP_API … fcp_name(
	tr '\n' ' ' <lib/fcpause.h | grep -oE 'FCP_API [^;]*;' | grep -oE '\bfcp_[a-z0-9_]+\(' |
		tr -d '(' | sort -u >"$T/header"
	sed -nE 's/^[[:space:]]+(fcp_[a-z0-9_]+);$/\1/p' lib/libfcpause.map | sort >"$T/map"
	nm -D --defined-only "$BUILD/libfcpause.so" | awk '$2 ~ /[TDBR]/ { print $3 }' | sed 's/@.*//' |
		sort >"$T/exported"
	[ "$(wc -l <"$T/header")" -gt 15 ]
	diff "$T/header" "$T/map"
	diff "$T/header" "$T/exported"
}

@test "what is not public has no public name: static, or hidden" {
	# In the archive every function that others can call carries the prefix.
	run bash -c "nm -g --defined-only '$BUILD/libfcpause.a' 2>/dev/null |
		awk '\$2 ~ /[TDBRC]/ { print \$3 }' | grep -vE '^(fcp_|__(asan|ubsan|odr_asan)|_?_asan)'"
	[ -z "$output" ] || { echo "$output"; return 1; }
}

@test "a header's include guard is its path" {
	local file guard bad=
	for file in $(find lib cmd -name '*.h'); do
		case $file in
		lib/fcpause.h) guard=FCPAUSE_H ;;
		lib/*) guard=FCP_${file#lib/} ;;
		*) guard=FCP_$file ;;
		esac
		guard=${guard%.h}
		[ "$guard" = FCPAUSE_H ] || guard=${guard}_H
		guard=$(tr 'a-z/.-' 'A-Z___' <<<"$guard")
		grep -qx "#ifndef $guard" "$file" && grep -qx "#define $guard" "$file" || bad+="$file: $guard"$'\n'
	done
	[ -z "$bad" ] || { printf '%s' "$bad"; return 1; }
}

# A program of somebody else's, with what `make install` put there.
@test "an installed library can be used: pkg-config, header, shared and static" {
	command -v pkg-config >/dev/null || skip 'pkg-config is not installed'
	grep -q '^install:' Makefile || skip 'no install target'
	case $BUILD in *asan* | *ubsan*) skip 'a library with sanitizers needs a program with them' ;; esac
	local b=${BUILD#"$ROOT"/} flags
	# What is built is installed, not built again: others may be at it.
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -o product install B="$b" DESTDIR="$T/root" PREFIX=/usr >"$T/log" 2>&1 ||
		{ cat "$T/log"; return 1; }
	[ -x "$T/root/usr/bin/fcpause" ]
	export PKG_CONFIG_PATH=$T/root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$T/root
	cat >"$T/user.c" <<-'E'
	#include <fcpause.h>
	#include <stdio.h>
	#include <string.h>

	int main(void)
	{
		struct fcp_balloon_drain_settings settings = FCP_BALLOON_DRAIN_SETTINGS_INIT;
		struct fcp_balloon_drain_result result = FCP_BALLOON_DRAIN_RESULT_INIT;
		struct fcp_error err;

		if (strcmp(fcp_version(), FCP_VERSION) != 0)
			return 2;
		settings.api_sock = "/nowhere";
		settings.fph_timeout_ms = 1;
		if (fcp_balloon_drain(&settings, &result, &err) != -1 || err.error_class != FCP_ERR_CONNECT)
			return 3;
		puts(fcp_error_class_name(err.error_class));
		return 0;
	}
	E
	flags=$(pkg-config --cflags --libs libfcpause)
	cc -Wall -Werror "$T/user.c" -o "$T/user" $flags
	run env LD_LIBRARY_PATH="$T/root/usr/lib" "$T/user"
	[ "$status" -eq 0 ] && [ "$output" = connect ] || { echo "$status $output"; return 1; }
	[ "$(pkg-config --modversion libfcpause)" = "$(sed -n 's/^#define FCP_VERSION "\(.*\)"/\1/p' lib/fcpause.h)" ]
	cc -Wall -Werror "$T/user.c" -o "$T/static" $(pkg-config --cflags libfcpause) \
		"$T/root/usr/lib/libfcpause.a" $(pkg-config --static --libs-only-l libfcpause | sed 's/-lfcpause//')
	run "$T/static"
	[ "$status" -eq 0 ]
	[ -L "$T/root/usr/lib/libfcpause.so" ]
}

@test "lib/README.md: the folders and files that it names are there, and all folders of lib and cmd are named" {
	local name bad=
	grep -oE '`[^`]+`' lib/README.md | tr -d '`' | sort -u >"$T/named"
	[ "$(grep -c '/' "$T/named")" -gt 20 ]
	while read -r name; do
		case $name in
		*'*'* | *' '* | *NAME* | -*) continue ;;
		*/* | *.c | *.h | *.map | *.bats) ;;
		*) continue ;;
		esac
		[ -e "$name" ] || [ -n "$(find lib cmd -path "*/${name%/}")" ] || bad+="$name is not there"$'\n'
	done <"$T/named"
	for name in $(find lib cmd -mindepth 1 -type d); do
		grep -qx "$name/" "$T/named" || bad+="$name/ is not named"$'\n'
	done
	[ -z "$bad" ] || { printf '%s' "$bad"; return 1; }
	[ "$(wc -l <lib/README.md)" -le 60 ]
}

@test "a message of the library names no command-line option, except in a command to paste" {
	run grep -rnE --include='*.[ch]' '^[^*]*"[^"]*--[a-z][a-z-]+' lib
	[ "$(grep -v '^lib/firecracker/by_hand[.]' <<<"$output")" = '' ] || { echo "$output"; return 1; }
}
