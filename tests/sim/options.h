// SPDX-License-Identifier: Apache-2.0
/* What the command line and PUT /sim/option can set. Times are in ms, -1 means never. */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#define SIM_MAX_FAULTS 64

enum sim_guest_cmd {
	SIM_GUEST_CMD_NORMAL,
	SIM_GUEST_CMD_AHEAD,
	SIM_GUEST_CMD_NULL,
};

enum sim_fstrim {
	SIM_FSTRIM_OK,
	SIM_FSTRIM_UNSUPPORTED,
	SIM_FSTRIM_FAIL,
};

/* What is wrong with the state files that are written. */
enum sim_damage {
	SIM_DAMAGE_NONE,
	SIM_DAMAGE_CRC,
	SIM_DAMAGE_MAGIC,
	SIM_DAMAGE_CUT, /* half of it is there */
};

/* When and how a snapshot's memory file is opened. */
enum sim_memory_open {
	SIM_MEMORY_LAST,     /* as Firecracker does: when the state file is closed */
	SIM_MEMORY_FIRST,    /* before the state file is there */
	SIM_MEMORY_NONBLOCK, /* so that a FIFO stops nothing */
};

enum sim_step {
	SIM_STEP_SYNC,
	SIM_STEP_DROP_CACHES,
	SIM_STEP_COMPACT_MEMORY,
	SIM_STEP_FSTRIM,
	SIM_STEPS,
};

struct sim_options {
	const char *api_sock;
	const char *balloon;
	const char *config_file;
	const char *request_log;
	const char *clock_log;
	const char *guest_missing;
	const char *guest_share;
	const char *guest_files; /* what is in this directory is in the guest's root at first */
	const char *token;
	const char *uffd_handler; /* this program is a page-fault handler, and listens here */
	const char *uffd_mem_file;
	const char *space_limit_dir;
	const char *faults[SIM_MAX_FAULTS];
	size_t fault_count;
	long space_limit_bytes;
	long envd_port;
	long memory_mib;
	long fill_mib;
	long free_mib;
	long cache_mib;
	long driver_delay_ms;
	long hinting_ms;
	long resumed_hinting_ms;
	long guest_ms;
	long return_ms;
	long snapshot_ms;
	long step_ms[SIM_STEPS];
	enum sim_guest_cmd guest_cmd;
	enum sim_fstrim fstrim;
	enum sim_damage state_damage;
	enum sim_memory_open memory_open;
	bool old_state_file;
	bool paused_writes;
	bool no_envd;
	bool memfd;
	const char *memory_content;
	bool boot;
	bool die_with_parent;
};

/* Reads argv. Returns 0, or ends the program (help: 0, a bad option: 2). */
int options_parse(struct sim_options *o, int argc, char **argv);

/* Sets one option by name at run time. Returns 0, or -1 when there is no such name or value. */
int options_set(struct sim_options *o, const char *name, const json_t *value);

/* The same for an option that is one of some words. */
int options_set_word(struct sim_options *o, const char *name, const char *word);

/* The step's number, or -1. */
int options_step(const char *name);

#endif
