// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot/record.h"

#include "memory/attributes.h"
#include "steps/vm_memory.h"

#include <string.h>

/*
 * With dirty tracking a Diff is based on the previous snapshot, which need not be the restored
 * file.
 */
static void find_lineage_base(const struct fcp_firecracker *firecracker,
			      const struct fcp_machine_config *machine,
			      struct fcp_file_attributes *attributes)
{
	struct fcp_file_attributes base;
	char path[FCP_PROCESS_PATH_BYTES];

	if (machine->track_dirty_pages || !fcp_vm_memory_restored_from(firecracker, path))
		return;
	fcp_attributes_read_path(path, &base);
	memcpy(attributes->base, base.id, sizeof(attributes->base));
}

void fcp_snapshot_record(int fd, const struct fcp_firecracker *firecracker,
			 const struct fcp_machine_config *machine,
			 struct fcp_snapshot_result *result)
{
	struct fcp_file_attributes attributes = {.holes = result->layer ? FCP_HOLES_BASE
									: FCP_HOLES_ZERO};
	struct fcp_error without_id;

	if (result->layer && result->writer == FCP_WRITER_FCPAUSE)
		memcpy(attributes.base, result->memory->base_id, sizeof(attributes.base));
	else if (result->layer)
		find_lineage_base(firecracker, machine, &attributes);
	fcp_attributes_new_id(&attributes, &without_id);
	if (!fcp_attributes_write(fd, &attributes))
		attributes.id[0] = attributes.base[0] = '\0';
	result->attributes = attributes;
}
