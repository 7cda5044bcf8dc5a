// SPDX-License-Identifier: Apache-2.0
#include "cmd/parsing/words.h"

#include "base/error.h"
#include "base/nearest.h"

#include <stdio.h>
#include <string.h>

/* ---- which option a word names ---- */

static bool is_named(const char *name, const char *word, size_t length)
{
	return strlen(name) == length && strncmp(name, word, length) == 0;
}

/* The option of the command with that name, or "no-NAME"; OPTIONS if it has none. */
static enum option_id find_option(const struct invocation *invocation, const char *word,
				  size_t length)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		enum option_id id = (enum option_id)i;

		if (takes_option(invocation, id) &&
		    (is_named(options[i].name, word, length) ||
		     (options[i].kind == KIND_TOGGLE && length > 3 &&
		      strncmp(word, "no-", 3) == 0 &&
		      is_named(options[i].name, word + 3, length - 3))))
			return id;
	}
	return OPTIONS;
}

static bool has_letter(const struct invocation *invocation, char letter)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (options[i].letter == letter && takes_option(invocation, (enum option_id)i))
			return true;
	return false;
}

/* Is the word an option whose value is the next word? */
static bool takes_next(const struct invocation *invocation, const char *word)
{
	enum option_id id = strncmp(word, "--", 2) == 0
				    ? find_option(invocation, word + 2, strlen(word + 2))
				    : OPTIONS;

	return id != OPTIONS && option_needs_value(id);
}

int words_before_operands(int argc, char **argv, const struct invocation *invocation)
{
	if (!invocation->command || !invocation->command->verbatim)
		return argc;
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-' || argv[i][1] == '\0' || strcmp(argv[i], "--") == 0)
			return i;
		if (takes_next(invocation, argv[i]))
			i++;
	}
	return argc;
}

/* ---- messages ---- */

/* The most similar of the command's own options, with and without no-. */
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

/* "pause, doctor": the commands that have an option of that name; "" if none has. */
static const char *takers_of(const char *word, size_t length, char *names, size_t bytes)
{
	unsigned takers = 0;

	for (size_t i = 0; i < OPTIONS; i++)
		if (is_named(options[i].name, word, length))
			takers |= options[i].commands;
	names[0] = '\0';
	for (size_t i = 0; i < COMMANDS; i++)
		if (takers & (1U << i))
			snprintf(names + strlen(names), bytes - strlen(names), "%s%s",
				 names[0] ? ", " : "", commands[i].name);
	return names;
}

/* Prints the word without its value, which may be a secret. */
static int unknown_option(const struct invocation *invocation, const char *word, size_t length,
			  struct fcp_error *err)
{
	const char *command = invocation->command->name;
	char hint[FCP_NEAREST_HINT_BYTES], takers[128];

	if (length > 2 && *takers_of(word + 2, length - 2, takers, sizeof(takers)))
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "'%.*s' is an option of %s, not of %s (see fcpause %s --help)",
				     (int)length, word, takers, command, command);
	return fcp_error_set(err, FCP_ERR_USAGE, 0,
			     "unknown option '%.*s'%s (see fcpause %s --help=all)", (int)length,
			     word, hint_for(invocation, word, length, hint), command);
}

/* ---- words ---- */

/* "--NAME" or "--NAME=VALUE", and the next word or NULL. */
static int check_long(const struct invocation *invocation, const char *word, const char *next,
		      struct fcp_error *err)
{
	size_t length = strcspn(word, "=");
	bool has_value = word[length] == '=';
	enum option_id id = find_option(invocation, word + 2, length - 2);

	if (id == OPTIONS)
		return unknown_option(invocation, word, length, err);
	if (has_value && !options[id].arg)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "%.*s takes no value", (int)length,
				     word);
	/* `--envd $URL --json` with an empty URL must not take the next option for its value. */
	if (!has_value && option_needs_value(id) && (!next || strncmp(next, "--", 2) == 0))
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "%s needs a value: %s", word,
				     options[id].arg);
	return 0;
}

/* "-nq"; no letter has a value. */
static int check_letters(const struct invocation *invocation, const char *word,
			 struct fcp_error *err)
{
	const char *letter = word + 1;
	char hint[FCP_NEAREST_HINT_BYTES] = "";

	while (*letter && has_letter(invocation, *letter))
		letter++;
	if (*letter == '\0')
		return 0;
	if (word[2])
		hint_for(invocation, word, strcspn(word, "="), hint);
	return fcp_error_set(err, FCP_ERR_USAGE, 0,
			     "unknown option '-%.1s'%s%.60s%s%s (see fcpause %s --help)", letter,
			     word[2] ? " in '" : "", word[2] ? word : "", word[2] ? "'" : "", hint,
			     invocation->command->name);
}

int words_check(int argc, char **argv, const struct invocation *invocation, int *good_,
		struct fcp_error *err)
{
	argc = words_before_operands(argc, argv, invocation);
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const char *word = argv[i];
		int checked = 0;

		if (strncmp(word, "--", 2) == 0)
			checked = check_long(invocation, word, i + 1 < argc ? argv[i + 1] : NULL,
					     err);
		else if (word[0] == '-' && word[1] != '\0')
			checked = check_letters(invocation, word, err);
		*good_ = i;
		if (checked != 0)
			return -1;
		i += takes_next(invocation, word);
	}
	return 0;
}
