// SPDX-License-Identifier: Apache-2.0
/*
 * The guest's running kernel: a VMCOREINFO note that is proven by what it leads to. The note's text
 * lies about in memory in other places too (copies, page cache, the memory of a nested guest), so a
 * candidate counts only when, through the page tables that it names, _stext is where the note says
 * that it is, and the release in init_uts_ns is the note's.
 */
#ifndef FCP_GUEST_KERNEL_H
#define FCP_GUEST_KERNEL_H

#include "guest/pagetable.h"
#include "guest/vmcoreinfo.h"

#define FCP_GUEST_IMAGE_START UINT64_C(0xffffffff80000000)
#define FCP_GUEST_IMAGE_BYTES (UINT64_C(1) << 30) /* __START_KERNEL_map, KERNEL_IMAGE_SIZE */

/* How far a candidate came. */
enum fcp_guest_proof {
	FCP_GUEST_PROOF_NOTE,	    /* no note, or its keys are not all there */
	FCP_GUEST_PROOF_ENCRYPTION, /* memory encryption: the page tables' addresses are not plain
				     */
	FCP_GUEST_PROOF_TABLES,	    /* _stext or the release is not where it should be */
	FCP_GUEST_PROOF_PASSED,
};

/* The tables point into the same structure: fcp_guest_kernel_copy() copies it. About 25 KiB. */
struct fcp_guest_kernel {
	struct fcp_guest_memory memory; /* the view with the layout that fits */
	struct fcp_guest_note note;
	struct fcp_guest_tables tables;
};

/*
 * Reads the note at gpa and proves it: *kernel_ is the kernel then. *proof_ says how far it came,
 * on failure too. FCP_ERR_UNSUPPORTED when it is none, FCP_ERR_IO from the source.
 */
int fcp_guest_kernel_open(const struct fcp_guest_memory *view, uint64_t gpa,
			  struct fcp_guest_kernel *kernel_, enum fcp_guest_proof *proof_,
			  struct fcp_error *err);

/* Makes *kernel_ the same kernel, its tables ready to use. */
void fcp_guest_kernel_copy(const struct fcp_guest_kernel *kernel, struct fcp_guest_kernel *kernel_);

/* The GPA of an address in the kernel's image, by the note's phys_base. */
static inline uint64_t fcp_guest_image_gpa(const struct fcp_guest_note *note, uint64_t address)
{
	return address - FCP_GUEST_IMAGE_START + note->phys_base;
}

#endif
