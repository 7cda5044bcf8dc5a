// SPDX-License-Identifier: Apache-2.0
/*
 * A memory file that lies in memory: sparse, its pages copied on the first write, so that an
 * input's changes are taken back for the price of what they touched.
 */
#ifndef FCP_TESTS_FUZZ_STORE_H
#define FCP_TESTS_FUZZ_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_PAGE 4096u
/* Up to 1 TiB, the most that a memory file can have. */
#define STORE_CHUNK_PAGES 512u
#define STORE_CHUNKS (UINT64_C(1) << 19)
/* Pages that one input can change. */
#define STORE_UNDOS 4096u

struct store_undo {
	uint64_t page;
	uint8_t *was; /* NULL: a hole */
};

struct store {
	uint64_t bytes; /* may be changed; store_restore() puts it back */
	uint64_t bytes_was;
	uint8_t **
		*chunks; /* [STORE_CHUNKS], each NULL or [STORE_CHUNK_PAGES], each NULL or a page */
	struct store_undo undos[STORE_UNDOS];
	unsigned undo_count;
	bool sealed; /* from here on, what was there is kept for store_restore() */
};

struct store *store_new(uint64_t bytes);
void store_free(struct store *store);

/* The page with that number; NULL: a hole. */
const uint8_t *store_page(const struct store *store, uint64_t page);

/* The first page at or after that number that is there, or is not; all pages when there is none. */
uint64_t store_next(const struct store *store, uint64_t page, bool there);

/* Holes read as zeros. false: not all of it is in the file. */
bool store_read(const struct store *store, uint64_t offset, void *to, size_t bytes);
/* false: not all of it is in the file, or too many pages were changed. */
bool store_write(struct store *store, uint64_t offset, const void *from, size_t bytes);
bool store_punch(struct store *store, uint64_t page);

/* What is there now is what store_restore() comes back to. */
void store_seal(struct store *store);
void store_restore(struct store *store);

#endif
