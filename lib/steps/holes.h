// SPDX-License-Identifier: Apache-2.0
/* What the holes of a memory file mean. */
#ifndef FCP_STEPS_HOLES_H
#define FCP_STEPS_HOLES_H

#include "memory/file.h"

/*
 * *attributes_ as recorded with the file, its holes as specified, where that is not FCP_HOLES_UNSPECIFIED.
 * FCP_ERR_UNSUPPORTED: a file recorded as a layer is never taken for a whole one. *contradicts_: one
 * recorded as whole is taken for a layer.
 */
int fcp_holes_decide(const struct fcp_file *file, enum fcp_holes specified,
		     struct fcp_file_attributes *attributes_, bool *contradicts_,
		     struct fcp_error *err);

/* Has the file of that size any? */
bool fcp_holes_exist(const struct fcp_file *file, uint64_t size_bytes);

#endif
