// SPDX-License-Identifier: Apache-2.0
/*
 * Feature flags from a service, all of them by one request: LaunchDarkly's Relay Proxy (GET
 * /sdk/evalx/contexts/CONTEXT, the context as JSON in URL-safe base64) or OFREP, the OpenFeature
 * remote evaluation protocol (POST /ofrep/v1/evaluate/flags).
 */
#ifndef FCP_SERVICES_FLAG_SERVICE_H
#define FCP_SERVICES_FLAG_SERVICE_H

#include "net/json.h"

#define FCP_FLAG_RELAY_PATH "/sdk/evalx/contexts"
#define FCP_FLAG_OFREP_PATH "/ofrep/v1/evaluate/flags"

/* Has the text a scheme, as a URL has? */
bool fcp_flag_service_is_url(const char *text);

/* By the end of the URL's path; FCP_FLAGS_NONE, with *err, for another one. */
enum fcp_flags_source fcp_flag_service_kind(const char *url, struct fcp_error *err);

/*
 * The context as the service wants it, JSON, owned; NULL with *err: FCP_ERR_USAGE for what is not
 * KEY=VALUE or KIND:KEY=VALUE, or is there twice; FCP_ERR_MEMORY.
 */
char *fcp_flag_service_context(enum fcp_flags_source kind, const char *const *pairs, size_t count,
			       struct fcp_error *err);

struct fcp_flag_service {
	enum fcp_flags_source kind;
	const char *url;
	const char *key;     /* the SDK's or the client's; NULL: none */
	const char *context; /* of fcp_flag_service_context() */
	uint32_t timeout_ms;
	int cancel_fd;
	const struct fcp_observer *observer;
};

/*
 * The text of an answer that was a success, owned; NULL with *err: those of fcp_service_ask(), and
 * FCP_ERR_SERVER, the service's own.
 */
char *fcp_flag_service_ask(const struct fcp_flag_service *service, struct fcp_error *err);

/* One flag of an answer. value NULL: the service could not say, problem is why. Borrowed. */
typedef void (*fcp_flag_visitor)(const char *name, const struct fcp_json *value,
				 const char *problem, void *arg);

/* Visits each flag that has a value or a problem. FCP_ERR_PROTOCOL: no answer of that kind. */
int fcp_flag_service_read(enum fcp_flags_source kind, const char *text, fcp_flag_visitor visit,
			  void *arg, struct fcp_error *err);

#endif
