// SPDX-License-Identifier: Apache-2.0
/* What the holes of a memory file mean. */
#ifndef FCP_STEPS_HOLES_H
#define FCP_STEPS_HOLES_H

#include "memory/file.h"

/*
 * Reads the attributes recorded with the file; holes are as specified, unless that is
 * FCP_HOLES_UNSPECIFIED. FCP_ERR_UNSUPPORTED: a file recorded as a layer is never treated as a
 * whole one. *contradicts_: a file recorded as whole is treated as a layer.
 */
int fcp_holes_decide(const struct fcp_file *file, enum fcp_holes specified,
		     struct fcp_file_attributes *attributes_, bool *contradicts_,
		     struct fcp_error *err);

/* Does the file, of that size, have holes? */
bool fcp_holes_exist(const struct fcp_file *file, uint64_t size_bytes);

#endif
