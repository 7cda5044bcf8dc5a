// SPDX-License-Identifier: Apache-2.0
/* A named pipe that another process is to wait at: held by descriptor, because in a directory that others
 * can write its name may lead elsewhere at any time. */
#ifndef FCP_FIRECRACKER_FIFO_H
#define FCP_FIRECRACKER_FIFO_H

#include "base/error.h"

struct fcp_fifo {
	int directory;	  /* borrowed */
	const char *name; /* in it; borrowed */
	int fd;		  /* O_PATH, -1: not there */
	int reader;	  /* its reading end, -1: not opened */
};

#define FCP_FIFO_NONE                                   \
	{                                               \
		.directory = -1, .fd = -1, .reader = -1 \
	}

/*
 * Makes directory/name, 0600 and the user's; a pipe that a killed run left there is replaced.
 * FCP_ERR_UNSUPPORTED: the file system has none, something else is there, or it cannot be given to the
 * user. *fifo_ is to be removed in any case.
 */
int fcp_fifo_make(int directory, const char *name, uid_t uid, gid_t gid, struct fcp_fifo *fifo_,
		  struct fcp_error *err);

/* Lets writers go, those that wait and those to come: opens the reading end, and keeps it. */
void fcp_fifo_open(struct fcp_fifo *fifo);

/*
 * Did a writer wait until fcp_fifo_open(), or come later, and has gone since? poll(2) reports POLLHUP for no
 * other: not for one that had come and gone before (fs/pipe.c of Linux, fifo_open() and pipe_poll()).
 */
bool fcp_fifo_had_writer(const struct fcp_fifo *fifo);

/* Its name goes, unless it is another file's by now. Safe on FCP_FIFO_NONE, and twice. */
void fcp_fifo_remove(struct fcp_fifo *fifo);

#endif
