// SPDX-License-Identifier: Apache-2.0
#include "services.h"

#include <getopt.h>
#include <arpa/inet.h>
#include <jansson.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BODY_MAX (1 << 20)

struct services {
	json_t *recorded; /* an array of exchanges, or NULL */
	FILE *log;
	pthread_mutex_t mutex;
	unsigned int status; /* 0: as recorded */
	const char *body;
	bool hang;
	uint16_t port;
	char *key, *certificate; /* PEM; NULL: no TLS */
};

/* A request as it comes. */
struct call {
	char *body;
	size_t length;
};

static json_t *read_lines(const char *path)
{
	json_t *lines = json_array(), *line;
	FILE *file = fopen(path, "re");

	if (!file) {
		perror(path);
		exit(1);
	}
	while ((line = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL)) != NULL)
		json_array_append_new(lines, line);
	fclose(file);
	return lines;
}

/* A small file as text; owned. */
static char *read_text(const char *path)
{
	char *text = calloc(1, BODY_MAX);
	FILE *file = fopen(path, "re");

	if (!text || !file) {
		perror(path);
		exit(1);
	}
	if (fread(text, 1, BODY_MAX - 1, file) == 0) {
		fprintf(stderr, "%s: it is empty\n", path);
		exit(1);
	}
	fclose(file);
	return text;
}

static enum MHD_Result add_header(void *arg, enum MHD_ValueKind kind, const char *name,
				  const char *value)
{
	char lower[128];
	size_t i;

	(void)kind;
	for (i = 0; name[i] && i + 1 < sizeof(lower); i++)
		lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
	lower[i] = '\0';
	json_object_set_new(arg, lower, json_string(value ? value : ""));
	return MHD_YES;
}

static json_t *body_json(const char *text)
{
	return text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
}

static bool same_body(const json_t *recorded, const char *body)
{
	const char *text = json_string_value(json_object_get(recorded, "request_body"));
	json_t *a = body_json(text), *b = body_json(body);
	bool same = a || b ? json_equal(a, b) : strcmp(text ? text : "", body ? body : "") == 0;

	json_decref(a);
	json_decref(b);
	return same;
}

/* The value of a recorded header; NULL: it was not sent. */
static const char *recorded_header(const json_t *recorded, const char *name)
{
	const json_t *headers = json_object_get(recorded, "request_headers");
	size_t length = strlen(name), i;
	json_t *header;

	json_array_foreach(headers, i, header)
	{
		const char *text = json_string_value(header);

		if (strncasecmp(text, name, length) == 0 && strncmp(text + length, ": ", 2) == 0)
			return text + length + 2;
	}
	return NULL;
}

static bool is_text(const json_t *recorded, const char *key, const char *text)
{
	return strcmp(json_string_value(json_object_get(recorded, key)), text) == 0;
}

static const json_t *find(const struct services *services, const json_t *request)
{
	const char *method = json_string_value(json_object_get(request, "method"));
	const char *path = json_string_value(json_object_get(request, "path"));
	const char *key = json_string_value(
		json_object_get(json_object_get(request, "headers"), "authorization"));
	json_t *exchange;
	size_t i;

	json_array_foreach(services->recorded, i, exchange)
	{
		const char *wanted = recorded_header(exchange, "Authorization");

		if (is_text(exchange, "method", method) && is_text(exchange, "path", path) &&
		    (wanted ? key && strcmp(wanted, key) == 0 : !key) &&
		    same_body(exchange, json_string_value(json_object_get(request, "body"))))
			return exchange;
	}
	return NULL;
}

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned int status,
			     const char *type, const char *body)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(body), (void *)body, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (type)
		MHD_add_response_header(response, "Content-Type", type);
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static const char *recorded_type(const json_t *exchange)
{
	const json_t *headers = json_object_get(exchange, "response_headers");
	json_t *header;
	size_t i;

	json_array_foreach(headers, i, header) if (strncasecmp(json_string_value(header),
							       "Content-Type: ", 14) ==
						   0) return json_string_value(header) +
		14;
	return NULL;
}

static enum MHD_Result answer(const struct services *services, struct MHD_Connection *connection,
			      const json_t *request)
{
	const json_t *exchange = find(services, request);

	if (services->status)
		return reply(connection, services->status, "application/json", services->body);
	if (exchange)
		return reply(connection,
			     (unsigned int)json_integer_value(json_object_get(exchange, "status")),
			     recorded_type(exchange),
			     json_string_value(json_object_get(exchange, "response_body")));
	if (is_text(request, "method", "POST") && is_text(request, "path", "/v1/traces"))
		return reply(connection, 200, "application/json", "{}");
	return reply(connection, 404, "text/plain; charset=utf-8", "404 page not found\n");
}

static void write_log(struct services *services, const json_t *request)
{
	char *line = json_dumps(request, JSON_COMPACT);

	pthread_mutex_lock(&services->mutex);
	if (services->log) {
		fprintf(services->log, "%s\n", line);
		fflush(services->log);
	}
	pthread_mutex_unlock(&services->mutex);
	free(line);
}

static enum MHD_Result take(struct call *call, const char *data, size_t *bytes)
{
	char *longer = call->length + *bytes < BODY_MAX
			       ? realloc(call->body, call->length + *bytes + 1)
			       : NULL;

	if (!longer)
		return MHD_NO;
	memcpy(longer + call->length, data, *bytes);
	call->body = longer;
	call->length += *bytes;
	call->body[call->length] = '\0';
	*bytes = 0;
	return MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *bytes, void **state)
{
	struct services *services = arg;
	struct call *call = *state;
	enum MHD_Result result;
	json_t *request, *headers;

	(void)version;
	if (!call) {
		*state = calloc(1, sizeof(*call));
		return *state ? MHD_YES : MHD_NO;
	}
	if (*bytes)
		return take(call, data, bytes);
	headers = json_object();
	MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, headers);
	request = json_pack("{s:s, s:s, s:o, s:s*}", "method", method, "path", url, "headers",
			    headers, "body", call->body);
	write_log(services, request);
	if (services->hang) {
		MHD_suspend_connection(connection);
		result = MHD_YES;
	} else {
		result = answer(services, connection, request);
	}
	json_decref(request);
	return result;
}

static void on_end(void *arg, struct MHD_Connection *connection, void **state,
		   enum MHD_RequestTerminationCode code)
{
	struct call *call = *state;

	(void)arg;
	(void)connection;
	(void)code;
	if (call)
		free(call->body);
	free(call);
	*state = NULL;
}

/* Paths are compared as they were sent. */
static size_t keep_escapes(void *arg, struct MHD_Connection *connection, char *text)
{
	(void)arg;
	(void)connection;
	return strlen(text);
}

static void parse(struct services *services, int argc, char **argv)
{
	static const struct option options[] = {
		{"recorded", required_argument, NULL, 'r'},
		{"log", required_argument, NULL, 'l'},
		{"status", required_argument, NULL, 's'},
		{"body", required_argument, NULL, 'b'},
		{"hang", no_argument, NULL, 'h'},
		{"port", required_argument, NULL, 'p'},
		{"tls-key", required_argument, NULL, 'k'},
		{"tls-certificate", required_argument, NULL, 'c'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			services->recorded = read_lines(optarg);
		else if (option == 'l')
			services->log = fopen(optarg, "ae");
		else if (option == 's')
			services->status = (unsigned int)strtoul(optarg, NULL, 10);
		else if (option == 'b')
			services->body = optarg;
		else if (option == 'h')
			services->hang = true;
		else if (option == 'p')
			services->port = (uint16_t)strtoul(optarg, NULL, 10);
		else if (option == 'k')
			services->key = read_text(optarg);
		else if (option == 'c')
			services->certificate = read_text(optarg);
		else
			exit(2);
	}
}

static struct MHD_Daemon *start(struct services *services, const struct sockaddr_in *address)
{
	unsigned int flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME;
	/* Without a key the array ends at once. */
	const struct MHD_OptionItem tls[] = {
		{services->key ? MHD_OPTION_HTTPS_MEM_KEY : MHD_OPTION_END, 0, services->key},
		{MHD_OPTION_HTTPS_MEM_CERT, 0, services->certificate},
		{MHD_OPTION_END, 0, NULL},
	};

	return MHD_start_daemon(flags | (services->key ? MHD_USE_TLS : 0), 0, NULL, NULL,
				on_request, services, MHD_OPTION_SOCK_ADDR, address,
				MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
				MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_ARRAY,
				tls, MHD_OPTION_END);
}

int services_main(int argc, char **argv)
{
	struct services services = {.mutex = PTHREAD_MUTEX_INITIALIZER, .body = "{}"};
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct MHD_Daemon *daemon;
	sigset_t waited;
	int got;

	parse(&services, argc, argv);
	sigemptyset(&waited);
	sigaddset(&waited, SIGTERM);
	sigprocmask(SIG_BLOCK, &waited, NULL);
	address.sin_port = htons(services.port);
	daemon = start(&services, &address);
	if (!daemon) {
		perror("fcpause-sim: services");
		return 1;
	}
	printf("{\"ready\":true,\"url\":\"http%s://127.0.0.1:%d\"}\n", services.key ? "s" : "",
	       MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	sigwait(&waited, &got);
	/* Connections that hang are only resumed to be closed; the process's end does that as
	 * well. */
	if (!services.hang)
		MHD_stop_daemon(daemon);
	json_decref(services.recorded);
	free(services.key);
	free(services.certificate);
	return 0;
}
