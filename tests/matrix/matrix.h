// SPDX-License-Identifier: Apache-2.0
/*
 * What fcpause does when anything goes wrong at any point of a snapshot. A run without a fault is
 * recorded for each mode: its requests and its file operations are the points. At each point each
 * fault is made, and rules that hold for all of them say what may come of it.
 */
#ifndef MATRIX_H
#define MATRIX_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* ---- what is run ---- */

struct mode {
	const char *name;
	const char *writer; /* FCPAUSE_WRITER */
	bool force;	    /* an old pair is there */
	bool resume;
	bool restored; /* the VM was loaded from a snapshot */
	bool pause;    /* the whole chain, with reclaim and drain; else the snapshot alone */
};

extern const struct mode modes[];
extern const size_t mode_count;

enum kind {
	SERVER,		/* a request is answered otherwise, or not */
	CALL,		/* a file operation fails */
	SIGNAL_CALL,	/* a signal before a file operation */
	SIGNAL_REQUEST, /* a signal while a request is held, before or after it was done */
	KINDS,
};

struct cell {
	size_t mode;
	enum kind kind;
	char point[96]; /* "METHOD PATH", the name of a call, or "any" */
	long nth;
	char shown[256]; /* the point as the table shows it */
	char what[40];	 /* the fault */
	bool done;
	long ms;
	char result[64];
	char broken[600]; /* "": all rules hold */
};

/* ---- the simulator of a worker, whose working directory is the worker's own ---- */

struct sim {
	pid_t pid; /* 0: not started */
	char envd[64];
	size_t mode; /* that it was started for */
};

/* A simulator in the mode's state, and what a clean snapshot of it holds in ref/. */
int sim_start(struct sim *sim, size_t mode);
void sim_stop(struct sim *sim);
/* The status, or -1 where it does not answer; *answer_ (may be NULL) is the body's JSON or NULL. */
int sim_ask(const char *socket, const char *request, const char *body, json_t **answer_);
bool sim_lives(const struct sim *sim);
/* Another simulator loads the pair in d/, and its guest finds all it had. */
bool sim_loads(void);

/* ---- one run of fcpause; its output is in out and err, the calls it made in calls ---- */

struct run {
	const char *fault;     /* SHIM_FAULT, or NULL */
	const char *signal_at; /* the request at whose nth line it gets a signal, or NULL */
	long nth;
	int signal;
	bool both;  /* stopped at the point; then it is killed, and its guard before it */
	bool plain; /* the next run: snapshot --force, without a shim unless it has a fault */
	bool hasty; /* short deadlines */
};

struct ended {
	int exit_code; /* -1: by a signal */
	int signal;
	bool hung;
	bool left_process;
	bool was_killed; /* by us */
	long cpu_us;
};

void run_fcpause(const struct sim *sim, const struct mode *mode, const struct run *run,
		 struct ended *ended_);

/* ---- cells and rules ---- */

/* Adds the cells of a mode, from what a run in this directory has recorded. */
void cells_add(size_t mode, bool whole);
extern struct cell *cells; /* shared with the workers */
extern size_t cell_count;
#define CELLS_MAX 60000

void cell_run(struct sim *sim, struct cell *cell);
/* Before each run: the VM runs, the targets are as the mode wants them, all logs are empty. */
int arrange(struct sim *sim, size_t mode);

/* ---- the report ---- */

extern const char *const kind_names[KINDS];
/* Into matrix.md in FCPAUSE_BUILD. */
void table_write(void);

/* ---- files ---- */

void write_file(const char *path, const char *text);
char *read_file(const char *path); /* owned; "" where it is not there */
bool same_file(const char *a, const char *b);
void names_in(const char *directory, char *list_, size_t bytes);
void clear_directory(const char *directory);

/* Makes this process a worker in a directory of its own, top/number, with an empty d/ in it. It
 * ends with its parent, and guards whose own parent was killed become its children. */
void enter_worker(const char *top, unsigned number);
void remove_tree(const char *directory);
void copy_file(const char *from, const char *to);
_Noreturn void die(const char *what);

#endif
