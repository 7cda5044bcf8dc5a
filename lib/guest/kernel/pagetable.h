// SPDX-License-Identifier: Apache-2.0
/*
 * Page tables of the guest's kernel: virtual to physical. Three to five levels, leaves of 4 KiB, 2
 * MiB and 1 GiB; the bits of an entry are the architecture's (guest/arch/arch.h). A walk reads one
 * entry a level, so every walk ends.
 */
#ifndef FCP_GUEST_KERNEL_PAGETABLE_H
#define FCP_GUEST_KERNEL_PAGETABLE_H

#include "guest/arch/arch.h"

/* What a virtual address is mapped to: the leaf, or the unmapped extent covered by the entry. */
struct fcp_guest_leaf {
	uint64_t start; /* virtual, aligned to bytes */
	uint64_t bytes; /* 4 KiB, 2 MiB or 1 GiB; of what is not mapped up to 256 TiB */
	uint64_t gpa;	/* of the leaf's first byte; not checked to be RAM */
	bool mapped;
	bool executable;
	bool writable;
};

/* Called with each page-table page that is read; see fcp_guest_tables.on_table. */
typedef void fcp_guest_table_seen(void *context, uint64_t gpa);

/*
 * The page tables, with the last table of each level and the last leaf kept: neighbours cost no
 * read. memory is borrowed. Not to be shared between threads.
 */
struct fcp_guest_tables {
	const struct fcp_guest_memory *memory;
	const struct fcp_guest_entry_format *format;
	uint64_t root; /* GPA */
	unsigned levels;
	uint64_t tables_read;		/* so far */
	fcp_guest_table_seen *on_table; /* or NULL */
	void *context;
	struct fcp_guest_leaf leaf; /* bytes 0: none yet */
	struct {
		uint64_t gpa; /* FCP_GUEST_NO_TABLE: none yet */
		uint64_t entries[FCP_GUEST_TABLE_ENTRIES];
	} cache[FCP_GUEST_LEVELS_MAX];
};

#define FCP_GUEST_NO_TABLE UINT64_MAX

/* Tables whose root page lies at GPA root, of 3 to 5 levels. */
void fcp_guest_tables_init(struct fcp_guest_tables *tables, const struct fcp_guest_memory *memory,
			   const struct fcp_guest_arch *arch, uint64_t root, unsigned levels);

/* The same tables, with nothing read of them yet. */
void fcp_guest_tables_copy(const struct fcp_guest_tables *tables, struct fcp_guest_tables *tables_);

/*
 * *leaf_ = what is known of address; not mapped (or not canonical) is a result.
 * FCP_ERR_UNSUPPORTED: a table outside RAM. FCP_ERR_IO from the source.
 */
int fcp_guest_lookup(struct fcp_guest_tables *tables, uint64_t address,
		     struct fcp_guest_leaf *leaf_, struct fcp_error *err);

/*
 * *leaf_ = what address is mapped to. FCP_ERR_UNSUPPORTED: not mapped, a table outside RAM.
 * FCP_ERR_IO from the source.
 */
int fcp_guest_translate(struct fcp_guest_tables *tables, uint64_t address,
			struct fcp_guest_leaf *leaf_, struct fcp_error *err);

/* Reads bytes bytes at a virtual address, page by page. Errors as above, and outside RAM. */
int fcp_guest_read_virtual(struct fcp_guest_tables *tables, uint64_t address, void *buffer,
			   size_t bytes, struct fcp_error *err);

/* The same for one 64-bit word. */
int fcp_guest_read_word(struct fcp_guest_tables *tables, uint64_t address, uint64_t *word_,
			struct fcp_error *err);

#endif
