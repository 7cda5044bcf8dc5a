// SPDX-License-Identifier: Apache-2.0
/*
 * What is recorded with a memory file, in extended attributes (xattr(7)): what its holes mean, which
 * memory it is, and on which base it lies.
 *
 *   user.fcpause.holes  "zero" or "base"
 *   user.fcpause.id     a random UUID of this memory
 *   user.fcpause.base   of a layer: the id of its base
 *   user.fcpause.mtime  the file's modification time, SECONDS.NANOSECONDS: when it differs, somebody
 *                       has written the file since (`cp` onto it, say), and the rest means nothing
 *
 * They go with the file when it is renamed, linked, or copied with `cp -a`.
 */
#ifndef FCP_MEMORY_ATTRIBUTES_H
#define FCP_MEMORY_ATTRIBUTES_H

#include "base/error.h"

/* What is not recorded, or is not what fcpause writes, is FCP_HOLES_UNSPECIFIED and "". */
void fcp_attributes_read(int fd, struct fcp_file_attributes *attributes_);

/* The same by path, without opening the file, whose last component may be a link of /proc. */
void fcp_attributes_read_path(const char *path, struct fcp_file_attributes *attributes_);

/* Fills in a new random id. FCP_ERR_IO. */
int fcp_attributes_new_id(struct fcp_file_attributes *attributes, struct fcp_error *err);

/*
 * Records what is set of attributes with the open file fd; what is not set stays as it is. false
 * when the file system has no such attributes, or no room for them: then nothing is recorded, and
 * a reader will ask what the holes mean.
 */
bool fcp_attributes_write(int fd, const struct fcp_file_attributes *attributes);

/*
 * Records a new id with the file where there is none, and nothing else: neither its content nor its times
 * change. fd may be open for reading only. Where it cannot be recorded the file is without.
 */
void fcp_attributes_give_id(int fd);

/* Is the memory below the base of layer? */
enum fcp_lineage fcp_attributes_lineage(const struct fcp_file_attributes *below,
					const struct fcp_file_attributes *layer);

/* After a change by ourselves: what is recorded is still right. */
void fcp_attributes_renew(int fd);

#endif
