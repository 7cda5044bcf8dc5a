// SPDX-License-Identifier: Apache-2.0
/*
 * Where the 4 KiB blocks of a file stand, by a hash of their bytes. An index only ever proposes a
 * block: whoever uses it compares the bytes. So a hash that collides, an index of another file, or
 * one that lies costs a comparison, and nothing else.
 *
 * Open addressing with linear probing: a slot of 8 bytes holds the block's number + 1 in its lower
 * half, and half of the hash in its upper one; 0 is an empty slot. Two slots for each block of
 * data.
 */
#ifndef FCP_MEMORY_SHARE_INDEX_H
#define FCP_MEMORY_SHARE_INDEX_H

#include "base/error.h"

/* Of FCP_PAGE_BYTES. */
typedef uint64_t fcp_share_hash(const unsigned char *block);

/* XXH3, 64 bits. */
uint64_t fcp_share_hash_block(const unsigned char *block);

/* Block numbers have 32 bits: the first 16 TiB of a file. */
#define FCP_SHARE_BLOCKS_MAX UINT32_MAX

/*
 * Zero-initialise it, free with fcp_share_index_clear(). Looking up is for any number of threads.
 */
struct fcp_share_index {
	uint64_t *slots; /* owned; NULL: there is nothing in it */
	uint64_t slot_count;
	bool partial; /* some of the file could not be read: not for another run */
};

struct fcp_share_index_build {
	int fd;		  /* of the file, open for reading; its offset moves */
	const char *name; /* for messages */
	uint64_t bytes;	  /* of the file; what is beyond FCP_SHARE_BLOCKS_MAX is not looked at */
	fcp_share_hash *hash;
	int cancel_fd;
};

/*
 * Reads what has data (SEEK_DATA) in two threads. Blocks of zeros are left out, and so is the
 * part of a block at the end; of equal blocks the first is kept. What cannot be read, or is gone by
 * then, is left out too: the index is partial. Takes 16 bytes a block of data, and 1 MiB a thread.
 * FCP_ERR_INTERRUPTED, FCP_ERR_MEMORY; FCP_ERR_IO: where the data is cannot be found out.
 */
int fcp_share_index_build(const struct fcp_share_index_build *build, struct fcp_share_index *index_,
			  struct fcp_error *err);

/* A block that may have the bytes of which this is the hash; not necessarily one of the file. */
bool fcp_share_index_find(const struct fcp_share_index *index, uint64_t hash, uint64_t *block_);

/* ---- for building it, and keeping it in a file ---- */

/* How many slots an index of that many blocks of data has. */
uint64_t fcp_share_index_slots(uint64_t blocks);

/* Any thread. A block whose neighbourhood is full is left out. */
void fcp_share_index_add(struct fcp_share_index *index, uint64_t hash, uint64_t block);

void fcp_share_index_clear(struct fcp_share_index *index);

#endif
