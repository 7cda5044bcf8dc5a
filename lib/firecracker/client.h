// SPDX-License-Identifier: Apache-2.0
/* The API of one Firecracker process, as specified in 1.16's firecracker.yaml. */
#ifndef FCP_FIRECRACKER_CLIENT_H
#define FCP_FIRECRACKER_CLIENT_H

#include "net/http.h"
#include "net/json.h"

#define FCP_FIRECRACKER_TIMEOUT_MS 2000

struct fcp_firecracker {
	struct fcp_http *http;
	uint32_t timeout_ms;   /* for each request */
	fcp_deadline deadline; /* for all requests from now on; FCP_DEADLINE_NEVER */
	int cancel_fd;
	const struct fcp_observer *observer; /* or NULL */
};

/* timeout_ms 0: FCP_FIRECRACKER_TIMEOUT_MS. Connects at the first call. */
int fcp_firecracker_open(const char *api_sock, uint32_t timeout_ms, int cancel_fd,
			 struct fcp_firecracker *firecracker_, struct fcp_error *err);

/* Reports requests, and who answers, to the observer (borrowed; NULL: none) from now on. */
void fcp_firecracker_observe(struct fcp_firecracker *firecracker,
			     const struct fcp_observer *observer);

/* Safe on a zeroed struct. */
void fcp_firecracker_close(struct fcp_firecracker *firecracker);

static inline void fcp_cleanup_firecracker(struct fcp_firecracker *firecracker)
{
	fcp_firecracker_close(firecracker);
}

/* From now on only its own timeout ends a call early: for calls that restore the VM's state. */
void fcp_firecracker_shield(struct fcp_firecracker *firecracker);

/*
 * Sends one request (body: JSON text or NULL). Any 2xx is a success: older versions answer 200
 * where newer ones answer 204. *reply_, if not NULL, is the answer's JSON, owned. FCP_ERR_SERVER:
 * Firecracker's own message (`fault_message`, or `error` of its HTTP layer), and http_status; else
 * as fcp_http_send().
 */
int fcp_firecracker_call(struct fcp_firecracker *firecracker, const char *method, const char *path,
			 const char *body, struct fcp_json **reply_, struct fcp_error *err);

/* The process behind the socket; 0 if unknown, as before the first call. */
pid_t fcp_firecracker_pid(const struct fcp_firecracker *firecracker);

/* Its pidfd, borrowed; -1 if unknown. */
int fcp_firecracker_pidfd(const struct fcp_firecracker *firecracker);

#endif
