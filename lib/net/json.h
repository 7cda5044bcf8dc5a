// SPDX-License-Identifier: Apache-2.0
/* JSON. The only user of jansson: a struct fcp_json is a json_t under another name. */
#ifndef FCP_NET_JSON_H
#define FCP_NET_JSON_H

#include "base/error.h"

struct fcp_json;

/* Brackets and commas are counted, so a text of some fewer values may be refused already. */
#define FCP_JSON_VALUES_MAX 65536
#define FCP_JSON_DEPTH_MAX 64

/*
 * Parses one JSON text of length bytes; what names it in messages. Duplicate keys, bytes after the
 * text, and more values or levels than FCP_JSON_..._MAX are errors (FCP_ERR_PROTOCOL). *json_ is
 * owned: fcp_json_free().
 */
int fcp_json_parse(const char *text, size_t length, const char *what, struct fcp_json **json_,
		   struct fcp_error *err);

/* NULL-safe. */
void fcp_json_free(struct fcp_json *json);

static inline void fcp_cleanup_json(struct fcp_json **json)
{
	fcp_json_free(*json);
}

/*
 * One line of printable text (other characters as \u escapes), keys in the order they were set;
 * owned by the caller. NULL: no memory.
 */
char *fcp_json_text(const struct fcp_json *json);

/* ---- reading: NULL and values of another type count as absent ---- */

/* The value of key, borrowed; NULL if object is not an object or has no such key. */
const struct fcp_json *fcp_json_get(const struct fcp_json *object, const char *key);

/* The string, borrowed; NULL if json is not a string. */
const char *fcp_json_string(const struct fcp_json *json);

/* false, with *value_ untouched, if json has another type (or is negative, for u64). */
bool fcp_json_bool(const struct fcp_json *json, bool *value_);
bool fcp_json_u64(const struct fcp_json *json, uint64_t *value_);
bool fcp_json_i64(const struct fcp_json *json, int64_t *value_);
bool fcp_json_number(const struct fcp_json *json, double *value_);

bool fcp_json_is_object(const struct fcp_json *json);
bool fcp_json_is_array(const struct fcp_json *json);
bool fcp_json_is_null(const struct fcp_json *json);

/* Calls visit for each member of object, in order. */
void fcp_json_each(const struct fcp_json *object,
		   void (*visit)(const char *key, const struct fcp_json *value, void *arg),
		   void *arg);

/* 0, and NULL, if json is not an array; NULL too past its end. The item is borrowed. */
size_t fcp_json_count(const struct fcp_json *json);
const struct fcp_json *fcp_json_at(const struct fcp_json *json, size_t place);

/* ---- building: each returns 0, or -1 without memory ---- */

struct fcp_json *fcp_json_object(void);
struct fcp_json *fcp_json_array(void);

/* Take ownership of value, even on failure; a NULL value is a failure. */
int fcp_json_set(struct fcp_json *object, const char *key, struct fcp_json *value);
int fcp_json_append(struct fcp_json *array, struct fcp_json *value);

/* A value that is not UTF-8 is escaped (fcp_text_filter()). */
int fcp_json_set_string(struct fcp_json *object, const char *key, const char *value);
int fcp_json_append_u64(struct fcp_json *array, uint64_t value);
int fcp_json_append_string(struct fcp_json *array, const char *value);
int fcp_json_set_u64(struct fcp_json *object, const char *key, uint64_t value);
int fcp_json_set_i64(struct fcp_json *object, const char *key, int64_t value);
int fcp_json_set_bool(struct fcp_json *object, const char *key, bool value);
int fcp_json_set_null(struct fcp_json *object, const char *key);

/* Milliseconds, to one decimal. */
int fcp_json_set_ms(struct fcp_json *object, const char *key, double ms);

#endif
