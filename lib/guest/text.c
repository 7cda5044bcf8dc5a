// SPDX-License-Identifier: Apache-2.0
#include "guest/text.h"

#include "base/error.h"
#include "base/units.h"

#include <string.h>

#define HEADER_MAGIC_AT 0x202
#define COMMAND_LINE_AT 0x228

static uint64_t next_symbol(const struct fcp_guest_note *note)
{
	uint64_t next = FCP_GUEST_IMAGE_START + FCP_GUEST_IMAGE_BYTES;

	for (unsigned i = 0; i < note->symbol_count; i++)
		if (note->symbols[i] > note->stext && note->symbols[i] < next)
			next = note->symbols[i];
	return fcp_align_down(next, FCP_PAGE_BYTES);
}

int fcp_guest_text_find(struct fcp_guest_kernel *kernel, struct fcp_range *text_,
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

bool fcp_guest_boot_params_at(const struct fcp_guest_memory *memory, uint64_t gpa)
{
	struct fcp_error ignored;
	char magic[4];

	return fcp_guest_memory_region(memory, gpa, FCP_PAGE_BYTES) &&
	       fcp_guest_memory_read(memory, gpa + HEADER_MAGIC_AT, magic, sizeof(magic),
				     &ignored) == 0 &&
	       memcmp(magic, "HdrS", sizeof(magic)) == 0;
}

bool fcp_guest_command_line_has(const struct fcp_guest_memory *memory, uint64_t gpa,
				const char *word)
{
	char line[FCP_GUEST_COMMAND_LINE_MAX + 1];
	struct fcp_error ignored;
	uint32_t address;
	size_t length = strlen(word);

	if (!fcp_guest_boot_params_at(memory, gpa) ||
	    fcp_guest_memory_read(memory, gpa + COMMAND_LINE_AT, &address, sizeof(address),
				  &ignored) < 0 ||
	    fcp_guest_memory_read(memory, address, line, sizeof(line) - 1, &ignored) < 0)
		return false;
	line[sizeof(line) - 1] = '\0';
	for (const char *at = line; (at = strstr(at, word)) != NULL; at += length)
		if ((at == line || at[-1] == ' ') && (at[length] == '\0' || at[length] == ' '))
			return true;
	return false;
}
