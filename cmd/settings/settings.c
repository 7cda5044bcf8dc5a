// SPDX-License-Identifier: Apache-2.0
#include "cmd/settings/settings.h"

#include "base/cleanup.h"
#include "cmd/output/shown.h"

#include <inttypes.h>

static const char *underscored(const char *name, char text[64])
{
	snprintf(text, 64, "%s", name);
	for (char *c = text; *c; c++)
		if (*c == '-')
			*c = '_';
	return text;
}

static bool is_open(const struct value *value)
{
	return value->origin == ORIGIN_DEFAULT && value->number == 0 && !value->text;
}

/* The text, but a password in a URL is masked. */
static int set_text(struct fcp_json *setting, const char *text)
{
	FCP_CLEANUP(free) char *masked = masked_url(text);

	return fcp_json_set_string(setting, "value", masked ? masked : text);
}

static int set_setting_value(struct fcp_json *setting, enum option_kind kind,
			     const struct value *value)
{
	switch (kind) {
	case KIND_TEXT:
	case KIND_URL:
	case KIND_LIST:
	case KIND_CHOICE:
	case KIND_MIB_AUTO:
		return value->text ? set_text(setting, value->text)
				   : fcp_json_set_null(setting, "value");
	case KIND_MS:
	case KIND_WAIT_MS:
	case KIND_MIB:
	case KIND_PID:
	case KIND_COUNT:
	case KIND_BYTES:
		/* Not given, and without a value of its own: it depends on other options. */
		if (is_open(value))
			return fcp_json_set_null(setting, "value");
		return fcp_json_set_u64(setting, "value", value->number);
	default:
		return fcp_json_set_bool(setting, "value", value->on);
	}
}

static int add_setting(struct fcp_json *settings, const char *name, enum option_kind kind,
		       const struct value *value)
{
	struct fcp_json *setting = fcp_json_object();
	int bad = set_setting_value(setting, kind, value);

	bad |= fcp_json_set_string(setting, "origin", origin_name(value->origin));
	return bad | fcp_json_set(settings, name, setting);
}

/* Does the option affect the work, rather than how it is printed? */
static bool is_setting(const struct invocation *invocation, enum option_id id)
{
	return takes_option(invocation, id) && options[id].kind != KIND_ACTION && id != OPT_JSON &&
	       id != OPT_QUIET && id != OPT_VERBOSE && id != OPT_TRACE && id != OPT_LOG_FORMAT &&
	       id != OPT_SETTINGS && id != OPT_DRY_RUN;
}

static int add_caps(struct fcp_json *settings, const struct invocation *invocation)
{
	int bad = 0;

	for (size_t i = 0; i < FCP_RECLAIM_KINDS; i++) {
		struct value value = {.origin = invocation->caps[i].origin,
				      .number = invocation->caps[i].ms};
		char name[64];

		snprintf(name, sizeof(name), "step_timeout_ms.%s",
			 fcp_reclaim_kind_name((enum fcp_reclaim_kind)i));
		bad |= add_setting(settings, name, KIND_MS, &value);
	}
	return bad;
}

static bool is_list(enum option_id id)
{
	return options[id].kind == KIND_FILES || options[id].kind == KIND_PAIRS;
}

static int add_files(struct fcp_json *settings, const struct invocation *invocation,
		     enum option_id id)
{
	struct fcp_json *setting = fcp_json_object(), *words = fcp_json_array();
	const struct file_list *list = files_of(invocation, id);
	char name[64];
	int bad = 0;

	for (size_t i = 0; i < list->count; i++)
		bad |= fcp_json_append_string(words, list->files[i]);
	bad |= fcp_json_set(setting, "value", words);
	bad |= fcp_json_set_string(setting, "origin", origin_name(invocation->values[id].origin));
	return bad | fcp_json_set(settings, underscored(options[id].name, name), setting);
}

static int add_operands(struct fcp_json *settings, char *const *operands)
{
	struct fcp_json *setting = fcp_json_object(), *words = fcp_json_array();
	int bad = 0;

	for (; *operands; operands++) {
		FCP_CLEANUP(free) char *masked = masked_url(*operands);

		bad |= fcp_json_append_string(words, masked ? masked : *operands);
	}
	bad |= fcp_json_set(setting, "value", words);
	bad |= fcp_json_set_string(setting, "origin", origin_name(ORIGIN_CLI));
	return bad | fcp_json_set(settings, "operands", setting);
}

int settings_report(struct fcp_json *object, const struct invocation *invocation)
{
	struct fcp_json *settings = fcp_json_object();
	char name[64];
	int bad = 0;

	for (size_t i = 0; i < OPTIONS; i++) {
		enum option_id id = (enum option_id)i;

		if (!is_setting(invocation, id))
			continue;
		if (is_list(id))
			bad |= add_files(settings, invocation, id);
		else if (options[id].kind == KIND_STEP_MS)
			bad |= add_caps(settings, invocation);
		else
			bad |= add_setting(settings, underscored(options[id].name, name),
					   options[id].kind, &invocation->values[id]);
	}
	if (invocation->operands)
		bad |= add_operands(settings, invocation->operands);
	return bad | fcp_json_set(object, "settings", settings);
}

static void print_setting(FILE *out, const char *name, enum option_kind kind,
			  const struct value *value)
{
	switch (kind) {
	case KIND_TEXT:
	case KIND_URL:
	case KIND_LIST:
	case KIND_CHOICE:
	case KIND_MIB_AUTO:
		fprintf(out, "  %-32s ", name);
		put_shown(out, value->text ? value->text : "-");
		break;
	case KIND_MS:
	case KIND_WAIT_MS:
	case KIND_MIB:
	case KIND_PID:
	case KIND_COUNT:
	case KIND_BYTES:
		if (is_open(value))
			fprintf(out, "  %-32s -", name);
		else
			fprintf(out, "  %-32s %" PRIu64, name, value->number);
		break;
	default:
		fprintf(out, "  %-32s %s", name, value->on ? "on" : "off");
	}
	fprintf(out, " (%s)\n", origin_name(value->origin));
}

static void print_files(FILE *out, const struct invocation *invocation, enum option_id id)
{
	const struct file_list *list = files_of(invocation, id);

	fprintf(out, "  %-32s%s", options[id].name, list->count == 0 ? " -" : "");
	for (size_t i = 0; i < list->count; i++) {
		fputc(' ', out);
		put_shown(out, list->files[i]);
	}
	fprintf(out, " (%s)\n", origin_name(invocation->values[id].origin));
}

void settings_print(const struct invocation *invocation, FILE *out)
{
	char name[64];

	for (size_t i = 0; i < OPTIONS; i++) {
		enum option_id id = (enum option_id)i;

		if (!is_setting(invocation, id))
			continue;
		if (is_list(id)) {
			print_files(out, invocation, id);
			continue;
		}
		if (options[id].kind != KIND_STEP_MS) {
			print_setting(out, options[id].name, options[id].kind,
				      &invocation->values[id]);
			continue;
		}
		for (size_t kind = 0; kind < FCP_RECLAIM_KINDS; kind++) {
			struct value value = {.origin = invocation->caps[kind].origin,
					      .number = invocation->caps[kind].ms};

			snprintf(name, sizeof(name), "%s %s", options[id].name,
				 fcp_reclaim_kind_name((enum fcp_reclaim_kind)kind));
			print_setting(out, name, KIND_MS, &value);
		}
	}
	if (!invocation->operands)
		return;
	fprintf(out, "  %-32s", "operands");
	for (char *const *word = invocation->operands; *word; word++) {
		fputc(' ', out);
		put_shown(out, *word);
	}
	fprintf(out, " (%s)\n", origin_name(ORIGIN_CLI));
}
