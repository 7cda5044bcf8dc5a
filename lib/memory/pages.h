// SPDX-License-Identifier: Apache-2.0
/* Reads, writes or punches ranges of a file. Any thread; no file offset moves. */
#ifndef FCP_MEMORY_PAGES_H
#define FCP_MEMORY_PAGES_H

#include "base/error.h"

/*
 * pread(2) of all of start .. end. name is for messages. FCP_ERR_IO, also if the file is shorter.
 */
int fcp_pages_read(int fd, const char *name, struct fcp_range range, unsigned char *buffer_,
		   struct fcp_error *err);

/* pwrite(2) of all of start .. end. name is for messages. FCP_ERR_IO with ENOSPC. */
int fcp_pages_write(int fd, const char *name, struct fcp_range range, const unsigned char *pages,
		    struct fcp_error *err);

/*
 * fallocate(2), FALLOC_FL_PUNCH_HOLE. Returns 0 or an errno: EOPNOTSUPP if the file system has no
 * holes.
 */
int fcp_pages_punch(int fd, struct fcp_range range);

#endif
