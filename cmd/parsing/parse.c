// SPDX-License-Identifier: Apache-2.0
#include "cmd/parsing/parse.h"

#include "base/error.h"
#include "cmd/parsing/argp_table.h"
#include "cmd/parsing/environment.h"
#include "cmd/parsing/values.h"
#include "cmd/parsing/words.h"

#include <stdio.h>
#include <string.h>

struct parser {
	struct invocation *invocation;
	struct fcp_error *err;
	bool failed;
};

/* --help, --help=all, --version. */
static int act(struct invocation *invocation, enum option_id id, const char *arg,
	       struct fcp_error *err)
{
	if (arg && strcmp(arg, options[id].arg) != 0)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "--%s: unknown value '%.60s' (%s)",
				     options[id].name, arg, options[id].arg);
	invocation->help |= id == OPT_HELP;
	invocation->help_all |= arg != NULL;
	invocation->version |= id == OPT_VERSION;
	return 0;
}

static int on_option(struct parser *parser, enum option_id id, bool on, const char *arg)
{
	struct invocation *invocation = parser->invocation;
	char where[64];

	snprintf(where, sizeof(where), "--%s", options[id].name);
	if (options[id].kind == KIND_ACTION)
		return act(invocation, id, arg, parser->err);
	if (options[id].arg)
		return set_value(invocation, id, ORIGIN_CLI, where, arg, parser->err);
	set_switch(invocation, id, ORIGIN_CLI, on);
	return 0;
}

static error_t on_key(int key, char *arg, struct argp_state *state)
{
	struct parser *parser = state->input;
	const struct command *command = parser->invocation->command;
	bool on;
	enum option_id id = argp_table_option(key, &on);

	if (id != OPTIONS) {
		parser->failed = on_option(parser, id, on, arg) != 0;
	} else if (key == ARGP_KEY_ARG && command->operands) {
		/* Everything that follows. For commands that are not verbatim, argp has moved
		 * options forward. */
		parser->invocation->operands = state->argv + state->next - 1;
		state->next = state->argc;
	} else if (key == ARGP_KEY_ARG) {
		parser->failed = true;
		fcp_error_set(parser->err, FCP_ERR_USAGE, 0,
			      "'%.100s': this command takes options only (see fcpause %s --help)",
			      arg, command->name);
	} else {
		return ARGP_ERR_UNKNOWN;
	}
	return parser->failed ? EINVAL : 0;
}

static int read_words(int argc, char **argv, struct invocation *invocation, struct fcp_error *err)
{
	struct argp_table table;
	const struct argp argp = {.options = table.rows, .parser = on_key};
	unsigned flags = ARGP_NO_ERRS | ARGP_NO_EXIT | ARGP_NO_HELP;
	struct fcp_error unused;
	int good = argc, checked = words_check(argc, argv, invocation, &good, err);
	struct parser parser = {invocation, checked == 0 ? err : &unused, false};

	argp_table_make(invocation->command, true, &table);
	if (invocation->command->verbatim)
		flags |= ARGP_IN_ORDER;
	if (checked != 0) {
		/* What is before the mistake still says where figures of the failure go. */
		argp_parse(&argp, good, argv, flags, NULL, &parser);
		return -1;
	}
	if (argp_parse(&argp, argc, argv, flags, NULL, &parser) == 0)
		return 0;
	if (!parser.failed)
		fcp_error_set(err, FCP_ERR_USAGE, 0, "these options cannot be parsed");
	return -1;
}

static int read_environment(struct invocation *invocation, struct fcp_error *err)
{
	for (size_t id = 0; id < OPTIONS; id++) {
		if (from_environment(invocation, (enum option_id)id, err) != 0)
			return -1;
		set_default(invocation, (enum option_id)id);
	}
	return 0;
}

/* An error before --json, or with FCPAUSE_JSON, is reported as JSON too. */
void find_json(int argc, char **argv, struct invocation *invocation)
{
	struct fcp_error unused;

	from_environment(invocation, OPT_JSON, &unused);
	argc = words_before_operands(argc, argv, invocation);
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--json") == 0)
			set_switch(invocation, OPT_JSON, ORIGIN_CLI, true);
}

int parse(int argc, char **argv, struct invocation *invocation, struct fcp_error *err)
{
	if (read_words(argc, argv, invocation, err) == 0 && read_environment(invocation, err) == 0)
		return 0;
	find_json(argc, argv, invocation);
	return -1;
}
