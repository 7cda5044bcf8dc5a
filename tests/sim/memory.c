// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/ram.h"
#include "memory.h"

static uint64_t content_word(uint64_t content, size_t i)
{
	uint64_t x = content * 0x9e3779b97f4a7c15u + i * 0xbf58476d1ce4e5b9u;

	x ^= x >> 31;
	x *= 0x94d049bb133111ebu;
	return (x ^ x >> 29) | 1;
}

static uint8_t *page_at(const struct sim_memory *m, size_t page)
{
	return m->base + page * SIM_PAGE_SIZE;
}

static void write_page(struct sim_memory *m, size_t page, enum page_state state)
{
	uint64_t *words = (uint64_t *)(void *)page_at(m, page);

	m->content[page] = ++m->last_content;
	for (size_t i = 0; i < SIM_PAGE_SIZE / sizeof(*words); i++)
		words[i] = content_word(m->content[page], i);
	m->state[page] = (uint8_t)state;
	m->dirty[page] = 1;
}

static bool page_is_right(const struct sim_memory *m, size_t page)
{
	const uint64_t *words = (const uint64_t *)(const void *)page_at(m, page);

	for (size_t i = 0; i < SIM_PAGE_SIZE / sizeof(*words); i++) {
		if (words[i] != content_word(m->content[page], i))
			return false;
	}
	return true;
}

int memory_create_tables(struct sim_memory *m, size_t bytes, const struct sim_hotplug *hotplug)
{
	size_t pages = (bytes + hotplug->bytes) / SIM_PAGE_SIZE;

	m->sign = -1;
	m->hotplug = *hotplug;
	m->boot_bytes = bytes;
	m->file_bytes = bytes + hotplug->bytes;
	m->bytes = bytes + hotplug->plugged_bytes;
	m->pages = m->bytes / SIM_PAGE_SIZE;
	m->kernel_pages = bytes / SIM_PAGE_SIZE / 16;
	m->last_content = 0;
	m->state = calloc(pages, sizeof(*m->state));
	m->content = calloc(pages, sizeof(*m->content));
	m->dirty = calloc(pages, sizeof(*m->dirty));
	return m->state && m->content && m->dirty ? 0 : -1;
}

/* Slots without anything plugged in are out of reach, as in Firecracker. */
static int protect_slots(const struct sim_memory *m)
{
	size_t slot = m->hotplug.slot_bytes;

	for (size_t at = 0; at < m->hotplug.bytes; at += slot) {
		int protection = at < m->hotplug.plugged_bytes ? PROT_READ | PROT_WRITE : PROT_NONE;

		if (mprotect(m->base + m->boot_bytes + at, slot, protection))
			return -1;
	}
	return 0;
}

/*
 * Between two pages that are shared, with which the kernel joins nothing private: it would make one
 * mapping of guest memory and what lies beside it (a sanitizer's lie everywhere), and there is no
 * Linux in here that shows where guest memory begins.
 */
static void *map_apart(const struct sim_memory *m, int flags, int fd)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	char *room = mmap(NULL, m->file_bytes + 2 * page_bytes, PROT_NONE,
			  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (room == MAP_FAILED)
		return MAP_FAILED;
	return mmap(room + page_bytes, m->file_bytes, PROT_READ | PROT_WRITE,
		    flags | MAP_FIXED | MAP_NORESERVE, fd, 0);
}

int memory_map(struct sim_memory *m, int flags, int fd)
{
	void *base = map_apart(m, flags, fd);

	if (base == MAP_FAILED)
		return -1;
	m->base = base;
	m->sign = memfd_create(FCP_GUEST_SIM_MEMFD, MFD_CLOEXEC);
	/* Pages of 4 KiB, so that what is resident is what the guest wrote; no copies in forks. */
	madvise(base, m->file_bytes, MADV_NOHUGEPAGE);
	madvise(base, m->file_bytes, MADV_DONTFORK);
	return m->sign < 0 ? -1 : protect_slots(m);
}

int memory_plug(struct sim_memory *m, size_t plugged_bytes)
{
	size_t pages = (m->boot_bytes + plugged_bytes) / SIM_PAGE_SIZE;

	if (plugged_bytes > m->hotplug.bytes)
		return -1;
	/* What is given back may be in use: this guest migrates nothing. */
	for (size_t page = pages; page < m->pages; page++)
		m->state[page] = PAGE_FREE;
	m->hotplug.plugged_bytes = plugged_bytes;
	m->bytes = m->boot_bytes + plugged_bytes;
	m->pages = pages;
	return protect_slots(m);
}

static int map_memfd(struct sim_memory *m)
{
	m->memfd = memfd_create("guest_mem", MFD_CLOEXEC);
	if (m->memfd < 0 || ftruncate(m->memfd, (off_t)m->file_bytes))
		return -1;
	return memory_map(m, MAP_SHARED, m->memfd);
}

int memory_create(struct sim_memory *m, size_t bytes, const struct sim_hotplug *hotplug, bool memfd)
{
	m->memfd = m->uffd = -1;
	m->from_file = false;
	if (memory_create_tables(m, bytes, hotplug))
		return -1;
	if (memfd ? map_memfd(m) : memory_map(m, MAP_PRIVATE | MAP_ANONYMOUS, -1))
		return -1;
	for (size_t page = 0; page < m->kernel_pages; page++)
		write_page(m, page, PAGE_USED);
	return 0;
}

int memory_fill_from(struct sim_memory *m, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, m->base, m->bytes);

	if (fd >= 0)
		close(fd);
	if (got > 0)
		memset(m->state, PAGE_GIVEN, ((size_t)got + SIM_PAGE_SIZE - 1) / SIM_PAGE_SIZE);
	return got < 0 ? -1 : 0;
}

void memory_destroy(struct sim_memory *m)
{
	if (m->base)
		munmap(m->base, m->file_bytes);
	if (m->base && m->sign >= 0)
		close(m->sign);
	if (m->base && m->memfd >= 0)
		close(m->memfd);
	if (m->base && m->uffd >= 0)
		close(m->uffd);
	free(m->state);
	free(m->content);
	free(m->dirty);
	*m = (struct sim_memory){.memfd = -1, .uffd = -1};
}

static size_t count_state(const struct sim_memory *m, enum page_state state, size_t from)
{
	size_t n = 0;

	for (size_t page = from; page < m->pages; page++)
		n += m->state[page] == state;
	return n;
}

/* Of n pages, whether the i-th is one of the `some` that are spread evenly among them. */
static bool spread(size_t i, size_t some, size_t n)
{
	return (i + 1) * some / n != i * some / n;
}

static void fill(struct sim_memory *m, size_t used, size_t cache)
{
	size_t done = 0, all = used + cache;

	for (size_t page = m->kernel_pages; page < m->pages && done < all; page++) {
		if (m->state[page] != PAGE_FREE)
			continue;
		write_page(m, page, spread(done, cache, all) ? PAGE_CACHE : PAGE_USED);
		done++;
	}
}

static void free_some(struct sim_memory *m, size_t some, size_t used)
{
	size_t i = 0;

	for (size_t page = m->kernel_pages; page < m->pages; page++) {
		if (m->state[page] == PAGE_USED && spread(i++, some, used))
			m->state[page] = PAGE_FREE;
	}
}

int memory_workload(struct sim_memory *m, size_t fill_mib, size_t free_mib, size_t cache_mib)
{
	const size_t mib_pages = SIM_MIB / SIM_PAGE_SIZE;
	size_t used = count_state(m, PAGE_USED, m->kernel_pages);

	if (fill_mib > m->pages || free_mib > m->pages || cache_mib > m->pages)
		return -1;
	if ((fill_mib + cache_mib) * mib_pages > count_state(m, PAGE_FREE, m->kernel_pages))
		return -1;
	used += fill_mib * mib_pages;
	if (free_mib * mib_pages > used)
		return -1;
	fill(m, fill_mib * mib_pages, cache_mib * mib_pages);
	free_some(m, free_mib * mib_pages, used);
	return 0;
}

void memory_write_some(struct sim_memory *m)
{
	size_t page = m->kernel_pages - 2;

	/* A ring: the page, its content and the counter of the contents go on together. */
	if (m->kernel_pages > 2)
		write_page(m, page - m->last_content % (page < 64 ? page : 64), PAGE_USED);
}

void memory_drop_caches(struct sim_memory *m)
{
	for (size_t page = 0; page < m->pages; page++) {
		if (m->state[page] == PAGE_CACHE)
			m->state[page] = PAGE_FREE;
	}
}

static void move_page(struct sim_memory *m, size_t from, size_t to)
{
	memcpy(page_at(m, to), page_at(m, from), SIM_PAGE_SIZE);
	m->content[to] = m->content[from];
	m->state[to] = m->state[from];
	m->dirty[to] = 1;
	m->state[from] = PAGE_FREE;
}

void memory_compact(struct sim_memory *m)
{
	size_t low = m->kernel_pages, high = m->pages;

	for (;;) {
		while (low < high && m->state[low] != PAGE_FREE)
			low++;
		while (high > low && m->state[high - 1] != PAGE_USED &&
		       m->state[high - 1] != PAGE_CACHE)
			high--;
		if (low >= high)
			return;
		move_page(m, high - 1, low);
	}
}

static bool block_is_free(const struct sim_memory *m, size_t block)
{
	const uint8_t *state = m->state + block * SIM_HINT_PAGES;

	for (size_t i = 0; i < SIM_HINT_PAGES; i++) {
		if (state[i] != PAGE_FREE)
			return false;
	}
	return true;
}

bool memory_next_free_block(const struct sim_memory *m, size_t *block)
{
	for (; *block < m->bytes / SIM_HINT_BLOCK; (*block)++) {
		if (block_is_free(m, *block))
			return true;
	}
	return false;
}

size_t memory_count_free_blocks(const struct sim_memory *m)
{
	size_t n = 0;

	for (size_t block = 0; memory_next_free_block(m, &block); block++)
		n++;
	return n;
}

int memory_take_block(struct sim_memory *m, size_t block)
{
	void *at = m->base + block * SIM_HINT_BLOCK;

	memset(m->state + block * SIM_HINT_PAGES, PAGE_TAKEN, SIM_HINT_PAGES);
	if (!m->from_file)
		return madvise(at, SIM_HINT_BLOCK, MADV_DONTNEED);
	/* Dropped pages of a private file mapping would come back from the file. */
	if (mmap(at, SIM_HINT_BLOCK, PROT_READ | PROT_WRITE,
		 MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED)
		return -1;
	madvise(at, SIM_HINT_BLOCK, MADV_NOHUGEPAGE);
	madvise(at, SIM_HINT_BLOCK, MADV_DONTFORK);
	return 0;
}

size_t memory_return_taken(struct sim_memory *m)
{
	size_t n = 0;

	for (size_t page = 0; page < m->pages; page++) {
		if (m->state[page] == PAGE_TAKEN) {
			m->state[page] = PAGE_FREE;
			n++;
		}
	}
	return n * SIM_PAGE_SIZE;
}

size_t memory_bytes_in(const struct sim_memory *m, enum page_state state)
{
	return count_state(m, state, 0) * SIM_PAGE_SIZE;
}

/* Calls fn for each page that this process has (also those swapped out). */
static void for_each_present(const struct sim_memory *m,
			     void (*fn)(const struct sim_memory *m, size_t page, void *arg),
			     void *arg)
{
	/* Pages of the guest in one of the host, for which there is an entry. */
	const size_t pages = (size_t)sysconf(_SC_PAGESIZE) / SIM_PAGE_SIZE;
	uint64_t entries[512];
	size_t done = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && done < m->pages) {
		size_t first = ((uintptr_t)m->base / SIM_PAGE_SIZE + done) / pages;
		ssize_t n =
			pread(fd, entries, sizeof(entries), (off_t)(first * sizeof(entries[0])));
		size_t got = n > 0 ? (size_t)n / sizeof(entries[0]) * pages : 0;

		for (size_t i = 0; i < got && done + i < m->pages; i++) {
			if (entries[i / pages] >> 62)
				fn(m, done + i, arg);
		}
		done += got;
		if (!got)
			break;
	}
	if (fd >= 0)
		close(fd);
}

static void count_page(const struct sim_memory *m, size_t page, void *arg)
{
	(void)m;
	(void)page;
	++*(size_t *)arg;
}

static size_t count_present(const struct sim_memory *m)
{
	size_t n = 0;

	for_each_present(m, count_page, &n);
	return n;
}

size_t memory_rss(const struct sim_memory *m)
{
	struct stat st;

	if (m->memfd >= 0)
		return fstat(m->memfd, &st) ? 0 : (size_t)st.st_blocks * 512;
	return m->base ? count_present(m) * SIM_PAGE_SIZE : 0;
}

static bool page_may_be(const struct sim_memory *m, size_t page)
{
	bool has_content = m->state[page] == PAGE_USED || m->state[page] == PAGE_CACHE;

	return !has_content || page_is_right(m, page);
}

static void verify_page(const struct sim_memory *m, size_t page, void *arg)
{
	*(bool *)arg &= page_may_be(m, page);
}

bool memory_verify(const struct sim_memory *m)
{
	bool right = true;

	/* To look at a page that a handler has not brought yet would bring it. */
	if (m->uffd >= 0)
		for_each_present(m, verify_page, &right);
	for (size_t page = 0; m->uffd < 0 && page < m->pages && right; page++)
		right = page_may_be(m, page);
	return right;
}
