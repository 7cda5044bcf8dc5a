// SPDX-License-Identifier: Apache-2.0
/* Memory files for tests, drawn page by page: D data, Z zeros that are written, - a hole. */
#ifndef FCP_TESTS_UNIT_MEMORY_FIXTURE_H
#define FCP_TESTS_UNIT_MEMORY_FIXTURE_H

#include "base/cleanup.h"
#include "base/units.h"
#include "fcpause.h"
#include "memory/file.h"
#include "memory/range.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define PAGE ((size_t)FCP_PAGE_BYTES)

/* A new file in dir (NULL: TMPDIR or /tmp); its path goes into path. Aborts when that fails. */
__attribute__((unused)) static int new_file(const char *dir, char path[PATH_MAX])
{
	int fd;

	if (!dir)
		dir = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	snprintf(path, PATH_MAX, "%s/fcpause-test-XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		abort();
	return fd;
}

/* Data whose only byte that is not zero wanders: at the start, the end, in between. */
__attribute__((unused)) static void write_page(int fd, size_t page, char kind)
{
	char bytes[4096] = {0};

	if (kind == 'D')
		bytes[page % 3 == 0 ? 0 : page % 3 == 1 ? 4095 : page * 37 % 4096] = 1;
	if (pwrite(fd, bytes, PAGE, (off_t)(page * PAGE)) != (ssize_t)PAGE)
		abort();
}

__attribute__((unused)) static void draw(int fd, const char *layout)
{
	size_t pages = strlen(layout);

	if (ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)(pages * PAGE)) < 0)
		abort();
	for (size_t i = 0; i < pages; i++)
		if (layout[i] != '-')
			write_page(fd, i, layout[i]);
}

/* The file as it is now, drawn; free() it. A page in which any block has data is no hole. */
__attribute__((unused)) static char *drawn(int fd)
{
	static const char zeros[4096];
	char bytes[4096];
	struct stat status;
	size_t pages;
	char *layout;

	if (fstat(fd, &status) < 0)
		abort();
	pages = (size_t)status.st_size / PAGE;
	layout = calloc(pages + 1, 1);
	for (size_t i = 0; i < pages; i++) {
		off_t at = (off_t)(i * PAGE), data = lseek(fd, at, SEEK_DATA);

		if (pread(fd, bytes, PAGE, at) != (ssize_t)PAGE)
			abort();
		layout[i] = data < 0 || data >= at + (off_t)PAGE ? '-'
			    : memcmp(bytes, zeros, PAGE) == 0	 ? 'Z'
								 : 'D';
	}
	return layout;
}

/* The ranges as text, "1+2 7+1" in pages; free() it. */
__attribute__((unused)) static char *in_pages(const struct fcp_ranges *ranges)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < ranges->count; i++)
		fprintf(out, "%s%llu+%llu", i ? " " : "",
			(unsigned long long)(ranges->items[i].start / PAGE),
			(unsigned long long)((ranges->items[i].end - ranges->items[i].start) /
					     PAGE));
	fclose(out);
	return text;
}

/* The runs of kind in a drawing, in the same form; free() it. */
__attribute__((unused)) static char *runs_of(const char *layout, char kind)
{
	struct fcp_ranges runs = {0};
	struct fcp_error err;
	char *text;

	for (size_t i = 0; layout[i]; i++)
		if (layout[i] == kind && fcp_ranges_add(&runs, i * PAGE, (i + 1) * PAGE, &err) < 0)
			abort();
	text = in_pages(&runs);
	fcp_ranges_clear(&runs);
	return text;
}

/* A small generator of our own, so that a failure can be run again. */
__attribute__((unused)) static uint32_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

#endif
