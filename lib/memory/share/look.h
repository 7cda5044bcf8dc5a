// SPDX-License-Identifier: Apache-2.0
/*
 * What fcp_share_put() would find, without putting anything: the files are read as they are, not
 * frozen.
 */
#ifndef FCP_MEMORY_SHARE_LOOK_H
#define FCP_MEMORY_SHARE_LOOK_H

#include "base/units.h"
#include "memory/share/share.h"

#define FCP_SHARE_LOOK_BYTES FCP_MIB

/*
 * Adds a file to the set, which has room for it; its directory is not used, and reflinks are not
 * needed. An index that is kept beside it is read; one that is built is not kept. Where neither can
 * be had it is added with the reason. FCP_ERR_INTERRUPTED.
 */
int fcp_share_add_to_look(struct fcp_share_set *set, const struct fcp_share_file *file,
			  struct fcp_error *err);

/*
 * Appends to *found the parts of the run (whole pages, at most FCP_SHARE_LOOK_BYTES of them) that a
 * source has, of at least the set's min_run_bytes each. FCP_ERR_MEMORY only: nothing is found in a
 * source that cannot be read.
 */
int fcp_share_look(struct fcp_share_set *set, struct fcp_share_window *window, struct fcp_range run,
		   const unsigned char *pages, struct fcp_ranges *found, struct fcp_error *err);

#endif
