// SPDX-License-Identifier: Apache-2.0
/* Rules that hold for every cell, whatever has failed in it. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "found.h"

__attribute__((format(printf, 2, 3))) static void broken(struct cell *cell, const char *format, ...)
{
	size_t used = strlen(cell->broken);
	va_list args;

	if (used + 3 >= sizeof(cell->broken))
		return;
	if (used)
		used += (size_t)snprintf(cell->broken + used, sizeof(cell->broken) - used, "; ");
	va_start(args, format);
	vsnprintf(cell->broken + used, sizeof(cell->broken) - used, format, args);
	va_end(args);
}

static bool touched(void)
{
	return asked_for("PATCH /vm");
}

/* ---- what was said ---- */

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

static const char *error_of(const struct found *found, const char *member)
{
	return text_of(json_object_get(found->out, "error"), member);
}

static bool created(const struct found *found)
{
	const json_t *steps = json_object_get(found->out, "steps"), *step;
	size_t i;

	json_array_foreach(steps, i,
			   step) if (strcmp(text_of(step, "step"), "snapshot") ==
				     0) return json_is_true(json_object_get(step, "created"));
	return json_is_true(json_object_get(found->out, "created"));
}

/* Nothing but the pair; beside the socket and in /tmp no lock. */
static void check_leftovers(const struct found *found, const char *names)
{
	struct stat socket;
	char lock[128];

	if (strcmp(found->names, names) != 0)
		broken(found->cell, "there are: %s", found->names);
	if (access("api.sock.fcpause-lock", F_OK) == 0)
		broken(found->cell, "the lock file is left");
	if (stat("api.sock", &socket) != 0)
		return;
	snprintf(lock, sizeof(lock), "/tmp/.fcpause-%u-%llx-%llx.fcpause-lock", (unsigned)geteuid(),
		 (unsigned long long)socket.st_dev, (unsigned long long)socket.st_ino);
	if (unlink(lock) == 0)
		broken(found->cell, "the lock file in /tmp is left");
}

static void check_guest(const struct found *found)
{
	if (!found->lives)
		return;
	if (!json_is_true(json_object_get(found->sim, "checksum_ok")))
		broken(found->cell, "the guest's memory is not as it was");
	if (json_is_true(json_object_get(found->sim, "hinting_running")))
		broken(found->cell, "a hinting run is open");
	if (strcmp(found->state, "Running") == 0 &&
	    json_integer_value(json_object_get(found->sim, "pages_out_bytes")) != 0)
		broken(found->cell, "the guest lacks pages");
}

static void check_state(const struct found *found, const char *wanted)
{
	const char *told = text_of(found->out, "vm_state");

	if (found->lives && strcmp(found->state, wanted) != 0)
		broken(found->cell, "the VM is %s", found->state);
	if (found->lives && strcmp(told, found->state) != 0 &&
	    (strcmp(told, "unknown") != 0 || touched()))
		broken(found->cell, "vm_state is %s, and the VM %s", told, found->state);
}

static void check_good(const struct found *found)
{
	check_state(found, found->mode->resume ? "Running" : "Paused");
	if (json_object_get(found->out, "error") ||
	    strcmp(text_of(found->out, "status"), "failed") == 0)
		broken(found->cell, "exit code 0 and an error");
	if (!created(found))
		broken(found->cell, "exit code 0 and not created");
	if (!found->new)
		broken(found->cell, "the new pair is not whole");
}

static void check_pair_kept(const struct found *found)
{
	if (found->mode->force ? !found->old : !found->none)
		broken(found->cell, "failed, and the files are not as they were");
	if (created(found))
		broken(found->cell, "failed and created");
}

static void check_message(const struct found *found)
{
	if (!*error_of(found, "class") || !*error_of(found, "message") || !*found->err)
		broken(found->cell, "no class or no message");
	if (!*text_of(found->out, "reason"))
		broken(found->cell, "no reason");
}

static bool kills_the_server(const struct cell *cell)
{
	return cell->kind == SERVER && strncmp(cell->what, "die", 3) == 0;
}

static void check_failed(const struct found *found)
{
	check_message(found);
	check_pair_kept(found);
	if (kills_the_server(found->cell) && touched())
		broken(found->cell,
		       "the VM has ended with Firecracker, and the exit code is not 5");
	check_state(found, "Running");
}

static void check_left(const struct found *found)
{
	const char *message = error_of(found, "message"), *told = text_of(found->out, "vm_state");

	check_message(found);
	if (!strstr(message, "by hand: ") && !strstr(message, "has ended"))
		broken(found->cell, "exit code 5 without a command: %s", message);
	if (!kills_the_server(found->cell))
		broken(found->cell, "exit code 5, and Firecracker answers: %s", message);
	if (strcmp(told, found->lives ? found->state : "unknown") != 0)
		broken(found->cell, "vm_state is %s, and the VM %s", told, found->state);
	if (created(found) ? !found->new : found->mode->force ? !found->old : !found->none)
		broken(found->cell, "the files are not what \"created\" says");
}

/* A signal that comes before fcpause waits for signals ends it; it has done nothing then. */
static bool ended_early(const struct found *found)
{
	int number = found->ended.signal;

	if (found->ended.exit_code >= 0 || (number != SIGINT && number != SIGTERM))
		return false;
	snprintf(found->cell->result, sizeof(found->cell->result), "signal %d", number);
	check_pair_kept(found);
	if (touched())
		broken(found->cell, "ended by a signal, and the VM was touched");
	return true;
}

static void check_ended(const struct found *found)
{
	snprintf(found->cell->result, sizeof(found->cell->result), "%d %s %s",
		 found->ended.exit_code, *error_of(found, "class") ? error_of(found, "class") : "-",
		 found->state);
	if (!json_is_object(found->out)) {
		broken(found->cell, "no JSON");
		return;
	}
	switch (found->ended.exit_code) {
	case 0:
	case 4:
		check_good(found);
		break;
	case 1:
	case 3:
		check_failed(found);
		break;
	case 5:
		check_left(found);
		break;
	default:
		broken(found->cell, "exit code %d, signal %d", found->ended.exit_code,
		       found->ended.signal);
	}
}

/* ---- the next run ---- */

static void next_run(const struct sim *sim, struct cell *cell, bool works)
{
	const struct run again = {.plain = true, .fault = works ? NULL : "linkat@1+=EIO"};
	struct found found = {.mode = &modes[cell->mode], .cell = cell};

	run_fcpause(sim, found.mode, &again, &found.ended);
	look(sim, &found);
	if (found.ended.exit_code != (works ? 0 : 1))
		broken(cell, "the next run: exit code %d, %.150s", found.ended.exit_code,
		       error_of(&found, "message"));
	if (works && !found.new)
		broken(cell, "the next run: the pair is not whole");
	if (works ? strcmp(found.names, "mem snap") != 0 : !found.old && !found.new && !found.none)
		broken(cell, "the next run: there are: %s", found.names);
	if (works)
		check_leftovers(&found, "mem snap");
	forget(&found);
}

/* The one or the other pair, never one file of each; the VM runs, unless the snapshot was good. */
static void check_killed(const struct sim *sim, const struct found *found)
{
	struct cell *cell = found->cell;
	bool both = access("d/snap", F_OK) == 0 && access("d/mem", F_OK) == 0;
	bool done = found->new && !found->mode->resume;
	json_t *state = NULL;

	snprintf(cell->result, sizeof(cell->result), "killed %s %s", found->state,
		 found->new    ? "new"
		 : found->old  ? "old"
		 : found->none ? "none"
			       : "half");
	if (both && !found->old && !found->new)
		broken(cell, "a mixed pair: %s", found->names);
	if (found->mode->force && !found->old && !found->new &&access("d/snap", F_OK) == 0)
		broken(cell, "the old snapshot file without its memory: %s", found->names);
	if (strncmp(cell->what, "both", 4) == 0) {
		next_run(sim, cell, false);
		sim_ask("api.sock", "GET /sim/state", NULL, &state);
		if (strcmp(text_of(state, "state"), "Running") != 0 && !done)
			broken(cell, "the next run: the VM is left %s", text_of(state, "state"));
		json_decref(state);
	} else if (strcmp(found->state, "held") == 0) {
		broken(cell, "its guard left Firecracker at the pipe");
	} else if (found->lives && strcmp(found->state, "Running") != 0 && !done) {
		broken(cell, "its guard left the VM %s", found->state);
	}
	next_run(sim, cell, true);
}

/* A name that could not be removed, or not be proven to be that of what was made: it stays, and the
 * next run removes it. */
static bool left_on_purpose(const struct cell *cell)
{
	const char *const calls[] = {"unlinkat", "fstat", "fstatat", "flock"};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (cell->kind == CALL && strcmp(cell->point, calls[i]) == 0)
			return true;
	return false;
}

void judge(const struct sim *sim, struct found *found)
{
	const char *kept = found->mode->force ? "mem snap" : "";

	if (found->ended.hung)
		broken(found->cell, "hung");
	if (found->ended.left_process)
		broken(found->cell, "a process is left");
	check_guest(found);
	if (found->ended.was_killed && !found->ended.hung) {
		check_killed(sim, found);
		return;
	}
	if (!ended_early(found))
		check_ended(found);
	if (left_on_purpose(found->cell) && found->lives)
		next_run(sim, found->cell, true);
	else
		check_leftovers(found, created(found) ? "mem snap" : kept);
}
