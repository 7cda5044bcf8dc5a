// SPDX-License-Identifier: Apache-2.0
/*
 * A flag service: the first byte says which, and for which use; then lines of a context up to an
 * empty one; then its answer.
 */
#include "services/flag_service.h"
#include "fuzz.h"

#include "flags/values.h"

#include <stdlib.h>
#include <string.h>

#define PAIRS_MAX 16

static enum fcp_flags_source kind_of(uint8_t how)
{
	return how & 1 ? FCP_FLAGS_OFREP : FCP_FLAGS_LAUNCHDARKLY;
}

/* What is built of any pairs is an object again, with a key. */
static void make_context(struct bytes *input, enum fcp_flags_source kind)
{
	char *pairs[PAIRS_MAX];
	struct fcp_error err = {0};
	struct fcp_json *json = NULL;
	size_t count = 0;
	char *text;

	while (count < PAIRS_MAX) {
		struct bytes line = take_until(input, '\n');

		if (line.left == 0)
			break;
		pairs[count++] = text_of_bytes(line);
	}
	text = fcp_flag_service_context(kind, (const char *const *)pairs, count, &err);
	if (!text)
		expect_error(&err);
	else
		expect(fcp_json_parse(text, strlen(text), "", &json, &err) == 0 &&
			       (fcp_json_string(fcp_json_get(json, "targetingKey")) ||
				fcp_json_string(fcp_json_get(json, "key")) ||
				strcmp(fcp_json_string(fcp_json_get(json, "kind")), "multi") == 0),
		       "a context without a key");
	fcp_json_free(json);
	free(text);
	for (size_t i = 0; i < count; i++)
		free(pairs[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = {data, size};
	uint8_t how = take_byte(&input);
	struct fcp_flags flags = FCP_FLAGS_INIT;
	struct fcp_flag_reader reader = {.source = "service",
					 .use = how & 2 ? FCP_USE_BUILD : FCP_USE_PAUSE,
					 .others_too = true};
	struct fcp_error err = {0};
	char *answer;

	make_context(&input, kind_of(how));
	answer = text_of_bytes(input);
	if (fcp_flag_service_read(kind_of(how), answer, fcp_flag_take, &reader, &err) != 0)
		expect_error(&err);
	free(answer);
	expect(fcp_flags_make(&reader, &flags, &err) == 0, "no memory");
	expect_flags(&flags);
	fcp_flags_clear(&flags);
	return 0;
}
