// SPDX-License-Identifier: Apache-2.0
/* Which pages a snapshot has to read: of children that hold guest memory as Firecracker does. Pages
 * are drawn: C changed, u unchanged, z zeros, f free. */
#include "steps/snapshot/plan.h"

#include "base/units.h"
#include "tap.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE ((size_t)sysconf(_SC_PAGESIZE))
#define RAM ((size_t)(2 * FCP_MIB))
#define DRAWN 16 /* pages at the start that are looked at; the others are as the last */

static char *map_apart(int flags, int fd)
{
	char *all = mmap(NULL, 3 * RAM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (all == MAP_FAILED || mmap(all + RAM, RAM, PROT_READ | PROT_WRITE,
				      flags | MAP_FIXED | MAP_NORESERVE, fd, 0) == MAP_FAILED)
		exit(77);
	munmap(all, RAM);
	munmap(all + 2 * RAM, RAM);
	madvise(all + RAM, RAM, MADV_NOHUGEPAGE);
	madvise(all + RAM, RAM, MADV_RANDOM);
	return all + RAM;
}

static int file_of_ram(void)
{
	int fd = memfd_create("base", 0);

	if (fd < 0 || ftruncate(fd, (off_t)RAM) != 0)
		exit(77);
	for (size_t page = 0; page < RAM / PAGE; page++)
		if (pwrite(fd, "base", 4, (off_t)(page * PAGE)) != 4)
			exit(77);
	return fd;
}

static void booted(void)
{
	char *ram = map_apart(MAP_PRIVATE | MAP_ANONYMOUS, -1);

	memset(ram + PAGE, 1, 2 * PAGE);
	*(volatile char *)(ram + 4 * PAGE); /* the page of zeros of all processes */
	ram[6 * PAGE] = 1;
	madvise(ram + 6 * PAGE, PAGE, MADV_PAGEOUT); /* swapped out, where there is swap */
}

static void restored(void)
{
	char *ram = map_apart(MAP_PRIVATE, file_of_ram());

	memset(ram + PAGE, 1, 2 * PAGE);
	*(volatile char *)(ram + 4 * PAGE); /* read: still the file's */
	/* Discarded, and one page of it used again. */
	if (mmap(ram + 6 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		exit(77);
	ram[7 * PAGE] = 1;
	madvise(ram + 2 * PAGE, PAGE, MADV_PAGEOUT);
}

static void shared(void)
{
	int fd = memfd_create("guest_mem", 0);
	char *ram;

	if (fd < 0 || ftruncate(fd, (off_t)RAM) != 0)
		exit(77);
	ram = map_apart(MAP_SHARED, fd);
	ram[PAGE] = 1;
	/* In the memfd, and not mapped by the process. */
	if (pwrite(fd, "x", 1, (off_t)(3 * PAGE)) != 1)
		exit(77);
}

static pid_t child_with(void (*work)(void))
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready) != 0 || (pid = fork()) < 0)
		abort();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		memfd_create(FCP_GUEST_SIM_MEMFD, 0);
		work();
		if (write(ready[1], "x", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		abort();
	close(ready[0]);
	return pid;
}

static void draw(char *drawing, const struct fcp_range *range, char kind)
{
	for (uint64_t at = range->start / PAGE; at < range->end / PAGE && at < DRAWN; at++)
		drawing[at] = drawing[at] == '.' ? kind : '!';
}

static void check(void (*work)(void), const char *expected, const struct fcp_ranges *free_pages,
		  const char *what)
{
	const struct fcp_guest_size size = {.boot_bytes = RAM};
	struct fcp_guest_ram ram = {0};
	struct fcp_snapshot_plan plan = {0};
	struct fcp_error err = {0};
	char drawing[DRAWN + 1] = "................";
	pid_t pid = child_with(work);
	uint64_t bytes;

	if (!ok(fcp_guest_ram_find(pid, -1, &size, &ram, &err) == 0, "%s: found %s", what,
		err.message))
		return;
	ok(fcp_snapshot_plan_make(&(struct fcp_snapshot_plan_settings){&ram, free_pages}, &plan,
				  &err) == 0,
	   "%s: planned %s", what, err.message);
	for (size_t i = 0; i < plan.changed.count; i++) {
		const struct fcp_page_run *run = &plan.changed.items[i];

		draw(drawing, &(struct fcp_range){run->start, run->end}, 'C');
		ok(run->address - ram.layouts[0][0].address == run->start, "%s: its address", what);
	}
	for (size_t i = 0; i < plan.zero.count; i++)
		draw(drawing, &plan.zero.items[i], 'z');
	for (size_t i = 0; i < plan.unchanged.count; i++)
		draw(drawing, &plan.unchanged.items[i], 'u');
	for (size_t i = 0; i < free_pages->count; i++)
		draw(drawing, &free_pages->items[i], 'f');
	is_str(drawing, expected, what);
	bytes = plan.changed.bytes + fcp_ranges_bytes(&plan.zero) +
		fcp_ranges_bytes(&plan.unchanged) + fcp_ranges_bytes(free_pages);
	is_u64(bytes, RAM, "all pages are in one list");
	fcp_snapshot_plan_clear(&plan);
	fcp_guest_ram_clear(&ram);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* PAGEMAP_SCAN tells which pages map the kernel's page of zeros. */
static bool kernel_scans(void)
{
	struct utsname name;
	unsigned major = 0, minor = 0;

	return uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 7));
}

int main(void)
{
	const bool scans = kernel_scans();
	const struct fcp_ranges none = {0};
	struct fcp_ranges some = {0};
	struct fcp_error err;

	/* From the middle of a changed run on, over an unchanged page, and up to the end. */
	if (fcp_ranges_add(&some, 2 * PAGE, 4 * PAGE, &err) != 0 ||
	    fcp_ranges_add(&some, 8 * PAGE, 9 * PAGE, &err) != 0 ||
	    fcp_ranges_add(&some, 12 * PAGE, RAM, &err) != 0)
		abort();
	check(booted, scans ? "zCCzzzCzzzzzzzzz" : "zCCzCzCzzzzzzzzz", &none, "booted");
	check(booted, scans ? "zCffzzCzfzzzffff" : "zCffCzCzfzzzffff", &some, "booted, some free");
	check(restored, "uCCuuuzCzzuuuuuu", &none, "restored");
	check(restored, "uCffuuzCfzuuffff", &some, "restored, some free");
	check(shared, "zCzCzzzzzzzzzzzz", &none, "shared");
	check(shared, "zCffzzzzfzzzffff", &some, "shared, some free");
	fcp_ranges_clear(&some);
	return done();
}
