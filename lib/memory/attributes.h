// SPDX-License-Identifier: Apache-2.0
/*
 * What is recorded with a memory file, in extended attributes (xattr(7)): what its holes mean,
 * which memory it holds, and which base it is a layer of.
 *
 *   user.fcpause.holes  "zero" or "base"
 *   user.fcpause.id     a random UUID of this memory
 *   user.fcpause.base   of a layer: the id of its base
 *   user.fcpause.mtime  the file's modification time, SECONDS.NANOSECONDS. If it differs, the file
 *   was
 *                       written since (by `cp` onto it, say), and the other attributes are void.
 *
 * They stay with the file when it is renamed, linked, or copied with `cp -a`.
 */
#ifndef FCP_MEMORY_ATTRIBUTES_H
#define FCP_MEMORY_ATTRIBUTES_H

#include "base/error.h"

/* What is not recorded, or not in fcpause's form, is FCP_HOLES_UNSPECIFIED and "". */
void fcp_attributes_read(int fd, struct fcp_file_attributes *attributes_);

/* The same by path, without opening the file. The last component may be a link in /proc. */
void fcp_attributes_read_path(const char *path, struct fcp_file_attributes *attributes_);

/* Sets a new random id. FCP_ERR_IO. */
int fcp_attributes_new_id(struct fcp_file_attributes *attributes, struct fcp_error *err);

/*
 * Records the members of attributes that are set with the open file fd; others stay as they are.
 * Returns false if the file system has no extended attributes, or no room: then nothing is
 * recorded, and readers must be told what the holes mean.
 */
bool fcp_attributes_write(int fd, const struct fcp_file_attributes *attributes);

/*
 * Records a new id if the file has none; neither its contents nor its times change. fd may be open
 * for reading only. If it cannot be recorded, the file stays without an id.
 */
void fcp_attributes_give_id(int fd);

/* Is below, judged by the ids, the base of layer? */
enum fcp_lineage fcp_attributes_lineage(const struct fcp_file_attributes *below,
					const struct fcp_file_attributes *layer);

/* After a change of our own: keeps the record valid. */
void fcp_attributes_renew(int fd);

#endif
