// SPDX-License-Identifier: Apache-2.0
/* Where a layer can be kept: the file system must have holes of one page of the guest. */
#include "memory/overlay.h"

#include "base/units.h"
#include "memory/sparse.h"
#include "tap.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES (8 * FCP_MIB)

static int file(unsigned flags)
{
	int fd = memfd_create("layer", flags);

	if (fd < 0)
		abort();
	return fd;
}

/* A memfd's blocks are the host's pages. */
static void test_host_pages(void)
{
	long page_bytes = sysconf(_SC_PAGESIZE);
	struct fcp_file_size size = {0};
	struct fcp_error err = {0};
	char blocks[80];
	int fd = file(0), tried = fcp_overlay_try(fd, "layer", BYTES, &err);

	if (page_bytes == (long)FCP_PAGE_BYTES) {
		ok(tried == 0, "pages of the host are the guest's: a layer can be kept");
		fcp_file_size(fd, "layer", &size, &err);
		is_u64(size.logical_bytes, BYTES, "... its size is that of the memory");
		is_u64(size.allocated_bytes, 0, "... all of it a hole");
	} else {
		snprintf(blocks, sizeof(blocks), "blocks, of %ld bytes, are larger", page_bytes);
		ok(tried < 0 && err.error_class == FCP_ERR_UNSUPPORTED,
		   "pages of the host are larger than the guest's: no layer in a memfd");
		has_str(err.message, blocks, "... and says so");
	}
	close(fd);
}

int main(void)
{
	test_host_pages();
	return done();
}
