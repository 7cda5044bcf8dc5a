// SPDX-License-Identifier: Apache-2.0
/*
 * fcp_free_pages(): the free pages of memory that the caller holds, by descriptor and by callbacks.
 */
#include "guest_fixture.h"
#include "tap.h"

#include "guest/free_pages.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A descriptor behind callbacks, which can be made to fail or to lie. */
struct reader {
	int fd;
	uint64_t bytes;
	unsigned reads;
	int errnum;		     /* of every read from the second one on */
	const struct fcp_range *lie; /* what next_data says instead */
};

static int read_by_callback(uint64_t offset, void *buffer, size_t bytes, void *arg)
{
	struct reader *reader = arg;

	if (++reader->reads > 1 && reader->errnum != 0)
		return reader->errnum;
	if (offset > reader->bytes || bytes > reader->bytes - offset)
		return ERANGE;
	return pread(reader->fd, buffer, bytes, (off_t)offset) == (ssize_t)bytes ? 0 : EIO;
}

static int next_data_by_callback(uint64_t offset, struct fcp_range *data_, void *arg)
{
	struct reader *reader = arg;
	off_t start = lseek(reader->fd, (off_t)offset, SEEK_DATA);

	if (reader->lie) {
		*data_ = *reader->lie;
		return 0;
	}
	if (start < 0 && errno != ENXIO)
		return errno;
	*data_ = (struct fcp_range){0, 0};
	if (start >= 0)
		*data_ = (struct fcp_range){(uint64_t)start,
					    (uint64_t)lseek(reader->fd, start, SEEK_HOLE)};
	return 0;
}

static struct fcp_memory_source by_fd(int fd)
{
	struct fcp_memory_source source = FCP_MEMORY_SOURCE_INIT;

	source.fd = fd;
	return source;
}

static struct fcp_memory_source by_callbacks(struct reader *reader)
{
	struct fcp_memory_source source = FCP_MEMORY_SOURCE_INIT;

	source.arg = reader;
	source.read = read_by_callback;
	source.next_data = next_data_by_callback;
	source.bytes = reader->bytes;
	return source;
}

static int find(const struct fcp_memory_source *memory, const struct fcp_memory_source *base,
		struct fcp_free_pages_result *result_, struct fcp_error *err)
{
	struct fcp_free_pages_settings settings = FCP_FREE_PAGES_SETTINGS_INIT;

	*result_ = (struct fcp_free_pages_result)FCP_FREE_PAGES_RESULT_INIT;
	*err = (struct fcp_error){0};
	settings.memory = memory;
	settings.base = base;
	return fcp_free_pages(&settings, result_, err);
}

static bool equal(const struct fcp_ranges *a, const struct fcp_ranges *b)
{
	return a->count > 0 && a->count == b->count &&
	       memcmp(a->items, b->items, a->count * sizeof(*a->items)) == 0;
}

/* By either way the same, and the same as what the guest's reader finds in a file. */
static void whole(void)
{
	struct fixture fixture;
	struct fcp_guest_free found;
	struct fcp_free_pages_result result;
	struct fcp_error err;

	fixture_build(&fixture, &(struct fixture_settings){0});

	struct reader reader = {.fd = fixture.fd, .bytes = fixture.settings.bytes};
	struct fcp_memory_source file = by_fd(fixture.fd), memory = by_callbacks(&reader);

	ok(fixture_find(&fixture, FCP_HOLES_ZERO, &found, &err) == 0, "the reader finds them");
	ok(find(&file, NULL, &result, &err) == 0, "by descriptor: %s", err.message);
	ok(equal(&result.ranges, &found.ranges), "... the same ranges");
	is_u64(result.free_bytes, found.free_bytes, "... as many bytes");
	is_u64(result.range_bytes, fcp_ranges_bytes(&found.ranges), "... all of them in ranges");
	ok(result.guest && result.guest->gate_count > 0 &&
		   result.guest->gates[result.guest->gate_count - 1]->state == FCP_GATE_PASSED,
	   "... and a report");
	fcp_free_pages_result_clear(&result);
	ok(find(&memory, NULL, &result, &err) == 0, "by callbacks: %s", err.message);
	ok(equal(&result.ranges, &found.ranges) && reader.reads > 1, "... the same ranges");
	fcp_free_pages_result_clear(&result);
	memory.next_data = NULL;
	ok(find(&memory, NULL, &result, &err) == 0, "without a callback for holes: %s",
	   err.message);
	ok(equal(&result.ranges, &found.ranges), "... the same ranges");
	fcp_free_pages_result_clear(&result);
	ok(!result.guest && result.ranges.count == 0, "cleared");
	fcp_free_pages_result_clear(&result);
	fcp_free_pages_result_clear(NULL);
	fcp_guest_free_clear(&found);
	fixture_close(&fixture);
}

static void aligned(void)
{
	struct fixture fixture;
	struct fcp_free_pages_settings settings = FCP_FREE_PAGES_SETTINGS_INIT;
	struct fcp_free_pages_result result = FCP_FREE_PAGES_RESULT_INIT;
	struct fcp_error err = {0};

	fixture_build(&fixture, &(struct fixture_settings){0});

	struct fcp_memory_source file = by_fd(fixture.fd);

	settings.memory = &file;
	settings.align_bytes = 2 << 20;
	ok(fcp_free_pages(&settings, &result, &err) == 0 && result.ranges.count > 0,
	   "whole blocks of 2 MiB: %s", err.message);
	for (size_t i = 0; i < result.ranges.count; i++)
		ok(result.ranges.items[i].start % (2 << 20) == 0 &&
			   result.ranges.items[i].end % (2 << 20) == 0,
		   "a range of such blocks");
	ok(result.range_bytes < result.free_bytes, "others are left out");
	fcp_free_pages_result_clear(&result);
	settings.min_run_bytes = UINT64_C(1) << 40;
	ok(fcp_free_pages(&settings, &result, &err) == 0 && result.ranges.count == 0 &&
		   result.range_bytes == 0 && result.free_bytes > 0,
	   "all ranges are too short");
	fcp_free_pages_result_clear(&result);
	fixture_close(&fixture);
}

/* All of the guest lies in the base, of which the layer has one page. */
static void layer(void)
{
	struct fixture fixture;
	struct fcp_free_pages_result result;
	struct fcp_error err;
	int fd = memfd_create("layer", MFD_CLOEXEC);

	fixture_build(&fixture, &(struct fixture_settings){0});

	struct reader reader = {.fd = fixture.fd, .bytes = fixture.settings.bytes};
	struct fcp_memory_source own = by_fd(fd), base = by_callbacks(&reader);

	ok(ftruncate(fd, (off_t)fixture.settings.bytes) == 0 &&
		   pwrite(fd, "x", 1, 0x400 * 4096) == 1,
	   "a layer");
	ok(find(&own, &base, &result, &err) == 0 && result.ranges.count > 0,
	   "a layer by descriptor, its base by callbacks: %s", err.message);
	fcp_free_pages_result_clear(&result);
	base.bytes += 4096;
	ok(find(&own, &base, &result, &err) == -1 && err.error_class == FCP_ERR_INPUT,
	   "a base of another size: %s", err.message);
	fcp_free_pages_result_clear(&result);
	close(fd);
	fixture_close(&fixture);
}

/* What a gate refuses is a status, and the report says which. */
static void refused(void)
{
	struct fixture fixture;
	struct fcp_free_pages_result result;
	struct fcp_error err;
	bool named = false;

	fixture_build(&fixture, &(struct fixture_settings){.note_edit = "SIZE(page)"});

	struct fcp_memory_source file = by_fd(fixture.fd);

	ok(find(&file, NULL, &result, &err) == FCP_STATUS_UNSUPPORTED &&
		   result.outcome.status == FCP_STATUS_UNSUPPORTED && result.ranges.count == 0,
	   "a gate refuses: %s", result.outcome.reason);
	for (size_t i = 0; result.guest && i < result.guest->gate_count; i++)
		if (result.guest->gates[i]->state == FCP_GATE_FAILED)
			named = result.guest->gates[i]->reason[0] != '\0' &&
				strncmp(result.outcome.reason, result.guest->gates[i]->name,
					strlen(result.guest->gates[i]->name)) == 0;
	ok(named, "... and is named in the report and in the reason");
	fcp_free_pages_result_clear(&result);
	fixture_close(&fixture);
}

static void bad_callbacks(void)
{
	const struct fcp_range lies[] = {{4096, 0}, {0, UINT64_MAX}, {1, 2}};
	struct fixture fixture;
	struct fcp_free_pages_result result;
	struct fcp_error err;

	fixture_build(&fixture, &(struct fixture_settings){0});

	struct reader reader = {.fd = fixture.fd,
				.bytes = fixture.settings.bytes,
				.errnum = EREMOTEIO};
	struct fcp_memory_source memory = by_callbacks(&reader);

	ok(find(&memory, NULL, &result, &err) == -1 && err.error_class == FCP_ERR_IO &&
		   err.errnum == EREMOTEIO,
	   "a read that fails: %s", err.message);
	fcp_free_pages_result_clear(&result);
	reader.errnum = 0;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		reader.lie = &lies[i];
		ok(find(&memory, NULL, &result, &err) == -1 && err.error_class == FCP_ERR_INPUT,
		   "data that is not there: %s", err.message);
		fcp_free_pages_result_clear(&result);
	}
	fixture_close(&fixture);
}

static void is_usage(struct fcp_free_pages_settings settings, const char *what)
{
	struct fcp_free_pages_result result = FCP_FREE_PAGES_RESULT_INIT;
	struct fcp_error err = {0};

	ok(fcp_free_pages(&settings, &result, &err) == -1 && err.error_class == FCP_ERR_USAGE,
	   "%s: %s", what, err.message);
	fcp_free_pages_result_clear(&result);
}

static void wrong_calls(void)
{
	struct reader reader = {.fd = -1};
	struct fcp_memory_source none = FCP_MEMORY_SOURCE_INIT, file = by_fd(0),
				 both = by_callbacks(&reader), unset = {.fd = 0};
	struct fcp_free_pages_settings settings = FCP_FREE_PAGES_SETTINGS_INIT;

	is_usage(settings, "no memory");
	settings.memory = &none;
	is_usage(settings, "neither a descriptor nor a callback");
	settings.memory = &unset;
	is_usage(settings, "a source without its size");
	both.fd = 0;
	settings.memory = &both;
	is_usage(settings, "a descriptor and a callback");
	settings.memory = &file;
	settings.base = &none;
	is_usage(settings, "a base of nothing");
	settings.base = &file;
	settings.holes = FCP_HOLES_ZERO;
	is_usage(settings, "a base, but holes are zeros");
	settings.base = NULL;
	settings.align_bytes = 12288;
	is_usage(settings, "an alignment that is no power of two");
	settings.align_bytes = 2048;
	is_usage(settings, "one below a page");
}

int main(void)
{
	whole();
	aligned();
	layer();
	refused();
	bad_callbacks();
	wrong_calls();
	return done();
}
