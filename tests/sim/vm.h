// SPDX-License-Identifier: Apache-2.0
/* The simulated machine: its state, and what all parts of the simulator share. */
#ifndef SIM_VM_H
#define SIM_VM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "fault.h"
#include "log.h"
#include "memory.h"
#include "options.h"
#include "turns.h"

enum vm_state {
	VM_NOT_STARTED,
	VM_RUNNING,
	VM_PAUSED,
};

struct vm_machine {
	long vcpu_count;
	long mem_size_mib;
	bool smt;
	bool track_dirty_pages;
	const char *huge_pages;
};

struct vm_balloon {
	bool present;
	uint32_t amount_mib;
	bool deflate_on_oom;
	uint32_t stats_polling_interval_s;
	bool free_page_hinting;
	bool free_page_reporting;
};

struct vm_hotplug {
	long total_mib; /* 0: no device */
	long block_mib;
	long slot_mib;
	long requested_mib;
};

/* The device's side of hinting (host_cmd …), and the guest's (the rest). */
struct vm_hinting {
	uint32_t host_cmd;
	uint32_t last_cmd_id;
	bool guest_cmd_known;
	uint32_t guest_cmd;
	bool acknowledge_on_stop;
	bool running;	  /* a run was started and is neither over nor stopped */
	bool answered;	  /* the guest has taken it up */
	bool pages_due;	  /* the guest is to take its pages back */
	bool stop_due;	  /* the guest is to answer the end with command 0 */
	bool done_unseen; /* no status answer has told of the end yet */
	size_t next_block;
	size_t blocks; /* of the run */
	size_t blocks_done;
	int64_t start_ns;
	int64_t end_ns; /* when it was over or stopped */
};

struct vm_metrics {
	char *path;
	long hint_count;
	long hint_freed;
	long full_create_us;
	long diff_create_us;
	long load_us;
	long pause_us;
	long resume_us;
};

struct loop_job;

struct vm {
	struct turns turns;   /* of API requests */
	pthread_mutex_t lock; /* all below */
	pthread_cond_t changed;
	struct sim_options options;
	struct sim_log log;
	struct fault_list faults;
	enum vm_state state;
	bool boot_path; /* something was configured: loading is not allowed any more */
	bool loaded;
	bool broken; /* a load failed: Firecracker ends after its answer */
	bool stopping;
	bool frozen;	      /* the guest's workload, by envd */
	bool fs_frozen;	      /* its root file system */
	int stop_fd;	      /* becomes readable when the simulator ends */
	int64_t driver_up_ns; /* INT64_MAX: never */
	struct vm_machine machine;
	struct vm_balloon balloon;
	struct vm_hotplug hotplug;
	struct vm_hinting hinting;
	struct vm_metrics metrics;
	struct sim_memory memory;
	json_t *boot_source;
	json_t *drives;
	json_t *interfaces;
	long requests;
	long paused_writes; /* how often guest memory was written while the VM was Paused */
	pthread_t hinting_thread;
	pthread_t loop_thread;
	struct loop_job *job; /* for the main thread (loop.h) */
	bool loop_runs;
	atomic_bool opening; /* the main thread is in the open of a memory file */
	atomic_bool ending;  /* and that is to end */
};

int vm_init(struct vm *vm, const struct sim_options *options);
void vm_destroy(struct vm *vm);

/* The following want vm->lock held. */
int vm_boot(struct vm *vm);
void vm_pause(struct vm *vm);
void vm_resume(struct vm *vm);
bool vm_driver_up(const struct vm *vm);
void vm_changed(struct vm *vm);

/* Waits until the guest runs (or is not there yet). -1: the client (fd) or the simulator ended. */
int vm_wait_running(struct vm *vm, int client_fd);
/* Sleeps, but no longer than the client and the simulator are there. 0 or -1. */
int vm_wait_ms(const struct vm *vm, int client_fd, long ms);

/* Appends the metrics since the last flush to the metrics file. */
void metrics_flush(struct vm *vm);

#endif
