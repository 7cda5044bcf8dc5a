// SPDX-License-Identifier: Apache-2.0
/*
 * A reader of a snapshot, in a tight loop: whenever the snapshot file is there under its name, so
 * is a memory file, and both are whole.
 *
 *   watcher SNAP MEM WHOLE-SNAP WHOLE-MEM STOP
 *
 * Ends when STOP is there and prints "seen N pairs"; exit 1 with what was wrong. A pair counts when
 * the snapshot file was the same one before and after the look at the memory file.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct content {
	char *bytes;
	size_t length;
};

/* Reads it all: mapped, it would be in use, and fcpause would say so. */
static bool take(const char *path, struct content *content_)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat file;
	ssize_t got;

	if (fd < 0)
		return false;
	if (fstat(fd, &file) != 0)
		exit(2);
	content_->bytes = malloc((size_t)file.st_size + 1);
	if (!content_->bytes)
		exit(2);
	for (content_->length = 0; (got = read(fd, content_->bytes + content_->length,
					       (size_t)file.st_size + 1 - content_->length)) > 0;)
		content_->length += (size_t)got;
	close(fd);
	return true;
}

static bool same(const struct content *a, const struct content *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static int wrong(const char *what, long pairs)
{
	printf("after %ld pairs: %s\n", pairs, what);
	return 1;
}

int main(int argc, char **argv)
{
	struct content whole_snap, whole_mem, snap, mem;
	long pairs = 0;

	if (argc != 6 || !take(argv[3], &whole_snap) || !take(argv[4], &whole_mem))
		return 2;
	while (access(argv[5], F_OK) != 0) {
		struct stat before, after;
		bool there, still;

		if (!take(argv[1], &snap))
			continue;
		if (stat(argv[1], &before) != 0)
			before.st_ino = 0;
		if (!same(&snap, &whole_snap))
			return wrong("the snapshot file is not whole", pairs);
		there = take(argv[2], &mem);
		still = stat(argv[1], &after) == 0 && after.st_ino == before.st_ino &&
			after.st_ctim.tv_nsec == before.st_ctim.tv_nsec;
		if (there && !same(&mem, &whole_mem))
			return wrong("the memory file is not whole", pairs);
		if (!there && still)
			return wrong("a snapshot file without a memory file", pairs);
		pairs += there && still;
		if (there)
			free(mem.bytes);
		free(snap.bytes);
	}
	printf("seen %ld pairs\n", pairs);
	return 0;
}
