// SPDX-License-Identifier: Apache-2.0
#include "cmd/parsing/invocation.h"

#include "base/error.h"
#include "cmd/parsing/environment.h"

#include <stdio.h>
#include <stdlib.h>

const char *origin_name(enum origin origin)
{
	static const char *const names[] = {
		[ORIGIN_DEFAULT] = "default",
		[ORIGIN_FLAGS] = "flags",
		[ORIGIN_ENVIRONMENT] = "env",
		[ORIGIN_CLI] = "cli",
	};

	return names[origin];
}

bool takes_option(const struct invocation *invocation, enum option_id id)
{
	return options[id].commands & (1U << invocation->id);
}

const char *said_by(const struct invocation *invocation, enum option_id id, char name[64])
{
	if (invocation->values[id].origin == ORIGIN_ENVIRONMENT)
		return environment_name(id, name, 64);
	snprintf(name, 64, "--%s", options[id].name);
	return name;
}

const char *text_of(const struct invocation *invocation, enum option_id id)
{
	return invocation->values[id].text;
}

const struct file_list *files_of(const struct invocation *invocation, enum option_id id)
{
	switch (id) {
	case OPT_LAYERS:
		return &invocation->layers;
	case OPT_METRICS_LABEL:
		return &invocation->metrics_labels;
	case OPT_FLAGS_CONTEXT:
		return &invocation->flags_context;
	default:
		return &invocation->shares;
	}
}

void invocation_clear(struct invocation *invocation)
{
	struct file_list *const lists[] = {&invocation->metrics_labels, &invocation->flags_context};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		free(lists[i]->owned);
		lists[i]->owned = NULL;
	}
	fcp_flags_result_clear(&invocation->flags);
}

struct log invocation_log(const struct invocation *invocation)
{
	/* The choices are text and json. */
	return log_open(invocation->command ? invocation->command->name : NULL,
			invocation->values[OPT_LOG_FORMAT].number == 1);
}

int need_text(const struct invocation *invocation, enum option_id id, struct fcp_error *err)
{
	char variable[64];

	if (text_of(invocation, id))
		return 0;
	return fcp_error_set(err, FCP_ERR_USAGE, 0, "--%s %s is needed (or %s)", options[id].name,
			     options[id].arg, environment_name(id, variable, sizeof(variable)));
}
