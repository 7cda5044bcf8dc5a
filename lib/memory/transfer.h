// SPDX-License-Identifier: Apache-2.0
/* The data of one file on its way into another, piece by piece. */
#ifndef FCP_MEMORY_TRANSFER_H
#define FCP_MEMORY_TRANSFER_H

#include "base/error.h"
#include "base/meter.h"

struct fcp_transfer {
	const struct fcp_ranges *data; /* sorted: what is to be moved */
	int to;			       /* open for writing */
	const char *name;	       /* of to, for messages */
	struct fcp_meter *meter;       /* counts the bytes; or NULL */
	int cancel_fd;
	/* Moves one piece, which fits into buffer; -1 with *err set ends all. */
	int (*move)(struct fcp_range piece, unsigned char *buffer, void *arg,
		    struct fcp_error *err);
	void *arg;
};

/*
 * Hands out all of the data in ascending order, in pieces of 1 MiB at most that end with a page or with the data. What
 * was written is sent on its way to the disk meanwhile, so that an fsync(2) afterwards has little left to
 * wait for; nothing is durable before it. The error of a move; FCP_ERR_INTERRUPTED, FCP_ERR_MEMORY.
 */
int fcp_transfer_run(const struct fcp_transfer *transfer, struct fcp_error *err);

#endif
