// SPDX-License-Identifier: Apache-2.0
#include "memory/share/look.h"

#include "memory/range.h"
#include "memory/share/job.h"

/* NOLINTNEXTLINE(misc-redundant-expression): both are settings of their own. */
_Static_assert(FCP_SHARE_LOOK_BYTES <= FCP_SHARE_PIECE_BYTES, "a run is one piece");

int fcp_share_look(struct fcp_share_set *set, struct fcp_share_window *window, struct fcp_range run,
		   const unsigned char *pages, struct fcp_ranges *found, struct fcp_error *err)
{
	const struct fcp_share_put put = {.fd = -1, .run = run, .pages = pages, .there = true};
	struct fcp_share_job job = {.set = set, .window = window, .put = &put, .piece = run};

	fcp_share_find(&job);
	for (size_t i = 0; i < job.count; i++) {
		struct fcp_range at = job.spans[i].at;

		if (at.end - at.start >= set->min_run_bytes &&
		    fcp_ranges_add(found, at.start, at.end, err) != 0)
			return -1;
	}
	return 0;
}
