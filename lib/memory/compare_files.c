// SPDX-License-Identifier: Apache-2.0
/* Decides which parts of a file must be read to classify its pages. */
#include "memory/compare.h"

#include "memory/sparse.h"

/* Finds a file's data, for ascending offsets. */
struct data_cursor {
	const struct fcp_file *file; /* NULL: no data */
	struct fcp_range data;	     /* the last extent found, in whole pages */
};

/* Is there data at this offset, and up to where does that hold? */
static int find_data_at(struct data_cursor *cursor, uint64_t at, uint64_t end, bool *data_,
			uint64_t *until_, struct fcp_error *err)
{
	struct fcp_range *data = &cursor->data;
	int more = 0;

	if (cursor->file && at >= data->end)
		more = fcp_sparse_next_pages(cursor->file->fd, cursor->file->name, at, end, data,
					     err);
	if (more < 0)
		return -1;
	if (at >= data->end)
		*data = (struct fcp_range){end, end};
	*data_ = at >= data->start && at < end;
	*until_ = *data_ ? data->end : data->start;
	if (*until_ > end)
		*until_ = end;
	return 0;
}

/* What pages are without being read; 0: they must be read. */
static unsigned known_kind(const struct fcp_compare *compare, bool data, bool base_data)
{
	if (!data && (compare->find & FCP_FIND_ZERO) && !compare->layer)
		return FCP_FIND_ZERO;
	if (!data && (compare->layer || !base_data))
		return FCP_FIND_BASE;
	if (data && !compare->base && !(compare->find & FCP_FIND_ZERO))
		return FCP_FIND_BASE;
	return 0;
}

struct compare_walk {
	const struct fcp_compare *compare;
	uint64_t end; /* of the last range */
	struct data_cursor file;
	struct data_cursor base;
	struct fcp_page_runs runs; /* still to be read; addresses are the offsets */
	struct fcp_found_ranges *found;
};

static int walk_range(struct compare_walk *walk, const struct fcp_range *range,
		      struct fcp_error *err)
{
	for (uint64_t at = range->start, until; at < range->end; at = until) {
		uint64_t base_until;
		bool data, base_data;
		unsigned kind;
		int added = 0;

		if (find_data_at(&walk->file, at, walk->end, &data, &until, err) != 0 ||
		    find_data_at(&walk->base, at, walk->end, &base_data, &base_until, err) != 0)
			return -1;
		until = base_until < until ? base_until : until;
		until = range->end < until ? range->end : until;
		kind = known_kind(walk->compare, data, base_data);
		if (kind == 0)
			added = fcp_page_runs_add(&walk->runs, (struct fcp_page_run){at, until, at},
						  err);
		else if (walk->compare->find & kind)
			added = fcp_found_add(walk->found, at, until, kind, err);
		if (added != 0)
			return -1;
	}
	return 0;
}

int fcp_compare_files(const struct fcp_compare *compare, const struct fcp_ranges *within,
		      struct fcp_found_ranges *found, struct fcp_error *err)
{
	struct compare_walk walk = {.compare = compare,
				    .end = within->count > 0 ? within->items[within->count - 1].end
							     : 0,
				    .file = {.file = compare->file},
				    .base = {.file = compare->base},
				    .found = found};
	int ran = 0;

	for (size_t i = 0; ran == 0 && i < within->count; i++)
		ran = walk_range(&walk, &within->items[i], err);
	if (ran == 0)
		ran = fcp_compare_runs(compare, 0, &walk.runs, found, err);
	fcp_page_runs_clear(&walk.runs);
	return ran;
}
