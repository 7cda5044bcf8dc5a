// SPDX-License-Identifier: Apache-2.0
/* Where a process holds a guest's memory, and what is there: of children that map it as Firecracker
 * does. */
#include "base/units.h"
#include "firecracker/process.h"
#include "guest/arch/arch.h"
#include "guest/pagemap.h"
#include "guest/ram.h"
#include "tap.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE ((size_t)sysconf(_SC_PAGESIZE))
#define RAM ((size_t)(16 * FCP_MIB))
#define SLOT ((size_t)(128 * FCP_MIB))
#define RW (PROT_READ | PROT_WRITE)
#define NORESERVE (MAP_PRIVATE | MAP_NORESERVE)

static const struct fcp_guest_size boot = {.boot_bytes = RAM};

/* Reserves room with a gap on both sides, so that nothing else lies beside it. */
static char *room(size_t bytes)
{
	char *all = mmap(NULL, bytes + 2 * RAM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (all == MAP_FAILED)
		exit(77);
	munmap(all, bytes + 2 * RAM);
	return all + RAM;
}

static char *map_at(char *at, size_t bytes, int flags, int fd, off_t offset)
{
	if (mmap(at, bytes, RW, flags | MAP_FIXED, fd, offset) == MAP_FAILED)
		exit(77);
	return at;
}

static char *map_anonymous(size_t bytes)
{
	return map_at(room(bytes), bytes, NORESERVE | MAP_ANONYMOUS, -1, 0);
}

static int file_of(size_t bytes)
{
	char path[] = "/tmp/fcpause-ram.XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || unlink(path) < 0 || ftruncate(fd, (off_t)bytes) < 0 ||
	    pwrite(fd, "x", 1, 0) != 1)
		exit(77);
	return fd;
}

/* As discard_range() does it on a VM that was restored from a file. */
static void discard(char *at, size_t bytes)
{
	map_at(at, bytes, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void have_sign(void)
{
	if (memfd_create(FCP_GUEST_SIM_MEMFD, 0) < 0)
		exit(77);
}

/* ---- what the children map ---- */

static void booted(void)
{
	char *ram = map_anonymous(RAM);

	have_sign();
	memset(ram + 2 * PAGE, 1, 3 * PAGE);
}

/* A heap of a thread lies behind it: Firecracker's own is mapped so, and the kernel merges both. */
static void booted_merged(void)
{
	char *ram = map_at(room(2 * RAM), RAM, NORESERVE | MAP_ANONYMOUS, -1, 0);

	have_sign();
	map_at(ram + RAM, 33 * PAGE, NORESERVE | MAP_ANONYMOUS, -1, 0);
	memset(ram + 2 * PAGE, 1, 3 * PAGE);
}

/* Room for guest memory anywhere in it: too much to be that and a heap. */
static void much_more(void)
{
	have_sign();
	map_anonymous(RAM + 65 * FCP_MIB);
}

/* The heap of a thread lies behind it, and the kernel has made one mapping of both. */
static void joined(void)
{
	char *ram = map_anonymous(RAM + 33 * PAGE);

	have_sign();
	ram[0] = 1;
}

/* ... and what a VMM puts into memory is there: ACPI tables, on arm64 the device tree. */
static void joined_with_mark(void)
{
#ifdef __aarch64__
	const struct fcp_guest_mark *mark = &fcp_guest_arm64.marks[0];
#else
	const struct fcp_guest_mark *mark = &fcp_guest_x86_64.marks[0];
#endif
	char *ram = map_anonymous(RAM + 33 * PAGE);

	have_sign();
	memcpy((mark->at < 0 ? ram + RAM : ram) + mark->at, mark->text, strlen(mark->text));
}

static void proxy(void)
{
	booted();
	for (int fd = 3; fd < 64; fd++)
		close(fd);
}

static void restored(void)
{
	char *ram = map_at(room(RAM), RAM, NORESERVE, file_of(RAM), 0);

	have_sign();
	madvise(ram, RAM, MADV_RANDOM); /* no pages around the one that is touched */
	memset(ram + PAGE, 1, PAGE);	/* changed */
	*(volatile char *)ram;		/* read only */
	*(volatile char *)(ram + 4 * PAGE);
	discard(ram + 8 * PAGE, 4 * PAGE);
	ram[9 * PAGE] = 1;
}

/*
 * The last pages were discarded, and an anonymous mapping lies beside them: the kernel merges both.
 */
static void restored_merged(void)
{
	char *ram = map_at(room(2 * RAM), RAM, NORESERVE, file_of(RAM), 0);

	have_sign();
	map_at(ram + RAM, RAM, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	discard(ram + RAM - 4 * PAGE, 4 * PAGE);
}

/* A private mapping of a larger file: of nothing that Firecracker restored. */
static void larger_file(void)
{
	have_sign();
	map_at(room(2 * RAM), 2 * RAM, NORESERVE, file_of(2 * RAM), 0);
}

static void memfd(void)
{
	int fd = memfd_create("guest_mem", 0);

	have_sign();
	if (fd < 0 || ftruncate(fd, (off_t)RAM) < 0)
		exit(77);
	memset(map_at(room(RAM), RAM, MAP_SHARED | MAP_NORESERVE, fd, 0), 1, PAGE);
}

/* One slot of two is plugged in; the region lies directly below boot memory. */
static void hotplugged(void)
{
	char *all = room(RAM + 2 * SLOT);

	have_sign();
	map_at(all + 2 * SLOT, RAM, NORESERVE | MAP_ANONYMOUS, -1, 0);
	map_at(all, 2 * SLOT, NORESERVE | MAP_ANONYMOUS, -1, 0);
	if (mprotect(all, SLOT, PROT_NONE) < 0)
		exit(77);
	all[SLOT] = 1;
	all[2 * SLOT] = 1;
}

/*
 * The lower slot is plugged in, and boot memory, above, is one mapping with the heap of a thread.
 */
__attribute__((unused)) static void hotplugged_joined(void)
{
	char *all = room(2 * SLOT + RAM + 33 * PAGE);

	have_sign();
	map_at(all, 2 * SLOT + RAM + 33 * PAGE, NORESERVE | MAP_ANONYMOUS, -1, 0);
	if (mprotect(all + SLOT, SLOT, PROT_NONE) < 0)
		exit(77);
	all[0] = 1;
	all[2 * SLOT] = 1;
}

static void hugetlb(void)
{
	char *ram = mmap(NULL, RAM, RW, NORESERVE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	have_sign();
	if (ram == MAP_FAILED)
		exit(77);
}

/* A library between whose code and data lies what is of no file: on arm64 the [vdso] can. */
static void library_with_gap(void)
{
	int fd = file_of(3 * PAGE);
	char *at;

	booted();
	at = room(3 * PAGE);
	if (mmap(at, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED ||
	    mmap(at + PAGE, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS,
		 -1, 0) == MAP_FAILED)
		exit(77);
	map_at(at + 2 * PAGE, PAGE, MAP_PRIVATE, fd, (off_t)(2 * PAGE));
}

static void userfault(void)
{
	struct uffdio_api api = {.api = UFFD_API};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	char *ram = map_anonymous(RAM);
	struct uffdio_register range = {.range = {(uintptr_t)ram, RAM},
					.mode = UFFDIO_REGISTER_MODE_MISSING};

	have_sign();
	memset(ram, 1, PAGE);
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0 || ioctl(fd, UFFDIO_REGISTER, &range) < 0)
		exit(77);
}

/* ---- the tests ---- */

/* A child that has done that, and waits; 0 when the machine cannot do it. */
static pid_t child_with(void (*work)(void))
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready) < 0)
		exit(1);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ready[1], 100);
		close(ready[0]);
		close(ready[1]);
		work();
		if (write(100, "r", 1) != 1)
			exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = 0;
	}
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static bool found(void (*work)(void), const struct fcp_guest_size *size, const char *what,
		  struct fcp_guest_ram *ram)
{
	struct fcp_error err = {0};
	pid_t pid = child_with(work);

	if (pid == 0) {
		skip(what, "not possible here");
		return false;
	}
	if (ok(fcp_guest_ram_find(pid, -1, size, ram, &err) == 0, "%s: found", what))
		return true;
	printf("# %s\n", err.message);
	end(pid);
	return false;
}

static void refused(void (*work)(void), const struct fcp_guest_size *size, const char *part,
		    const char *what)
{
	struct fcp_guest_ram ram;
	struct fcp_error err = {0};
	pid_t pid = child_with(work);

	ok(pid > 0 && fcp_guest_ram_find(pid, -1, size, &ram, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "%s: refused", what);
	has_str(err.message, part, what);
	end(pid);
}

/* The kinds of the first pages, a letter each. */
static void kinds(const struct fcp_guest_ram *ram, uint64_t pages, const char *expected,
		  const char *what)
{
	struct fcp_guest_pagemap pagemap = {.fd = -1};
	struct fcp_guest_run run = {0};
	struct fcp_error err = {0};
	uint64_t start = ram->pieces[0].start, stop = start + pages * PAGE;
	char got[64] = "";

	for (unsigned by_words = 0; by_words < 2; by_words++) {
		ok(fcp_guest_pagemap_open(ram->pid, &pagemap, &err) == 0, "%s: pagemap", what);
		pagemap.by_words = by_words;
		for (uint64_t at = start; at < stop; at = run.end) {
			if (fcp_guest_pagemap_next(&pagemap, at, stop, &run, &err) < 0)
				break;
			memset(got + (at - start) / PAGE, ".afs"[run.kind],
			       (size_t)((run.end - at) / PAGE));
		}
		is_str(got, expected, what);
		fcp_guest_pagemap_close(&pagemap);
	}
}

static void test_booted(void)
{
	const struct fcp_guest_size more = {.boot_bytes = RAM + PAGE};
	struct fcp_guest_ram ram;

	if (found(booted, &boot, "booted", &ram)) {
		is_u64(ram.backing, FCP_GUEST_BACKING_ANONYMOUS, "booted: backing");
		is_u64(ram.piece_count, 1, "booted: one piece");
		is_u64(ram.pieces[0].end - ram.pieces[0].start, RAM, "booted: its size");
		ok(ram.unambiguous, "booted: unambiguous");
		kinds(&ram, 8, "..aaa...", "booted: pages");
		end(ram.pid);
		fcp_guest_ram_clear(&ram);
	}
	if (found(joined, &boot, "joined with a heap", &ram)) {
		is_u64(ram.layout_count, 2, "joined: it can be at either end");
		ok(!ram.unambiguous, "joined: which is not known");
		end(ram.pid);
		fcp_guest_ram_clear(&ram);
	}
	if (found(joined_with_mark, &boot, "joined, with what a VMM puts there", &ram)) {
		ok(ram.unambiguous, "joined, with a mark: known");
		is_u64(ram.pieces[0].start, ram.pieces[0].mapping_start,
		       "joined, with a mark: where");
		end(ram.pid);
		fcp_guest_ram_clear(&ram);
	}
	refused(proxy, &boot, "KVM", "R1: a process without a VM");
	refused(booted, &more, "no mappings", "R1: a mapping of another size");
}

static void test_booted_merged(void)
{
	struct fcp_guest_ram ram = {0};

	if (!found(booted_merged, &boot, "booted, with a heap beside it", &ram))
		return;
	is_u64(ram.layout_count, 2, "booted, with a heap beside it: at either end");
	ok(!ram.unambiguous, "booted, with a heap beside it: the guest's kernel decides");
	is_u64(ram.pieces[0].end - ram.pieces[0].start, RAM,
	       "booted, with a heap beside it: its size");
	is_u64(ram.layouts[1][0].address - ram.layouts[0][0].address, 33 * PAGE,
	       "booted, with a heap beside it: the mapping's start comes first");
	end(ram.pid);
	fcp_guest_ram_clear(&ram);
}

static void test_restored(void)
{
	struct fcp_guest_ram ram;

	if (found(restored, &boot, "restored", &ram)) {
		is_u64(ram.backing, FCP_GUEST_BACKING_FILE, "restored: backing");
		is_u64(ram.piece_count, 3, "restored: file, anonymous, file");
		ok(ram.pieces[0].of_file && !ram.pieces[1].of_file && ram.pieces[2].of_file,
		   "restored: which are which");
		is_u64(ram.pieces[2].file_offset, 12 * PAGE, "restored: the last's place");
		kinds(&ram, 12, "fa..f....a..", "restored: pages");
		end(ram.pid);
		fcp_guest_ram_clear(&ram);
	}
	if (found(restored_merged, &boot, "restored, end merged", &ram)) {
		is_u64(ram.piece_count, 2, "restored, end merged: pieces");
		is_u64(ram.pieces[1].end - ram.pieces[0].start, RAM, "restored, end merged: cut");
		end(ram.pid);
		fcp_guest_ram_clear(&ram);
	}
	refused(larger_file, &boot, "no mappings", "R1: a mapping of a larger file");
}

static void test_file_identity(void)
{
	struct fcp_error err = {0};
	struct fcp_guest_ram ram;
	char byte = 0, path[FCP_PROCESS_PATH_BYTES];
	int fd;

	if (!found(restored, &boot, "restored: its file", &ram))
		return;
	ok(fcp_process_restored_from(ram.pid, path), "restored: from a file");
	fd = fcp_guest_piece_open(ram.pid, &ram.pieces[0], O_RDONLY, &err);
	if (fd < 0)
		skip("restored: its file is opened by the mapping", err.message);
	else
		ok(pread(fd, &byte, 1, 0) == 1 && byte == 'x',
		   "restored: its file is opened by the mapping, though it has no name");
	if (fd >= 0)
		close(fd);
	end(ram.pid);
	fcp_guest_ram_clear(&ram);
}

static void test_others(void)
{
	const struct fcp_guest_size plugged = {RAM, 2 * SLOT};
	struct fcp_guest_ram ram;

	if (found(memfd, &boot, "memfd", &ram)) {
		is_u64(ram.backing, FCP_GUEST_BACKING_SHARED, "memfd: backing");
		end(ram.pid);
		fcp_guest_ram_clear(&ram);
	}
	if (found(hotplugged, &plugged, "D7: hot-pluggable memory", &ram)) {
		is_u64(ram.layouts[0][1].gpa, FCP_GUEST_HOTPLUG_GPA, "D7: its address");
		is_u64(ram.layouts[0][1].address, ram.layouts[0][0].address - 2 * SLOT,
		       "D7: below boot memory, merged with it");
		is_u64(ram.piece_count, 3, "D7: boot, unplugged, plugged");
		ok(ram.pieces[1].inaccessible && !ram.pieces[2].inaccessible, "D7: which is which");
		is_u64(ram.pieces[2].offset, RAM + SLOT, "D7: its place in the file");
		end(ram.pid);
		fcp_guest_ram_clear(&ram);
	}
#ifndef __SANITIZE_ADDRESS__ /* which has mappings of its own of any size */
	if (found(hotplugged_joined, &plugged, "hot-pluggable, joined with a heap", &ram)) {
		is_u64(ram.layouts[0][1].address, ram.layouts[0][0].address - 2 * SLOT,
		       "hot-pluggable, joined with a heap: below boot memory");
		is_u64(ram.pieces[0].start, ram.pieces[0].mapping_start,
		       "hot-pluggable, joined with a heap: the mapping's start comes first");
		end(ram.pid);
		fcp_guest_ram_clear(&ram);
	}
#endif
	if (found(hugetlb, &boot, "F3: huge pages", &ram)) {
		char path[FCP_PROCESS_PATH_BYTES];

		ok(!fcp_process_restored_from(ram.pid, path),
		   "F3: no file that it was restored from");
		is_u64(ram.backing, FCP_GUEST_BACKING_HUGETLB, "F3: not restored from a file");
		end(ram.pid);
		fcp_guest_ram_clear(&ram);
	}
	if (found(library_with_gap, &boot, "a library with a gap", &ram)) {
		char path[FCP_PROCESS_PATH_BYTES];

		ok(!fcp_process_restored_from(ram.pid, path),
		   "a library with a gap: not taken for what the VM was restored from");
		end(ram.pid);
		fcp_guest_ram_clear(&ram);
	}
	if (found(userfault, &boot, "userfaultfd", &ram)) {
		is_u64(ram.backing, FCP_GUEST_BACKING_USERFAULT, "userfaultfd: backing");
		kinds(&ram, 4, "a...", "userfaultfd: pages");
		end(ram.pid);
		fcp_guest_ram_clear(&ram);
	}
}

static void test_ended(void)
{
	struct fcp_guest_ram ram;
	struct fcp_error err = {0};
	pid_t pid = child_with(booted);
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT);
	ok(fcp_guest_ram_find(pid, pidfd, &boot, &ram, &err) < 0, "R1: a process that has ended");
	waitpid(pid, NULL, 0);
	ok(fcp_guest_ram_find(getpid(), pidfd, &boot, &ram, &err) < 0,
	   "R1: a number that is another process's by now");
	close(pidfd);
}

int main(void)
{
	test_booted();
	test_booted_merged();
	refused(much_more, &boot, "no mappings", "a mapping that is much longer");
	test_restored();
	test_file_identity();
	test_others();
	test_ended();
	return done();
}
