// SPDX-License-Identifier: Apache-2.0
/* Which type of snapshot is right: a Diff where it is complete and sparse, else Full. */
#ifndef FCP_STEPS_SNAPSHOT_TYPE_H
#define FCP_STEPS_SNAPSHOT_TYPE_H

#include "firecracker/vm.h"

/*
 * Does a Diff of this VM hold all its memory? Without dirty tracking Firecracker (1.13 and later)
 * writes the pages that mincore(2) reports. That is all of them when the process is proven to be the
 * VM's (guest/ram.h), its guest memory is anonymous, nothing of it is swapped out, and no page is still
 * to come by userfaultfd. *reason_ says why, or why not. Any doubt is a no.
 */
bool fcp_snapshot_diff_is_complete(const struct fcp_firecracker *firecracker,
				   const struct fcp_instance *instance,
				   const struct fcp_machine_config *machine, char reason_[128]);

/*
 * Would this Firecracker write the pages of a Diff to wrong places? Those before 1.15.0 do when the VM
 * has more than one memory slot (its change log): above 3 GiB on x86_64, or with memory to plug in.
 */
bool fcp_snapshot_diff_is_corrupt(const struct fcp_instance *instance,
				  const struct fcp_machine_config *machine);

#endif
