// SPDX-License-Identifier: Apache-2.0
/* What a shell completes `fcpause` with, made of the tables of commands and options. */
#ifndef FCP_CMD_COMPLETION_COMPLETION_H
#define FCP_CMD_COMPLETION_COMPLETION_H

#include "cmd/parsing/options.h"

#include <stdio.h>

/* Prints the script for "bash", "zsh" or "fish"; false: another shell, nothing is printed. */
bool print_completion(const char *shell, FILE *out);

/* What is no command of the table and stands in its place: `fcpause schema`. */
struct plain_word {
	const char *name;
	const char *doc;
	const char *values; /* with blanks between; NULL: none */
};

extern const struct plain_word plain_words[]; /* the last has no name */

/* ---- the shells ---- */

void print_bash_completion(FILE *out);
void print_zsh_completion(FILE *out);
void print_fish_completion(FILE *out);

/* ---- what they share ---- */

enum value_source {
	VALUES_NONE,  /* any text */
	VALUES_WORDS, /* those of option_words() */
	VALUES_LIST,  /* the same, with commas between */
	VALUES_FILE,
	VALUES_DIRECTORY,
};

enum value_source option_values(enum option_id id);

/* "auto full diff"; text has room for all. */
#define OPTION_WORDS_BYTES 160
const char *option_words(enum option_id id, char text[OPTION_WORDS_BYTES]);

/* Does the command take it? */
bool command_takes(const struct command *command, enum option_id id);

#endif
