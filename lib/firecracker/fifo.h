// SPDX-License-Identifier: Apache-2.0
/*
 * A named pipe that another process blocks on. Held by descriptor: in a directory that others can
 * write, its name may change meaning at any time.
 */
#ifndef FCP_FIRECRACKER_FIFO_H
#define FCP_FIRECRACKER_FIFO_H

#include "base/error.h"

struct fcp_fifo {
	int directory;	  /* borrowed */
	const char *name; /* in it; borrowed */
	int fd;		  /* O_PATH; -1: absent */
	int reader;	  /* its reading end; -1: not open */
};

#define FCP_FIFO_NONE                                   \
	{                                               \
		.directory = -1, .fd = -1, .reader = -1 \
	}

/*
 * Creates directory/name, mode 0600, owned by the given user; a pipe left by a killed run is
 * replaced. FCP_ERR_UNSUPPORTED: the file system has no pipes, another file has the name, or the
 * pipe cannot be given to the user. fcp_fifo_remove() *fifo_ in any case.
 */
int fcp_fifo_make(int directory, const char *name, uid_t uid, gid_t gid, struct fcp_fifo *fifo_,
		  struct fcp_error *err);

/* Opens the reading end and keeps it, so that writers, present and future, do not block. */
void fcp_fifo_open(struct fcp_fifo *fifo);

/*
 * Was there a writer that was waiting at fcp_fifo_open() or came later, and has closed it since?
 * poll(2) reports POLLHUP for no other, in particular not for one that came and went before (Linux
 * fs/pipe.c, fifo_open() and pipe_poll()).
 */
bool fcp_fifo_had_writer(const struct fcp_fifo *fifo);

/* Unlinks it, unless the name is another file by now. Safe on FCP_FIFO_NONE, and twice. */
void fcp_fifo_remove(struct fcp_fifo *fifo);

#endif
