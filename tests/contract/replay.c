// SPDX-License-Identifier: Apache-2.0
/*
 * Plays every recorded exchange against simulators, in the recorded order, and compares the
 * answers. `play` ends at the first difference.
 *
 * In envd-exec.jsonl an exchange may have others come into it: those of "during" are sent over
 * other connections once "after_frames" frames of this one's stream have come; with
 * "client_closes_after_frames" the client goes away then.
 *
 * replay play --recorded DIR --dir DIR --api SOCK --envd URL --resumed-api SOCK --resumed-envd URL
 * replay exec --recorded DIR --envd URL replay metrics RECORDED ACTUAL replay memory PID
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "frames.h"
#include "guest_memory.h"
#include "pids.h"
#include "wire.h"

#define MAX_LINES 512
#define RECORDED_DIR "/vm/snapshot"
#define SEEN_WITHIN_MS 10000
#define START_PATH "/process.Process/Start"

enum file {
	FILE_API,
	FILE_ENVD,
	FILES,
};

struct recording {
	const char *name;
	json_t *lines[MAX_LINES];
	bool played[MAX_LINES];
	size_t count;
};

struct server {
	char api[256];
	const char *envd;
	int guest_ms;
	int hinting_ms;
};

static struct recording files[FILES] = {
	{.name = "firecracker-1.16.1.jsonl"},
	{.name = "envd.jsonl"},
};
static struct server booted, resumed;
static const char *work_dir;
static int test_number;

/* The files were recorded side by side; this is how their phases came one after the other. */
static const struct act {
	enum file file;
	const char *phase;
	const char *before; /* stop before this method and path; NULL: all of the phase */
	struct server *server;
} acts[] = {
	{FILE_API, "before boot", NULL, &booted},
	{FILE_API, "running, guest not up yet", NULL, &booted},
	{FILE_API, "running", NULL, &booted},
	{FILE_ENVD, "running", NULL, &booted},
	{FILE_API, "drain", NULL, &booted},
	{FILE_ENVD, "envd", NULL, &booted},
	{FILE_API, "paused", NULL, &booted},
	{FILE_API, "resumed from snapshot", "PATCH /vm", &resumed},
	{FILE_ENVD, "resumed from snapshot", NULL, &resumed},
	{FILE_API, "resumed from snapshot", NULL, &resumed},
};

static const char *text_of(const json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));

	return text ? text : "";
}

static int load(struct recording *file, const char *dir)
{
	char path[4096], *text = NULL;
	size_t size = 0;
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", dir, file->name);
	in = fopen(path, "re");
	if (!in) {
		printf("Bail out! %s: %s\n", path, strerror(errno));
		return -1;
	}
	while (getline(&text, &size, in) > 0 && file->count < MAX_LINES) {
		file->lines[file->count] = json_loads(text, 0, NULL);
		if (!file->lines[file->count++]) {
			printf("Bail out! %s: line %zu is no JSON\n", path, file->count);
			break;
		}
	}
	free(text);
	fclose(in);
	return file->count && file->lines[file->count - 1] ? 0 : -1;
}

/* Replaces the recorded directory by the one of this run. */
static char *map_paths(const char *text)
{
	char *mapped = NULL;
	size_t size;
	FILE *out = open_memstream(&mapped, &size);

	while (*text) {
		if (!strncmp(text, RECORDED_DIR "/", strlen(RECORDED_DIR "/"))) {
			fputs(work_dir, out);
			text += strlen(RECORDED_DIR);
		} else {
			fputc(*text++, out);
		}
	}
	fclose(out);
	return mapped;
}

static int ask_api(const struct server *server, const char *method, const char *path,
		   const char *body, struct wire_answer *ret)
{
	char head[1024];
	size_t len = body ? strlen(body) : 0;

	if (body)
		snprintf(head, sizeof(head),
			 "%s %s HTTP/1.1\r\nHost: localhost\r\n"
			 "Content-Type: application/json\r\nContent-Length: %zu\r\n"
			 "Connection: close\r\n",
			 method, path, len);
	else
		snprintf(head, sizeof(head),
			 "%s %s HTTP/1.1\r\nHost: localhost\r\n"
			 "Connection: close\r\n",
			 method, path);
	return wire_exchange(server->api, head, body, len, ret);
}

static int control(const struct server *server, const char *path, const char *body)
{
	struct wire_answer answer;
	int ret = ask_api(server, "PUT", path, body, &answer);

	if (!ret && answer.status != 204) {
		printf("# PUT %s %s: %d %s\n", path, body, answer.status, answer.body);
		ret = -1;
	}
	wire_free(&answer);
	return ret;
}

/* How fast the simulated guest answers, and how long its runs take. */
static int set_pace(struct server *server, int guest_ms, int hinting_ms)
{
	char body[128];

	if (server->guest_ms == guest_ms && server->hinting_ms == hinting_ms)
		return 0;
	server->guest_ms = guest_ms;
	server->hinting_ms = hinting_ms;
	snprintf(body, sizeof(body),
		 "{\"guest_ms\": %d, \"hinting_ms\": %d, "
		 "\"resumed_hinting_ms\": %d}",
		 guest_ms, hinting_ms, hinting_ms);
	return control(server, "/sim/option", body);
}

static json_t *first_of_trace(const json_t *line)
{
	const json_t *trace = json_object_get(line, "trace");

	return json_array_get(json_array_get(trace, 0), 1);
}

/* The status that the recording shows next, from line i of its phase on. */
static json_t *next_status(const struct recording *file, size_t i)
{
	const char *phase = text_of(file->lines[i], "phase");

	for (; i < file->count && !strcmp(text_of(file->lines[i], "phase"), phase); i++) {
		const json_t *line = file->lines[i];
		const char *text = NULL;

		if (json_object_get(line, "trace"))
			text = json_string_value(first_of_trace(line));
		else if (!strcmp(text_of(line, "path"), "/balloon/hinting/status"))
			text = text_of(line, "response_body");
		if (text)
			return json_loads(text, 0, NULL);
	}
	return NULL;
}

/* Lets the guest answer, or holds it back, so that what was seen then can be seen now. */
static int prepare(struct server *server, const struct recording *file, size_t i)
{
	json_t *status = next_status(file, i);
	json_int_t host, guest;
	bool answers;

	if (!status)
		return 0;
	host = json_integer_value(json_object_get(status, "host_cmd"));
	guest = json_integer_value(json_object_get(status, "guest_cmd"));
	answers = host == 1 ? guest == 0 : guest == host;
	json_decref(status);
	return set_pace(server, answers ? 0 : -1, -1);
}

static int differs(const char *what, const char *expected, const char *got)
{
	if (!strcmp(expected, got))
		return 0;
	printf("# %s differs:\n#   recorded: %s\n#   now:      %s\n", what, expected, got);
	return -1;
}

static int compare_header(const char *recorded, const struct wire_answer *answer, bool digits)
{
	size_t n = strcspn(recorded, ":");
	char *name = strndup(recorded, n);
	char *expected =
		strdup(recorded[n] ? recorded + n + 1 + strspn(recorded + n + 1, " ") : "");
	char *got = wire_header(answer, name);
	int ret;

	if (digits) {
		squeeze(expected);
		squeeze(got ? got : expected);
	}
	ret = differs(name, expected, got ? got : "(not there)");
	free(name);
	free(expected);
	free(got);
	return ret;
}

/* All recorded headers but Date and the connection's. */
static int compare_headers(const json_t *recorded, const struct wire_answer *answer, bool digits)
{
	json_t *header;
	size_t i;

	json_array_foreach((json_t *)recorded, i, header)
	{
		const char *text = json_string_value(header);

		if (!strncasecmp(text, "Date:", 5) || !strncasecmp(text, "Connection:", 11))
			continue;
		if (compare_header(text, answer, digits))
			return -1;
	}
	return 0;
}

static bool has_header(const json_t *headers, const char *name)
{
	json_t *header;
	size_t i;

	json_array_foreach((json_t *)headers, i, header)
	{
		if (!strncasecmp(json_string_value(header), name, strlen(name)))
			return true;
	}
	return false;
}

static int compare_no_type(const json_t *recorded, const struct wire_answer *answer)
{
	char *type = wire_header(answer, "Content-Type");
	int ret = 0;

	if (type && !has_header(recorded, "Content-Type:"))
		ret = differs("Content-Type", "(not there)", type);
	free(type);
	return ret;
}

static int compare_api(const json_t *line, const struct wire_answer *answer)
{
	const json_t *headers = json_object_get(line, "response_headers");
	char expected[16], got[16];

	snprintf(expected, sizeof(expected), "%lld",
		 (long long)json_integer_value(json_object_get(line, "status")));
	snprintf(got, sizeof(got), "%d", answer->status);
	if (differs("status", expected, got) ||
	    differs("body", text_of(line, "response_body"), answer->body))
		return -1;
	return compare_no_type(headers, answer) || compare_headers(headers, answer, false);
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Asks for the status until it is another than before (NULL: any). The caller frees it. */
static char *see_status(const struct server *server, const char *before)
{
	long end = now_ms() + SEEN_WITHIN_MS;
	struct wire_answer answer;
	char *seen = NULL;

	while (!seen && now_ms() < end) {
		if (ask_api(server, "GET", "/balloon/hinting/status", NULL, &answer))
			return NULL;
		if (!before || strcmp(before, answer.body))
			seen = strdup(answer.body);
		wire_free(&answer);
	}
	if (!seen)
		printf("# the status stays at %s\n", before);
	return seen;
}

static int play_trace(struct server *server, const json_t *line)
{
	const json_t *trace = json_object_get(line, "trace");
	char *seen = NULL, *last;
	json_t *step;
	size_t i;
	int ret = 0;

	json_array_foreach((json_t *)trace, i, step)
	{
		const char *expected = json_string_value(json_array_get(step, 1));

		/* The guest answers, and where the run is over, that is now. */
		if (i)
			ret = set_pace(server, 0, strstr(expected, "\"host_cmd\":1,") ? 0 : -1);
		last = seen;
		seen = ret ? NULL : see_status(server, last);
		free(last);
		ret = seen ? differs("status", expected, seen) : -1;
		if (ret)
			break;
	}
	free(seen);
	return ret;
}

/* What happened beside the API, between the recorded requests. */
static int set_scene(struct server *server, const json_t *line, const char *last_phase)
{
	const char *phase = text_of(line, "phase");
	char from[4096], to[4096];

	if (!strcmp(phase, "running") && strcmp(last_phase, phase))
		return control(server, "/sim/driver", "{\"up\": true}");
	if (strcmp(text_of(line, "path"), "/snapshot/load"))
		return 0;
	/* The file that was loaded was made from the Full snapshot's. */
	snprintf(from, sizeof(from), "%s/full.mem", work_dir);
	snprintf(to, sizeof(to), "%s/sp.mem", work_dir);
	return link(from, to);
}

/* A status shows once the guest has done its part. */
static int play_status(const struct server *server, const json_t *line)
{
	const char *expected = text_of(line, "response_body");
	long end = now_ms() + SEEN_WITHIN_MS;
	struct wire_answer answer;
	bool same;
	int ret;

	do {
		if (ask_api(server, "GET", text_of(line, "path"), NULL, &answer))
			return -1;
		same = !strcmp(answer.body, expected);
		ret = same || now_ms() >= end ? compare_api(line, &answer) : 0;
		wire_free(&answer);
	} while (!same && !ret);
	return ret;
}

static int play_api(struct server *server, const struct recording *file, size_t i)
{
	const json_t *line = file->lines[i];
	const char *method = text_of(line, "method"), *path = text_of(line, "path");
	const json_t *recorded = json_object_get(line, "request_body");
	char *body = json_is_string(recorded) ? map_paths(json_string_value(recorded)) : NULL;
	struct wire_answer answer = {0};
	int ret;

	if (set_scene(server, line, i ? text_of(file->lines[i - 1], "phase") : "") ||
	    prepare(server, file, i))
		ret = -1;
	else if (json_object_get(line, "trace"))
		ret = play_trace(server, line);
	else if (!strcmp(method, "GET") && strstr(path, "/hinting/status"))
		ret = play_status(server, line);
	else if (ask_api(server, method, path, body, &answer))
		ret = -1;
	else
		ret = compare_api(line, &answer);
	wire_free(&answer);
	free(body);
	return ret;
}

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
		if (!isalnum((unsigned char)at[n]) &&
		    (at == text || !isalnum((unsigned char)at[-1])))
			return true;
	}
	return false;
}

/* Commands whose output is the guest's state, and not the command's. */
static bool shows_guest_state(const json_t *line)
{
	static const char *const tools[] = {"free", "meminfo", "uptime", "id", NULL};
	const json_t *frames = json_object_get(line, "request_frames");
	char *request = json_dumps(frames, JSON_ENCODE_ANY);
	bool found = !strcmp(text_of(line, "path"), "/metrics");

	for (size_t i = 0; request && tools[i] && !found; i++)
		found = has_word(request, tools[i]);
	free(request);
	return found;
}

static char *envd_head(const json_t *line, size_t len)
{
	const json_t *headers = json_object_get(line, "request_headers");
	char *head = NULL;
	json_t *header;
	size_t size, i;
	FILE *out = open_memstream(&head, &size);

	fprintf(out, "%s %s HTTP/1.1\r\n", text_of(line, "method"), text_of(line, "path"));
	json_array_foreach((json_t *)headers, i, header)
	{
		const char *text = json_string_value(header);

		if (!strncmp(text, "Host:", 5))
			fputs("Host: localhost\r\n", out);
		else if (!strncmp(text, "Content-Length:", 15))
			fprintf(out, "Content-Length: %zu\r\n", len);
		else
			fprintf(out, "%s\r\n", text);
	}
	fclose(out);
	return head;
}

static char *envd_body(const json_t *line, size_t *ret_len)
{
	const json_t *frames = json_object_get(line, "request_frames");
	char *body;

	if (frames)
		return frames_encode(frames, ret_len);
	body = strdup(text_of(line, "request_body"));
	*ret_len = strlen(body);
	return body;
}

/* The request must be the recorded one to the byte. */
static int check_length(const json_t *line, size_t len)
{
	json_t *header;
	size_t i, recorded;

	json_array_foreach(json_object_get(line, "request_headers"), i, header)
	{
		if (sscanf(json_string_value(header), "Content-Length: %zu", &recorded) != 1)
			continue;
		if (recorded == len)
			continue;
		printf("# the request has %zu bytes, recorded were %zu\n", len, recorded);
		return -1;
	}
	return 0;
}

static int compare_envd_body(const json_t *line, const struct wire_answer *answer, bool digits)
{
	const json_t *frames = json_object_get(line, "response_frames");
	char *expected, *got;
	int ret;

	if (frames) {
		expected = frames_describe_recorded(frames, digits);
		got = frames_describe_wire(answer->body, answer->len, digits);
	} else {
		expected = pids_map(text_of(line, "response_body"));
		got = strdup(answer->body);
		if (digits) {
			squeeze(expected);
			squeeze(got);
		}
	}
	ret = differs(frames ? "stream" : "body", expected, got);
	free(expected);
	free(got);
	return ret;
}

static int compare_envd(const json_t *line, const struct wire_answer *answer)
{
	const json_t *headers = json_object_get(line, "response_headers");
	bool digits = shows_guest_state(line);
	char got[256];

	snprintf(got, sizeof(got), "HTTP/1.1 %d %s", answer->status, answer->reason);
	if (differs("status", text_of(line, "status_line"), got) ||
	    compare_envd_body(line, answer, digits))
		return -1;
	/* A pid in the body of a single call's answer has as many digits as it has. */
	digits |= !strncmp(text_of(line, "path"), START_PATH, sizeof("/process.Process/") - 1) &&
		  strcmp(text_of(line, "path"), START_PATH) != 0;
	return compare_no_type(headers, answer) || compare_headers(headers, answer, digits);
}

static int play_envd(const struct server *server, const json_t *line);

/* Until so many frames of the stream have come: the first has the pid. */
static int wait_and_learn(const json_t *line, const json_t *frames, struct wire_call *call)
{
	struct wire_answer answer = {0};
	int ret = wire_wait_frames(call, (size_t)json_integer_value(frames)) ||
		  wire_peek(call, &answer);

	if (!ret)
		pids_learn(json_object_get(line, "response_frames"), &answer);
	wire_free(&answer);
	return ret;
}

/* What comes into an open stream: other exchanges, or the client's end. Each needs the pid. */
static int play_into(const struct server *server, const json_t *line, struct wire_call *call)
{
	const json_t *during = json_object_get(line, "during");
	const json_t *closes = json_object_get(line, "client_closes_after_frames");
	json_t *exchange;
	size_t i;

	if (closes)
		return wait_and_learn(line, closes, call);
	json_array_foreach(during, i, exchange)
	{
		if (wait_and_learn(line, json_object_get(exchange, "after_frames"), call) ||
		    play_envd(server, exchange))
			return -1;
	}
	return 0;
}

static int play_call(const struct server *server, const json_t *line, struct wire_call *call)
{
	struct wire_answer answer = {0};
	int ret = play_into(server, line, call);

	if (!ret && json_object_get(line, "client_closes_after_frames"))
		ret = wire_peek(call, &answer);
	else if (!ret)
		ret = wire_end(call, &answer);
	wire_close(call);
	if (!ret) {
		pids_learn(json_object_get(line, "response_frames"), &answer);
		ret = compare_envd(line, &answer);
	}
	wire_free(&answer);
	return ret;
}

static int play_envd(const struct server *server, const json_t *line)
{
	struct wire_call call;
	size_t len;
	char *body = envd_body(line, &len), *head;
	int ret = check_length(line, len);

	if (!json_object_get(line, "request_frames")) {
		char *mapped = pids_map(body);

		free(body);
		body = mapped;
		len = strlen(body);
	}
	head = envd_head(line, len);
	if (!ret)
		ret = wire_begin(server->envd, head, body, len, &call) ||
		      play_call(server, line, &call);
	free(head);
	free(body);
	return ret;
}

static void report(const json_t *line, bool good)
{
	const char *what =
		json_object_get(line, "trace") ? "GET /balloon/hinting/status (trace)" : NULL;

	printf("%sok %d - %s: ", good ? "" : "not ", ++test_number, text_of(line, "phase"));
	if (what)
		printf("%s %s\n", what, text_of(line, "note"));
	else
		printf("%s %s %s\n", text_of(line, "method"), text_of(line, "path"),
		       text_of(line, "note"));
	fflush(stdout);
}

static bool is_before(const struct act *act, const json_t *line)
{
	char what[512];

	snprintf(what, sizeof(what), "%s %s", text_of(line, "method"), text_of(line, "path"));
	return act->before && !strcmp(act->before, what);
}

static int play_act(const struct act *act)
{
	struct recording *file = &files[act->file];

	for (size_t i = 0; i < file->count; i++) {
		const json_t *line = file->lines[i];
		int ret;

		if (file->played[i] || strcmp(text_of(line, "phase"), act->phase))
			continue;
		if (is_before(act, line))
			return 0;
		ret = act->file == FILE_API ? play_api(act->server, file, i)
					    : play_envd(act->server, line);
		report(line, !ret);
		if (ret)
			return -1;
		file->played[i] = true;
	}
	return 0;
}

/* Every line of the files was played. */
static int check_count(void)
{
	int ret = 0;

	for (size_t f = 0; f < FILES; f++) {
		size_t played = 0;

		for (size_t i = 0; i < files[f].count; i++)
			played += files[f].played[i];
		printf("# %s: %zu of %zu lines\n", files[f].name, played, files[f].count);
		if (played != files[f].count)
			ret = -1;
	}
	printf("1..%d\n", test_number);
	return ret;
}

static int play(const char *recorded)
{
	int ret = 0;

	for (size_t f = 0; f < FILES; f++) {
		if (load(&files[f], recorded))
			return 1;
	}
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]) && !ret; i++)
		ret = play_act(&acts[i]);
	if (!ret)
		ret = check_count();
	for (size_t f = 0; f < FILES; f++) {
		for (size_t i = 0; i < files[f].count; i++)
			json_decref(files[f].lines[i]);
	}
	return ret ? 1 : 0;
}

static int play_exec(const char *recorded)
{
	struct recording file = {.name = "envd-exec.jsonl"};
	bool good = !load(&file, recorded), loaded = good;

	/* They do not build on one another: all that differs is worth seeing. */
	for (size_t i = 0; i < file.count; i++) {
		bool same = loaded && !play_envd(&booted, file.lines[i]);

		if (loaded)
			report(file.lines[i], same);
		good &= same;
		json_decref(file.lines[i]);
	}
	printf("1..%d\n", test_number);
	return good ? 0 : 1;
}

/* Free page reporting is not played; and the last flush was recorded in the middle of a resume,
 * between vmm_resume_vm and resume_vm. */
static bool is_by_chance(const char *name)
{
	return !strncmp(name, "free_page_report", 16) || !strcmp(name, "resume_vm");
}

/* The same names in the same order, and zero where zero was. */
static int compare_metrics(const json_t *recorded, const json_t *actual, size_t line)
{
	void *a = json_object_iter((json_t *)recorded), *b = json_object_iter((json_t *)actual);

	for (; a && b; a = json_object_iter_next((json_t *)recorded, a),
		       b = json_object_iter_next((json_t *)actual, b)) {
		const char *name = json_object_iter_key(a);
		const json_t *x = json_object_iter_value(a), *y = json_object_iter_value(b);

		if (differs("name", name, json_object_iter_key(b)))
			return -1;
		if (json_is_object(x) && compare_metrics(x, y, line))
			return -1;
		if (!json_is_integer(x) || is_by_chance(name))
			continue;
		if (!json_integer_value(x) == !json_integer_value(y))
			continue;
		printf("# line %zu: %s: recorded %lld, simulator %lld\n", line, name,
		       (long long)json_integer_value(x), (long long)json_integer_value(y));
		return -1;
	}
	return a || b ? differs("fields", a ? "more" : "no more", b ? "more" : "no more") : 0;
}

static int metrics(const char *recorded_path, const char *actual_path)
{
	FILE *recorded = fopen(recorded_path, "re"), *actual = fopen(actual_path, "re");
	const size_t flags = JSON_DISABLE_EOF_CHECK;
	size_t line = 0;
	int ret = recorded && actual ? 0 : -1;

	while (!ret) {
		json_t *x = json_loadf(recorded, flags, NULL);
		json_t *y = json_loadf(actual, flags, NULL);

		if (!x && !y)
			break;
		line++;
		ret = x && y ? compare_metrics(x, y, line)
			     : differs("lines", x ? "more" : "no more", y ? "more" : "no more");
		json_decref(x);
		json_decref(y);
		printf("%sok %zu - metrics: flush %zu\n", ret ? "not " : "", line, line);
	}
	if (recorded)
		fclose(recorded);
	if (actual)
		fclose(actual);
	printf("1..%zu\n", line);
	return ret || !line ? 1 : 0;
}

static int usage(void)
{
	fputs("usage: replay play --recorded DIR --dir DIR --api SOCK --envd URL "
	      "--resumed-api SOCK --resumed-envd URL\n"
	      "       replay exec --recorded DIR --envd URL\n"
	      "       replay metrics RECORDED ACTUAL\n"
	      "       replay memory PID\n",
	      stderr);
	return 2;
}

static const char *option(int argc, char **argv, const char *name)
{
	for (int i = 2; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], name))
			return argv[i + 1];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const char *recorded = option(argc, argv, "--recorded");
	const char *api = option(argc, argv, "--api");
	const char *resumed_api = option(argc, argv, "--resumed-api");

	if (argc == 4 && !strcmp(argv[1], "metrics"))
		return metrics(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "memory"))
		return guest_memory_print(atoi(argv[2]));
	work_dir = option(argc, argv, "--dir");
	booted.envd = option(argc, argv, "--envd");
	resumed.envd = option(argc, argv, "--resumed-envd");
	if (argc == 6 && !strcmp(argv[1], "exec") && recorded && booted.envd)
		return play_exec(recorded);
	if (argc != 14 || strcmp(argv[1], "play") || !recorded || !api || !resumed_api ||
	    !work_dir || !booted.envd || !resumed.envd)
		return usage();
	snprintf(booted.api, sizeof(booted.api), "unix:%s", api);
	snprintf(resumed.api, sizeof(resumed.api), "unix:%s", resumed_api);
	booted.guest_ms = booted.hinting_ms = -2;
	resumed.guest_ms = resumed.hinting_ms = -2;
	return play(recorded);
}
