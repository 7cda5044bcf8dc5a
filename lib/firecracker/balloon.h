// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_FIRECRACKER_BALLOON_H
#define FCP_FIRECRACKER_BALLOON_H

#include "firecracker/client.h"

/*
 * GET /balloon. *present_ is false, and *balloon_ untouched, when there is none. A field that is missing (hinting and reporting before 1.14) is false.
 */
int fcp_balloon_get(struct fcp_firecracker *firecracker, bool *present_,
		    struct fcp_balloon *balloon_, struct fcp_error *err);

/* PUT /balloon: before boot only; replaces one that is there. */
int fcp_balloon_put(struct fcp_firecracker *firecracker, const struct fcp_balloon *balloon,
		    struct fcp_error *err);

#endif
