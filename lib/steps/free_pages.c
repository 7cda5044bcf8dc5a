// SPDX-License-Identifier: Apache-2.0
/* The free pages of a guest whose memory the caller holds. */
#include "base/call.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/observer.h"
#include "base/outcome.h"
#include "base/units.h"
#include "memory/range.h"
#include "steps/free_ranges.h"

#include <stdlib.h>

/* The settings, and what they point to, of this version. */
struct free_pages_call {
	struct fcp_free_pages_settings settings;
	struct fcp_memory_source memory;
	struct fcp_memory_source base;
};

static int take_source(struct fcp_memory_source *source, const struct fcp_memory_source *given,
		       const char *name, struct fcp_error *err)
{
	if (fcp_settings_take(source, given, err) != 0 ||
	    fcp_reserved_check(source->reserved, err) != 0)
		return fcp_error_wrap(err, "%s", name);
	if ((source->fd >= 0) == (source->read != NULL))
		return fcp_error_set(
			err, FCP_ERR_USAGE, 0,
			"%s: it needs a descriptor or a callback that reads, and not both", name);
	if (!source->read && source->next_data)
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "%s: a descriptor is asked itself where it has data", name);
	return 0;
}

static int take_call(struct free_pages_call *call, struct fcp_error *err)
{
	struct fcp_free_pages_settings *settings = &call->settings;

	if (take_source(&call->memory, settings->memory, "memory", err) != 0 ||
	    (settings->base && take_source(&call->base, settings->base, "base", err) != 0))
		return -1;
	if (settings->base && settings->holes == FCP_HOLES_ZERO)
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "a base has no use where holes are zeros");
	if (settings->holes == FCP_HOLES_UNSPECIFIED)
		settings->holes = settings->base ? FCP_HOLES_BASE : FCP_HOLES_ZERO;
	if (settings->align_bytes == 0)
		settings->align_bytes = FCP_PAGE_BYTES;
	if (settings->align_bytes < FCP_PAGE_BYTES || settings->align_bytes > FCP_ALIGN_MAX ||
	    (settings->align_bytes & (settings->align_bytes - 1)) != 0)
		return fcp_error_set(
			err, FCP_ERR_USAGE, 0,
			"an alignment of %llu bytes: no power of two from 4096 to 1 GiB",
			(unsigned long long)settings->align_bytes);
	return 0;
}

static int find_free_pages(const struct free_pages_call *call, struct fcp_free_pages_result *result,
			   struct fcp_error *err)
{
	const struct fcp_free_pages_settings *settings = &call->settings;
	/* The caller's callbacks may do anything. */
	const struct fcp_free_look look = {settings->cancel_fd, false};
	FCP_CLEANUP(guest_free) struct fcp_guest_free found = {0};
	struct fcp_guest_memory memory;

	if (fcp_guest_memory_open_source(&call->memory, settings->holes,
					 settings->base ? &call->base : NULL, &memory, err) != 0 ||
	    fcp_free_ranges_of(&memory, &look, &found, &result->guest, err) != 0)
		return -1;
	result->free_bytes = found.free_bytes;
	result->ranges = found.ranges;
	found.ranges = (struct fcp_ranges){0};
	fcp_ranges_align(&result->ranges, settings->align_bytes);
	fcp_ranges_drop_short(&result->ranges, settings->min_run_bytes);
	result->range_bytes = fcp_ranges_bytes(&result->ranges);
	return 0;
}

int fcp_free_pages(const struct fcp_free_pages_settings *settings,
		   struct fcp_free_pages_result *result, struct fcp_error *err)
{
	struct free_pages_call call = {FCP_FREE_PAGES_SETTINGS_INIT, FCP_MEMORY_SOURCE_INIT,
				       FCP_MEMORY_SOURCE_INIT};
	struct fcp_free_pages_result own = FCP_FREE_PAGES_RESULT_INIT;
	struct fcp_step step;
	int ran;

	if (fcp_call_begin(&call.settings, settings, result, err) != 0 ||
	    take_call(&call, err) != 0)
		return -1;
	step = fcp_step_begin(call.settings.observer, "free-pages");
	ran = find_free_pages(&call, &own, err);
	if (ran == 0 && own.guest)
		fcp_log_debug(call.settings.observer, "free-pages",
			      "Linux %s: %llu bytes free, %llu of them in ranges",
			      own.guest->release, (unsigned long long)own.free_bytes,
			      (unsigned long long)own.range_bytes);
	ran = fcp_step_finish(&step, &own.outcome, ran, err);
	ran = fcp_call_end(result, &own, sizeof(own), ran);
	fcp_free_pages_result_clear(&own);
	return ran;
}

void fcp_free_pages_result_clear(struct fcp_free_pages_result *result)
{
	struct fcp_free_pages_result own = FCP_FREE_PAGES_RESULT_INIT;

	if (!result)
		return;
	fcp_result_take_back(&own, sizeof(own), result);
	fcp_ranges_clear(&own.ranges);
	free(own.guest);
}
