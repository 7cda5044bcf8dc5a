// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "matrix.h"

void die(const char *what)
{
	fprintf(stderr, "matrix: %s: %s\n", what, strerror(errno));
	_exit(1);
}

void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		die(path);
}

char *read_file(const char *path)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *file = fopen(path, "re");

	if (!file || getdelim(&text, &bytes, '\0', file) < 0) {
		free(text);
		text = strdup("");
	}
	if (file)
		fclose(file);
	if (!text)
		die(path);
	return text;
}

static void *map_file(const char *path, size_t *bytes_)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat file;
	void *data = MAP_FAILED;

	*bytes_ = 0;
	if (fd >= 0 && fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && file.st_size > 0) {
		*bytes_ = (size_t)file.st_size;
		data = mmap(NULL, *bytes_, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	if (fd >= 0)
		close(fd);
	return data == MAP_FAILED ? NULL : data;
}

bool same_file(const char *a, const char *b)
{
	size_t a_bytes, b_bytes;
	void *a_data = map_file(a, &a_bytes), *b_data = map_file(b, &b_bytes);
	bool same = a_data && b_data && a_bytes == b_bytes && memcmp(a_data, b_data, a_bytes) == 0;

	if (a_data)
		munmap(a_data, a_bytes);
	if (b_data)
		munmap(b_data, b_bytes);
	return same;
}

static int no_dots(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

void names_in(const char *directory, char *list_, size_t bytes)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, no_dots, alphasort);
	size_t used = 0;

	*list_ = '\0';
	for (int i = 0; i < count; i++) {
		if (used < bytes)
			used += (size_t)snprintf(list_ + used, bytes - used, "%s%s", i ? " " : "",
						 entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

void clear_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL)
		if (no_dots(entry))
			unlinkat(fd, entry->d_name, 0);
	if (dir)
		closedir(dir);
	else if (mkdir(directory, 0755) != 0)
		die(directory);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

void remove_tree(const char *directory)
{
	nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char buffer[65536];
	ssize_t got;

	if (in < 0 || out < 0)
		die(to);
	while ((got = read(in, buffer, sizeof(buffer))) > 0)
		if (write(out, buffer, (size_t)got) != got)
			die(to);
	close(in);
	close(out);
}

void enter_worker(const char *top, unsigned number)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/%u", top, number);
	clear_directory(path);
	if (chdir(path) != 0)
		die(path);
	clear_directory("d");
	write_file("requests", "");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}
