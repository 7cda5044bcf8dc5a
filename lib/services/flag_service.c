// SPDX-License-Identifier: Apache-2.0
#include "services/flag_service.h"

#include "base/cleanup.h"
#include "net/url.h"
#include "services/ask.h"

#include <resolv.h>
#include <string.h>

#define ANSWER_MAX_BYTES (1 << 20)
#define KEY_HEADER_BYTES 1100
#define NAMES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

bool fcp_flag_service_is_url(const char *text)
{
	return strstr(text, "://") != NULL;
}

static bool ends_with(const char *url, const char *path)
{
	size_t length = strlen(url), path_length = strlen(path);

	while (length > 0 && url[length - 1] == '/')
		length--;
	return length > path_length && strncmp(url + length - path_length, path, path_length) == 0;
}

enum fcp_flags_source fcp_flag_service_kind(const char *url, struct fcp_error *err)
{
	if (fcp_service_url_check(url, err) != 0)
		return FCP_FLAGS_NONE;
	if (ends_with(url, FCP_FLAG_RELAY_PATH))
		return FCP_FLAGS_LAUNCHDARKLY;
	if (ends_with(url, FCP_FLAG_OFREP_PATH))
		return FCP_FLAGS_OFREP;
	fcp_error_set(err, FCP_ERR_USAGE, 0,
		      "'%.200s': the URL of a flag service ends with " FCP_FLAG_RELAY_PATH
		      " (LaunchDarkly's Relay Proxy) or " FCP_FLAG_OFREP_PATH " (OFREP)",
		      url);
	return FCP_FLAGS_NONE;
}

/* ---- the context ---- */

struct context {
	enum fcp_flags_source kind;
	struct fcp_json *root; /* owned */
	const char *own_kind;  /* of what names no kind */
	bool nested;	       /* LaunchDarkly's "multi": each kind is an object */
	int bad;	       /* no memory */
};

/* The length of KIND in KIND:KEY=VALUE; 0: there is none. */
static size_t kind_length(const char *pair)
{
	size_t length = strcspn(pair, ":=");

	return pair[length] == ':' ? length : 0;
}

/* The value of a pair without a kind; NULL: there is none of that name. */
static const char *own_value(const char *const *pairs, size_t count, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < count; i++)
		if (strncmp(pairs[i], name, length) == 0 && pairs[i][length] == '=')
			return pairs[i] + length + 1;
	return NULL;
}

static bool any_kind(const char *const *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (kind_length(pairs[i]) > 0)
			return true;
	return false;
}

/* Borrowed from the root, made where it is not there yet; NULL: no memory. */
static struct fcp_json *kind_object(struct context *context, const char *name)
{
	struct fcp_json *object = (struct fcp_json *)fcp_json_get(context->root, name);

	if (!object) {
		object = fcp_json_object();
		context->bad |= fcp_json_set(context->root, name, object);
	}
	return context->bad ? NULL : object;
}

/* pair is a copy that can be cut. */
static int add_attribute(struct context *context, char *pair, struct fcp_error *err)
{
	size_t length = kind_length(pair);
	char *name = length > 0 ? pair + length + 1 : pair, *value = strchr(name, '=');
	struct fcp_json *object = context->root;
	bool own = length == 0;

	if (!value || value == name || pair[0] == ':')
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "flags context: '%.100s' is not KEY=VALUE", pair);
	*value++ = '\0';
	if (!own)
		pair[length] = '\0';
	if (!own && (strspn(pair, NAMES) != length || strcmp(pair, "kind") == 0 ||
		     strcmp(pair, "multi") == 0))
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "flags context: '%.100s' is not the name of a kind", pair);
	if (own && context->kind == FCP_FLAGS_LAUNCHDARKLY && strcmp(name, "kind") == 0)
		return 0; /* it is there */
	if (own && context->kind == FCP_FLAGS_OFREP && strcmp(name, "key") == 0)
		name = (char *)"targetingKey";
	if (!own || context->nested)
		object = kind_object(context, own ? context->own_kind : pair);
	if (object && fcp_json_get(object, name))
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "flags context: %.100s is there twice",
				     name);
	context->bad |= object ? fcp_json_set_string(object, name, value) : -1;
	return 0;
}

/* LaunchDarkly takes no kind without a key. */
static void on_kind(const char *name, const struct fcp_json *value, void *arg)
{
	struct context *context = arg;

	(void)name;
	if (fcp_json_is_object(value) && !fcp_json_get(value, "key"))
		context->bad |= fcp_json_set_string((struct fcp_json *)value, "key", FCP_FLAGS_KEY);
}

static void complete(struct context *context)
{
	const char *key = context->kind == FCP_FLAGS_OFREP ? "targetingKey" : "key";

	if (context->nested)
		fcp_json_each(context->root, on_kind, context);
	else if (!fcp_json_get(context->root, key))
		context->bad |= fcp_json_set_string(context->root, key, FCP_FLAGS_KEY);
}

/*
 * LaunchDarkly's: {"kind":"sandbox","key":"sb1","template-id":"big"}, or {"kind":"multi",
 * "sandbox":{"key":"sb1"},"team":{"key":"t1"}}. OFREP's: {"targetingKey":"sb1","template-id":"big",
 * "team":{"key":"t1"}}.
 */
char *fcp_flag_service_context(enum fcp_flags_source kind, const char *const *pairs, size_t count,
			       struct fcp_error *err)
{
	FCP_CLEANUP(json) struct fcp_json *root = fcp_json_object();
	struct context context = {.kind = kind, .root = root};
	char *text;

	context.own_kind = own_value(pairs, count, "kind");
	if (!context.own_kind)
		context.own_kind = FCP_FLAGS_KIND;
	if (kind == FCP_FLAGS_LAUNCHDARKLY) {
		context.nested = any_kind(pairs, count);
		context.bad |= fcp_json_set_string(root, "kind",
						   context.nested ? "multi" : context.own_kind);
	}
	for (size_t i = 0; i < count; i++) {
		FCP_CLEANUP(free) char *pair = strdup(pairs[i]);

		if (!pair) {
			fcp_error_nomem(err);
			return NULL;
		}
		if (add_attribute(&context, pair, err) != 0)
			return NULL;
	}
	complete(&context);
	text = context.bad ? NULL : fcp_json_text(root);
	if (!text)
		fcp_error_nomem(err);
	return text;
}

/* ---- the request ---- */

/* "/" and the context in URL-safe base64, owned; NULL: no memory. */
static char *relay_path(const char *context)
{
	size_t length = strlen(context), bytes = (length + 2) / 3 * 4 + 2;
	char *path = malloc(bytes);

	if (!path)
		return NULL;
	path[0] = '/';
	if (b64_ntop((const unsigned char *)context, length, path + 1, bytes - 1) < 0) {
		free(path);
		return NULL;
	}
	for (char *c = path + 1; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	return path;
}

/* A success's body, owned; NULL with *err. */
static char *send_request(const struct fcp_service_request *request, bool has_key,
			  struct fcp_error *err)
{
	struct fcp_http_response response = {0};
	char *body = NULL;

	if (fcp_service_ask(request, &response, err) != 0) {
		fcp_error_wrap(err, "flag service %.150s", request->url);
		return NULL;
	}
	if (response.status == 200) {
		body = fcp_steal_pointer(&response.body);
	} else {
		fcp_service_refused(request, &response, err);
		if (response.status == 401 || response.status == 403)
			fcp_error_append(err, has_key ? " (the key is wrong)"
						      : " (a key file is needed)");
	}
	free(response.body);
	return body;
}

/* Header lines, and room for those with the key in them. */
struct headers {
	const char *lines[5];
	char authorization[KEY_HEADER_BYTES];
	char api_key[KEY_HEADER_BYTES];
};

static void set_headers(const struct fcp_flag_service *service, struct headers *headers)
{
	bool relay = service->kind == FCP_FLAGS_LAUNCHDARKLY;
	size_t count = 0;

	*headers = (struct headers){0};
	headers->lines[count++] = "Accept: application/json";
	if (!relay)
		headers->lines[count++] = "Content-Type: application/json";
	if (!service->key)
		return;
	snprintf(headers->authorization, sizeof(headers->authorization), "Authorization: %s%s",
		 relay ? "" : "Bearer ", service->key);
	headers->lines[count++] = headers->authorization;
	if (relay)
		return;
	/* OFREP servers take the one or the other. */
	snprintf(headers->api_key, sizeof(headers->api_key), "X-API-Key: %s", service->key);
	headers->lines[count++] = headers->api_key;
}

char *fcp_flag_service_ask(const struct fcp_flag_service *service, struct fcp_error *err)
{
	bool relay = service->kind == FCP_FLAGS_LAUNCHDARKLY;
	FCP_CLEANUP(free) char *text = NULL;
	struct headers headers;
	struct fcp_service_request request = {
		.method = relay ? "GET" : "POST",
		.url = service->url,
		.headers = headers.lines,
		.timeout_ms = service->timeout_ms,
		.max_bytes = ANSWER_MAX_BYTES,
		.cancel_fd = service->cancel_fd,
		.server = "flags",
		.observer = service->observer,
	};
	char *body;

	if (relay)
		request.path = text = relay_path(service->context);
	else if (asprintf(&text, "{\"context\":%s}", service->context) < 0)
		text = NULL;
	else
		request.body = text;
	if (!text) {
		fcp_error_nomem(err);
		return NULL;
	}
	set_headers(service, &headers);
	body = send_request(&request, service->key != NULL, err);
	explicit_bzero(&headers, sizeof(headers));
	return body;
}

/* ---- the answer ---- */

struct answer_reader {
	fcp_flag_visitor visit;
	void *arg;
	bool wrong;
};

/* "reclaim-on-pause": {"value": 0, "variation": 1, "version": 7} */
static void on_relay_flag(const char *name, const struct fcp_json *flag, void *arg)
{
	struct answer_reader *reader = arg;

	if (!fcp_json_get(flag, "value"))
		reader->wrong = true;
	else
		reader->visit(name, fcp_json_get(flag, "value"), NULL, reader->arg);
}

static int read_relay(const struct fcp_json *answer, struct answer_reader *reader,
		      struct fcp_error *err)
{
	fcp_json_each(answer, on_relay_flag, reader);
	if (reader->wrong || !fcp_json_is_object(answer))
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "the answer is not the Relay Proxy's: no object of flags, "
				     "each with a value");
	return 0;
}

/* {"key","value","reason"}, without a value where the flag is disabled, or {"key","errorCode"}. */
static int read_ofrep(const struct fcp_json *answer, struct answer_reader *reader,
		      struct fcp_error *err)
{
	const struct fcp_json *flags = fcp_json_get(answer, "flags");

	if (!fcp_json_is_array(flags))
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "the answer is not OFREP's: no \"flags\" array");
	for (size_t i = 0; i < fcp_json_count(flags); i++) {
		const struct fcp_json *flag = fcp_json_at(flags, i);
		const char *name = fcp_json_string(fcp_json_get(flag, "key"));
		const char *problem = fcp_json_string(fcp_json_get(flag, "errorCode"));
		const struct fcp_json *value = fcp_json_get(flag, "value");

		if (!name)
			return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
					     "the answer is not OFREP's: a flag without a key");
		if (value || problem)
			reader->visit(name, problem ? NULL : value, problem, reader->arg);
	}
	return 0;
}

int fcp_flag_service_read(enum fcp_flags_source kind, const char *text, fcp_flag_visitor visit,
			  void *arg, struct fcp_error *err)
{
	FCP_CLEANUP(json) struct fcp_json *answer = NULL;
	struct answer_reader reader = {visit, arg, false};

	if (fcp_json_parse(text, strlen(text), "the answer", &answer, err) != 0)
		return -1;
	return kind == FCP_FLAGS_LAUNCHDARKLY ? read_relay(answer, &reader, err)
					      : read_ofrep(answer, &reader, err);
}
