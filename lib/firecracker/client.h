// SPDX-License-Identifier: Apache-2.0
/* One Firecracker process's API, as its specification (1.16, firecracker.yaml) lays it out. */
#ifndef FCP_FIRECRACKER_CLIENT_H
#define FCP_FIRECRACKER_CLIENT_H

#include "net/http.h"
#include "net/json.h"

#define FCP_FIRECRACKER_TIMEOUT_MS 2000

struct fcp_firecracker {
	struct fcp_http *http;
	uint32_t timeout_ms;   /* for each request */
	fcp_deadline deadline; /* for all requests from here on; FCP_DEADLINE_NEVER */
	int cancel_fd;
	const struct fcp_observer *observer; /* or NULL */
};

/* timeout_ms 0: FCP_FIRECRACKER_TIMEOUT_MS. Connects at the first call. */
int fcp_firecracker_open(const char *api_sock, uint32_t timeout_ms, int cancel_fd,
			 struct fcp_firecracker *firecracker_, struct fcp_error *err);

/* Requests, and who answers, are told to the observer (borrowed, NULL: none) from here on. */
void fcp_firecracker_observe(struct fcp_firecracker *firecracker,
			     const struct fcp_observer *observer);

/* Safe on a zeroed struct. */
void fcp_firecracker_close(struct fcp_firecracker *firecracker);

static inline void fcp_cleanup_firecracker(struct fcp_firecracker *firecracker)
{
	fcp_firecracker_close(firecracker);
}

/* From here on nothing interrupts a call but its own timeout: for calls that put the VM back. */
void fcp_firecracker_shield(struct fcp_firecracker *firecracker);

/*
 * Sends one request (body: JSON text or NULL). Any 2xx is a success: older versions say 200 where
 * newer ones say 204. *reply_, where asked for, is the answer's JSON and owned.
 * FCP_ERR_SERVER with Firecracker's own words (`fault_message`, or `error` of its HTTP layer) and
 * http_status; else as fcp_http_send().
 */
int fcp_firecracker_call(struct fcp_firecracker *firecracker, const char *method, const char *path,
			 const char *body, struct fcp_json **reply_, struct fcp_error *err);

/* The process behind the socket, 0 when not known. Known after the first call. */
pid_t fcp_firecracker_pid(const struct fcp_firecracker *firecracker);

/* A pidfd of it, borrowed, -1 when not known. */
int fcp_firecracker_pidfd(const struct fcp_firecracker *firecracker);

#endif
