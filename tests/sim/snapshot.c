// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hinting.h"
#include "loop.h"
#include "message.h"
#include "snapshot.h"
#include "state_file.h"

#define CREATE "Create snapshot error: "

static int fail_file(struct message *msg, const char *doing, const char *which, int err)
{
	return fail(msg, CREATE "Cannot perform %s on the %s backing file: %s (os error %d)", doing,
		    which, strerror(err), err);
}

static int fail_write(struct message *msg, int err)
{
	return fail(msg,
		    CREATE "Cannot write memory file: Cannot dump memory: "
			   "Guest memory error: %s (os error %d)",
		    strerror(err), err);
}

static json_t *balloon_save(const struct vm_balloon *b)
{
	return json_pack("{s:b, s:I, s:b, s:I, s:b, s:b}", "present", b->present, "amount_mib",
			 (json_int_t)b->amount_mib, "deflate_on_oom", b->deflate_on_oom,
			 "stats_polling_interval_s", (json_int_t)b->stats_polling_interval_s,
			 "free_page_hinting", b->free_page_hinting, "free_page_reporting",
			 b->free_page_reporting);
}

static char *state_text(const struct vm *vm)
{
	json_t *all = json_pack("{s:s, s:I, s:b, s:O, s:O, s:o, s:o, s:o}", "format",
				"fcpause-sim/1", "vcpu_count", (json_int_t)vm->machine.vcpu_count,
				"driver_up", vm_driver_up(vm), "drives", vm->drives, "interfaces",
				vm->interfaces, "balloon", balloon_save(&vm->balloon), "hinting",
				hinting_save(vm), "memory", memory_save(&vm->memory));
	char *text = json_dumps(all, JSON_COMPACT);

	json_decref(all);
	return text;
}

static int write_state(const struct vm *vm, const char *path, struct message *msg)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	char *text;
	int ret = 0;

	if (fd < 0)
		return fail_file(msg, "open", "snapshot", errno);
	text = state_text(vm);
	if (!text || state_file_write(fd, text, &vm->options))
		ret = fail(msg,
			   CREATE "Cannot serialize the microVM state: IO Error: "
				  "%s (os error %d)",
			   strerror(errno), errno);
	else if (fsync(fd))
		ret = fail_file(msg, "sync_all", "snapshot", errno);
	free(text);
	close(fd);
	return ret;
}

/* How many bytes the file may get: a full disk, where the options ask for one. */
static size_t space_for(const struct sim_options *o, const char *path)
{
	size_t len = o->space_limit_dir ? strlen(o->space_limit_dir) : 0;

	if (!len || strncmp(path, o->space_limit_dir, len) || path[len] != '/')
		return SIZE_MAX;
	return (size_t)o->space_limit_bytes;
}

static bool *pages_to_write(struct vm *vm, bool diff)
{
	struct sim_memory *m = &vm->memory;
	unsigned char *resident = malloc(m->pages);
	bool *want = malloc(m->pages * sizeof(*want));

	if (!resident || !want || mincore(m->base, m->bytes, resident)) {
		free(resident);
		free(want);
		return NULL;
	}
	for (size_t page = 0; page < m->pages; page++) {
		if (!diff)
			want[page] = true;
		else
			want[page] =
				vm->machine.track_dirty_pages ? m->dirty[page] : resident[page] & 1;
	}
	free(resident);
	return want;
}

static int write_pages(const struct sim_memory *m, const bool *want, int fd, size_t space)
{
	size_t end;

	for (size_t page = 0; page < m->pages; page = end) {
		size_t from = page * SIM_PAGE_SIZE, len;

		for (end = page; end < m->pages && want[end] && end - page < 256;)
			end++;
		len = (end - page) * SIM_PAGE_SIZE;
		if (write_all(fd, m->base + from, len < space ? len : space, (off_t)from))
			return -1;
		if (len > space) {
			errno = ENOSPC;
			return -1;
		}
		space -= len;
		end += end == page;
	}
	return 0;
}

static int set_length(int fd, bool existed, size_t bytes, struct message *msg)
{
	struct stat st;

	if (existed && fstat(fd, &st))
		return fail_file(msg, "get_metadata", "memory", errno);
	if (existed && (size_t)st.st_size != bytes && ftruncate(fd, 0))
		return fail_file(msg, "truncate", "memory", errno);
	if (ftruncate(fd, (off_t)bytes))
		return fail_file(msg, "set_length", "memory", errno);
	return 0;
}

static int write_memory_to(struct vm *vm, const struct snapshot_request *r, int fd,
			   struct message *msg)
{
	struct sim_memory *m = &vm->memory;
	bool *want = pages_to_write(vm, r->diff);
	int ret;

	if (!want)
		return fail_write(msg, errno);
	ret = write_pages(m, want, fd, space_for(&vm->options, r->mem_file_path));
	if (ret)
		ret = fail_write(msg, errno);
	free(want);
	if (!ret && fsync(fd))
		ret = fail_file(msg, "sync_all", "memory", errno);
	if (ret)
		return ret;
	memset(m->dirty, 0, m->pages);
	m->dirty[m->kernel_pages - 1] = 1; /* the devices' queues always count as written */
	return 0;
}

/* stat, open, fstat, ftruncate, in Firecracker's order. Where the path is a FIFO, it stops here
 * until somebody opens it for reading, and then fails at the ftruncate. */
static int open_memory(struct vm *vm, const char *path, struct message *msg)
{
	static const int flags[] = {
		[SIM_MEMORY_LAST] = O_WRONLY | O_CREAT,
		[SIM_MEMORY_FIRST] = O_WRONLY | O_CREAT,
		[SIM_MEMORY_NONBLOCK] = O_RDWR | O_CREAT | O_NONBLOCK,
	};
	struct stat st;
	bool existed = !stat(path, &st);
	int fd;

	log_clock(&vm->log, "memory-open");
	fd = loop_open(vm, path, flags[vm->options.memory_open]);
	log_clock(&vm->log, "memory-opened");
	if (fd < 0)
		return fail_file(msg, "open", "memory", errno);
	if (!set_length(fd, existed, vm->memory.file_bytes, msg))
		return fd;
	close(fd);
	return -1;
}

static int write_memory(struct vm *vm, const struct snapshot_request *r, int fd,
			struct message *msg)
{
	int ret;

	if (fd < 0)
		fd = open_memory(vm, r->mem_file_path, msg);
	if (fd < 0)
		return -1;
	ret = write_memory_to(vm, r, fd, msg);
	close(fd);
	return ret;
}

int snapshot_create(struct vm *vm, const struct snapshot_request *r, char *ret_message,
		    size_t message_size)
{
	struct message msg = {ret_message, message_size};
	bool first = vm->options.memory_open == SIM_MEMORY_FIRST;
	int fd = -1;

	if (vm->state != VM_PAUSED)
		return fail(&msg, CREATE "Cannot save the microVM state: Operation not allowed: "
					 "save/restore unavailable while running");
	log_clock(&vm->log, "snapshot-begin");
	if (first)
		fd = open_memory(vm, r->mem_file_path, &msg);
	if (first && fd < 0)
		return -1;
	if (!write_state(vm, r->snapshot_path, &msg))
		return write_memory(vm, r, fd, &msg);
	if (fd >= 0)
		close(fd);
	return -1;
}
