// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_SERVICES_OTLP_H
#define FCP_SERVICES_OTLP_H

#include "base/error.h"

struct fcp_otlp {
	const char *url;	    /* of the traces' endpoint, with its path */
	const char *const *headers; /* "Name: value", NULL at the end; or NULL */
	uint32_t timeout_ms;
	int cancel_fd; /* or -1 */
};

#define FCP_OTLP_HEADERS_MAX 16

/*
 * Sends a traces request (its JSON) once: nothing is sent again, as the caller is about to end.
 * Errors as of fcp_service_ask(), and FCP_ERR_SERVER: it was not taken, or not all of it. Source:
 * the OTLP specification, OTLP/HTTP.
 */
int fcp_otlp_send(const struct fcp_otlp *otlp, const char *json, struct fcp_error *err);

#endif
