// SPDX-License-Identifier: Apache-2.0
/*
 * An index that lies beside a file of 64 blocks. The first byte's lowest bit: the header is put
 * right for the table (XXH3, as memory/share/index_file.c has it), so that the table counts.
 */
#include "base/units.h"
#include "fuzz.h"
#include "memory/share/index_file.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define BLOCKS 64
#define HEADER_BYTES 88
#define CHECKSUM_AT (HEADER_BYTES - 8)

static const struct stat of = {.st_dev = 1, .st_ino = 2, .st_size = BLOCKS * (off_t)FCP_PAGE_BYTES};

/* The fields of the header that depend on the file and the table. */
static void mend(uint8_t *index, size_t size)
{
	uint64_t fields[HEADER_BYTES / 8] = {0}, checksum;

	if (size < HEADER_BYTES)
		return;
	memcpy(fields, "fcpindex", 8);
	fields[1] = UINT64_C(4096) << 32 | 1;
	fields[2] = of.st_dev;
	fields[3] = of.st_ino;
	fields[4] = (uint64_t)of.st_size;
	fields[9] = (size - HEADER_BYTES) / 8;
	checksum = XXH3_64bits(fields, sizeof(fields));
	checksum = XXH3_64bits_withSeed(index + HEADER_BYTES, fields[9] * 8, checksum);
	fields[CHECKSUM_AT / 8] = checksum;
	memcpy(index, fields, HEADER_BYTES);
}

/* Every hash that could be sought ends, and a block is at most a number of 32 bits. */
static void seek_all(const struct fcp_share_index *index)
{
	uint64_t block;

	for (uint64_t i = 0; i < index->slot_count; i++)
		for (uint64_t high = 0; high < 256; high += 51)
			if (fcp_share_index_find(index, high << 56 | index->slots[i] >> 32, &block))
				expect(block == UINT64_MAX || block < FCP_SHARE_BLOCKS_MAX,
				       "a block that no file can have");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = {data, size};
	bool mended = take_byte(&input) & 1;
	uint8_t *index_text = (uint8_t *)text_of_bytes(input);
	struct fcp_share_index index = {0};
	bool taken;

	if (mended)
		mend(index_text, input.left);
	input.at = index_text;
	taken = fcp_share_index_load(memfd_of(input), &of, &index);
	expect(!mended || input.left < HEADER_BYTES || (input.left - HEADER_BYTES) % 8 != 0 ||
		       taken == ((input.left - HEADER_BYTES) / 8 <= 2 * BLOCKS),
	       "an index that is right and not taken, or too long and taken");
	if (taken) {
		expect(index.slot_count <= 2 * BLOCKS,
		       "a table that is longer than one of the file");
		seek_all(&index);
		fcp_share_index_clear(&index);
	}
	free(index_text);
	return 0;
}
