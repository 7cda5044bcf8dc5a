// SPDX-License-Identifier: Apache-2.0
/* Snapshots, written and read for real. All want vm->lock held. */
#ifndef SIM_SNAPSHOT_H
#define SIM_SNAPSHOT_H

#include "vm.h"

struct snapshot_request {
	bool diff;
	const char *snapshot_path;
	const char *mem_file_path; /* loading by a page-fault handler: its socket */
	bool by_handler;
	bool track_dirty_pages;
	const json_t *network_overrides; /* NULL: none */
};

/* 0, or -1 with Firecracker's message. */
int snapshot_create(struct vm *vm, const struct snapshot_request *r, char *ret_message,
		    size_t message_size);
int snapshot_load(struct vm *vm, const struct snapshot_request *r, char *ret_message,
		  size_t message_size);

#endif
