// SPDX-License-Identifier: Apache-2.0
/*
 * What is taken from outside has a limit (fcpause-limits(7)): just below it works, just above it
 * is refused with a message that names the limit. Servers are real ones, of one answer.
 */
#include "envd/process.h"
#include "firecracker/client.h"
#include "firecracker/metrics.h"
#include "firecracker/state_file.h"
#include "http_server.h"
#include "memory/range.h"
#include "tap.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

/* head, then fill until all of it has length bytes but for tail, then tail; owned. */
static char *padded(const char *head, char fill, const char *tail, size_t length)
{
	char *text = malloc(length + 1);

	if (!text || strlen(head) + strlen(tail) > length)
		abort();
	memset(text, fill, length);
	memcpy(text, head, strlen(head));
	memcpy(text + length - strlen(tail), tail, strlen(tail) + 1);
	return text;
}

static void is_refused(int result, const struct fcp_error *err, const char *why, const char *what)
{
	if (ok(result != 0, "%s: refused", what))
		has_str(err->message, why, what);
}

/* ---- HTTP ---- */

/* The answer's body, of so many bytes, to a request that allows 1000. */
static int get_answer(const struct http_answer *answer, struct fcp_error *err)
{
	const struct fcp_http_request request = {.method = "GET",
						 .path = "/",
						 .max_bytes = 1000,
						 .deadline = fcp_deadline_in_ms(20000),
						 .cancel_fd = -1};
	struct http_server server = http_server_start(answer);
	struct fcp_http_response response = {0};
	struct fcp_http *http = NULL;
	int result = fcp_http_open(NULL, server.url, &http, err);

	if (result == 0)
		result = fcp_http_send(http, &request, &response, err);
	fcp_http_close(http);
	http_server_stop(&server);
	free(response.body);
	return result;
}

static int get_body(size_t bytes, struct fcp_error *err)
{
	char *answer = padded("HTTP/1.1 200 OK\r\n\r\n", 'x', "",
			      strlen("HTTP/1.1 200 OK\r\n\r\n") + bytes);
	int result = get_answer(&(struct http_answer){answer, strlen(answer), 1, -1, NULL, 0}, err);

	free(answer);
	return result;
}

static void bodies(void)
{
	struct fcp_error err = {0};

	ok(get_body(1000, &err) == 0, "a body as long as is allowed");
	is_refused(get_body(1001, &err), &err, "longer than 1000 bytes", "a longer body");
}

/* Lines of 1 KiB, so that no limit on a line counts. */
static int get_headers(size_t bytes, struct fcp_error *err)
{
	char *answer = padded("HTTP/1.1 204 No Content\r\n", 'x', "\r\n\r\n", bytes);
	size_t begin = strlen("HTTP/1.1 204 No Content\r\n");
	int result;

	for (size_t at = begin; at + 8 < bytes; at += 1024) {
		if (at > begin)
			memcpy(answer + at - 2, "\r\n", 2);
		memcpy(answer + at, "a:", 2);
	}
	result = get_answer(&(struct http_answer){answer, bytes, 1, -1, NULL, 0}, err);
	free(answer);
	return result;
}

static void headers(void)
{
	static const char again[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct fcp_error err = {0};

	ok(get_headers(FCP_HTTP_HEADERS_MAX_BYTES, &err) == 0, "64 KiB of headers");
	is_refused(get_headers(FCP_HTTP_HEADERS_MAX_BYTES + 1, &err), &err,
		   "headers are longer than 65536 bytes", "a byte more");
	is_refused(get_answer(&(struct http_answer){again, strlen(again), 0, -1, NULL, 0}, &err),
		   &err, "headers are longer than 65536 bytes", "100 Continue without end");
}

/* ---- Firecracker ---- */

static int call_firecracker(const struct http_answer *answer, struct fcp_error *err)
{
	struct http_server server = http_server_start(answer);
	struct fcp_firecracker firecracker = {.timeout_ms = 20000,
					      .deadline = FCP_DEADLINE_NEVER,
					      .cancel_fd = -1};
	struct fcp_json *reply = NULL;
	int result = fcp_http_open(NULL, server.url, &firecracker.http, err);

	if (result == 0)
		result = fcp_firecracker_call(&firecracker, "GET", "/", NULL, &reply, err);
	fcp_json_free(reply);
	fcp_firecracker_close(&firecracker);
	http_server_stop(&server);
	return result;
}

static int get_firecracker(size_t bytes, struct fcp_error *err)
{
	char *answer = padded("HTTP/1.1 200 OK\r\n\r\n{", ' ', "}",
			      strlen("HTTP/1.1 200 OK\r\n\r\n") + bytes);
	int result = call_firecracker(&(struct http_answer){answer, strlen(answer), 1, -1, NULL, 0},
				      err);

	free(answer);
	return result;
}

static int flush_metrics(size_t bytes, struct fcp_error *err)
{
	static const char done[] = "HTTP/1.1 204 No Content\r\n\r\n";
	int fd = memfd_create("metrics", MFD_CLOEXEC);
	char *lines = padded("{}", '\n', "{}", bytes), path[64];
	struct http_server server =
		http_server_start(&(struct http_answer){done, strlen(done), 1, fd, lines, bytes});
	struct fcp_firecracker firecracker = {.timeout_ms = 20000,
					      .deadline = FCP_DEADLINE_NEVER,
					      .cancel_fd = -1};
	struct fcp_metrics metrics;
	int result = fcp_http_open(NULL, server.url, &firecracker.http, err);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (result == 0)
		result = fcp_metrics_flush(&firecracker, path, &metrics, err);
	fcp_firecracker_close(&firecracker);
	http_server_stop(&server);
	free(lines);
	close(fd);
	return result;
}

static int check_state(off_t bytes, struct fcp_error *err)
{
	int fd = memfd_create("state", MFD_CLOEXEC), result;

	if (ftruncate(fd, bytes) != 0)
		abort();
	result = fcp_state_file_check(fd, "vm.state", err);
	close(fd);
	return result;
}

static void firecracker(void)
{
	struct fcp_error err = {0};

	ok(get_firecracker(MIB, &err) == 0, "an answer of 1 MiB");
	is_refused(get_firecracker(MIB + 1, &err), &err, "longer than 1048576 bytes",
		   "a longer one");
	ok(flush_metrics(4 * MIB, &err) == 0, "4 MiB of new metrics");
	is_refused(flush_metrics(4 * MIB + 1, &err), &err, "more than 4 MiB", "more of them");
	/* All zeros: whether it is looked at shows in why it is refused. */
	is_refused(check_state(64 * MIB, &err), &err, "no magic number", "a state file of 64 MiB");
	is_refused(check_state(64 * MIB + 1, &err), &err, "of 67108865 bytes", "a longer one");
}

/* ---- JSON ---- */

/* So many zeros in an array; brackets and commas are counted. */
static int parse_values(size_t values, struct fcp_error *err)
{
	char *text = malloc(2 * values + 2);
	struct fcp_json *json = NULL;
	int result;

	if (!text)
		abort();
	text[0] = '[';
	for (size_t i = 0; i < values; i++)
		memcpy(text + 1 + 2 * i, "0,", 2);
	text[2 * values] = ']';
	result = fcp_json_parse(text, 2 * values + 1, "answer", &json, err);
	fcp_json_free(json);
	free(text);
	return result;
}

static int parse_levels(size_t levels, struct fcp_error *err)
{
	char text[256];
	struct fcp_json *json = NULL;
	int result;

	memset(text, '[', levels);
	memset(text + levels, ']', levels);
	result = fcp_json_parse(text, 2 * levels, "answer", &json, err);
	fcp_json_free(json);
	return result;
}

static void json(void)
{
	static const char in_string[] =
		"[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[\"]";
	struct fcp_json *text = NULL;
	struct fcp_error err = {0};

	ok(parse_values(FCP_JSON_VALUES_MAX - 1, &err) == 0,
	   "65535 values in an array, and the array");
	is_refused(parse_values(FCP_JSON_VALUES_MAX, &err), &err, "more than 65536 values",
		   "one more");
	ok(parse_levels(FCP_JSON_DEPTH_MAX, &err) == 0, "64 levels");
	is_refused(parse_levels(FCP_JSON_DEPTH_MAX + 1, &err), &err, "more than 64 levels",
		   "one more");
	ok(fcp_json_parse(in_string, strlen(in_string), "text", &text, &err) == 0,
	   "what is in a string does not count");
	fcp_json_free(text);
}

/* ---- envd ---- */

static int run_guest(size_t message_bytes, struct fcp_error *err)
{
	static const char head[] =
		"HTTP/1.1 200 OK\r\nContent-Type: application/connect+json\r\n\r\n";
	static const char end[] = "{\"event\":{\"end\":{\"exited\":true}}";
	static const struct fcp_envd_token no_token;
	static const char *const argv[] = {"true", NULL};
	struct fcp_guest_command command = {.token = &no_token,
					    .user = "root",
					    .argv = argv,
					    .timeout_ms = 20000,
					    .answer_max_bytes = MIB,
					    .cancel_fd = -1};
	size_t at = strlen(head), length = at + 5 + message_bytes + 5 + 2;
	char *answer = padded(head, ' ', "}", length);
	struct http_server server;
	struct fcp_guest_exit ended;
	int result;

	memcpy(answer + at, "\0", 1);
	for (unsigned i = 0; i < 4; i++)
		answer[at + 1 + i] = (char)(message_bytes >> (24 - 8 * i));
	memcpy(answer + at + 5, end, strlen(end));
	answer[at + 5 + message_bytes - 1] = '}';
	memcpy(answer + at + 5 + message_bytes, "\2\0\0\0\2{}", 7);
	server = http_server_start(&(struct http_answer){answer, length, 1, -1, NULL, 0});
	command.envd = server.url;
	result = fcp_guest_run(&command, &ended, err);
	http_server_stop(&server);
	free(answer);
	return result;
}

static int read_token(size_t bytes, struct fcp_error *err)
{
	int fd = memfd_create("token", MFD_CLOEXEC), result;
	char *text = padded("", 't', "\n", bytes + 1), path[64];
	struct fcp_envd_token token;

	if (write(fd, text, bytes + 1) != (ssize_t)bytes + 1 || fchmod(fd, 0600) != 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	result = fcp_envd_token_read(path, -1, &token, err);
	free(text);
	close(fd);
	return result;
}

static void envd(void)
{
	struct fcp_error err = {0};

	ok(run_guest(262144, &err) == 0, "a message of 256 KiB");
	is_refused(run_guest(262145, &err), &err,
		   "a message of 262145 bytes is longer than the 262144", "a longer one");
	ok(read_token(1006, &err) == 0, "a token of 1006 bytes");
	is_refused(read_token(1007, &err), &err, "the first line is too long", "a longer one");
}

/* ---- files of the operator ---- */

static size_t flags_warnings(size_t bytes, struct fcp_error *err)
{
	int fd = memfd_create("flags", MFD_CLOEXEC);
	char *text = padded("{\"flagValues\":{", ' ', "}}", bytes), path[64];
	struct fcp_flags flags = FCP_FLAGS_INIT;
	size_t warnings;

	if (write(fd, text, bytes) != (ssize_t)bytes)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fcp_flags_read(path, FCP_USE_PAUSE, false, &flags, err);
	warnings = flags.warning_count;
	if (warnings > 0)
		snprintf(err->message, sizeof(err->message), "%s", flags.warnings[0]);
	fcp_flags_clear(&flags);
	free(text);
	close(fd);
	return warnings;
}

/* Each a page, with a page between, as long lists of zero pages are. */
static int read_list(size_t ranges, struct fcp_error *err)
{
	int fd = memfd_create("ranges", MFD_CLOEXEC);
	FILE *out = fdopen(dup(fd), "w");
	struct fcp_ranges list = {0};
	int result;

	for (uint64_t i = 0; i < ranges; i++)
		fprintf(out, "%" PRIu64 " 4096\n", i * 8192);
	fclose(out);
	lseek(fd, 0, SEEK_SET);
	result = fcp_ranges_read(&(struct fcp_ranges_text){.size = sizeof(struct fcp_ranges_text),
							   .name = "list",
							   .limit_bytes = UINT64_MAX,
							   .fd = fd,
							   .cancel_fd = -1},
				 &list, err);
	if (result == 0 && list.count != ranges)
		abort();
	fcp_ranges_clear(&list);
	close(fd);
	return result;
}

static int read_line_of(size_t bytes, struct fcp_error *err)
{
	int fd = memfd_create("ranges", MFD_CLOEXEC), result;
	char *line = padded("0", ' ', "4096", bytes);
	struct fcp_ranges list = {0};

	if (pwrite(fd, line, bytes, 0) != (ssize_t)bytes)
		abort();
	result = fcp_ranges_read(&(struct fcp_ranges_text){.size = sizeof(struct fcp_ranges_text),
							   .name = "list",
							   .limit_bytes = UINT64_MAX,
							   .fd = fd,
							   .cancel_fd = -1},
				 &list, err);
	fcp_ranges_clear(&list);
	free(line);
	close(fd);
	return result;
}

static void files(void)
{
	struct fcp_error err = {0};

	is_u64(flags_warnings(MIB, &err), 0, "a flags file of 1 MiB");
	is_refused((int)flags_warnings(MIB + 1, &err), &err, "1 MiB", "a longer one");
	ok(read_list((size_t)1 << 21, &err) == 0, "2097152 ranges");
	is_refused(read_list(((size_t)1 << 21) + 1, &err), &err,
		   "list: line 2097153: more than 2097152 ranges", "one more");
	ok(read_line_of(255, &err) == 0, "a line of 255 characters");
	is_refused(read_line_of(256, &err), &err, "longer than 255 characters", "a longer one");
}

int main(void)
{
	bodies();
	headers();
	firecracker();
	json();
	envd();
	files();
	return done();
}
