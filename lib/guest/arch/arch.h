// SPDX-License-Identifier: Apache-2.0
/*
 * What the readers must know of a guest's architecture: one table each. Which one a note is of, its
 * keys say; which host reads it does not matter.
 *
 * To add one: a struct fcp_guest_arch in a file of this folder, a line in arch.c, and its keys in
 * guest/kernel/vmcoreinfo.c.
 */
#ifndef FCP_GUEST_ARCH_ARCH_H
#define FCP_GUEST_ARCH_ARCH_H

#include "base/units.h"
#include "guest/memory.h"

/* Firecracker's CMDLINE_MAX_SIZE; COMMAND_LINE_SIZE of both kernels too. */
#define FCP_GUEST_COMMAND_LINE_MAX 2048

struct fcp_guest_note;
struct fcp_guest_kernel;

/* Page tables have 512 entries of 8 bytes on each architecture that is read (4 KiB granules). */
#define FCP_GUEST_TABLE_ENTRIES 512
#define FCP_GUEST_LEVELS_MAX 5
#define FCP_GUEST_LARGE_BYTES (UINT64_C(2) << 20)

/* The bits of a page table's entries. Bit 0 set: there is something behind it. */
#define FCP_GUEST_ENTRY_PRESENT UINT64_C(1)

struct fcp_guest_entry_format {
	uint64_t address_mask; /* of a 4 KiB page or table */
	uint64_t page_bits;    /* that an entry of the last level has, besides PRESENT */
	/* An entry above the last level maps 2 MiB or 1 GiB when large_mask of it is large_bits. */
	uint64_t large_mask, large_bits;
	/* Set in an entry of any level, it forbids what is below it; of the leaf's own and of a
	 * table's. */
	uint64_t no_execute_leaf, no_execute_table;
	/* The same, once the bits of writable_mask (1: may be written) are inverted. */
	uint64_t writable_mask, read_only_leaf, read_only_table;
	bool lower_half; /* the same tables map the lower half of the addresses as well */
};

/* Guest-physical addresses that can be RAM. */
struct fcp_guest_span {
	uint64_t start, end;
};

#define FCP_GUEST_SPANS_MAX 3

/* One way in which Firecracker lays boot memory out: filled from the first span to the last. */
struct fcp_guest_layout {
	struct fcp_guest_span spans[FCP_GUEST_SPANS_MAX]; /* unused: end 0 */
};

/* What a VMM puts into the first region of boot memory, where Linux leaves it alone. */
struct fcp_guest_mark {
	int64_t at; /* from the region's start; negative: from its end */
	const char *text;
};

/*
 * What shows which kernel runs, found before a kernel is known: of x86_64 its trampoline (see
 * guest/arch/x86_64_running.c), of arm64 nothing (guest/arch/arm64_running.c).
 */
struct fcp_guest_running {
	uint64_t trampoline;   /* GPA of its page table */
	unsigned levels;       /* of it */
	uint64_t kernel_entry; /* GPA of the table that maps the kernel's image */
};

struct fcp_guest_arch {
	const char *name;
	uint16_t elf_machine; /* of a Firecracker that runs such guests */
	const struct fcp_guest_layout *layouts;
	unsigned layout_count;
	const struct fcp_guest_mark *marks;
	unsigned mark_count;
	struct fcp_guest_entry_format entry;

	/*
	 * Checks the keys that only this architecture has, and fills in what they say: image,
	 * image_voffset, levels. FCP_ERR_UNSUPPORTED names the key, or says what is not supported.
	 */
	int (*take_note)(struct fcp_guest_note *note, struct fcp_error *err);

	/* Is the kernel, whose tables can be used, where the note says beyond what all have to
	 * show? NULL: nothing more to prove. FCP_ERR_UNSUPPORTED, FCP_ERR_IO. */
	int (*prove_maps)(struct fcp_guest_kernel *kernel, struct fcp_error *err);

	/* *running_ = what shows which kernel runs. FCP_ERR_UNSUPPORTED: it cannot be told.
	 * FCP_ERR_IO. */
	int (*find_running)(const struct fcp_guest_memory *view, struct fcp_guest_running *running_,
			    struct fcp_error *err);

	/* Is that kernel the running one? FCP_ERR_UNSUPPORTED when it is not, FCP_ERR_IO. */
	int (*prove_running)(const struct fcp_guest_running *running,
			     struct fcp_guest_kernel *kernel, struct fcp_error *err);

	/* *note_gpa_ = a note, not proven yet, that the running kernel's own pointers lead to;
	 * 0: they lead to none. NULL: there is no such way. -1 from the source, and for tables
	 * that lead out of RAM. */
	int (*locate_note)(const struct fcp_guest_memory *view,
			   const struct fcp_guest_running *running, uint64_t *note_gpa_,
			   struct fcp_error *err);

	/* The boot parameters that the VMM gave the kernel, in GPAs; empty: they are not there (any
	 * more). */
	struct fcp_range (*boot_data)(const struct fcp_guest_memory *memory);

	/* *line_ = the command line that they hold, with a final NUL. false: there is none. A hint
	 * only: the guest may have overwritten it. */
	bool (*command_line)(const struct fcp_guest_memory *memory,
			     char line_[FCP_GUEST_COMMAND_LINE_MAX + 1]);

	/* The end of boot memory, as they say; 0: they do not. NULL: they never do. */
	uint64_t (*boot_memory_end)(const struct fcp_guest_memory *memory);
};

extern const struct fcp_guest_arch fcp_guest_x86_64, fcp_guest_arm64;

/* All of them; NULL behind the last. */
extern const struct fcp_guest_arch *const fcp_guest_archs[];

#endif
