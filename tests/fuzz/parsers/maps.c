// SPDX-License-Identifier: Apache-2.0
/* /proc/PID/maps: whatever lines come, what is read is written as the kernel does and read
 * again. */
#include "base/maps.h"
#include "fuzz.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

static void check_same(const struct fcp_mapping *a, const struct fcp_mapping *b)
{
	expect(a->start == b->start && a->end == b->end && a->offset == b->offset, "another place");
	expect(a->inode == b->inode && a->dev == b->dev, "another file");
	expect(a->readable == b->readable && a->writable == b->writable && a->shared == b->shared &&
		       a->executable == b->executable,
	       "other rights");
	expect(strcmp(a->path, b->path) == 0, "another path");
}

/* fs/proc/task_mmu.c, show_vma_header_prefix(). */
static void check_written(const struct fcp_mapping *mapping)
{
	struct fcp_maps maps = {0};
	struct fcp_mapping again;
	char *text = NULL;
	int length = asprintf(&text,
			      "%08" PRIx64 "-%08" PRIx64 " %c%c%c%c %08" PRIx64
			      " %02x:%02x %" PRIu64 " %s\n",
			      mapping->start, mapping->end, mapping->readable ? 'r' : '-',
			      mapping->writable ? 'w' : '-', mapping->executable ? 'x' : '-',
			      mapping->shared ? 's' : 'p', mapping->offset, major(mapping->dev),
			      minor(mapping->dev), mapping->inode, mapping->path);

	if (length < 0)
		abort();
	maps.file = fmemopen(text, (size_t)length, "r");
	if (!maps.file)
		abort();
	expect(fcp_maps_next(&maps, &again), "a mapping that is not read when it is written again");
	check_same(mapping, &again);
	fcp_maps_close(&maps);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fcp_maps maps = {.file = size ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL};
	struct fcp_mapping mapping;

	while (maps.file && fcp_maps_next(&maps, &mapping)) {
		expect(mapping.start <= mapping.end, "a mapping that ends before its start");
		expect(!strchr(mapping.path, '\n'), "a path with the line's end");
		check_written(&mapping);
	}
	fcp_maps_close(&maps);
	return 0;
}
