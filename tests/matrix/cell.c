// SPDX-License-Identifier: Apache-2.0
/* One cell: what is arranged, what is run, and what is found then. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "found.h"

#define RUNNING "{\"state\":\"Resumed\"}"

/* ---- before ---- */

static bool all_well(const json_t *state)
{
	const char *vm = json_string_value(json_object_get(state, "state"));

	return vm && strcmp(vm, "Running") == 0 &&
	       json_is_true(json_object_get(state, "checksum_ok")) &&
	       !json_is_true(json_object_get(state, "hinting_running"));
}

int arrange(struct sim *sim, size_t mode)
{
	json_t *state = NULL;

	if (sim->mode != mode || !sim_lives(sim))
		sim_start(sim, mode);
	sim_ask("api.sock", "DELETE /sim/fault", NULL, NULL);
	sim_ask("api.sock", "PATCH /vm", RUNNING, NULL);
	sim_ask("api.sock", "GET /sim/state", NULL, &state);
	if (!all_well(state))
		sim_start(sim, mode);
	json_decref(state);
	unlink("api.sock.fcpause-lock");
	clear_directory("d");
	if (modes[mode].force) {
		copy_file("old/snap", "d/snap");
		copy_file("old/mem", "d/mem");
	}
	write_file("calls", "");
	return truncate("requests", 0);
}

/* ---- after ---- */

/* The guest takes back what it has handed out, once it runs. */
static json_t *settled(void)
{
	json_t *state = NULL;

	for (int i = 0; i < 400; i++) {
		json_decref(state);
		if (sim_ask("api.sock", "GET /sim/state", NULL, &state) != 200 ||
		    json_integer_value(json_object_get(state, "pages_out_bytes")) == 0)
			break;
		usleep(i * 100);
	}
	return state;
}

bool asked_for(const char *request)
{
	char *log = read_file("requests");
	bool is_there = strstr(log, request) != NULL;

	free(log);
	return is_there;
}

void look(const struct sim *sim, struct found *found)
{
	char *text = read_file("out");

	found->out = json_loads(text, 0, NULL);
	free(text);
	found->err = read_file("err");
	if (sim_lives(sim) && found->ended.was_killed && access("d/mem.fcpause-hold", F_OK) == 0 &&
	    asked_for("PUT /snapshot/create")) {
		found->state = "held"; /* it answers nobody */
	} else {
		sim_ask("api.sock", "DELETE /sim/fault", NULL, NULL);
		found->sim = settled();
		found->lives = sim_lives(sim) && found->sim;
		found->state = found->lives
				       ? json_string_value(json_object_get(found->sim, "state"))
				       : "dead";
	}
	names_in("d", found->names, sizeof(found->names));
	found->old = same_file("old/snap", "d/snap") && same_file("old/mem", "d/mem");
	found->new = found->mode->pause
			     ? access("d/snap", F_OK) == 0 && access("d/mem", F_OK) == 0 &&
				       !found->old &&sim_loads()
			     : same_file("ref/snap", "d/snap") && same_file("ref/mem", "d/mem");
	found->none = access("d/snap", F_OK) != 0 && access("d/mem", F_OK) != 0;
}

void forget(struct found *found)
{
	json_decref(found->out);
	json_decref(found->sim);
	free(found->err);
}

/* ---- the cell ---- */

/* A success that is told of and did not happen: no client sees through it. */
static bool is_a_lie(const struct cell *cell)
{
	return cell->kind == SERVER && strcmp(cell->point, "PATCH /vm") == 0 &&
	       (strcmp(cell->what, "garbage") == 0 || strcmp(cell->what, "status=204") == 0);
}

static int signal_of(const char *what)
{
	return strncmp(what, "term", 4) == 0  ? SIGTERM
	       : strncmp(what, "int", 3) == 0 ? SIGINT
					      : SIGKILL;
}

static void set_server_fault(const struct cell *cell, const char *kind)
{
	char body[256];

	snprintf(body, sizeof(body), "{\"fault\":\"%s %s@%ld\"}", cell->point, kind, cell->nth);
	if (sim_ask("api.sock", "PUT /sim/fault", body, NULL) != 204)
		die(body);
}

static void run_cell(const struct sim *sim, struct cell *cell, struct ended *ended_)
{
	char fault[160];
	struct run run = {.both = strncmp(cell->what, "both", 4) == 0};

	snprintf(fault, sizeof(fault), "%s@%ld=%s", cell->point, cell->nth,
		 run.both ? "stop" : cell->what);
	switch (cell->kind) {
	case SERVER:
		set_server_fault(cell, cell->what);
		run.hasty = true;
		break;
	case SIGNAL_REQUEST:
		set_server_fault(cell, strstr(cell->what, "before") ? "hang" : "slow=60000");
		run.signal_at = cell->point;
		run.nth = cell->nth;
		run.signal = run.both ? SIGSTOP : signal_of(cell->what);
		break;
	default:
		run.fault = fault;
	}
	run_fcpause(sim, &modes[cell->mode], &run, ended_);
}

void cell_run(struct sim *sim, struct cell *cell)
{
	struct found found = {.mode = &modes[cell->mode], .cell = cell};

	if (is_a_lie(cell)) {
		snprintf(cell->result, sizeof(cell->result), "-");
		return;
	}
	arrange(sim, cell->mode);
	run_cell(sim, cell, &found.ended);
	look(sim, &found);
	judge(sim, &found);
	forget(&found);
}
