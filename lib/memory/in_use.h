// SPDX-License-Identifier: Apache-2.0
/* Who else uses a file, as far as /proc shows it (proc(5)). */
#ifndef FCP_MEMORY_IN_USE_H
#define FCP_MEMORY_IN_USE_H

#include "base/error.h"

enum fcp_in_use_how {
	FCP_IN_USE_NOT,
	FCP_IN_USE_MAPPED, /* in whatever way: a VM that was restored from it reads through it */
	FCP_IN_USE_WRITER, /* open for writing */
};

struct fcp_in_use {
	enum fcp_in_use_how how; /* the first that was found; of pid, comm */
	pid_t pid;
	char comm[32];
	uint32_t hidden;  /* processes that could not be looked at: no permission */
	uint32_t readers; /* processes that only hold it open for reading */
	bool self;	  /* this process itself has it open a second time, or mapped */
};

/*
 * Looks at the mappings and descriptors of all processes but this one for the file behind fd.
 * A snapshot of an instant; what is in another pid namespace, in flight between processes or held
 * by the kernel (a loop device) is not seen. Reads each process's maps once. FCP_ERR_IO when /proc
 * cannot be read at all, FCP_ERR_MEMORY.
 */
int fcp_in_use_find(int fd, struct fcp_in_use *use_, struct fcp_error *err);

/* "maps it", "has it open for writing"; static storage. */
const char *fcp_in_use_text(enum fcp_in_use_how how);

#endif
