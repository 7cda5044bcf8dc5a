// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_STEPS_SNAPSHOT_RECORD_H
#define FCP_STEPS_SNAPSHOT_RECORD_H

#include "firecracker/vm.h"

/*
 * Records with the memory file fd, before it is published, what its holes mean (result->type and
 * ->layer), a new id, and the base's id if it is known: for a VM restored from a file whose dirty
 * pages are not tracked. *result gets the attributes, with the ids only if they were recorded. A
 * file system without extended attributes is not a failure.
 */
void fcp_snapshot_record(int fd, const struct fcp_firecracker *firecracker,
			 const struct fcp_machine_config *machine,
			 struct fcp_snapshot_result *result);

#endif
