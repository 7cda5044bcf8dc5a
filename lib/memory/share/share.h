// SPDX-License-Identifier: Apache-2.0
/*
 * Stores pages by sharing them: a page whose bytes stand in another file of the same file system
 * is cloned from there (ioctl_ficlonerange(2)) instead of written.
 *
 * Others may write those files at any time, a guest its disk for one. So each is frozen first:
 * cloned as a whole into a file without a name. Pages are compared with that, and cloned from that;
 * what comes into the file later is not seen.
 *
 * The copy has nothing in the page cache, and the file often has all of it. Where a read lease on
 * the file can be had (memory/lease.h), nobody can write it, and both are the same: then pages are
 * compared with the file, and cloned only when the lease was seen to be held still.
 */
#ifndef FCP_MEMORY_SHARE_SHARE_H
#define FCP_MEMORY_SHARE_SHARE_H

#include "memory/share/index.h"

#define FCP_SHARE_SOURCES_MAX (FCP_SHARES_MAX + 1)
/* What is read of a source at a time. */
#define FCP_SHARE_WINDOW_BYTES UINT64_C(65536)

struct fcp_share_file {
	int fd;		  /* open for reading only; until fcp_share_freeze() */
	const char *name; /* for messages; must live as long as the set */
	int directory;	  /* of the file that is to share its storage; until fcp_share_freeze() */
	int cancel_fd;
};

struct fcp_share_source {
	struct fcp_share_file file;
	int fd;		 /* frozen; -1: it is not looked at */
	int live;	 /* the file itself, leased since before it was frozen; or -1 */
	const char *why; /* it is not looked at; static storage, or NULL */
	uint64_t blocks;
	struct fcp_share_index index;
	bool index_read; /* from the file beside it; else it was built */
	/* Below with atomic operations, by any thread. */
	bool off;     /* cannot be read or cloned from after all */
	bool is_live; /* the lease on it is held */
	uint64_t shared_bytes;
};

/* Files to share with, in the order in which they are looked at. */
struct fcp_share_set {
	struct fcp_share_source sources[FCP_SHARE_SOURCES_MAX];
	size_t count;
	uint64_t min_run_bytes; /* shorter runs are written; 0: none */
	fcp_share_hash *hash;	/* NULL: fcp_share_hash_block(); another one is for tests */
};

/*
 * Adds a file to the set, which has room for it, and reads its index, or builds and keeps one.
 * Where it cannot be frozen, or an index not be had, it is added all the same, with the reason.
 * FCP_ERR_INTERRUPTED.
 */
int fcp_share_add(struct fcp_share_set *set, const struct fcp_share_file *file,
		  struct fcp_error *err);

/*
 * Freezes all of them as they are now: once, before the first page. It takes some milliseconds,
 * in which writing to the files waits; from here on who opens a leased one for writing waits until
 * pages are put, or the set is cleared.
 */
void fcp_share_freeze(struct fcp_share_set *set);

static inline uint64_t fcp_share_hash_of(const struct fcp_share_set *set, const unsigned char *page)
{
	return set->hash ? set->hash(page) : fcp_share_hash_block(page);
}

/* Is there a file to share with? */
bool fcp_share_is_possible(const struct fcp_share_set *set);

/* What a thread has read of a source last; source NULL: nothing yet. */
struct fcp_share_window {
	const struct fcp_share_source *source;
	uint64_t start, end; /* blocks */
	unsigned char bytes[FCP_SHARE_WINDOW_BYTES];
};

struct fcp_share_put {
	int fd;			    /* the file, open for writing */
	const char *name;	    /* for messages */
	struct fcp_range run;	    /* whole pages */
	const unsigned char *pages; /* their bytes */
	bool there;		    /* the file holds them already: nothing is written */
};

/*
 * Puts pages into the file: clones those that a source has, for as long as they follow each other
 * there, and writes the others. Pages of zeros are never cloned: a hole of the source would become
 * one here. Any thread, each with a window of its own. *shared_bytes_ is what was cloned.
 * FCP_ERR_IO with ENOSPC; that a source cannot be read, or not be cloned from, is no error: the
 * pages are written then.
 */
int fcp_share_put(struct fcp_share_set *set, struct fcp_share_window *window,
		  const struct fcp_share_put *put, uint64_t *shared_bytes_, struct fcp_error *err);

/* Safe on zeros. */
void fcp_share_clear(struct fcp_share_set *set);

#endif
