// SPDX-License-Identifier: Apache-2.0
/*
 * Which x86_64 kernel runs. A dead kernel's data (kexec, a crash) can still be fully consistent:
 * its note, tables, memmap and lists all agree. It cannot keep the real-mode trampoline below 640
 * KiB, which every kernel fills in as it boots (arch/x86/realmode/init.c, setup_real_mode(), an
 * early initcall): a page table whose last entry, that of the kernel's image, is the one of the
 * kernel's own page table. So a kernel runs when the only trampoline is its own.
 *
 * Between the jump into a new kernel and that initcall the new kernel has left no mark yet; a guest
 * paused there is taken for the old one. A crashed kernel says so in its note.
 *
 * If a layer's base is not at hand, pages that lie in it are passed over: the layer's own were
 * written later.
 */
#include "guest/arch/x86_64.h"

#include "base/error.h"
#include "base/units.h"

/* reserve_real_mode() takes memory below 1 MiB; RAM ends at 640 KiB there. */
#define LOW_PAGES ((UINT64_C(640) << 10) / FCP_PAGE_BYTES)
#define LAST_ENTRY_AT ((FCP_GUEST_TABLE_ENTRIES - 1) * sizeof(uint64_t))
/* Pages whose last word merely looks like an entry are few; each costs a walk. */
#define CANDIDATES_MAX 16

static int unsure(struct fcp_error *err, const char *why)
{
	return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
			     "which kernel runs cannot be told: %s below 640 KiB", why);
}

static int last_entry(const struct fcp_guest_memory *view, uint64_t table, uint64_t *entry_,
		      struct fcp_error *err)
{
	return fcp_guest_memory_read(view, table + LAST_ENTRY_AT, entry_, sizeof(*entry_), err);
}

/* Can it be the entry of a table in RAM? A stray word like that maps no image and falls away. */
static bool leads_to_table(const struct fcp_guest_memory *view, uint64_t entry)
{
	return (entry & FCP_GUEST_ENTRY_PRESENT) && !(entry & FCP_X86_64_LARGE) &&
	       (entry & FCP_X86_64_ADDRESS) != 0 &&
	       fcp_guest_memory_region(view, entry & FCP_X86_64_ADDRESS, FCP_PAGE_BYTES);
}

/* Does any of the kernel image's 1 GiB translate to code in RAM through this page? */
static bool maps_image(struct fcp_guest_tables *tables)
{
	struct fcp_guest_leaf leaf;
	struct fcp_error ignored;

	for (uint64_t at = 0; at < FCP_X86_64_IMAGE_BYTES; at += FCP_GUEST_LARGE_BYTES)
		if (fcp_guest_lookup(tables, FCP_X86_64_IMAGE_START + at, &leaf, &ignored) == 0 &&
		    leaf.mapped && leaf.executable &&
		    fcp_guest_memory_region(tables->memory, leaf.gpa, leaf.bytes))
			return true;
	return false;
}

/* Takes the page for a trampoline when it maps an image, with four levels or five. */
static int take_candidate(const struct fcp_guest_memory *view, uint64_t gpa, uint64_t entry,
			  struct fcp_guest_running *running, struct fcp_error *err)
{
	struct fcp_guest_tables tables;

	for (unsigned levels = 4; levels <= FCP_GUEST_LEVELS_MAX; levels++) {
		fcp_guest_tables_init(&tables, view, &fcp_guest_x86_64, gpa, levels);
		if (!maps_image(&tables))
			continue;
		if (running->levels != 0 && running->kernel_entry != (entry & FCP_X86_64_ADDRESS))
			return unsure(err, "there are trampolines of two kernels");
		*running = (struct fcp_guest_running){gpa, levels, entry & FCP_X86_64_ADDRESS};
		break;
	}
	return 0;
}

/* One by one: what lies in the base of a layer, which is not at hand, is older than what the
 * layer has. */
static int read_known_entries(const struct fcp_guest_memory *view, uint64_t entries[LOW_PAGES],
			      unsigned count, struct fcp_error *err)
{
	for (unsigned i = 0; i < count; i++) {
		if (last_entry(view, i * FCP_PAGE_BYTES, &entries[i], err) == 0)
			continue;
		if (err->error_class != FCP_ERR_UNSUPPORTED)
			return -1;
		entries[i] = 0;
	}
	return 0;
}

/* The last word of each page below 640 KiB. */
static int read_last_entries(const struct fcp_guest_memory *view, uint64_t entries[LOW_PAGES],
			     unsigned *count_, struct fcp_error *err)
{
	uint64_t gpas[LOW_PAGES];
	unsigned count = 0;

	while (count < LOW_PAGES &&
	       fcp_guest_memory_region(view, count * FCP_PAGE_BYTES, FCP_PAGE_BYTES)) {
		gpas[count] = count * FCP_PAGE_BYTES + LAST_ENTRY_AT;
		count++;
	}
	*count_ = count;
	if (fcp_guest_memory_gather(view, gpas, count, entries, sizeof(entries[0]), err) == 0)
		return 0;
	return err->error_class == FCP_ERR_UNSUPPORTED
		       ? read_known_entries(view, entries, count, err)
		       : -1;
}

int fcp_x86_64_find_running(const struct fcp_guest_memory *view, struct fcp_guest_running *running_,
			    struct fcp_error *err)
{
	struct fcp_guest_running running = {0};
	uint64_t entries[LOW_PAGES];
	unsigned count, candidates = 0;

	if (read_last_entries(view, entries, &count, err) != 0)
		return -1;
	for (unsigned i = 0; i < count; i++) {
		if (!leads_to_table(view, entries[i]))
			continue;
		if (++candidates > CANDIDATES_MAX)
			return unsure(err, "too many pages look like a trampoline");
		if (take_candidate(view, i * FCP_PAGE_BYTES, entries[i], &running, err) < 0)
			return -1;
	}
	if (running.levels == 0)
		return unsure(err, "there is no kernel's trampoline");
	*running_ = running;
	return 0;
}

int fcp_x86_64_prove_running(const struct fcp_guest_running *running,
			     struct fcp_guest_kernel *kernel, struct fcp_error *err)
{
	uint64_t entry;

	if (last_entry(&kernel->memory, kernel->tables.root, &entry, err) < 0)
		return fcp_error_wrap(err, "page table");
	if ((entry & FCP_GUEST_ENTRY_PRESENT) &&
	    (entry & FCP_X86_64_ADDRESS) == running->kernel_entry)
		return 0;
	return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
			     "this kernel does not run: the real-mode trampoline is another's");
}
