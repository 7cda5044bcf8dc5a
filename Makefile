# SPDX-License-Identifier: Apache-2.0
#
# make            build/fcpause, build/fcpause-sim, build/libfcpause.{a,so}
# make check      all tests that need nothing special; some of check-vm where QEMU is installed
#                 (REPORT=1: with the table of faults; FCPAUSE_LONG=1: all faults, not a sample)
# make check-abi  what a program needs that was built against a release of the library
# make release-abi  stores the library's interface and header: at a release, or after an addition
# make check-vm   against real Linux kernels under QEMU (FCPAUSE_VM_LONG=1: all variants on all)
# make check-valgrind  unit and command-line tests under memcheck; make D=tsan check-threads
# make check-live against the real Firecracker and envd, where they are on PATH
# make check-arm64  built for arm64 and run under QEMU, on hosts with pages of 4, 16 and 64 KiB
# make fuzz       all that is read from outside: each parser, then the guest's memory, FUZZ_SECONDS=60
#                 each; FUZZ_TARGETS="envd maps guest" names some (clang, libclang-rt-dev, llvm)
# make demo       the main job on the simulator, before and after
# make bench      speed, as ratios in one run
# make format-check  the layout of C files, by Debian 12's clang-format; make format puts it right
# make lint       checkers of the sources: clang-tidy, cppcheck, shellcheck, codespell, mandoc, those there are
# make install    to DESTDIR and PREFIX (it builds what is installed only: make product); make uninstall
# make dist       build/fcpause-VERSION.tar.xz, of the last commit
# make deb        Debian packages in build/deb (debhelper)
# make clean
#
# Knobs: V=1 shows the commands; D=asan|ubsan|asan,ubsan|tsan builds with sanitizers (in build-D);
# WERROR=1 makes warnings errors; CC, CFLAGS, LDFLAGS, PREFIX, DESTDIR as usual.
# ARCH=arm64 builds for arm64, in build-arm64, on another machine with gcc-aarch64-linux-gnu (or
# CROSS_COMPILE=PREFIX-); the libraries are those of SYSROOT=DIR, which scripts/arm64-sysroot makes,
# or where the compiler finds them: make ARCH=arm64 SYSROOT="$(scripts/arm64-sysroot)"

VERSION := $(shell sed -n 's/^\#define FCP_VERSION "\(.*\)"/\1/p' lib/fcpause.h)
SOVERSION := $(firstword $(subst ., ,$(VERSION)))

CC ?= cc
ARCH ?=
ifneq ($(filter-out arm64,$(ARCH)),)
$(error ARCH=$(ARCH): only arm64 is known; without ARCH the build is for what $(CC) compiles for)
endif
ifeq ($(ARCH),arm64)
CROSS_COMPILE ?= $(if $(filter aarch64,$(shell uname -m)),,aarch64-linux-gnu-)
endif
ifneq ($(CROSS_COMPILE),)
ifneq ($(origin CC),command line)
CC := $(CROSS_COMPILE)gcc
endif
AR := $(CROSS_COMPILE)ar
endif
TARGET := $(shell $(CC) -dumpmachine)
SYSROOT ?=
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
BASHCOMPDIR ?= $(DATADIR)/bash-completion/completions
ZSHCOMPDIR ?= $(DATADIR)/zsh/site-functions
FISHCOMPDIR ?= $(DATADIR)/fish/vendor_completions.d

V ?= 0
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2))

comma := ,
SANITIZERS := $(subst $(comma), ,$(D:fuzz=asan,ubsan,fuzzer-no-link))
SANITIZERS := $(patsubst tsan,thread,$(patsubst ubsan,undefined,$(patsubst asan,address,$(SANITIZERS))))
B := build$(if $(ARCH),-$(ARCH))$(if $(D),-$(subst $(comma),-,$(D)))

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wwrite-strings -Wundef -Wformat=2 -Wformat-signedness -Wvla \
	-Wnull-dereference -Wimplicit-fallthrough -Wunused -Wredundant-decls -Wlogical-op \
	$(if $(findstring clang,$(CC)),-Wno-unknown-warning-option) $(if $(WERROR),-Werror)
HARDENING := -fstack-protector-strong -fstack-clash-protection \
	$(if $(filter x86_64-%,$(TARGET)),-fcf-protection) \
	$(if $(filter aarch64-%,$(TARGET)),-mbranch-protection=standard)
ifeq ($(D),coverage)
HARDENING += -fprofile-instr-generate -fcoverage-mapping
else ifneq ($(D),)
HARDENING += $(SANITIZERS:%=-fsanitize=%) -fno-sanitize-recover=all -fno-omit-frame-pointer
else ifneq ($(filter -O%,$(CFLAGS)),)
HARDENING += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
endif

SYSROOT_FLAG := $(SYSROOT:%=--sysroot=%)
ALL_CFLAGS := $(SYSROOT_FLAG) -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -fPIC -fvisibility=hidden -pthread \
	-MMD -MP $(WARNINGS) $(HARDENING) $(CFLAGS)
ALL_LDFLAGS := $(SYSROOT_FLAG) -pthread -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed $(HARDENING) $(LDFLAGS)
# lib/net loads libcurl when it is needed (see lib/net/curl.h): nothing links it.
LIBS := -ljansson -lresolv -lm

LIB_SOURCES := $(wildcard lib/*.c lib/*/*.c lib/*/*/*.c)
CMD_SOURCES := $(wildcard cmd/*.c cmd/*/*.c)
SIM_SOURCES := $(wildcard tests/sim/*.c)
UNIT_SOURCES := $(wildcard tests/unit/*.c)

LIB_OBJECTS := $(LIB_SOURCES:%.c=$(B)/o/%.o)
CMD_OBJECTS := $(CMD_SOURCES:%.c=$(B)/o/%.o)
SIM_OBJECTS := $(SIM_SOURCES:%.c=$(B)/o/%.o)
UNIT_OBJECTS := $(UNIT_SOURCES:%.c=$(B)/o/%.o)
# A unit test is a program; what is no *_test.c is shared by them.
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/unit/%,$(filter %_test.c,$(UNIT_SOURCES)))
UNIT_SHARED := $(filter-out %_test.o,$(UNIT_OBJECTS))
BATS_TESTS := $(wildcard tests/contract/*.bats tests/sim/*.bats tests/layers/*.bats tests/cli/*.bats \
	tests/durable/*.bats tests/abi/*.bats)
QEMU := $(shell command -v qemu-system-x86_64)
FUZZ_SECONDS ?= 60
# What runs an input of the fuzzer, without the fuzzer: a test replays those that it kept.
FUZZ_OBJECTS := $(patsubst %,$(B)/o/tests/fuzz/%.o,check patch base source store)
# The fuzz targets of the parsers; build/replays/NAME replays the inputs of tests/fuzz/corpora/NAME.
PARSER_SHARED := fuzz http replay
PARSERS := $(filter-out $(PARSER_SHARED),$(patsubst tests/fuzz/parsers/%.c,%,$(wildcard tests/fuzz/parsers/*.c)))
PARSER_OBJECTS := $(patsubst %,$(B)/o/tests/fuzz/parsers/%.o,$(PARSERS) $(PARSER_SHARED))
PARSER_REPLAYS := $(PARSERS:%=$(B)/replays/%)
FUZZ_TARGETS ?= $(PARSERS) guest
REPLAY_OBJECTS := $(patsubst %.c,$(B)/o/%.o,$(wildcard tests/contract/*.c))

MATRIX_TESTS := $(B)/matrix $(B)/load
MATRIX_OBJECTS := $(patsubst %,$(B)/o/tests/matrix/%.o,files sim run cells cell rules table)

# Scripts for users, installed as fcpause-NAME.
USER_SCRIPTS := resume-build fph-bench pause-many

CLANG_FORMAT ?= clang-format
FORMATTED = $(or $(shell git ls-files '*.[ch]' 2>/dev/null),$(shell find cmd lib scripts tests -name '*.[ch]'))

LIBRARIES := $(B)/libfcpause.a $(B)/libfcpause.so

all: product $(B)/fcpause-sim $(B)/schema-check

# What is installed: neither the simulator nor what only tests need.
product: $(B)/fcpause $(LIBRARIES) $(B)/man3/libfcpause.3

$(B)/fcpause: $(CMD_OBJECTS) $(B)/libfcpause.a
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(B)/libfcpause.a: $(LIB_OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/libfcpause.so: $(LIB_OBJECTS) lib/libfcpause.map
	$(call say,LINK,$@)
	$(Q)$(CC) -shared -Wl,-soname,libfcpause.so.$(SOVERSION) -Wl,--version-script,lib/libfcpause.map \
		$(if $(D),,-Wl,-z,defs) $(ALL_LDFLAGS) -o $@ $(LIB_OBJECTS) $(LIBS)

$(B)/fcpause-sim: $(SIM_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(ALL_LDFLAGS) -o $@ $^ -lmicrohttpd -ljansson -lresolv

# Is a report as the published schema says?
$(B)/schema-check: $(B)/o/tests/schema/check.o
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(ALL_LDFLAGS) -o $@ $^ -ljansson

# The library's pages: libfcpause(3), with the names and the date that the others get; and of the header's
# comments one for each group of functions.
$(B)/man3/libfcpause.3: man/libfcpause.3 man/pages.awk lib/fcpause.h $(wildcard man/*.1)
	$(call say,MAN,$(@D))
	$(Q)rm -rf $(@D) && mkdir -p $(@D)
	$(Q)awk -v out=$(@D) -v date="$$(sed -n 's/^\.Dd //p' $<)" -v commands="$(patsubst man/fcpause-%.1,%,$(wildcard man/fcpause-*.1))" \
		-f man/pages.awk lib/fcpause.h
	$(Q)cp $< $@

$(B)/o/cmd/schema/schema.o: cmd/schema/fcpause.schema.json

$(B)/o/lib/%.o: lib/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -Ilib -c -o $@ $<

$(B)/o/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -Ilib -I. -c -o $@ $<

$(B)/unit/%: $(B)/o/tests/unit/%.o $(UNIT_SHARED) $(B)/libfcpause.a
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) -pie $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# Wrapped: what the step under test calls.
$(B)/unit/pause_outcome_test: ALL_LDFLAGS += -Wl,--wrap=fcp_lock_vm,--wrap=fcp_snapshot_check \
	-Wl,--wrap=fcp_snapshot_keep,--wrap=fcp_snapshot_files_check_names

$(B)/unit/guest_pagemap_test: ALL_LDFLAGS += -Wl,--wrap=ioctl

$(B)/unit/guest_hostile_test: $(B)/o/tests/unit/guest_hostile_test.o $(FUZZ_OBJECTS) $(UNIT_SHARED) \
	$(B)/libfcpause.a
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) -pie $(ALL_LDFLAGS) @tests/fuzz/wrap -o $@ $^ $(LIBS)

# Makes a base for the fuzzer of a real guest's memory file.
$(B)/distil: $(B)/o/tests/fuzz/distil.o $(FUZZ_OBJECTS) $(UNIT_SHARED) $(B)/libfcpause.a
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(ALL_LDFLAGS) @tests/fuzz/wrap -o $@ $^ $(LIBS)

# http.o where a target is linked with its wraps, and the commands for the options.
parser_objects = $(patsubst %,$(B)/o/tests/fuzz/parsers/%.o,$(1) fuzz $(if $(filter envd firecracker,$(1)),http)) \
	$(if $(filter options,$(1)),$(filter-out $(B)/o/cmd/main.o,$(CMD_OBJECTS))) $(B)/libfcpause.a
parser_wraps = $(patsubst %,@%,$(wildcard tests/fuzz/parsers/$(1).wrap))

.SECONDEXPANSION:
$(PARSER_REPLAYS): $(B)/replays/%: $(B)/o/tests/fuzz/parsers/replay.o $$(call parser_objects,$$*)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) -pie $(ALL_LDFLAGS) $(call parser_wraps,$*) -o $@ $^ $(LIBS)

# With libFuzzer's own main: tests/fuzz/parsers/run makes them with CC=clang D=fuzz.
$(B)/fuzzers/%: $$(call parser_objects,$$*)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) -pie $(ALL_LDFLAGS) -fsanitize=fuzzer $(call parser_wraps,$*) -o $@ $^ $(LIBS)

$(B)/replay: $(REPLAY_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(ALL_LDFLAGS) -o $@ $^ -ljansson

$(B)/guest-file: $(B)/o/tests/cli/guest_file.o $(UNIT_SHARED) $(B)/libfcpause.a
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(B)/shim.so: tests/durable/shim.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) -std=gnu17 -D_GNU_SOURCE -O1 -shared -fPIC -o $@ $< -ldl

# What a test of the sandbox puts into fcpause, where there is no compiler beside it.
$(B)/exploit.so: tests/cli/exploit.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(SYSROOT_FLAG) -std=gnu17 -D_GNU_SOURCE -O1 -shared -fPIC -o $@ $<

# What fcpause does when anything fails; many runs at once.
$(B)/matrix $(B)/load: $(B)/%: $(B)/o/tests/matrix/%.o $(MATRIX_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(ALL_LDFLAGS) -o $@ $^ -ljansson

check: all $(UNIT_TESTS) $(PARSER_REPLAYS) $(B)/replay $(B)/guest-file $(B)/shim.so $(MATRIX_TESTS)
	$(Q)tests/run $(B) check $(UNIT_TESTS) $(PARSER_REPLAYS) $(MATRIX_TESTS) $(BATS_TESTS) $(if $(QEMU),$(if $(D),,tests/vm/quick))

check-abi: all $(B)/guest-file $(B)/unit/versions_test $(B)/unit/call_test
	$(Q)tests/run $(B) abi $(B)/unit/versions_test $(B)/unit/call_test tests/abi/abi.bats

# Not what breaks programs: that needs another soname, the first number of FCP_VERSION. Then nothing of the
# one before is kept (rm tests/abi/libfcpause.abi tests/abi/fcpause-*.h), and this run again.
release-abi: all
	$(Q)tests/abi/dump $(B)/libfcpause.so > $(B)/libfcpause.abi
	$(Q)[ ! -e tests/abi/libfcpause.abi ] || tests/abi/compare tests/abi/libfcpause.abi $(B)/libfcpause.abi
	$(Q)cp $(B)/libfcpause.abi tests/abi/libfcpause.abi
	$(Q)cp lib/fcpause.h tests/abi/fcpause-$(VERSION).h

check-vm:
	$(Q)tests/run $(B) vm tests/vm/run

# What needs openat2 or PAGEMAP_SCAN is not among them: valgrind 3.19 does not know them.
VALGRIND_TESTS := connect error fifo flags json lock memory_compare memory_ranges memory_release \
	memory_writer memory_zero reclaim_script state_file text units url utf8
THREADED_TESTS := confined memory_compare memory_release memory_share memory_writer memory_zero
# Of the program: the hold, what reads guest memory and releases it, a command's input, progress.
THREADED_BATS := $(patsubst %,tests/cli/%.bats,writer madvise_ranges share exec progress)

check-valgrind: all $(B)/guest-file $(B)/replay $(VALGRIND_TESTS:%=$(B)/unit/%_test)
	$(Q)tests/valgrind $(B) $(VALGRIND_TESTS:%=$(B)/unit/%_test) tests/cli/flags.bats \
		tests/cli/ranges_input.bats

# What has threads, by ThreadSanitizer: make D=tsan check-threads.
check-threads: all $(B)/guest-file $(B)/replay $(THREADED_TESTS:%=$(B)/unit/%_test)
	$(Q)tests/run $(B) threads $(THREADED_TESTS:%=$(B)/unit/%_test) $(THREADED_BATS)

# All that tests run, beside scripts.
test-programs: all $(UNIT_TESTS) $(PARSER_REPLAYS) $(B)/replay $(B)/guest-file $(B)/exploit.so

check-arm64: all $(B)/replay $(B)/guest-file
	$(Q)tests/arm64/run

check-live: all
	$(Q)tests/run $(B) live tests/live/run

fuzz:
	$(Q)FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/parsers/run $(filter $(PARSERS),$(FUZZ_TARGETS))
	$(if $(filter guest,$(FUZZ_TARGETS)),$(Q)FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run $(B))

demo: all
	$(Q)tests/demo $(B)

$(B)/bench-writer $(B)/bench-share: $(B)/bench-%: $(B)/o/tests/bench/%.o $(B)/libfcpause.a
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

bench: all $(B)/bench-writer $(B)/bench-share
	$(Q)tests/bench/run $(B)/fcpause $(B)/fcpause-sim $(B)/bench-writer $(B)/bench-share

# FORMATTED='lib/base/*.c' looks at these only. clang-format leaves long comments alone, awk does not.
format-check:
	$(Q)$(CLANG_FORMAT) --dry-run --Werror $(FORMATTED)
	$(Q)bad=0; for file in $(FORMATTED); do expand -t 8 $$file | awk -v file=$$file \
		'length > 100 {print file ":" NR ": " length " columns, not 100"; bad = 1} END {exit bad}' || bad=1; \
	done; exit $$bad

lint:
	$(Q)CLANG_FORMAT=$(CLANG_FORMAT) tests/lint

format:
	$(Q)$(CLANG_FORMAT) -i $(FORMATTED)

# The version, and no "BSD" before the volume's name, which groff 1.22 adds and long titles have no room for.
PAGE_EDITS := -e 's/^\.Os$$/.Os fcpause $(VERSION)/' -e 's/^\.Dt /.ds doc-volume-operating-system\n&/'

install: product
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR) \
		$(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man3 $(DESTDIR)$(MANDIR)/man5 \
		$(DESTDIR)$(MANDIR)/man7 \
		$(DESTDIR)$(DATADIR)/fcpause
	install -m 755 $(B)/fcpause $(DESTDIR)$(BINDIR)/fcpause
	install -m 644 $(B)/libfcpause.a $(DESTDIR)$(LIBDIR)/libfcpause.a
	install -m 755 $(B)/libfcpause.so $(DESTDIR)$(LIBDIR)/libfcpause.so.$(VERSION)
	ln -sf libfcpause.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libfcpause.so.$(SOVERSION)
	ln -sf libfcpause.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libfcpause.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
		-e 's|@VERSION@|$(VERSION)|' lib/libfcpause.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/libfcpause.pc
	install -m 644 lib/fcpause.h $(DESTDIR)$(INCLUDEDIR)/fcpause.h
	install -m 644 scripts/vm.sh scripts/fph-bench.jq cmd/schema/fcpause.schema.json $(DESTDIR)$(DATADIR)/fcpause
	set -e; for script in $(USER_SCRIPTS); do \
		sed 's|^vm_sh=.*|vm_sh=$(DATADIR)/fcpause/vm.sh|' scripts/$$script > $(DESTDIR)$(BINDIR)/fcpause-$$script; \
		chmod 755 $(DESTDIR)$(BINDIR)/fcpause-$$script; \
	done
	install -d $(DESTDIR)$(BASHCOMPDIR) $(DESTDIR)$(ZSHCOMPDIR) $(DESTDIR)$(FISHCOMPDIR)
	$(B)/fcpause completion bash > $(DESTDIR)$(BASHCOMPDIR)/fcpause
	$(B)/fcpause completion zsh > $(DESTDIR)$(ZSHCOMPDIR)/_fcpause
	$(B)/fcpause completion fish > $(DESTDIR)$(FISHCOMPDIR)/fcpause.fish
	chmod 644 $(DESTDIR)$(BASHCOMPDIR)/fcpause $(DESTDIR)$(ZSHCOMPDIR)/_fcpause \
		$(DESTDIR)$(FISHCOMPDIR)/fcpause.fish
	set -e; for page in man/*.[157] $(B)/man3/*.3; do \
		to=$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; \
		sed $(PAGE_EDITS) $$page > $$to; \
		chmod 644 $$to; \
	done

uninstall: $(B)/man3/libfcpause.3
	rm -f $(DESTDIR)$(BINDIR)/fcpause $(USER_SCRIPTS:%=$(DESTDIR)$(BINDIR)/fcpause-%)
	rm -f $(DESTDIR)$(LIBDIR)/libfcpause.a $(DESTDIR)$(LIBDIR)/libfcpause.so $(DESTDIR)$(LIBDIR)/libfcpause.so.$(SOVERSION) \
		$(DESTDIR)$(LIBDIR)/libfcpause.so.$(VERSION) $(DESTDIR)$(LIBDIR)/pkgconfig/libfcpause.pc $(DESTDIR)$(INCLUDEDIR)/fcpause.h
	rm -f $(foreach n,1 5 7,$(patsubst man/%,$(DESTDIR)$(MANDIR)/man$n/%,$(wildcard man/*.$n)))
	for page in $(B)/man3/*.3; do rm -f $(DESTDIR)$(MANDIR)/man3/$${page##*/}; done
	rm -f $(DESTDIR)$(BASHCOMPDIR)/fcpause $(DESTDIR)$(ZSHCOMPDIR)/_fcpause $(DESTDIR)$(FISHCOMPDIR)/fcpause.fish
	rm -rf $(DESTDIR)$(DATADIR)/fcpause

# The same bytes for the same commit, whoever makes it.
dist:
	$(Q)scripts/packaging/dist $(VERSION) $(B)

deb:
	$(Q)scripts/packaging/deb $(VERSION) $(B)/deb

clean:
	rm -rf build build-*

-include $(B)/o/tests/schema/check.d $(LIB_OBJECTS:.o=.d) $(CMD_OBJECTS:.o=.d) $(SIM_OBJECTS:.o=.d) $(UNIT_OBJECTS:.o=.d) \
	$(REPLAY_OBJECTS:.o=.d) $(FUZZ_OBJECTS:.o=.d) $(PARSER_OBJECTS:.o=.d) $(wildcard $(B)/o/tests/matrix/*.d)

.PHONY: all product check check-abi release-abi check-vm check-valgrind check-threads test-programs check-arm64 check-live fuzz demo \
	bench lint format format-check install uninstall dist deb clean
.SECONDARY: $(UNIT_OBJECTS) $(PARSER_OBJECTS)
