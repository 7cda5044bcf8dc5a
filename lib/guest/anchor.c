// SPDX-License-Identifier: Apache-2.0
#include "guest/anchor.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/units.h"

#include <stdlib.h>
#include <string.h>

#define LAST_ENTRY (FCP_GUEST_TABLE_ENTRIES - 1)
#define ENTRY_PRESENT UINT64_C(1)
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)
#define LARGE_BYTES (UINT64_C(2) << 20)
/* Data and bss are some 8 MiB; debugging kernels have more. */
#define IMAGE_DATA_MAX (UINT64_C(64) << 20)
#define RUN_BYTES (UINT64_C(128) << 10)
/* How far behind the start of .data the page table lies: 40 to 168 KiB, kernels 5.10 to 7.3. */
#define ROOT_NEAR_BYTES (UINT64_C(256) << 10)
#define KERNEL_HALF UINT64_C(0xff10000000000000)
/* The data holds some hundred such pointers; bytes that are made up can hold millions. */
#define PROBES_MAX 8192

/* What is known of the image while its data is read. */
struct anchor {
	const struct fcp_guest_memory *view;
	const struct fcp_guest_live *live;
	struct fcp_guest_tables tables; /* of the trampoline: its last entry is the kernel's */
	struct fcp_guest_tables own;	/* the kernel's own, once its root is found */
	struct fcp_ranges data;		/* GPAs of the image's data */
	uint64_t bss;			/* GPA near the start of .bss; 0 not known */
	uint64_t root;			/* the kernel's page table in its image; 0 not found yet */
	uint64_t note_gpa;		/* 0 not found yet */
	unsigned notes_probed;
	uint64_t run[RUN_BYTES / sizeof(uint64_t)];
};

/* Looks at bytes bytes of the image's data from gpa on, in anchor->run: 1 when that is enough. */
typedef int look_at_data(struct anchor *anchor, uint64_t gpa, uint64_t bytes,
			 struct fcp_error *err);

/* The kernel's own root is the page of its data that ends in the trampoline's entry. */
static int look_for_root(struct anchor *anchor, uint64_t gpa, uint64_t bytes, struct fcp_error *err)
{
	(void)err;
	for (uint64_t i = LAST_ENTRY; i < bytes / sizeof(uint64_t); i += FCP_GUEST_TABLE_ENTRIES) {
		uint64_t entry = anchor->run[i];

		if ((entry & ENTRY_PRESENT) &&
		    (entry & ENTRY_ADDRESS) == anchor->live->kernel_entry) {
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

	/* Its page tables may lie in memory that was plugged in, which this layout does not have. */
	if (fcp_guest_lookup(&anchor->own, pointer, &leaf, err) < 0)
		return err->error_class == FCP_ERR_UNSUPPORTED ? 0 : -1;
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

		/* Most words are small or zero: one comparison tells. */
		if (word - KERNEL_HALF >= FCP_GUEST_IMAGE_START - KERNEL_HALF ||
		    word % (2 * FCP_PAGE_BYTES) != 0)
			continue;
		found = probe_pointer(anchor, word, err);
		if (found != 0)
			return found;
		if (anchor->own.tables_read > PROBES_MAX || anchor->notes_probed > PROBES_MAX)
			return 1;
	}
	return 0;
}

/* A page table that lies in memory which was plugged in, and which this layout does not have, hides
 * what it maps: the kernel splits large pages of its image at any time. */
static int look_up_image(struct anchor *anchor, uint64_t address, struct fcp_guest_leaf *leaf_,
			 struct fcp_error *err)
{
	if (fcp_guest_lookup(&anchor->tables, address, leaf_, err) == 0)
		return 0;
	*leaf_ = (struct fcp_guest_leaf){.start = fcp_align_down(address, LARGE_BYTES),
					 .bytes = LARGE_BYTES};
	return err->error_class == FCP_ERR_UNSUPPORTED ? 0 : -1;
}

/*
 * The image's pages that the kernel can write, as runs of physical memory. One page alone among
 * them that it cannot write is its interrupt table (idt_setup_apic_and_irq_gates()), which lies
 * where .bss begins: the note's pointer lies 0.5 MiB behind it, kernels 5.10 to 7.3.
 */
static int find_data(struct anchor *anchor, struct fcp_error *err)
{
	uint64_t bytes = 0, step, end = 0;

	for (uint64_t at = 0; at < FCP_GUEST_IMAGE_BYTES && bytes < IMAGE_DATA_MAX; at += step) {
		uint64_t address = FCP_GUEST_IMAGE_START + at;
		struct fcp_guest_leaf leaf;

		if (look_up_image(anchor, address, &leaf, err) < 0)
			return -1;
		step = leaf.bytes - (address - leaf.start);
		if (!leaf.mapped || !leaf.writable || leaf.executable || leaf.bytes > LARGE_BYTES ||
		    !fcp_guest_memory_region(anchor->view, leaf.gpa, leaf.bytes))
			continue;
		if (fcp_ranges_add(&anchor->data, leaf.gpa, leaf.gpa + leaf.bytes, err) < 0)
			return -1;
		if (anchor->bss == 0 && end != 0 && leaf.gpa == end + FCP_PAGE_BYTES)
			anchor->bss = leaf.gpa;
		end = leaf.gpa + leaf.bytes;
		bytes += leaf.bytes;
	}
	return 0;
}

/* Shows a run of the data to look, in pieces. */
static int look_at_run(struct anchor *anchor, uint64_t start, uint64_t end, look_at_data *look,
		       struct fcp_error *err)
{
	for (uint64_t gpa = start; gpa < end;) {
		uint64_t bytes = end - gpa < RUN_BYTES ? end - gpa : RUN_BYTES;
		int found;

		if (fcp_guest_memory_read(anchor->view, gpa, anchor->run, (size_t)bytes, err) < 0)
			return -1;
		found = look(anchor, gpa, bytes, err);
		if (found != 0)
			return found;
		gpa += bytes;
	}
	return 0;
}

static int read_data(struct anchor *anchor, look_at_data *look, struct fcp_error *err)
{
	for (size_t i = 0; i < anchor->data.count; i++) {
		int found = look_at_run(anchor, anchor->data.items[i].start,
					anchor->data.items[i].end, look, err);

		if (found != 0)
			return found;
	}
	return 0;
}

/* .data begins at a large page (arch/x86/kernel/vmlinux.lds.S: rodata ends at one), with the pages
 * that are aligned; before it lie pages of the image that were freed after boot. */
static int find_root(struct anchor *anchor, struct fcp_error *err)
{
	for (size_t i = 0; i < anchor->data.count; i++) {
		const struct fcp_range *range = &anchor->data.items[i];

		for (uint64_t gpa = fcp_align_up(range->start, LARGE_BYTES); gpa < range->end;
		     gpa += LARGE_BYTES) {
			uint64_t left = range->end - gpa;
			int found = look_at_run(anchor, gpa,
						gpa + (left < ROOT_NEAR_BYTES ? left : ROOT_NEAR_BYTES),
						look_for_root, err);

			if (found != 0)
				return found;
		}
	}
	return read_data(anchor, look_for_root, err);
}

/* From where .bss seems to begin, then from the start. */
static int find_pointer(struct anchor *anchor, struct fcp_error *err)
{
	for (size_t i = 0; i < anchor->data.count && anchor->bss != 0; i++) {
		const struct fcp_range *range = &anchor->data.items[i];
		int found;

		if (anchor->bss < range->start || anchor->bss >= range->end)
			continue;
		found = look_at_run(anchor, anchor->bss, range->end, look_for_note, err);
		if (found != 0)
			return found;
	}
	return read_data(anchor, look_for_note, err);
}

static int find_note(struct anchor *anchor, struct fcp_error *err)
{
	fcp_guest_tables_init(&anchor->tables, anchor->view, anchor->live->trampoline,
			      anchor->live->levels);
	if (find_data(anchor, err) < 0 || find_root(anchor, err) < 0)
		return -1;
	if (anchor->root == 0)
		return 0;
	fcp_guest_tables_init(&anchor->own, anchor->view, anchor->root, anchor->live->levels);
	return find_pointer(anchor, err) < 0 ? -1 : 0;
}

int fcp_guest_anchor_find(const struct fcp_guest_memory *view, const struct fcp_guest_live *live,
			  uint64_t *note_gpa_, struct fcp_error *err)
{
	FCP_CLEANUP(free) struct anchor *anchor = malloc(sizeof(*anchor));
	int status;

	if (!anchor)
		return fcp_error_nomem(err);
	/* Without the run, which is read before it is looked at: it need not be zeroed. */
	memset(anchor, 0, offsetof(struct anchor, run));
	anchor->view = view;
	anchor->live = live;
	status = find_note(anchor, err);
	fcp_ranges_clear(&anchor->data);
	*note_gpa_ = anchor->note_gpa;
	return status;
}
