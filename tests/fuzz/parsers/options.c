// SPDX-License-Identifier: Apache-2.0
/*
 * A command line and an environment. The first byte is the command; then words up to a newline
 * each; words that begin with FCPAUSE_ are the environment's.
 */
#include "cmd/parsing/parse.h"
#include "fuzz.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 600

/* The invocation borrows from the words; they are freed behind it. */
struct words {
	char *all[2 * WORDS_MAX + 2];
	char *argv[WORDS_MAX + 2];
	char *variables[WORDS_MAX + 1];
	int argc;
	size_t variable_count, count;
};

static void split(struct bytes input, struct words *words)
{
	words->argv[words->argc++] = (char *)(uintptr_t) "command";
	while (input.left > 0 && words->count < WORDS_MAX) {
		char *word = text_of_bytes(take_until(&input, '\n'));

		words->all[words->count++] = word;
		if (strncmp(word, "FCPAUSE_", 8) == 0)
			words->variables[words->variable_count++] = word;
		else
			words->argv[words->argc++] = word;
	}
}

static void check_values(const struct invocation *invocation)
{
	for (size_t id = 0; id < OPTIONS; id++) {
		const struct value *value = &invocation->values[id];
		enum option_kind kind = options[id].kind;

		if (value->origin == ORIGIN_DEFAULT)
			continue;
		expect(takes_option(invocation, (enum option_id)id),
		       "a value of another command's option");
		if (kind == KIND_MS || kind == KIND_WAIT_MS)
			expect(value->number <= 24 * 3600 * 1000, "a time of more than a day");
		if (kind == KIND_PID || kind == KIND_COUNT)
			expect(value->number > 0 && value->number <= INT32_MAX, "no process");
		if (kind == KIND_TEXT || kind == KIND_URL || kind == KIND_LIST)
			expect(value->text && *value->text, "a text that is empty");
	}
	expect(invocation->layers.count <= FILES_MAX && invocation->shares.count <= FILES_MAX,
	       "more files than there is room for");
}

static void check_warnings(const struct invocation *invocation)
{
	for (unsigned i = 0; i < invocation->unknown.count; i++)
		expect(memchr(invocation->unknown.warnings[i], '\0',
			      sizeof(invocation->unknown.warnings[i])) != NULL,
		       "a warning without an end");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = {data, size};
	static struct invocation invocation;
	static struct words words;
	char **own_environment = environ;
	struct fcp_error err = {0};

	memset(&invocation, 0, sizeof(invocation));
	memset(&words, 0, sizeof(words));
	invocation.id = take_byte(&input) % COMMANDS;
	invocation.command = &commands[invocation.id];
	invocation.cancel_fd = -1;
	split(input, &words);
	environ = words.variables;
	unknown_variables_find(&invocation.unknown);
	if (parse(words.argc, words.argv, &invocation, &err) != 0) {
		expect(err.error_class == FCP_ERR_USAGE, "an error that is not of the usage");
		expect_error(&err);
	} else {
		check_values(&invocation);
	}
	check_warnings(&invocation);
	environ = own_environment;
	for (size_t i = 0; i < words.count; i++)
		free(words.all[i]);
	return 0;
}
