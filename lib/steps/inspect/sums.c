// SPDX-License-Identifier: Apache-2.0
#include "steps/inspect/sums.h"

#include "base/enums.h"
#include "base/list.h"
#include "base/units.h"

#include <stdlib.h>
#include <string.h>

/* All classes, in their enum's order. */
static struct fcp_inspect_class **new_classes(void)
{
	struct fcp_inspect_class **classes = fcp_list_new(FCP_PAGE_CLASSES, sizeof(**classes));

	for (unsigned i = 0; classes && i < FCP_PAGE_CLASSES; i++)
		classes[i]->page_class = (enum fcp_page_class)i;
	return classes;
}

int fcp_inspect_begin(struct fcp_inspect_result *result, uint32_t cells_max, struct fcp_error *err)
{
	uint64_t bytes = FCP_PAGE_BYTES;

	result->classes = new_classes();
	if (!result->classes)
		return fcp_error_nomem(err);
	result->class_count = FCP_PAGE_CLASSES;
	if (cells_max == 0)
		return 0;
	while ((result->logical_bytes - 1) / bytes >= cells_max)
		bytes *= 2;
	result->cell_bytes = bytes;
	result->cell_count = (size_t)((result->logical_bytes - 1) / bytes + 1);
	result->cells = fcp_list_new(result->cell_count, sizeof(**result->cells));
	return result->cells ? 0 : fcp_error_nomem(err);
}

void fcp_inspect_free(struct fcp_inspect_result *result)
{
	for (size_t i = 0; result->cells && i < result->cell_count; i++)
		free(result->cells[i]->classes);
	free(result->cells);
	free(result->classes);
}

/* Most cells have few classes: a list of all of them for each would take megabytes. */
static struct fcp_inspect_class *class_of_cell(struct fcp_inspect_cell *cell,
					       enum fcp_page_class page_class)
{
	struct fcp_inspect_class **more;

	for (size_t i = 0; i < cell->class_count; i++)
		if (cell->classes[i]->page_class == page_class)
			return cell->classes[i];
	more = fcp_list_new(cell->class_count + 1, sizeof(**more));
	if (!more)
		return NULL;
	for (size_t i = 0; i < cell->class_count; i++)
		*more[i] = *cell->classes[i];
	free(cell->classes);
	cell->classes = more;
	more[cell->class_count]->page_class = page_class;
	return more[cell->class_count++];
}

static void add_to(struct fcp_class_bytes *bytes, uint64_t change,
		   const struct fcp_inspect_amount *amount)
{
	bytes->bytes += amount->in_memory ? change : 0;
	bytes->allocated_bytes += amount->on_disk ? change : 0;
}

/* found: where else the bytes stand, FCP_FIND_BASE or FCP_FOUND_SHARED; 0: nowhere. */
static void add_to_class(struct fcp_inspect_class *class, unsigned found, uint64_t bytes,
			 const struct fcp_inspect_amount *amount)
{
	uint64_t change = amount->take_away ? -bytes : bytes;

	add_to(&class->all, change, amount);
	if (found == FCP_FIND_BASE)
		add_to(&class->in_base, change, amount);
	else if (found == FCP_FOUND_SHARED)
		add_to(&class->in_shares, change, amount);
}

/* A range that is the same in one place as a whole, or in none. */
static int add_stretch(struct fcp_inspect_result *result, struct fcp_range range, unsigned found,
		       const struct fcp_inspect_amount *amount)
{
	struct fcp_inspect_class *class = result->classes[amount->page_class];

	add_to_class(class, found, range.end - range.start, amount);
	while (result->cells && range.start < range.end) {
		uint64_t cell = range.start / result->cell_bytes,
			 stop = (cell + 1) * result->cell_bytes;

		stop = stop < range.end ? stop : range.end;
		class = class_of_cell(result->cells[cell], amount->page_class);
		if (!class)
			return -1;
		add_to_class(class, found, stop - range.start, amount);
		range.start = stop;
	}
	return 0;
}

int fcp_inspect_add(struct fcp_inspect_result *result, const struct fcp_found_ranges *same,
		    struct fcp_range range, const struct fcp_inspect_amount *amount,
		    struct fcp_error *err)
{
	int bad = 0;

	for (size_t i = fcp_found_first(same, range.start); range.start < range.end; i++) {
		const struct fcp_found_range *next = i < same->count ? &same->items[i] : NULL;
		struct fcp_range part = range;

		if (next && next->start < range.end) {
			part.end = next->start;
			if (part.start < part.end)
				bad |= add_stretch(result, part, 0, amount);
			part.start = part.start > next->start ? part.start : next->start;
			part.end = next->end < range.end ? next->end : range.end;
		}
		bad |= add_stretch(result, part,
				   next && part.start >= next->start ? next->found : 0, amount);
		range.start = part.end;
	}
	return bad ? fcp_error_nomem(err) : 0;
}

static void sum_class(struct fcp_class_bytes *sum, const struct fcp_class_bytes *bytes)
{
	sum->bytes += bytes->bytes;
	sum->allocated_bytes += bytes->allocated_bytes;
}

void fcp_inspect_sum_up(struct fcp_inspect_result *result)
{
	for (size_t i = 0; i < result->class_count; i++) {
		const struct fcp_inspect_class *class = result->classes[i];

		if (class->page_class == FCP_PAGE_FREE)
			continue;
		sum_class(&result->in_base, &class->in_base);
		sum_class(&result->in_shares, &class->in_shares);
		if (result->compared)
			result->layer_bytes += class->all.bytes - class->in_base.bytes;
		/* Zero pages become holes when a file is written, and free pages too. */
		if (result->share_count > 0 && class->page_class != FCP_PAGE_ZERO)
			result->share_bytes += class->all.allocated_bytes -
					       class->in_base.allocated_bytes -
					       class->in_shares.allocated_bytes;
	}
}

static void forget_classes(struct fcp_inspect_class **classes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		*classes[i] = (struct fcp_inspect_class){.page_class = classes[i]->page_class};
}

void fcp_inspect_forget(struct fcp_inspect_result *result)
{
	forget_classes(result->classes, result->class_count);
	for (size_t i = 0; i < result->cell_count; i++)
		forget_classes(result->cells[i]->classes, result->cells[i]->class_count);
	result->data_bytes = 0;
}

enum fcp_page_class fcp_inspect_largest(const struct fcp_inspect_result *result)
{
	enum fcp_page_class largest = FCP_PAGE_UNKNOWN;

	for (size_t i = 0; i < result->class_count; i++)
		if (result->classes[i]->all.allocated_bytes >
		    result->classes[largest]->all.allocated_bytes)
			largest = result->classes[i]->page_class;
	return largest;
}
