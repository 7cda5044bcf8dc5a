// SPDX-License-Identifier: Apache-2.0
/*
 * A kernel in the guest's memory: a VMCOREINFO note that is proven by what it leads to. Copies of
 * the note's text occur elsewhere in memory (page cache, the memory of a nested guest), so a
 * candidate counts only when, through the page tables that it names, _stext is at the address the
 * note gives, and the release in init_uts_ns is the note's. Whether that kernel runs is another
 * question: see guest/kernel/search.h.
 */
#ifndef FCP_GUEST_KERNEL_KERNEL_H
#define FCP_GUEST_KERNEL_KERNEL_H

#include "guest/kernel/pagetable.h"
#include "guest/kernel/vmcoreinfo.h"

/* How far a candidate came. */
enum fcp_guest_proof {
	FCP_GUEST_PROOF_NOTE,	    /* no note, or its keys are not all there */
	FCP_GUEST_PROOF_ENCRYPTION, /* memory encryption: the page tables' addresses are masked */
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
 * on failure too. FCP_ERR_UNSUPPORTED: the note is refused, or is not of the architecture that the
 * view's layout is of (kernel_->note.arch says which it is of; NULL: not known). FCP_ERR_IO from
 * the source.
 */
int fcp_guest_kernel_open(const struct fcp_guest_memory *view, uint64_t gpa,
			  struct fcp_guest_kernel *kernel_, enum fcp_guest_proof *proof_,
			  struct fcp_error *err);

/* Makes *kernel_ the same kernel, its tables ready to use. */
void fcp_guest_kernel_copy(const struct fcp_guest_kernel *kernel, struct fcp_guest_kernel *kernel_);

/*
 * *text_ = the virtual range from _stext on that is mapped and executable, up to the next symbol of
 * the note: all of it is in use as long as the kernel runs (what is freed of the image after boot
 * is not executable: mark_rodata_ro(), free_initmem()).
 */
int fcp_guest_kernel_text(struct fcp_guest_kernel *kernel, struct fcp_range *text_,
			  struct fcp_error *err);

#endif
