// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/observer.h"
#include "base/text.h"
#include "memory/attributes.h"
#include "memory/found.h"
#include "memory/range.h"
#include "memory/sparse.h"
#include "steps/free_ranges.h"
#include "steps/holes.h"
#include "steps/madvise_ranges/run.h"

#include <string.h>

void fcp_madvise_warn(struct fcp_madvise_run *run, const char *text)
{
	if (*text)
		fcp_text_append(text, run->result->warning, sizeof(run->result->warning));
}

static int find_without_zero(struct fcp_madvise_run *run, const char *warning)
{
	run->find &= ~(unsigned)FCP_FIND_ZERO;
	fcp_madvise_warn(run, warning);
	return 0;
}

/* Punching a zero page of a layer would expose the base's bytes. */
int fcp_madvise_decide_holes(struct fcp_madvise_run *run, struct fcp_error *err)
{
	const struct fcp_madvise_ranges_settings *settings = run->settings;
	struct fcp_file_attributes *attributes = &run->result->attributes;
	bool contradicts;

	run->find = settings->find;
	if (fcp_holes_decide(&run->file, settings->ranges ? FCP_HOLES_UNSPECIFIED : settings->holes,
			     attributes, &contradicts, err) != 0)
		return -1;
	if (contradicts)
		fcp_madvise_warn(run, "the file is recorded as whole (user.fcpause.holes is zero), "
				      "but was treated as a layer");
	fcp_log_debug(settings->observer, "madvise-ranges", "holes of %s: %s", run->file.name,
		      fcp_holes_name(attributes->holes));
	if (attributes->holes != FCP_HOLES_BASE || !(run->find & FCP_FIND_ZERO))
		return 0;
	if (run->find & FCP_FIND_BY_BASE)
		return find_without_zero(
			run,
			"zero pages of a Diff layer are not listed: they are the base's or have "
			"changed");
	if (settings->holes == FCP_HOLES_BASE || settings->find == FCP_FIND_ZERO)
		return fcp_error_set(
			err,
			settings->holes == FCP_HOLES_BASE ? FCP_ERR_USAGE : FCP_ERR_UNSUPPORTED, 0,
			"%.200s: zero pages of a Diff layer cannot be released: a hole "
			"there shows the base's bytes",
			run->file.name);
	return find_without_zero(run, "the file is recorded as a Diff layer: its zero pages stay");
}

/*
 * *at_: the first byte of hole outside free_ranges. *next, where the search continues, only grows.
 */
static bool leaves_free(const struct fcp_range *hole, const struct fcp_ranges *free_ranges,
			size_t *next, uint64_t *at_)
{
	const struct fcp_range *range;

	while (*next < free_ranges->count && free_ranges->items[*next].end <= hole->start)
		++*next;
	range = *next < free_ranges->count ? &free_ranges->items[*next] : NULL;
	if (range && range->start <= hole->start && hole->end <= range->end)
		return false;
	*at_ = range && range->start <= hole->start ? range->end : hole->start;
	return true;
}

static int check_holes_are_free(const struct fcp_file *file, uint64_t size_bytes,
				const struct fcp_ranges *free_ranges, struct fcp_error *err)
{
	struct fcp_range data = {0, 0}, hole = {0, 0};
	uint64_t at;
	size_t next = 0;
	int more = 1;

	while (more > 0 && hole.end < size_bytes) {
		more = fcp_sparse_next(file->fd, file->name, data.end, size_bytes, &data, err);
		if (more < 0)
			return -1;
		hole = (struct fcp_range){hole.end, more > 0 ? data.start : size_bytes};
		if (hole.start < hole.end && leaves_free(&hole, free_ranges, &next, &at))
			return fcp_error_set(
				err, FCP_ERR_UNSUPPORTED, 0,
				"%.200s has holes where its guest may use memory (byte %llu): is "
				"it a whole memory file (zeros) or a Diff layer (the base's "
				"bytes)? Say what its holes mean: zero or base",
				file->name, (unsigned long long)at);
		hole.end = data.end;
	}
	return 0;
}

/*
 * Holes whose meaning is neither specified nor recorded do not matter over free pages. If there are
 * others, refuse rather than guess.
 */
int fcp_madvise_check_holes(struct fcp_madvise_run *run, bool looked, struct fcp_error *err)
{
	FCP_CLEANUP(ranges) struct fcp_ranges found = {0};

	if (run->result->attributes.holes != FCP_HOLES_UNSPECIFIED || run->settings->ranges ||
	    !fcp_holes_exist(&run->file, run->size_bytes))
		return 0;
	/* If the guest cannot be read, no page is known to be free. */
	if (!looked &&
	    fcp_free_ranges_find(&(struct fcp_free_source){run->file.fd, FCP_HOLES_ZERO, -1,
							   run->file.cancel_fd,
							   run->settings->confine},
				 &found, &run->result->guest, err) != 0 &&
	    err->error_class != FCP_ERR_UNSUPPORTED)
		return -1;
	return check_holes_are_free(&run->file, run->size_bytes, looked ? &run->free : &found, err);
}

/* So that the next run need not be told. Finding only free pages tells nothing about holes. */
void fcp_madvise_record_holes(struct fcp_madvise_run *run)
{
	struct fcp_file_attributes recorded, meaning = {.holes = run->settings->holes};

	fcp_attributes_read(run->file.fd, &recorded);
	run->recorded = recorded.holes != FCP_HOLES_UNSPECIFIED;
	if (run->settings->ranges || recorded.holes != FCP_HOLES_UNSPECIFIED)
		return;
	if (meaning.holes == FCP_HOLES_UNSPECIFIED && (run->find & FCP_FIND_ZERO))
		meaning.holes = FCP_HOLES_ZERO;
	if (meaning.holes == FCP_HOLES_UNSPECIFIED)
		return;
	run->result->attributes.holes = meaning.holes;
	if (!run->settings->keep)
		run->recorded = fcp_attributes_write(run->file.fd, &meaning);
}
