// SPDX-License-Identifier: Apache-2.0
#include "steps/reclaim/script.h"

#include "base/enums.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Prints "fcpause timeout none|seconds|fractions" first; then each step prints "fcpause NAME
 * EXIT-CODE" or "fcpause NAME no-timeout|missing|no-discard". timeout(1) is probed first: a guest
 * may have none, or one that takes only whole seconds. BusyBox (1.31 to 1.36) accepts fractions and
 * truncates them, so it is checked that a fraction kills (10 ms, for a sleep of 100) and does not
 * kill early (900 ms, for a sleep of 10). Each step has its own cap, since envd kills the shell at
 * the deadline but not the shell's child. Only fstrim's output is read: its exit code does not tell
 * "cannot" from "failed".
 */
static const char prologue[] =
	"export LC_ALL=C\n"
	"unit=none\n"
	"timeout -s KILL 1 true 2>/dev/null && unit=seconds\n"
	"if [ $unit = seconds ] && timeout -s KILL 0.900 sleep 0.01 2>/dev/null; then\n"
	"timeout -s KILL 0.010 sleep 0.1 2>/dev/null\n"
	"case $? in 124|137|143) unit=fractions;; esac; fi\n"
	"echo \"fcpause timeout $unit\"\n"
	"step() {\n"
	"name=$1 needs=$2 cap=$3\n"
	"case $unit in none) echo \"fcpause $name no-timeout\"; return;; seconds) cap=$4;; esac\n"
	"shift 4\n"
	"if ! command -v \"$needs\" >/dev/null 2>&1 && ! [ -w \"$needs\" ]; then\n"
	"echo \"fcpause $name missing\"; return; fi\n"
	"if [ \"$name\" = fstrim ]; then said=$(timeout -s KILL \"$cap\" \"$@\" 2>&1 >/dev/null); "
	"code=$?\n"
	"else said= ; timeout -s KILL \"$cap\" \"$@\" >/dev/null 2>&1; code=$?; fi\n"
	"case $code:$said in 0:*) ;; *'not supported'*|*'Inappropriate ioctl'*) code=no-discard;; "
	"esac\n"
	"echo \"fcpause $name $code\"\n"
	"}\n";

/* What a step needs (a program, or a file to write) and what it runs. */
static const struct {
	const char *needs;
	const char *command;
} commands[FCP_RECLAIM_KINDS] = {
	[FCP_RECLAIM_SYNC] = {"sync", "sync"},
	[FCP_RECLAIM_DROP_CACHES] = {"/proc/sys/vm/drop_caches",
				     "sh -c 'echo 3 > /proc/sys/vm/drop_caches'"},
	[FCP_RECLAIM_COMPACT_MEMORY] = {"/proc/sys/vm/compact_memory",
					"sh -c 'echo 1 > /proc/sys/vm/compact_memory'"},
	[FCP_RECLAIM_FSTRIM] = {"fstrim", "fstrim /"},
};

char *fcp_reclaim_script(const struct fcp_reclaim_settings *settings)
{
	char *script = NULL;
	size_t bytes;
	FILE *out = open_memstream(&script, &bytes);

	if (!out)
		return NULL;
	fputs(prologue, out);
	for (size_t i = 0; i < settings->step_count; i++) {
		enum fcp_reclaim_kind kind = settings->steps[i].kind;
		uint32_t cap_ms = settings->steps[i].cap_ms;

		/* For GNU timeout 0 means no limit, so a disabled step must not appear at all. */
		if (cap_ms == 0)
			continue;
		fprintf(out, "step %s %s %u.%03u %u %s\n", fcp_reclaim_kind_name(kind),
			commands[kind].needs, cap_ms / 1000, cap_ms % 1000,
			cap_ms / 1000 + (cap_ms % 1000 != 0), commands[kind].command);
	}
	fputs("exit 0\n", out);
	if (fclose(out) != 0) {
		free(script);
		return NULL;
	}
	return script;
}

static bool read_verdict(const char *word, struct fcp_reclaim_line *line)
{
	static const char *const words[] = {
		[FCP_RECLAIM_NO_TIMEOUT] = "no-timeout",
		[FCP_RECLAIM_MISSING] = "missing",
		[FCP_RECLAIM_NO_DISCARD] = "no-discard",
	};
	char rest;

	for (size_t i = FCP_RECLAIM_NO_TIMEOUT; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0) {
			line->verdict = (enum fcp_reclaim_verdict)i;
			return true;
		}
	line->verdict = FCP_RECLAIM_EXITED;
	return strlen(word) <= 3 && sscanf(word, "%3d%c", &line->exit_code, &rest) == 1 &&
	       line->exit_code >= 0 && line->exit_code <= 255;
}

bool fcp_reclaim_timeout_read(const char *line, bool *whole_seconds_)
{
	static const char *const lines[] = {"fcpause timeout none", "fcpause timeout fractions",
					    "fcpause timeout seconds"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (strcmp(line, lines[i]) == 0) {
			*whole_seconds_ = i == 2;
			return true;
		}
	return false;
}

bool fcp_reclaim_line_read(const char *line, struct fcp_reclaim_line *line_)
{
	struct fcp_reclaim_line read = {.exit_code = -1};
	char name[32], word[16], rest;

	if (sscanf(line, "fcpause %31s %15s%c", name, word, &rest) != 2 ||
	    !fcp_reclaim_kind_find(name, &read.kind) || !read_verdict(word, &read))
		return false;
	*line_ = read;
	return true;
}
