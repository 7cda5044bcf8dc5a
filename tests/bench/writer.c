// SPDX-License-Identifier: Apache-2.0
/*
 * How fast the fcpause writer copies, and how its questions grow: of a child that holds guest
 * memory as a booted Firecracker does. Each figure stands beside what it is compared with, of the
 * same run.
 *
 *   bench-writer DIRECTORY [MIB]
 */
#include "base/deadline.h"
#include "base/units.h"
#include "memory/writer.h"
#include "steps/snapshot/plan.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 5
#define PIECE_BYTES (4 * FCP_MIB)

/* A child with `bytes` of memory, `used` of it spread over it in stretches of 2 MiB. */
static pid_t child_with(uint64_t bytes, uint64_t used, char **memory_)
{
	char *all = mmap(NULL, bytes + 2 * FCP_MIB, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *memory = all + FCP_MIB;
	uint64_t stretches = used / (2 * FCP_MIB), step = stretches ? bytes / stretches : bytes;
	int ready[2];
	char byte;
	pid_t pid;

	if (all == MAP_FAILED || pipe(ready) != 0)
		abort();
	mmap(memory, bytes, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	*memory_ = memory;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		memfd_create(FCP_GUEST_SIM_MEMFD, 0);
		madvise(memory, bytes, MADV_NOHUGEPAGE);
		for (uint64_t i = 0; i < stretches; i++)
			for (uint64_t at = 0; at < 2 * FCP_MIB; at += 8)
				*(uint64_t *)(void *)(memory + (i * step & ~(FCP_PAGE_BYTES - 1)) +
						      at) =
					(i * FCP_MIB + at) * UINT64_C(0x9e3779b97f4a7c15) + 1;
		if (write(ready[1], "x", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	if (read(ready[0], &byte, 1) != 1)
		abort();
	close(ready[0]);
	close(ready[1]);
	munmap(all, bytes + 2 * FCP_MIB);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(values[0]), compare);
	return values[ROUNDS / 2];
}

/* process_vm_readv(2) of everything, in calls of 4 MiB, into a buffer that holds it. */
static double read_plain(pid_t pid, char *memory, uint64_t bytes)
{
	char *buffer =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t start_ns = fcp_now_ns();

	for (uint64_t at = 0; at < bytes; at += PIECE_BYTES) {
		struct iovec local = {buffer + at, PIECE_BYTES},
			     remote = {memory + at, PIECE_BYTES};

		if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != (ssize_t)PIECE_BYTES)
			abort();
	}
	munmap(buffer, bytes);
	return fcp_ms_since(start_ns);
}

static double write_all(pid_t pid, const char *memory, uint64_t bytes, const char *path)
{
	struct fcp_page_runs runs = {0};
	struct fcp_writer_result result;
	struct fcp_error err = {0};
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const struct fcp_writer_settings settings =
		{.pid = pid, .runs = &runs, .fd = fd, .name = path, .base_fd = -1, .cancel_fd = -1};
	uint64_t start_ns;
	double ms;

	if (fd < 0 || ftruncate(fd, (off_t)bytes) != 0 ||
	    fcp_page_runs_add(&runs, (struct fcp_page_run){0, bytes, (uintptr_t)memory}, &err) != 0)
		abort();
	start_ns = fcp_now_ns();
	if (fcp_writer_write(&settings, &result, &err) != 0) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
	ms = fcp_ms_since(start_ns);
	close(fd);
	unlink(path);
	fcp_page_runs_clear(&runs);
	return ms;
}

static void copy_rate(const char *directory, uint64_t bytes)
{
	double plain[ROUNDS], written[ROUNDS];
	char path[4096], *memory;
	pid_t pid = child_with(bytes, bytes, &memory);

	snprintf(path, sizeof(path), "%s/bench-writer", directory);
	for (int i = 0; i < ROUNDS; i++) {
		plain[i] = read_plain(pid, memory, bytes);
		written[i] = write_all(pid, memory, bytes, path);
	}
	printf("  copy %llu MiB to %s: %.0f ms; process_vm_readv to memory: %.0f ms; ratio %.2f\n",
	       (unsigned long long)(bytes / FCP_MIB), directory, median(written), median(plain),
	       median(plain) / median(written));
	end(pid);
}

/* Where guest memory lies, and which of its pages are the VM's own. */
static double plan_ms(pid_t pid, uint64_t bytes)
{
	const struct fcp_guest_size size = {.boot_bytes = bytes};
	const struct fcp_ranges none = {0};
	struct fcp_guest_ram ram = {0};
	struct fcp_snapshot_plan plan = {0};
	struct fcp_error err = {0};
	uint64_t start_ns = fcp_now_ns();
	double ms;

	if (fcp_guest_ram_find(pid, -1, &size, &ram, &err) != 0 ||
	    fcp_snapshot_plan_make(&(struct fcp_snapshot_plan_settings){&ram, &none}, &plan,
				   &err) != 0) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
	ms = fcp_ms_since(start_ns);
	fcp_snapshot_plan_clear(&plan);
	fcp_guest_ram_clear(&ram);
	return ms;
}

static void growth(uint64_t bytes, uint64_t used)
{
	double ms[ROUNDS];
	char *memory;
	pid_t pid = child_with(bytes, used, &memory);

	for (int i = 0; i < ROUNDS; i++)
		ms[i] = plan_ms(pid, bytes);
	printf("  pagemap of %6.2f GiB with %4llu MiB in use: %6.2f ms, %.2f ms a GiB in use\n",
	       (double)bytes / (1 << 30), (unsigned long long)(used / FCP_MIB), median(ms),
	       median(ms) * 1024 / (double)(used / FCP_MIB));
	end(pid);
}

int main(int argc, char **argv)
{
	uint64_t mib = argc > 2 ? strtoull(argv[2], NULL, 10) : 512;
	struct rusage usage;

	if (argc < 2)
		return 2;
	copy_rate(argv[1], mib * FCP_MIB);
	growth(256 * FCP_MIB, 192 * FCP_MIB);
	growth(1024 * FCP_MIB, 192 * FCP_MIB);
	growth(4096 * FCP_MIB, 192 * FCP_MIB);
	growth(16384 * FCP_MIB, 192 * FCP_MIB);
	growth(65536 * FCP_MIB, 192 * FCP_MIB);
	growth(2048 * FCP_MIB, 2048 * FCP_MIB);
	getrusage(RUSAGE_SELF, &usage);
	printf("  peak of this program, with the buffer it compares with: %ld MiB\n",
	       usage.ru_maxrss / 1024);
	return 0;
}
