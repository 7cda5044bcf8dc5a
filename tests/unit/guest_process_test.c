// SPDX-License-Identifier: Apache-2.0
/* The memory of a process: this one's, with a made-up guest's memory in an anonymous mapping. */
#include "guest/ram.h"

#include "guest/arch/arch.h"
#include "guest/memory_source.h"
#include "guest_arm64.h"
#include "guest_fixture.h"
#include "tap.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* A VM's process is of its guest's architecture. */
#ifdef __aarch64__
#define RAM (64 * FIXTURE_MIB)
#define OTHER_ARCH fcp_guest_x86_64
#else
#define RAM (32 * FIXTURE_MIB)
#define OTHER_ARCH fcp_guest_arm64
#endif
#define GUARD (2 * FIXTURE_MIB)

/* As Firecracker maps it: what the guest has never written is not present. */
static char *map_copy(struct fixture *fixture)
{
	char *all = mmap(NULL, RAM + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct fcp_range data = {0, 0};
	struct fcp_guest_memory memory;
	struct fcp_error err;

	if (all == MAP_FAILED || mprotect(all + GUARD, RAM, PROT_READ | PROT_WRITE) < 0 ||
	    fcp_guest_memory_open_file(fixture->fd, FCP_HOLES_ZERO, -1, &memory, &err) < 0)
		return NULL;
	while (fcp_guest_memory_data(&memory, data.end, &data, &err) == 0 && data.start < data.end)
		fixture_read(fixture, data.start, all + GUARD + data.start, data.end - data.start);
	return all + GUARD;
}

static uint64_t resident_pages(const char *ram)
{
	static unsigned char there[RAM / 4096];
	size_t pages = RAM / (size_t)sysconf(_SC_PAGESIZE);
	uint64_t count = 0;

	if (mincore((void *)(uintptr_t)ram, RAM, there) < 0)
		return 0;
	for (size_t i = 0; i < pages; i++)
		count += there[i] & 1;
	return count;
}

static void same_as_file(struct fixture *fixture, const char *ram)
{
	const struct fcp_guest_free_settings settings = {.cancel_fd = -1};
	uint64_t before = resident_pages(ram);
	struct fcp_guest_free file, process = {0};
	const struct fcp_guest_size size = {.boot_bytes = RAM};
	struct fcp_guest_memory memory;
	struct fcp_guest_ram ram_found;
	struct fcp_error err = {0};

	if (!ok(memfd_create(FCP_GUEST_SIM_MEMFD, 0) >= 0 &&
			fcp_guest_ram_find(getpid(), -1, &size, &ram_found, &err) == 0 &&
			fcp_guest_memory_open_process(&ram_found, -1, &memory, &err) == 0,
		"the process is opened")) {
		printf("# %s\n", err.message);
		return;
	}
	if (!ok(fcp_guest_find_free(&memory, &settings, &process, &err) == 0,
		"its free pages are found"))
		printf("# %s\n", err.message);
	ok(fixture_find(fixture, FCP_HOLES_ZERO, &file, &err) == 0, "those of the file too");
	is_u64(process.free_bytes, file.free_bytes, "they are as many");
	ok(process.ranges.count == file.ranges.count &&
		   memcmp(process.ranges.items, file.ranges.items,
			  file.ranges.count * sizeof(*file.ranges.items)) == 0,
	   "the same ranges, as offsets of the memory file");
	is_u64(process.regions[0].address, (uint64_t)(uintptr_t)ram, "the region's address");
	ok(resident_pages(ram) <= before + RAM / (uint64_t)sysconf(_SC_PAGESIZE) / 8,
	   "little of what was not there has been called in");
	fcp_guest_free_clear(&process);
	fcp_guest_free_clear(&file);
	fcp_guest_memory_close(&memory);
	fcp_guest_ram_clear(&ram_found);
}

static void not_there(void)
{
	const struct fcp_guest_size size = {.boot_bytes = RAM}, more = {.boot_bytes = 20 * RAM};
	struct fcp_guest_ram ram;
	struct fcp_error err = {0};
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	ok(fcp_guest_ram_find(child, -1, &size, &ram, &err) < 0 && err.error_class == FCP_ERR_STATE,
	   "a process that is gone");
	ok(fcp_guest_ram_find(getpid(), -1, &more, &ram, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "a process without a mapping of that size");
}

static void without_permission(void)
{
	pid_t child = geteuid() == 0 ? fork() : -1;
	int status = -1;

	if (child < 0) {
		skip("without the right to trace", "not root");
		return;
	}
	if (child == 0) {
		const struct fcp_guest_size size = {.boot_bytes = RAM};
		struct fcp_guest_ram ram;
		struct fcp_error err = {0};

		if (setuid(65534) < 0)
			_exit(2);
		_exit(fcp_guest_ram_find(getppid(), -1, &size, &ram, &err) < 0 &&
				      err.error_class == FCP_ERR_UNSUPPORTED
			      ? 0
			      : 1);
	}
	waitpid(child, &status, 0);
	is_u64((uint64_t)status, 0, "without the right to trace: unsupported");
}

static void build(struct fixture *fixture)
{
#ifdef __aarch64__
	arm64_build(fixture, &(struct arm64_settings){0});
#else
	fixture_build(fixture, &(struct fixture_settings){0});
#endif
}

static void another_architecture(struct fixture *fixture)
{
	const struct fcp_guest_free_settings settings = {.cancel_fd = -1};
	struct fcp_guest_free found = {0};
	struct fcp_guest_memory memory;
	struct fcp_error err = {0};

	if (fcp_guest_memory_open_file(fixture->fd, FCP_HOLES_ZERO, -1, &memory, &err) < 0)
		abort();
	fcp_guest_memory_lay_out(&memory, &(struct fcp_guest_size){.boot_bytes = RAM}, &OTHER_ARCH);
	ok(fcp_guest_find_free(&memory, &settings, &found, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "a guest of another architecture than the process's: refused");
	has_str(err.message, "another architecture", "... and says so");
	fcp_guest_free_clear(&found);
	fcp_guest_memory_close(&memory);
}

int main(void)
{
	struct fixture fixture;
	char *ram;

	build(&fixture);
	ram = map_copy(&fixture);
	if (ok(ram != NULL, "a copy of the memory is mapped"))
		same_as_file(&fixture, ram);
	another_architecture(&fixture);
	not_there();
	without_permission();
	fixture_close(&fixture);
	return done();
}
