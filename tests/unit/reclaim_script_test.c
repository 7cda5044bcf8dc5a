// SPDX-License-Identifier: Apache-2.0
#include "base/enums.h"
#include "steps/reclaim/script.h"

#include "base/cleanup.h"
#include "tap.h"

#include <stdlib.h>
#include <sys/wait.h>

static struct fcp_reclaim_settings all_steps(struct fcp_reclaim_step steps[FCP_RECLAIM_KINDS])
{
	for (size_t i = 0; i < FCP_RECLAIM_KINDS; i++) {
		enum fcp_reclaim_kind kind = (enum fcp_reclaim_kind)i;

		steps[i] = (struct fcp_reclaim_step){kind, fcp_reclaim_default_cap_ms(kind)};
	}
	return (struct fcp_reclaim_settings){.steps = steps, .step_count = FCP_RECLAIM_KINDS};
}

static void caps(void)
{
	struct fcp_reclaim_step steps[FCP_RECLAIM_KINDS];
	struct fcp_reclaim_settings settings = all_steps(steps);
	FCP_CLEANUP(free) char *script = NULL;

	steps[0].cap_ms = 1;
	steps[1].cap_ms = 0;
	steps[2].cap_ms = 61001;
	steps[3].cap_ms = 2000;
	script = fcp_reclaim_script(&settings);
	has_str(script, "\nstep sync sync 0.001 1 sync\n",
		"1 ms, and the second that it is rounded up to");
	ok(strstr(script, "\nstep drop_caches ") == NULL,
	   "a step that is off is not there: timeout 0 is no limit");
	has_str(script, "\nstep compact_memory /proc/sys/vm/compact_memory 61.001 62 ",
		"a minute and more");
	has_str(script, "\nstep fstrim fstrim 2.000 2 fstrim /\n",
		"whole seconds are not rounded up");
	has_str(script, "timeout -s KILL", "steps are killed, not asked");
}

static void order(void)
{
	const struct fcp_reclaim_step steps[] = {{FCP_RECLAIM_FSTRIM, 5}, {FCP_RECLAIM_SYNC, 5}};
	struct fcp_reclaim_settings settings = {.steps = steps, .step_count = 2};
	FCP_CLEANUP(free) char *script = NULL;
	const char *fstrim, *sync;

	script = fcp_reclaim_script(&settings);
	fstrim = strstr(script, "\nstep fstrim ");
	sync = strstr(script, "\nstep sync ");
	ok(fstrim && sync && fstrim < sync, "in the order given");
	ok(strstr(script, "\nstep drop_caches ") == NULL, "and no others");
}

/* Shells that a guest may have read it without a complaint. */
static void syntax(void)
{
	static const char *const shells[] = {"sh", "dash", "bash", "busybox sh"};
	struct fcp_reclaim_step steps[FCP_RECLAIM_KINDS];
	struct fcp_reclaim_settings settings = all_steps(steps);
	FCP_CLEANUP(free) char *script = fcp_reclaim_script(&settings);

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		char command[128];
		FILE *shell;

		snprintf(command, sizeof(command), "command -v %s >/dev/null", shells[i]);
		if (system(command) != 0) {
			skip(shells[i], "not installed");
			continue;
		}
		snprintf(command, sizeof(command), "%s -n", shells[i]);
		shell = popen(command, "w");
		fputs(script, shell);
		ok(WEXITSTATUS(pclose(shell)) == 0, "%s can read the script", shells[i]);
	}
}

static void good_lines(void)
{
	static const struct {
		const char *line;
		enum fcp_reclaim_kind kind;
		enum fcp_reclaim_verdict verdict;
		int exit_code;
	} lines[] = {
		{"fcpause sync 0", FCP_RECLAIM_SYNC, FCP_RECLAIM_EXITED, 0},
		{"fcpause fstrim 1", FCP_RECLAIM_FSTRIM, FCP_RECLAIM_EXITED, 1},
		{"fcpause compact_memory 137", FCP_RECLAIM_COMPACT_MEMORY, FCP_RECLAIM_EXITED, 137},
		{"fcpause drop_caches 255", FCP_RECLAIM_DROP_CACHES, FCP_RECLAIM_EXITED, 255},
		{"fcpause sync no-timeout", FCP_RECLAIM_SYNC, FCP_RECLAIM_NO_TIMEOUT, -1},
		{"fcpause fstrim missing", FCP_RECLAIM_FSTRIM, FCP_RECLAIM_MISSING, -1},
		{"fcpause fstrim no-discard", FCP_RECLAIM_FSTRIM, FCP_RECLAIM_NO_DISCARD, -1},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct fcp_reclaim_line line;

		ok(fcp_reclaim_line_read(lines[i].line, &line) && line.kind == lines[i].kind &&
			   line.verdict == lines[i].verdict && line.exit_code == lines[i].exit_code,
		   "'%s'", lines[i].line);
	}
}

static void bad_lines(void)
{
	static const char *const lines[] = {
		"",
		"fcpause",
		"fcpause sync",
		"fcpause sync 0 0",
		"fcpause sync 0x",
		"fcpause sync 256",
		"fcpause sync -1",
		"fcpause sync 1000",
		"fcpause sync 4294967296",
		"fcpause sync 1e1",
		"fcpause sync maybe",
		"fcpause sync exited",
		"fcpause nothing 0",
		"fcpause syncsyncsyncsyncsyncsyncsyncsyncsync 0",
		"fcpaus sync 0",
		"Fcpause sync 0",
		"fcpause  0",
		"xfcpause sync 0",
		"fcpause sync no-timeout-at-all-and-more",
		"sync 0",
		"fcpause sync missing x",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct fcp_reclaim_line line = {.exit_code = 42};

		ok(!fcp_reclaim_line_read(lines[i], &line) && line.exit_code == 42,
		   "'%s' is none of ours, and leaves what was there", lines[i]);
	}
}

static void timeout_lines(void)
{
	bool whole = false;

	ok(fcp_reclaim_timeout_read("fcpause timeout seconds", &whole) && whole,
	   "R4: whole seconds");
	ok(fcp_reclaim_timeout_read("fcpause timeout fractions", &whole) && !whole,
	   "R4: fractions");
	ok(fcp_reclaim_timeout_read("fcpause timeout none", &whole) && !whole, "R4: none");
	ok(!fcp_reclaim_timeout_read("fcpause timeout", &whole) &&
		   !fcp_reclaim_timeout_read("fcpause timeout seconds ", &whole) &&
		   !fcp_reclaim_timeout_read("fcpause sync 0", &whole),
	   "R4: other lines");
}

static void kinds(void)
{
	enum fcp_reclaim_kind kind = FCP_RECLAIM_KINDS;

	for (size_t i = 0; i < FCP_RECLAIM_KINDS; i++)
		ok(fcp_reclaim_kind_find(fcp_reclaim_kind_name((enum fcp_reclaim_kind)i), &kind) &&
			   (size_t)kind == i,
		   "kind %zu is found by its name", i);
	ok(!fcp_reclaim_kind_find("", &kind) && !fcp_reclaim_kind_find("syn", &kind) &&
		   !fcp_reclaim_kind_find("SYNC", &kind),
	   "names that are none");
}

int main(void)
{
	caps();
	order();
	syntax();
	good_lines();
	bad_lines();
	timeout_lines();
	kinds();
	return done();
}
