// SPDX-License-Identifier: Apache-2.0
/*
 * rounds: one guest, some rounds of load, stop, scan, compare, release, go on, check.
 *
 *   rounds --kernel F --initrd F --directory D [--arm64 [--mte]] [--memory 512M] [--cpu CPU]
 *          [--smp 1] [--append A]
 *          [--rounds 2] [--stops N] [--refused GATE] [--makedumpfile] [--load MIB] [--fill MIB]
 *          [--save F] [--kexec] [--reason TEXT [--say TEXT]] [--dimm 256M [--dimm-at ADDRESS]]
 *
 * --dimm: so much is plugged in at boot; the memory file has it behind boot memory (R3). --stops N:
 * N stops at random instants of heavy allocation, the free pages punched at each. --refused GATE:
 * the scan must refuse by that gate. --save F: copies the memory file, stopped. --kexec: the guest
 * starts a second kernel from its initrd before the rounds; what the first left in memory must not
 * be taken for it. --say TEXT: what the guest writes to its kernel's log before a scan that must be
 * refused; --reason TEXT: a part of the reason. Lines that begin with # say what was seen; exit 0
 * when all was well.
 */
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/units.h"
#include "core.h"
#include "guest/free_pages.h"
#include "guest/kernel/search.h"
#include "layout.h"
#include "vm.h"

#include <fcntl.h>
#include <getopt.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Between the guest's own count and the stop it answers us, and a few pages move: 1 MiB, and the
 * blocks that these split and merge. Its CPUs may also happen to give their own lists (some MiB)
 * back just then; that is over at the next try. */
#define BUDDY_SLACK_BYTES (UINT64_C(1) << 20)
#define BUDDY_SLACK_BLOCKS 32
#define BUDDY_TRIES 5

#define COMMAND_MS 120000

#define BOOT_TRIES 3

struct plan {
	struct vm_settings vm;
	unsigned rounds, stops, load_mib, fill_mib;
	const char *refused, *reason, *say, *save;
	bool makedumpfile, kexec;
};

static bool fail(const char *what)
{
	printf("# failed: %s\n", what);
	return false;
}

static int scan(struct vm *vm, struct fcp_guest_free *found, double *ms_)
{
	struct fcp_guest_free_settings settings = {.cancel_fd = -1};
	const char *path = vm_memory_file(vm);
	FCP_CLEANUP(fd) int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	struct fcp_guest_memory memory;
	struct fcp_error err = {0};
	uint64_t start = fcp_now_ns();
	int status = -1;

	if (fd >= 0 && fcp_guest_memory_open_file(fd, FCP_HOLES_ZERO, -1, &memory, &err) == 0) {
		/* As the guest's Firecracker would have it, but where QEMU has its RAM. */
		layout_move_arm64(&memory, QEMU_ARM64_RAM);
		status = fcp_guest_find_free(&memory, &settings, found, &err);
	}
	*ms_ = fcp_ms_since(start);
	if (status < 0)
		printf("# scan: %s\n", err.message);
	return status;
}

/* Adds the zones of /proc/buddyinfo up: "Node 0, zone   DMA32   11   3 ...". */
static void sum_buddyinfo(const char *text, uint64_t counts[FCP_GUEST_ORDERS_MAX])
{
	for (const char *line = text; line; line = (line = strchr(line, '\n')) ? line + 1 : NULL) {
		const char *at = strstr(line, "zone ");
		int skip = 0;
		unsigned order = 0;
		char *end;

		if (!at || sscanf(at, "zone %*s%n", &skip) < 0 || skip == 0)
			break;
		for (at += skip; order < FCP_GUEST_ORDERS_MAX; at = end) {
			unsigned long count = strtoul(at, &end, 10);

			if (end == at || *end == '\0' || strchr(line, '\n') < at)
				break;
			counts[order++] += count;
		}
	}
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static bool near_buddyinfo(const struct fcp_guest_free *found, const char *text)
{
	uint64_t counts[FCP_GUEST_ORDERS_MAX] = {0};
	uint64_t bytes = 0, blocks = 0;

	sum_buddyinfo(text, counts);
	for (unsigned order = 0; order < found->order_count; order++) {
		bytes += counts[order] * (FCP_PAGE_BYTES << order);
		blocks += distance(counts[order], found->blocks_per_order[order]);
	}
	printf("# buddyinfo: %llu KiB free, scan %llu KiB; %llu blocks apart over all orders\n",
	       (unsigned long long)bytes >> 10, (unsigned long long)found->free_bytes >> 10,
	       (unsigned long long)blocks);
	return distance(bytes, found->free_bytes) <= BUDDY_SLACK_BYTES &&
	       blocks <= BUDDY_SLACK_BLOCKS;
}

static uint64_t allocated_kib(int fd)
{
	struct stat status;

	return fstat(fd, &status) < 0 ? 0 : (uint64_t)status.st_blocks / 2;
}

/* The part of the range that lies in one of the guest's files, whose first byte is at offset
 * start. */
static bool punch_in(int fd, uint64_t start, const struct fcp_range *range)
{
	uint64_t from = range->start > start ? range->start : start, end;
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return fd < 0;
	end = start + (uint64_t)status.st_size;
	end = range->end < end ? range->end : end;
	return from >= end || fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					(off_t)(from - start), (off_t)(end - from)) == 0;
}

static bool punch_range(struct vm *vm, const struct fcp_range *range)
{
	struct stat boot;

	return fstat(vm->memory_fd, &boot) == 0 && punch_in(vm->memory_fd, 0, range) &&
	       punch_in(vm->dimm_fd, (uint64_t)boot.st_size, range);
}

/* A DIMM that nothing of is found free would go by unseen. */
static bool dimm_is_found(struct vm *vm, const struct fcp_guest_free *found)
{
	uint64_t free_bytes = 0;
	struct stat boot;

	if (vm->dimm_fd < 0)
		return true;
	if (fstat(vm->memory_fd, &boot) < 0)
		return false;
	for (size_t i = 0; i < found->ranges.count; i++) {
		const struct fcp_range *range = &found->ranges.items[i];
		uint64_t start = (uint64_t)boot.st_size;

		start = range->start > start ? range->start : start;
		free_bytes += range->end > start ? range->end - start : 0;
	}
	printf("# free in the DIMM: %llu KiB\n", (unsigned long long)free_bytes >> 10);
	return free_bytes > 0 ? true : fail("nothing of the DIMM is found free");
}

static bool punch(struct vm *vm, const struct fcp_guest_free *found)
{
	uint64_t before = allocated_kib(vm->memory_fd);

	for (size_t i = 0; i < found->ranges.count; i++)
		if (!punch_range(vm, &found->ranges.items[i]))
			return fail("fallocate");
	printf("# released: %llu KiB allocated before, %llu after\n", (unsigned long long)before,
	       (unsigned long long)allocated_kib(vm->memory_fd));
	return dimm_is_found(vm, found);
}

static bool compare_makedumpfile(struct vm *vm, const struct plan *plan,
				 const struct fcp_guest_free *found)
{
	static struct fcp_guest_kernel kernel;
	FCP_CLEANUP(fd) int fd = open(vm_memory_file(vm), O_RDONLY | O_CLOEXEC);
	char core[600], dump[600];
	struct fcp_guest_memory memory;
	struct fcp_guest_search search;
	uint64_t theirs = 0, ours = 0;
	struct fcp_error err;
	double ms = 0;
	bool same;

	snprintf(core, sizeof(core), "%s/core.%d", plan->vm.directory, getpid());
	snprintf(dump, sizeof(dump), "%s/dump.%d", plan->vm.directory, getpid());
	same = fd >= 0 && fcp_guest_memory_open_file(fd, FCP_HOLES_ZERO, -1, &memory, &err) == 0 &&
	       fcp_guest_kernel_find(&memory, -1, &kernel, &search, &err) == 0 &&
	       core_write(&kernel, core) &&
	       core_compare(&kernel.memory, core, dump, &found->ranges, &theirs, &ours, &ms);
	unlink(core);
	unlink(dump);
	if (!same)
		return fail("makedumpfile did not work");
	printf("# makedumpfile: %.1f ms; %llu pages only there, %llu only here\n", ms,
	       (unsigned long long)theirs, (unsigned long long)ours);
	return theirs == 0 && ours == 0 ? true : fail("makedumpfile finds other pages free");
}

static bool save(struct vm *vm, const char *path)
{
	char command[1200];

	snprintf(command, sizeof(command), "cp --sparse=always '%s' '%s'", vm_memory_file(vm),
		 path);
	return system(command) == 0;
}

/* Stops the guest and scans, until its own count just before agrees. Leaves it stopped. */
static bool stop_and_compare(struct vm *vm, struct fcp_guest_free *found)
{
	char buddyinfo[4096];
	double ms, again;

	for (unsigned i = 0; i < BUDDY_TRIES; i++) {
		if (!vm_command(vm, "buddy", buddyinfo, sizeof(buddyinfo), COMMAND_MS) ||
		    !vm_stop(vm) || scan(vm, found, &ms) < 0)
			return false;
		fcp_guest_free_clear(found);
		if (scan(vm, found, &again) < 0)
			return false;
		printf("# %s: %llu KiB free in %zu ranges; scan %.2f ms, again %.2f ms, %s\n",
		       found->release, (unsigned long long)found->free_bytes >> 10,
		       found->ranges.count, ms, again,
		       found->found_by_pointer ? "by pointer" : "by search");
		if (near_buddyinfo(found, buddyinfo))
			return true;
		fcp_guest_free_clear(found);
		if (!vm_cont(vm))
			return false;
	}
	return fail("the guest's own count is another");
}

/* What is looked at while the guest stands still. */
static bool look(struct vm *vm, const struct plan *plan)
{
	struct fcp_guest_free found = {0};
	bool well = stop_and_compare(vm, &found) &&
		    (!plan->makedumpfile || compare_makedumpfile(vm, plan, &found)) &&
		    (!plan->save || save(vm, plan->save)) && punch(vm, &found);

	fcp_guest_free_clear(&found);
	return well;
}

static bool go_on(struct vm *vm, const struct plan *plan)
{
	char fill[64];

	snprintf(fill, sizeof(fill), "fill %u", plan->fill_mib);
	return vm_cont(vm) && vm_command(vm, "check", NULL, 0, COMMAND_MS) &&
	       vm_command(vm, fill, NULL, 0, 3 * COMMAND_MS) &&
	       vm_command(vm, "check", NULL, 0, COMMAND_MS) &&
	       vm_command(vm, "log", NULL, 0, COMMAND_MS);
}

static bool one_round(struct vm *vm, const struct plan *plan, unsigned number)
{
	char command[64];

	snprintf(command, sizeof(command), "load %u %u", number * 7919 + 1, plan->load_mib);
	return vm_command(vm, command, NULL, 0, COMMAND_MS) && look(vm, plan) && go_on(vm, plan);
}

static bool refused(struct vm *vm, const struct plan *plan)
{
	struct fcp_guest_free found = {0};
	char command[64];
	bool as_asked;
	double ms;

	snprintf(command, sizeof(command), "load 1 %u", plan->load_mib);
	if (!vm_command(vm, command, NULL, 0, COMMAND_MS))
		return false;
	snprintf(command, sizeof(command), "say %s", plan->say ? plan->say : "");
	if ((plan->say && !vm_command(vm, command, NULL, 0, COMMAND_MS)) || !vm_stop(vm))
		return false;
	as_asked = scan(vm, &found, &ms) < 0 && found.ranges.count == 0;
	for (unsigned i = 0; as_asked && i < FCP_GUEST_GATES; i++)
		if (strcmp(found.gates[i].name, plan->refused) == 0)
			as_asked = found.gates[i].state == FCP_GATE_FAILED &&
				   (!plan->reason || strstr(found.gates[i].reason, plan->reason));
	fcp_guest_free_clear(&found);
	return as_asked ? true : fail("it should have been refused");
}

/* A stop at a random instant: the wait is the instant, nothing is waited for. */
static bool stop_and_punch(struct vm *vm, uint64_t *free_kib)
{
	struct fcp_guest_free found = {0};
	bool well;
	double ms;

	fcp_wait_ns((uint64_t)(rand() % 150 + 1) * 1000000, -1);
	if (!vm_stop(vm))
		return false;
	well = scan(vm, &found, &ms) == 0;
	for (size_t i = 0; well && i < found.ranges.count; i++)
		well = punch_range(vm, &found.ranges.items[i]);
	*free_kib += found.free_bytes >> 10;
	fcp_guest_free_clear(&found);
	return vm_cont(vm) && well;
}

static bool random_stops(struct vm *vm, const struct plan *plan)
{
	uint64_t free_kib = 0;
	bool well = vm_command(vm, "load 5 16", NULL, 0, COMMAND_MS) &&
		    vm_command(vm, "churn 4", NULL, 0, COMMAND_MS);

	srand(1);
	for (unsigned i = 0; well && i < plan->stops; i++)
		well = stop_and_punch(vm, &free_kib) || fail("at a random stop");
	if (plan->stops > 0)
		printf("# %u stops, %llu KiB free on average\n", plan->stops,
		       (unsigned long long)free_kib / plan->stops);
	return well && vm_command(vm, "calm", NULL, 0, COMMAND_MS) && go_on(vm, plan);
}

/*
 * Under TCG a stock kernel now and then dies while it boots (seen: in do_sync_core() of 6.12),
 * before anything of ours has touched it. From the first answer of its init on, every failure
 * counts.
 */
static bool boot(struct vm *vm, const struct vm_settings *settings)
{
	for (unsigned tries = 1; !vm_start(vm, settings); tries++) {
		if (tries == BOOT_TRIES)
			return false;
		printf("# boot %u failed, tried again\n", tries);
		vm_end(vm);
	}
	return true;
}

/* The pages that begin like a note, whoever's. */
static unsigned count_notes(struct vm *vm)
{
	struct stat status;
	unsigned count = 0;

	if (fstat(vm->memory_fd, &status) < 0)
		return 0;
	for (off_t at = 0; at < status.st_size; at += (off_t)FCP_PAGE_BYTES) {
		char head[FCP_GUEST_NOTE_HEAD_BYTES];

		if (pread(vm->memory_fd, head, sizeof(head), at) == (ssize_t)sizeof(head))
			count += fcp_guest_note_begins(head);
	}
	return count;
}

/* Gives the first kernel a life before it goes. */
static bool start_second_kernel(struct vm *vm, const struct plan *plan)
{
	char command[64];

	snprintf(command, sizeof(command), "load 3 %u", plan->load_mib);
	if (!vm_command(vm, command, NULL, 0, COMMAND_MS) ||
	    !vm_command(vm, "kexec", NULL, 0, COMMAND_MS))
		return fail("the second kernel did not come up");
	printf("# the second kernel is up; notes in memory: %u\n", count_notes(vm));
	return true;
}

static bool run(const struct plan *plan)
{
	struct vm vm;
	bool well = boot(&vm, &plan->vm) && (!plan->kexec || start_second_kernel(&vm, plan));

	if (well && plan->refused)
		well = refused(&vm, plan);
	for (unsigned i = 0; well && !plan->refused && i < plan->rounds; i++)
		well = one_round(&vm, plan, i);
	if (well && plan->stops > 0)
		well = random_stops(&vm, plan);
	if (!well) {
		char command[600];

		snprintf(command, sizeof(command), "tail -n 30 '%s' | sed 's/^/# console: /'",
			 vm.console_path);
		fflush(stdout);
		if (system(command) != 0)
			printf("# no console\n");
	}
	vm_end(&vm);
	return well;
}

int main(int argc, char **argv)
{
	static const struct option options[] =
		{{"kernel", 1, NULL, 'k'},    {"initrd", 1, NULL, 'i'},
		 {"directory", 1, NULL, 'd'}, {"memory", 1, NULL, 'm'},
		 {"cpu", 1, NULL, 'c'},	      {"smp", 1, NULL, 's'},
		 {"append", 1, NULL, 'a'},    {"rounds", 1, NULL, 'r'},
		 {"stops", 1, NULL, 't'},     {"refused", 1, NULL, 'f'},
		 {"save", 1, NULL, 'w'},      {"makedumpfile", 0, NULL, 'M'},
		 {"dimm", 1, NULL, 'D'},      {"dimm-at", 1, NULL, 'A'},
		 {"arm64", 0, NULL, 'R'},     {"mte", 0, NULL, 'T'},
		 {"say", 1, NULL, 'B'},	      {"reason", 1, NULL, 'N'},
		 {"load", 1, NULL, 'l'},      {"fill", 1, NULL, 'L'},
		 {"kexec", 0, NULL, 'x'},     {0}};
	struct plan plan = {.vm = {.memory = "512M", .smp = "1", .append = ""},
			    .rounds = 2,
			    .load_mib = 24,
			    .fill_mib = 8192};
	int option;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (option) {
		case 'k':
			plan.vm.kernel = optarg;
			break;
		case 'i':
			plan.vm.initrd = optarg;
			break;
		case 'd':
			plan.vm.directory = optarg;
			break;
		case 'm':
			plan.vm.memory = optarg;
			break;
		case 'c':
			plan.vm.cpu = optarg;
			break;
		case 's':
			plan.vm.smp = optarg;
			break;
		case 'a':
			plan.vm.append = optarg;
			break;
		case 'r':
			plan.rounds = (unsigned)atoi(optarg);
			break;
		case 't':
			plan.stops = (unsigned)atoi(optarg);
			break;
		case 'l':
			plan.load_mib = (unsigned)atoi(optarg);
			break;
		case 'L':
			plan.fill_mib = (unsigned)atoi(optarg);
			break;
		case 'f':
			plan.refused = optarg;
			break;
		case 'w':
			plan.save = optarg;
			break;
		case 'D':
			plan.vm.dimm = optarg;
			break;
		case 'A':
			plan.vm.dimm_at = optarg;
			break;
		case 'M':
			plan.makedumpfile = true;
			break;
		case 'x':
			plan.kexec = true;
			break;
		case 'R':
			plan.vm.arm64 = true;
			break;
		case 'T':
			plan.vm.mte = true;
			break;
		case 'B':
			plan.say = optarg;
			break;
		case 'N':
			plan.reason = optarg;
			break;
		default:
			return 2;
		}
	}
	if (!plan.vm.kernel || !plan.vm.initrd || !plan.vm.directory)
		return 2;
	return run(&plan) ? 0 : 1;
}
