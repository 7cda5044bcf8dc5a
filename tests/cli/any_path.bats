#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The test command passes wherever the clone lies: in a directory called fcpause, below one whose name has
# spaces, quotes, a dollar and letters beyond ASCII, deeper than a socket's path may be long, and through a
# symbolic link. A copy of the tree is made there, and what is sensitive to paths is run in it.

bats_require_minimum_version 1.5.0

setup_file() {
	[[ ${FCPAUSE_BUILD:-} != *[au]san* ]] || return 0
	export BATS_TEST_TIMEOUT=300 ROOT BUILD PLACE
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	BUILD=${FCPAUSE_BUILD:-$ROOT/build}
	# (Two components of 60 letters.)
	PLACE="$BATS_FILE_TMPDIR/an 'odd' \"one\" \$x {} ä/$(printf 'l%.0s' {1..60})/$(printf 'm%.0s' {1..60})/fcpause"
	mkdir -p "$PLACE/build"
	(cd "$ROOT" && find . -path ./.git -prune -o -path './build*' -prune -o \( -type f -o -type l \) -print0) |
		tar -C "$ROOT" --null -T - -cf - | tar -xf - -C "$PLACE"
	cp -r "$BUILD"/fcpause "$BUILD"/man3 "$BUILD"/fcpause-sim "$BUILD"/replay "$BUILD"/guest-file "$BUILD"/schema-check "$BUILD"/libfcpause.* "$PLACE/build/"
	ln -s "$PLACE" "$BATS_FILE_TMPDIR/a link"
}

setup() {
	[[ ${FCPAUSE_BUILD:-} != *[au]san* ]] || skip 'no path depends on how it was built'
}

# there DIRECTORY COMMAND…: with nothing of this bats around it. (It has its own directory in PATH, where
# another one is no program.)
there() {
	local dir=$1 path=${PATH//"${BATS_LIBEXEC:-none}:"/}
	shift
	(cd "$dir" && env -i --default-signal "PATH=$path" "HOME=$HOME" "TMPDIR=${TMPDIR:-/tmp}" LC_ALL=C "$@") \
		>"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- || { cat "$BATS_TEST_TMPDIR/out" && return 1; }
}

# As `make check` runs them: whole files.
files_in() {
	there "$1" ./tests/run build any "${@:2}"
	tail -n 1 "$BATS_TEST_TMPDIR/out" | grep -E '^[1-9][0-9]* passed, 0 failed, [0-9]+ skipped$'
}

# cases_in DIRECTORY FILTER FILE…: those cases of files that are sensitive.
cases_in() {
	there "$1" bats -f "$2" "${@:3}"
	grep -q '^ok 2 ' "$BATS_TEST_TMPDIR/out"
}

@test "16: in a directory called fcpause with an odd and long path: whole files" {
	files_in "$PLACE" tests/layers/layers.bats tests/sim/hold.bats tests/cli/environment.bats
}

@test "16: in the same: what looks at paths, runs scripts, or writes scripts" {
	cases_in "$PLACE" '^(manual: .*|colours: on a term.*|A9: (what the demo|by hand|in CI|resume-build|the targets).*|A2: --from.*|.*(installed|shellcheck).*|.*recorded byte.*)' \
		tests/cli/manual.bats tests/cli/inspect.bats tests/cli/readme.bats tests/cli/fph_bench.bats \
		tests/cli/resume_build.bats tests/contract/contract.bats
}

@test "16: through a symbolic link" {
	files_in "$BATS_FILE_TMPDIR/a link" tests/layers/layers.bats tests/cli/environment.bats
	cases_in "$BATS_FILE_TMPDIR/a link" '^(manual: .*|A9: (what the demo|by hand).*|.*(installed|shellcheck).*)' \
		tests/cli/manual.bats tests/cli/readme.bats tests/cli/fph_bench.bats tests/cli/resume_build.bats
}

@test "16: make builds there" {
	# One program with its library, from the sources of the copy.
	make -C "$PLACE" B=build-here build-here/fcpause WERROR=1
	"$PLACE/build-here/fcpause" --version
	make -C "$PLACE" -n check >/dev/null
}
