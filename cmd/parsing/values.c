// SPDX-License-Identifier: Apache-2.0
#include "cmd/parsing/values.h"

#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"
#include "cmd/telemetry/metrics.h"
#include "net/url.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MS_MAX (UINT64_C(24) * 3600 * 1000)

int bad_value(const char *where, const char *text, const char *wanted, struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_USAGE, 0, "%s: '%.100s' is not %s", where, text, wanted);
}

/* "--type: unknown value 'ful' (auto, full, diff); did you mean full?" */
static int unknown_word(const char *where, const char *what, const char *text,
			const char *const *words, struct fcp_error *err)
{
	struct fcp_nearest nearest = {text, strlen(text), FCP_NEAREST_NONE, ""};
	char all[200] = "", hint[FCP_NEAREST_HINT_BYTES];

	for (; *words; words++) {
		fcp_nearest_try(&nearest, *words);
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", *all ? ", " : "",
			 *words);
	}
	return fcp_error_set(err, FCP_ERR_USAGE, 0, "%s: unknown %s '%.100s' (%s)%s", where, what,
			     text, all, fcp_nearest_hint(&nearest, hint));
}

static int is_empty(const char *where, struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_USAGE, 0, "%s: the value is empty", where);
}

static int set_choice(const struct option_def *option, const char *where, const char *text,
		      struct value *value, struct fcp_error *err)
{
	for (size_t i = 0; option->choices[i]; i++) {
		if (strcmp(option->choices[i], text) == 0) {
			value->text = option->choices[i];
			value->number = i;
			return 0;
		}
	}
	return unknown_word(where, "value", text, option->choices, err);
}

static int set_ms(enum option_kind kind, const char *where, const char *text, struct value *value,
		  struct fcp_error *err)
{
	uint64_t ms;

	if (!fcp_parse_ms(text, &ms))
		return bad_value(where, text, "a duration (1500, 1500ms, 1.5s, 2m)", err);
	if (ms > MS_MAX)
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "%s: '%.100s' is too long (at most 24h, 86400000 ms)", where,
				     text);
	if (kind == KIND_WAIT_MS && ms == 0)
		return bad_value(where, text, "a wait of 1 ms or more", err);
	value->number = ms;
	return 0;
}

/* A size without a unit is in MiB. */
static bool parse_mib(const char *text, uint64_t *mib_)
{
	if (fcp_parse_u64(text, false, mib_))
		return true;
	if (!fcp_parse_u64(text, true, mib_) || *mib_ % FCP_MIB != 0)
		return false;
	*mib_ /= FCP_MIB;
	return true;
}

static bool parse_number(enum option_kind kind, const char *text, uint64_t *number_)
{
	if (kind == KIND_MIB)
		return parse_mib(text, number_);
	return fcp_parse_u64(text, kind == KIND_BYTES, number_);
}

static const char *wanted_number(enum option_kind kind)
{
	if (kind == KIND_BYTES)
		return "a number of bytes (4096, 64K, 1MiB)";
	if (kind == KIND_COUNT)
		return "a number from 1 to 2147483647";
	return kind == KIND_MIB ? "a size in whole MiB (512, 512M, 2GiB)"
				: "the number of a process";
}

static int set_number(enum option_kind kind, const char *where, const char *text,
		      struct value *value, struct fcp_error *err)
{
	uint64_t number, most = kind == KIND_PID || kind == KIND_COUNT ? INT32_MAX
				: kind == KIND_MIB		       ? UINT32_MAX
								       : UINT64_MAX;
	bool digits = *text && text[strspn(text, "0123456789")] == '\0';
	bool good = parse_number(kind, text, &number);

	if ((!good && digits) || (good && number > most))
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "%s: '%.100s' is too large (at most %" PRIu64 ")", where, text,
				     most);
	if (!good || ((kind == KIND_PID || kind == KIND_COUNT) && number == 0))
		return bad_value(where, text, wanted_number(kind), err);
	value->number = number;
	return 0;
}

int unknown_step(const char *where, const char *text, struct fcp_error *err)
{
	const char *words[FCP_RECLAIM_KINDS + 1] = {NULL};

	for (size_t i = 0; i < FCP_RECLAIM_KINDS; i++)
		words[i] = fcp_reclaim_kind_name((enum fcp_reclaim_kind)i);
	return unknown_word(where, "step", text, words, err);
}

int unknown_find(const char *where, const char *text, struct fcp_error *err)
{
	static const char *const words[] = {"free", "zero", "base", "changed", NULL};

	return unknown_word(where, "kind of page", text, words, err);
}

static int set_step_ms(struct invocation *invocation, enum origin origin, const char *where,
		       const char *text, struct fcp_error *err)
{
	const char *equals = strchr(text, '=');
	enum fcp_reclaim_kind kind;
	struct value ms = {0};
	char name[32], step[96];

	if (!equals || (size_t)(equals - text) >= sizeof(name))
		return bad_value(where, text, "STEP=TIME (such as fstrim=1.5s)", err);
	memcpy(name, text, (size_t)(equals - text));
	name[equals - text] = '\0';
	if (!fcp_reclaim_kind_find(name, &kind))
		return unknown_step(where, name, err);
	snprintf(step, sizeof(step), "%s: %s", where, name);
	if (set_ms(KIND_MS, step, equals + 1, &ms, err) != 0)
		return -1;
	if (invocation->caps[kind].origin <= origin) {
		invocation->caps[kind].origin = origin;
		invocation->caps[kind].ms = (uint32_t)ms.number;
	}
	return 0;
}

static int set_text(enum option_kind kind, const char *where, const char *text, struct value *value,
		    struct fcp_error *err)
{
	/* An option in place of a value, as in `--NAME="$OPTIONS"` or in a variable. */
	if (strncmp(text, "--", 2) == 0)
		return bad_value(where, text,
				 "a value (a name that begins so can be written ./--...)", err);
	if (kind == KIND_URL && fcp_url_check(text, err) != 0)
		return fcp_error_wrap(err, "%s", where);
	value->text = text;
	return 0;
}

static int add_file(struct file_list *list, const char *where, const char *text,
		    struct fcp_error *err)
{
	struct value file;

	if (set_text(KIND_FILES, where, text, &file, err) != 0)
		return -1;
	if (list->count == FILES_MAX)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "%s: there are more than %d", where,
				     FILES_MAX);
	list->files[list->count++] = text;
	return 0;
}

static int add_pair(enum option_id id, struct file_list *list, const char *where, const char *text,
		    struct fcp_error *err)
{
	size_t key = strcspn(text, "=");

	if (key == 0 || text[key] == '\0')
		return bad_value(where, text, "KEY=VALUE", err);
	if (id == OPT_METRICS_LABEL && !metric_label_name_is_valid(text, key))
		return bad_value(where, text,
				 "a label (letters, digits and underscores before the =)", err);
	return add_file(list, where, text, err);
}

static int set_mib_or_auto(const char *where, const char *text, struct value *value,
			   struct fcp_error *err)
{
	value->text = text;
	if (strcmp(text, "auto") != 0)
		return set_number(KIND_MIB, where, text, value, err);
	value->number = UINT64_MAX;
	return 0;
}

static struct file_list *list_of(struct invocation *invocation, enum option_id id)
{
	return (struct file_list *)files_of(invocation, id);
}

int set_value(struct invocation *invocation, enum option_id id, enum origin origin,
	      const char *where, const char *text, struct fcp_error *err)
{
	struct value *value = &invocation->values[id];
	int set = 0;

	if (*text == '\0')
		return is_empty(where, err);
	switch (options[id].kind) {
	case KIND_TEXT:
	case KIND_URL:
	case KIND_LIST:
		set = set_text(options[id].kind, where, text, value, err);
		break;
	case KIND_CHOICE:
		set = set_choice(&options[id], where, text, value, err);
		break;
	case KIND_MS:
	case KIND_WAIT_MS:
		set = set_ms(options[id].kind, where, text, value, err);
		break;
	case KIND_MIB:
	case KIND_PID:
	case KIND_COUNT:
	case KIND_BYTES:
		set = set_number(options[id].kind, where, text, value, err);
		break;
	case KIND_MIB_AUTO:
		set = set_mib_or_auto(where, text, value, err);
		break;
	case KIND_FILES:
		set = add_file(list_of(invocation, id), where, text, err);
		break;
	case KIND_PAIRS:
		set = add_pair(id, list_of(invocation, id), where, text, err);
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

void set_switch(struct invocation *invocation, enum option_id id, enum origin origin, bool on)
{
	invocation->values[id].origin = origin;
	invocation->values[id].on = on;
	invocation->values[id].times += on;
}

void set_default(struct invocation *invocation, enum option_id id)
{
	const char *otherwise = options[id].otherwise;
	struct fcp_error never;

	if (!otherwise || invocation->values[id].origin != ORIGIN_DEFAULT)
		return;
	if (options[id].kind == KIND_TOGGLE)
		set_switch(invocation, id, ORIGIN_DEFAULT, strcmp(otherwise, "on") == 0);
	else
		set_value(invocation, id, ORIGIN_DEFAULT, options[id].name, otherwise, &never);
	invocation->values[id].text = otherwise;
}
