// SPDX-License-Identifier: Apache-2.0
#include "net/json.h"

#include "base/cleanup.h"
#include "tap.h"

static struct fcp_json *parsed(const char *text)
{
	struct fcp_json *json = NULL;
	struct fcp_error err;

	ok(fcp_json_parse(text, strlen(text), "test", &json, &err) == 0, "parsed: %.60s", text);
	return json;
}

static void reading(void)
{
	FCP_CLEANUP(json)
	struct fcp_json *json =
		parsed("{\"s\":\"text\",\"t\":true,\"i\":-5,\"u\":7,\"r\":1.5,\"n\":null,\"o\":{},"
		       "\"big\":9223372036854775807}");
	uint64_t u = 99;
	int64_t i = 99;
	double number = 0;
	bool is = false;

	is_str(fcp_json_string(fcp_json_get(json, "s")), "text", "a string");
	ok(fcp_json_bool(fcp_json_get(json, "t"), &is) && is, "true");
	ok(fcp_json_i64(fcp_json_get(json, "i"), &i) && i == -5, "a negative number");
	ok(!fcp_json_u64(fcp_json_get(json, "i"), &u) && u == 99, "... is none without a sign");
	ok(fcp_json_u64(fcp_json_get(json, "big"), &u) && u == INT64_MAX, "the largest number");
	ok(!fcp_json_u64(fcp_json_get(json, "r"), &u), "a fraction is no whole number");
	ok(fcp_json_number(fcp_json_get(json, "r"), &number) && number > 1.4 && number < 1.6,
	   "... but a number");
	ok(fcp_json_number(fcp_json_get(json, "u"), &number) && number > 6.9,
	   "a whole one is one too");
	ok(fcp_json_is_object(fcp_json_get(json, "o")) &&
		   !fcp_json_is_object(fcp_json_get(json, "s")),
	   "an object, and what is none");
}

static void what_is_not_there(void)
{
	uint64_t u = 99;
	bool is = true;

	ok(fcp_json_get(NULL, "x") == NULL, "nothing has no members");
	ok(fcp_json_string(NULL) == NULL, "nothing is no string");
	ok(!fcp_json_u64(NULL, &u) && u == 99 && !fcp_json_bool(NULL, &is) && is,
	   "nor a number, nor a truth");
	ok(!fcp_json_is_object(NULL), "nor an object");
	fcp_json_free(NULL);
}

static void bad_text(void)
{
	static const struct {
		const char *text;
		size_t length;
	} cases[] = {
		{"", 0},
		{"{", 1},
		{"{\"a\":1} x", 9},
		{"{\"a\":1,\"a\":2}", 13},
		{"{\"a\":\"\xff\"}", 9},
		{"{\"a\":99999999999999999999}", 26},
		{"{\"a\0\":1}", 8},
		{"nul", 3},
		{"<html>", 6},
	};
	struct fcp_json *json = NULL;
	struct fcp_error err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ok(fcp_json_parse(cases[i].text, cases[i].length, "test", &json, &err) == -1 &&
			   !json,
		   "no JSON: case %zu", i);
		ok(err.error_class == FCP_ERR_PROTOCOL && strncmp(err.message, "test: ", 6) == 0,
		   "... with its name in the message");
	}
}

static void deep_text(void)
{
	char deep[20001];
	struct fcp_json *json = NULL;
	struct fcp_error err;

	memset(deep, '[', 20000);
	deep[20000] = '\0';
	ok(fcp_json_parse(deep, 20000, "test", &json, &err) == -1, "20000 brackets are refused");
}

static void building(void)
{
	FCP_CLEANUP(json) struct fcp_json *object = fcp_json_object();
	FCP_CLEANUP(free) char *text = NULL;
	struct fcp_json *list = fcp_json_array();
	int bad = 0;

	bad |= fcp_json_set_string(object, "z", "first");
	bad |= fcp_json_set_u64(object, "u", UINT64_C(1) << 40);
	bad |= fcp_json_set_i64(object, "i", -1);
	bad |= fcp_json_set_bool(object, "b", false);
	bad |= fcp_json_set_null(object, "n");
	bad |= fcp_json_set_ms(object, "ms", 12.3456);
	bad |= fcp_json_append_string(list, "a");
	bad |= fcp_json_append(list, fcp_json_object());
	bad |= fcp_json_set(object, "list", list);
	ok(bad == 0, "nothing went wrong");
	text = fcp_json_text(object);
	is_str(text,
	       "{\"z\":\"first\",\"u\":1099511627776,\"i\":-1,\"b\":false,\"n\":null,\"ms\":12.3,"
	       "\"list\":[\"a\",{}]}",
	       "one line, in the order set");
	ok(fcp_json_set(object, "x", NULL) != 0, "a value that is none is a failure");
}

static void strings_that_are_no_utf8(void)
{
	FCP_CLEANUP(json) struct fcp_json *object = fcp_json_object();
	FCP_CLEANUP(free) char *text = NULL;
	char long_text[9000];
	const char *kept;

	ok(fcp_json_set_string(object, "s", "a\xff\xc3(z") == 0, "bytes of any kind can be told");
	ok(fcp_json_set_string(object, "t", "\xc3\xa4\x1b[0m\"\\\n") == 0,
	   "letters and controls can");
	text = fcp_json_text(object);
	has_str(text, "\"a", "the text is there");
	ok(strchr(text, '\x1b') == NULL && strchr(text, '\n') == NULL &&
		   strchr(text, '\xff') == NULL,
	   "no control and no stray byte comes out as it is");
	has_str(text, "a\\\\xff\\\\xc3(z", "S2: ... but escaped");
	fcp_json_set_string(object, "r", "\xe2\x80\xae\xc2\x9b\x7f\xf3\xa0\x81\x81");
	free(fcp_steal_pointer(&text));
	text = fcp_json_text(object);
	has_str(text, "\"\\u202e\\u009b\\u007f\\udb40\\udc41\"",
		"S2: what hides or reorders is escaped");
	fcp_json_free(object);
	object = parsed(text);
	kept = fcp_json_string(fcp_json_get(object, "r"));
	is_str(kept, "\xe2\x80\xae\xc2\x9b\x7f\xf3\xa0\x81\x81", "S2: ... and the value stays");
	memset(long_text, '\xfe', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	ok(fcp_json_set_string(object, "l", long_text) == 0, "a long one of them as well");
}

static void count_members(const char *key, const struct fcp_json *value, void *arg)
{
	char *keys = arg;

	ok(value != NULL, "member %s has a value", key);
	strcat(keys, key);
}

static void each(void)
{
	FCP_CLEANUP(json) struct fcp_json *json = parsed("{\"b\":1,\"a\":2,\"c\":null}");
	FCP_CLEANUP(json) struct fcp_json *list = parsed("[1]");
	char keys[16] = "";

	fcp_json_each(json, count_members, keys);
	is_str(keys, "bac", "each member once, in order");
	fcp_json_each(list, count_members, keys);
	is_str(keys, "bac", "a list has no members");
}

int main(void)
{
	reading();
	what_is_not_there();
	bad_text();
	deep_text();
	building();
	strings_that_are_no_utf8();
	each();
	return done();
}
