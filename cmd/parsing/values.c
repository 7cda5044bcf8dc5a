// SPDX-License-Identifier: Apache-2.0
#include "cmd/parsing/values.h"

#include "base/error.h"
#include "base/units.h"
#include "cmd/telemetry/metrics.h"
#include "net/url.h"

#include <stdio.h>
#include <string.h>

#define MS_MAX (UINT64_C(24) * 3600 * 1000)

int bad_value(const char *where, const char *text, const char *wanted, struct fcp_error *err)
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
		return bad_value(where, text,
				 kind == KIND_BYTES ? "a number of bytes (4096, 64K, 1MiB)"
						    : "a whole number, 0 or more",
				 err);
	if (kind == KIND_WAIT_MS && number == 0)
		return bad_value(where, text, "a wait of 1 ms or more", err);
	if ((kind == KIND_MS || kind == KIND_WAIT_MS) && number > MS_MAX)
		return bad_value(where, text, "24 hours of milliseconds or less", err);
	if (kind == KIND_PID && (number == 0 || number > INT32_MAX))
		return bad_value(where, text, "a process", err);
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
		return bad_value(where, name, "a step (sync, drop_caches, compact_memory, fstrim)",
				 err);
	if (set_number(KIND_MS, where, equals + 1, &ms, err) != 0)
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
	if (*text == '\0')
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "%s: the value is empty", where);
	/* `--envd $URL --json` with an empty URL must not take the next option for its value. */
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
		return bad_value(where, text, "a label (letters, digits and underscores before the =)", err);
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
	case KIND_MIB:
	case KIND_PID:
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
