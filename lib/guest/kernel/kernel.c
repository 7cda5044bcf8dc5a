// SPDX-License-Identifier: Apache-2.0
#include "guest/kernel/kernel.h"

#include "base/error.h"
#include "base/units.h"

#include <string.h>

/* struct new_utsname: six strings; sysname is the first, release the third. */
#define UTS_STRING_BYTES 65
#define UTS_RELEASE (2 * UTS_STRING_BYTES)
/* Before 6.0 the note does not say where the names begin: at most a kref lies before them. */
#define UTS_NAME_NEAR 64

static bool names_at(const char *uts, const char *release)
{
	return memcmp(uts, "Linux", sizeof("Linux")) == 0 &&
	       strncmp(uts + UTS_RELEASE, release, UTS_STRING_BYTES) == 0;
}

static int prove_release(struct fcp_guest_kernel *kernel, struct fcp_error *err)
{
	char uts[UTS_NAME_NEAR + UTS_RELEASE + UTS_STRING_BYTES];
	const struct fcp_guest_note *note = &kernel->note;
	uint64_t known = note->uts_name != FCP_GUEST_NONE ? note->uts_name : 0;
	uint64_t near = note->uts_name != FCP_GUEST_NONE ? 0 : UTS_NAME_NEAR;

	if (fcp_guest_read_virtual(&kernel->tables, note->init_uts_ns + known, uts, sizeof(uts),
				   err) < 0)
		return fcp_error_wrap(err, "init_uts_ns");
	for (uint64_t at = 0; at <= near; at += 4)
		if (names_at(uts + at, note->release))
			return 0;
	return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
			     "init_uts_ns: its release is not the note's");
}

static int prove_text(struct fcp_guest_kernel *kernel, struct fcp_error *err)
{
	const struct fcp_guest_note *note = &kernel->note;
	struct fcp_guest_leaf leaf;

	if (fcp_guest_translate(&kernel->tables, note->stext, &leaf, err) < 0)
		return fcp_error_wrap(err, "_stext");
	if (leaf.gpa + (note->stext - leaf.start) != fcp_guest_image_gpa(note, note->stext))
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "_stext: the page tables lead elsewhere");
	return 0;
}

int fcp_guest_kernel_open(const struct fcp_guest_memory *view, uint64_t gpa,
			  struct fcp_guest_kernel *kernel_, enum fcp_guest_proof *proof_,
			  struct fcp_error *err)
{
	struct fcp_guest_note *note = &kernel_->note;
	uint64_t root;

	*proof_ = FCP_GUEST_PROOF_NOTE;
	kernel_->memory = *view;
	note->arch = NULL;
	if (fcp_guest_note_read(view, gpa, note, err) < 0)
		return -1;
	if (note->arch != view->arch)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "the note of an %s kernel",
				     note->arch->name);
	*proof_ = FCP_GUEST_PROOF_ENCRYPTION;
	if (note->sme_mask != FCP_GUEST_NONE && note->sme_mask != 0)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "the guest encrypts its memory");
	*proof_ = FCP_GUEST_PROOF_TABLES;
	root = fcp_guest_image_gpa(note, note->page_table);
	if (root % FCP_PAGE_BYTES != 0)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "swapper_pg_dir: not page-aligned");
	fcp_guest_tables_init(&kernel_->tables, &kernel_->memory, note->arch, root, note->levels);
	if (prove_text(kernel_, err) < 0 || prove_release(kernel_, err) < 0 ||
	    (note->arch->prove_maps && note->arch->prove_maps(kernel_, err) < 0))
		return -1;
	*proof_ = FCP_GUEST_PROOF_PASSED;
	return 0;
}

void fcp_guest_kernel_copy(const struct fcp_guest_kernel *kernel, struct fcp_guest_kernel *kernel_)
{
	*kernel_ = *kernel;
	kernel_->tables.memory = &kernel_->memory;
}

static uint64_t next_symbol(const struct fcp_guest_note *note)
{
	uint64_t next = note->image.end;

	for (unsigned i = 0; i < note->symbol_count; i++)
		if (note->symbols[i] > note->stext && note->symbols[i] < next)
			next = note->symbols[i];
	return fcp_align_down(next, FCP_PAGE_BYTES);
}

int fcp_guest_kernel_text(struct fcp_guest_kernel *kernel, struct fcp_range *text_,
			  struct fcp_error *err)
{
	uint64_t start = fcp_align_down(kernel->note.stext, FCP_PAGE_BYTES);
	uint64_t limit = next_symbol(&kernel->note);
	uint64_t at = start;

	while (at < limit) {
		struct fcp_guest_leaf leaf;

		if (fcp_guest_lookup(&kernel->tables, at, &leaf, err) < 0)
			return -1;
		if (!leaf.mapped || !leaf.executable)
			break;
		at = leaf.start + leaf.bytes;
	}
	*text_ = (struct fcp_range){start, at < limit ? at : limit};
	if (text_->start >= text_->end)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "_stext: not executable");
	return 0;
}
