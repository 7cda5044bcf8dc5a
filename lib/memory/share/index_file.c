// SPDX-License-Identifier: Apache-2.0
#include "memory/share/index_file.h"

#include "base/cleanup.h"
#include "base/fd_link.h"
#include "base/units.h"
#include "memory/pages.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* With the hash, the slots and the byte order; another form gets another number. */
#define VERSION 1

static const char magic[8] = "fcpindex";

struct index_header {
	char magic[8];
	uint32_t version;
	uint32_t block_bytes;
	uint64_t device;
	uint64_t inode;
	uint64_t size_bytes;
	int64_t mtime_s;
	int64_t mtime_ns;
	int64_t ctime_s; /* the modification time can be set back */
	int64_t ctime_ns;
	uint64_t slot_count;
	uint64_t checksum; /* of the header with 0 here, and the table */
};

static struct index_header header_of(const struct stat *of, const struct fcp_share_index *index)
{
	struct index_header header = {
		.version = VERSION,
		.block_bytes = FCP_PAGE_BYTES,
		.device = of->st_dev,
		.inode = of->st_ino,
		.size_bytes = (uint64_t)of->st_size,
		.mtime_s = of->st_mtim.tv_sec,
		.mtime_ns = of->st_mtim.tv_nsec,
		.ctime_s = of->st_ctim.tv_sec,
		.ctime_ns = of->st_ctim.tv_nsec,
		.slot_count = index->slot_count,
	};
	uint64_t seed;

	memcpy(header.magic, magic, sizeof(magic));
	seed = XXH3_64bits(&header, sizeof(header));
	header.checksum =
		XXH3_64bits_withSeed(index->slots, index->slot_count * sizeof(*index->slots), seed);
	return header;
}

/* ---- its place ---- */

/*
 * The directory that the file is in, by the path that the kernel knows, which has no links; what
 * has been put in the way since is not followed. *name_ is the index's, owned. -1 where there is no
 * such place: the file has been removed or renamed, or lies in another mount namespace.
 */
static int open_index_directory(int fd, char **name_)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
			       .resolve = RESOLVE_NO_SYMLINKS};
	FCP_CLEANUP(fd) int directory = -1;
	char path[4096];
	char *slash;

	*name_ = NULL;
	slash = strrchr(fcp_fd_path(fd, path, sizeof(path)), '/');
	if (!slash)
		return -1;
	*slash = '\0';
	directory = (int)syscall(SYS_openat2, AT_FDCWD, path[0] ? path : "/", &how, sizeof(how));
	if (directory < 0 || !fcp_fd_has_name(fd, directory, slash + 1) ||
	    asprintf(name_, "%s" FCP_INDEX_SUFFIX, slash + 1) < 0)
		return -1;
	return fcp_steal_fd(&directory);
}

/* ---- reading ---- */

/* No longer than an index of the file can be, so that it takes no more memory than that. */
static bool has_sane_size(const struct index_header *header, const struct stat *of,
			  uint64_t file_bytes)
{
	uint64_t blocks = (uint64_t)of->st_size / FCP_PAGE_BYTES;

	return header->slot_count <= fcp_share_index_slots(blocks) &&
	       file_bytes == sizeof(*header) + header->slot_count * sizeof(uint64_t);
}

static bool read_table(int fd, const struct index_header *header, struct fcp_share_index *index)
{
	struct fcp_range table = {sizeof(*header),
				  sizeof(*header) + header->slot_count * sizeof(uint64_t)};
	struct fcp_error ignored;

	index->slot_count = header->slot_count;
	index->slots = malloc(header->slot_count * sizeof(*index->slots) + 1);
	return index->slots &&
	       fcp_pages_read(fd, "index", table, (unsigned char *)index->slots, &ignored) == 0;
}

bool fcp_share_index_load(int file, const struct stat *of, struct fcp_share_index *index_)
{
	struct fcp_share_index index = {0};
	struct index_header header, expected;
	struct stat status;

	if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) ||
	    pread(file, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    !has_sane_size(&header, of, (uint64_t)status.st_size))
		return false;
	if (read_table(file, &header, &index)) {
		expected = header_of(of, &index);
		if (memcmp(&header, &expected, sizeof(header)) == 0) {
			*index_ = index;
			return true;
		}
	}
	fcp_share_index_clear(&index);
	return false;
}

bool fcp_share_index_read(int fd, const struct stat *of, struct fcp_share_index *index_)
{
	FCP_CLEANUP(free) char *name = NULL;
	FCP_CLEANUP(fd) int directory = open_index_directory(fd, &name);
	FCP_CLEANUP(fd) int file = -1;

	if (directory < 0)
		return false;
	file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return file >= 0 && fcp_share_index_load(file, of, index_);
}

/* ---- writing ---- */

/* It tells about what is in the file: for the same users, or for its owner only. */
static void copy_owner_to_index(int fd, const struct stat *of)
{
	if (fchown(fd, of->st_uid, of->st_gid) == 0)
		fchmod(fd, of->st_mode & 0666);
}

static bool write_index(int fd, const struct stat *of, const struct fcp_share_index *index)
{
	const struct index_header header = header_of(of, index);
	uint64_t end = sizeof(header) + index->slot_count * sizeof(*index->slots);
	struct fcp_error ignored;

	return fcp_pages_write(fd, "index", (struct fcp_range){0, sizeof(header)},
			       (const unsigned char *)&header, &ignored) == 0 &&
	       fcp_pages_write(fd, "index", (struct fcp_range){sizeof(header), end},
			       (const unsigned char *)index->slots, &ignored) == 0;
}

/*
 * Without a name until it is whole, so that nothing is left of a run that is killed. Where another
 * run was first, its index stays.
 */
bool fcp_share_index_keep(int fd, const struct stat *of, const struct fcp_share_index *index)
{
	FCP_CLEANUP(free) char *name = NULL;
	FCP_CLEANUP(fd) int directory = open_index_directory(fd, &name);
	FCP_CLEANUP(fd) int file = -1;
	char link[FCP_FD_LINK_BYTES];

	if (directory < 0)
		return false;
	file = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (file < 0 || !write_index(file, of, index))
		return false;
	copy_owner_to_index(file, of);
	unlinkat(directory, name, 0);
	return linkat(AT_FDCWD, fcp_fd_link(file, link), directory, name, AT_SYMLINK_FOLLOW) == 0;
}
