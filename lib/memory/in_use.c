// SPDX-License-Identifier: Apache-2.0
#include "memory/in_use.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define MAPS_BUFFER_BYTES (256 << 10)

struct search {
	struct stat file;
	char path[PATH_MAX];	 /* of the file as this process sees it */
	char inode_text[24];	 /* " INODE", as a line of maps has it */
	char *maps;		 /* MAPS_BUFFER_BYTES */
	struct fcp_in_use *use;
};

const char *fcp_in_use_text(enum fcp_in_use_how how)
{
	switch (how) {
	case FCP_IN_USE_MAPPED:
		return "maps it";
	case FCP_IN_USE_WRITER:
		return "has it open for writing";
	default:
		return "does not use it";
	}
}

static bool same_file(const struct search *search, const struct stat *other)
{
	return other->st_dev == search->file.st_dev && other->st_ino == search->file.st_ino;
}

/*
 * On btrfs and overlayfs the device in maps is not the one of stat(2): then the link in map_files
 * decides, and where it may not be followed, the path.
 */
static bool same_mapping(const struct search *search, int proc, const char *addresses,
			 const char *path)
{
	char link[64];
	struct stat mapped;

	snprintf(link, sizeof(link), "map_files/%s", addresses);
	if (fstatat(proc, link, &mapped, 0) == 0)
		return same_file(search, &mapped);
	return strcmp(path, search->path) == 0;
}

/* A line of maps: ADDRESSES PERMISSIONS OFFSET MAJOR:MINOR INODE PATH. */
static bool is_our_line(const struct search *search, int proc, const char *line)
{
	char addresses[48];
	unsigned int dev_major, dev_minor;
	uintmax_t inode;
	int path_at = 0;

	if (sscanf(line, "%47s %*s %*s %x:%x %ju %n", addresses, &dev_major, &dev_minor, &inode,
		   &path_at) < 4)
		return false;
	if (inode != (uintmax_t)search->file.st_ino)
		return false;
	if (makedev(dev_major, dev_minor) == search->file.st_dev)
		return true;
	return same_mapping(search, proc, addresses, path_at > 0 ? line + path_at : "");
}

/* text: NUL-terminated, whole lines. Only lines that hold the inode's digits are parsed. */
static bool maps_name_it(const struct search *search, int proc, char *text)
{
	for (char *hit = text; (hit = strstr(hit, search->inode_text)) != NULL; hit++) {
		char *line = hit;
		char *end = strchrnul(hit, '\n');
		char saved = *end;
		bool found;

		while (line > text && line[-1] != '\n')
			line--;
		*end = '\0';
		found = is_our_line(search, proc, line);
		*end = saved;
		if (found)
			return true;
	}
	return false;
}

/* 1: maps the file, 0: does not, -1: cannot be read (errno); *empty_: it has no memory at all. */
static int process_maps(const struct search *search, int proc, bool *empty_)
{
	FCP_CLEANUP(fd) int fd = openat(proc, "maps", O_RDONLY | O_CLOEXEC);
	size_t held = 0;
	ssize_t got;

	*empty_ = true;
	if (fd < 0)
		return -1;
	while ((got = read(fd, search->maps + held, MAPS_BUFFER_BYTES - 1 - held)) > 0) {
		char *last;

		*empty_ = false;
		held += (size_t)got;
		search->maps[held] = '\0';
		last = strrchr(search->maps, '\n');
		if (!last)
			continue;
		*last = '\0';
		if (maps_name_it(search, proc, search->maps))
			return 1;
		held -= (size_t)(last + 1 - search->maps);
		memmove(search->maps, last + 1, held);
	}
	return got < 0 ? -1 : 0;
}

/* Access mode of descriptor number of a process, O_RDONLY when it cannot be read. */
static int fd_access_mode(int proc, const char *number)
{
	char path[64], text[256];
	FCP_CLEANUP(fd) int fd = -1;
	const char *flags;
	ssize_t got;

	snprintf(path, sizeof(path), "fdinfo/%.32s", number);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (got <= 0)
		return O_RDONLY;
	text[got] = '\0';
	flags = strstr(text, "flags:");
	return flags ? (int)strtoul(flags + strlen("flags:"), NULL, 8) & O_ACCMODE : O_RDONLY;
}

/*
 * How a process holds it open: bit 0 for reading, bit 1 for writing. -1: cannot be read (errno).
 * *count_: by how many descriptors.
 */
static int process_fds(const struct search *search, int proc, uint32_t *count_)
{
	int fd = openat(proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FCP_CLEANUP(dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int found = 0;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((entry = readdir(dir)) != NULL) {
		struct stat target;

		if (entry->d_name[0] == '.' || fstatat(fd, entry->d_name, &target, 0) < 0)
			continue;
		if (!same_file(search, &target))
			continue;
		found |= fd_access_mode(proc, entry->d_name) == O_RDONLY ? 1 : 2;
		++*count_;
	}
	return found;
}

static void read_comm(int proc, char *comm, size_t size)
{
	FCP_CLEANUP(fd) int fd = openat(proc, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, comm, size - 1);

	/* The newline at the end is the kernel's; all before it the process chose itself, and may
	 * not write to a terminal. */
	comm[got > 0 ? got - 1 : 0] = '\0';
	for (char *c = comm; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static bool denied(int result)
{
	return result < 0 && (errno == EACCES || errno == EPERM);
}

/* Notes what one process does with the file; true when that settles the question. */
static bool look_at_process(struct search *search, int proc, pid_t pid)
{
	struct fcp_in_use *use = search->use;
	bool empty, hidden;
	uint32_t count = 0;
	int maps = process_maps(search, proc, &empty), fds = 0;

	hidden = denied(maps);
	if (maps == 0 && empty) /* a kernel thread, a zombie */
		return false;
	fds = process_fds(search, proc, &count);
	hidden |= denied(fds);
	if (pid == getpid()) {
		use->self = maps > 0 || count > 1;
		return false;
	}
	if (maps <= 0 && fds < 2) {
		use->hidden += hidden;
		use->readers += fds == 1;
		return false;
	}
	use->how = maps > 0 ? FCP_IN_USE_MAPPED : FCP_IN_USE_WRITER;
	use->pid = pid;
	read_comm(proc, use->comm, sizeof(use->comm));
	return true;
}

static int look_at_processes(struct search *search, struct fcp_error *err)
{
	FCP_CLEANUP(dir) DIR *dir = opendir("/proc");
	const struct dirent *entry;

	if (!dir)
		return fcp_error_set(err, FCP_ERR_IO, errno, "/proc");
	while ((entry = readdir(dir)) != NULL) {
		FCP_CLEANUP(fd) int proc = -1;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		proc = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (proc >= 0 && look_at_process(search, proc, (pid_t)atoi(entry->d_name)))
			return 0;
	}
	return 0;
}

int fcp_in_use_find(int fd, struct fcp_in_use *use_, struct fcp_error *err)
{
	FCP_CLEANUP(free) char *maps = malloc(MAPS_BUFFER_BYTES);
	struct fcp_in_use use = {0};
	struct search search = {.maps = maps, .use = &use};
	char link[40];
	ssize_t length;

	if (!maps)
		return fcp_error_nomem(err);
	if (fstat(fd, &search.file) < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "fstat");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, search.path, sizeof(search.path) - 1);
	search.path[length > 0 ? length : 0] = '\0';
	snprintf(search.inode_text, sizeof(search.inode_text), " %ju",
		 (uintmax_t)search.file.st_ino);
	if (look_at_processes(&search, err) < 0)
		return -1;
	*use_ = use;
	return 0;
}
