// SPDX-License-Identifier: Apache-2.0
/*
 * The public functions' settings and results: the caller's structs may be shorter or longer than
 * ours, as it may have been built against another version of fcpause.h. A step works on ours.
 */
#ifndef FCP_BASE_CALL_H
#define FCP_BASE_CALL_H

#include "fcpause.h"

/* No struct of any version is larger: a size above it was not initialised. */
#define FCP_STRUCT_BYTES_MAX 65536

/*
 * Fills *settings, which holds the defaults of our version, with what the caller gave. Both begin
 * with their size. FCP_ERR_USAGE: a size that was not set, or a member that is not known here and
 * not zero.
 */
int fcp_settings_take(void *settings, const void *given, struct fcp_error *err);

/*
 * Of a member `reserved`, which a later version may use: FCP_ERR_USAGE, as for a member that is not
 * known, if it is not 0.
 */
int fcp_reserved_check(uint32_t reserved, struct fcp_error *err);

/* fcp_settings_take(), and whether the caller's result can take what every result begins with. */
int fcp_call_begin(void *settings, const void *given, const void *result, struct fcp_error *err);

/*
 * Moves what fits of our result, of the size bytes, into the caller's; the rest stays in *own, to
 * be freed there. Both begin with their size and an outcome; the caller's stays, ours is set.
 * Members of the caller's that are not known here become zero. Returns what the public function
 * returns: -1 where ran is negative, else the status.
 */
int fcp_call_end(void *result, void *own, size_t bytes, int ran);

/* The same for what begins with its size, but has no outcome and no settings: fcp_flags. */
int fcp_output_begin(const void *output, struct fcp_error *err);
void fcp_output_end(void *output, void *own, size_t bytes);

/* Moves the caller's result to *own, of the size bytes: *result is zeros, except for its size. */
void fcp_result_take_back(void *own, size_t bytes, void *result);

#endif
