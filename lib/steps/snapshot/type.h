// SPDX-License-Identifier: Apache-2.0
/* Chooses the type of snapshot: a Diff if it is complete and sparse, else Full. */
#ifndef FCP_STEPS_SNAPSHOT_TYPE_H
#define FCP_STEPS_SNAPSHOT_TYPE_H

#include "firecracker/vm.h"

/*
 * Does a Diff of this VM contain all its memory? Without dirty tracking Firecracker (1.13 and
 * later) writes the pages that mincore(2) reports. Those are all if the process is proven to be the
 * VM's (guest/ram.h), its guest memory is anonymous, none of it is swapped out, and no page is
 * still to come by userfaultfd. *reason_ says why, or why not. Any doubt means no.
 */
bool fcp_snapshot_diff_is_complete(const struct fcp_firecracker *firecracker,
				   const struct fcp_instance *instance,
				   const struct fcp_machine_config *machine, char reason_[128]);

/*
 * Would this Firecracker write a Diff's pages to wrong offsets? Versions before 1.15.0 do for VMs
 * with more than one memory slot (see its change log): above 3 GiB on x86_64, or with hotpluggable
 * memory.
 */
bool fcp_snapshot_diff_is_corrupt(const struct fcp_instance *instance,
				  const struct fcp_machine_config *machine);

#endif
