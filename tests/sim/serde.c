// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serde.h"

#define SERDE_MAX_DEPTH 128
#define SERDE_MAX_FIELDS 16

struct input {
	const char *s;
	size_t len;
	size_t i; /* bytes consumed */
	int depth;
	bool placed; /* the error has its position */
	char *message;
	size_t size;
};

struct text {
	char s[256];
};

static int peek(const struct input *in)
{
	return in->i < in->len ? (unsigned char)in->s[in->i] : -1;
}

static int skip_blanks(struct input *in)
{
	while (in->i < in->len && memchr(" \t\r\n", in->s[in->i], 4))
		in->i++;
	return peek(in);
}

static void place(struct input *in, size_t at)
{
	size_t line = 1, start = 0, used = strlen(in->message);

	if (in->placed)
		return;
	for (size_t i = 0; i < at; i++) {
		if (in->s[i] == '\n') {
			line++;
			start = i + 1;
		}
	}
	snprintf(in->message + used, in->size - used, " at line %zu column %zu", line, at - start);
	in->placed = true;
}

/* An error whose place is only known when the enclosing value has ended. */
__attribute__((format(printf, 2, 3))) static int fail(struct input *in, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(in->message, in->size, format, args);
	va_end(args);
	return -1;
}

/* A syntax error at the byte that comes next. */
static int fail_peek(struct input *in, const char *what)
{
	fail(in, "%s", what);
	place(in, in->i < in->len ? in->i + 1 : in->len);
	return -1;
}

/* A syntax error at what was consumed. */
static int fail_here(struct input *in, const char *what)
{
	fail(in, "%s", what);
	place(in, in->i);
	return -1;
}

static int read_word(struct input *in, const char *word)
{
	for (size_t k = 0; word[k]; k++) {
		if (in->i >= in->len)
			return fail_here(in, "EOF while parsing a value");
		if (in->s[in->i++] != word[k])
			return fail_here(in, "expected ident");
	}
	return 0;
}

static void append(struct text *ret, size_t *n, char c)
{
	if (*n + 1 < sizeof(ret->s))
		ret->s[(*n)++] = c;
	ret->s[*n] = '\0';
}

static int read_escape(struct input *in, struct text *ret, size_t *n)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (in->i >= in->len)
		return fail_here(in, "EOF while parsing a string");
	at = strchr(from, in->s[in->i++]);
	if (at && *at) {
		append(ret, n, to[at - from]);
		return 0;
	}
	if (in->s[in->i - 1] != 'u')
		return fail_here(in, "invalid escape");
	if (in->len - in->i < 4) {
		in->i = in->len;
		return fail_here(in, "EOF while parsing a string");
	}
	append(ret, n, '?');
	in->i += 4;
	return 0;
}

static int read_string(struct input *in, struct text *ret)
{
	size_t n = 0;

	ret->s[0] = '\0';
	in->i++;
	while (in->i < in->len) {
		char c = in->s[in->i++];

		if (c == '"')
			return 0;
		if ((unsigned char)c < 0x20)
			return fail_here(in, "control character (\\u0000-\\u001F) "
					     "found while parsing a string");
		if (c != '\\')
			append(ret, &n, c);
		else if (read_escape(in, ret, &n))
			return -1;
	}
	return fail_here(in, "EOF while parsing a string");
}

static size_t skip_digits(struct input *in)
{
	size_t from = in->i;

	while (in->i < in->len && in->s[in->i] >= '0' && in->s[in->i] <= '9')
		in->i++;
	return in->i - from;
}

static int number_error(struct input *in)
{
	return fail_peek(in, in->i < in->len ? "invalid number" : "EOF while parsing a value");
}

static int read_number(struct input *in, struct text *ret, bool *ret_float)
{
	size_t from = in->i, n;
	bool zero;

	*ret_float = false;
	if (peek(in) == '-')
		in->i++;
	zero = peek(in) == '0';
	n = skip_digits(in);
	if (!n || (zero && n > 1))
		return number_error(in);
	if (peek(in) == '.') {
		*ret_float = true;
		in->i++;
		if (!skip_digits(in))
			return number_error(in);
	}
	if (peek(in) == 'e' || peek(in) == 'E') {
		*ret_float = true;
		in->i++;
		if (peek(in) == '+' || peek(in) == '-')
			in->i++;
		if (!skip_digits(in))
			return number_error(in);
	}
	n = in->i - from < sizeof(ret->s) ? in->i - from : sizeof(ret->s) - 1;
	memcpy(ret->s, in->s + from, n);
	ret->s[n] = '\0';
	return 0;
}

static int skip_value(struct input *in);

/* To the next key of an object: 1, at its end: 0, wrong: -1. */
static int next_key(struct input *in, bool *first)
{
	int c = skip_blanks(in);

	if (c == '}')
		return 0;
	if (c < 0)
		return fail_peek(in, "EOF while parsing an object");
	if (!*first) {
		if (c != ',')
			return fail_peek(in, "expected `,` or `}`");
		in->i++;
		c = skip_blanks(in);
		if (c < 0)
			return fail_peek(in, "EOF while parsing a value");
		if (c == '}')
			return fail_peek(in, "trailing comma");
	}
	*first = false;
	return c == '"' ? 1 : fail_peek(in, "key must be a string");
}

static int read_colon(struct input *in)
{
	int c = skip_blanks(in);

	if (c < 0)
		return fail_peek(in, "EOF while parsing an object");
	if (c != ':')
		return fail_peek(in, "expected `:`");
	in->i++;
	return 0;
}

static int skip_object(struct input *in)
{
	struct text key;
	bool first = true;
	int more;

	in->i++;
	while ((more = next_key(in, &first)) > 0) {
		if (read_string(in, &key) || read_colon(in) || skip_value(in))
			return -1;
	}
	in->i += more == 0;
	return more;
}

static int skip_array(struct input *in)
{
	bool first = true;

	in->i++;
	for (;;) {
		int c = skip_blanks(in);

		if (c < 0)
			return fail_peek(in, "EOF while parsing a list");
		if (c == ']' && first) {
			in->i++;
			return 0;
		}
		if (skip_value(in))
			return -1;
		first = false;
		c = skip_blanks(in);
		if (c == ']') {
			in->i++;
			return 0;
		}
		if (c != ',')
			return fail_peek(in, c < 0 ? "EOF while parsing a list"
						   : "expected `,` or `]`");
		in->i++;
	}
}

static int skip_value(struct input *in)
{
	struct text text;
	bool is_float;
	int c = skip_blanks(in), ret;

	if (c < 0)
		return fail_peek(in, "EOF while parsing a value");
	if (c == 't' || c == 'f' || c == 'n')
		return read_word(in, c == 't' ? "true" : c == 'f' ? "false" : "null");
	if (c == '"')
		return read_string(in, &text);
	if (c == '-' || (c >= '0' && c <= '9'))
		return read_number(in, &text, &is_float);
	if (c != '{' && c != '[')
		return fail_peek(in, "expected value");
	if (++in->depth > SERDE_MAX_DEPTH)
		return fail_peek(in, "recursion limit exceeded");
	ret = c == '{' ? skip_object(in) : skip_array(in);
	in->depth--;
	return ret;
}

static int wrong_string(struct input *in, const char *expected)
{
	struct text text;
	char quoted[600];
	size_t n = 0;

	if (read_string(in, &text))
		return -1;
	for (const char *p = text.s; *p && n < sizeof(quoted) - 3; p++) {
		if (*p == '"' || *p == '\\')
			quoted[n++] = '\\';
		quoted[n++] = *p;
	}
	quoted[n] = '\0';
	return fail(in, "invalid type: string \"%s\", expected %s", quoted, expected);
}

static int wrong_number(struct input *in, const char *expected)
{
	struct text text;
	bool is_float;

	if (read_number(in, &text, &is_float))
		return -1;
	return fail(in, "invalid type: %s `%s`, expected %s",
		    is_float ? "floating point" : "integer", text.s, expected);
}

static int wrong_type(struct input *in, const char *expected)
{
	int c = peek(in), ret = 0;

	if (c == 't' || c == 'f' || c == 'n')
		ret = read_word(in, c == 't' ? "true" : c == 'f' ? "false" : "null");
	else if (c == '"')
		ret = wrong_string(in, expected);
	else if (c == '-' || (c >= '0' && c <= '9'))
		ret = wrong_number(in, expected);
	else if (c == '[' || c == '{')
		ret = fail(in, "invalid type: %s, expected %s", c == '[' ? "sequence" : "map",
			   expected);
	else
		ret = fail_peek(in, "expected value");
	if (!ret && c == 'n')
		fail(in, "invalid type: null, expected %s", expected);
	else if (!ret)
		fail(in, "invalid type: boolean `%s`, expected %s", c == 't' ? "true" : "false",
		     expected);
	place(in, in->i);
	return -1;
}

static int read_unsigned(struct input *in, const char *name, uint64_t most)
{
	struct text text;
	bool is_float;
	unsigned long long n;
	char *end;
	int c = peek(in);

	if (c != '-' && (c < '0' || c > '9'))
		return wrong_type(in, name);
	if (read_number(in, &text, &is_float))
		return -1;
	n = strtoull(text.s, &end, 10);
	if (is_float)
		fail(in, "invalid type: floating point `%s`, expected %s", text.s, name);
	else if (c == '-' || n > most)
		fail(in, "invalid value: integer `%s`, expected %s", text.s, name);
	else
		return 0;
	place(in, in->i);
	return -1;
}

/* "`a` or `b`", "one of `a`, `b`, `c`" */
static void list_names(char *out, size_t size, const char *const *names, size_t count)
{
	size_t n = 0;

	if (count > 2)
		n = (size_t)snprintf(out, size, "one of ");
	for (size_t i = 0; i < count && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s`%s`",
				      i == 0	   ? ""
				      : count == 2 ? " or "
						   : ", ",
				      names[i]);
}

static int read_enum(struct input *in, const char *const *variants)
{
	struct text text;
	char names[256];
	size_t count = 0;

	if (peek(in) != '"')
		return fail_peek(in, "expected value");
	if (read_string(in, &text))
		return -1;
	for (; variants[count]; count++) {
		if (!strcmp(text.s, variants[count]))
			return 0;
	}
	list_names(names, sizeof(names), variants, count);
	fail(in, "unknown variant `%s`, expected %s", text.s, names);
	place(in, in->i);
	return -1;
}

static int read_struct(struct input *in, const struct serde_struct *type);

static int read_text(struct input *in, const char *expected)
{
	struct text text;

	return peek(in) == '"' ? read_string(in, &text) : wrong_type(in, expected);
}

static int read_field(struct input *in, const struct serde_field *field)
{
	int c = skip_blanks(in);

	if (c < 0)
		return fail_peek(in, "EOF while parsing a value");
	if (c == 'n' && field->nullable)
		return read_word(in, "null");
	switch (field->kind) {
	case SERDE_BOOL:
		if (c == 't' || c == 'f')
			return read_word(in, c == 't' ? "true" : "false");
		return wrong_type(in, "a boolean");
	case SERDE_U8:
		return read_unsigned(in, "u8", UINT8_MAX);
	case SERDE_U16:
		return read_unsigned(in, "u16", UINT16_MAX);
	case SERDE_U32:
		return read_unsigned(in, "u32", UINT32_MAX);
	case SERDE_U64:
		return read_unsigned(in, "usize", UINT64_MAX);
	case SERDE_STRING:
		return read_text(in, "a string");
	case SERDE_PATH:
		return read_text(in, "path string");
	case SERDE_ENUM:
		return read_enum(in, field->variants);
	case SERDE_STRUCT:
		return read_struct(in, field->type);
	case SERDE_ANY:
		return skip_value(in);
	}
	return -1;
}

static int unknown_field(struct input *in, const struct serde_struct *type, const char *name)
{
	const char *names[SERDE_MAX_FIELDS];
	char list[512];
	size_t count = 0;

	for (; type->fields[count].name; count++)
		names[count] = type->fields[count].name;
	list_names(list, sizeof(list), names, count);
	return fail(in, "unknown field `%s`, expected %s", name, list);
}

static int read_pair(struct input *in, const struct serde_struct *type, unsigned int *seen)
{
	struct text key;
	size_t k = 0;

	if (read_string(in, &key))
		return -1;
	while (type->fields[k].name && strcmp(type->fields[k].name, key.s))
		k++;
	if (!type->fields[k].name && type->deny_unknown)
		return unknown_field(in, type, key.s);
	if (type->fields[k].name && *seen & 1u << k)
		return fail(in, "duplicate field `%s`", key.s);
	if (read_colon(in))
		return -1;
	if (!type->fields[k].name)
		return skip_value(in);
	*seen |= 1u << k;
	return read_field(in, &type->fields[k]);
}

static int read_members(struct input *in, const struct serde_struct *type)
{
	unsigned int seen = 0;
	bool first = true;
	int more;

	while ((more = next_key(in, &first)) > 0) {
		if (read_pair(in, type, &seen))
			return -1;
	}
	if (more < 0)
		return -1;
	for (size_t k = 0; type->fields[k].name; k++) {
		if (type->fields[k].required && !(seen & 1u << k))
			return fail(in, "missing field `%s`", type->fields[k].name);
	}
	return 0;
}

static int read_struct(struct input *in, const struct serde_struct *type)
{
	char expected[96];
	int ret;

	if (peek(in) != '{') {
		snprintf(expected, sizeof(expected), "struct %s", type->name);
		return wrong_type(in, expected);
	}
	in->i++;
	ret = read_members(in, type);
	/* The closing brace is read even after an error, and moves the error's place. */
	if (!in->placed && skip_blanks(in) == '}')
		in->i++;
	if (ret)
		place(in, in->i);
	return ret;
}

int serde_check(const struct serde_struct *type, const char *body, size_t len, char *ret_message,
		size_t message_size)
{
	struct input in = {.s = body, .len = len, .message = ret_message, .size = message_size};

	ret_message[0] = '\0';
	if (skip_blanks(&in) < 0)
		return fail_peek(&in, "EOF while parsing a value");
	if (read_struct(&in, type))
		return -1;
	return skip_blanks(&in) < 0 ? 0 : fail_peek(&in, "trailing characters");
}
