// SPDX-License-Identifier: Apache-2.0
/* Options that are words, and what can be set while the simulator runs. */
#include <string.h>

#include "options.h"

static const char *const step_names[SIM_STEPS] = {
	"sync",
	"drop_caches",
	"compact_memory",
	"fstrim",
};

int options_step(const char *name)
{
	for (int i = 0; i < SIM_STEPS; i++) {
		if (!strcmp(name, step_names[i]))
			return i;
	}
	return -1;
}

static int one_of(const char *text, const char *const *names)
{
	for (int i = 0; names[i]; i++) {
		if (!strcmp(text, names[i]))
			return i;
	}
	return -1;
}

static int set_guest_cmd(struct sim_options *o, const char *text)
{
	static const char *const names[] = {"normal", "ahead", "null", NULL};
	int i = one_of(text, names);

	if (i >= 0)
		o->guest_cmd = (enum sim_guest_cmd)i;
	return i < 0 ? -1 : 0;
}

static int set_fstrim(struct sim_options *o, const char *text)
{
	static const char *const names[] = {"ok", "unsupported", "fail", NULL};
	int i = one_of(text, names);

	if (i >= 0)
		o->fstrim = (enum sim_fstrim)i;
	return i < 0 ? -1 : 0;
}

static int set_state_damage(struct sim_options *o, const char *text)
{
	static const char *const names[] = {"none", "crc", "magic", "cut", NULL};
	int i = one_of(text, names);

	if (i >= 0)
		o->state_damage = (enum sim_damage)i;
	return i < 0 ? -1 : 0;
}

static int set_memory_open(struct sim_options *o, const char *text)
{
	static const char *const names[] = {"last", "first", "nonblock", NULL};
	int i = one_of(text, names);

	if (i >= 0)
		o->memory_open = (enum sim_memory_open)i;
	return i < 0 ? -1 : 0;
}

static int set_steps(struct sim_options *o, const json_t *value)
{
	const char *name;
	json_t *n;

	if (!json_is_object(value))
		return -1;
	json_object_foreach((json_t *)value, name, n)
	{
		int step = options_step(name);

		if (step < 0 || !json_is_integer(n))
			return -1;
		o->step_ms[step] = (long)json_integer_value(n);
	}
	return 0;
}

int options_set_word(struct sim_options *o, const char *name, const char *word)
{
	static const struct {
		const char *name;
		int (*set)(struct sim_options *, const char *);
	} words[] = {
		{"guest_cmd", set_guest_cmd},
		{"fstrim", set_fstrim},
		{"memory_open", set_memory_open},
		{"state_damage", set_state_damage},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(name, words[i].name))
			return words[i].set(o, word);
	}
	return -1;
}

int options_set(struct sim_options *o, const char *name, const json_t *value)
{
	const struct {
		const char *name;
		long *n;
	} numbers[] = {
		{"hinting_ms", &o->hinting_ms},	  {"resumed_hinting_ms", &o->resumed_hinting_ms},
		{"guest_ms", &o->guest_ms},	  {"return_ms", &o->return_ms},
		{"snapshot_ms", &o->snapshot_ms},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strcmp(name, numbers[i].name))
			continue;
		if (!json_is_integer(value))
			return -1;
		*numbers[i].n = (long)json_integer_value(value);
		return 0;
	}
	if (!strcmp(name, "step_ms"))
		return set_steps(o, value);
	if (!strcmp(name, "paused_writes") && json_is_boolean(value)) {
		o->paused_writes = json_is_true(value);
		return 0;
	}
	return json_is_string(value) ? options_set_word(o, name, json_string_value(value)) : -1;
}
