// SPDX-License-Identifier: Apache-2.0
/* Shell completion for `fcpause`, generated from the tables of commands and options. */
#ifndef FCP_CMD_COMPLETION_COMPLETION_H
#define FCP_CMD_COMPLETION_COMPLETION_H

#include "cmd/parsing/options.h"

#include <stdio.h>

/* Prints the script for "bash", "zsh" or "fish". Prints nothing and returns false for others. */
bool print_completion(const char *shell, FILE *out);

/* A word that is used like a command but is not in the table: `fcpause schema`. */
struct plain_word {
	const char *name;
	const char *doc;
	const char *values; /* separated by spaces; NULL: none */
};

extern const struct plain_word plain_words[]; /* ends with one without a name */

/* ---- the shells ---- */

void print_bash_completion(FILE *out);
void print_zsh_completion(FILE *out);
void print_fish_completion(FILE *out);

/* ---- shared by the shells ---- */

enum value_source {
	VALUES_NONE,  /* any text */
	VALUES_WORDS, /* those of option_words() */
	VALUES_LIST,  /* the same, separated by commas */
	VALUES_FILE,
	VALUES_DIRECTORY,
};

enum value_source option_values(enum option_id id);

/* "auto full diff"; fits all options. */
#define OPTION_WORDS_BYTES 160
const char *option_words(enum option_id id, char text[OPTION_WORDS_BYTES]);

/* Does the command have the option? */
bool command_takes(const struct command *command, enum option_id id);

#endif
