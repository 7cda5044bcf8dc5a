// SPDX-License-Identifier: Apache-2.0
#include "cmd/parse.h"

#include "base/error.h"
#include "base/units.h"

#include <argp.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MS_MAX (UINT64_C(24) * 3600 * 1000)

/* argp's keys: a letter stands for itself, other options for what is above all letters. */
#define KEY_OPTION 0x1000
#define KEY_NEGATION 0x2000

struct parser {
	struct invocation *invocation;
	struct fcp_error *err;
	bool failed;
};

const char *environment_name(enum option_id id, char *name, size_t bytes)
{
	snprintf(name, bytes, "FCPAUSE_%s", options[id].name);
	for (char *c = name; *c; c++)
		*c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
	return name;
}

static bool takes(const struct invocation *invocation, enum option_id id)
{
	return options[id].commands & (1U << invocation->id);
}

/* ---- values ---- */

static int bad_value(const char *where, const char *text, const char *wanted, struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_USAGE, 0, "%s: '%.100s' is not %s", where, text, wanted);
}

static int set_choice(const struct option_def *option, const char *where, const char *text,
		      struct value *value, struct fcp_error *err)
{
	char words[128] = "";

	for (size_t i = 0; option->choices[i]; i++) {
		if (strcmp(option->choices[i], text) == 0) {
			value->text = option->choices[i];
			value->number = i;
			return 0;
		}
		snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s",
			 i ? ", " : "one of ", option->choices[i]);
	}
	return bad_value(where, text, words, err);
}

static int set_number(enum option_kind kind, const char *where, const char *text,
		      struct value *value, struct fcp_error *err)
{
	uint64_t number;

	if (!fcp_parse_u64(text, kind == KIND_BYTES, &number))
		return bad_value(where, text, kind == KIND_BYTES ? "a number of bytes (4096, 64K, 1MiB)"
								 : "a whole number, 0 or more", err);
	if (kind == KIND_MS && number > MS_MAX)
		return bad_value(where, text, "24 hours of milliseconds or less", err);
	if (kind == KIND_MIB && number > UINT32_MAX)
		return bad_value(where, text, "a size Firecracker takes", err);
	value->number = number;
	return 0;
}

static int set_step_ms(struct invocation *invocation, enum origin origin, const char *where,
		       const char *text, struct fcp_error *err)
{
	const char *equals = strchr(text, '=');
	enum fcp_reclaim_kind kind;
	struct value ms;
	char name[32];

	if (!equals || (size_t)(equals - text) >= sizeof(name))
		return bad_value(where, text, "STEP=MILLISECONDS", err);
	memcpy(name, text, (size_t)(equals - text));
	name[equals - text] = '\0';
	if (!fcp_reclaim_kind_find(name, &kind))
		return bad_value(where, name, "a step (sync, drop_caches, compact_memory, fstrim)", err);
	if (set_number(KIND_MS, where, equals + 1, &ms, err) != 0)
		return -1;
	if (invocation->caps[kind].origin <= origin) {
		invocation->caps[kind].origin = origin;
		invocation->caps[kind].ms = (uint32_t)ms.number;
	}
	return 0;
}

static int set_value(struct invocation *invocation, enum option_id id, enum origin origin,
		     const char *where, const char *text, struct fcp_error *err)
{
	struct value *value = &invocation->values[id];
	int set = 0;

	switch (options[id].kind) {
	case KIND_TEXT:
	case KIND_LIST:
		/* `--envd $URL --json` with an empty URL must not take the next option for its value. */
		if (*text == '\0' || strncmp(text, "--", 2) == 0)
			return bad_value(where, text, "a value (a name that begins so can be written ./--...)", err);
		value->text = text;
		break;
	case KIND_CHOICE:
		set = set_choice(&options[id], where, text, value, err);
		break;
	case KIND_MS:
	case KIND_MIB:
	case KIND_BYTES:
		set = set_number(options[id].kind, where, text, value, err);
		break;
	case KIND_STEP_MS:
		set = set_step_ms(invocation, origin, where, text, err);
		break;
	case KIND_SWITCH:
	case KIND_TOGGLE:
	case KIND_ACTION:
		break;
	}
	if (set == 0)
		value->origin = origin;
	return set;
}

static void set_switch(struct invocation *invocation, enum option_id id, enum origin origin, bool on)
{
	invocation->values[id].origin = origin;
	invocation->values[id].on = on;
}

/* ---- the environment ---- */

static int switch_from_environment(struct invocation *invocation, enum option_id id,
				   const char *name, const char *text, struct fcp_error *err)
{
	static const char *const words[2][4] = {{"0", "false", "no", "off"}, {"1", "true", "yes", "on"}};

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
		set = set_value(invocation, OPT_STEP_TIMEOUT_MS, ORIGIN_ENVIRONMENT, name, word, err);
	free(copy);
	return set;
}

static int from_environment(struct invocation *invocation, enum option_id id, struct fcp_error *err)
{
	enum option_kind kind = options[id].kind;
	const char *text;
	char name[64];

	if (kind == KIND_ACTION || !takes(invocation, id))
		return 0;
	text = getenv(environment_name(id, name, sizeof(name)));
	/* An empty variable is how scripts say "not set". */
	if (!text || *text == '\0')
		return 0;
	if (kind == KIND_STEP_MS)
		return steps_from_environment(invocation, name, text, err);
	if (invocation->values[id].origin == ORIGIN_CLI)
		return 0;
	if (kind == KIND_SWITCH || kind == KIND_TOGGLE)
		return switch_from_environment(invocation, id, name, text, err);
	return set_value(invocation, id, ORIGIN_ENVIRONMENT, name, text, err);
}

/* ---- defaults ---- */

static void set_default(struct invocation *invocation, enum option_id id)
{
	const char *otherwise = options[id].otherwise;
	struct fcp_error never;

	if (!otherwise || invocation->values[id].origin != ORIGIN_DEFAULT)
		return;
	if (options[id].kind == KIND_TOGGLE)
		set_switch(invocation, id, ORIGIN_DEFAULT, strcmp(otherwise, "on") == 0);
	else
		set_value(invocation, id, ORIGIN_DEFAULT, options[id].name, otherwise, &never);
}

/* ---- the command line ---- */

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

		if (!named || !takes(parser->invocation, (enum option_id)id))
			continue;
		fcp_error_set(parser->err, FCP_ERR_USAGE, 0,
			      option->arg ? "--%s needs a value: %s" : "--%s takes no value%s",
			      option->name, option->arg ? option->arg : "");
		return;
	}
	fcp_error_set(parser->err, FCP_ERR_USAGE, 0,
		      "unknown option '%.100s' (see fcpause %s --help)", word,
		      parser->invocation->command->name);
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
	if (key == ARGP_KEY_ARG) {
		parser->failed = true;
		fcp_error_set(parser->err, FCP_ERR_USAGE, 0, "'%.100s': this command takes options only", arg);
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
			table[count++] = (struct argp_option){.doc = "Common to all commands:", .group = 2};
		for (size_t i = 0; i < OPTIONS; i++) {
			const struct option_def *option = &options[i];
			enum option_id id = (enum option_id)i;

			if (!(option->commands & bit) || is_common(id) != common)
				continue;
			table[count++] = (struct argp_option){option->name, key_of(id), option->arg, 0,
							      doc(texts, id), common + 1};
			if (option->kind == KIND_TOGGLE)
				table[count++] = (struct argp_option){negation(texts, id), KEY_NEGATION + (int)id,
								      NULL, OPTION_ALIAS, NULL, common + 1};
		}
	}
	table[count] = (struct argp_option){0};
}

/* Two rows an option at the most, the heading, and the end. */
#define TABLE_ROWS (2 * OPTIONS + 2)

/* An error behind which --json stands is told as JSON too. */
static void find_json(int argc, char **argv, struct invocation *invocation)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--json") == 0)
			set_switch(invocation, OPT_JSON, ORIGIN_CLI, true);
}

int parse(int argc, char **argv, struct invocation *invocation, struct fcp_error *err)
{
	struct argp_option table[TABLE_ROWS];
	struct argp argp = {.options = table, .parser = on_key};
	struct parser parser = {invocation, err, false};
	struct texts texts;

	argp_table(invocation->command, &texts, table);
	if (argp_parse(&argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_EXIT | ARGP_NO_HELP, NULL, &parser) != 0) {
		if (!parser.failed)
			fcp_error_set(err, FCP_ERR_USAGE, 0, "these options cannot be parsed");
		find_json(argc, argv, invocation);
		return -1;
	}
	for (size_t id = 0; id < OPTIONS; id++) {
		if (from_environment(invocation, (enum option_id)id, err) != 0)
			return -1;
		set_default(invocation, (enum option_id)id);
	}
	return 0;
}

void print_help(const struct command *command, FILE *out)
{
	struct argp_option table[TABLE_ROWS];
	char name[64], text[1024];
	struct argp argp = {.options = table, .parser = on_key, .doc = text};
	struct texts texts;

	argp_table(command, &texts, table);
	snprintf(name, sizeof(name), "fcpause %s", command->name);
	snprintf(text, sizeof(text), "%s\v%s", command->doc,
		 "Each option can be set by the environment too: FCPAUSE_ and its name in capitals "
		 "(FCPAUSE_API_SOCK). Exit codes: 0 done, 1 failed, 2 usage, 3 not supported here, 4 partly "
		 "done, 5 the VM was left in another state than asked.");
	argp_help(&argp, out, ARGP_HELP_USAGE | ARGP_HELP_PRE_DOC | ARGP_HELP_LONG | ARGP_HELP_POST_DOC, name);
}
