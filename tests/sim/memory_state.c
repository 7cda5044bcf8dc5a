// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "uffd.h"

static bool run_goes_on(const struct sim_memory *m, size_t page)
{
	return page < m->pages && m->state[page] == m->state[page - 1] &&
	       (m->state[page] == PAGE_FREE || m->state[page] == PAGE_TAKEN ||
		m->content[page] == m->content[page - 1] + 1);
}

json_t *memory_save(const struct sim_memory *m)
{
	json_t *runs = json_array();

	for (size_t page = 0, end; page < m->pages; page = end) {
		for (end = page + 1; run_goes_on(m, end);)
			end++;
		json_array_append_new(runs, json_pack("[I, I, i, I]", (json_int_t)page,
						      (json_int_t)(end - page), (int)m->state[page],
						      (json_int_t)m->content[page]));
	}
	return json_pack("{s:I, s:[I, I, I], s:I, s:I, s:o}", "bytes", (json_int_t)m->boot_bytes,
			 "hotplug", (json_int_t)m->hotplug.bytes, (json_int_t)m->hotplug.slot_bytes,
			 (json_int_t)m->hotplug.plugged_bytes, "kernel_pages",
			 (json_int_t)m->kernel_pages, "last_content", (json_int_t)m->last_content,
			 "runs", runs);
}

static int load_run(struct sim_memory *m, json_t *run)
{
	json_int_t first, count, content;
	int state;

	if (json_unpack(run, "[I, I, i, I]", &first, &count, &state, &content))
		return -1;
	if (first < 0 || count < 0 || (size_t)first > m->pages ||
	    (size_t)count > m->pages - (size_t)first || state < 0 || state >= PAGE_STATES)
		return -1;
	for (json_int_t i = 0; i < count; i++) {
		m->state[first + i] = (uint8_t)state;
		m->content[first + i] = (uint64_t)(content + i);
	}
	return 0;
}

static int load_state(struct sim_memory *m, const json_t *saved)
{
	json_int_t bytes, kernel_pages, last_content, total, slot, plugged;
	struct sim_hotplug hotplug;
	json_t *runs, *run;
	size_t i;

	if (json_unpack((json_t *)saved, "{s:I, s:[I, I, I], s:I, s:I, s:o}", "bytes", &bytes,
			"hotplug", &total, &slot, &plugged, "kernel_pages", &kernel_pages,
			"last_content", &last_content, "runs", &runs))
		return -2;
	hotplug = (struct sim_hotplug){(size_t)total, (size_t)slot, (size_t)plugged};
	if (bytes <= 0 || bytes % (json_int_t)SIM_MIB ||
	    memory_create_tables(m, (size_t)bytes, &hotplug))
		return -2;
	m->kernel_pages = (size_t)kernel_pages;
	m->last_content = (uint64_t)last_content;
	json_array_foreach(runs, i, run)
	{
		if (load_run(m, run))
			return -2;
	}
	return 0;
}

int memory_load(struct sim_memory *m, const json_t *saved, const char *path)
{
	int ret, saved_errno;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -1;
	m->memfd = m->uffd = -1;
	m->from_file = true;
	ret = load_state(m, saved);
	if (!ret && (fstat(fd, &st) || (size_t)st.st_size < m->file_bytes))
		ret = -2;
	if (!ret)
		ret = memory_map(m, MAP_PRIVATE, fd);
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return ret;
}

int memory_load_by_handler(struct sim_memory *m, const json_t *saved, const char *socket_path,
			   char *ret_message, size_t message_size)
{
	m->memfd = m->uffd = -1;
	m->from_file = false;
	if (load_state(m, saved) || memory_map(m, MAP_PRIVATE | MAP_ANONYMOUS, -1)) {
		snprintf(ret_message, message_size, "Failed to restore guest memory: %s",
			 strerror(errno));
		return -1;
	}
	m->uffd = uffd_hand_over(m->base, m->file_bytes, socket_path, ret_message, message_size);
	return m->uffd < 0 ? -1 : 0;
}
