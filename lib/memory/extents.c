// SPDX-License-Identifier: Apache-2.0
#include "memory/extents.h"

#include "base/cleanup.h"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#define EXTENTS 1024

static int map_failed(const char *name, struct fcp_error *err)
{
	bool unknown = errno == EOPNOTSUPP || errno == ENOTTY || errno == EBADR;

	return fcp_error_set(err, unknown ? FCP_ERR_UNSUPPORTED : FCP_ERR_IO, errno,
			     "%.200s: which of its storage is shared is unknown", name);
}

int fcp_extents_shared(int fd, const char *name, struct fcp_ranges *shared_, struct fcp_error *err)
{
	FCP_CLEANUP(free)
	struct fiemap *map = calloc(1, sizeof(*map) + EXTENTS * sizeof(map->fm_extents[0]));
	bool last = false;

	if (!map)
		return fcp_error_nomem(err);
	while (!last) {
		uint64_t start = map->fm_start;

		*map = (struct fiemap){.fm_start = start,
				       .fm_length = FIEMAP_MAX_OFFSET - start,
				       .fm_flags = FIEMAP_FLAG_SYNC,
				       .fm_extent_count = EXTENTS};
		if (ioctl(fd, FS_IOC_FIEMAP, map) != 0)
			return map_failed(name, err);
		last = map->fm_mapped_extents == 0;
		for (uint32_t i = 0; i < map->fm_mapped_extents; i++) {
			const struct fiemap_extent *extent = &map->fm_extents[i];

			map->fm_start = extent->fe_logical + extent->fe_length;
			last |= (extent->fe_flags & FIEMAP_EXTENT_LAST) != 0;
			if ((extent->fe_flags & FIEMAP_EXTENT_SHARED) &&
			    fcp_ranges_add(shared_, extent->fe_logical, map->fm_start, err) != 0)
				return -1;
		}
	}
	return 0;
}
