// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pids.h"

#define MAX_PIDS 256
#define PREFIX 5

static struct {
	long recorded, now;
} pids[MAX_PIDS];
static size_t count;

static long pid_in(const json_t *message)
{
	const json_t *start = json_object_get(json_object_get(message, "event"), "start");

	return (long)json_integer_value(json_object_get(start, "pid"));
}

void pids_learn(const json_t *response_frames, const struct wire_answer *answer)
{
	json_t *message = NULL;
	long recorded = pid_in(json_object_get(json_array_get(response_frames, 0), "message"));
	long now;

	if (answer->len > PREFIX)
		message = json_loadb(answer->body + PREFIX, answer->len - PREFIX,
				     JSON_DISABLE_EOF_CHECK, NULL);
	now = pid_in(message);
	json_decref(message);
	if (!recorded || !now || count == MAX_PIDS)
		return;
	pids[count].recorded = recorded;
	pids[count++].now = now;
}

static long now_for(long recorded)
{
	for (size_t i = count; i--;) {
		if (pids[i].recorded == recorded)
			return pids[i].now;
	}
	return recorded;
}

/* "pid":12, "pid 12", "process '12" */
static bool follows_pid(const char *text, const char *at)
{
	return (at - text >= 5 && !strncmp(at - 5, "pid\":", 5)) ||
	       (at - text >= 4 && !strncmp(at - 4, "pid ", 4)) ||
	       (at - text >= 9 && !strncmp(at - 9, "process '", 9));
}

char *pids_map(const char *text)
{
	char *mapped = NULL, *end;
	size_t size;
	FILE *out = open_memstream(&mapped, &size);

	for (const char *p = text; *p;) {
		if (isdigit((unsigned char)*p) && follows_pid(text, p)) {
			fprintf(out, "%ld", now_for(strtol(p, &end, 10)));
			p = end;
		} else {
			fputc(*p++, out);
		}
	}
	fclose(out);
	return mapped;
}
