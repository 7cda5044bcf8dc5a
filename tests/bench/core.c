// SPDX-License-Identifier: Apache-2.0
/* core MEMORY_FILE CORE: wraps a memory file as an ELF core, for makedumpfile. */
#include "base/cleanup.h"
#include "guest/kernel/search.h"
#include "tests/vm/core.h"

#include <fcntl.h>

int main(int argc, char **argv)
{
	FCP_CLEANUP(fd) int fd = argc == 3 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	struct fcp_guest_memory memory;
	struct fcp_guest_search search;
	struct fcp_guest_kernel kernel;
	struct fcp_error err = {0};

	if (fd < 0 || fcp_guest_memory_open_file(fd, FCP_HOLES_ZERO, -1, &memory, &err) != 0 ||
	    fcp_guest_kernel_find(&memory, -1, &kernel, &search, &err) != 0) {
		fprintf(stderr, "core: %s\n", err.message);
		return 1;
	}
	return core_write(&kernel, argv[2]) ? 0 : 1;
}
