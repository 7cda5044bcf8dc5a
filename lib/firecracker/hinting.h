// SPDX-License-Identifier: Apache-2.0
/*
 * Free page hinting of the balloon (Firecracker 1.14 and later, a developer preview). Command ids:
 * 0 none yet, 1 done, 2 and up: a run, incremented at every start.
 */
#ifndef FCP_FIRECRACKER_HINTING_H
#define FCP_FIRECRACKER_HINTING_H

#include "firecracker/client.h"

#define FCP_HINTING_NONE 0
#define FCP_HINTING_DONE 1

struct fcp_hinting_status {
	int64_t host_cmd;
	int64_t guest_cmd; /* -1: null, the guest has not answered yet */
};

/* GET /balloon/hinting/status. */
int fcp_hinting_status(struct fcp_firecracker *firecracker, struct fcp_hinting_status *status_,
		       struct fcp_error *err);

/*
 * PATCH /balloon/hinting/start with acknowledge_on_stop: host_cmd becomes 1 without further
 * requests once the guest has handed out all it has. (POST, as in Firecracker's documentation, is
 * refused.)
 */
int fcp_hinting_start(struct fcp_firecracker *firecracker, struct fcp_error *err);

/* PATCH /balloon/hinting/stop: the guest takes its pages back. Harmless without a run. */
int fcp_hinting_stop(struct fcp_firecracker *firecracker, struct fcp_error *err);

#endif
