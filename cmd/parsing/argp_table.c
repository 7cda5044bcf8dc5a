// SPDX-License-Identifier: Apache-2.0
#include "cmd/parsing/argp_table.h"

#include <stdio.h>

/* Keys for argp: a letter is its own key; options without one have keys above all letters. */
#define KEY_OPTION 0x1000
#define KEY_NEGATION 0x2000

static int key_of(enum option_id id)
{
	return options[id].letter ? options[id].letter : KEY_OPTION + (int)id;
}

enum option_id argp_table_option(int key, bool *on_)
{
	*on_ = key < KEY_NEGATION;
	for (size_t id = 0; id < OPTIONS; id++)
		if (key == key_of((enum option_id)id) || key == KEY_NEGATION + (int)id)
			return (enum option_id)id;
	return OPTIONS;
}

/* "reclaim" -> "no-reclaim". */
static const char *negation(struct argp_table *table, enum option_id id)
{
	snprintf(table->negations[id], sizeof(table->negations[id]), "no-%s", options[id].name);
	return table->negations[id];
}

static const char *doc(struct argp_table *table, enum option_id id)
{
	const struct option_def *option = &options[id];

	if (!option->otherwise)
		return option->doc;
	snprintf(table->docs[id], sizeof(table->docs[id]), "%s (default: %s)", option->doc,
		 option->otherwise);
	return table->docs[id];
}

static void add_option(struct argp_table *table, enum option_id id, int flags, int group)
{
	const struct option_def *option = &options[id];

	table->rows[table->count++] = (struct argp_option){
		.name = option->name,
		.key = key_of(id),
		.arg = option->arg,
		.flags = flags |
			 (option->kind == KIND_ACTION && option->arg ? OPTION_ARG_OPTIONAL : 0),
		.doc = doc(table, id),
		.group = group,
	};
	if (option->kind == KIND_TOGGLE)
		table->rows[table->count++] = (struct argp_option){
			.name = negation(table, id),
			.key = KEY_NEGATION + (int)id,
			.flags = flags | OPTION_ALIAS,
			.group = group,
		};
}

static bool is_shown(enum option_id id, unsigned command, bool all)
{
	return all || (options[id].often & command);
}

/* argp sorts groups by number. */
static int number_of(enum option_group group)
{
	return group == GROUP_OTHER ? GROUPS : group == GROUP_COMMON ? GROUPS + 1 : (int)group;
}

/* argp prints the heading even if nothing follows it. */
static void add_group(struct argp_table *table, enum option_group group, unsigned command, bool all)
{
	bool is_headed = false;

	for (size_t i = 0; i < OPTIONS; i++) {
		enum option_id id = (enum option_id)i;
		bool shown = is_shown(id, command, all);

		if (!(options[id].commands & command) || option_group_of(id) != group)
			continue;
		if (shown && !is_headed)
			table->rows[table->count++] =
				(struct argp_option){.doc = option_group_names[group],
						     .group = number_of(group)};
		is_headed |= shown;
		add_option(table, id, shown ? 0 : OPTION_HIDDEN, number_of(group));
	}
}

void argp_table_make(const struct command *command, bool all, struct argp_table *table)
{
	*table = (struct argp_table){.count = 0};
	for (size_t group = 0; group < GROUPS; group++)
		add_group(table, (enum option_group)group, 1U << (command - commands), all);
	table->rows[table->count] = (struct argp_option){0};
}
