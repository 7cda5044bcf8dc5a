// SPDX-License-Identifier: Apache-2.0
#include "guest_patch.h"

#include "guest_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGES_MAX 1024
#define CHANGES_MAX 64
#define KINDS 5

/* A memory and the offsets of its pages with data. */
struct victim {
	struct fixture fixture;
	uint64_t pages[PAGES_MAX];
	unsigned page_count;
};

/* What was there before a change. */
struct undo {
	uint64_t offset;
	size_t length;
	uint8_t bytes[256];
};

static struct victim victims[KINDS];

static void list_pages(struct victim *victim)
{
	struct fcp_range data = {0, 0};
	struct fcp_guest_memory memory;
	struct fcp_error err;

	if (fcp_guest_memory_open_file(victim->fixture.fd, FCP_GUEST_HOLES_ZERO, -1, &memory,
				       &err) < 0)
		abort();
	while (fcp_guest_memory_data(&memory, data.end, &data, &err) == 0 && data.start < data.end)
		for (uint64_t at = data.start; at < data.end && victim->page_count < PAGES_MAX;
		     at += 4096)
			victim->pages[victim->page_count++] = at;
}

static struct victim *victim_of(uint8_t kind)
{
	static const struct fixture_settings settings[KINDS] = {
		{0},
		{.no_pointer = true},
		{.five_levels = true},
		{.no_pointer = true, .note_edit = "OFFSET(uts_namespace.name)"},
		{.bytes = UINT64_C(7) << 29},
	};
	/* The one of 3.5 GiB takes a hundred times as long to scan: one in 32. */
	unsigned index = kind % 32 == 31 ? KINDS - 1 : kind % (KINDS - 1);
	struct victim *victim = &victims[index];

	if (victim->page_count == 0) {
		fixture_build(&victim->fixture, &settings[index]);
		list_pages(victim);
	}
	return victim;
}

static uint64_t likely_word(const struct victim *victim, uint8_t which, uint64_t page)
{
	const uint64_t words[] = {
		0,
		UINT64_MAX,
		UINT64_C(0xffffea0000000008),
		page | 0x63,
		page | 0xe3,
		fixture_direct(&victim->fixture, page),
		UINT64_C(0xffffff7f) << 32,
		UINT64_C(0xffffff7f),
		UINT64_C(1) << 47,
		UINT64_C(0x8000000000000000),
		11,
		UINT64_C(0xffffffff81000000),
		fixture_page_address(&victim->fixture, 0x400) + FIXTURE_LRU,
		UINT64_C(0x000ffffffffff063),
		UINT64_C(0x7fffffff),
		1,
	};

	return words[which % (sizeof(words) / sizeof(words[0]))];
}

static void put(const struct victim *victim, uint64_t offset, const void *bytes, size_t length,
		struct undo *undo)
{
	undo->offset = offset;
	undo->length = length;
	if (pread(victim->fixture.fd, undo->bytes, length, (off_t)offset) != (ssize_t)length ||
	    pwrite(victim->fixture.fd, bytes, length, (off_t)offset) != (ssize_t)length)
		abort();
}

static unsigned apply(const struct victim *victim, const uint8_t *data, size_t size,
		      struct undo undos[CHANGES_MAX])
{
	unsigned count = 0;

	while (size >= 5 && count < CHANGES_MAX) {
		uint64_t page = victim->pages[(data[0] | data[1] << 8) % victim->page_count];
		uint64_t offset = (uint64_t)(data[2] | data[3] << 8) % 4096;
		uint8_t how = data[4];
		uint64_t word = likely_word(victim, how, page);
		size_t length = how < 0xf0 ? how : sizeof(word);

		data += 5;
		size -= 5;
		if (how < 0xf0 && length > size)
			length = size;
		if (how >= 0xf0)
			offset &= ~UINT64_C(7);
		if (length > 4096 - offset)
			length = 4096 - offset;
		put(victim, page + offset, how < 0xf0 ? data : (const uint8_t *)&word, length,
		    &undos[count++]);
		if (how < 0xf0) {
			data += length;
			size -= length;
		}
	}
	return count;
}

static const char *check(const struct victim *victim, const struct fcp_guest_free *found,
			 int status)
{
	uint64_t pages = 0, end = 0;

	if (status < 0)
		return found->ranges.count == 0 ? NULL : "a refusal with ranges";
	for (size_t i = 0; i < found->ranges.count; i++) {
		const struct fcp_range *range = &found->ranges.items[i];

		if (range->start >= range->end || range->end > victim->fixture.settings.bytes)
			return "a range beyond the memory";
		if (range->start % 4096 != 0 || range->end % 4096 != 0)
			return "a range of no whole pages";
		if (i > 0 && range->start <= end)
			return "ranges not sorted or not merged";
		end = range->end;
	}
	for (unsigned i = 0; i < FCP_GUEST_ORDERS_MAX; i++)
		pages += found->blocks_per_order[i] << i;
	if (pages * 4096 != found->free_bytes ||
	    fcp_ranges_bytes(&found->ranges) + found->left_out_bytes != found->free_bytes)
		return "figures that disagree";
	for (unsigned i = 0; i < FCP_GUEST_GATES; i++)
		if (found->gates[i].state != FCP_GUEST_GATE_PASSED)
			return "success without all gates passed";
	return NULL;
}

bool guest_patch_run(const uint8_t *data, size_t size, const char **why_)
{
	static struct undo undos[CHANGES_MAX];
	struct fcp_guest_free found;
	struct fcp_error err;
	struct victim *victim;
	unsigned count;
	int status;

	*why_ = NULL;
	if (size == 0)
		return true;
	victim = victim_of(data[0] & 0x7f);
	count = apply(victim, data + 1, size - 1, undos);
	status = fixture_find(&victim->fixture,
			      data[0] & 0x80 ? FCP_GUEST_HOLES_BASE : FCP_GUEST_HOLES_ZERO, &found,
			      &err);
	*why_ = check(victim, &found, status);
	fcp_guest_free_clear(&found);
	while (count-- > 0)
		if (pwrite(victim->fixture.fd, undos[count].bytes, undos[count].length,
			   (off_t)undos[count].offset) != (ssize_t)undos[count].length)
			abort();
	return *why_ == NULL;
}
