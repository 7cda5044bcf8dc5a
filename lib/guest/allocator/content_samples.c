// SPDX-License-Identifier: Apache-2.0
#include "guest/allocator/gates.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/units.h"
#include "guest/arch/arch.h"

#include <stdlib.h>
#include <string.h>

#define SAMPLES 64
/* Less than a page between two is a page: so many then. */
#define CHOSEN_MAX (2 * SAMPLES)
#define POISON 0xaa

static bool all_bytes(const unsigned char *page, unsigned char byte)
{
	return page[0] == byte && memcmp(page, page + 1, FCP_PAGE_BYTES - 1) == 0;
}

/* Pages to be looked at; read together once they are all chosen. */
struct chosen {
	unsigned count;
	uint64_t gpas[CHOSEN_MAX];
};

static void choose(const struct fcp_guest_memory *memory, uint64_t offset, struct chosen *chosen)
{
	if (chosen->count < CHOSEN_MAX &&
	    fcp_guest_memory_gpa(memory, offset, &chosen->gpas[chosen->count]))
		chosen->count++;
}

/* The page at offset, or the first with data behind it in the same range. */
static int choose_at(const struct fcp_guest_memory *memory, const struct fcp_range *range,
		     uint64_t offset, struct chosen *chosen, struct fcp_error *err)
{
	uint64_t start;

	if (fcp_guest_memory_data_start(memory, offset, &start, err) < 0)
		return -1;
	if (start < range->end)
		choose(memory, fcp_align_down(start, FCP_PAGE_BYTES), chosen);
	return 0;
}

/* Evenly over all that is free. */
static int choose_evenly(const struct fcp_guest_memory *memory, const struct fcp_ranges *ranges,
			 struct chosen *chosen, struct fcp_error *err)
{
	uint64_t stride = fcp_align_down(fcp_ranges_bytes(ranges) / SAMPLES, FCP_PAGE_BYTES);
	uint64_t next = 0, before = 0; /* in free bytes */

	stride = stride < FCP_PAGE_BYTES ? FCP_PAGE_BYTES : stride;
	for (size_t i = 0; i < ranges->count; i++) {
		const struct fcp_range *range = &ranges->items[i];
		uint64_t bytes = range->end - range->start;

		for (; next < before + bytes; next += stride)
			if (choose_at(memory, range, range->start + (next - before), chosen, err) <
			    0)
				return -1;
		before += bytes;
	}
	return 0;
}

/*
 * A layer holds little, in any place: the first page with data of each range that has some. A range
 * without any is passed over together with those up to the next data.
 */
static int choose_in_layer(const struct fcp_guest_memory *memory, const struct fcp_ranges *ranges,
			   struct chosen *chosen, struct fcp_error *err)
{
	uint64_t start = 0;

	for (size_t i = 0; i < ranges->count && chosen->count < SAMPLES; i++) {
		const struct fcp_range *range = &ranges->items[i];

		if (range->end <= start)
			continue;
		if (start < range->start &&
		    fcp_guest_memory_data_start(memory, range->start, &start, err) < 0)
			return -1;
		if (start < range->end)
			choose(memory, fcp_align_down(start, FCP_PAGE_BYTES), chosen);
	}
	return 0;
}

static int look_at_sample(const struct fcp_guest_memory *memory, const struct chosen *chosen,
			  struct fcp_guest_samples *samples, struct fcp_error *err)
{
	FCP_CLEANUP(free) unsigned char *pages = malloc((size_t)chosen->count * FCP_PAGE_BYTES + 1);

	if (!pages)
		return fcp_error_nomem(err);
	if (fcp_guest_memory_gather(memory, chosen->gpas, chosen->count, pages, FCP_PAGE_BYTES,
				    err) != 0)
		return -1;
	samples->taken = chosen->count;
	for (unsigned i = 0; i < chosen->count; i++) {
		samples->zeros += all_bytes(pages + i * FCP_PAGE_BYTES, 0);
		samples->poison += all_bytes(pages + i * FCP_PAGE_BYTES, POISON);
	}
	return 0;
}

static bool has_word(const char *line, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = line; (at = strstr(at, word)) != NULL; at += length)
		if ((at == line || at[-1] == ' ') && (at[length] == '\0' || at[length] == ' '))
			return true;
	return false;
}

static void read_command_line(const struct fcp_guest_memory *memory,
			      struct fcp_guest_samples *samples)
{
	char line[FCP_GUEST_COMMAND_LINE_MAX + 1];

	if (!memory->arch->command_line(memory, line))
		return;
	samples->poison_asked = has_word(line, "page_poison=1") || has_word(line, "page_poison=on");
	samples->zeroing_asked =
		has_word(line, "init_on_free=1") || has_word(line, "init_on_free=on");
}

int fcp_guest_sample(const struct fcp_guest_memory *memory, const struct fcp_ranges *ranges,
		     struct fcp_guest_samples *samples_, struct fcp_error *err)
{
	bool layer = memory->holes == FCP_HOLES_BASE;
	struct chosen chosen = {.count = 0};

	*samples_ = (struct fcp_guest_samples){0};
	read_command_line(memory, samples_);
	if ((layer ? choose_in_layer : choose_evenly)(memory, ranges, &chosen, err) != 0)
		return -1;
	return look_at_sample(memory, &chosen, samples_, err);
}

int fcp_guest_gate_poison(const struct fcp_guest_samples *samples, struct fcp_error *err)
{
	if (samples->poison_asked)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "page_poison is on the command line");
	/* With poisoning every free page has it, but for those that were holes once (zeros). A
	 * guest's program that fills memory with the same byte and frees it does not reach half of
	 * them. */
	if (samples->poison > 0 && samples->poison * 2 >= samples->taken - samples->zeros)
		return fcp_error_set(
			err, FCP_ERR_UNSUPPORTED, 0,
			"the guest fills free pages with 0xaa and checks it (%u of %u pages)",
			samples->poison, samples->taken);
	return 0;
}

int fcp_guest_gate_zeroed(const struct fcp_guest_memory *memory,
			  const struct fcp_guest_samples *samples, struct fcp_error *err)
{
	if (memory->holes != FCP_HOLES_BASE)
		return 0;
	if (samples->zeroing_asked)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "init_on_free is on the command line");
	if (samples->zeroed_marked)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "the guest's kernel marks free pages as zeros (PG_zeroed), "
				     "and may rely on it");
	if (samples->taken > 0 && samples->zeros == samples->taken)
		return fcp_error_set(
			err, FCP_ERR_UNSUPPORTED, 0,
			"all free pages are zeros: a guest that zeroes on free relies on it");
	return 0;
}
