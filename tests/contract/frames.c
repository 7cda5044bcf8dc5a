// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"

#define PREFIX 5

struct describer {
	FILE *out;
	bool guest_state;
	const char *stream; /* of the data that is being collected, or NULL */
	char *data;
	size_t len;
};

void squeeze(char *text)
{
	char *out = text;

	for (const char *p = text; *p; p++) {
		if (isdigit((unsigned char)*p)) {
			if (out == text || out[-1] != 'N')
				*out++ = 'N';
		} else if (*p != ' ' || out == text || out[-1] != ' ') {
			*out++ = *p;
		}
	}
	*out = '\0';
}

char *frames_encode(const json_t *request_frames, size_t *ret_len)
{
	/* Of the malformed request the recording has only the length; it was this. */
	static const char malformed[] = "{bad";
	char *body = NULL;
	json_t *frame;
	size_t i;
	FILE *out = open_memstream(&body, ret_len);

	json_array_foreach((json_t *)request_frames, i, frame)
	{
		const json_t *message = json_object_get(frame, "message");
		json_int_t bytes = json_integer_value(json_object_get(frame, "bytes"));
		char *text = message ? json_dumps(message, 0) : strdup(malformed);
		uint32_t be = htonl((uint32_t)strlen(text));

		if (!message && bytes != (json_int_t)strlen(malformed))
			be = 0;
		fputc((int)json_integer_value(json_object_get(frame, "flags")), out);
		fwrite(&be, sizeof(be), 1, out);
		fputs(text, out);
		free(text);
	}
	fclose(out);
	return body;
}

static int base64_value(char c)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

static void append(struct describer *d, char c)
{
	/* The room is doubled when the length, its NUL with it, comes to a power of two. */
	if (!d->data || !((d->len + 1) & d->len))
		d->data = realloc(d->data, 2 * (d->len + 1));
	if (!d->data)
		abort();
	d->data[d->len++] = c;
	d->data[d->len] = '\0';
}

static void collect(struct describer *d, const char *text)
{
	uint32_t bits = 0;
	size_t count = 0;
	long only;

	if (sscanf(text, "<base64 of %ld bytes>", &only) == 1) {
		while (only--)
			append(d, 'x');
		return;
	}
	for (; base64_value(*text) >= 0; text++) {
		bits = bits << 6 | (uint32_t)base64_value(*text);
		if (++count % 4 != 1)
			append(d, (char)(bits >> (count % 4 == 2 ? 4 : count % 4 == 3 ? 2 : 0)));
	}
}

static void put_byte(FILE *out, char c)
{
	if (c == '\n')
		fputs("\\n", out);
	else if (isprint((unsigned char)c))
		fputc(c, out);
	else
		fprintf(out, "\\x%02x", (unsigned char)c);
}

static void flush_data(struct describer *d)
{
	char *text = d->data;

	if (!d->stream)
		return;
	if (d->guest_state) {
		squeeze(text);
		d->len = strlen(text);
	}
	fprintf(d->out, "data %s ", d->stream);
	/* What is long is told by its length and by whether it is all x. */
	if (d->len > 4096) {
		fprintf(d->out, "%zu bytes, %zu times x", d->len, strspn(text, "x"));
	} else {
		for (size_t i = 0; i < d->len; i++)
			put_byte(d->out, text[i]);
	}
	fputc('\n', d->out);
	free(d->data);
	d->data = NULL;
	d->len = 0;
	d->stream = NULL;
}

static void put_json(struct describer *d, const char *kind, const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

	flush_data(d);
	fprintf(d->out, "%s %s\n", kind, text);
	free(text);
}

static void describe_event(struct describer *d, const json_t *event)
{
	const json_t *data = json_object_get(event, "data");
	const json_t *start = json_object_get(event, "start");
	const char *name = json_object_get(data, "stdout") ? "stdout" : "stderr";
	const char *text = json_string_value(json_object_get(data, name));

	if (start && json_is_integer(json_object_get(start, "pid")) &&
	    json_object_size(start) == 1) {
		flush_data(d);
		fputs("start {\"pid\":N}\n", d->out);
	} else if (text && json_object_size(data) == 1) {
		if (d->stream && strcmp(d->stream, name))
			flush_data(d);
		d->stream = name;
		collect(d, text);
	} else {
		put_json(d, "event", event);
	}
}

static void describe(struct describer *d, int flags, const json_t *message)
{
	char kind[32];

	if (flags == 0 && json_object_get(message, "event") && json_object_size(message) == 1) {
		describe_event(d, json_object_get(message, "event"));
		return;
	}
	snprintf(kind, sizeof(kind), "flags=%d", flags);
	put_json(d, kind, message);
}

char *frames_describe_recorded(const json_t *response_frames, bool guest_state)
{
	struct describer d = {.guest_state = guest_state};
	char *text = NULL;
	size_t size, i;
	json_t *frame;

	d.out = open_memstream(&text, &size);
	json_array_foreach((json_t *)response_frames, i, frame)
		describe(&d, (int)json_integer_value(json_object_get(frame, "flags")),
			 json_object_get(frame, "message"));
	flush_data(&d);
	fclose(d.out);
	return text;
}

static size_t describe_next(struct describer *d, const char *body, size_t len)
{
	uint32_t be;
	json_t *message;
	size_t n;

	if (len < PREFIX) {
		flush_data(d);
		fprintf(d->out, "cut: %zu bytes\n", len);
		return len;
	}
	memcpy(&be, body + 1, sizeof(be));
	n = ntohl(be);
	if (n > len - PREFIX) {
		flush_data(d);
		fprintf(d->out, "cut: %zu of %zu bytes\n", len - PREFIX, n);
		return len;
	}
	message = json_loadb(body + PREFIX, n, 0, NULL);
	if (message)
		describe(d, body[0], message);
	else
		fprintf(d->out, "no JSON: %.*s\n", (int)n, body + PREFIX);
	json_decref(message);
	return n + PREFIX;
}

char *frames_describe_wire(const char *body, size_t len, bool guest_state)
{
	struct describer d = {.guest_state = guest_state};
	char *text = NULL;
	size_t size;

	d.out = open_memstream(&text, &size);
	for (size_t at = 0; at < len;)
		at += describe_next(&d, body + at, len - at);
	flush_data(&d);
	fclose(d.out);
	return text;
}
