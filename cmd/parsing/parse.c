// SPDX-License-Identifier: Apache-2.0
#include "cmd/parsing/parse.h"

#include "base/error.h"
#include "base/nearest.h"
#include "cmd/parsing/environment.h"
#include "cmd/parsing/values.h"

#include <argp.h>
#include <string.h>

#define ENVIRONMENT \
	"Each option can be set by the environment too: FCPAUSE_ and its name in capitals (FCPAUSE_API_SOCK). "
#define EXIT_CODES                                                               \
	ENVIRONMENT                                                              \
	"Exit codes: 0 done, 1 failed, 2 usage, 3 not supported here, 4 partly " \
	"done, 5 the VM was left in another state than asked, 6 another fcpause is at work."
#define EXIT_CODES_OF_COMMAND                                                          \
	ENVIRONMENT "Exit codes: the command's, 125 fcpause failed, 126 it cannot be " \
		    "executed, 127 it is not there, 128 + N signal N ended it."

/* argp's keys: a letter stands for itself, other options for what is above all letters. */
#define KEY_OPTION 0x1000
#define KEY_NEGATION 0x2000

struct parser {
	struct invocation *invocation;
	struct fcp_error *err;
	bool failed;
};

static int key_of(enum option_id id)
{
	return options[id].letter ? options[id].letter : KEY_OPTION + (int)id;
}

static enum option_id option_of(int key)
{
	for (size_t id = 0; id < OPTIONS; id++)
		if (key == key_of((enum option_id)id) || key == KEY_NEGATION + (int)id)
			return (enum option_id)id;
	return OPTIONS;
}

/* Of the command's own options, with and without no-. */
static const char *hint_for(const struct invocation *invocation, const char *word, size_t length,
			    char hint[FCP_NEAREST_HINT_BYTES])
{
	struct fcp_nearest nearest = {word, length, FCP_NEAREST_NONE, ""};

	for (size_t id = 0; id < OPTIONS; id++) {
		char name[FCP_NEAREST_MAX_BYTES];

		if (!takes_option(invocation, (enum option_id)id))
			continue;
		snprintf(name, sizeof(name), "--%s", options[id].name);
		fcp_nearest_try(&nearest, name);
		if (options[id].kind != KIND_TOGGLE)
			continue;
		snprintf(name, sizeof(name), "--no-%s", options[id].name);
		fcp_nearest_try(&nearest, name);
	}
	return fcp_nearest_hint(&nearest, hint);
}

static int unknown_option(const struct invocation *invocation, const char *word,
			  struct fcp_error *err)
{
	/* Without its value, which may be a secret. */
	size_t length = strcspn(word, "=");
	char hint[FCP_NEAREST_HINT_BYTES];

	return fcp_error_set(err, FCP_ERR_USAGE, 0,
			     "unknown option '%.*s'%s (see fcpause %s --help)", (int)length, word,
			     hint_for(invocation, word, length, hint), invocation->command->name);
}

/* argp says nothing itself: what the user wrote stands before state->next. */
static void explain(struct parser *parser, const struct argp_state *state)
{
	const char *word = state->argv[state->next - 1];
	size_t length = strcspn(word, "=");

	if (parser->failed)
		return;
	parser->failed = true;
	for (size_t id = 0; id < OPTIONS; id++) {
		const struct option_def *option = &options[id];
		bool named = strncmp(word, "--", 2) == 0 && strlen(option->name) == length - 2 &&
			     strncmp(word + 2, option->name, length - 2) == 0;

		if (!named || !takes_option(parser->invocation, (enum option_id)id))
			continue;
		fcp_error_set(parser->err, FCP_ERR_USAGE, 0,
			      option->arg ? "--%s needs a value: %s" : "--%s takes no value%s",
			      option->name, option->arg ? option->arg : "");
		return;
	}
	unknown_option(parser->invocation, word, parser->err);
}

static void act(struct invocation *invocation, enum option_id id)
{
	if (id == OPT_HELP)
		invocation->help = true;
	else
		invocation->version = true;
}

static error_t on_key(int key, char *arg, struct argp_state *state)
{
	struct parser *parser = state->input;
	enum option_id id = option_of(key);
	char where[64];
	int set = 0;

	if (key == ARGP_KEY_ERROR) {
		explain(parser, state);
		return 0;
	}
	if (key == ARGP_KEY_ARG && parser->invocation->command->operands) {
		/* All that follows is the operand's, whatever it looks like. */
		parser->invocation->operands = state->argv + state->next - 1;
		state->next = state->argc;
		return 0;
	}
	if (key == ARGP_KEY_ARG) {
		parser->failed = true;
		fcp_error_set(parser->err, FCP_ERR_USAGE, 0,
			      "'%.100s': this command takes options only", arg);
		return EINVAL;
	}
	if (id == OPTIONS)
		return ARGP_ERR_UNKNOWN;
	snprintf(where, sizeof(where), "--%s", options[id].name);
	if (options[id].kind == KIND_ACTION)
		act(parser->invocation, id);
	else if (options[id].arg)
		set = set_value(parser->invocation, id, ORIGIN_CLI, where, arg, parser->err);
	else
		set_switch(parser->invocation, id, ORIGIN_CLI, key < KEY_NEGATION);
	parser->failed |= set != 0;
	return set != 0 ? EINVAL : 0;
}

/* ---- argp's own tables, made from ours ---- */

static bool is_common(enum option_id id)
{
	return options[id].commands == (1U << COMMANDS) - 1;
}

/* Texts made for argp, which keeps pointers. */
struct texts {
	char negation[OPTIONS][40];
	char doc[OPTIONS][200];
};

/* "reclaim" -> "no-reclaim". */
static const char *negation(struct texts *texts, enum option_id id)
{
	snprintf(texts->negation[id], sizeof(texts->negation[id]), "no-%s", options[id].name);
	return texts->negation[id];
}

static const char *doc(struct texts *texts, enum option_id id)
{
	const struct option_def *option = &options[id];

	if (!option->otherwise)
		return option->doc;
	snprintf(texts->doc[id], sizeof(texts->doc[id]), "%s (default: %s)", option->doc,
		 option->otherwise);
	return texts->doc[id];
}

static void argp_table(const struct command *command, struct texts *texts,
		       struct argp_option *table)
{
	unsigned bit = 1U << (command - commands);
	size_t count = 0;

	for (int common = 0; common < 2; common++) {
		if (common)
			table[count++] =
				(struct argp_option){.doc = "Common to all commands:", .group = 2};
		for (size_t i = 0; i < OPTIONS; i++) {
			const struct option_def *option = &options[i];
			enum option_id id = (enum option_id)i;

			if (!(option->commands & bit) || is_common(id) != common)
				continue;
			table[count++] =
				(struct argp_option){option->name,   key_of(id), option->arg, 0,
						     doc(texts, id), common + 1};
			if (option->kind == KIND_TOGGLE)
				table[count++] = (struct argp_option){negation(texts, id),
								      KEY_NEGATION + (int)id,
								      NULL,
								      OPTION_ALIAS,
								      NULL,
								      common + 1};
		}
	}
	table[count] = (struct argp_option){0};
}

/* Two rows an option at the most, the heading, and the end. */
#define TABLE_ROWS (2 * OPTIONS + 2)

/* Is the word an option whose value is the next word? */
static bool takes_next(const struct invocation *invocation, const char *word)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (takes_option(invocation, (enum option_id)i) && options[i].arg &&
		    strncmp(word, "--", 2) == 0 && strcmp(word + 2, options[i].name) == 0)
			return true;
	return false;
}

/* Where the operands begin, which may look like options themselves; argc where there are none. */
static int count_option_words(int argc, char **argv, const struct invocation *invocation)
{
	if (!invocation->command || !invocation->command->operands)
		return argc;
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-' || argv[i][1] == '\0' || strcmp(argv[i], "--") == 0)
			return i;
		if (takes_next(invocation, argv[i]))
			i++;
	}
	return argc;
}

/* An error behind which --json stands, or FCPAUSE_JSON, is told as JSON too. */
void find_json(int argc, char **argv, struct invocation *invocation)
{
	struct fcp_error no_matter;

	from_environment(invocation, OPT_JSON, &no_matter);
	argc = count_option_words(argc, argv, invocation);
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--json") == 0)
			set_switch(invocation, OPT_JSON, ORIGIN_CLI, true);
}

static bool is_known(const struct invocation *invocation, const char *name, size_t length)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		enum option_id id = (enum option_id)i;
		const char *own = options[i].name;

		if (!takes_option(invocation, id))
			continue;
		if (strlen(own) == length && strncmp(name, own, length) == 0)
			return true;
		if (options[i].kind == KIND_TOGGLE && strlen(own) + 3 == length &&
		    strncmp(name, "no-", 3) == 0 && strncmp(name + 3, own, length - 3) == 0)
			return true;
	}
	return false;
}

/* getopt takes any unique beginning of a name: a script that uses one breaks with the next option. */
static int check_names(int argc, char **argv, const struct invocation *invocation,
		       struct fcp_error *err)
{
	argc = count_option_words(argc, argv, invocation);
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strncmp(argv[i], "--", 2) == 0 &&
		    !is_known(invocation, argv[i] + 2, strcspn(argv[i] + 2, "=")))
			return unknown_option(invocation, argv[i], err);
	return 0;
}

int parse(int argc, char **argv, struct invocation *invocation, struct fcp_error *err)
{
	struct argp_option table[TABLE_ROWS];
	struct argp argp = {.options = table, .parser = on_key};
	unsigned flags = ARGP_NO_ERRS | ARGP_NO_EXIT | ARGP_NO_HELP;
	struct parser parser = {invocation, err, false};
	struct texts texts;

	argp_table(invocation->command, &texts, table);
	if (check_names(argc, argv, invocation, err) != 0) {
		find_json(argc, argv, invocation);
		return -1;
	}
	if (invocation->command->operands)
		flags |= ARGP_IN_ORDER;
	if (argp_parse(&argp, argc, argv, flags, NULL, &parser) != 0) {
		if (!parser.failed)
			fcp_error_set(err, FCP_ERR_USAGE, 0, "these options cannot be parsed");
		find_json(argc, argv, invocation);
		return -1;
	}
	for (size_t id = 0; id < OPTIONS; id++) {
		if (from_environment(invocation, (enum option_id)id, err) != 0) {
			find_json(argc, argv, invocation);
			return -1;
		}
		set_default(invocation, (enum option_id)id);
	}
	return 0;
}

void print_help(const struct command *command, FILE *out)
{
	struct argp_option table[TABLE_ROWS];
	char name[64], text[1024];
	struct argp argp = {.options = table,
			    .parser = on_key,
			    .args_doc = command->operands,
			    .doc = text};
	struct texts texts;

	argp_table(command, &texts, table);
	snprintf(name, sizeof(name), "fcpause %s", command->name);
	snprintf(text, sizeof(text), "%s\v%s", command->doc,
		 command->failure ? EXIT_CODES_OF_COMMAND : EXIT_CODES);
	argp_help(&argp, out,
		  ARGP_HELP_USAGE | ARGP_HELP_PRE_DOC | ARGP_HELP_LONG | ARGP_HELP_POST_DOC, name);
}
