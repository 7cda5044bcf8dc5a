// SPDX-License-Identifier: Apache-2.0
#include "memory/share/index.h"

#include "base/units.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/*
 * At two slots a block stretches of full slots are short. Only bytes that somebody made for it
 * reach this, and they are not found then.
 */
#define PROBES_MAX 64

uint64_t fcp_share_hash_block(const unsigned char *block)
{
	return XXH3_64bits(block, FCP_PAGE_BYTES);
}

uint64_t fcp_share_index_slots(uint64_t blocks)
{
	return 2 * blocks;
}

/* From the upper bits of the hash; the slot holds the lower ones. */
static uint64_t first_slot(const struct fcp_share_index *index, uint64_t hash)
{
	return (uint64_t)((unsigned __int128)hash * index->slot_count >> 64);
}

static uint64_t next_slot(const struct fcp_share_index *index, uint64_t at)
{
	return at + 1 == index->slot_count ? 0 : at + 1;
}

static bool same_hash(uint64_t slot, uint64_t other)
{
	return slot >> 32 == other >> 32;
}

/*
 * The first of equal blocks stays, in whatever order the threads come. A slot never becomes empty
 * again, so that all who look for a hash go the same way.
 */
void fcp_share_index_add(struct fcp_share_index *index, uint64_t hash, uint64_t block)
{
	uint64_t entry = hash << 32 | (block + 1), at = first_slot(index, hash);

	for (unsigned probes = 0; probes < PROBES_MAX && probes < index->slot_count; probes++) {
		uint64_t *slot = &index->slots[at], held = 0;

		if (__atomic_compare_exchange_n(slot, &held, entry, false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return;
		if (same_hash(held, entry)) {
			while (entry < held &&
			       !__atomic_compare_exchange_n(slot, &held, entry, false,
							    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
				;
			return;
		}
		at = next_slot(index, at);
	}
}

bool fcp_share_index_find(const struct fcp_share_index *index, uint64_t hash, uint64_t *block_)
{
	uint64_t at = index->slot_count ? first_slot(index, hash) : 0;

	for (unsigned probes = 0; probes < PROBES_MAX && probes < index->slot_count; probes++) {
		uint64_t slot = index->slots[at];

		if (slot == 0)
			return false;
		if (same_hash(slot, hash << 32)) {
			/* A table that was read from a file may hold a 0 here. */
			*block_ = (uint32_t)slot - UINT64_C(1);
			return true;
		}
		at = next_slot(index, at);
	}
	return false;
}

void fcp_share_index_clear(struct fcp_share_index *index)
{
	free(index->slots);
	*index = (struct fcp_share_index){0};
}
