// SPDX-License-Identifier: Apache-2.0
#include "cmd/unknown_variables.h"

#include "cmd/environment.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "FCPAUSE_"
#define NAME_MAX_BYTES 64
/* A slip of the pen: two letters exchanged, one too many, two left out. */
#define NEAR 2

static size_t least(size_t a, size_t b, size_t c)
{
	size_t least_of_two = a < b ? a : b;

	return least_of_two < c ? least_of_two : c;
}

/* Levenshtein's, of names of less than NAME_MAX_BYTES. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_BYTES], length = strlen(b);

	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t replaced = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = least(row[j] + 1, row[j - 1] + 1, replaced);
		}
	}
	return row[length];
}

/* An option's variable by its name; OPTIONS where there is none. */
static enum option_id find_option(const char *name)
{
	char own[NAME_MAX_BYTES];

	for (size_t i = 0; i < OPTIONS; i++)
		if (options[i].kind != KIND_ACTION &&
		    strcmp(environment_name((enum option_id)i, own, sizeof(own)), name) == 0)
			return (enum option_id)i;
	return OPTIONS;
}

/* false where no name is near enough. */
static bool find_nearest(const char *name, char nearest[NAME_MAX_BYTES])
{
	size_t best = NEAR + 1;

	for (size_t i = 0; i < OPTIONS; i++) {
		char own[NAME_MAX_BYTES];
		size_t far = distance(environment_name((enum option_id)i, own, sizeof(own)), name);

		if (options[i].kind == KIND_ACTION || far >= best)
			continue;
		best = far;
		memcpy(nearest, own, sizeof(own));
	}
	return best <= NEAR;
}

/* FCPAUSE_NO_DRAIN: the option that it would turn off, else OPTIONS. */
static enum option_id find_negated(const char *name)
{
	char own[NAME_MAX_BYTES];
	enum option_id id;

	if (strncmp(name, PREFIX "NO_", strlen(PREFIX "NO_")) != 0)
		return OPTIONS;
	snprintf(own, sizeof(own), PREFIX "%s", name + strlen(PREFIX "NO_"));
	id = find_option(own);
	return id != OPTIONS && options[id].kind == KIND_TOGGLE ? id : OPTIONS;
}

static void warn(struct unknown_variables *unknown, const char *name)
{
	char *text = unknown->warnings[unknown->count];
	const size_t bytes = sizeof(unknown->warnings[0]);
	enum option_id negated = find_negated(name);
	char nearest[NAME_MAX_BYTES];

	if (negated != OPTIONS)
		snprintf(text, bytes, "%s: no such variable, ignored; %s=0 says it", name,
			 environment_name(negated, nearest, sizeof(nearest)));
	else if (find_nearest(name, nearest))
		snprintf(text, bytes, "%s: no such variable, ignored; did you mean %s?", name, nearest);
	else
		snprintf(text, bytes, "%s: no such variable, ignored", name);
	unknown->count++;
}

void unknown_variables_find(struct unknown_variables *ret_unknown)
{
	ret_unknown->count = 0;
	for (char **variable = environ; variable && *variable; variable++) {
		char name[NAME_MAX_BYTES];

		if (strncmp(*variable, PREFIX, strlen(PREFIX)) != 0)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(*variable, "="), *variable);
		if (find_option(name) == OPTIONS && ret_unknown->count < UNKNOWN_VARIABLES_MAX)
			warn(ret_unknown, name);
	}
}
