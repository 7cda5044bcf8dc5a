// SPDX-License-Identifier: Apache-2.0
#include "steps/inspect/share.h"

#include "base/cleanup.h"
#include "memory/pages.h"
#include "memory/range.h"
#include "memory/share/look.h"
#include "memory/sparse.h"
#include "steps/inspect/sums.h"

#include <stdlib.h>

static int add_inspected_shares(const struct fcp_file *file, struct fcp_inspect_share *share,
				struct fcp_error *err)
{
	for (size_t i = 0; i < share->files.count; i++) {
		const struct fcp_share_file one = {share->files.fds[i], share->files.names[i], -1,
						   file->cancel_fd};

		if (fcp_share_add_to_look(share->set, &one, err) != 0)
			return -1;
	}
	return 0;
}

static int open_shares(const struct fcp_inspect_settings *settings, const struct fcp_file *file,
		       struct fcp_inspect_share *share, struct fcp_error *err)
{
	if (fcp_share_files_open(settings->shares, settings->share_count, &share->files, err) != 0)
		return -1;
	if (fcp_share_files_have(&share->files, file->fd))
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "%.200s is the memory file itself",
				     file->name);
	share->set = calloc(1, sizeof(*share->set));
	if (!share->set)
		return fcp_error_nomem(err);
	share->set->min_run_bytes = settings->share_min_run_bytes;
	if (add_inspected_shares(file, share, err) != 0)
		return -1;
	fcp_share_files_doubt(share->set, share->doubt, sizeof(share->doubt));
	return 0;
}

/* Data of the file that the base does not have. */
static int find_unshared(const struct fcp_file *file, uint64_t bytes,
			 const struct fcp_found_ranges *same, struct fcp_ranges *own,
			 struct fcp_error *err)
{
	FCP_CLEANUP(ranges) struct fcp_ranges data = {0};
	FCP_CLEANUP(ranges) struct fcp_ranges base = {0};
	struct fcp_range found = {0, 0};
	int more;

	while ((more = fcp_sparse_next_pages(file->fd, file->name, found.end, bytes, &found, err)) >
	       0)
		if (fcp_ranges_add(&data, found.start, found.end, err) != 0)
			return -1;
	if (more < 0 || fcp_found_select(same, FCP_FIND_BASE, &base, err) != 0)
		return -1;
	return fcp_ranges_subtract(&data, &base, own, err);
}

static int look_up_range(const struct fcp_file *file, struct fcp_share_set *set,
			 struct fcp_range own, struct fcp_ranges *found, struct fcp_error *err)
{
	FCP_CLEANUP(free) unsigned char *pages = malloc(FCP_SHARE_LOOK_BYTES);
	FCP_CLEANUP(free) struct fcp_share_window *window = calloc(1, sizeof(*window));
	struct fcp_range piece;

	if (!pages || !window)
		return fcp_error_nomem(err);
	for (piece.start = own.start; piece.start < own.end; piece.start = piece.end) {
		piece.end = own.end - piece.start > FCP_SHARE_LOOK_BYTES
				    ? piece.start + FCP_SHARE_LOOK_BYTES
				    : own.end;
		if (fcp_file_poll(file, err) != 0 ||
		    fcp_pages_read(file->fd, file->name, piece, pages, err) != 0 ||
		    fcp_share_look(set, window, piece, pages, found, err) != 0)
			return -1;
	}
	return 0;
}

int fcp_inspect_look_up(const struct fcp_inspect_settings *settings, const struct fcp_file *file,
			struct fcp_inspect_share *share, struct fcp_found_ranges *same,
			struct fcp_inspect_result *result, struct fcp_error *err)
{
	FCP_CLEANUP(ranges) struct fcp_ranges own = {0};
	FCP_CLEANUP(ranges) struct fcp_ranges found = {0};

	if (settings->share_count == 0)
		return 0;
	if (open_shares(settings, file, share, err) != 0)
		return -1;
	for (size_t i = 0; i < share->set->count; i++)
		result->share_count += share->set->sources[i].why == NULL;
	if (result->share_count == 0)
		return 0;
	if (find_unshared(file, result->logical_bytes, same, &own, err) != 0)
		return -1;
	for (size_t i = 0; i < own.count; i++)
		if (look_up_range(file, share->set, own.items[i], &found, err) != 0)
			return -1;
	if (fcp_found_add_all(same, &found, FCP_FOUND_SHARED, err) != 0)
		return -1;
	fcp_found_sort(same);
	fcp_share_files_doubt(share->set, share->doubt, sizeof(share->doubt));
	return 0;
}

void fcp_inspect_share_close(struct fcp_inspect_share *share)
{
	fcp_share_files_close(&share->files);
	if (share->set)
		fcp_share_clear(share->set);
	free(share->set);
	share->set = NULL;
}
