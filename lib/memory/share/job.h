// SPDX-License-Identifier: Apache-2.0
/* Between share.c, which stores pages, and find.c, which finds them. */
#ifndef FCP_MEMORY_SHARE_JOB_H
#define FCP_MEMORY_SHARE_JOB_H

#include "base/units.h"
#include "memory/share/share.h"

#define FCP_SHARE_PIECE_BYTES FCP_MIB
#define FCP_SHARE_PIECE_PAGES (FCP_SHARE_PIECE_BYTES / FCP_PAGE_BYTES)

/* A page of a source; NULL: none. */
struct fcp_share_match {
	struct fcp_share_source *source;
	uint64_t block;
};

/* Pages that a source has in a row, from that block on. */
struct fcp_share_span {
	struct fcp_range at; /* of the file */
	struct fcp_share_match from;
};

/* A piece of what fcp_share_put() is to put; hashed is false at first. */
struct fcp_share_job {
	struct fcp_share_set *set;
	struct fcp_share_window *window;
	const struct fcp_share_put *put;
	struct fcp_range piece;
	bool live[FCP_SHARE_SOURCES_MAX]; /* compared with the file, not its frozen copy */
	uint64_t hashes[FCP_SHARE_PIECE_PAGES];
	bool hashed;					    /* they are known */
	struct fcp_share_span spans[FCP_SHARE_PIECE_PAGES]; /* in order */
	size_t count;
};

static inline bool fcp_share_is_off(const struct fcp_share_source *source)
{
	return source->fd < 0 || __atomic_load_n(&source->off, __ATOMIC_RELAXED);
}

static inline void fcp_share_turn_off(struct fcp_share_source *source)
{
	__atomic_store_n(&source->off, true, __ATOMIC_RELAXED);
}

static inline const unsigned char *fcp_share_page_at(const struct fcp_share_job *job, uint64_t at)
{
	return job->put->pages + (at - job->put->run.start);
}

/* Which pages of the piece a source has, in spans. Bytes have been compared with what is frozen. */
void fcp_share_find(struct fcp_share_job *job);

#endif
