// SPDX-License-Identifier: Apache-2.0
/*
 * An index that is kept beside its file, as FILE.fcpause-index, so that the next run need not
 * read the file again. It holds a header (which file it is of, and as of when; how long the table
 * is; a checksum of both) and the table, in the byte order of the host. It may be removed at any
 * time. Nobody has to trust it: see memory/share/index.h.
 */
#ifndef FCP_MEMORY_SHARE_INDEX_FILE_H
#define FCP_MEMORY_SHARE_INDEX_FILE_H

#include "memory/share/index.h"

#include <sys/stat.h>

#define FCP_INDEX_SUFFIX ".fcpause-index"

/*
 * Reads the index of the open file fd, if there is one of the file as `of` describes it. false:
 * there is none, it is of another file or of an earlier state of this one, or it is damaged.
 */
bool fcp_share_index_read(int fd, const struct stat *of, struct fcp_share_index *index_);

/* The same of the open index file. */
bool fcp_share_index_load(int file, const struct stat *of, struct fcp_share_index *index_);

/*
 * Keeps the index beside fd: whole, with the owner and the mode of the file that it is of, in the
 * place of one that was there. false where that cannot be done: nothing is kept then. No symbolic
 * link is followed.
 */
bool fcp_share_index_keep(int fd, const struct stat *of, const struct fcp_share_index *index);

#endif
