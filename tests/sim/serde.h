// SPDX-License-Identifier: Apache-2.0
/*
 * Reads a request's body the way Firecracker's deserializer (serde_json) does: same checks in the
 * same order, same messages, same "at line 1 column N".
 */
#ifndef SIM_SERDE_H
#define SIM_SERDE_H

#include <stdbool.h>
#include <stddef.h>

enum serde_kind {
	SERDE_BOOL,
	SERDE_U8,
	SERDE_U16,
	SERDE_U32,
	SERDE_U64,
	SERDE_STRING,
	SERDE_PATH,
	SERDE_ENUM,
	SERDE_STRUCT,
	SERDE_ANY,
};

struct serde_struct;

struct serde_field {
	const char *name;
	enum serde_kind kind;
	bool required;
	bool nullable;
	const char *const *variants;
	const struct serde_struct *type;
};

struct serde_struct {
	const char *name;
	bool deny_unknown;
	const struct serde_field *fields; /* ends with a NULL name */
};

/* Returns 0, or -1 with the message (without the final dot that Firecracker adds). */
int serde_check(const struct serde_struct *type, const char *body, size_t len, char *ret_message,
		size_t message_size);

#endif
