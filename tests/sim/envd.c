// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "calls.h"
#include "connect.h"
#include "envd.h"
#include "quiesce.h"
#include "stream.h"

#define CONNECT_JSON "application/connect+json"
#define ACCEPT_STREAM                                                                          \
	"application/connect+json, application/connect+json; charset=utf-8, "                  \
	"application/connect+proto, application/grpc, application/grpc+json, "                 \
	"application/grpc+json; charset=utf-8, application/grpc+proto, application/grpc-web, " \
	"application/grpc-web+json, application/grpc-web+json; charset=utf-8, "                \
	"application/grpc-web+proto"

static struct guest *the_guest;

void envd_init(struct guest *guest)
{
	the_guest = guest;
}

static bool is_call(const struct http_call *call, const char *method, const char *path)
{
	return !strcmp(call->method, method) && !strcmp(call->path, path);
}

static void log_call(struct http_call *call)
{
	static const char *const names[] = {"Connect-Timeout-Ms", "Authorization",
					    "X-Access-Token",	  "Connect-Protocol-Version",
					    "traceparent",	  NULL};
	bool framed = !strncmp(call->path, "/process.", 9) && call->len >= CONNECT_PREFIX &&
		      (unsigned char)call->body[0] < 4;
	char *line = NULL;
	size_t size;
	FILE *out = open_memstream(&line, &size);

	if (!out)
		return;
	fprintf(out, "envd %s %s", call->method, call->uri);
	for (size_t i = 0; names[i]; i++) {
		const char *value = http_request_header(call, names[i]);

		if (value)
			fprintf(out, " %s=%s", names[i], value);
	}
	if (call->len)
		fprintf(out, " %s", call->body + (framed ? CONNECT_PREFIX : 0));
	fclose(out);
	log_request(&call->vm->log, line);
	free(line);
}

static void count_call(struct http_call *call)
{
	pthread_mutex_lock(&call->vm->lock);
	call->vm->requests++;
	call->fault = fault_match(&call->vm->faults, call->method, call->path);
	pthread_mutex_unlock(&call->vm->lock);
}

/*
 * A command that is not tagged for envd's own cgroup does not begin where the workload is frozen.
 */
static bool is_frozen(struct http_call *call)
{
	bool frozen;

	pthread_mutex_lock(&call->vm->lock);
	frozen = call->vm->frozen;
	pthread_mutex_unlock(&call->vm->lock);
	return frozen && is_call(call, "POST", "/process.Process/Start") &&
	       (call->len <= CONNECT_PREFIX ||
		!strstr(call->body + CONNECT_PREFIX, "\"tag\":\"_system\""));
}

static bool token_is_wrong(const struct http_call *call)
{
	const char *want = call->vm->options.token;
	const char *token = http_request_header(call, "X-Access-Token");

	if (!want || is_call(call, "GET", "/health"))
		return false;
	return !token || strcmp(token, want) != 0;
}

static void refuse_token(struct http_reply *reply)
{
	http_reply_header(reply, "X-Content-Type-Options", "nosniff");
	http_reply_text(reply, 401, "application/json; charset=utf-8",
			"{\"code\":401,\"message\":\"unauthorized access, please provide a valid "
			"access token or method signing if supported\"}\n");
}

static void refuse_user(const struct http_call *call, struct http_reply *reply, const char *user)
{
	struct frames frames = {0};
	char message[128];

	snprintf(message, sizeof(message), "invalid username: '%.64s'", user);
	if (!calls_has_type(call, CONNECT_JSON)) {
		calls_refuse(reply, 401, "unauthenticated", message);
		return;
	}
	frames_add_error(&frames, "unauthenticated", message);
	reply->status = 200;
	reply->body = frames.data;
	reply->len = frames.len;
	http_reply_header(reply, "Content-Type", CONNECT_JSON);
}

static void answer_metrics(struct vm *vm, struct http_reply *reply)
{
	char text[512];
	size_t total, used, cache;

	pthread_mutex_lock(&vm->lock);
	total = vm->memory.bytes;
	cache = memory_bytes_in(&vm->memory, PAGE_CACHE);
	used = memory_bytes_in(&vm->memory, PAGE_USED) + memory_bytes_in(&vm->memory, PAGE_TAKEN);
	pthread_mutex_unlock(&vm->lock);
	snprintf(text, sizeof(text),
		 "{\"ts\":%ld,\"cpu_count\":%ld,\"cpu_used_pct\":12.34,"
		 "\"mem_total_mib\":%zu,\"mem_used_mib\":%zu,\"mem_total\":%zu,\"mem_used\":%zu,"
		 "\"mem_cache\":%zu,\"disk_used\":98037760,\"disk_total\":182907904}\n",
		 (long)time(NULL), vm->machine.vcpu_count, total / SIM_MIB, used / SIM_MIB, total,
		 used, cache);
	http_reply_header(reply, "Cache-Control", "no-store");
	http_reply_text(reply, 200, "application/json", text);
}

static void answer_plain(struct http_call *call, struct http_reply *reply)
{
	reply->status = 204;
	if (is_call(call, "GET", "/health")) {
		http_reply_header(reply, "Cache-Control", "no-store");
		http_reply_header(reply, "Content-Type", " ");
	} else if (is_call(call, "GET", "/metrics")) {
		answer_metrics(call->vm, reply);
	} else if (is_call(call, "GET", "/envs")) {
		http_reply_header(reply, "Cache-Control", "no-store");
		http_reply_text(reply, 200, "application/json", "{\"E2B_SANDBOX\":\"false\"}\n");
	} else if (!quiesce_answer(call, reply)) {
		http_reply_header(reply, "X-Content-Type-Options", "nosniff");
		http_reply_text(reply, 404, "text/plain; charset=utf-8", "404 page not found\n");
	}
}

enum MHD_Result envd_serve(struct http_call *call)
{
	const char *authorization = http_request_header(call, "Authorization");
	struct http_reply reply = {0};
	char user[128] = "root";
	enum MHD_Result ret;

	/* Nothing answers in a guest that is paused. */
	if (vm_wait_running(call->vm, call->fd))
		return MHD_NO;
	log_call(call);
	count_call(call);
	if (call->fault.kind == FAULT_NONE && is_frozen(call))
		call->fault.kind = FAULT_HANG;
	if (http_fault_before(call, CONNECT_JSON, &ret))
		return ret;
	http_reply_header(&reply, "Vary", "Origin");
	if (token_is_wrong(call)) {
		refuse_token(&reply);
	} else if (!connect_user(authorization, user, sizeof(user)) && strcmp(user, "root") &&
		   strcmp(user, "user")) {
		refuse_user(call, &reply, user);
	} else if (calls_answer(call, &reply)) {
		return http_send_after(call, &reply);
	} else if (strcmp(call->path, "/process.Process/Start")) {
		answer_plain(call, &reply);
	} else if (!calls_refuse_type(call, &reply, CONNECT_JSON, ACCEPT_STREAM)) {
		guest_refresh(the_guest);
		return stream_start(call, the_guest, user);
	}
	return http_send_after(call, &reply);
}
