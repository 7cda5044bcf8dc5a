// SPDX-License-Identifier: Apache-2.0
#include "base/array.h"
#include "base/call.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/units.h"
#include "memory/found.h"
#include "memory/identity.h"
#include "memory/range.h"

#include <poll.h>
#include <string.h>

#define LINE_MAX_BYTES 255
#define LINE_BYTES (LINE_MAX_BYTES + 1)
/* As many as a guest's free pages may be (guest/allocator/buddy.h): what is listed can be read
 * again. */
#define RANGES_MAX (1U << 21)

/* A range and its line, for messages. */
struct ranges_entry {
	struct fcp_range range;
	uint64_t line;
};

struct ranges_reader {
	const struct fcp_ranges_text *text;
	struct ranges_entry *entries;
	size_t count;
	size_t capacity;
	uint64_t line;
	uint64_t limit_bytes;
	struct fcp_file_identity made_of; /* and the line that says so */
	uint64_t made_of_line;
	/* The current line; beyond LINE_BYTES only its length is counted. */
	char chars[LINE_BYTES];
	size_t length;
	bool has_nul;
};

static int line_error(const struct ranges_reader *reader, struct fcp_error *err, const char *what)
{
	return fcp_error_set(err, FCP_ERR_INPUT, 0, "%.200s: line %llu: %s", reader->text->name,
			     (unsigned long long)reader->line, what);
}

static int add_entry(struct ranges_reader *reader, uint64_t start, uint64_t end,
		     struct fcp_error *err)
{
	struct ranges_entry *entries;

	if (reader->count == RANGES_MAX)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%.200s: line %llu: more than %u ranges", reader->text->name,
				     (unsigned long long)reader->line, RANGES_MAX);
	entries = fcp_array_grow(reader->entries, reader->count, &reader->capacity,
				 sizeof(*entries), err);
	if (!entries)
		return -1;
	reader->entries = entries;
	reader->entries[reader->count++] = (struct ranges_entry){{start, end}, reader->line};
	return 0;
}

static int check_limit(const struct ranges_reader *reader, uint64_t end, uint64_t line,
		       struct fcp_error *err)
{
	if (end <= reader->limit_bytes)
		return 0;
	return fcp_error_set(
		err, FCP_ERR_INPUT, 0,
		"%.200s: line %llu: the range ends at %llu, past the end of the file (%llu bytes)",
		reader->text->name, (unsigned long long)line, (unsigned long long)end,
		(unsigned long long)reader->limit_bytes);
}

static int take_range(struct ranges_reader *reader, uint64_t start, uint64_t length,
		      struct fcp_error *err)
{
	uint64_t end;

	if (length == 0)
		return line_error(reader, err, "LENGTH is 0");
	if (start % FCP_PAGE_BYTES != 0)
		return line_error(reader, err, "START is not a multiple of 4096");
	if (length % FCP_PAGE_BYTES != 0)
		return line_error(reader, err, "LENGTH is not a multiple of 4096");
	if (!fcp_add_u64(start, length, &end))
		return line_error(reader, err, "START + LENGTH is past 2^64");
	if (check_limit(reader, end, reader->line, err) < 0)
		return -1;
	return add_entry(reader, start, end, err);
}

/* The kind after the range, as --list writes it: NULL or a word. */
static int check_found(const struct ranges_reader *reader, const char *word, struct fcp_error *err)
{
	unsigned found = word ? fcp_find_parse(word) : 0;

	if (word && found == 0)
		return line_error(reader, err, "not two numbers, START LENGTH");
	if (found == FCP_FIND_CHANGED)
		return line_error(reader, err,
				  "pages that have changed: the guest needs them, they must "
				  "not be released (free and zero ones can)");
	if (found == FCP_FIND_BASE)
		return line_error(reader, err,
				  "pages that equal the base's: the guest needs them, they must "
				  "not be released (free and zero ones can)");
	return 0;
}

static int take_fields(struct ranges_reader *reader, struct fcp_error *err)
{
	char *rest = NULL;
	const char *start_text = strtok_r(reader->chars, " \t\r", &rest);
	const char *length_text = strtok_r(NULL, " \t\r", &rest);
	const char *found = strtok_r(NULL, " \t\r", &rest);
	uint64_t start, length;

	if (!length_text || strtok_r(NULL, " \t\r", &rest))
		return line_error(reader, err, "not two numbers, START LENGTH");
	if (check_found(reader, found, err) != 0)
		return -1;
	if (!fcp_parse_u64(start_text, false, &start))
		return line_error(reader, err, "START is not a number of bytes below 2^64");
	if (!fcp_parse_u64(length_text, false, &length))
		return line_error(reader, err, "LENGTH is not a number of bytes below 2^64");
	return take_range(reader, start, length, err);
}

/*
 * "# file IDENTITY". A malformed one is an error, not a comment: else the ranges would apply to any
 * file.
 */
static int take_comment(struct ranges_reader *reader, char *comment, struct fcp_error *err)
{
	static const char mark[] = "# file ";
	struct fcp_file_identity made_of;
	char *text = comment + strlen(mark);

	if (strncmp(comment, mark, strlen(mark)) != 0 || *text < '0' || *text > '9')
		return 0;
	text[strcspn(text, "\r")] = '\0';
	if (!fcp_identity_parse(text, &made_of))
		return line_error(
			reader, err,
			"not the identity of a file, DEVICE:INODE SIZE SECONDS.NANOSECONDS");
	if (fcp_identity_is_known(&reader->made_of) &&
	    !fcp_identity_equal(&made_of, &reader->made_of))
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%.200s: line %llu: another file than that of line %llu",
				     reader->text->name, (unsigned long long)reader->line,
				     (unsigned long long)reader->made_of_line);
	reader->made_of = made_of;
	reader->made_of_line = reader->line;
	reader->limit_bytes = made_of.size_bytes;
	return 0;
}

/* The line is complete. */
static int take_range_line(struct ranges_reader *reader, struct fcp_error *err)
{
	size_t length = reader->length;
	bool has_nul = reader->has_nul;
	size_t kept = length < LINE_BYTES ? length : LINE_BYTES - 1;
	char *first;

	reader->chars[kept] = '\0';
	reader->length = 0;
	reader->has_nul = false;
	first = reader->chars + strspn(reader->chars, " \t\r");
	if (has_nul)
		return line_error(reader, err, "holds a NUL byte: is this a text file?");
	if (*first == '#')
		return take_comment(reader, first, err);
	if (*first == '\0' && length == kept)
		return 0;
	if (length > kept)
		return line_error(reader, err, "longer than 255 characters");
	return take_fields(reader, err);
}

static int take_text_bytes(struct ranges_reader *reader, const char *bytes, size_t count,
			   struct fcp_error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] == '\n') {
			if (take_range_line(reader, err) < 0)
				return -1;
			reader->line++;
			continue;
		}
		reader->has_nul |= bytes[i] == '\0';
		if (reader->length < LINE_BYTES - 1)
			reader->chars[reader->length] = bytes[i];
		reader->length++;
	}
	return 0;
}

/* Waits for either: cancelling must work while the pipe's other end is silent. */
static int wait_for_ranges(const struct fcp_ranges_text *text, struct fcp_error *err)
{
	struct pollfd fds[] = {{.fd = text->fd, .events = POLLIN},
			       {.fd = text->cancel_fd, .events = POLLIN}};

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s: poll", text->name);
	if (fds[1].revents)
		return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "%.200s: interrupted",
				     text->name);
	return 0;
}

static int read_entries(struct ranges_reader *reader, struct fcp_error *err)
{
	FCP_CLEANUP(free) char *buffer = malloc(64 << 10);

	if (!buffer)
		return fcp_error_nomem(err);
	for (;;) {
		ssize_t got;

		if (wait_for_ranges(reader->text, err) < 0)
			return -1;
		got = read(reader->text->fd, buffer, 64 << 10);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", reader->text->name);
		if (got == 0)
			return reader->length > 0 ? take_range_line(reader, err) : 0;
		if (take_text_bytes(reader, buffer, (size_t)got, err) < 0)
			return -1;
	}
}

static int compare_entries(const void *a, const void *b)
{
	const struct ranges_entry *x = a, *y = b;

	if (x->range.start != y->range.start)
		return x->range.start < y->range.start ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* Sorted by start, a range that overlaps any other overlaps a neighbour. */
static int check_overlaps(struct ranges_reader *reader, struct fcp_error *err)
{
	for (size_t i = 1; i < reader->count; i++) {
		uint64_t a = reader->entries[i - 1].line, b = reader->entries[i].line;

		if (reader->entries[i].range.start >= reader->entries[i - 1].range.end)
			continue;
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%.200s: line %llu: overlaps the range of line %llu",
				     reader->text->name, (unsigned long long)(a > b ? a : b),
				     (unsigned long long)(a > b ? b : a));
	}
	return 0;
}

static int read_sorted(struct ranges_reader *reader, struct fcp_ranges *ranges,
		       struct fcp_error *err)
{
	if (read_entries(reader, err) < 0)
		return -1;
	if (reader->count > 1)
		qsort(reader->entries, reader->count, sizeof(*reader->entries), compare_entries);
	if (check_overlaps(reader, err) < 0)
		return -1;
	/* A line `# file` may stand behind a range that ends past the size in it. */
	for (size_t i = 0; i < reader->count; i++)
		if (check_limit(reader, reader->entries[i].range.end, reader->entries[i].line,
				err) < 0)
			return -1;
	for (size_t i = 0; i < reader->count; i++)
		if (fcp_ranges_add(ranges, reader->entries[i].range.start,
				   reader->entries[i].range.end, err) < 0)
			return -1;
	return 0;
}

int fcp_ranges_read(const struct fcp_ranges_text *given, struct fcp_ranges *ranges_,
		    struct fcp_error *err)
{
	struct fcp_ranges_text text = FCP_RANGES_TEXT_INIT;
	struct ranges_reader reader = {.text = &text, .line = 1};
	struct fcp_ranges ranges = {0};
	int result;

	if (fcp_settings_take(&text, given, err) != 0)
		return -1;
	/* poll(2) ignores a negative descriptor, and would wait for ever. */
	if (text.fd < 0 || !text.name)
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "no ranges to read, or no name for them");
	reader.limit_bytes = text.limit_bytes;
	result = read_sorted(&reader, &ranges, err);
	free(reader.entries);
	if (result < 0) {
		fcp_ranges_clear(&ranges);
		return -1;
	}
	*ranges_ = ranges;
	if (text.made_of_)
		*text.made_of_ = reader.made_of;
	return 0;
}
