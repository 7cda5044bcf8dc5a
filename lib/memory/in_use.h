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
	uint32_t forks;	  /* forked from this process: they hold copies of its descriptors */
	bool self;	  /* this process itself has it open a second time, or mapped */
};

/*
 * Is the file behind fd, which must be the only descriptor that this process has of it, used by
 * somebody else? Where a lease on it can be had, the kernel says that it is not, and no process is
 * looked at; else fcp_in_use_look(). A lease is dropped again at once.
 */
int fcp_in_use_find(int fd, struct fcp_in_use *use_, struct fcp_error *err);

/*
 * Looks at the mappings and descriptors of all processes but this one for the file behind fd. Waits
 * for no file system: what leads to a dead NFS or FUSE server is told apart by the kernel's own
 * figures (fdinfo, maps), and status is asked with AT_STATX_DONT_SYNC.
 * A snapshot of an instant; what is in another PID namespace, in flight between processes or held by
 * the kernel (a loop device) is not seen. On overlayfs a file has two identities, its own and the one
 * in the upper layer: there a file of the same size and times is taken for it, and where mappings may
 * not be followed their process counts as hidden.
 * FCP_ERR_IO when /proc cannot be read at all, FCP_ERR_MEMORY.
 */
int fcp_in_use_look(int fd, struct fcp_in_use *use_, struct fcp_error *err);

/* Of a use that is in the way: FCP_ERR_BUSY, which says whose it is. name is for the message. */
int fcp_in_use_error(const struct fcp_in_use *use, const char *name, struct fcp_error *err);

#endif
