// SPDX-License-Identifier: Apache-2.0
#include "steps/free_ranges.h"

#include "base/confined.h"
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One allocation, which free(3) of the report ends. */
struct report_block {
	struct fcp_guest_report report;
	struct fcp_gate *list[FCP_GUEST_GATES];
	struct fcp_gate gates[FCP_GUEST_GATES];
	uint64_t blocks_per_order[FCP_GUEST_ORDERS_MAX];
};

static void fill_report(const struct fcp_guest_free *found, struct report_block *block)
{
	struct fcp_guest_report *report = &block->report;

	report->order_count = found->order_count;
	report->gate_count = FCP_GUEST_GATES;
	report->gates = block->list;
	report->blocks_per_order = block->blocks_per_order;
	snprintf(report->release, sizeof(report->release), "%s", found->release);
	memcpy(block->blocks_per_order, found->blocks_per_order, sizeof(block->blocks_per_order));
	for (size_t i = 0; i < FCP_GUEST_GATES; i++) {
		struct fcp_gate *gate = &block->gates[i];

		block->list[i] = gate;
		gate->name = fcp_guest_gate_name((enum fcp_guest_gate_id)i);
		gate->state = found->gates[i].state;
		snprintf(gate->reason, sizeof(gate->reason), "%s", found->gates[i].reason);
	}
}

struct free_search {
	const struct fcp_guest_memory *memory;
	struct fcp_guest_free_settings settings;
	struct fcp_guest_free *found;
};

static int find_free(void *arg, struct fcp_error *err)
{
	struct free_search *search = arg;

	return fcp_guest_find_free(search->memory, &search->settings, search->found, err);
}

int fcp_free_look_for(const struct fcp_guest_memory *memory, const struct fcp_free_look *look,
		      struct fcp_guest_free *found, struct fcp_error *err)
{
	const struct fcp_confinement confinement = {look->confine, fcp_guest_memory_pid(memory)};
	struct free_search search = {memory, {.cancel_fd = look->cancel_fd}, found};

	return fcp_confined_run(&confinement, find_free, &search, err);
}

int fcp_free_ranges_of(const struct fcp_guest_memory *memory, const struct fcp_free_look *look,
		       struct fcp_guest_free *found, struct fcp_guest_report **report,
		       struct fcp_error *err)
{
	struct report_block *block = calloc(1, sizeof(*block));
	int ran;

	if (!block)
		return fcp_error_nomem(err);
	ran = fcp_free_look_for(memory, look, found, err);
	fill_report(found, block);
	free(*report);
	*report = &block->report;
	return ran;
}

int fcp_free_ranges_find(const struct fcp_free_source *source, struct fcp_ranges *ranges_,
			 struct fcp_guest_report **report, struct fcp_error *err)
{
	const struct fcp_free_look look = {source->cancel_fd, source->confine};
	struct fcp_guest_memory memory;
	struct fcp_guest_free found = {0};
	int ran;

	if (fcp_guest_memory_open_file(source->fd, source->holes, source->base_fd, &memory, err) !=
	    0)
		return -1;
	ran = fcp_free_ranges_of(&memory, &look, &found, report, err);
	if (ran == 0) {
		*ranges_ = found.ranges;
		found.ranges = (struct fcp_ranges){0};
	}
	fcp_guest_free_clear(&found);
	return ran;
}
