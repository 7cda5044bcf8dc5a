// SPDX-License-Identifier: Apache-2.0
#include "cmd/parsing/environment.h"

#include "base/error.h"
#include "cmd/parsing/values.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *environment_name(enum option_id id, char *name, size_t bytes)
{
	snprintf(name, bytes, "FCPAUSE_%s", options[id].name);
	for (char *c = name; *c; c++)
		*c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
	return name;
}

static int switch_from_environment(struct invocation *invocation, enum option_id id,
				   const char *name, const char *text, struct fcp_error *err)
{
	static const char *const words[2][4] = {{"0", "false", "no", "off"},
						{"1", "true", "yes", "on"}};

	for (size_t on = 0; on < 2; on++)
		for (size_t i = 0; i < 4; i++)
			if (strcasecmp(words[on][i], text) == 0) {
				set_switch(invocation, id, ORIGIN_ENVIRONMENT, on);
				return 0;
			}
	return bad_value(name, text, "1 or 0, true or false, yes or no, on or off", err);
}

static int steps_from_environment(struct invocation *invocation, const char *name, const char *text,
				  struct fcp_error *err)
{
	char *copy = strdup(text), *rest = copy;
	int set = copy ? 0 : fcp_error_nomem(err);

	for (char *word; set == 0 && (word = strsep(&rest, ",")) != NULL;)
		set = set_value(invocation, OPT_STEP_TIMEOUT_MS, ORIGIN_ENVIRONMENT, name, word,
				err);
	free(copy);
	return set;
}

/* "KEY=VALUE,KEY=VALUE" */
static int pairs_from_environment(struct invocation *invocation, enum option_id id,
				  const char *name, const char *text, struct fcp_error *err)
{
	struct file_list *list = (struct file_list *)files_of(invocation, id);
	char *rest = list->owned = strdup(text);
	int set = rest ? 0 : fcp_error_nomem(err);

	for (char *pair; set == 0 && (pair = strsep(&rest, ",")) != NULL;)
		set = set_value(invocation, id, ORIGIN_ENVIRONMENT, name, pair, err);
	return set;
}

int from_environment(struct invocation *invocation, enum option_id id, struct fcp_error *err)
{
	enum option_kind kind = options[id].kind;
	const char *text;
	char name[64];

	/* FCPAUSE_LAYER sets the switch of that name. */
	if (kind == KIND_ACTION || id == OPT_LAYERS || !takes_option(invocation, id))
		return 0;
	text = getenv(environment_name(id, name, sizeof(name)));
	/* Scripts use an empty variable to mean "not set". */
	if (!text || *text == '\0')
		return 0;
	if (kind == KIND_STEP_MS)
		return steps_from_environment(invocation, name, text, err);
	if (invocation->values[id].origin == ORIGIN_CLI)
		return 0;
	if (kind == KIND_PAIRS)
		return pairs_from_environment(invocation, id, name, text, err);
	if (kind == KIND_SWITCH || kind == KIND_TOGGLE)
		return switch_from_environment(invocation, id, name, text, err);
	return set_value(invocation, id, ORIGIN_ENVIRONMENT, name, text, err);
}
