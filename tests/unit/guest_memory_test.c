// SPDX-License-Identifier: Apache-2.0
/* The guest's memory, of a file: where a physical address lies, what is there, where data are. */
#include "guest/arch/arch.h"
#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE UINT64_C(4096)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static int sparse_file(uint64_t bytes)
{
	int fd = memfd_create("memory", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0) {
		perror("memfd");
		exit(1);
	}
	return fd;
}

/* Fills whole pages with one byte. */
static void fill(int fd, uint64_t offset, uint64_t pages, int byte)
{
	char page[PAGE];

	memset(page, byte, sizeof(page));
	for (uint64_t i = 0; i < pages; i++)
		if (pwrite(fd, page, sizeof(page), (off_t)(offset + i * PAGE)) != sizeof(page)) {
			perror("pwrite");
			exit(1);
		}
}

static struct fcp_guest_memory open_whole(int fd)
{
	struct fcp_guest_memory memory = {0};
	struct fcp_error err = {0};

	if (fcp_guest_memory_open_file(fd, FCP_HOLES_ZERO, -1, &memory, &err) < 0)
		ok(false, "a memory file opens: %s", err.message);
	return memory;
}

static void refuses_size(uint64_t bytes, const char *what)
{
	struct fcp_guest_memory memory;
	struct fcp_error err = {0};
	int fd = sparse_file(bytes);

	ok(fcp_guest_memory_open_file(fd, FCP_HOLES_ZERO, -1, &memory, &err) < 0 &&
		   err.error_class == FCP_ERR_INPUT,
	   "%s: no memory of a guest", what);
	close(fd);
}

static void sizes(void)
{
	int fd = sparse_file(2 * MIB), base = sparse_file(MIB), pipes[2];
	struct fcp_guest_memory memory;
	struct fcp_error err = {0};

	refuses_size(0, "an empty file");
	refuses_size(MIB + 512, "no whole pages");
	refuses_size(1024 * GIB + PAGE, "more than 1 TiB");
	ok(fcp_guest_memory_open_file(fd, FCP_HOLES_BASE, base, &memory, &err) < 0 &&
		   err.error_class == FCP_ERR_INPUT,
	   "a base of another size");
	has_str(err.message, "base", "the message names it");
	ok(pipe(pipes) == 0 &&
		   fcp_guest_memory_open_file(pipes[0], FCP_HOLES_ZERO, -1, &memory, &err) < 0 &&
		   err.error_class == FCP_ERR_INPUT,
	   "a pipe is no memory file");
	close(pipes[0]);
	close(pipes[1]);
	close(base);
	close(fd);
}

/* One expected region; ends with bytes of 0. */
struct expected {
	uint64_t gpa, bytes;
};

static void has_layout(const struct fcp_guest_memory *memory, unsigned index,
		       const struct expected *expected, const char *what)
{
	struct fcp_guest_memory view;
	uint64_t offset = 0;
	unsigned count = 0;
	bool same = fcp_guest_memory_layout(memory, index, &view);

	for (; same && expected[count].bytes != 0; count++) {
		same = count < view.region_count &&
		       view.regions[count].gpa == expected[count].gpa &&
		       view.regions[count].bytes == expected[count].bytes &&
		       view.regions[count].offset == offset &&
		       view.regions[count].address == offset;
		offset += expected[count].bytes;
	}
	ok(same && view.region_count == count && offset == memory->bytes, "%s", what);
}

static void layouts(void)
{
	struct fcp_guest_memory memory, view;
	int fd = sparse_file(3 * GIB);

	memory = open_whole(fd);
	is_u64(fcp_guest_memory_layouts_of(&memory, &fcp_guest_x86_64), 1,
	       "up to 3 GiB: one layout");
	has_layout(&memory, 0, (struct expected[]){{0, 3 * GIB}, {0, 0}}, "one region");
	is_u64(memory.region_count, 1, "which is the one that is taken first");
	is_u64(fcp_guest_memory_layouts_of(&memory, &fcp_guest_arm64), 1, "of arm64 one as well");
	has_layout(&memory, 1, (struct expected[]){{2 * GIB, 3 * GIB}, {0, 0}},
		   "in one region from 2 GiB on");
	ok(fcp_guest_memory_layout(&memory, 1, &view) && view.arch == &fcp_guest_arm64,
	   "which is arm64's");
	ok(!fcp_guest_memory_layout(&memory, 2, &view), "there is no third layout");

	ok(ftruncate(fd, (off_t)(3 * GIB + PAGE)) == 0, "a page more than 3 GiB");
	memory = open_whole(fd);
	is_u64(fcp_guest_memory_layouts_of(&memory, &fcp_guest_x86_64), 2, "has two layouts");
	has_layout(&memory, 0, (struct expected[]){{0, 3 * GIB}, {4 * GIB, PAGE}, {0, 0}},
		   "that page at 4 GiB, the hole at 3 GiB");
	has_layout(&memory, 1, (struct expected[]){{0, 3 * GIB + PAGE}, {0, 0}},
		   "or below 4 GiB, the hole at 3.25 GiB");

	ok(ftruncate(fd, (off_t)(6 * GIB)) == 0, "6 GiB");
	memory = open_whole(fd);
	is_u64(fcp_guest_memory_layouts_of(&memory, &fcp_guest_x86_64), 2, "have two layouts");
	has_layout(&memory, 0, (struct expected[]){{0, 3 * GIB}, {4 * GIB, 3 * GIB}, {0, 0}},
		   "the hole at 3 GiB");
	has_layout(&memory, 1,
		   (struct expected[]){{0, 3 * GIB + GIB / 4},
				       {4 * GIB, 3 * GIB - GIB / 4},
				       {0, 0}},
		   "the hole at 3.25 GiB");

	ok(ftruncate(fd, (off_t)(300 * GIB)) == 0, "300 GiB");
	memory = open_whole(fd);
	is_u64(fcp_guest_memory_layouts_of(&memory, &fcp_guest_x86_64), 4, "have four layouts");
	has_layout(&memory, 0,
		   (struct expected[]){{0, 3 * GIB},
				       {4 * GIB, 252 * GIB},
				       {512 * GIB, 45 * GIB},
				       {0, 0}},
		   "both holes");
	has_layout(&memory, 1, (struct expected[]){{0, 3 * GIB}, {4 * GIB, 297 * GIB}, {0, 0}},
		   "no second hole");
	is_u64(fcp_guest_memory_layouts_of(&memory, &fcp_guest_arm64), 2, "of arm64 two");
	has_layout(&memory, 4,
		   (struct expected[]){{2 * GIB, 254 * GIB}, {512 * GIB, 46 * GIB}, {0, 0}},
		   "the hole at 256 GiB");
	has_layout(&memory, 5, (struct expected[]){{2 * GIB, 300 * GIB}, {0, 0}}, "or no hole");
	close(fd);
}

static void regions_and_offsets(void)
{
	int fd = sparse_file(4 * GIB);
	struct fcp_guest_memory memory = open_whole(fd);
	const struct fcp_guest_region *low = fcp_guest_memory_region(&memory, 0, 1);
	const struct fcp_guest_region *high = fcp_guest_memory_region(&memory, 4 * GIB, GIB);
	uint64_t gpa = 7;

	ok(low == &memory.regions[0] && high == &memory.regions[1], "both regions by address");
	ok(fcp_guest_memory_region(&memory, 3 * GIB - 1, 1) == low, "the last byte below the hole");
	ok(!fcp_guest_memory_region(&memory, 3 * GIB - 1, 2), "not one more");
	ok(!fcp_guest_memory_region(&memory, 3 * GIB, 1), "the hole's first byte");
	ok(!fcp_guest_memory_region(&memory, 4 * GIB - 1, 1), "the hole's last byte");
	ok(!fcp_guest_memory_region(&memory, 0, 4 * GIB + 1), "nothing spans the hole");
	ok(!fcp_guest_memory_region(&memory, 4 * GIB, GIB + 1), "nor the end");
	ok(!fcp_guest_memory_region(&memory, 5 * GIB, 1), "the end");
	ok(!fcp_guest_memory_region(&memory, UINT64_MAX, 2), "an address that wraps");
	ok(!fcp_guest_memory_region(&memory, 1, UINT64_MAX), "a length that wraps");
	is_u64(fcp_guest_region_offset(high, 4 * GIB + PAGE), 3 * GIB + PAGE,
	       "the high region follows in the file");
	ok(fcp_guest_memory_gpa(&memory, 3 * GIB - 1, &gpa) && gpa == 3 * GIB - 1,
	   "an offset below the hole");
	ok(fcp_guest_memory_gpa(&memory, 3 * GIB, &gpa) && gpa == 4 * GIB, "the first above it");
	ok(fcp_guest_memory_gpa(&memory, 4 * GIB - 1, &gpa) && gpa == 5 * GIB - 1, "the last");
	ok(!fcp_guest_memory_gpa(&memory, 4 * GIB, &gpa) &&
		   !fcp_guest_memory_gpa(&memory, UINT64_MAX, &gpa),
	   "none beyond the end");
	close(fd);
}

static bool all(const unsigned char *bytes, size_t length, unsigned char byte)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != byte)
			return false;
	return true;
}

static void refuses_read(const struct fcp_guest_memory *memory, uint64_t gpa, size_t bytes,
			 enum fcp_error_class error_class, const char *what)
{
	unsigned char buffer[4 * PAGE];
	struct fcp_error err = {0};

	ok(fcp_guest_memory_read(memory, gpa, buffer, bytes, &err) < 0 &&
		   err.error_class == error_class,
	   "%s", what);
}

static void reads(void)
{
	int fd = sparse_file(3 * GIB + 4 * PAGE);
	struct fcp_guest_memory memory, old;
	unsigned char buffer[4 * PAGE];
	struct fcp_error err = {0};

	fill(fd, 8 * PAGE, 1, 0x11);
	fill(fd, 10 * PAGE, 1, 0x22);
	fill(fd, 3 * GIB - PAGE, 1, 0x33);
	fill(fd, 3 * GIB, 4, 0x44);
	memory = open_whole(fd);
	memset(buffer, 0xee, sizeof(buffer));
	ok(fcp_guest_memory_read(&memory, 8 * PAGE + 1, buffer, 3 * PAGE - 2, &err) == 0 &&
		   all(buffer, PAGE - 1, 0x11) && all(buffer + PAGE - 1, PAGE, 0) &&
		   all(buffer + 2 * PAGE - 1, PAGE - 1, 0x22) && buffer[3 * PAGE - 2] == 0xee,
	   "data, a hole of the file, data: zeros between, no byte more");
	ok(fcp_guest_memory_read(&memory, 3 * GIB - PAGE, buffer, PAGE, &err) == 0 &&
		   all(buffer, PAGE, 0x33),
	   "up to the hole below 4 GiB");
	ok(fcp_guest_memory_read(&memory, 4 * GIB, buffer, 4 * PAGE, &err) == 0 &&
		   all(buffer, 4 * PAGE, 0x44),
	   "from 4 GiB to the end");
	ok(fcp_guest_memory_layout(&memory, 1, &old) &&
		   fcp_guest_memory_read(&old, 3 * GIB - PAGE, buffer, 2 * PAGE, &err) == 0 &&
		   all(buffer, PAGE, 0x33) && all(buffer + PAGE, PAGE, 0x44),
	   "the other layout reads on at 3 GiB");
	refuses_read(&memory, 3 * GIB - PAGE, PAGE + 1, FCP_ERR_UNSUPPORTED, "into the hole");
	refuses_read(&memory, 4 * GIB - PAGE, 2 * PAGE, FCP_ERR_UNSUPPORTED, "out of the hole");
	refuses_read(&memory, 4 * GIB + 3 * PAGE, PAGE + 1, FCP_ERR_UNSUPPORTED, "beyond the end");
	refuses_read(&memory, UINT64_MAX - 7, 16, FCP_ERR_UNSUPPORTED, "an address that wraps");
	close(fd);
}

static void extent_is(const struct fcp_guest_memory *memory, uint64_t offset, uint64_t start,
		      uint64_t end, const char *what)
{
	struct fcp_range extent = {7, 7};
	struct fcp_error err = {0};
	uint64_t first = 7;

	if (!ok(fcp_guest_memory_data(memory, offset, &extent, &err) == 0 &&
			extent.start == start && extent.end == end,
		"%s", what))
		printf("# [%#" PRIx64 ", %#" PRIx64 ") %s\n", extent.start, extent.end,
		       err.message);
	ok(fcp_guest_memory_data_start(memory, offset, &first, &err) == 0 && first == start,
	   "%s: its start alone", what);
}

static void extents(void)
{
	int fd = sparse_file(64 * PAGE);
	struct fcp_guest_memory memory = open_whole(fd);

	extent_is(&memory, 0, 64 * PAGE, 64 * PAGE, "no data at all");
	fill(fd, 9 * PAGE, 1, 1);
	fill(fd, 20 * PAGE, 4, 1);
	extent_is(&memory, 0, 9 * PAGE, 10 * PAGE, "one page between holes");
	extent_is(&memory, 9 * PAGE, 9 * PAGE, 10 * PAGE, "asked for at its start");
	extent_is(&memory, 9 * PAGE + 100, 9 * PAGE + 100, 10 * PAGE, "and in its middle");
	extent_is(&memory, 10 * PAGE, 20 * PAGE, 24 * PAGE, "the next extent");
	extent_is(&memory, 24 * PAGE, 64 * PAGE, 64 * PAGE, "none up to the end");
	fill(fd, 63 * PAGE, 1, 1);
	extent_is(&memory, 24 * PAGE, 63 * PAGE, 64 * PAGE, "the last page");
	extent_is(&memory, 64 * PAGE, 64 * PAGE, 64 * PAGE, "asked for at the end");
	extent_is(&memory, UINT64_MAX, 64 * PAGE, 64 * PAGE, "asked for far beyond it");
	fill(fd, 0, 64, 1);
	extent_is(&memory, 0, 0, 64 * PAGE, "no holes");
	extent_is(&memory, 5 * PAGE, 5 * PAGE, 64 * PAGE, "no holes, from the middle");
	fill(fd, 64 * PAGE, 2, 1);
	extent_is(&memory, 5 * PAGE, 5 * PAGE, 64 * PAGE, "a file that grew: ends where it ended");
	fcp_guest_memory_close(&memory);
	ok(fcntl(fd, F_GETFD) >= 0, "a file's descriptor stays open");
	close(fd);
}

/* The low pages of a layer show its own data, what else there is is the base's. */
static void layers(void)
{
	int layer = sparse_file(16 * PAGE), base = sparse_file(16 * PAGE);
	unsigned char buffer[4 * PAGE];
	struct fcp_guest_memory memory;
	struct fcp_error err = {0};

	fill(layer, 5 * PAGE, 1, 0x55);
	fill(base, 4 * PAGE, 3, 0xbb);
	ok(fcp_guest_memory_open_file(layer, FCP_HOLES_BASE, base, &memory, &err) == 0,
	   "a layer with its base");
	ok(fcp_guest_memory_read(&memory, 4 * PAGE, buffer, 4 * PAGE, &err) == 0 &&
		   all(buffer, PAGE, 0xbb) && all(buffer + PAGE, PAGE, 0x55) &&
		   all(buffer + 2 * PAGE, PAGE, 0xbb) && all(buffer + 3 * PAGE, PAGE, 0),
	   "the base's, the layer's, the base's, a hole of both");
	extent_is(&memory, 0, 5 * PAGE, 6 * PAGE, "a layer's data are its own");
	ok(fcp_guest_memory_open_file(layer, FCP_HOLES_BASE, -1, &memory, &err) == 0 &&
		   fcp_guest_memory_read(&memory, 5 * PAGE, buffer, PAGE, &err) == 0 &&
		   all(buffer, PAGE, 0x55),
	   "without the base: its own data");
	refuses_read(&memory, 5 * PAGE, PAGE + 1, FCP_ERR_UNSUPPORTED, "nothing else");
	close(layer);
	close(base);
}

/* Truncated behind the reader's back: an error, and no signal. */
static void becomes_shorter(void)
{
	int fd = sparse_file(16 * PAGE), base = sparse_file(16 * PAGE);
	struct fcp_guest_memory memory, layer;
	struct fcp_range extent;
	struct fcp_error err = {0};
	unsigned char byte = 0;
	uint64_t start;

	fill(fd, 0, 16, 0x11);
	fill(base, 0, 16, 0xbb);
	memory = open_whole(fd);
	ok(fcp_guest_memory_open_file(fd, FCP_HOLES_BASE, base, &layer, &err) == 0,
	   "a file, also taken as a layer");
	ok(ftruncate(fd, 8 * PAGE) == 0, "it becomes shorter");
	ok(fcp_guest_memory_read(&memory, 7 * PAGE, &byte, 1, &err) == 0 && byte == 0x11,
	   "what is left is read");
	refuses_read(&memory, 8 * PAGE, PAGE, FCP_ERR_IO, "what is gone: an error");
	refuses_read(&memory, 7 * PAGE, 2 * PAGE, FCP_ERR_IO, "across its new end");
	refuses_read(&memory, 15 * PAGE, 1, FCP_ERR_IO, "the last page");
	refuses_read(&layer, 8 * PAGE, PAGE, FCP_ERR_IO,
		     "a layer: it does not show the base there");
	refuses_read(&layer, 7 * PAGE, 2 * PAGE, FCP_ERR_IO, "nor across its new end");
	ok(fcp_guest_memory_data(&memory, 8 * PAGE, &extent, &err) < 0 &&
		   err.error_class == FCP_ERR_IO,
	   "what is gone is no hole");
	ok(fcp_guest_memory_data_start(&memory, 8 * PAGE, &start, &err) < 0 &&
		   err.error_class == FCP_ERR_IO,
	   "nor by the start alone");
	ok(ftruncate(base, 4 * PAGE) == 0 && ftruncate(fd, 0) == 0 && ftruncate(fd, 16 * PAGE) == 0,
	   "a layer of holes, its base becomes shorter");
	refuses_read(&layer, 4 * PAGE, PAGE, FCP_ERR_IO, "that is an error too");
	close(fd);
	close(base);
}

int main(void)
{
	sizes();
	layouts();
	regions_and_offsets();
	reads();
	extents();
	layers();
	becomes_shorter();
	return done();
}
