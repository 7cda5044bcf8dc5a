// SPDX-License-Identifier: Apache-2.0
/* The kernel's text, and the command line it was booted with. */
#ifndef FCP_GUEST_TEXT_H
#define FCP_GUEST_TEXT_H

#include "guest/kernel.h"

#define FCP_GUEST_COMMAND_LINE_MAX 2048 /* Firecracker's CMDLINE_MAX_SIZE; COMMAND_LINE_SIZE too */

/*
 * *text_ = the virtual range from _stext on that is mapped and executable, up to the next symbol of
 * the note: all of it is in use as long as the kernel runs (what is freed of the image after boot
 * is not executable: mark_rodata_ro(), free_initmem() in arch/x86/mm).
 */
int fcp_guest_text_find(struct fcp_guest_kernel *kernel, struct fcp_range *text_,
			struct fcp_error *err);

/* Does a boot_params structure lie at gpa ("HdrS" at 0x202, Documentation/arch/x86/boot.rst)? */
bool fcp_guest_boot_params_at(const struct fcp_guest_memory *memory, uint64_t gpa);

/*
 * Is word one of the command line's that the boot_params at gpa point to? false when there is none
 * or it has been overwritten since: a hint only.
 */
bool fcp_guest_command_line_has(const struct fcp_guest_memory *memory, uint64_t gpa,
				const char *word);

#endif
