// SPDX-License-Identifier: Apache-2.0
/*
 * x86_64 page tables of the guest's kernel: virtual to physical. Four or five levels, leaves of
 * 4 KiB, 2 MiB and 1 GiB (Intel SDM volume 3, 4.5; arch/x86/include/asm/pgtable_types.h).
 * A walk reads one entry a level, so it ends whatever the entries say.
 */
#ifndef FCP_GUEST_PAGETABLE_H
#define FCP_GUEST_PAGETABLE_H

#include "guest/memory.h"

#define FCP_GUEST_TABLE_ENTRIES 512
#define FCP_GUEST_LEVELS_MAX 5

/* What a virtual address is mapped to: the whole leaf, or the whole of what one entry leaves
 * unmapped. */
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
	uint64_t root; /* GPA */
	unsigned levels;
	uint64_t tables_read; /* so far */
	fcp_guest_table_seen *on_table; /* or NULL */
	void *context;
	struct fcp_guest_leaf leaf; /* bytes 0: none yet */
	struct {
		uint64_t gpa; /* FCP_GUEST_NO_TABLE: none yet */
		uint64_t entries[FCP_GUEST_TABLE_ENTRIES];
	} cache[FCP_GUEST_LEVELS_MAX];
};

#define FCP_GUEST_NO_TABLE UINT64_MAX

/* Tables whose root page lies at GPA root, of 4 or 5 levels. */
void fcp_guest_tables_init(struct fcp_guest_tables *tables, const struct fcp_guest_memory *memory,
			   uint64_t root, unsigned levels);

/*
 * *leaf_ = what is known of address; not mapped (or not canonical) is a result.
 * FCP_ERR_UNSUPPORTED: a table that is no RAM. FCP_ERR_IO from the source.
 */
int fcp_guest_lookup(struct fcp_guest_tables *tables, uint64_t address,
		     struct fcp_guest_leaf *leaf_, struct fcp_error *err);

/*
 * *leaf_ = what address is mapped to. FCP_ERR_UNSUPPORTED: not mapped, a table that is no RAM.
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
