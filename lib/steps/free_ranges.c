// SPDX-License-Identifier: Apache-2.0
#include "steps/free_ranges.h"

#include <stdio.h>

_Static_assert((int)FCP_GUEST_GATES <= FCP_GATES_MAX, "room for every gate");
_Static_assert(FCP_GUEST_ORDERS_MAX <= FCP_ORDERS_MAX, "room for every order");

static void fill_report(const struct fcp_guest_free *found, struct fcp_guest_report *report)
{
	*report = (struct fcp_guest_report){.order_count = found->order_count,
					    .gate_count = FCP_GUEST_GATES};
	snprintf(report->release, sizeof(report->release), "%s", found->release);
	for (unsigned i = 0; i < found->order_count; i++)
		report->blocks_per_order[i] = found->blocks_per_order[i];
	for (size_t i = 0; i < FCP_GUEST_GATES; i++) {
		report->gates[i].name = fcp_guest_gate_name((enum fcp_guest_gate_id)i);
		report->gates[i].state = found->gates[i].state;
		snprintf(report->gates[i].reason, sizeof(report->gates[i].reason), "%s",
			 found->gates[i].reason);
	}
}

int fcp_free_ranges_of(const struct fcp_guest_memory *memory, int cancel_fd,
		       struct fcp_guest_free *found, struct fcp_guest_report *report_,
		       struct fcp_error *err)
{
	const struct fcp_guest_free_settings settings = {.cancel_fd = cancel_fd};
	int ran = fcp_guest_find_free(memory, &settings, found, err);

	fill_report(found, report_);
	return ran;
}

int fcp_free_ranges_find(const struct fcp_free_source *source, struct fcp_ranges *ranges_,
			 struct fcp_guest_report *report_, struct fcp_error *err)
{
	struct fcp_guest_memory memory;
	struct fcp_guest_free found = {0};
	int ran;

	if (fcp_guest_memory_open_file(source->fd, source->holes, source->base_fd, &memory, err) !=
	    0)
		return -1;
	ran = fcp_free_ranges_of(&memory, source->cancel_fd, &found, report_, err);
	if (ran == 0) {
		*ranges_ = found.ranges;
		found.ranges = (struct fcp_ranges){0};
	}
	fcp_guest_free_clear(&found);
	return ran;
}
