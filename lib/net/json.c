// SPDX-License-Identifier: Apache-2.0
#include "net/json.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/utf8.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static json_t *to_jansson(const struct fcp_json *json)
{
	return (json_t *)json;
}

static struct fcp_json *from_jansson(json_t *json)
{
	return (struct fcp_json *)json;
}

struct json_shape {
	size_t values; /* at least as many as there are */
	size_t depth;  /* of the deepest */
};

/* Of text that may be no JSON. */
static struct json_shape shape_of(const char *text, size_t length)
{
	struct json_shape shape = {.values = 1};
	bool in_string = false;
	size_t depth = 0;

	for (size_t i = 0; i < length; i++) {
		if (in_string && text[i] == '\\') {
			i++;
		} else if (text[i] == '"') {
			in_string = !in_string;
		} else if (in_string) {
			continue;
		} else if (text[i] == '[' || text[i] == '{') {
			shape.values++;
			depth++;
			shape.depth = depth > shape.depth ? depth : shape.depth;
		} else if (text[i] == ',') {
			shape.values++;
		} else if ((text[i] == ']' || text[i] == '}') && depth > 0) {
			depth--;
		}
	}
	return shape;
}

/* jansson takes 200 bytes for each {}: a server's megabyte must not become seventy of ours. */
static int check_shape(const char *text, size_t length, const char *what, struct fcp_error *err)
{
	struct json_shape shape = shape_of(text, length);

	if (shape.values > FCP_JSON_VALUES_MAX)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0, "%s: JSON of more than %d values",
				     what, FCP_JSON_VALUES_MAX);
	if (shape.depth > FCP_JSON_DEPTH_MAX)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0, "%s: JSON of more than %d levels",
				     what, FCP_JSON_DEPTH_MAX);
	return 0;
}

int fcp_json_parse(const char *text, size_t length, const char *what, struct fcp_json **json_,
		   struct fcp_error *err)
{
	json_error_t error;
	json_t *json;

	if (check_shape(text, length, what, err) != 0)
		return -1;
	json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "%s: invalid JSON: %s (line %d, column %d)", what, error.text,
				     error.line, error.column);
	*json_ = from_jansson(json);
	return 0;
}

void fcp_json_free(struct fcp_json *json)
{
	json_decref(to_jansson(json));
}

static void put_escape(FILE *out, uint32_t character)
{
	if (character <= 0xffff)
		fprintf(out, "\\u%04x", character);
	else
		fprintf(out, "\\u%04x\\u%04x", 0xd7c0 + (character >> 10),
			0xdc00 + (character & 0x3ff));
}

/*
 * The same JSON, safe on a terminal: jansson escapes C0 only. Hidden characters occur in strings
 * only.
 */
static char *escape_hidden(const char *text)
{
	size_t left = strlen(text), bytes, escaped_bytes;
	uint32_t character;
	char *escaped = NULL;
	FILE *out = open_memstream(&escaped, &escaped_bytes);

	if (!out)
		return NULL;
	for (; left > 0; text += bytes, left -= bytes) {
		bytes = fcp_utf8_decode(text, left, &character);
		if (!fcp_is_printable(character))
			put_escape(out, character);
		else
			fwrite(text, 1, bytes, out);
	}
	if (fclose(out) != 0) {
		free(escaped);
		return NULL;
	}
	return escaped;
}

char *fcp_json_text(const struct fcp_json *json)
{
	FCP_CLEANUP(free)
	char *text = json_dumps(to_jansson(json),
				JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

	if (!text || fcp_text_is_printable(text))
		return fcp_steal_pointer(&text);
	return escape_hidden(text);
}

const struct fcp_json *fcp_json_get(const struct fcp_json *object, const char *key)
{
	return from_jansson(json_object_get(to_jansson(object), key));
}

const char *fcp_json_string(const struct fcp_json *json)
{
	return json_string_value(to_jansson(json));
}

bool fcp_json_bool(const struct fcp_json *json, bool *value_)
{
	if (!json_is_boolean(to_jansson(json)))
		return false;
	*value_ = json_is_true(to_jansson(json));
	return true;
}

bool fcp_json_i64(const struct fcp_json *json, int64_t *value_)
{
	if (!json_is_integer(to_jansson(json)))
		return false;
	*value_ = json_integer_value(to_jansson(json));
	return true;
}

bool fcp_json_u64(const struct fcp_json *json, uint64_t *value_)
{
	int64_t value;

	if (!fcp_json_i64(json, &value) || value < 0)
		return false;
	*value_ = (uint64_t)value;
	return true;
}

bool fcp_json_number(const struct fcp_json *json, double *value_)
{
	if (!json_is_number(to_jansson(json)))
		return false;
	*value_ = json_number_value(to_jansson(json));
	return true;
}

bool fcp_json_is_object(const struct fcp_json *json)
{
	return json_is_object(to_jansson(json));
}

bool fcp_json_is_array(const struct fcp_json *json)
{
	return json_is_array(to_jansson(json));
}

bool fcp_json_is_null(const struct fcp_json *json)
{
	return json_is_null(to_jansson(json));
}

size_t fcp_json_count(const struct fcp_json *json)
{
	return json_array_size(to_jansson(json));
}

const struct fcp_json *fcp_json_at(const struct fcp_json *json, size_t place)
{
	return from_jansson(json_array_get(to_jansson(json), place));
}

void fcp_json_each(const struct fcp_json *object,
		   void (*visit)(const char *key, const struct fcp_json *value, void *arg),
		   void *arg)
{
	const char *key;
	json_t *value;

	json_object_foreach(to_jansson(object), key, value) visit(key, from_jansson(value), arg);
}

struct fcp_json *fcp_json_object(void)
{
	return from_jansson(json_object());
}

struct fcp_json *fcp_json_array(void)
{
	return from_jansson(json_array());
}

int fcp_json_set(struct fcp_json *object, const char *key, struct fcp_json *value)
{
	return json_object_set_new(to_jansson(object), key, to_jansson(value));
}

int fcp_json_append(struct fcp_json *array, struct fcp_json *value)
{
	return json_array_append_new(to_jansson(array), to_jansson(value));
}

static json_t *string_value(const char *value)
{
	FCP_CLEANUP(free) char *text = NULL;
	size_t bytes;

	if (fcp_utf8_is_valid(value))
		return json_string(value);
	bytes = 4 * strlen(value) + 1;
	text = malloc(bytes);
	if (!text)
		return NULL;
	fcp_text_filter(value, text, bytes);
	return json_string(text);
}

int fcp_json_set_string(struct fcp_json *object, const char *key, const char *value)
{
	return json_object_set_new(to_jansson(object), key, string_value(value));
}

int fcp_json_append_string(struct fcp_json *array, const char *value)
{
	return json_array_append_new(to_jansson(array), string_value(value));
}

int fcp_json_append_u64(struct fcp_json *array, uint64_t value)
{
	return json_array_append_new(to_jansson(array), json_integer((json_int_t)value));
}

int fcp_json_set_u64(struct fcp_json *object, const char *key, uint64_t value)
{
	return json_object_set_new(to_jansson(object), key, json_integer((json_int_t)value));
}

int fcp_json_set_i64(struct fcp_json *object, const char *key, int64_t value)
{
	return json_object_set_new(to_jansson(object), key, json_integer(value));
}

int fcp_json_set_bool(struct fcp_json *object, const char *key, bool value)
{
	return json_object_set_new(to_jansson(object), key, json_boolean(value));
}

int fcp_json_set_null(struct fcp_json *object, const char *key)
{
	return json_object_set_new(to_jansson(object), key, json_null());
}

int fcp_json_set_ms(struct fcp_json *object, const char *key, double ms)
{
	return json_object_set_new(to_jansson(object), key, json_real(round(ms * 10) / 10));
}
