// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions.h"
#include "api.h"
#include "control.h"
#include "hinting.h"
#include "hotplug.h"
#include "loop.h"
#include "schema.h"

#define MAX_TOKENS 4
#define JSON_TYPE "application/json"
#define BAD_JSON "An error occurred when deserializing the json body of a request: %s."
#define BAD_METHOD                                                       \
	"{ \"error\": \"Invalid HTTP Method: Unsupported HTTP method.\n" \
	"All previous unanswered requests will be dropped.\" }"

enum when {
	ANY_TIME,
	BEFORE_BOOT,
	AFTER_BOOT,
};

struct route {
	const char *method;
	const char *path[3]; /* "*": an id; NULL: no more */
	enum when when;
	const struct serde_struct *body;
	action_fn act;
	const char *id_name;
};

static const struct route routes[] = {
	{"GET", {""}, ANY_TIME, NULL, act_instance_info, NULL},
	{"GET", {"version"}, ANY_TIME, NULL, act_version, NULL},
	{"GET", {"vm", "config"}, ANY_TIME, NULL, act_vm_config, NULL},
	{"GET", {"machine-config"}, ANY_TIME, NULL, act_machine_get, NULL},
	{"GET", {"balloon", "statistics"}, AFTER_BOOT, NULL, act_balloon_stats, NULL},
	{"GET", {"balloon", "hinting", "status"}, AFTER_BOOT, NULL, act_hinting_status, NULL},
	{"GET", {"balloon"}, ANY_TIME, NULL, act_balloon_get, NULL},
	{"GET", {"hotplug", "memory"}, AFTER_BOOT, NULL, act_hotplug_get, NULL},
	{"PUT", {"hotplug", "memory"}, BEFORE_BOOT, &schema_hotplug, act_hotplug_set, NULL},
	{"PATCH",
	 {"hotplug", "memory"},
	 AFTER_BOOT,
	 &schema_hotplug_update,
	 act_hotplug_update,
	 NULL},
	{"PUT", {"balloon"}, BEFORE_BOOT, &schema_balloon, act_balloon_set, NULL},
	{"PUT", {"machine-config"}, BEFORE_BOOT, &schema_machine, act_machine_set, NULL},
	{"PUT", {"boot-source"}, BEFORE_BOOT, &schema_boot_source, act_boot_source, NULL},
	{"PUT", {"drives", "*"}, ANY_TIME, &schema_drive, act_drive, "drive_id"},
	{"PUT",
	 {"network-interfaces", "*"},
	 ANY_TIME,
	 &schema_interface,
	 act_interface,
	 "iface_id"},
	{"PUT", {"metrics"}, BEFORE_BOOT, &schema_metrics, act_metrics, NULL},
	{"PUT", {"logger"}, BEFORE_BOOT, &schema_logger, act_nothing, NULL},
	{"PUT", {"actions"}, ANY_TIME, &schema_action, act_action, NULL},
	{"PUT",
	 {"snapshot", "create"},
	 AFTER_BOOT,
	 &schema_snapshot_create,
	 act_snapshot_create,
	 NULL},
	{"PUT", {"snapshot", "load"}, ANY_TIME, &schema_snapshot_load, act_snapshot_load, NULL},
	{"PATCH", {"drives", "*"}, AFTER_BOOT, &schema_drive_update, act_drive_update, "drive_id"},
	{"PATCH", {"vm"}, AFTER_BOOT, &schema_vm, act_vm_state, NULL},
	{"PATCH",
	 {"balloon", "hinting", "start"},
	 AFTER_BOOT,
	 &schema_start_hinting,
	 act_hinting_start,
	 NULL},
	{"PATCH", {"balloon", "hinting", "stop"}, AFTER_BOOT, NULL, act_hinting_stop, NULL},
	{"PATCH",
	 {"balloon", "statistics"},
	 AFTER_BOOT,
	 &schema_balloon_stats_update,
	 act_balloon_stats_update,
	 NULL},
	{"PATCH", {"balloon"}, AFTER_BOOT, &schema_balloon_update, act_balloon_update, NULL},
	{"PATCH", {"machine-config"}, BEFORE_BOOT, &schema_machine_update, act_machine_set, NULL},
};

struct tokens {
	char text[256];
	const char *at[MAX_TOKENS]; /* "" for the root, NULL after the last */
};

static void split(const char *path, struct tokens *t)
{
	char *p = t->text, *save = NULL;

	*t = (struct tokens){.at = {""}};
	snprintf(t->text, sizeof(t->text), "%s", path + strspn(path, "/"));
	for (size_t i = 0; i < MAX_TOKENS; i++, p = NULL) {
		const char *token = strtok_r(p, "/", &save);

		if (!token)
			return;
		t->at[i] = token;
	}
}

static bool route_matches(const struct route *r, const char *method, const struct tokens *t)
{
	if (strcmp(r->method, method))
		return false;
	for (size_t i = 0; i < 3 && r->path[i]; i++) {
		if (!t->at[i])
			return false;
		if (strcmp(r->path[i], "*") && strcmp(r->path[i], t->at[i]))
			return false;
	}
	return true;
}

static const struct route *find_route(const char *method, const struct tokens *t)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (route_matches(&routes[i], method, t))
			return &routes[i];
	}
	return NULL;
}

/* Paths below /balloon that are none: their own message. */
static bool refuse_balloon_path(const char *method, const struct tokens *t,
				struct http_reply *reply)
{
	if (strcmp(t->at[0], "balloon") || !t->at[1])
		return false;
	if (!strcmp(t->at[1], "hinting") && strcmp(method, "PUT")) {
		const char *last = t->at[2] ? t->at[2] : "";

		if (!strcmp(last, "status") && !strcmp(method, "GET"))
			return false;
		if ((!strcmp(last, "start") || !strcmp(last, "stop")) && !strcmp(method, "PATCH"))
			return false;
		reply_fault(reply, "Unrecognized %s request path `/hinting/%s`.", method, last);
		return true;
	}
	if (strcmp(method, "GET") || !strcmp(t->at[1], "statistics"))
		return false;
	reply_fault(reply, "Unrecognized GET request path `%s`.", t->at[1]);
	return true;
}

static bool refuse_body(const struct http_call *call, const struct tokens *t,
			struct http_reply *reply)
{
	bool hinting = !strcmp(t->at[0], "balloon") && t->at[1] && !strcmp(t->at[1], "hinting");

	if (!strcmp(call->method, "GET") && call->len)
		reply_fault(reply, "GET request cannot have a body.");
	else if (!strcmp(call->method, "DELETE") && call->len)
		reply_fault(reply, "Empty Delete request.");
	else if (!strcmp(call->method, "PUT") && !call->len)
		reply_fault(reply, "Empty PUT request.");
	else if (!strcmp(call->method, "PATCH") && !call->len && !hinting)
		reply_fault(reply, "Empty PATCH request.");
	else
		return false;
	return true;
}

static bool refuse_path(const struct http_call *call, const struct tokens *t,
			struct http_reply *reply)
{
	static const char *const with_id[] = {"drives", "network-interfaces", NULL};

	if (!strcmp(call->method, "PUT") && !strcmp(t->at[0], "snapshot")) {
		if (t->at[1])
			reply_fault(reply, "Invalid request method and/or path: PUT /snapshot/%s.",
				    t->at[1]);
		else
			reply_fault(reply, "Missing snapshot operation type.");
		return true;
	}
	for (size_t i = 0; with_id[i]; i++) {
		if (!strcmp(call->method, "PUT") && !strcmp(t->at[0], with_id[i])) {
			reply_fault(reply, "The ID cannot be empty.");
			return true;
		}
	}
	reply_fault(reply, "Invalid request method and/or path: %s %s.", call->method, t->at[0]);
	return true;
}

static bool refuse_id(const struct route *r, const struct tokens *t, const json_t *body,
		      struct http_reply *reply)
{
	const char *id = t->at[1], *in_body;

	if (!r->id_name)
		return false;
	in_body = json_string_value(json_object_get(body, r->id_name));
	if (in_body && !strcmp(id, in_body))
		return false;
	if (!strcmp(r->id_name, "drive_id"))
		reply_fault(reply, "The id from the path does not match the id from the body!");
	else
		reply_fault(reply,
			    "The id from the path [%s] does not match the id from the "
			    "body [%s]!",
			    id, in_body ? in_body : "");
	return true;
}

static bool refuse_state(const struct vm *vm, const struct route *r, struct http_reply *reply)
{
	if (r->when == BEFORE_BOOT && vm->state != VM_NOT_STARTED)
		reply_fault(reply, "The requested operation is not supported after starting the "
				   "microVM.");
	else if (r->when == AFTER_BOOT && vm->state == VM_NOT_STARTED)
		reply_fault(reply, "The requested operation is not supported before starting the "
				   "microVM.");
	else
		return false;
	return true;
}

/* What the main thread is to do. */
struct act {
	struct vm *vm;
	const struct route *route;
	const json_t *body;
	struct http_reply *reply;
};

static void run_act(void *arg)
{
	const struct act *a = arg;

	a->route->act(a->vm, a->body, a->reply);
}

static void run_route(struct http_call *call, const struct route *r, const struct tokens *t,
		      struct http_reply *reply)
{
	char message[1024];
	json_t *body = NULL;
	struct act act = {call->vm, r, NULL, reply};

	if (r->body && call->len) {
		if (serde_check(r->body, call->body, call->len, message, sizeof(message))) {
			reply_fault(reply, BAD_JSON, message);
			return;
		}
		act.body = body = json_loadb(call->body, call->len, 0, NULL);
	}
	pthread_mutex_lock(&call->vm->lock);
	hinting_advance(call->vm);
	if (!refuse_id(r, t, body, reply) && !refuse_state(call->vm, r, reply))
		loop_call(call->vm, run_act, &act);
	pthread_mutex_unlock(&call->vm->lock);
	json_decref(body);
}

static bool method_is_known(const char *method)
{
	return !strcmp(method, "GET") || !strcmp(method, "PUT") || !strcmp(method, "PATCH") ||
	       !strcmp(method, "DELETE");
}

static void do_call(struct http_call *call, struct http_reply *reply)
{
	const struct route *r;
	struct tokens t;

	reply->status = 204;
	if (!method_is_known(call->method)) {
		http_reply_text(reply, 400, JSON_TYPE, BAD_METHOD);
		return;
	}
	split(call->path, &t);
	if (refuse_body(call, &t, reply) || refuse_balloon_path(call->method, &t, reply))
		return;
	r = find_route(call->method, &t);
	if (r)
		run_route(call, r, &t, reply);
	else
		refuse_path(call, &t, reply);
}

static void log_call(void *arg)
{
	const struct http_call *call = arg;
	const char *trace = http_request_header(call, "traceparent");
	char *line;

	/* The real one has no use for it: no request should carry it. */
	if (asprintf(&line, "%s %s%s%s%s%s", call->method, call->uri, trace ? " traceparent=" : "",
		     trace ? trace : "", call->len ? " " : "", call->body) < 0)
		return;
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

enum MHD_Result api_serve(struct http_call *call)
{
	struct http_reply reply = {0};
	struct turn turn;
	enum MHD_Result ret;

	http_reply_header(&reply, "Server", "Firecracker API");
	if (!strncmp(call->path, "/sim/", 5)) {
		control_call(call, &reply);
		return http_send(call, &reply);
	}
	turns_join(&call->vm->turns, &turn, log_call, call);
	count_call(call);
	if (call->fault.kind != FAULT_NONE) {
		/* One that hangs, or is not done, stops no other. */
		turns_leave(&call->vm->turns, &turn);
		if (http_fault_before(call, JSON_TYPE, &ret))
			return ret;
		turns_join(&call->vm->turns, &turn, NULL, NULL);
	}
	turns_wait(&call->vm->turns, &turn);
	do_call(call, &reply);
	turns_leave(&call->vm->turns, &turn);
	return http_send_after(call, &reply);
}

int api_install_balloon(struct vm *vm, const char *json, char *ret_message, size_t size)
{
	json_t *body;
	int ret;

	if (serde_check(&schema_balloon, json, strlen(json), ret_message, size))
		return -1;
	body = json_loads(json, 0, NULL);
	ret = balloon_set(vm, body);
	if (ret)
		snprintf(ret_message, size, "amount_mib is more than the guest's memory");
	json_decref(body);
	return ret;
}

static int configure(struct vm *vm, const char *path, const json_t *body, char *ret_message,
		     size_t size)
{
	char *text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
	struct http_call call = {
		.vm = vm,
		.method = "PUT",
		.path = path,
		.uri = path,
		.body = text,
		.len = strlen(text),
	};
	struct http_reply reply = {0};
	bool refused;

	do_call(&call, &reply);
	refused = reply.status >= 400;
	if (refused)
		snprintf(ret_message, size, "%s: %.*s", path, (int)reply.len, reply.body);
	free(reply.body);
	free(text);
	return refused ? -1 : 0;
}

/* A section is an object, or a list of objects that have an id. */
static int configure_section(struct vm *vm, const char *path, const char *id_name,
			     const json_t *section, char *ret_message, size_t size)
{
	const json_t *item;
	char with_id[128];
	size_t i;

	if (json_is_null(section) || !section)
		return 0;
	if (!id_name)
		return configure(vm, path, section, ret_message, size);
	json_array_foreach(section, i, item)
	{
		snprintf(with_id, sizeof(with_id), "%s/%s", path,
			 json_string_value(json_object_get(item, id_name)));
		if (configure(vm, with_id, item, ret_message, size))
			return -1;
	}
	return 0;
}

int api_configure(struct vm *vm, const char *path, char *ret_message, size_t size)
{
	static const struct {
		const char *section, *path, *id_name;
	} sections[] = {
		{"boot-source", "/boot-source", NULL},
		{"machine-config", "/machine-config", NULL},
		{"drives", "/drives", "drive_id"},
		{"network-interfaces", "/network-interfaces", "iface_id"},
		{"balloon", "/balloon", NULL},
		{"memory-hotplug", "/hotplug/memory", NULL},
		{"metrics", "/metrics", NULL},
	};
	json_error_t error;
	json_t *all = json_load_file(path, 0, &error);
	int ret = all ? 0 : -1;

	if (!all)
		snprintf(ret_message, size, "%s", error.text);
	for (size_t i = 0; !ret && i < sizeof(sections) / sizeof(sections[0]); i++)
		ret = configure_section(vm, sections[i].path, sections[i].id_name,
					json_object_get(all, sections[i].section), ret_message,
					size);
	json_decref(all);
	return ret;
}
