// SPDX-License-Identifier: Apache-2.0
/* What a restored VM's memory began as, and still is in unchanged pages. */
#ifndef FCP_STEPS_SNAPSHOT_BASE_H
#define FCP_STEPS_SNAPSHOT_BASE_H

#include "guest/ram.h"
#include "memory/clone.h"

struct fcp_snapshot_base {
	int fd; /* open for reading; -1: the VM was booted, or has all its memory itself */
	char path[4096];
	struct fcp_clone_result clone; /* how the memory file was made from it; set by the caller */
};

#define FCP_SNAPSHOT_BASE_NONE \
	{                      \
		.fd = -1       \
	}

/*
 * Opens the base of ram: the file that the process maps, through the mapping, since its name may
 * lead elsewhere by now; if a page-fault handler fills in memory, the file `given`. If the process
 * maps a file, `given` must be the same file, or NULL. bytes: the size of the memory file, and so
 * of the base. FCP_ERR_UNSUPPORTED: the base cannot be opened. FCP_ERR_INPUT: `given` is not the
 * base.
 */
int fcp_snapshot_base_open(const struct fcp_guest_ram *ram, const char *given, uint64_t bytes,
			   struct fcp_snapshot_base *base_, struct fcp_error *err);

/* Safe on FCP_SNAPSHOT_BASE_NONE. */
void fcp_snapshot_base_close(struct fcp_snapshot_base *base);

#endif
