// SPDX-License-Identifier: Apache-2.0
#include "guest/free_pages.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/units.h"
#include "guest/allocator/freelist.h"
#include "guest/allocator/gates.h"
#include "guest/kernel/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const gate_names[FCP_GUEST_GATES] = {
	[FCP_GUEST_GATE_VMCOREINFO] = "vmcoreinfo",   [FCP_GUEST_GATE_ENCRYPTION] = "encryption",
	[FCP_GUEST_GATE_PAGE_TABLES] = "page-tables", [FCP_GUEST_GATE_HOLES] = "holes",
	[FCP_GUEST_GATE_MEMMAP] = "memmap",	      [FCP_GUEST_GATE_BLOCKS] = "blocks",
	[FCP_GUEST_GATE_FREE_LISTS] = "free-lists",   [FCP_GUEST_GATE_FREE_COUNT] = "free-count",
	[FCP_GUEST_GATE_IN_USE] = "in-use",	      [FCP_GUEST_GATE_POISON] = "poison",
	[FCP_GUEST_GATE_ZEROED] = "zeroed",
};

/* All that one search uses; on the heap, as it is too much for a stack. */
struct finder {
	const struct fcp_guest_free_settings *settings;
	struct fcp_guest_free *found;
	struct fcp_guest_kernel kernel;
	struct fcp_guest_memmap memmap;
	struct fcp_guest_blocks blocks;
};

const char *fcp_guest_gate_name(enum fcp_guest_gate_id id)
{
	return (unsigned)id < FCP_GUEST_GATES ? gate_names[id] : "unknown";
}

const char *fcp_gate_state_name(enum fcp_gate_state state)
{
	static const char *const names[] = {
		[FCP_GATE_NOT_REACHED] = "not reached",
		[FCP_GATE_PASSED] = "passed",
		[FCP_GATE_FAILED] = "failed",
	};

	return (unsigned)state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

/*
 * Takes what a gate's check returned. A refusal is the gate's: its reason is kept, its name begins
 * the message. Other failures (the source's, an interruption) are not a gate's decision.
 */
static int judge(struct fcp_guest_free *found, enum fcp_guest_gate_id id, int status,
		 struct fcp_error *err)
{
	struct fcp_guest_gate *gate = &found->gates[id];

	if (status == 0) {
		gate->state = FCP_GATE_PASSED;
		return 0;
	}
	if (err->error_class == FCP_ERR_UNSUPPORTED) {
		gate->state = FCP_GATE_FAILED;
		snprintf(gate->reason, sizeof(gate->reason), "%.255s", err->message);
	}
	return fcp_error_wrap(err, "%s", gate->name);
}

/* The proofs that a candidate passes are the first three gates. */
static int find_kernel(struct finder *finder, const struct fcp_guest_memory *memory,
		       struct fcp_error *err)
{
	static const enum fcp_guest_gate_id gate_of[] = {
		[FCP_GUEST_PROOF_NOTE] = FCP_GUEST_GATE_VMCOREINFO,
		[FCP_GUEST_PROOF_ENCRYPTION] = FCP_GUEST_GATE_ENCRYPTION,
		[FCP_GUEST_PROOF_TABLES] = FCP_GUEST_GATE_PAGE_TABLES,
		/* More than one that passes, too many that try. */
		[FCP_GUEST_PROOF_PASSED] = FCP_GUEST_GATE_VMCOREINFO,
	};
	struct fcp_guest_free *found = finder->found;
	struct fcp_guest_search search;
	int status = fcp_guest_kernel_find(memory, finder->settings->cancel_fd, &finder->kernel,
					   &search, err);
	enum fcp_guest_gate_id failed = gate_of[search.proof];

	if (status == 0)
		failed = FCP_GUEST_GATE_PAGE_TABLES;
	for (unsigned id = FCP_GUEST_GATE_VMCOREINFO; id < failed; id++)
		found->gates[id].state = FCP_GATE_PASSED;
	if (judge(found, failed, status, err) < 0)
		return -1;
	found->found_by_pointer = search.by_pointer;
	found->region_count = finder->kernel.memory.region_count;
	found->order_count = (unsigned)finder->kernel.note.zone_free_area_length;
	memcpy(found->regions, finder->kernel.memory.regions, sizeof(found->regions));
	memcpy(found->release, finder->kernel.note.release, sizeof(found->release));
	return 0;
}

static int find_blocks(struct finder *finder, struct fcp_error *err)
{
	bool block_fault = false;
	int status = fcp_guest_memmap_init(&finder->kernel, &finder->memmap, err);

	if (status == 0)
		status = fcp_guest_blocks_find(&finder->memmap, finder->settings->cancel_fd,
					       &finder->blocks, &block_fault, err);
	if (status < 0 && !block_fault)
		return judge(finder->found, FCP_GUEST_GATE_MEMMAP, status, err);
	finder->found->gates[FCP_GUEST_GATE_MEMMAP].state = FCP_GATE_PASSED;
	return judge(finder->found, FCP_GUEST_GATE_BLOCKS, status, err);
}

static int check_lists(struct finder *finder, struct fcp_error *err)
{
	struct fcp_guest_lists lists;
	int status = fcp_guest_lists_check(&finder->memmap, &finder->blocks,
					   finder->settings->cancel_fd, &lists, err);

	if (status < 0 && !lists.count_fault)
		return judge(finder->found, FCP_GUEST_GATE_FREE_LISTS, status, err);
	finder->found->gates[FCP_GUEST_GATE_FREE_LISTS].state = FCP_GATE_PASSED;
	return judge(finder->found, FCP_GUEST_GATE_FREE_COUNT, status, err);
}

static int check_contents(struct finder *finder, struct fcp_error *err)
{
	const struct fcp_guest_memory *memory = &finder->kernel.memory;
	struct fcp_guest_free *found = finder->found;
	struct fcp_guest_samples samples;

	if (judge(found, FCP_GUEST_GATE_IN_USE,
		  fcp_guest_gate_in_use(&finder->memmap, &finder->blocks.ranges, err), err) < 0)
		return -1;
	if (fcp_guest_sample(memory, &finder->blocks.ranges, &samples, err) < 0)
		return judge(found, FCP_GUEST_GATE_POISON, -1, err);
	samples.zeroed_marked = finder->kernel.note.pg_zeroed != FCP_GUEST_NONE;
	if (judge(found, FCP_GUEST_GATE_POISON, fcp_guest_gate_poison(&samples, err), err) < 0)
		return -1;
	return judge(found, FCP_GUEST_GATE_ZEROED, fcp_guest_gate_zeroed(memory, &samples, err),
		     err);
}

static int find_through_gates(struct finder *finder, const struct fcp_guest_memory *memory,
			      struct fcp_error *err)
{
	if (find_kernel(finder, memory, err) < 0 ||
	    judge(finder->found, FCP_GUEST_GATE_HOLES, fcp_guest_gate_holes(&finder->kernel, err),
		  err) < 0 ||
	    find_blocks(finder, err) < 0 || check_lists(finder, err) < 0)
		return -1;
	return check_contents(finder, err);
}

/* What is known of the blocks goes out on refusal too; the ranges only when every gate passed. */
static void hand_over(struct finder *finder, bool passed)
{
	struct fcp_guest_free *found = finder->found;
	struct fcp_guest_blocks *blocks = &finder->blocks;

	memcpy(found->blocks_per_order, blocks->blocks_per_order, sizeof(found->blocks_per_order));
	found->free_bytes = blocks->free_pages * FCP_PAGE_BYTES;
	if (!passed)
		return;
	found->left_out_bytes = found->free_bytes - fcp_ranges_bytes(&blocks->ranges);
	found->ranges = blocks->ranges;
	blocks->ranges = (struct fcp_ranges){0};
}

int fcp_guest_find_free(const struct fcp_guest_memory *memory,
			const struct fcp_guest_free_settings *settings,
			struct fcp_guest_free *free_, struct fcp_error *err)
{
	FCP_CLEANUP(free) struct finder *finder = calloc(1, sizeof(*finder));
	int status;

	if (!finder)
		return fcp_error_nomem(err);
	*free_ = (struct fcp_guest_free){0};
	for (unsigned id = 0; id < FCP_GUEST_GATES; id++)
		free_->gates[id].name = gate_names[id];
	finder->settings = settings;
	finder->found = free_;
	status = find_through_gates(finder, memory, err);
	hand_over(finder, status == 0);
	fcp_guest_memmap_clear(&finder->memmap);
	fcp_guest_blocks_clear(&finder->blocks);
	return status;
}

void fcp_guest_free_clear(struct fcp_guest_free *free_)
{
	if (!free_)
		return;
	fcp_ranges_clear(&free_->ranges);
	*free_ = (struct fcp_guest_free){0};
}
