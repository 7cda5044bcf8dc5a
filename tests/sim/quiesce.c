// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quiesce.h"

/* The value of a parameter of the query; NULL: it is not there. */
static const char *parameter(const struct http_call *call, const char *name)
{
	return MHD_lookup_connection_value(call->connection, MHD_GET_ARGUMENT_KIND, name);
}

static void set_frozen(struct vm *vm, bool *flag, bool on)
{
	pthread_mutex_lock(&vm->lock);
	*flag = on;
	pthread_mutex_unlock(&vm->lock);
}

static void answer_freeze(struct http_call *call, struct http_reply *reply)
{
	const char *mode = parameter(call, "mode"), *wait = parameter(call, "maxWaitMs");
	const char *most = parameter(call, "maxCgroups");
	bool hierarchy = mode && !strcmp(mode, "hierarchy");
	bool truncated = hierarchy && most && atoi(most) == 1;
	char text[256];

	if (wait && strspn(wait, "0123456789") != strlen(wait)) {
		snprintf(text, sizeof(text),
			 "Invalid format for parameter maxWaitMs: error binding "
			 "string parameter: strconv.ParseInt: parsing \"%.20s\": invalid syntax\n",
			 wait);
		http_reply_header(reply, "X-Content-Type-Options", "nosniff");
		http_reply_text(reply, 400, "text/plain; charset=utf-8", text);
		return;
	}
	set_frozen(call->vm, &call->vm->frozen, true);
	if (!wait)
		return;
	snprintf(text, sizeof(text),
		 "{\"allowlisted\":%d,\"failed\":0,\"frozen\":2,"
		 "\"mode\":\"%s\",\"notFrozen\":0,\"preFrozen\":0,\"requested\":2,\"sweepMs\":0,"
		 "\"truncated\":%s,\"unobservable\":0,\"visited\":%d,\"waitMs\":2}\n",
		 hierarchy && !truncated, hierarchy ? "hierarchy" : "legacy",
		 truncated ? "true" : "false",
		 truncated   ? 1
		 : hierarchy ? 4
			     : 0);
	http_reply_header(reply, "Cache-Control", "no-store");
	http_reply_text(reply, 200, "application/json", text);
}

static bool is_ours(const char *path)
{
	static const char *const paths[] = {"/freeze",	 "/unfreeze", "/collapse",
					    "/fsfreeze", "/fsthaw",   NULL};

	for (size_t i = 0; paths[i]; i++)
		if (!strcmp(paths[i], path))
			return true;
	return false;
}

bool quiesce_answer(struct http_call *call, struct http_reply *reply)
{
	struct vm *vm = call->vm;

	if (!is_ours(call->path))
		return false;
	if (strcmp(call->method, "POST")) {
		reply->status = 405;
		return true;
	}
	if (!strcmp(call->path, "/freeze")) {
		answer_freeze(call, reply);
		return true;
	}
	if (!strcmp(call->path, "/unfreeze"))
		set_frozen(vm, &vm->frozen, false);
	else if (!strcmp(call->path, "/fsfreeze"))
		set_frozen(vm, &vm->fs_frozen, true);
	else if (!strcmp(call->path, "/fsthaw"))
		set_frozen(vm, &vm->fs_frozen, false);
	http_reply_header(reply, "Cache-Control", "no-store");
	if (!strcmp(call->path, "/collapse"))
		http_reply_text(reply, 200, "application/json",
				"{\"alreadyHuge\":7,\"chunks\":35,\"collapsed\":0,"
				"\"elapsedMs\":14,\"regions\":13,\"skipped\":28}\n");
	return true;
}
