// SPDX-License-Identifier: Apache-2.0
/*
 * Text that is shown, URLs, numbers, and JSON. The first byte: how much room there is for what is
 * filtered.
 */
#include "base/text.h"
#include "base/units.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "net/json.h"
#include "net/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_filter(const char *text, size_t room)
{
	char shown[300], again[300], line[300];

	memset(shown, 'x', sizeof(shown));
	fcp_text_filter(text, shown, room);
	expect(memchr(shown, '\0', room) != NULL, "filtered text without an end");
	expect(fcp_text_is_printable(shown), "filtered text that drives a terminal");
	fcp_text_filter(shown, again, sizeof(again));
	/* A line break ends a URL, its escape does not: more of it may be hidden then. */
	expect(strcmp(shown, again) == 0 || strstr(text, "://"),
	       "text that changes when it is filtered again");
	fcp_text_first_line(text, line, room);
	expect(fcp_text_is_printable(line), "a line that drives a terminal");
	fcp_text_append(text, shown, room);
	expect(strlen(shown) < room, "a list that is longer than its room");
	expect(!fcp_text_is_printable(text) || fcp_utf8_is_valid(text),
	       "printable text that is not UTF-8");
}

static void check_number(const char *text)
{
	char again[32];
	uint64_t value, same;

	if (!fcp_parse_u64(text, true, &value))
		return;
	snprintf(again, sizeof(again), "%llu", (unsigned long long)value);
	expect(fcp_parse_u64(again, false, &same) && same == value, "a number that is another one");
	expect(text[0] >= '0' && text[0] <= '9', "a number that does not begin with a digit");
}

static void check_url(const char *url)
{
	struct fcp_error err = {0};

	if (fcp_url_check(url, &err) != 0) {
		expect_error(&err);
		return;
	}
	expect(fcp_text_is_printable(url), "a URL that drives a terminal");
	expect(!strpbrk(url, "@?# \\\"'<>|^`{}"), "a URL of more than a host, a port and a path");
	fcp_url_has_port(url);
}

/* A string in it, as fcp_json_text() writes it for a terminal, is the same string. */
static void check_string(const char *key, const struct fcp_json *value, void *arg)
{
	struct fcp_json *object = fcp_json_object(), *again;
	const char *string = fcp_json_string(value);
	struct fcp_error err;
	char *text;

	(void)arg;
	if (object && string && fcp_json_set_string(object, key, string) == 0) {
		text = fcp_json_text(object);
		expect(text && fcp_text_is_printable(text), "JSON that drives a terminal");
		expect(fcp_json_parse(text, strlen(text), "again", &again, &err) == 0,
		       "JSON that is not read when it is written again");
		expect(strcmp(fcp_json_string(fcp_json_get(again, key)), string) == 0,
		       "another string");
		fcp_json_free(again);
		free(text);
	}
	fcp_json_free(object);
}

static void check_json(struct bytes input)
{
	struct fcp_error err = {0};
	struct fcp_json *json;

	if (fcp_json_parse((const char *)input.at, input.left, "input", &json, &err) != 0) {
		expect_error(&err);
		return;
	}
	if (fcp_json_is_object(json))
		fcp_json_each(json, check_string, NULL);
	fcp_json_free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = {data, size};
	size_t room = take_byte(&input) + 1U;
	char *text = text_of_bytes(input);

	check_filter(text, room);
	check_number(text);
	check_url(text);
	input.at = (uint8_t *)text;
	check_json(input);
	free(text);
	return 0;
}
