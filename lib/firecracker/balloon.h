// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_FIRECRACKER_BALLOON_H
#define FCP_FIRECRACKER_BALLOON_H

#include "firecracker/client.h"

/*
 * GET /balloon. Without a balloon *present_ is false, and *balloon_ untouched. Fields missing from
 * the answer (hinting and reporting before 1.14) are false.
 */
int fcp_balloon_get(struct fcp_firecracker *firecracker, bool *present_,
		    struct fcp_balloon *balloon_, struct fcp_error *err);

/* PUT /balloon: only before boot; replaces an existing one. */
int fcp_balloon_put(struct fcp_firecracker *firecracker, const struct fcp_balloon *balloon,
		    struct fcp_error *err);

#endif
