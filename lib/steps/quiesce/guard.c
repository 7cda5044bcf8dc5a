// SPDX-License-Identifier: Apache-2.0
#include "steps/quiesce/guard.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "envd/connect.h"
#include "net/url.h"

#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* Firecracker may first write a large snapshot, and its own guard then resumes the VM. */
#define UNDO_MS (60 * 60 * 1000)
#define ATTEMPT_MS 2000
#define RETRY_NS UINT64_C(200000000)
#define REQUESTS 3
#define REQUEST_BYTES 2048

/* What was answered with another digit next is tried again. */
static const char answered[] = "HTTP/1.1 ";

struct job {
	struct sockaddr_storage address;
	socklen_t address_bytes;
	struct request {
		char bytes[REQUEST_BYTES];
		size_t length;
	} requests[REQUESTS]; /* by bit: FCP_THAW_... */
};

/* ---- in the guard ---- */

/* Has it become ready before the deadline? */
static bool wait_for(int fd, short events, fcp_deadline deadline)
{
	struct pollfd one = {fd, events, 0};

	return poll(&one, 1, (int)fcp_deadline_left_ms(deadline)) > 0;
}

/* Was the request carried out, or refused for good, as by an envd that has no such call? */
static bool send_request(const struct job *job, const struct request *request)
{
	FCP_CLEANUP(fd)
	int fd = socket(job->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	fcp_deadline deadline = fcp_deadline_in_ms(ATTEMPT_MS);
	char status[sizeof(answered)]; /* and the first digit */
	size_t have = 0;

	if (fd < 0 ||
	    (connect(fd, (const struct sockaddr *)&job->address, job->address_bytes) != 0 &&
	     errno != EINPROGRESS))
		return false;
	if (!wait_for(fd, POLLOUT, deadline) ||
	    send(fd, request->bytes, request->length, MSG_NOSIGNAL) != (ssize_t)request->length)
		return false;
	while (have < sizeof(status)) {
		ssize_t got = wait_for(fd, POLLIN, deadline)
				      ? recv(fd, status + have, sizeof(status) - have, 0)
				      : -1;

		if (got <= 0)
			return false;
		have += (size_t)got;
	}
	return memcmp(status, answered, sizeof(answered) - 1) == 0 &&
	       (status[sizeof(answered) - 1] == '2' || status[sizeof(answered) - 1] == '4');
}

/* In order: the workload may wait for the file system. */
static void put_back(const void *arg, unsigned undo)
{
	const struct job *job = arg;
	fcp_deadline deadline = fcp_deadline_in_ms(UNDO_MS);

	while (undo != 0 && !fcp_deadline_passed(deadline)) {
		for (unsigned i = 0; i < REQUESTS; i++)
			if (undo & (1U << i)) {
				if (!send_request(job, &job->requests[i]))
					break;
				undo &= ~(1U << i);
			}
		if (undo != 0)
			fcp_wait_ns(RETRY_NS, -1);
	}
}

/* ---- before ---- */

/* Of envd's URL, the path that its calls follow; without a slash at its end. */
struct base_path {
	const char *text;
	int length;
};

/* false: not an IP address, whose name would have to be looked for. */
static bool find_address(const char *envd, struct job *job, struct base_path *base_)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				       .ai_socktype = SOCK_STREAM};
	char name[256], port[8];
	struct addrinfo *found;

	if (!fcp_url_split(envd, name, sizeof(name), &base_->text))
		return false;
	snprintf(port, sizeof(port), "%u", fcp_url_port(envd));
	base_->length = (int)strlen(base_->text);
	while (base_->length > 0 && base_->text[base_->length - 1] == '/')
		base_->length--;
	if (getaddrinfo(name, port, &hints, &found) != 0)
		return false;
	memcpy(&job->address, found->ai_addr, found->ai_addrlen);
	job->address_bytes = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

static bool write_request(struct request *request, const struct base_path *base, const char *call,
			  const struct fcp_envd_token *token)
{
	int length = snprintf(request->bytes, sizeof(request->bytes),
			      "POST %.*s%s HTTP/1.1\r\nHost: envd\r\n%s%sContent-Length: 0\r\n"
			      "Connection: close\r\n\r\n",
			      base->length, base->text, call, token->header,
			      token->header[0] ? "\r\n" : "");

	request->length = (size_t)length;
	return length > 0 && (size_t)length < sizeof(request->bytes);
}

/* process.Process/Start of `fsfreeze -u /`, as root, outside the frozen cgroups. */
static bool write_exec(struct request *request, const struct base_path *base,
		       const struct fcp_envd_token *token)
{
	static const char json[] =
		"{\"process\":{\"cmd\":\"/bin/sh\",\"args\":[\"-c\",\"exec fsfreeze "
		"-u /\"]},\"stdin\":false,\"tag\":\"_system\"}";
	size_t json_bytes = sizeof(json) - 1;
	int length;

	length = snprintf(request->bytes, sizeof(request->bytes),
			  "POST %.*s/process.Process/Start HTTP/1.1\r\nHost: envd\r\n%s%s"
			  "Authorization: Basic cm9vdDo=\r\nConnect-Protocol-Version: 1\r\n"
			  "Connect-Timeout-Ms: %d\r\nContent-Type: application/connect+json\r\n"
			  "Content-Length: %zu\r\nConnection: close\r\n\r\n",
			  base->length, base->text, token->header, token->header[0] ? "\r\n" : "",
			  ATTEMPT_MS, FCP_CONNECT_PREFIX_BYTES + json_bytes);
	if (length < 0 ||
	    (size_t)length + FCP_CONNECT_PREFIX_BYTES + json_bytes > sizeof(request->bytes))
		return false;
	fcp_connect_prefix((uint8_t *)request->bytes + length, (uint32_t)json_bytes);
	memcpy(request->bytes + length + FCP_CONNECT_PREFIX_BYTES, json, json_bytes);
	request->length = (size_t)length + FCP_CONNECT_PREFIX_BYTES + json_bytes;
	return true;
}

void fcp_thaw_guard_start(const char *envd, const struct fcp_envd_token *token,
			  struct fcp_guardian *guard_)
{
	FCP_CLEANUP(free) struct job *job = calloc(1, sizeof(*job));
	const struct fcp_guardian_duty duty = {"fcpause-thaw", put_back, job, {-1, -1, -1, -1, -1}};
	struct fcp_error no_guard;
	struct base_path base;

	if (!job || !envd || !find_address(envd, job, &base) ||
	    !write_request(&job->requests[0], &base, "/fsthaw", token) ||
	    !write_exec(&job->requests[1], &base, token) ||
	    !write_request(&job->requests[2], &base, "/unfreeze", token))
		return;
	fcp_guardian_start(&duty, guard_, &no_guard);
	explicit_bzero(job, sizeof(*job));
}
