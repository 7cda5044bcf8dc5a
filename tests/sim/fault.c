// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

enum argument {
	ARG_NONE,
	ARG_NUMBER,
	ARG_TEXT,
	ARG_STATUS, /* number[,text] */
};

static const struct kind {
	const char *name;
	enum fault_kind kind;
	enum argument argument;
} kinds[] = {
	{"status", FAULT_STATUS, ARG_STATUS},
	{"hang", FAULT_HANG, ARG_NONE},
	{"reset", FAULT_RESET, ARG_NONE},
	{"truncate", FAULT_TRUNCATE, ARG_NONE},
	{"slow", FAULT_SLOW, ARG_NUMBER},
	{"die", FAULT_DIE, ARG_NONE},
	{"die-after", FAULT_DIE_AFTER, ARG_NONE},
	{"lost", FAULT_LOST, ARG_NONE},
	{"answer", FAULT_ANSWER, ARG_STATUS},
	{"garbage", FAULT_GARBAGE, ARG_NONE},
	{"huge", FAULT_HUGE, ARG_NUMBER},
	{"no-end", FAULT_NO_END, ARG_NONE},
	{"no-eos", FAULT_NO_EOS, ARG_NONE},
	{"cut", FAULT_CUT, ARG_NONE},
	{"flood", FAULT_FLOOD, ARG_NUMBER},
	{"error", FAULT_ERROR, ARG_TEXT},
	{"hang-after-start", FAULT_HANG_AFTER_START, ARG_NONE},
};

static int read_number(const char *text, char **ret_end, long *ret)
{
	errno = 0;
	*ret = strtol(text, ret_end, 10);
	return errno || *ret_end == text || *ret < 0 ? -1 : 0;
}

/* Cuts "@N" or "@N+" off the end, if it is there. */
static int take_nth(char *kind, struct fault *f)
{
	char *at = strrchr(kind, '@'), *end;
	size_t digits = at ? strspn(at + 1, "0123456789") : 0;

	if (digits == 0)
		return 0;
	f->and_on = strcmp(at + 1 + digits, "+") == 0;
	if (at[1 + digits + f->and_on] != '\0')
		return 0;
	*at = '\0';
	return read_number(at + 1, &end, &f->nth) || f->nth == 0 ? -1 : 0;
}

static int take_argument(struct fault *f, enum argument want, char *arg)
{
	char *end;

	if (want == ARG_NONE)
		return arg ? -1 : 0;
	if (!arg)
		return -1;
	if (want == ARG_TEXT) {
		f->text = strdup(arg);
		return 0;
	}
	if (read_number(arg, &end, &f->number))
		return -1;
	if (*end == '\0')
		return 0;
	if (want != ARG_STATUS || *end != ',')
		return -1;
	f->text = strdup(end + 1);
	return 0;
}

static int read_kind(struct fault *f, char *text)
{
	char *eq;

	if (take_nth(text, f))
		return -1;
	eq = strchr(text, '=');
	if (eq)
		*eq = '\0';
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(text, kinds[i].name))
			continue;
		f->kind = kinds[i].kind;
		return take_argument(f, kinds[i].argument, eq ? eq + 1 : NULL);
	}
	return -1;
}

static void fault_free(struct fault *f)
{
	free(f->method);
	free(f->path);
	free(f->text);
}

int fault_add(struct fault_list *list, const char *spec)
{
	struct fault f = {0};
	size_t method = strcspn(spec, " "), path;
	const char *rest = spec + method + (spec[method] == ' ');
	struct fault *items;
	char *kind;

	path = strcspn(rest, " ");
	if (!method || !path || !rest[path])
		return -1;
	kind = strdup(rest + path + 1);
	f.method = strndup(spec, method);
	f.path = strndup(rest, path);
	items = realloc(list->items, (list->count + 1) * sizeof(*items));
	if (items)
		list->items = items;
	if (!items || !kind || read_kind(&f, kind)) {
		free(kind);
		fault_free(&f);
		return -1;
	}
	free(kind);
	items[list->count++] = f;
	return 0;
}

void fault_clear(struct fault_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		fault_free(&list->items[i]);
	free(list->items);
	*list = (struct fault_list){NULL, 0};
}

static bool is_for(const struct fault *f, const char *method, const char *path)
{
	size_t len = strlen(f->path);

	if (strcmp(f->method, "*") && strcmp(f->method, method))
		return false;
	if (len && f->path[len - 1] == '*')
		return !strncmp(f->path, path, len - 1);
	return !strcmp(f->path, path);
}

struct fault fault_match(struct fault_list *list, const char *method, const char *path)
{
	struct fault found = {0};

	for (size_t i = 0; i < list->count; i++) {
		struct fault *f = &list->items[i];

		if (!is_for(f, method, path))
			continue;
		f->seen++;
		if (found.kind != FAULT_NONE ||
		    (f->nth && f->nth != f->seen && !(f->and_on && f->seen > f->nth)))
			continue;
		found = (struct fault){.kind = f->kind,
				       .number = f->number,
				       .text = f->text ? strdup(f->text) : NULL};
	}
	return found;
}
