// SPDX-License-Identifier: Apache-2.0
#include "memory/transfer.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/units.h"

#include <fcntl.h>

/* Fits the CPU cache; a cancellation waits for at most one piece. */
#define PIECE_BYTES (FCP_MIB / 4)
/* Large enough for long extents on disk, small enough to keep the disk busy. */
#define WINDOW_BYTES (32 * FCP_MIB)

/* After each window, all dirty data. If writing fails, fsync(2) reports it. */
static void send_to_disk(int fd, uint64_t before, uint64_t moved)
{
	if (before / WINDOW_BYTES != moved / WINDOW_BYTES)
		sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static int move_range(const struct fcp_transfer *transfer, struct fcp_range range, uint64_t *moved,
		      unsigned char *buffer, struct fcp_error *err)
{
	struct fcp_range piece = {range.start, range.start};

	while (piece.end < range.end) {
		piece.start = piece.end;
		piece.end = fcp_align_down(piece.start, FCP_PAGE_BYTES) + PIECE_BYTES;
		if (piece.end > range.end)
			piece.end = range.end;
		if (fcp_cancelled(transfer->cancel_fd))
			return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "%.200s: interrupted",
					     transfer->name);
		if (transfer->move(piece, buffer, transfer->arg, err) != 0)
			return -1;
		fcp_meter_add(transfer->meter, piece.end - piece.start);
		send_to_disk(transfer->to, *moved, *moved + piece.end - piece.start);
		*moved += piece.end - piece.start;
	}
	return 0;
}

int fcp_transfer_run(const struct fcp_transfer *transfer, struct fcp_error *err)
{
	FCP_CLEANUP(free) unsigned char *buffer = malloc(PIECE_BYTES);
	uint64_t moved = 0;

	if (!buffer)
		return fcp_error_nomem(err);
	for (size_t i = 0; i < transfer->data->count; i++)
		if (move_range(transfer, transfer->data->items[i], &moved, buffer, err) != 0)
			return -1;
	return 0;
}
