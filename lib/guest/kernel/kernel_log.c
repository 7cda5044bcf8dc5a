// SPDX-License-Identifier: Apache-2.0
#include "guest/kernel/kernel_log.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/units.h"

#include <stdlib.h>
#include <string.h>

/* CONFIG_LOG_BUF_SHIFT and log_buf_len= allow more; the newest records are enough. */
#define TEXT_BYTES_MAX (UINT64_C(1) << 20)
#define RECORDS_MAX (UINT64_C(1) << 15)
#define SIZE_BITS_MAX 32

/* A descriptor's state_var: its number, and its state in the two highest bits. */
#define NUMBER_MASK (UINT64_MAX >> 2)
#define STATE_SHIFT 62

enum state { STATE_RESERVED, STATE_COMMITTED, STATE_FINALIZED, STATE_REUSABLE };

/* A record on its way has a number, and no descriptor of it yet: one a CPU and context. */
#define UNFINISHED_MAX 128

/* A position with this bit has no text (NO_LPOS, FAILED_LPOS, EMPTY_LINE_LPOS). */
#define NO_TEXT UINT64_C(1)

/* The end of a ring, copied. Positions count on from one round to the next. */
struct ring {
	uint64_t address;
	uint64_t count; /* of units; a power of two */
	uint64_t unit_bytes;
	uint64_t end;	 /* the position behind the last unit */
	uint64_t copied; /* units before it */
	unsigned char *bytes;
};

struct log {
	const struct fcp_guest_log_layout *layout;
	struct fcp_guest_tables *tables;
	struct ring descs, text;
	uint64_t tail_id;
};

static int damaged(struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "the kernel's log is damaged");
}

static uint64_t log_word_at(const unsigned char *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* Copies the units before the ring's end, most at most. */
static int copy_ring(struct log *log, struct ring *ring, uint64_t most, struct fcp_error *err)
{
	uint64_t first, part;

	ring->copied = ring->count < most ? ring->count : most;
	ring->bytes = malloc((size_t)(ring->copied * ring->unit_bytes));
	if (!ring->bytes)
		return fcp_error_nomem(err);
	first = (ring->end - ring->copied) % ring->count;
	part = ring->count - first < ring->copied ? ring->count - first : ring->copied;
	if (fcp_guest_read_virtual(log->tables, ring->address + first * ring->unit_bytes,
				   ring->bytes, (size_t)(part * ring->unit_bytes), err) < 0)
		return -1;
	return fcp_guest_read_virtual(log->tables, ring->address,
				      ring->bytes + part * ring->unit_bytes,
				      (size_t)((ring->copied - part) * ring->unit_bytes), err);
}

/* The units units from that position on; NULL when they are not among those copied. */
static const unsigned char *in_ring(const struct ring *ring, uint64_t position, uint64_t units)
{
	uint64_t before_end = ring->end - position;

	if (before_end > ring->copied || units > before_end)
		return NULL;
	return ring->bytes + (ring->copied - before_end) * ring->unit_bytes;
}

static int read_fields(struct log *log, struct fcp_error *err)
{
	const struct fcp_guest_log_layout *layout = log->layout;
	uint64_t ring, descs, text;
	uint32_t count_bits, size_bits;

	if (fcp_guest_read_word(log->tables, layout->prb, &ring, err) < 0)
		return -1;
	descs = ring + layout->desc_ring;
	text = ring + layout->text_ring;
	if (fcp_guest_read_virtual(log->tables, descs + layout->count_bits, &count_bits,
				   sizeof(count_bits), err) < 0 ||
	    fcp_guest_read_word(log->tables, descs + layout->descs, &log->descs.address, err) < 0 ||
	    fcp_guest_read_word(log->tables, descs + layout->head_id, &log->descs.end, err) < 0 ||
	    fcp_guest_read_word(log->tables, descs + layout->tail_id, &log->tail_id, err) < 0 ||
	    fcp_guest_read_virtual(log->tables, text + layout->size_bits, &size_bits,
				   sizeof(size_bits), err) < 0 ||
	    fcp_guest_read_word(log->tables, text + layout->data, &log->text.address, err) < 0 ||
	    fcp_guest_read_word(log->tables, text + layout->head_lpos, &log->text.end, err) < 0)
		return -1;
	if (count_bits == 0 || count_bits > SIZE_BITS_MAX || size_bits == 0 ||
	    size_bits > SIZE_BITS_MAX)
		return damaged(err);
	log->descs.count = UINT64_C(1) << count_bits;
	log->descs.unit_bytes = layout->desc_bytes;
	log->descs.end = (log->descs.end + 1) & NUMBER_MASK;
	log->tail_id &= NUMBER_MASK;
	log->text.count = UINT64_C(1) << size_bits;
	log->text.unit_bytes = 1;
	return 0;
}

/*
 * The block of a record's text, which begins with the record's number; *bytes_ are all of it. One
 * that would reach past the ring's end begins at its start instead. NULL: it is not there.
 */
static const unsigned char *find_block(const struct log *log, uint64_t number, uint64_t begin,
				       uint64_t next, uint64_t *bytes_)
{
	uint64_t wrapped = fcp_align_down(next, log->text.count);
	const unsigned char *block;

	*bytes_ = next - begin;
	block = in_ring(&log->text, begin, *bytes_);
	if (block && *bytes_ >= sizeof(number) && *bytes_ <= log->text.count &&
	    begin % log->text.count + *bytes_ <= log->text.count && log_word_at(block) == number)
		return block;
	*bytes_ = next - wrapped;
	block = in_ring(&log->text, wrapped, *bytes_);
	return block && *bytes_ >= sizeof(number) && log_word_at(block) == number ? block : NULL;
}

/* Shows the record, if it has text. 1: it is older than what was copied; -1: it is damaged. */
static int show_record(const struct log *log, const unsigned char *desc, uint64_t number,
		       fcp_guest_log_seen *seen, void *context)
{
	const unsigned char *position = desc + log->layout->text_block;
	uint64_t begin = log_word_at(position + log->layout->begin);
	uint64_t next = log_word_at(position + log->layout->next);
	const unsigned char *block;
	uint64_t bytes;

	if (begin & NO_TEXT)
		return 0;
	if (log->text.copied < log->text.count && log->text.end - begin > log->text.copied)
		return 1;
	block = find_block(log, number, begin, next, &bytes);
	if (!block)
		return -1;
	seen(context, (const char *)block + sizeof(number), (size_t)(bytes - sizeof(number)));
	return 0;
}

static int show_records(const struct log *log, fcp_guest_log_seen *seen, void *context,
			struct fcp_error *err)
{
	uint64_t shown = 0;

	for (uint64_t back = 1; back <= log->descs.copied; back++) {
		uint64_t number = (log->descs.end - back) & NUMBER_MASK;
		const unsigned char *desc =
			log->descs.bytes + (log->descs.copied - back) * log->descs.unit_bytes;
		uint64_t state = log_word_at(desc + log->layout->state);
		bool finished =
			(state & NUMBER_MASK) == number && state >> STATE_SHIFT != STATE_RESERVED;
		int result;

		if (!finished && back <= UNFINISHED_MAX)
			continue;
		if (finished && state >> STATE_SHIFT == STATE_REUSABLE)
			break;
		result = finished ? show_record(log, desc, number, seen, context) : -1;
		if (result < 0)
			return damaged(err);
		if (result > 0)
			break;
		shown++;
		if (number == log->tail_id)
			break;
	}
	return shown > 0 ? 0 : damaged(err);
}

static bool has_all_keys(const struct fcp_guest_log_layout *layout)
{
	uint64_t fields[sizeof(*layout) / sizeof(uint64_t)];

	memcpy(fields, layout, sizeof(fields));
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i] == FCP_GUEST_NONE)
			return false;
	return layout->state + 8 <= layout->desc_bytes &&
	       layout->text_block + 16 <= layout->desc_bytes;
}

int fcp_guest_log_read(struct fcp_guest_kernel *kernel, fcp_guest_log_seen *seen, void *context,
		       struct fcp_error *err)
{
	struct log log = {.layout = &kernel->note.log, .tables = &kernel->tables};
	int status = -1;

	if (!has_all_keys(log.layout))
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "the note does not say where the kernel's log is");
	if (read_fields(&log, err) == 0 && copy_ring(&log, &log.descs, RECORDS_MAX, err) == 0 &&
	    copy_ring(&log, &log.text, TEXT_BYTES_MAX, err) == 0)
		status = show_records(&log, seen, context, err);
	free(log.descs.bytes);
	free(log.text.bytes);
	return status == 0 ? 0 : fcp_error_wrap(err, "log");
}
