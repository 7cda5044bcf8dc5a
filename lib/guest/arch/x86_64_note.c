// SPDX-License-Identifier: Apache-2.0
/*
 * From the running x86_64 kernel's trampoline to its note, by its own pointers: the trampoline maps
 * the kernel's image; the image's data holds its page table and vmcoreinfo_note. That costs about
 * 1 MiB of reads, in a memory of any size.
 */
#include "guest/arch/x86_64.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/units.h"

#include <stdlib.h>
#include <string.h>

#define LAST_ENTRY (FCP_GUEST_TABLE_ENTRIES - 1)
/* Data and bss are some 8 MiB; debugging kernels have more. */
#define IMAGE_DATA_MAX (UINT64_C(64) << 20)
#define RUN_BYTES (UINT64_C(128) << 10)
/* How far behind the start of .data the page table lies: 40 to 168 KiB, kernels 5.10 to 7.3. */
#define ROOT_NEAR_BYTES (UINT64_C(256) << 10)
#define KERNEL_HALF UINT64_C(0xff10000000000000)
/* The data holds some hundred such pointers; bytes that are made up can hold millions. */
#define PROBES_MAX 8192

/* What is known of the image while its data is read. */
struct locator {
	const struct fcp_guest_memory *view;
	const struct fcp_guest_running *running;
	struct fcp_guest_tables tables; /* of the trampoline: its last entry is the kernel's */
	struct fcp_guest_tables own;	/* the kernel's own, once its root is found */
	struct fcp_ranges data;		/* GPAs of the image's data */
	uint64_t bss;			/* GPA near the start of .bss; 0 not known */
	uint64_t root;			/* the kernel's page table in its image; 0 not found yet */
	uint64_t note_gpa;		/* 0 not found yet */
	unsigned notes_probed;
	uint64_t run[RUN_BYTES / sizeof(uint64_t)];
};

/* Looks at bytes bytes of the image's data from gpa on, in locator->run: 1 when that is enough. */
typedef int look_at_data(struct locator *locator, uint64_t gpa, uint64_t bytes,
			 struct fcp_error *err);

/* The kernel's own root is the page of its data that ends in the trampoline's entry. */
static int look_for_root(struct locator *locator, uint64_t gpa, uint64_t bytes,
			 struct fcp_error *err)
{
	(void)err;
	for (uint64_t i = LAST_ENTRY; i < bytes / sizeof(uint64_t); i += FCP_GUEST_TABLE_ENTRIES) {
		uint64_t entry = locator->run[i];

		if ((entry & FCP_GUEST_ENTRY_PRESENT) &&
		    (entry & FCP_X86_64_ADDRESS) == locator->running->kernel_entry) {
			locator->root = gpa + (i - LAST_ENTRY) * sizeof(uint64_t);
			return 1;
		}
	}
	return 0;
}

static int probe_pointer(struct locator *locator, uint64_t pointer, struct fcp_error *err)
{
	char head[FCP_GUEST_NOTE_HEAD_BYTES];
	struct fcp_guest_leaf leaf;
	uint64_t gpa;

	/* Its page tables may lie in memory that was plugged in, which this layout does not
	 * have. */
	if (fcp_guest_lookup(&locator->own, pointer, &leaf, err) < 0)
		return err->error_class == FCP_ERR_UNSUPPORTED ? 0 : -1;
	gpa = leaf.gpa + (pointer - leaf.start);
	if (!leaf.mapped || !fcp_guest_memory_region(locator->view, gpa, sizeof(head)))
		return 0;
	locator->notes_probed++;
	if (fcp_guest_memory_read(locator->view, gpa, head, sizeof(head), err) < 0)
		return -1;
	if (fcp_guest_note_begins(head))
		locator->note_gpa = gpa;
	return locator->note_gpa != 0;
}

/* Pointers to an even page in the kernel's half, below its image: the note is one of them. */
static int look_for_note(struct locator *locator, uint64_t gpa, uint64_t bytes,
			 struct fcp_error *err)
{
	(void)gpa;
	for (uint64_t i = 0; i < bytes / sizeof(uint64_t); i++) {
		uint64_t word = locator->run[i];
		int found;

		/* Most words are small or zero: one comparison tells. */
		if (word - KERNEL_HALF >= FCP_X86_64_IMAGE_START - KERNEL_HALF ||
		    word % (2 * FCP_PAGE_BYTES) != 0)
			continue;
		found = probe_pointer(locator, word, err);
		if (found != 0)
			return found;
		if (locator->own.tables_read > PROBES_MAX || locator->notes_probed > PROBES_MAX)
			return 1;
	}
	return 0;
}

/* A page table that lies in memory which was plugged in, and which this layout does not have, hides
 * what it maps: the kernel splits large pages of its image at any time. */
static int look_up_image(struct locator *locator, uint64_t address, struct fcp_guest_leaf *leaf_,
			 struct fcp_error *err)
{
	if (fcp_guest_lookup(&locator->tables, address, leaf_, err) == 0)
		return 0;
	*leaf_ = (struct fcp_guest_leaf){.start = fcp_align_down(address, FCP_GUEST_LARGE_BYTES),
					 .bytes = FCP_GUEST_LARGE_BYTES};
	return err->error_class == FCP_ERR_UNSUPPORTED ? 0 : -1;
}

/*
 * The image's pages that the kernel can write, as runs of physical memory. One page alone among
 * them that it cannot write is its interrupt table (idt_setup_apic_and_irq_gates()), which lies
 * where .bss begins: the note's pointer lies 0.5 MiB behind it, kernels 5.10 to 7.3.
 */
static int find_data(struct locator *locator, struct fcp_error *err)
{
	uint64_t bytes = 0, step, end = 0;

	for (uint64_t at = 0; at < FCP_X86_64_IMAGE_BYTES && bytes < IMAGE_DATA_MAX; at += step) {
		uint64_t address = FCP_X86_64_IMAGE_START + at;
		struct fcp_guest_leaf leaf;

		if (look_up_image(locator, address, &leaf, err) < 0)
			return -1;
		step = leaf.bytes - (address - leaf.start);
		if (!leaf.mapped || !leaf.writable || leaf.executable ||
		    leaf.bytes > FCP_GUEST_LARGE_BYTES ||
		    !fcp_guest_memory_region(locator->view, leaf.gpa, leaf.bytes))
			continue;
		if (fcp_ranges_add(&locator->data, leaf.gpa, leaf.gpa + leaf.bytes, err) < 0)
			return -1;
		if (locator->bss == 0 && end != 0 && leaf.gpa == end + FCP_PAGE_BYTES)
			locator->bss = leaf.gpa;
		end = leaf.gpa + leaf.bytes;
		bytes += leaf.bytes;
	}
	return 0;
}

/* Shows a run of the data to look, in pieces. */
static int look_at_run(struct locator *locator, uint64_t start, uint64_t end, look_at_data *look,
		       struct fcp_error *err)
{
	for (uint64_t gpa = start; gpa < end;) {
		uint64_t bytes = end - gpa < RUN_BYTES ? end - gpa : RUN_BYTES;
		int found;

		if (fcp_guest_memory_read(locator->view, gpa, locator->run, (size_t)bytes, err) < 0)
			return -1;
		found = look(locator, gpa, bytes, err);
		if (found != 0)
			return found;
		gpa += bytes;
	}
	return 0;
}

static int read_data(struct locator *locator, look_at_data *look, struct fcp_error *err)
{
	for (size_t i = 0; i < locator->data.count; i++) {
		int found = look_at_run(locator, locator->data.items[i].start,
					locator->data.items[i].end, look, err);

		if (found != 0)
			return found;
	}
	return 0;
}

/* .data begins at a large page (arch/x86/kernel/vmlinux.lds.S: rodata ends at one), with the pages
 * that are aligned; before it lie pages of the image that were freed after boot. */
static int find_root(struct locator *locator, struct fcp_error *err)
{
	for (size_t i = 0; i < locator->data.count; i++) {
		const struct fcp_range *range = &locator->data.items[i];

		for (uint64_t gpa = fcp_align_up(range->start, FCP_GUEST_LARGE_BYTES);
		     gpa < range->end; gpa += FCP_GUEST_LARGE_BYTES) {
			uint64_t left = range->end - gpa;
			int found =
				look_at_run(locator, gpa,
					    gpa + (left < ROOT_NEAR_BYTES ? left : ROOT_NEAR_BYTES),
					    look_for_root, err);

			if (found != 0)
				return found;
		}
	}
	return read_data(locator, look_for_root, err);
}

/* From where .bss seems to begin, then from the start. */
static int find_pointer(struct locator *locator, struct fcp_error *err)
{
	for (size_t i = 0; i < locator->data.count && locator->bss != 0; i++) {
		const struct fcp_range *range = &locator->data.items[i];
		int found;

		if (locator->bss < range->start || locator->bss >= range->end)
			continue;
		found = look_at_run(locator, locator->bss, range->end, look_for_note, err);
		if (found != 0)
			return found;
	}
	return read_data(locator, look_for_note, err);
}

static int find_note(struct locator *locator, struct fcp_error *err)
{
	fcp_guest_tables_init(&locator->tables, locator->view, &fcp_guest_x86_64,
			      locator->running->trampoline, locator->running->levels);
	if (find_data(locator, err) < 0 || find_root(locator, err) < 0)
		return -1;
	if (locator->root == 0)
		return 0;
	fcp_guest_tables_init(&locator->own, locator->view, &fcp_guest_x86_64, locator->root,
			      locator->running->levels);
	return find_pointer(locator, err) < 0 ? -1 : 0;
}

int fcp_x86_64_locate_note(const struct fcp_guest_memory *view,
			   const struct fcp_guest_running *running, uint64_t *note_gpa_,
			   struct fcp_error *err)
{
	FCP_CLEANUP(free) struct locator *locator = malloc(sizeof(*locator));
	int status;

	if (!locator)
		return fcp_error_nomem(err);
	/* Without the run, which is read before it is looked at: it need not be zeroed. */
	memset(locator, 0, offsetof(struct locator, run));
	locator->view = view;
	locator->running = running;
	status = find_note(locator, err);
	fcp_ranges_clear(&locator->data);
	*note_gpa_ = locator->note_gpa;
	return status;
}
