// SPDX-License-Identifier: Apache-2.0
/* How one process uses a file, from its directory in /proc. */
#ifndef FCP_MEMORY_IN_USE_PROCESS_H
#define FCP_MEMORY_IN_USE_PROCESS_H

#include "base/error.h"

#include <limits.h>
#include <linux/stat.h>
#include <sys/stat.h>

/* The file to look for. */
struct fcp_used_file {
	struct statx status;
	char path[PATH_MAX]; /* as this process sees it */
	char inode_text[24]; /* " INODE", as a line of maps has it */
	bool has_layers; /* overlayfs: the same file may have another identity in a lower layer */
	char *maps;	 /* a buffer, owned */
};

/* FCP_ERR_IO, FCP_ERR_MEMORY. */
int fcp_used_file_init(int fd, struct fcp_used_file *file_, struct fcp_error *err);

void fcp_used_file_clear(struct fcp_used_file *file);

struct fcp_process_use {
	bool mapped;
	uint32_t readers, writers; /* descriptors */
	bool all_close_on_exec;	   /* all of these */
	bool hidden;		   /* some could not be examined: no permission */
};

/* proc: the process's directory. Kernel threads, zombies and ending processes use nothing. */
void fcp_process_use(const struct fcp_used_file *file, int proc, struct fcp_process_use *use_);

/* Was it forked from this process, over any number of generations, without an execve(2) since? */
bool fcp_process_is_fork(int proc);

/* Its name, printable. */
void fcp_process_comm(int proc, char *comm_, size_t bytes);

#endif
