// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix.h"

const struct mode modes[] = {
	{.name = "firecracker", .writer = "firecracker"},
	{.name = "firecracker --resume", .writer = "firecracker", .resume = true},
	{.name = "firecracker --force", .writer = "firecracker", .force = true},
	{.name = "firecracker --force --resume",
	 .writer = "firecracker",
	 .force = true,
	 .resume = true},
	{.name = "fcpause", .writer = "auto"},
	{.name = "fcpause --resume", .writer = "auto", .resume = true},
	{.name = "fcpause --force", .writer = "auto", .force = true},
	{.name = "fcpause --force --resume", .writer = "auto", .force = true, .resume = true},
	{.name = "fcpause, restored", .writer = "auto", .restored = true},
	{.name = "fcpause, restored --force --resume",
	 .writer = "auto",
	 .restored = true,
	 .force = true,
	 .resume = true},
	{.name = "pause, firecracker", .writer = "firecracker", .pause = true},
	{.name = "pause, fcpause --force --resume",
	 .writer = "auto",
	 .pause = true,
	 .force = true,
	 .resume = true},
};
const size_t mode_count = sizeof(modes) / sizeof(modes[0]);

const char *const kind_names[KINDS] = {
	[SERVER] = "each request refused, unanswered, cut, late, nonsense, huge, Firecracker dead",
	[CALL] = "each file operation fails",
	[SIGNAL_CALL] = "a signal at each file operation",
	[SIGNAL_REQUEST] = "a signal at each request",
};

struct cell *cells;
size_t cell_count;

static const char *const server_faults[] = {
	"status=400", "status=500", "status=204", "answer=504",	    "hang", "reset",	 "lost",
	"truncate",   "slow=1500",  "garbage",	  "huge=104857600", "die",  "die-after", NULL,
};
static const char *const envd_faults[] = {
	"no-end", "no-eos", "cut", "flood=104857600", "error=internal", "hang-after-start", NULL,
};
static const char *const errnos[] = {"ENOSPC", "EIO", "EACCES", "EINVAL", "EOPNOTSUPP", NULL};
/* both: fcpause and its guard. */
static const char *const call_signals[] = {"kill", "both", "term", "int", NULL};
static const char *const request_signals[] = {
	"kill before", "kill after", "both before", "both after", "term before",
	"term after",  "int before", "int after",   NULL,
};

/* Without FCPAUSE_LONG one cell of so many is run; each mode begins with another one. */
static const unsigned one_of[KINDS] =
	{[SERVER] = 11, [CALL] = 61, [SIGNAL_CALL] = 53, [SIGNAL_REQUEST] = 11};

struct adding {
	size_t mode;
	enum kind kind;
	bool whole;
	unsigned turn;
};

static void add(struct adding *adding, const struct cell *point, const char *const *faults)
{
	for (size_t i = 0; faults[i]; i++) {
		if (!adding->whole && adding->turn++ % one_of[adding->kind] != 0)
			continue;
		if (cell_count == CELLS_MAX)
			die("too many cells");
		cells[cell_count] = *point;
		cells[cell_count].mode = adding->mode;
		cells[cell_count].kind = adding->kind;
		snprintf(cells[cell_count].what, sizeof(cells[cell_count].what), "%s", faults[i]);
		cell_count++;
	}
}

/* ---- lines of a log ---- */

struct line {
	char name[96];	/* "METHOD PATH" or the call */
	char rest[160]; /* of a call: its path's last part */
	long nth;
	bool left_out; /* one of many of the same */
};

static struct line lines[8192];
static size_t line_count;

static void read_request(char *text, struct line *line)
{
	if (strncmp(text, "envd ", 5) == 0)
		text += 5;
	snprintf(line->name, sizeof(line->name), "%.*s", (int)(strcspn(text, " ") + 1), text);
	text += strcspn(text, " ");
	text += *text == ' ';
	strncat(line->name, text, strcspn(text, " ") < 64 ? strcspn(text, " ") : 64);
}

static void read_call(char *text, struct line *line)
{
	char path[160] = "";
	const char *slash;

	sscanf(text, "%40s %159s", line->name, path);
	slash = strrchr(path, '/');
	snprintf(line->rest, sizeof(line->rest), "%s", slash && slash[1] ? slash + 1 : path);
}

static bool same(const struct line *a, const struct line *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->rest, b->rest) == 0;
}

/* Of many calls of one name on one file: the first two, one in their middle, the last one. */
static void leave_out(void)
{
	for (size_t i = 0; i < line_count; i++) {
		size_t before = 0, after = 0;

		for (size_t j = 0; j < line_count; j++)
			if (same(&lines[i], &lines[j]))
				*(j < i ? &before : &after) += 1;
		lines[i].left_out =
			before > 1 && after > 1 && before != after && before != after + 1;
	}
}

static void read_lines(const char *path, void (*read_line)(char *, struct line *))
{
	char *log = read_file(path), *rest = log, *text;

	line_count = 0;
	while ((text = strsep(&rest, "\n")) != NULL &&
	       line_count < sizeof(lines) / sizeof(lines[0])) {
		struct line *line = &lines[line_count];

		if (!*text)
			continue;
		*line = (struct line){.nth = 1};
		read_line(text, line);
		for (size_t i = 0; i < line_count; i++)
			line->nth += strcmp(lines[i].name, line->name) == 0;
		line_count++;
	}
	leave_out();
	free(log);
}

/* ---- cells ---- */

static void add_requests(size_t mode, bool whole)
{
	struct adding server = {mode, SERVER, whole, (unsigned)mode};
	struct adding signals = {mode, SIGNAL_REQUEST, whole, (unsigned)mode};

	read_lines("requests", read_request);
	for (size_t i = 0; i < line_count; i++) {
		struct cell point = {.nth = lines[i].nth};

		if (lines[i].left_out)
			continue;
		memcpy(point.point, lines[i].name, sizeof(point.point));
		snprintf(point.shown, sizeof(point.shown), "%.95s %ld", lines[i].name,
			 lines[i].nth);
		add(&server, &point, server_faults);
		if (strstr(lines[i].name, "process.Process"))
			add(&server, &point, envd_faults);
		add(&signals, &point, request_signals);
	}
}

static void add_calls(size_t mode, bool whole)
{
	struct adding calls = {mode, CALL, whole, (unsigned)mode};
	struct adding signals = {mode, SIGNAL_CALL, whole, (unsigned)mode};

	read_lines("calls", read_call);
	for (size_t i = 0; i < line_count; i++) {
		struct cell point = {.nth = lines[i].nth};

		if (lines[i].left_out)
			continue;
		memcpy(point.point, lines[i].name, sizeof(point.point));
		snprintf(point.shown, sizeof(point.shown), "%.40s %ld %.100s", lines[i].name,
			 lines[i].nth, lines[i].rest);
		add(&calls, &point, errnos);
		snprintf(point.point, sizeof(point.point), "any");
		point.nth = (long)i + 1;
		add(&signals, &point, call_signals);
	}
}

void cells_add(size_t mode, bool whole)
{
	add_requests(mode, whole);
	add_calls(mode, whole);
}
