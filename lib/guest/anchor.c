// SPDX-License-Identifier: Apache-2.0
#include "guest/search.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/units.h"

#include <stdlib.h>
#include <string.h>

/* reserve_real_mode() takes memory below 1 MiB; RAM ends at 640 KiB there. */
#define LOW_BYTES (UINT64_C(640) << 10)
#define LAST_ENTRY (FCP_GUEST_TABLE_ENTRIES - 1)
#define ENTRY_PRESENT UINT64_C(1)
#define ENTRY_LARGE UINT64_C(0x80)
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)
#define LARGE_BYTES (UINT64_C(2) << 20)
/* Data and bss are some 8 MiB; debugging kernels have more. */
#define IMAGE_DATA_MAX (UINT64_C(64) << 20)
#define RUN_BYTES (UINT64_C(128) << 10)
#define KERNEL_HALF UINT64_C(0xff10000000000000)
/* The data holds some hundred such pointers; bytes that are made up can hold millions. */
#define PROBES_MAX 8192
#define TRAMPOLINES_MAX 16

/* What is known of the image while its data is read. */
struct anchor {
	const struct fcp_guest_memory *view;
	struct fcp_guest_tables tables; /* of the trampoline: its last entry is the kernel's */
	struct fcp_guest_tables own;	/* the kernel's own, once its root is found */
	struct fcp_ranges data;		/* GPAs of the image's data */
	uint64_t kernel_entry;		/* the last entry's address */
	uint64_t root;			/* the kernel's page table in its image; 0 not found yet */
	uint64_t note_gpa;		/* 0 not found yet */
	unsigned tables_read, notes_probed;
	uint64_t run[RUN_BYTES / sizeof(uint64_t)];
};

/* Looks at bytes bytes of the image's data from gpa on, in anchor->run: 1 when that is enough. */
typedef int look_at_data(struct anchor *anchor, uint64_t gpa, uint64_t bytes,
			 struct fcp_error *err);

/*
 * The trampolines: pages below 640 KiB whose last word can be the entry of a table in RAM.
 * A stray word like that maps no image and falls away; see image_mapped().
 */
static int find_trampolines(const struct fcp_guest_memory *view, uint64_t gpas[TRAMPOLINES_MAX],
			    size_t *count_, struct fcp_error *err)
{
	size_t count = 0;

	for (uint64_t gpa = 0; gpa < LOW_BYTES && count < TRAMPOLINES_MAX; gpa += FCP_PAGE_BYTES) {
		uint64_t entry;

		if (!fcp_guest_memory_region(view, gpa, FCP_PAGE_BYTES))
			break;
		if (fcp_guest_memory_read(view, gpa + LAST_ENTRY * sizeof(entry), &entry,
					  sizeof(entry), err) < 0)
			return -1;
		if ((entry & ENTRY_PRESENT) && !(entry & ENTRY_LARGE) &&
		    (entry & ENTRY_ADDRESS) != 0 &&
		    fcp_guest_memory_region(view, entry & ENTRY_ADDRESS, FCP_PAGE_BYTES))
			gpas[count++] = gpa;
	}
	*count_ = count;
	return 0;
}

/* Does any of the kernel image's 1 GiB translate to RAM through this trampoline? */
static bool image_mapped(struct anchor *anchor, uint64_t root, unsigned levels)
{
	struct fcp_guest_leaf leaf;
	struct fcp_error ignored;

	fcp_guest_tables_init(&anchor->tables, anchor->view, root, levels);
	for (uint64_t at = 0; at < FCP_GUEST_IMAGE_BYTES; at += LARGE_BYTES)
		if (fcp_guest_lookup(&anchor->tables, FCP_GUEST_IMAGE_START + at, &leaf,
				     &ignored) == 0 &&
		    leaf.mapped && leaf.executable &&
		    fcp_guest_memory_region(anchor->view, leaf.gpa, leaf.bytes))
			return true;
	return false;
}

/* Leaves anchor->tables at the only kernel's trampoline; false when there is none, or two. */
static int find_image(struct anchor *anchor, bool *found_, struct fcp_error *err)
{
	uint64_t gpas[TRAMPOLINES_MAX];
	size_t count;
	uint64_t root = 0;
	unsigned levels = 0;

	*found_ = false;
	if (find_trampolines(anchor->view, gpas, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		uint64_t entry;

		if (fcp_guest_memory_read(anchor->view, gpas[i] + LAST_ENTRY * sizeof(entry),
					  &entry, sizeof(entry), err) < 0)
			return -1;
		for (unsigned tried = 4; tried <= FCP_GUEST_LEVELS_MAX; tried++) {
			if (!image_mapped(anchor, gpas[i], tried))
				continue;
			if (root != 0 && (entry & ENTRY_ADDRESS) != anchor->kernel_entry)
				return 0;
			root = gpas[i];
			levels = tried;
			anchor->kernel_entry = entry & ENTRY_ADDRESS;
			break;
		}
	}
	*found_ = root != 0;
	if (*found_)
		fcp_guest_tables_init(&anchor->tables, anchor->view, root, levels);
	return 0;
}

/* The kernel's own root is the page of its data that ends in the trampoline's entry. */
static int look_for_root(struct anchor *anchor, uint64_t gpa, uint64_t bytes, struct fcp_error *err)
{
	(void)err;
	for (uint64_t i = LAST_ENTRY; i < bytes / sizeof(uint64_t); i += FCP_GUEST_TABLE_ENTRIES) {
		uint64_t entry = anchor->run[i];

		if ((entry & ENTRY_PRESENT) && (entry & ENTRY_ADDRESS) == anchor->kernel_entry) {
			anchor->root = gpa + (i - LAST_ENTRY) * sizeof(uint64_t);
			return 1;
		}
	}
	return 0;
}

static int probe_pointer(struct anchor *anchor, uint64_t pointer, struct fcp_error *err)
{
	char head[FCP_GUEST_NOTE_HEAD_BYTES];
	struct fcp_guest_leaf leaf;
	uint64_t gpa;

	if (fcp_guest_lookup(&anchor->own, pointer, &leaf, err) < 0)
		return -1;
	gpa = leaf.gpa + (pointer - leaf.start);
	if (!leaf.mapped || !fcp_guest_memory_region(anchor->view, gpa, sizeof(head)))
		return 0;
	anchor->notes_probed++;
	if (fcp_guest_memory_read(anchor->view, gpa, head, sizeof(head), err) < 0)
		return -1;
	if (fcp_guest_note_begins(head))
		anchor->note_gpa = gpa;
	return anchor->note_gpa != 0;
}

/* Pointers to an even page in the kernel's half, below its image: the note is one of them. */
static int look_for_note(struct anchor *anchor, uint64_t gpa, uint64_t bytes, struct fcp_error *err)
{
	(void)gpa;
	for (uint64_t i = 0; i < bytes / sizeof(uint64_t); i++) {
		uint64_t word = anchor->run[i];
		int found;

		if (word % (2 * FCP_PAGE_BYTES) != 0 || word < KERNEL_HALF ||
		    word >= FCP_GUEST_IMAGE_START)
			continue;
		found = probe_pointer(anchor, word, err);
		if (found != 0)
			return found;
		if (anchor->tables_read > PROBES_MAX || anchor->notes_probed > PROBES_MAX)
			return 1;
	}
	return 0;
}

/* The image's pages that the kernel can write, as runs of physical memory. */
static int find_data(struct anchor *anchor, struct fcp_error *err)
{
	uint64_t bytes = 0, step;

	for (uint64_t at = 0; at < FCP_GUEST_IMAGE_BYTES && bytes < IMAGE_DATA_MAX; at += step) {
		uint64_t address = FCP_GUEST_IMAGE_START + at;
		struct fcp_guest_leaf leaf;

		if (fcp_guest_lookup(&anchor->tables, address, &leaf, err) < 0)
			return -1;
		step = leaf.bytes - (address - leaf.start);
		if (!leaf.mapped || !leaf.writable || leaf.executable || leaf.bytes > LARGE_BYTES ||
		    !fcp_guest_memory_region(anchor->view, leaf.gpa, leaf.bytes))
			continue;
		if (fcp_ranges_add(&anchor->data, leaf.gpa, leaf.gpa + leaf.bytes, err) < 0)
			return -1;
		bytes += leaf.bytes;
	}
	return 0;
}

/* Shows a run to look, from its start or from its end. */
static int look_at_run(struct anchor *anchor, const struct fcp_range *run, bool backwards,
		       look_at_data *look, struct fcp_error *err)
{
	uint64_t total = run->end - run->start;

	for (uint64_t done = 0; done < total;) {
		uint64_t bytes = total - done < RUN_BYTES ? total - done : RUN_BYTES;
		uint64_t gpa = backwards ? run->end - done - bytes : run->start + done;
		int found;

		if (fcp_guest_memory_read(anchor->view, gpa, anchor->run, (size_t)bytes, err) < 0)
			return -1;
		found = look(anchor, gpa, bytes, err);
		if (found != 0)
			return found;
		done += bytes;
	}
	return 0;
}

/* All of the data: from its start, where the page tables lie, or from its end, where bss lies. */
static int read_data(struct anchor *anchor, bool backwards, look_at_data *look,
		     struct fcp_error *err)
{
	for (size_t i = 0; i < anchor->data.count; i++) {
		size_t index = backwards ? anchor->data.count - 1 - i : i;
		int found = look_at_run(anchor, &anchor->data.items[index], backwards, look, err);

		if (found != 0)
			return found;
	}
	return 0;
}

static void count_table(void *context, uint64_t gpa)
{
	struct anchor *anchor = context;

	(void)gpa;
	anchor->tables_read++;
}

static int find_note(struct anchor *anchor, struct fcp_error *err)
{
	bool found;

	if (find_image(anchor, &found, err) < 0)
		return -1;
	if (!found)
		return 0;
	if (find_data(anchor, err) < 0 || read_data(anchor, false, look_for_root, err) < 0)
		return -1;
	if (anchor->root == 0)
		return 0;
	fcp_guest_tables_init(&anchor->own, anchor->view, anchor->root, anchor->tables.levels);
	anchor->own.on_table = count_table;
	anchor->own.context = anchor;
	return read_data(anchor, true, look_for_note, err) < 0 ? -1 : 0;
}

int fcp_guest_anchor_find(const struct fcp_guest_memory *view, uint64_t *note_gpa_,
			  struct fcp_error *err)
{
	FCP_CLEANUP(free) struct anchor *anchor = calloc(1, sizeof(*anchor));
	int status;

	if (!anchor)
		return fcp_error_nomem(err);
	anchor->view = view;
	status = find_note(anchor, err);
	fcp_ranges_clear(&anchor->data);
	*note_gpa_ = anchor->note_gpa;
	return status;
}
