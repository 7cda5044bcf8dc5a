// SPDX-License-Identifier: Apache-2.0
#include "cmd/completion/completion.h"

#include "base/enums.h"

#include <string.h>

const struct plain_word plain_words[] = {
	{"help", "the options of a command", ""}, /* the commands */
	{"schema", "the JSON Schema of what --json prints", NULL},
	{"completion", "completion for a shell", "bash zsh fish"},
	{"version", "the version", NULL},
	{NULL, NULL, NULL},
};

bool command_takes(const struct command *command, enum option_id id)
{
	return options[id].commands & (1U << (command - commands));
}

enum value_source option_values(enum option_id id)
{
	const char *arg = options[id].arg;

	switch (options[id].kind) {
	case KIND_CHOICE:
	case KIND_STEP_MS:
		return VALUES_WORDS;
	case KIND_LIST:
		return VALUES_LIST;
	case KIND_TEXT:
	case KIND_FILES:
		if (strcmp(arg, "DIR") == 0)
			return VALUES_DIRECTORY;
		return strncmp(arg, "FILE", 4) == 0 || strcmp(arg, "PATH") == 0 ? VALUES_FILE
										: VALUES_NONE;
	default:
		return VALUES_NONE;
	}
}

static void append(char text[OPTION_WORDS_BYTES], const char *word, const char *suffix)
{
	size_t length = strlen(text);

	snprintf(text + length, OPTION_WORDS_BYTES - length, "%s%s%s", length ? " " : "", word,
		 suffix);
}

const char *option_words(enum option_id id, char text[OPTION_WORDS_BYTES])
{
	const char *suffix = options[id].kind == KIND_STEP_MS ? "=" : "";

	text[0] = '\0';
	if (options[id].kind == KIND_CHOICE)
		for (size_t i = 0; options[id].choices[i]; i++)
			append(text, options[id].choices[i], "");
	else if (id == OPT_FIND)
		append(text, "free zero base changed", "");
	else
		for (size_t i = 0; i < FCP_RECLAIM_KINDS; i++)
			append(text, fcp_reclaim_kind_name((enum fcp_reclaim_kind)i), suffix);
	return text;
}

bool print_completion(const char *shell, FILE *out)
{
	if (strcmp(shell, "bash") == 0)
		print_bash_completion(out);
	else if (strcmp(shell, "zsh") == 0)
		print_zsh_completion(out);
	else if (strcmp(shell, "fish") == 0)
		print_fish_completion(out);
	else
		return false;
	return true;
}
