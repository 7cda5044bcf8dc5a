// SPDX-License-Identifier: Apache-2.0
/* Between guest/arch/x86_64*.c only. */
#ifndef FCP_GUEST_ARCH_X86_64_H
#define FCP_GUEST_ARCH_X86_64_H

#include "guest/kernel/kernel.h"

/* The kernel's image: __START_KERNEL_map, KERNEL_IMAGE_SIZE. */
#define FCP_X86_64_IMAGE_START UINT64_C(0xffffffff80000000)
#define FCP_X86_64_IMAGE_BYTES (UINT64_C(1) << 30)

#define FCP_X86_64_LARGE (UINT64_C(1) << 7)
#define FCP_X86_64_ADDRESS UINT64_C(0x000ffffffffff000)

/* x86_64_running.c */
int fcp_x86_64_find_running(const struct fcp_guest_memory *view, struct fcp_guest_running *running_,
			    struct fcp_error *err);
int fcp_x86_64_prove_running(const struct fcp_guest_running *running,
			     struct fcp_guest_kernel *kernel, struct fcp_error *err);

/* x86_64_note.c */
int fcp_x86_64_locate_note(const struct fcp_guest_memory *view,
			   const struct fcp_guest_running *running, uint64_t *note_gpa_,
			   struct fcp_error *err);

/* x86_64_boot.c */
struct fcp_range fcp_x86_64_boot_data(const struct fcp_guest_memory *memory);
bool fcp_x86_64_command_line(const struct fcp_guest_memory *memory,
			     char line_[FCP_GUEST_COMMAND_LINE_MAX + 1]);
uint64_t fcp_x86_64_boot_memory_end(const struct fcp_guest_memory *memory);

#endif
