// SPDX-License-Identifier: Apache-2.0
/* Finds who else uses a file, from /proc (proc(5)). */
#ifndef FCP_MEMORY_IN_USE_H
#define FCP_MEMORY_IN_USE_H

#include "base/error.h"

enum fcp_in_use_how {
	FCP_IN_USE_NOT,
	FCP_IN_USE_MAPPED, /* in any way: a VM restored from it reads through the mapping */
	FCP_IN_USE_WRITER, /* open for writing */
};

struct fcp_in_use {
	enum fcp_in_use_how how; /* the first use found, by pid and comm */
	pid_t pid;
	char comm[32];
	uint32_t hidden;  /* processes that could not be examined: no permission */
	uint32_t readers; /* processes that only have it open for reading */
	uint32_t forks;	  /* forked from this process, with copies of its descriptors */
	bool self;	  /* this process has another descriptor or a mapping of it */
};

/*
 * Does anybody else use the file behind fd, which must be this process's only descriptor of it? If
 * a lease can be taken, the kernel says no, and /proc is not scanned; else as fcp_in_use_look().
 * The lease is dropped at once.
 */
int fcp_in_use_find(int fd, struct fcp_in_use *use_, struct fcp_error *err);

/*
 * Scans the mappings and descriptors of all other processes for the file behind fd. It never waits
 * for a file system: files of a dead NFS or FUSE server are recognised by the kernel's own data
 * (fdinfo, maps), and stat uses AT_STATX_DONT_SYNC.
 * The result is a snapshot. Files used in another PID namespace, in flight between processes, or
 * held by the kernel (a loop device) are not seen. On overlayfs a file has two identities, its own
 * and that in the upper layer: there a file of the same size and times counts as the same, and a
 * process whose mappings may not be followed counts as hidden.
 * FCP_ERR_IO: /proc cannot be read; FCP_ERR_MEMORY.
 */
int fcp_in_use_look(int fd, struct fcp_in_use *use_, struct fcp_error *err);

/*
 * The error for a use that is in the way: FCP_ERR_BUSY, which names the process. name is for the
 * message.
 */
int fcp_in_use_error(const struct fcp_in_use *use, const char *name, struct fcp_error *err);

#endif
