#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# make install, uninstall, dist and deb.

load helpers

setup_file() { export BATS_TEST_TIMEOUT=600; }

# of_make TARGET [VARIABLE=VALUE…]: in the tree, with what was built; nothing is built again.
of_make() {
	local b=${FCPAUSE_BUILD:-$ROOT/build}
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$ROOT" -o product B="${b#"$ROOT"/}" "$@" >log 2>&1 || { cat log; return 1; }
}

need_repository() {
	command -v git >/dev/null || skip 'git is not installed'
	[ -e "$ROOT/.git" ] || skip 'this tree is no git repository'
}

@test "uninstall removes what install put there, and nothing else" {
	local dirs=(DESTDIR="$T/root" PREFIX=/usr LIBDIR=/usr/lib/odd)
	mkdir -p root/usr/bin root/usr/share/man/man1 root/usr/lib/odd
	touch root/usr/bin/fcpause-other root/usr/share/man/man1/other.1 root/usr/lib/odd/libother.so
	find root ! -type d | sort >before
	of_make install "${dirs[@]}"
	find root ! -type d | sort >installed
	[ "$(comm -13 before installed | wc -l)" -gt 25 ]
	of_make uninstall "${dirs[@]}"
	find root ! -type d | sort | diff before -
	[ ! -e root/usr/share/fcpause ]
	# Of what is not there it makes no error.
	of_make uninstall "${dirs[@]}"
}

@test "install: each page has the version at its foot, and a title that does not run into what is beside it" {
	local page version
	version=$("$FCPAUSE" --version)
	of_make install DESTDIR="$T/root" PREFIX=/usr
	find root/usr/share/man -name '*.[1357]' ! -exec grep -q '^\.so ' {} \; -print >pages
	[ "$(wc -l <pages)" -gt 20 ]
	while IFS= read -r page; do
		grep -qxF ".Os $version" "$page" || { echo "$page: no version"; false; }
	done <pages
	command -v groff >/dev/null || skip 'groff is not installed'
	# As man does on a terminal of 80 columns.
	while IFS= read -r page; do
		groff -mandoc -Tascii -rLL=78n "$page" >text
		head -n 1 text | grep -qE '^[A-Za-z_-]+\([1-9]\) +[A-Z][A-Za-z ]*[a-z] +[A-Za-z_-]+\([1-9]\)$' || { head -n 1 text; false; }
		tail -n 1 text | grep -qF "$version"
	done <pages
}

@test "install builds what is installed: neither the simulator nor tests" {
	make -n -C "$ROOT" install B="$T/none" DESTDIR="$T/root" >commands
	grep -q 'cmd/main\.c' commands
	grep -q 'libfcpause\.so' commands
	run ! grep -nE 'tests/|microhttpd|fcpause-sim' commands
	make -n -C "$ROOT" all B="$T/none" | grep -q microhttpd
}

@test "dist: all that is committed, in the same bytes each time; of it make can build and test without git" {
	local version name
	need_repository
	version=$("$FCPAUSE" --version | cut -d' ' -f2)
	name=fcpause-$version
	mkdir a b
	make -s -C "$ROOT" dist B="$T/a"
	# Neither the time nor the umask of the one who makes it matter.
	(umask 077 && make -s -C "$ROOT" dist B="$T/b")
	cmp "a/$name.tar.xz" "b/$name.tar.xz"
	[ "$(ls a)" = "$name.tar.xz" ]
	tar -tf "a/$name.tar.xz" | grep -v '/$' | sort >listed
	git -C "$ROOT" ls-tree -r --name-only -z HEAD | tr '\0' '\n' | sed "s|^|$name/|" | LC_ALL=C sort >committed
	LC_ALL=C sort listed | diff committed -
	tar -xf "a/$name.tar.xz"
	[ ! -e "$name/.git" ]
	make -n -C "$name" check >commands
	grep -q 'tests/cli/packaging\.bats' commands
	# What is formatted is found there, too.
	[ "$(make -s -C "$name" format-check CLANG_FORMAT='printf %s\\n' | grep -c '\.[ch]$')" -gt 100 ]
	run make -s -C "$name" dist
	[ "$status" -ne 0 ]
	[[ $output == *'needs the git repository'* ]]
}

@test "deb: its changelog is of this version, and a file for each folder of install" {
	local version place
	version=$("$FCPAUSE" --version | cut -d' ' -f2)
	head -n 1 "$ROOT/scripts/packaging/debian/changelog" | grep -qF "fcpause ($version-"
	[ "$(sed -n 's/^Package: lib.*[a-z]\([0-9]*\)$/\1/p' "$ROOT/scripts/packaging/debian/control" | tr -d '\n')" = "${version%%.*}" ]
	of_make install DESTDIR="$T/root" PREFIX=/usr LIBDIR=/usr/lib/arch
	# dh_missing finds what is left, but is not on every machine.
	(cd root && find . ! -type d | sed 's|^\./||' | sort) >installed
	while read -r place; do
		(cd root && compgen -G "$place" >/dev/null) || { echo "there is no $place"; return 1; }
		# shellcheck disable=SC2086 # a pattern
		(cd root && find $place ! -type d)
	done < <(cat "$ROOT"/scripts/packaging/debian/*.install) | sort >packed
	diff installed packed
}

@test "deb: each example is in one of the packages" {
	local name
	sort "$ROOT"/scripts/packaging/debian/*.examples >packed
	for name in "$ROOT"/scripts/examples/*; do echo "scripts/examples/${name##*/}"; done | sort >examples
	[ "$(wc -l <examples)" -ge 8 ]
	diff examples packed
}

@test "deb: the packages are built, have all files, and lintian finds no error" {
	local dir package
	case ${FCPAUSE_BUILD:-} in *san*) skip 'packages are built without sanitizers' ;; esac
	for package in dpkg-buildpackage dh; do
		command -v "$package" >/dev/null || skip "$package is not installed"
	done
	# (Quickly, and beside the build of the tree.)
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL DEB_BUILD_OPTIONS=noopt make -s -C "$ROOT" deb B="$T" >log 2>&1 || { tail -n 30 log; return 1; }
	dir=$T/deb
	for package in fcpause libfcpause0 libfcpause-dev; do
		dpkg-deb -x "$dir/$package"_*.deb root
		[ "$(dpkg-deb -f "$dir/$package"_*.deb Version)" = "$("$FCPAUSE" --version | cut -d' ' -f2)-1" ]
		dpkg-deb -f "$dir/$package"_*.deb Depends | grep -q 'libc\|libfcpause0 (='
	done
	[ "$(root/usr/bin/fcpause --version)" = "$("$FCPAUSE" --version)" ]
	grep -qx 'vm_sh=/usr/share/fcpause/vm.sh' root/usr/bin/fcpause-resume-build
	[ -e root/usr/include/fcpause.h ] && [ -e root/usr/share/man/man3/libfcpause.3.gz ]
	command -v lintian >/dev/null || skip 'the packages are good; lintian is not installed'
	lintian --allow-root --fail-on error "$dir"/*.changes
}

@test "shellcheck finds nothing in the packaging" {
	command -v shellcheck >/dev/null || skip 'shellcheck is not installed'
	shellcheck "$ROOT"/scripts/packaging/dist "$ROOT"/scripts/packaging/deb
}
