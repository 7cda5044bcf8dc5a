// SPDX-License-Identifier: Apache-2.0
/* Reads /proc/PID/maps (proc_pid_maps(5)). Nothing else in the library parses it. */
#ifndef FCP_BASE_MAPS_H
#define FCP_BASE_MAPS_H

#include "base/error.h"

#include <stdio.h>
#include <sys/types.h>

struct fcp_mapping {
	uint64_t start; /* addresses */
	uint64_t end;
	uint64_t offset; /* in the file */
	uint64_t inode;	 /* of the file; 0: anonymous memory */
	uint64_t dev;	 /* makedev(3); on btrfs and overlayfs it differs from stat(2)'s */
	bool readable;
	bool writable;
	bool executable;
	bool shared;
	const char *path; /* "" if there is none; points into the line */
};

/* Parses one line, whose newline, if any, is removed; false if it is not a mapping. mapping_->path
 * points into line. */
bool fcp_mapping_parse(char *line, struct fcp_mapping *mapping_);

/* The mappings of one process, in address order. */
struct fcp_maps {
	FILE *file;
	char *line;
	size_t room;
};

/*
 * FCP_ERR_UNSUPPORTED: no permission to trace the process; FCP_ERR_STATE: no such process. The
 * message names the file. Release with fcp_maps_close().
 */
int fcp_maps_open(pid_t pid, struct fcp_maps *maps_, struct fcp_error *err);

/* The next mapping; false at the end. Its path is valid until the next call. */
bool fcp_maps_next(struct fcp_maps *maps, struct fcp_mapping *mapping_);

/* Safe on a zeroed struct. */
void fcp_maps_close(struct fcp_maps *maps);

static inline void fcp_cleanup_maps(struct fcp_maps *maps)
{
	fcp_maps_close(maps);
}

/* Opens /proc/PID/NAME for reading; returns -1 with the errors of fcp_maps_open(). */
int fcp_proc_open(pid_t pid, const char *name, struct fcp_error *err);

/*
 * Counts the process's descriptors by target: counts_[i] is the number of those that readlink(2)
 * shows as links[i] ("anon_inode:kvm-vm", "/memfd:NAME (deleted)"). Errors as fcp_maps_open().
 */
int fcp_proc_count_fds(pid_t pid, const char *const links[], unsigned counts_[], unsigned count,
		       struct fcp_error *err);

#endif
