// SPDX-License-Identifier: Apache-2.0
#include "store.h"

#include <stdlib.h>
#include <string.h>

static void *must(void *pointer)
{
	if (!pointer)
		abort();
	return pointer;
}

struct store *store_new(uint64_t bytes)
{
	struct store *store = must(calloc(1, sizeof(*store)));

	store->chunks = must(calloc(STORE_CHUNKS, sizeof(*store->chunks)));
	store->bytes = store->bytes_was = bytes;
	return store;
}

void store_free(struct store *store)
{
	for (uint64_t i = 0; i < STORE_CHUNKS; i++) {
		for (unsigned page = 0; store->chunks[i] && page < STORE_CHUNK_PAGES; page++)
			free(store->chunks[i][page]);
		free(store->chunks[i]);
	}
	free(store->chunks);
	free(store);
}

static uint8_t **slot_of(const struct store *store, uint64_t page)
{
	uint8_t **chunk = store->chunks[page / STORE_CHUNK_PAGES];

	return chunk ? &chunk[page % STORE_CHUNK_PAGES] : NULL;
}

const uint8_t *store_page(const struct store *store, uint64_t page)
{
	uint8_t **slot = page < store->bytes / STORE_PAGE ? slot_of(store, page) : NULL;

	return slot ? *slot : NULL;
}

uint64_t store_next(const struct store *store, uint64_t page, bool there)
{
	uint64_t pages = store->bytes / STORE_PAGE;

	while (page < pages) {
		uint8_t **slot = slot_of(store, page);

		if (!slot && there) {
			page = (page / STORE_CHUNK_PAGES + 1) * STORE_CHUNK_PAGES;
			continue;
		}
		if ((slot && *slot) == there)
			return page;
		page++;
	}
	return pages;
}

static bool inside(const struct store *store, uint64_t offset, size_t bytes)
{
	return offset <= store->bytes && bytes <= store->bytes - offset;
}

bool store_read(const struct store *store, uint64_t offset, void *to, size_t bytes)
{
	if (!inside(store, offset, bytes))
		return false;
	while (bytes > 0) {
		const uint8_t *page = store_page(store, offset / STORE_PAGE);
		size_t at = offset % STORE_PAGE;
		size_t length = bytes < STORE_PAGE - at ? bytes : STORE_PAGE - at;

		if (page)
			memcpy(to, page + at, length);
		else
			memset(to, 0, length);
		to = (char *)to + length;
		offset += length;
		bytes -= length;
	}
	return true;
}

/* The slot of a page that is going to change; NULL when too many have. */
static uint8_t **change(struct store *store, uint64_t page)
{
	uint8_t ***chunk = &store->chunks[page / STORE_CHUNK_PAGES];
	uint8_t **slot;

	if (!*chunk)
		*chunk = must(calloc(STORE_CHUNK_PAGES, sizeof(**chunk)));
	slot = &(*chunk)[page % STORE_CHUNK_PAGES];
	if (!store->sealed)
		return slot;
	for (unsigned i = store->undo_count; i > 0; i--)
		if (store->undos[i - 1].page == page)
			return slot;
	if (store->undo_count == STORE_UNDOS)
		return NULL;
	store->undos[store->undo_count++] = (struct store_undo){page, *slot};
	if (*slot)
		*slot = memcpy(must(malloc(STORE_PAGE)), *slot, STORE_PAGE);
	return slot;
}

bool store_write(struct store *store, uint64_t offset, const void *from, size_t bytes)
{
	if (!inside(store, offset, bytes))
		return false;
	while (bytes > 0) {
		uint8_t **slot = change(store, offset / STORE_PAGE);
		size_t at = offset % STORE_PAGE;
		size_t length = bytes < STORE_PAGE - at ? bytes : STORE_PAGE - at;

		if (!slot)
			return false;
		if (!*slot)
			*slot = must(calloc(1, STORE_PAGE));
		memcpy(*slot + at, from, length);
		from = (const char *)from + length;
		offset += length;
		bytes -= length;
	}
	return true;
}

bool store_punch(struct store *store, uint64_t page)
{
	uint8_t **slot = page < store->bytes / STORE_PAGE && store_page(store, page)
				 ? change(store, page)
				 : NULL;

	if (!slot)
		return false;
	free(*slot);
	*slot = NULL;
	return true;
}

void store_seal(struct store *store)
{
	store->bytes_was = store->bytes;
	store->sealed = true;
}

void store_restore(struct store *store)
{
	store->bytes = store->bytes_was;
	while (store->undo_count > 0) {
		const struct store_undo *undo = &store->undos[--store->undo_count];
		uint8_t **slot = slot_of(store, undo->page);

		if (!slot)
			abort();
		free(*slot);
		*slot = undo->was;
	}
}
