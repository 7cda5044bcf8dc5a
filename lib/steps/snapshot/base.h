// SPDX-License-Identifier: Apache-2.0
/* What a restored VM's memory began as: pages that have not changed since are there still. */
#ifndef FCP_STEPS_SNAPSHOT_BASE_H
#define FCP_STEPS_SNAPSHOT_BASE_H

#include "guest/ram.h"
#include "memory/clone.h"

struct fcp_snapshot_base {
	int fd; /* open for reading; -1: the VM was booted, or holds all its memory itself */
	char path[4096];
	struct fcp_clone_result clone; /* how the memory file was made of it; the caller's */
};

#define FCP_SNAPSHOT_BASE_NONE \
	{                      \
		.fd = -1       \
	}

/*
 * Opens the base of ram: the file that the process maps, by the mapping itself, whatever its name leads
 * to by now; for memory that a page-fault handler fills in, the file `given`. `given` (or NULL) must be
 * the same file where the process maps one. bytes: the memory file's size, which the base must have.
 * FCP_ERR_UNSUPPORTED: there is a base, and it cannot be had. FCP_ERR_INPUT: `given` is not it.
 */
int fcp_snapshot_base_open(const struct fcp_guest_ram *ram, const char *given, uint64_t bytes,
			   struct fcp_snapshot_base *base_, struct fcp_error *err);

/* Safe on FCP_SNAPSHOT_BASE_NONE. */
void fcp_snapshot_base_close(struct fcp_snapshot_base *base);

#endif
