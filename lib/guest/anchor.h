// SPDX-License-Identifier: Apache-2.0
/*
 * From the running kernel's trampoline to its note, by its own pointers: the trampoline maps the
 * kernel's image, in the image's data lie its page table and vmcoreinfo_note. That costs about 1
 * MiB of reads whatever the memory's size.
 */
#ifndef FCP_GUEST_ANCHOR_H
#define FCP_GUEST_ANCHOR_H

#include "guest/live.h"

/*
 * *note_gpa_ = a note that the live kernel's image points to, unproven; 0 when there is none. -1
 * from the source only, and for tables that lead out of RAM.
 */
int fcp_guest_anchor_find(const struct fcp_guest_memory *view, const struct fcp_guest_live *live,
			  uint64_t *note_gpa_, struct fcp_error *err);

#endif
