// SPDX-License-Identifier: Apache-2.0
/*
 * The guest's memory: real pages of this process, and an allocator that knows of each page what
 * the guest does with it. Freed pages keep their bytes, as in a real guest.
 */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define SIM_PAGE_SIZE 4096UL
#define SIM_MIB (1024UL * 1024UL)
#define SIM_HINT_BLOCK (4 * SIM_MIB)
#define SIM_HINT_PAGES (SIM_HINT_BLOCK / SIM_PAGE_SIZE)

enum page_state {
	PAGE_FREE,
	PAGE_USED,
	PAGE_CACHE,
	PAGE_TAKEN, /* handed out to the host by a hinting run */
	PAGE_GIVEN, /* from a file (memory_fill_from): in use, and only its reader knows by what */
	PAGE_STATES,
};

/* Memory that can be plugged in, behind boot memory; its first bytes are plugged in. */
struct sim_hotplug {
	size_t bytes; /* 0: no such device */
	size_t slot_bytes;
	size_t plugged_bytes;
};

struct sim_memory {
	uint8_t *base; /* NULL: no guest yet */
	size_t bytes;  /* boot memory, and what is plugged in */
	size_t boot_bytes;
	size_t file_bytes; /* boot memory, and what can be plugged in */
	struct sim_hotplug hotplug;
	int sign; /* how a process without KVM shows that it has a VM: lib/guest/ram.h */
	size_t pages;
	size_t kernel_pages;
	uint8_t *state;
	uint64_t *content; /* what the page's bytes are made from */
	uint8_t *dirty;	   /* written since the last snapshot */
	uint64_t last_content;
	int memfd;
	int uffd; /* a page-fault handler fills the memory; -1: none */
	bool from_file;
};

int memory_create(struct sim_memory *m, size_t bytes, const struct sim_hotplug *hotplug,
		  bool memfd);
void memory_destroy(struct sim_memory *m);

/* Overwrites its beginning with a file's bytes; no page of these is handed out or moved. */
int memory_fill_from(struct sim_memory *m, const char *path);

/* The parts of memory_create and memory_load: the tables, then the pages. */
int memory_create_tables(struct sim_memory *m, size_t bytes, const struct sim_hotplug *hotplug);
int memory_map(struct sim_memory *m, int flags, int fd);

/* The guest's driver plugs in, or gives back, up to that many bytes in all. 0 or -1. */
int memory_plug(struct sim_memory *m, size_t plugged_bytes);

/* Writes a page that is in use, another one each time. */
void memory_write_some(struct sim_memory *m);

/* Writes fill + cache MiB, then frees some of the pages in use, spread evenly. -1: no memory. */
int memory_workload(struct sim_memory *m, size_t fill_mib, size_t free_mib, size_t cache_mib);
void memory_drop_caches(struct sim_memory *m);
void memory_compact(struct sim_memory *m);

/* The next block from *block on that is wholly free; *block is its number. False: none. */
bool memory_next_free_block(const struct sim_memory *m, size_t *block);
size_t memory_count_free_blocks(const struct sim_memory *m);
/* The guest hands the block out, the host drops its pages. */
int memory_take_block(struct sim_memory *m, size_t block);
/* The guest has its pages back. Returns how many bytes. */
size_t memory_return_taken(struct sim_memory *m);

size_t memory_bytes_in(const struct sim_memory *m, enum page_state state);
size_t memory_rss(const struct sim_memory *m);
/* Every page in use and every page of cache holds what was written to it; with a page-fault
 * handler, those that it has brought. */
bool memory_verify(const struct sim_memory *m);

/* The allocator's state, for the snapshot's state file. */
json_t *memory_save(const struct sim_memory *m);
/* Maps the file privately and takes the state over. 0, -1 (errno) or -2: the state is wrong. */
int memory_load(struct sim_memory *m, const json_t *saved, const char *path);
/*
 * The same by the page-fault handler that listens on a socket. 0, or -1 with Firecracker's words.
 */
int memory_load_by_handler(struct sim_memory *m, const json_t *saved, const char *socket_path,
			   char *ret_message, size_t message_size);

#endif
