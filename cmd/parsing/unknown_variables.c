// SPDX-License-Identifier: Apache-2.0
#include "cmd/parsing/unknown_variables.h"

#include "cmd/parsing/environment.h"
#include "base/nearest.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "FCPAUSE_"
#define NAME_MAX_BYTES FCP_NEAREST_MAX_BYTES
/* The option that a variable sets; OPTIONS if there is none. */
static enum option_id find_option(const char *name)
{
	char own[NAME_MAX_BYTES];

	for (size_t i = 0; i < OPTIONS; i++)
		if (options[i].kind != KIND_ACTION &&
		    strcmp(environment_name((enum option_id)i, own, sizeof(own)), name) == 0)
			return (enum option_id)i;
	return OPTIONS;
}

/* What all names begin with does not make them near each other. */
static const char *hint_for(const char *name, char hint[FCP_NEAREST_HINT_BYTES])
{
	const char *word = name + strlen(PREFIX);
	struct fcp_nearest nearest = {word, strlen(word), FCP_NEAREST_NONE, ""};

	for (size_t i = 0; i < OPTIONS; i++) {
		char own[NAME_MAX_BYTES];

		if (options[i].kind != KIND_ACTION)
			fcp_nearest_try(&nearest,
					environment_name((enum option_id)i, own, sizeof(own)) +
						strlen(PREFIX));
	}
	if (nearest.distance >= FCP_NEAREST_NONE)
		return "";
	snprintf(hint, FCP_NEAREST_HINT_BYTES, "; did you mean " PREFIX "%s?", nearest.name);
	return hint;
}

/* The option that FCPAUSE_NO_DRAIN, say, would turn off; OPTIONS if there is none. */
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
	char own[NAME_MAX_BYTES], hint[FCP_NEAREST_HINT_BYTES];

	if (negated != OPTIONS)
		snprintf(text, bytes, "%s: no such variable, ignored; %s=0 says it", name,
			 environment_name(negated, own, sizeof(own)));
	else
		snprintf(text, bytes, "%s: no such variable, ignored%s", name,
			 hint_for(name, hint));
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
