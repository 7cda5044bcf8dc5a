// SPDX-License-Identifier: Apache-2.0
/* QEMU's arm64 machine (virt) has its RAM elsewhere than Firecracker. */
#ifndef TESTS_VM_LAYOUT_H
#define TESTS_VM_LAYOUT_H

#include "guest/arch/arch.h"

#define QEMU_ARM64_RAM UINT64_C(0x40000000)

/* The arm64 layouts of memory begin at gpa from now on; 0: they stay as they are. */
static inline void layout_move_arm64(struct fcp_guest_memory *memory, uint64_t gpa)
{
	for (unsigned i = 0; gpa != 0 && i < memory->layout_count; i++)
		if (memory->layout_archs[i] == &fcp_guest_arm64)
			memory->layouts[i][0].gpa = gpa;
}

#endif
