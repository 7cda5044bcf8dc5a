// SPDX-License-Identifier: Apache-2.0
/*
 * scan: the free pages of a memory file, by the library alone.
 *
 *   scan [--base] [--list] [--repeat N] [--arm64-ram GPA] MEMORY_FILE
 *
 * --base: holes are a base's bytes. --arm64-ram: where RAM begins if it is an arm64 guest's (QEMU's
 * virt: 0x40000000).
 *
 * Prints one `key value` line a fact; with --list also `range START LENGTH`. Exit 0, 3 when a gate
 * refused, 1 on any other failure, 2 on usage.
 */
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/units.h"
#include "guest/free_pages.h"
#include "layout.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print(const struct fcp_guest_free *found, bool list)
{
	printf("release %s\nby_pointer %d\nfree_bytes %llu\nblocks", found->release,
	       found->found_by_pointer, (unsigned long long)found->free_bytes);
	for (unsigned i = 0; i < found->order_count; i++)
		printf(" %llu", (unsigned long long)found->blocks_per_order[i]);
	putchar('\n');
	for (unsigned i = 0; i < FCP_GUEST_GATES; i++)
		printf("gate %s %s%s%s\n", found->gates[i].name,
		       fcp_gate_state_name(found->gates[i].state),
		       found->gates[i].reason[0] ? ": " : "", found->gates[i].reason);
	for (size_t i = 0; list && i < found->ranges.count; i++)
		printf("range %llu %llu\n", (unsigned long long)found->ranges.items[i].start,
		       (unsigned long long)(found->ranges.items[i].end -
					    found->ranges.items[i].start));
}

/* 0: as Firecracker has it. */
static uint64_t arm64_ram;

static int scan(const char *path, enum fcp_holes holes, bool list)
{
	FCP_CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct fcp_guest_free_settings settings = {.cancel_fd = -1};
	struct fcp_guest_memory memory;
	struct fcp_guest_free found = {0};
	struct fcp_error err = {0};
	uint64_t start = fcp_now_ns();
	int status = -1;

	if (fd < 0) {
		perror(path);
		return 1;
	}
	if (fcp_guest_memory_open_file(fd, holes, -1, &memory, &err) == 0) {
		layout_move_arm64(&memory, arm64_ram);
		status = fcp_guest_find_free(&memory, &settings, &found, &err);
	}
	printf("ms %.3f\n", fcp_ms_since(start));
	print(&found, list);
	fcp_guest_free_clear(&found);
	if (status == 0)
		return 0;
	fprintf(stderr, "scan: %s: %s\n", fcp_error_class_name(err.error_class), err.message);
	return err.error_class == FCP_ERR_UNSUPPORTED ? 3 : 1;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"base", no_argument, NULL, 'b'},
						{"list", no_argument, NULL, 'l'},
						{"repeat", required_argument, NULL, 'r'},
						{"arm64-ram", required_argument, NULL, 'm'},
						{0}};
	enum fcp_holes holes = FCP_HOLES_ZERO;
	uint64_t repeat = 1;
	bool list = false;
	int option, status = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 'b')
			holes = FCP_HOLES_BASE;
		else if (option == 'l')
			list = true;
		else if (option == 'm')
			arm64_ram = strtoull(optarg, NULL, 0);
		else if (option != 'r' || !fcp_parse_u64(optarg, false, &repeat))
			return 2;
	}
	if (optind + 1 != argc)
		return 2;
	while (repeat-- > 0)
		status = scan(argv[optind], holes, list);
	return status;
}
