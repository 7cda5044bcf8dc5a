// SPDX-License-Identifier: Apache-2.0
/* The device tree that Firecracker hands to an arm64 kernel (Devicetree Specification 0.4, 5). */
#include "guest/arch/arm64.h"

#include "base/cleanup.h"
#include "base/error.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* The header's words, all big-endian. */
enum { MAGIC, TOTAL_BYTES, STRUCT_AT, STRINGS_AT, HEADER_WORDS = 10 };
/* And the sizes of the two blocks. */
enum { STRINGS_BYTES = 8, STRUCT_BYTES = 9 };

enum token { BEGIN_NODE = 1, END_NODE = 2, PROPERTY = 3, NOP = 4 };

struct tree {
	unsigned char *blob;
	uint32_t header[HEADER_WORDS];
	uint32_t at; /* in the structure block, of whole words */
	unsigned depth;
	bool in_chosen;
};

struct property {
	const char *name, *value;
	uint32_t bytes;
};

/* Firecracker puts it at the end of the first region. */
static bool read_header(const struct fcp_guest_memory *memory, uint64_t *gpa_,
			uint32_t header_[HEADER_WORDS])
{
	const struct fcp_guest_region *region = &memory->regions[0];
	struct fcp_error ignored;

	if (region->bytes < FCP_ARM64_FDT_BYTES_MAX)
		return false;
	*gpa_ = region->gpa + region->bytes - FCP_ARM64_FDT_BYTES_MAX;
	if (fcp_guest_memory_read(memory, *gpa_, header_, HEADER_WORDS * sizeof(header_[0]),
				  &ignored) < 0 ||
	    memcmp(header_, FCP_ARM64_FDT_MAGIC, sizeof(header_[0])) != 0)
		return false;
	for (unsigned i = 0; i < HEADER_WORDS; i++)
		header_[i] = be32toh(header_[i]);
	return header_[TOTAL_BYTES] > sizeof(uint32_t) * HEADER_WORDS &&
	       header_[TOTAL_BYTES] <= FCP_ARM64_FDT_BYTES_MAX;
}

struct fcp_range fcp_arm64_boot_data(const struct fcp_guest_memory *memory)
{
	uint32_t header[HEADER_WORDS];
	uint64_t gpa;

	if (!read_header(memory, &gpa, header))
		return (struct fcp_range){0, 0};
	return (struct fcp_range){gpa, gpa + fcp_align_up(header[TOTAL_BYTES], FCP_PAGE_BYTES)};
}

static bool lies_within(const struct tree *tree, uint32_t at, uint32_t bytes)
{
	return at <= tree->header[TOTAL_BYTES] && bytes <= tree->header[TOTAL_BYTES] - at;
}

static bool read_tree(const struct fcp_guest_memory *memory, struct tree *tree)
{
	struct fcp_error ignored;
	uint64_t gpa;

	if (!read_header(memory, &gpa, tree->header) ||
	    !lies_within(tree, tree->header[STRUCT_AT], tree->header[STRUCT_BYTES]) ||
	    !lies_within(tree, tree->header[STRINGS_AT], tree->header[STRINGS_BYTES]))
		return false;
	/* A NUL behind it, so that each name ends. */
	tree->blob = calloc(1, tree->header[TOTAL_BYTES] + 1);
	return tree->blob && fcp_guest_memory_read(memory, gpa, tree->blob,
						   tree->header[TOTAL_BYTES], &ignored) == 0;
}

/* Takes bytes bytes of the structure block, and what aligns them; NULL at its end. */
static const void *take_bytes(struct tree *tree, uint32_t bytes)
{
	const unsigned char *taken = tree->blob + tree->header[STRUCT_AT] + tree->at;
	uint32_t left = tree->header[STRUCT_BYTES] - tree->at;

	if (bytes > left || fcp_align_up(bytes, 4) > left)
		return NULL;
	tree->at += (uint32_t)fcp_align_up(bytes, 4);
	return taken;
}

static bool take_word(struct tree *tree, uint32_t *word_)
{
	const void *word = take_bytes(tree, sizeof(*word_));

	if (!word)
		return false;
	memcpy(word_, word, sizeof(*word_));
	*word_ = be32toh(*word_);
	return true;
}

static bool take_node(struct tree *tree)
{
	const char *name = (const char *)tree->blob + tree->header[STRUCT_AT] + tree->at;
	uint32_t left = tree->header[STRUCT_BYTES] - tree->at;
	size_t length = strnlen(name, left);

	if (length == left || !take_bytes(tree, (uint32_t)length + 1))
		return false;
	tree->depth++;
	tree->in_chosen |= tree->depth == 2 && strcmp(name, "chosen") == 0;
	return true;
}

static bool take_property(struct tree *tree, struct property *property_)
{
	uint32_t name;

	if (!take_word(tree, &property_->bytes) || !take_word(tree, &name) ||
	    name >= tree->header[STRINGS_BYTES])
		return false;
	property_->name = (const char *)tree->blob + tree->header[STRINGS_AT] + name;
	property_->value = take_bytes(tree, property_->bytes);
	return property_->value != NULL;
}

/* The next property of a node below the root's; false at the end. */
static bool next_property(struct tree *tree, struct property *property_)
{
	uint32_t token;

	while (take_word(tree, &token)) {
		if (token == PROPERTY)
			return take_property(tree, property_);
		if (token == BEGIN_NODE ? !take_node(tree) : token != END_NODE && token != NOP)
			return false;
		if (token == END_NODE) {
			tree->in_chosen &= tree->depth > 2;
			tree->depth -= tree->depth > 0;
		}
	}
	return false;
}

bool fcp_arm64_command_line(const struct fcp_guest_memory *memory,
			    char line_[FCP_GUEST_COMMAND_LINE_MAX + 1])
{
	struct tree tree = {0};
	struct property property;
	bool found = false;

	if (read_tree(memory, &tree))
		while (!found && next_property(&tree, &property))
			found = tree.in_chosen && tree.depth == 2 &&
				strcmp(property.name, "bootargs") == 0 &&
				property.bytes <= FCP_GUEST_COMMAND_LINE_MAX;
	if (found) {
		memcpy(line_, property.value, property.bytes);
		line_[property.bytes] = '\0';
	}
	free(tree.blob);
	return found;
}
