// SPDX-License-Identifier: Apache-2.0
/*
 * The index of a file's blocks, and pages that are shared by it.
 *
 *   memory_share_test [DIRECTORY]   on a file system with reflinks; without: TMPDIR, where
 *                                   what needs them is skipped
 */
#include "memory/share/index_file.h"
#include "memory/share/share.h"

#include "tap.h"

#include "memory_fixture.h"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define BLOCKS 600

static const char *directory;

static struct stat status_of(int fd)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		abort();
	return status;
}

/* A block like no other number's. */
static void fill(unsigned char *block, uint64_t number)
{
	for (size_t i = 0; i < PAGE; i += 8) {
		uint64_t word = (number * 512 + i + 1) * UINT64_C(0x9e3779b97f4a7c15);

		memcpy(block + i, &word, 8);
	}
}

static void write_block(int fd, uint64_t at, uint64_t number)
{
	unsigned char block[4096];

	fill(block, number);
	if (pwrite(fd, block, PAGE, (off_t)(at * PAGE)) != (ssize_t)PAGE)
		abort();
}

static int numbered_file(char path[PATH_MAX], uint64_t first, uint64_t count)
{
	int fd = new_file(directory, path);

	for (uint64_t i = 0; i < count; i++)
		write_block(fd, i, first + i);
	return fd;
}

static int build(int fd, fcp_share_hash *hash, int cancel_fd, struct fcp_share_index *index,
		 struct fcp_error *err)
{
	const struct fcp_share_index_build settings = {.fd = fd,
						       .name = "file",
						       .bytes = (uint64_t)status_of(fd).st_size,
						       .hash = hash,
						       .cancel_fd = cancel_fd};

	return fcp_share_index_build(&settings, index, err);
}

static uint64_t collides(const unsigned char *block)
{
	(void)block;
	return 42;
}

/* All begin at one slot, and none is like another. */
static uint64_t crowds(const unsigned char *block)
{
	return (uint32_t)fcp_share_hash_block(block);
}

/* ---- the index ---- */

/* How many of the numbers first .. first + count the index finds at that block; wrong: at another
 * one. */
static uint64_t found(const struct fcp_share_index *index, fcp_share_hash *hash, uint64_t count,
		      uint64_t *wrong_)
{
	uint64_t right = 0;

	*wrong_ = 0;
	for (uint64_t i = 0; i < count; i++) {
		unsigned char block[4096];
		uint64_t at;

		fill(block, i);
		if (!fcp_share_index_find(index, hash(block), &at))
			continue;
		right += at == i;
		*wrong_ += at != i;
	}
	return right;
}

static void test_finds(void)
{
	struct fcp_share_index index = {0};
	struct fcp_error err;
	char path[PATH_MAX];
	int fd = numbered_file(path, 0, BLOCKS);
	uint64_t wrong;
	static const unsigned char zeros[4096];

	/* Twice the same blocks, a hole, zeros, and a piece at the end. */
	for (uint64_t i = 0; i < 100; i++)
		write_block(fd, BLOCKS + 50 + i, i);
	if (pwrite(fd, zeros, PAGE, (BLOCKS + 200) * PAGE) < 0 ||
	    pwrite(fd, "end", 3, (BLOCKS + 201) * PAGE) < 0)
		abort();
	ok(build(fd, fcp_share_hash_block, -1, &index, &err) == 0, "an index is built");
	is_u64(found(&index, fcp_share_hash_block, BLOCKS, &wrong), BLOCKS,
	       "each block is found, the first of equal ones");
	is_u64(wrong, 0, "... and none elsewhere");
	ok(!fcp_share_index_find(&index, fcp_share_hash_block(zeros), &wrong),
	   "zeros are not in it");
	ok(index.slot_count <= 2 * (BLOCKS + 102), "two slots a block of data: %" PRIu64,
	   index.slot_count);
	fcp_share_index_clear(&index);
	if (ftruncate(fd, 0) != 0)
		abort();
	ok(build(fd, fcp_share_hash_block, -1, &index, &err) == 0 &&
		   !fcp_share_index_find(&index, 1, &wrong),
	   "an empty file has an empty index");
	fcp_share_index_clear(&index);
	close(fd);
	unlink(path);
}

/* Blocks beyond what a slot can number are not looked at. */
static void test_beyond(void)
{
	struct fcp_share_index index = {0};
	struct fcp_error err;
	int fd = memfd_create("large", MFD_CLOEXEC);
	uint64_t wrong, last = FCP_SHARE_BLOCKS_MAX - UINT64_C(1);
	unsigned char block[4096];

	if (ftruncate(fd, (off_t)1 << 44) != 0 || ftruncate(fd, (off_t)17 << 40) != 0) {
		skip("a file of 17 TiB", "no such file here");
		close(fd);
		return;
	}
	write_block(fd, 0, 0);
	write_block(fd, last, 1);
	write_block(fd, last + 1, 2);
	write_block(fd, last + 2, 3);
	ok(build(fd, fcp_share_hash_block, -1, &index, &err) == 0, "a file of 17 TiB");
	is_u64(found(&index, fcp_share_hash_block, 4, &wrong), 1, "the first block is found");
	is_u64(wrong, 1, "... and one more");
	fill(block, 1);
	ok(fcp_share_index_find(&index, fcp_share_hash_block(block), &wrong) && wrong == last,
	   "the last but two");
	fcp_share_index_clear(&index);
	close(fd);
}

/* Larger than what one thread reads at a time, so that two work. */
static void test_two_threads(void)
{
	struct fcp_share_index index = {0};
	struct fcp_error err;
	char path[PATH_MAX];
	int fd = numbered_file(path, 0, 4096);
	uint64_t wrong;

	for (uint64_t i = 0; i < 4096; i++)
		write_block(fd, 4096 + i, 4095 - i);
	ok(build(fd, fcp_share_hash_block, -1, &index, &err) == 0, "32 MiB");
	is_u64(found(&index, fcp_share_hash_block, 4096, &wrong), 4096,
	       "of equal blocks the first is kept");
	fcp_share_index_clear(&index);
	close(fd);
	unlink(path);
}

static void test_collisions(void)
{
	struct fcp_share_index index = {0};
	struct fcp_error err;
	char path[PATH_MAX];
	int fd = numbered_file(path, 0, BLOCKS);
	uint64_t wrong, right;

	ok(build(fd, collides, -1, &index, &err) == 0, "a hash that always collides");
	is_u64(found(&index, collides, BLOCKS, &wrong), 1, "one block is kept, the first");
	is_u64(wrong, BLOCKS - 1, "... and proposed for all others, to be compared");
	fcp_share_index_clear(&index);
	ok(build(fd, crowds, -1, &index, &err) == 0, "a hash by which all begin at one slot");
	right = found(&index, crowds, BLOCKS, &wrong);
	ok(right > 0 && right < 100 && wrong == 0,
	   "looking is given up soon: %" PRIu64 " are found", right);
	fcp_share_index_clear(&index);
	close(fd);
	unlink(path);
}

static void test_cancelled(void)
{
	struct fcp_share_index index = {0};
	struct fcp_error err;
	char path[PATH_MAX];
	int fd = numbered_file(path, 0, 4096), cancel[2];

	if (pipe(cancel) != 0 || write(cancel[1], "x", 1) != 1)
		abort();
	ok(build(fd, fcp_share_hash_block, cancel[0], &index, &err) != 0 &&
		   err.error_class == FCP_ERR_INTERRUPTED,
	   "interrupted");
	ok(!index.slots, "... and nothing is left of it");
	close(cancel[0]);
	close(cancel[1]);
	close(fd);
	unlink(path);
}

/* ---- the file beside it ---- */

static void name_of_index(const char *path, char name[PATH_MAX + 16])
{
	snprintf(name, PATH_MAX + 16, "%s" FCP_INDEX_SUFFIX, path);
}

static bool is_read(int fd)
{
	struct fcp_share_index index = {0};
	struct stat status = status_of(fd);
	bool got = fcp_share_index_read(fd, &status, &index);

	fcp_share_index_clear(&index);
	return got;
}

static bool keep(int fd)
{
	struct fcp_share_index index = {0};
	struct stat status = status_of(fd);
	struct fcp_error err;
	bool kept = build(fd, fcp_share_hash_block, -1, &index, &err) == 0 &&
		    fcp_share_index_keep(fd, &status, &index);

	fcp_share_index_clear(&index);
	return kept;
}

static void test_kept(const char *path, const char *name, int fd)
{
	struct fcp_share_index index = {0};
	struct stat status = status_of(fd), own;
	uint64_t wrong;

	ok(!is_read(fd), "there is no index yet");
	fchmod(fd, 0640);
	status = status_of(fd);
	ok(keep(fd), "it is kept beside the file");
	ok(stat(name, &own) == 0 && (own.st_mode & 07777) == 0640 && own.st_uid == status.st_uid,
	   "... with its mode");
	ok(fcp_share_index_read(fd, &status, &index), "it is read again");
	is_u64(found(&index, fcp_share_hash_block, BLOCKS, &wrong), BLOCKS,
	       "... and has all blocks");
	fcp_share_index_clear(&index);
	ok(keep(fd) && is_read(fd), "another one takes its place");
	write_block(fd, 1, 7777);
	ok(!is_read(fd), "of a file that was written since it is none");
	ok(keep(fd) && is_read(fd), "made again");
	if (ftruncate(fd, (BLOCKS + 1) * PAGE) != 0)
		abort();
	ok(!is_read(fd), "of a file that is longer now it is none");
	keep(fd);
	if (rename(path, name) != 0)
		abort();
	ok(!is_read(fd) && !keep(fd) == false,
	   "of a file with another name it is looked for there");
	if (rename(name, path) != 0)
		abort();
}

static void test_damaged(const char *name, int fd)
{
	struct stat status;
	unsigned taken = 0;
	int file;

	keep(fd);
	file = open(name, O_RDWR | O_CLOEXEC);
	if (file < 0 || fstat(file, &status) != 0)
		abort();
	for (off_t at = 0; at < status.st_size; at += at < 256 ? 1 : 97) {
		unsigned char was, is;

		if (pread(file, &was, 1, at) != 1)
			abort();
		is = was ^ 0x10;
		if (pwrite(file, &is, 1, at) != 1)
			abort();
		taken += is_read(fd);
		if (pwrite(file, &was, 1, at) != 1)
			abort();
	}
	is_u64(taken, 0, "no index of which a bit is wrong is taken");
	ok(is_read(fd), "... and the right one is");
	for (off_t bytes = status.st_size - 1; bytes >= 0; bytes -= bytes > 200 ? 501 : 1) {
		if (ftruncate(file, bytes) != 0)
			abort();
		taken += is_read(fd);
	}
	is_u64(taken, 0, "no index that is cut is taken");
	close(file);
}

static void test_strange(const char *path, const char *name, int fd)
{
	char other[PATH_MAX], others[PATH_MAX + 16], aside[PATH_MAX + 32];
	int second = numbered_file(other, 0, BLOCKS);
	struct stat target;

	name_of_index(other, others);
	keep(second);
	if (rename(others, name) != 0)
		abort();
	ok(!is_read(fd), "another file's index is not taken");
	snprintf(aside, sizeof(aside), "%s.aside", path);
	keep(fd);
	if (rename(name, aside) != 0 || symlink(aside, name) != 0)
		abort();
	ok(!is_read(fd), "nor one behind a link");
	ok(keep(fd) && lstat(name, &target) == 0 && S_ISREG(target.st_mode) && is_read(fd),
	   "the link is replaced");
	unlink(name);
	if (mkfifo(name, 0600) != 0)
		abort();
	ok(!is_read(fd), "nor a pipe, which nobody waits for");
	unlink(name);
	if (mkdir(name, 0700) != 0)
		abort();
	ok(!is_read(fd) && !keep(fd), "a directory stays");
	rmdir(name);
	unlink(aside);
	close(second);
	unlink(other);
}

static void test_index_file(void)
{
	char path[PATH_MAX], name[PATH_MAX + 16];
	int fd = numbered_file(path, 0, BLOCKS);

	name_of_index(path, name);
	test_kept(path, name, fd);
	test_damaged(name, fd);
	test_strange(path, name, fd);
	unlink(path);
	ok(!keep(fd), "of a file that has been removed none is kept");
	unlink(name);
	close(fd);
}

/* ---- sharing ---- */

static int add(struct fcp_share_set *set, int fd)
{
	struct fcp_error err;
	FCP_CLEANUP(fd) int place = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int added = fcp_share_add(set, &(struct fcp_share_file){fd, "source", place, -1}, &err);

	fcp_share_freeze(set);
	return added;
}

/* Of the pages in the file, those that differ. */
static uint64_t differing(int fd, const unsigned char *pages, uint64_t count)
{
	unsigned char page[4096];
	uint64_t bad = 0;

	for (uint64_t i = 0; i < count; i++)
		bad += pread(fd, page, PAGE, (off_t)(i * PAGE)) != (ssize_t)PAGE ||
		       memcmp(page, pages + i * PAGE, PAGE) != 0;
	return bad;
}

/* Bytes in extents that are shared with another file. */
static uint64_t shared_of(int fd)
{
	static char room[sizeof(struct fiemap) + 4096 * sizeof(struct fiemap_extent)];
	struct fiemap *map = (struct fiemap *)(void *)room;
	uint64_t bytes = 0;

	*map = (struct fiemap){.fm_length = FIEMAP_MAX_OFFSET,
			       .fm_flags = FIEMAP_FLAG_SYNC,
			       .fm_extent_count = 4096};
	if (ioctl(fd, FS_IOC_FIEMAP, map) != 0)
		abort();
	for (uint32_t i = 0; i < map->fm_mapped_extents; i++)
		if (map->fm_extents[i].fe_flags & FIEMAP_EXTENT_SHARED)
			bytes += map->fm_extents[i].fe_length;
	return bytes;
}

static struct fcp_share_put put_of(int fd, const unsigned char *pages, uint64_t count)
{
	return (struct fcp_share_put){fd, "memory", {0, count * PAGE}, pages, false};
}

/* Memory: every 4th page is a block of the file that is like no neighbour's, there is a stretch of
 * 40 that the file has in a row, zeros, and pages that are nowhere. */
static unsigned char *make_pages(uint64_t *expected_)
{
	unsigned char *pages = calloc(200, PAGE);

	*expected_ = 0;
	for (uint64_t i = 0; i < 200; i++) {
		bool row = i >= 100 && i < 140, single = i % 4 == 0 && i < 100,
		     zero = i >= 140 && i < 150;

		if (!zero)
			fill(pages + i * PAGE, row ? 300 + i : single ? i * 5 % 300 : 100000 + i);
		*expected_ += row || single ? PAGE : 0;
	}
	return pages;
}

static void test_put(fcp_share_hash *hash, uint64_t min_run_bytes, uint64_t expected)
{
	struct fcp_share_set set = {.hash = hash, .min_run_bytes = min_run_bytes};
	struct fcp_share_window window = {.source = NULL};
	char path[PATH_MAX], memory[PATH_MAX];
	int source = numbered_file(path, 0, BLOCKS), fd = new_file(directory, memory);
	uint64_t all, shared = 1;
	unsigned char *pages = make_pages(&all);
	struct fcp_share_put put = put_of(fd, pages, 200);
	struct fcp_error err = {0};

	ok(add(&set, source) == 0 && fcp_share_is_possible(&set), "a file to share with, frozen");
	/* What it becomes afterwards is not seen. */
	for (uint64_t i = 0; i < BLOCKS; i++)
		write_block(source, i, 5000 + i);
	ok(fcp_share_put(&set, &window, &put, &shared, &err) == 0, "pages are put: %s",
	   err.message);
	is_u64(shared, expected == UINT64_MAX ? all : expected, "what the file has is shared");
	is_u64(set.sources[0].shared_bytes, shared, "... and counted for it");
	is_u64(differing(fd, pages, 200), 0, "the file holds the pages");
	is_u64(shared_of(fd), shared, "by the file system, that storage is shared");
	fcp_share_clear(&set);
	unlink(path);
	close(source);
	is_u64(differing(fd, pages, 200), 0, "... when the other file is gone, too");
	free(pages);
	close(fd);
	unlink(memory);
}

/* An index of other blocks, with a checksum that is right. */
static void test_lies(bool out_of_bounds)
{
	struct fcp_share_set set = {0};
	struct fcp_share_window window = {.source = NULL};
	struct fcp_share_index index = {0};
	char path[PATH_MAX], name[PATH_MAX + 16], memory[PATH_MAX];
	int source = numbered_file(path, 0, BLOCKS), fd = new_file(directory, memory);
	uint64_t all, shared = 1;
	unsigned char *pages = make_pages(&all);
	struct fcp_share_put put = put_of(fd, pages, 200);
	struct stat status = status_of(source);
	struct fcp_error err = {0};

	name_of_index(path, name);
	build(source, fcp_share_hash_block, -1, &index, &err);
	for (uint64_t i = 0; i < index.slot_count; i++) {
		uint64_t slot = index.slots[i] & UINT64_C(0xffffffff00000000);

		index.slots[i] =
			out_of_bounds ? slot | (i % 2 ? UINT32_MAX : 0) : slot | (i % BLOCKS + 1);
	}
	ok(fcp_share_index_keep(source, &status, &index), "an index that lies");
	fcp_share_index_clear(&index);
	ok(add(&set, source) == 0 && set.sources[0].index_read, "... is read");
	ok(fcp_share_put(&set, &window, &put, &shared, &err) == 0, "pages are put: %s",
	   err.message);
	is_u64(differing(fd, pages, 200), 0, "no byte is wrong");
	ok(shared < all, "less is shared");
	fcp_share_clear(&set);
	free(pages);
	close(source);
	close(fd);
	unlink(memory);
	unlink(path);
	unlink(name);
}

/* Only what is not there already by other means: nothing is written. */
static void test_there(void)
{
	struct fcp_share_set set = {0};
	struct fcp_share_window window = {.source = NULL};
	char path[PATH_MAX], memory[PATH_MAX];
	int source = numbered_file(path, 0, BLOCKS), fd = new_file(directory, memory);
	uint64_t all, shared = 0;
	unsigned char *pages = make_pages(&all);
	struct fcp_share_put put = put_of(fd, pages, 200);
	struct fcp_error err = {0};

	put.there = true;
	if (ftruncate(fd, (off_t)(200 * PAGE)) != 0)
		abort();
	ok(add(&set, source) == 0 && fcp_share_put(&set, &window, &put, &shared, &err) == 0,
	   "pages that are there");
	is_u64(shared, all, "what the file has is shared");
	/* XFS counts its own block for the list of extents, too. */
	ok((uint64_t)status_of(fd).st_blocks * 512 <= all + 2 * PAGE,
	   "... and nothing else written");
	fcp_share_clear(&set);
	free(pages);
	close(source);
	close(fd);
	unlink(memory);
	unlink(path);
}

static bool put_into(struct fcp_share_set *set, const unsigned char *pages, uint64_t *shared_)
{
	struct fcp_share_window window = {.source = NULL};
	char memory[PATH_MAX];
	int fd = new_file(directory, memory);
	struct fcp_share_put put = put_of(fd, pages, 200);
	struct fcp_error err;
	bool good = fcp_share_put(set, &window, &put, shared_, &err) == 0 &&
		    differing(fd, pages, 200) == 0;

	close(fd);
	unlink(memory);
	return good;
}

/* A file that nobody writes is compared itself; until somebody opens it for writing. */
static void test_lease(void)
{
	struct fcp_share_set set = {0};
	char path[PATH_MAX];
	int writer = numbered_file(path, 0, BLOCKS), source = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t all, shared;
	unsigned char *pages = make_pages(&all);

	ok(add(&set, source) == 0 && !set.sources[0].is_live,
	   "a file that is open for writing is not leased");
	fcp_share_clear(&set);
	close(writer);
	ok(add(&set, source) == 0 && set.sources[0].is_live, "one that is not is leased");
	close(source);
	ok(put_into(&set, pages, &shared) && shared == all, "pages are shared");
	writer = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	ok(writer < 0 && errno == EWOULDBLOCK, "who wants to write it waits");
	ok(put_into(&set, pages, &shared) && shared == all, "pages are shared all the same");
	ok(!set.sources[0].is_live, "... and the file is given up");
	writer = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	ok(writer >= 0, "it can be written");
	for (uint64_t i = 0; i < BLOCKS; i++)
		write_block(writer, i, 9000 + i);
	ok(put_into(&set, pages, &shared) && shared == all, "and its new bytes are not seen");
	fcp_share_clear(&set);
	close(writer);
	free(pages);
	unlink(path);
}

static bool has_reflinks(void)
{
	char path[PATH_MAX], copy[PATH_MAX];
	int fd = numbered_file(path, 0, 1), to = new_file(directory, copy);
	bool has = ioctl(to, FICLONE, fd) == 0;

	close(fd);
	close(to);
	unlink(path);
	unlink(copy);
	return has;
}

/* A memory file where there are no reflinks. */
static void test_written_plainly(void)
{
	struct fcp_share_set set = {0};
	struct fcp_share_window window = {.source = NULL};
	int source = memfd_create("source", MFD_CLOEXEC), fd = memfd_create("memory", MFD_CLOEXEC);
	uint64_t all, shared = 1;
	unsigned char *pages = make_pages(&all);
	struct fcp_share_put put = put_of(fd, pages, 200);
	struct fcp_error err = {0};

	for (uint64_t i = 0; i < BLOCKS; i++)
		write_block(source, i, i);
	ok(add(&set, source) == 0, "a file that cannot be frozen is no error");
	ok(!fcp_share_is_possible(&set) && set.sources[0].why, "... and the reason is there: %s",
	   set.sources[0].why);
	ok(fcp_share_put(&set, &window, &put, &shared, &err) == 0 && shared == 0,
	   "pages are written");
	is_u64(differing(fd, pages, 200), 0, "... all of them");
	fcp_share_clear(&set);
	free(pages);
	close(source);
	close(fd);
}

int main(int argc, char **argv)
{
	directory = argc > 1 ? argv[1] : getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	test_finds();
	test_beyond();
	test_two_threads();
	test_collisions();
	test_cancelled();
	test_index_file();
	test_written_plainly();
	if (has_reflinks()) {
		test_put(NULL, 0, UINT64_MAX);
		test_put(NULL, 4 * PAGE, 40 * PAGE);
		test_put(NULL, 41 * PAGE, 0);
		/* Only the first block is found, which is in memory twice. */
		test_put(collides, 0, 2 * PAGE);
		test_lies(false);
		test_lies(true);
		test_there();
		test_lease();
	} else {
		skip("sharing itself", "no reflinks in this directory (see tests/cli/share.bats)");
	}
	return done();
}
