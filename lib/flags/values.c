// SPDX-License-Identifier: Apache-2.0
#include "flags/values.h"

#include "base/cleanup.h"
#include "base/list.h"
#include "base/nearest.h"
#include "base/text.h"
#include "base/units.h"

#include <stdarg.h>
#include <string.h>

#define TIMEOUT_MAX_MS (24 * 3600 * 1000)

/* A name, and the shapes of its values. A successor's are objects, or null for off. */
struct flag_name {
	const char *name;
	bool is_reclaim;
	bool is_successor;
};

static const struct flag_name names[] = {
	{"reclaim-on-pause", true, false},
	{"guest-pause-reclaim", true, true},
	{"free-page-hinting", false, false},
	{"free-page-hinting-config", false, true},
};

#define NAMES (sizeof(names) / sizeof(names[0]))

/* The object form of one flag, while its members are visited. */
struct flag_object {
	struct fcp_flag_reader *reader;
	const struct flag_name *name;
	struct fcp_flag_found *found;
	bool disabled; /* "enabled": false, or 0 for this use */
};

/*
 * A warning and, unless warnings are errors, what follows from it; filtered, and cut where it is
 * too long. More than FCP_FLAG_WARNINGS_MAX are dropped.
 */
FCP_PRINTF(3, 4)
static void warn_of_flag(struct fcp_flag_reader *reader, const char *consequence,
			 const char *format, ...)
{
	char text[2 * FCP_FLAG_WARNING_BYTES];
	size_t length;
	va_list args;

	if (reader->warning_count == FCP_FLAG_WARNINGS_MAX)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	length = strlen(text);
	snprintf(text + length, sizeof(text) - length, "%s%s (%.100s)", reader->strict ? "" : "; ",
		 reader->strict ? "" : consequence, reader->source);
	fcp_text_filter(text, reader->warnings[reader->warning_count++], FCP_FLAG_WARNING_BYTES);
}

void fcp_flags_discard(struct fcp_flag_reader *reader, const char *why)
{
	char text[2 * FCP_FLAG_WARNING_BYTES];

	snprintf(text, sizeof(text), "%.200s%s", why, reader->strict ? "" : "; both flags are off");
	*reader = (struct fcp_flag_reader){.source = reader->source,
					   .use = reader->use,
					   .strict = reader->strict,
					   .others_too = reader->others_too,
					   .warning_count = 1};
	fcp_text_filter(text, reader->warnings[0], FCP_FLAG_WARNING_BYTES);
}

static const char *use_name(enum fcp_flags_use use)
{
	return use == FCP_USE_BUILD ? "build" : "pause";
}

/* "1.5s": with a unit, as a text that is only digits is rather a number in the wrong type. */
static bool parse_text(const struct fcp_json *value, double *ms_)
{
	const char *text = fcp_json_string(value);
	uint64_t ms;

	if (!text || text[strspn(text, "0123456789")] == '\0' || !fcp_parse_ms(text, &ms))
		return false;
	*ms_ = (double)ms;
	return true;
}

static uint32_t not_a_duration(struct fcp_flag_reader *reader, const char *where,
			       const struct fcp_json *value)
{
	bool on;

	if (fcp_json_bool(value, &on) && on)
		warn_of_flag(reader, "treated as off",
			     "flag %s: true is not enough: give milliseconds, such as 2000", where);
	else
		warn_of_flag(reader, "treated as off",
			     "flag %s: not a duration (2000, or \"1.5s\")", where);
	return 0;
}

/* A duration in ms; 0 (off) for what is below 1, or, with a warning, not a duration. */
static uint32_t read_ms(struct fcp_flag_reader *reader, const struct flag_name *flag,
			const char *key, const struct fcp_json *value)
{
	char where[160];
	double ms;

	snprintf(where, sizeof(where), "%s%s%.100s", flag->name, key ? "." : "", key ? key : "");
	if (!fcp_json_number(value, &ms) && !parse_text(value, &ms))
		return not_a_duration(reader, where, value);
	if (flag->is_successor && ms < 0)
		return 0;
	if (!(ms >= 0 && ms <= TIMEOUT_MAX_MS)) {
		warn_of_flag(reader, "treated as off",
			     "flag %s: not from 0 to %d milliseconds (24 h)", where,
			     TIMEOUT_MAX_MS);
		return 0;
	}
	if (ms != (uint32_t)ms)
		warn_of_flag(reader, "the fraction is dropped",
			     "flag %s: %g is in milliseconds (for seconds: \"%gs\")", where, ms,
			     ms);
	return (uint32_t)ms;
}

/* hint may be "". */
static void warn_unknown(struct fcp_flag_reader *reader, const char *what, const char *name,
			 const char *hint)
{
	char ignored[FCP_NEAREST_HINT_BYTES + 16];

	snprintf(ignored, sizeof(ignored), "ignored%s", hint);
	warn_of_flag(reader, ignored, "flag %s: unknown%s%s", name, what,
		     reader->strict ? hint : "");
}

static bool takes_uses(const struct flag_name *name)
{
	return !name->is_reclaim || !name->is_successor;
}

static void unknown_key(const struct flag_object *at, const char *key)
{
	static const char *const of_uses[] = {"enabled", "pause", "build"};
	struct fcp_nearest nearest = {key, strlen(key), FCP_NEAREST_NONE, ""};
	char hint[FCP_NEAREST_HINT_BYTES], name[160];

	for (size_t i = 0; takes_uses(at->name) && i < sizeof(of_uses) / sizeof(of_uses[0]); i++)
		fcp_nearest_try(&nearest, of_uses[i]);
	for (size_t i = 0; at->name->is_reclaim && i < FCP_RECLAIM_KINDS; i++)
		fcp_nearest_try(&nearest, fcp_reclaim_kind_name((enum fcp_reclaim_kind)i));
	snprintf(name, sizeof(name), "%s.%.100s", at->name->name, key);
	warn_unknown(at->reader, " key", name, fcp_nearest_hint(&nearest, hint));
}

static void on_enabled(struct flag_object *at, const struct fcp_json *value)
{
	bool enabled = false;

	if (!fcp_json_bool(value, &enabled))
		warn_of_flag(at->reader, "treated as off", "flag %s.enabled: not true or false",
			     at->name->name);
	/* The successor's says whether the balloon is armed; the figures decide the drain. */
	if (at->name->is_successor)
		at->reader->arm_hinting = enabled ? FCP_FLAG_ON : FCP_FLAG_OFF;
	else
		at->disabled |= !enabled;
}

static void on_member(const char *key, const struct fcp_json *value, void *arg)
{
	struct flag_object *at = arg;
	struct fcp_flag_reader *reader = at->reader;
	enum fcp_reclaim_kind kind;

	if (strcmp(key, "enabled") == 0 && takes_uses(at->name)) {
		on_enabled(at, value);
	} else if ((strcmp(key, "pause") == 0 || strcmp(key, "build") == 0) &&
		   takes_uses(at->name)) {
		uint32_t ms = read_ms(reader, at->name, key, value);

		if (strcmp(key, use_name(reader->use)) == 0) {
			at->found->timeout_ms = ms;
			at->disabled |= ms == 0;
		}
	} else if (at->name->is_reclaim && fcp_reclaim_kind_find(key, &kind)) {
		at->found->capped[kind] = true;
		at->found->caps_ms[kind] = read_ms(reader, at->name, key, value);
	} else {
		unknown_key(at, key);
	}
}

static bool any_cap(const struct fcp_flag_found *found)
{
	for (size_t i = 0; i < FCP_RECLAIM_KINDS; i++)
		if (found->caps_ms[i] != 0)
			return true;
	return false;
}

static void read_flag(struct fcp_flag_reader *reader, const struct flag_name *name,
		      const struct fcp_json *value, struct fcp_flag_found *found)
{
	struct flag_object at = {reader, name, found, false};

	if (fcp_json_is_object(value))
		fcp_json_each(value, on_member, &at);
	else if (!name->is_successor)
		found->timeout_ms = read_ms(reader, name, NULL, value);
	else if (!fcp_json_is_null(value))
		warn_of_flag(reader, "treated as off", "flag %s: not an object", name->name);
	found->on = !at.disabled && (found->timeout_ms != 0 || any_cap(found));
	if (!name->is_successor && fcp_json_is_object(value) && !at.disabled && !found->on)
		warn_of_flag(reader, "treated as off", "flag %s: no figure for %s in it",
			     name->name, use_name(reader->use));
}

/* What else E2B's orchestrator has flags for: for the balloon, and for the guest before a pause. */
static const char *const bool_names[] = {
	"free-page-reporting",
	"freeze-user-cgroup",
	"freeze-guest-hierarchy",
	"collapse-envd-heap",
};
static const char *const number_names[] = {
	"freeze-user-cgroup-timeout-ms",
	"freeze-guest-hierarchy-max-cgroups",
	"collapse-envd-heap-timeout-ms",
};

#define BOOLS (sizeof(bool_names) / sizeof(bool_names[0]))
#define NUMBERS (sizeof(number_names) / sizeof(number_names[0]))

/* count: it is none of them. */
static size_t find_in(const char *const *known, size_t count, const char *name)
{
	size_t i = 0;

	while (i < count && strcmp(known[i], name) != 0)
		i++;
	return i;
}

static enum fcp_flag_state read_state(struct fcp_flag_reader *reader, const char *name,
				      const struct fcp_json *value)
{
	bool on = false;

	if (!fcp_json_bool(value, &on))
		warn_of_flag(reader, "treated as off", "flag %s: not true or false", name);
	return on ? FCP_FLAG_ON : FCP_FLAG_OFF;
}

/* 0, or less: the default, as for the orchestrator. */
static uint32_t read_number(struct fcp_flag_reader *reader, const char *name,
			    const struct fcp_json *value)
{
	double number = 0;

	if (!fcp_json_number(value, &number) || number > TIMEOUT_MAX_MS)
		warn_of_flag(reader, "the default is used", "flag %s: not a number up to %d", name,
			     TIMEOUT_MAX_MS);
	return number >= 1 && number <= TIMEOUT_MAX_MS ? (uint32_t)number : 0;
}

static void take_bool(struct fcp_flag_reader *reader, size_t i, const struct fcp_json *value)
{
	enum fcp_flag_state *const places[BOOLS] = {&reader->free_page_reporting, &reader->freeze,
						    &reader->freeze_hierarchy, &reader->collapse};

	*places[i] = read_state(reader, bool_names[i], value);
}

static void take_number(struct fcp_flag_reader *reader, size_t i, const struct fcp_json *value)
{
	uint32_t *const places[NUMBERS] = {&reader->freeze_timeout_ms, &reader->freeze_max_cgroups,
					   &reader->collapse_timeout_ms};

	*places[i] = read_number(reader, number_names[i], value);
}

static const struct flag_name *find_name(const char *name)
{
	for (size_t i = 0; i < NAMES; i++)
		if (strcmp(names[i].name, name) == 0)
			return &names[i];
	return NULL;
}

static void unknown_flag(struct fcp_flag_reader *reader, const char *name)
{
	struct fcp_nearest nearest = {name, strlen(name), FCP_NEAREST_NONE, ""};
	char hint[FCP_NEAREST_HINT_BYTES];

	for (size_t i = 0; i < NAMES; i++)
		fcp_nearest_try(&nearest, names[i].name);
	for (size_t i = 0; i < BOOLS; i++)
		fcp_nearest_try(&nearest, bool_names[i]);
	for (size_t i = 0; i < NUMBERS; i++)
		fcp_nearest_try(&nearest, number_names[i]);
	if (*fcp_nearest_hint(&nearest, hint))
		warn_unknown(reader, "", name, hint);
	else
		warn_unknown(reader, " (known: reclaim-on-pause, free-page-hinting, ...)", name,
			     "");
}

static void take_behaviour(struct fcp_flag_reader *reader, const struct flag_name *name,
			   const struct fcp_json *value)
{
	struct fcp_flag_found *found = name->is_reclaim ? &reader->reclaim[name->is_successor]
							: &reader->hinting[name->is_successor];

	*found = (struct fcp_flag_found){.there = true};
	read_flag(reader, name, value, found);
}

void fcp_flag_take(const char *name, const struct fcp_json *value, const char *problem, void *arg)
{
	struct fcp_flag_reader *reader = arg;
	const struct flag_name *behaviour = find_name(name);
	size_t as_bool = find_in(bool_names, BOOLS, name);
	size_t as_number = find_in(number_names, NUMBERS, name);

	if (!behaviour && as_bool == BOOLS && as_number == NUMBERS) {
		if (!reader->others_too)
			unknown_flag(reader, name);
	} else if (problem) {
		warn_of_flag(reader, "treated as off", "flag %s: the service answers %s", name,
			     problem);
	} else if (behaviour) {
		take_behaviour(reader, behaviour, value);
	} else if (as_bool < BOOLS) {
		take_bool(reader, as_bool, value);
	} else {
		take_number(reader, as_number, value);
	}
}

/* ---- what was read, as the caller gets it ---- */

static int take_caps(const struct fcp_flag_found *found, struct fcp_flag *flag,
		     struct fcp_error *err)
{
	for (unsigned i = 0; i < FCP_RECLAIM_KINDS; i++) {
		if (!found->capped[i])
			continue;
		if (!flag->caps)
			flag->caps = calloc(FCP_RECLAIM_KINDS, sizeof(*flag->caps));
		if (!flag->caps)
			return fcp_error_nomem(err);
		flag->caps[flag->cap_count++] =
			(struct fcp_reclaim_step){(enum fcp_reclaim_kind)i, found->caps_ms[i]};
	}
	return 0;
}

static int make_flag(struct fcp_flag_reader *reader, const struct fcp_flag_found found[2],
		     const struct flag_name *first, struct fcp_flag *flag, struct fcp_error *err)
{
	const struct fcp_flag_found *counts = &found[found[1].there];

	if (found[0].there && found[1].there) {
		char consequence[64];

		snprintf(consequence, sizeof(consequence), "%s is used", first[1].name);
		warn_of_flag(reader, consequence, "flags %s and %s are for the same behaviour",
			     first[0].name, first[1].name);
	}
	flag->on = counts->on;
	flag->timeout_ms = counts->timeout_ms;
	return take_caps(counts, flag, err);
}

static int take_warnings(const struct fcp_flag_reader *reader, struct fcp_flags *flags,
			 struct fcp_error *err)
{
	flags->warnings = fcp_list_new(reader->warning_count, FCP_FLAG_WARNING_BYTES);
	if (!flags->warnings)
		return fcp_error_nomem(err);
	flags->warning_count = reader->warning_count;
	for (size_t i = 0; i < flags->warning_count; i++)
		memcpy(flags->warnings[i], reader->warnings[i], FCP_FLAG_WARNING_BYTES);
	return 0;
}

int fcp_flags_make(struct fcp_flag_reader *reader, struct fcp_flags *flags, struct fcp_error *err)
{
	if (make_flag(reader, reader->reclaim, &names[0], &flags->reclaim_on_pause, err) != 0 ||
	    make_flag(reader, reader->hinting, &names[2], &flags->free_page_hinting, err) != 0)
		return -1;
	return take_warnings(reader, flags, err);
}
