// SPDX-License-Identifier: Apache-2.0
/* Moves one file's data into another, piece by piece. */
#ifndef FCP_MEMORY_TRANSFER_H
#define FCP_MEMORY_TRANSFER_H

#include "base/error.h"
#include "base/meter.h"

struct fcp_transfer {
	const struct fcp_ranges *data; /* sorted: what to move */
	int to;			       /* open for writing */
	const char *name;	       /* of to, for messages */
	struct fcp_meter *meter;       /* counts the bytes; or NULL */
	int cancel_fd;
	/* Moves one piece, which fits into buffer; returning -1 with *err set ends the transfer. */
	int (*move)(struct fcp_range piece, unsigned char *buffer, void *arg,
		    struct fcp_error *err);
	void *arg;
};

/*
 * Moves all the data in ascending order, in pieces of at most 1 MiB that end at a page boundary or
 * at the end of the data. Writeback is started as it goes, so that a later fsync(2) has little left
 * to wait for; nothing is durable before that. Returns a move's error; FCP_ERR_INTERRUPTED,
 * FCP_ERR_MEMORY.
 */
int fcp_transfer_run(const struct fcp_transfer *transfer, struct fcp_error *err);

#endif
