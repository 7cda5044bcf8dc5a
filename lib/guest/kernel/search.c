// SPDX-License-Identifier: Apache-2.0
#include "guest/kernel/search.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/units.h"
#include "guest/kernel/hotplug.h"
#include "guest/allocator/memmap.h"

#include <stdlib.h>
#include <string.h>

/* How many pages' first bytes are read together. */
#define HEADS_MAX 512

/* How often the sections of a kernel are held against a layout: they are many in a large memory,
 * and a guest that lies can have hundreds of notes. */
#define LAYOUT_PROOFS_MAX 128

/* What one layout shows of which kernel runs. */
struct evidence {
	bool looked_for, found;
	struct fcp_guest_running running;
	struct fcp_error why_not;
};

struct seeker {
	const struct fcp_guest_memory *memory;
	struct fcp_guest_kernel *kernel;  /* the one that passed */
	struct fcp_guest_kernel *attempt; /* scratch */
	struct fcp_guest_search *search;
	unsigned layout_proofs;
	int cancel_fd;
	struct evidence evidence[FCP_GUEST_LAYOUTS_MAX];
};

static int refuse(struct fcp_error *err, const char *why)
{
	return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "%s", why);
}

/* Regions that go on where the one before ends are one. */
static unsigned join_regions(const struct fcp_guest_memory *memory,
			     struct fcp_guest_region joined_[FCP_GUEST_REGIONS_MAX])
{
	unsigned count = 0;

	memset(joined_, 0, FCP_GUEST_REGIONS_MAX * sizeof(joined_[0]));
	for (unsigned i = 0; i < memory->region_count; i++) {
		const struct fcp_guest_region *region = &memory->regions[i];
		struct fcp_guest_region *last = count > 0 ? &joined_[count - 1] : NULL;

		if (last && last->gpa + last->bytes == region->gpa &&
		    last->offset + last->bytes == region->offset &&
		    last->address + last->bytes == region->address)
			last->bytes += region->bytes;
		else
			joined_[count++] = *region;
	}
	return count;
}

/* Memory that goes on up to where memory can be plugged in is the same with and without a cut
 * there. */
static bool same_regions(const struct fcp_guest_memory *a, const struct fcp_guest_memory *b)
{
	struct fcp_guest_region of_a[FCP_GUEST_REGIONS_MAX], of_b[FCP_GUEST_REGIONS_MAX];

	return join_regions(a, of_a) == join_regions(b, of_b) &&
	       memcmp(of_a, of_b, sizeof(of_a)) == 0;
}

static void take_passed(struct seeker *seeker)
{
	const struct fcp_guest_kernel *passed = seeker->attempt;

	/* A copy of the same text that resolves to the same kernel in the same regions does not
	 * count twice. */
	if (seeker->search->passed > 0 && same_regions(&seeker->kernel->memory, &passed->memory) &&
	    seeker->kernel->note.digest == passed->note.digest)
		return;
	if (seeker->search->passed++ > 0)
		return;
	fcp_guest_kernel_copy(passed, seeker->kernel);
}

/* Once a layout. That which kernel runs cannot be told is not a failure yet: -1 from the source. */
static int find_evidence(struct seeker *seeker, unsigned layout, struct fcp_error *err)
{
	struct evidence *evidence = &seeker->evidence[layout];
	struct fcp_guest_memory view;

	if (evidence->looked_for || !fcp_guest_memory_layout(seeker->memory, layout, &view))
		return 0;
	evidence->looked_for = true;
	evidence->found =
		view.arch->find_running(&view, &evidence->running, &evidence->why_not) == 0;
	if (evidence->found || evidence->why_not.error_class == FCP_ERR_UNSUPPORTED)
		return 0;
	*err = evidence->why_not;
	return -1;
}

static int prove_running(struct seeker *seeker, unsigned layout, struct fcp_error *err)
{
	const struct evidence *evidence = &seeker->evidence[layout];

	if (find_evidence(seeker, layout, err) < 0)
		return -1;
	if (evidence->found)
		return seeker->attempt->note.arch->prove_running(&evidence->running,
								 seeker->attempt, err);
	*err = evidence->why_not;
	return -1;
}

/* Is there nothing to choose among the layouts of the attempt's architecture? */
static bool only_layout(const struct seeker *seeker)
{
	return fcp_guest_memory_layouts_of(seeker->memory, seeker->attempt->note.arch) == 1;
}

/* A layout that does not fit may have to be cut: the end of the file is memory to plug in. */
static int fit_layout(struct seeker *seeker, struct fcp_guest_memmap *memmap, struct fcp_error *err)
{
	bool only = only_layout(seeker);

	if (fcp_guest_memmap_fits_layout(memmap))
		return 0;
	fcp_guest_memmap_clear(memmap);
	if (fcp_guest_memmap_init_wide(seeker->attempt, memmap, err) != 0)
		return -1;
	if (!seeker->memory->process && (!only || fcp_guest_memmap_goes_on(memmap)) &&
	    fcp_guest_hotplug_find(memmap))
		return 0;
	/* With mem=, say, a part of the only layout has no sections. */
	if (only)
		return 0;
	return refuse(err, "the kernel's memory sections show another layout of its memory");
}

/* Proves the attempt's layout: low memory looks the same in all. */
static int prove_layout(struct seeker *seeker, struct fcp_error *err)
{
	FCP_CLEANUP(free) struct fcp_guest_memmap *memmap = NULL;
	int status;

	if (seeker->attempt->note.mem_section == FCP_GUEST_NONE)
		return 0;
	if (++seeker->layout_proofs > LAYOUT_PROOFS_MAX)
		return refuse(err, "too many notes to hold against each layout of the memory");
	memmap = malloc(sizeof(*memmap));
	if (!memmap)
		return fcp_error_nomem(err);
	status = fcp_guest_memmap_init(seeker->attempt, memmap, err);
	if (status == 0)
		status = fit_layout(seeker, memmap, err);
	/* Where there is nothing to choose, a later gate says what is wrong with the sections. */
	else if (only_layout(seeker) && err->error_class == FCP_ERR_UNSUPPORTED)
		status = 0;
	fcp_guest_memmap_clear(memmap);
	return status;
}

/* Opens the note as a kernel in that layout; err and proof as fcp_guest_kernel_open(). */
static int attempt(struct seeker *seeker, unsigned layout, uint64_t gpa,
		   enum fcp_guest_proof *proof_, struct fcp_error *err)
{
	struct fcp_guest_memory view;

	*proof_ = FCP_GUEST_PROOF_NOTE;
	if (!fcp_guest_memory_layout(seeker->memory, layout, &view))
		return refuse(err, "no such layout");
	if (fcp_guest_kernel_open(&view, gpa, seeker->attempt, proof_, err) < 0)
		return -1;
	if (prove_layout(seeker, err) == 0 && prove_running(seeker, layout, err) == 0)
		return 0;
	*proof_ = FCP_GUEST_PROOF_TABLES;
	return -1;
}

/* Tries the note at that offset of the file in one layout. */
static int try_layout(struct seeker *seeker, uint64_t offset, unsigned layout,
		      struct fcp_error *err)
{
	struct fcp_guest_memory view;
	enum fcp_guest_proof proof;
	uint64_t gpa;

	if (!fcp_guest_memory_layout(seeker->memory, layout, &view) ||
	    !fcp_guest_memory_gpa(&view, offset, &gpa))
		return 0;
	if (attempt(seeker, layout, gpa, &proof, err) == 0) {
		seeker->search->proof = proof;
		take_passed(seeker);
		return 0;
	}
	if (err->error_class != FCP_ERR_UNSUPPORTED)
		return -1;
	if (seeker->attempt->note.arch && seeker->attempt->note.arch != view.arch)
		return 0;
	if (seeker->search->candidates == 1 || proof > seeker->search->proof) {
		seeker->search->proof = proof;
		seeker->search->best_error = *err;
	}
	return 0;
}

static int try_note(struct seeker *seeker, uint64_t offset, struct fcp_error *err)
{
	if (++seeker->search->candidates > FCP_GUEST_CANDIDATES_MAX)
		return refuse(err, "too many pages that look like a note");
	for (unsigned layout = 0; layout < seeker->memory->layout_count; layout++)
		if (try_layout(seeker, offset, layout, err) < 0)
			return -1;
	return 0;
}

/* Pages with data whose first bytes are to be looked at, read together: the file is not mapped, and
 * copying the whole of it would cost more than the calls. */
struct heads {
	size_t count;
	uint64_t offsets[HEADS_MAX];
	uint64_t gpas[HEADS_MAX];
};

/* Which of them are a note's first page? */
static int look_for_note_at(struct seeker *seeker, struct heads *heads, struct fcp_error *err)
{
	char read[HEADS_MAX][FCP_GUEST_NOTE_HEAD_BYTES];
	size_t count = heads->count;

	heads->count = 0;
	if (fcp_cancelled(seeker->cancel_fd))
		return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "interrupted");
	if (fcp_guest_memory_gather(seeker->memory, heads->gpas, count, read, sizeof(read[0]),
				    err) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (fcp_guest_note_begins(read[i]) && try_note(seeker, heads->offsets[i], err) != 0)
			return -1;
	return 0;
}

/* All pages of the extent whose number is even, or odd. */
static int search_extent(struct seeker *seeker, const struct fcp_range *extent, unsigned odd,
			 struct heads *heads, struct fcp_error *err)
{
	const uint64_t stride = 2 * FCP_PAGE_BYTES;
	uint64_t offset = fcp_align_down(extent->start, stride) + odd * FCP_PAGE_BYTES;

	if (offset + FCP_PAGE_BYTES <= extent->start)
		offset += stride;
	for (; offset < extent->end; offset += stride) {
		if (!fcp_guest_memory_gpa(seeker->memory, offset, &heads->gpas[heads->count]))
			continue;
		heads->offsets[heads->count++] = offset;
		if (heads->count == HEADS_MAX && look_for_note_at(seeker, heads, err) != 0)
			return -1;
	}
	return 0;
}

/* All pages with data whose number is even, or odd. */
static int search_pages(struct seeker *seeker, unsigned odd, struct fcp_error *err)
{
	struct heads heads = {.count = 0};
	struct fcp_range extent = {0, 0};

	for (;;) {
		if (fcp_guest_memory_data(seeker->memory, extent.end, &extent, err) < 0)
			return -1;
		if (extent.start >= extent.end)
			return look_for_note_at(seeker, &heads, err);
		if (search_extent(seeker, &extent, odd, &heads, err) != 0)
			return -1;
	}
}

static int search_all(struct seeker *seeker, struct fcp_error *err)
{
	/* The note is two pages from alloc_pages_exact(), so it begins at an even one; a kernel
	 * that has changed that is found at the price of a second round. */
	if (search_pages(seeker, 0, err) < 0)
		return -1;
	if (seeker->search->passed == 0 && search_pages(seeker, 1, err) < 0)
		return -1;
	if (seeker->search->passed > 1)
		return refuse(err, "more than one kernel in this memory");
	if (seeker->search->passed == 1)
		return 0;
	if (seeker->search->candidates == 0) {
		seeker->search->proof = FCP_GUEST_PROOF_NOTE;
		return refuse(err, "no note of a kernel in this memory");
	}
	if (seeker->search->best_error.error_class == FCP_ERR_NONE)
		return refuse(err, "the only kernel in this memory is of another architecture than "
				   "the VM's process");
	*err = seeker->search->best_error;
	return -1;
}

/* The note that the pointers lead to in that layout; *gpa_ 0: none. */
static int find_note_pointer(struct seeker *seeker, unsigned layout, uint64_t *gpa_,
			     struct fcp_error *err)
{
	struct fcp_guest_memory view;

	*gpa_ = 0;
	if (find_evidence(seeker, layout, err) < 0)
		return -1;
	if (!seeker->evidence[layout].found ||
	    !fcp_guest_memory_layout(seeker->memory, layout, &view) || !view.arch->locate_note)
		return 0;
	return view.arch->locate_note(&view, &seeker->evidence[layout].running, gpa_, err);
}

/* By the kernel's pointers: exactly one layout may lead to a note that passes. Once one has, the
 * others are tried with the same note: their pointers lie in the same low memory. */
static int follow_pointers(struct seeker *seeker, struct fcp_error *err)
{
	uint64_t gpa = 0;

	for (unsigned layout = 0; layout < seeker->memory->layout_count; layout++) {
		enum fcp_guest_proof proof;

		if (seeker->search->passed == 0 && find_note_pointer(seeker, layout, &gpa, err) < 0)
			return -1;
		if (gpa != 0 && attempt(seeker, layout, gpa, &proof, err) == 0)
			take_passed(seeker);
	}
	return 0;
}

int fcp_guest_kernel_find(const struct fcp_guest_memory *memory, int cancel_fd,
			  struct fcp_guest_kernel *kernel_, struct fcp_guest_search *search_,
			  struct fcp_error *err)
{
	FCP_CLEANUP(free) struct fcp_guest_kernel *scratch = malloc(sizeof(*scratch));
	struct seeker seeker = {.memory = memory,
				.kernel = kernel_,
				.attempt = scratch,
				.search = search_,
				.cancel_fd = cancel_fd};

	*search_ = (struct fcp_guest_search){0};
	if (!scratch)
		return fcp_error_nomem(err);
	if (follow_pointers(&seeker, err) < 0 && err->error_class != FCP_ERR_UNSUPPORTED)
		return -1;
	if (search_->passed == 1) {
		search_->by_pointer = true;
		search_->candidates = 1;
		search_->proof = FCP_GUEST_PROOF_PASSED;
		return 0;
	}
	search_->passed = 0;
	return search_all(&seeker, err);
}
