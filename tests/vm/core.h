// SPDX-License-Identifier: Apache-2.0
/* A memory file as an ELF core for makedumpfile, and what makedumpfile makes of it. */
#ifndef TESTS_VM_CORE_H
#define TESTS_VM_CORE_H

#include "guest/kernel/kernel.h"

/* Writes the memory file of kernel as an ELF core at path: the note, and a PT_LOAD a region. */
bool core_write(struct fcp_guest_kernel *kernel, const char *path);

/*
 * Runs `makedumpfile -d 16` on the core and compares, page for page, what it leaves out with ranges
 * (offsets in the memory file). *only_theirs_ and *only_ours_ are counts of pages. *ms_ is its
 * time.
 */
bool core_compare(const struct fcp_guest_memory *memory, const char *core, const char *dump,
		  const struct fcp_ranges *ranges, uint64_t *only_theirs_, uint64_t *only_ours_,
		  double *ms_);

#endif
