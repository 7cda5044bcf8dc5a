// SPDX-License-Identifier: Apache-2.0
#include "cmd/completion/completion.h"

#include <string.h>

/* In single quotes, where fish interprets \' and \\. */
static void print_quoted(const char *text, FILE *out)
{
	fputc('\'', out);
	for (; *text; text++) {
		if (strchr("'\\", *text))
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('\'', out);
}

static void print_word(const char *name, const char *doc, FILE *out)
{
	fprintf(out, "complete -c fcpause -n __fish_use_subcommand -a %s -d ", name);
	print_quoted(doc, out);
	fputc('\n', out);
}

/* "__fish_seen_subcommand_from pause snapshot": the commands that have the option. */
static void print_condition(enum option_id id, FILE *out)
{
	fputs("'__fish_seen_subcommand_from", out);
	for (size_t i = 0; i < COMMANDS; i++)
		if (command_takes(&commands[i], id))
			fprintf(out, " %s", commands[i].name);
	fputs("'", out);
}

static void print_values(enum option_id id, FILE *out)
{
	char words[OPTION_WORDS_BYTES];

	switch (option_values(id)) {
	case VALUES_WORDS:
		fprintf(out, " -x -a '%s'", option_words(id, words));
		break;
	case VALUES_LIST:
		fprintf(out, " -x -a '(__fish_append , %s)'", option_words(id, words));
		break;
	case VALUES_FILE:
		fputs(" -r -F", out);
		break;
	case VALUES_DIRECTORY:
		fputs(" -x -a '(__fish_complete_directories)'", out);
		break;
	case VALUES_NONE:
		fputs(" -x", out);
	}
}

static void print_option(enum option_id id, const char *prefix, FILE *out)
{
	fputs("complete -c fcpause -n ", out);
	print_condition(id, out);
	fprintf(out, " -l %s%s", prefix, options[id].name);
	if (options[id].letter && *prefix == '\0')
		fprintf(out, " -s %c", options[id].letter);
	if (option_needs_value(id))
		print_values(id, out);
	fputs(" -d ", out);
	print_quoted(options[id].doc, out);
	fputc('\n', out);
}

static void print_plain_word(const struct plain_word *word, FILE *out)
{
	print_word(word->name, word->doc, out);
	if (!word->values)
		return;
	fprintf(out, "complete -c fcpause -n '__fish_seen_subcommand_from %s' -a '", word->name);
	if (*word->values)
		fputs(word->values, out);
	else
		for (size_t i = 0; i < COMMANDS; i++)
			fprintf(out, "%s%s", i ? " " : "", commands[i].name);
	fputs("'\n", out);
}

void print_fish_completion(FILE *out)
{
	fputs("# fcpause completion fish\ncomplete -c fcpause -f\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		print_word(commands[i].name, commands[i].summary, out);
	for (const struct plain_word *word = plain_words; word->name; word++)
		print_plain_word(word, out);
	for (size_t i = 0; i < OPTIONS; i++) {
		print_option((enum option_id)i, "", out);
		if (options[i].kind == KIND_TOGGLE)
			print_option((enum option_id)i, "no-", out);
	}
}
