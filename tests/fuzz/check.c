// SPDX-License-Identifier: Apache-2.0
#include "base/enums.h"
#include "check.h"

#include "patch.h"
#include "source.h"

#include "guest/classify/classify.h"
#include "guest/free_pages.h"
#include "guest/allocator/freelist.h"
#include "guest/kernel/search.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/*
 * The bounds. Time is 1 s for each GiB of RAM at most and what a search of the smallest costs; as a
 * read costs a real system call elsewhere, the reads are held to the same by what they would cost:
 * 0.6 us a call, 4 GB/s, and on tmpfs 0.1 us for each page that SEEK_HOLE goes through.
 */
#define MS_AT_LEAST 500.0
#define CALL_MS 0.0006
#define BYTES_PER_MS 4e6
#define WALKED_MS 0.0001
/* Code under sanitizers is so much slower. */
#define SANITIZED 8.0
#define OWN_BYTES (64 * MIB)

struct check_most check_most;

/* Readable where the input says so. */
static int cancel_fd = -1;

static const char *check_ranges(const struct fcp_guest_free *found, uint64_t bytes)
{
	uint64_t pages = 0, end = 0;

	for (size_t i = 0; i < found->ranges.count; i++) {
		const struct fcp_range *range = &found->ranges.items[i];

		if (range->start >= range->end || range->end > bytes)
			return "a range beyond the memory";
		if (range->start % STORE_PAGE != 0 || range->end % STORE_PAGE != 0)
			return "a range of no whole pages";
		if (i > 0 && range->start < end)
			return "ranges that are not sorted";
		end = range->end;
	}
	for (unsigned i = 0; i < FCP_GUEST_ORDERS_MAX; i++)
		pages += found->blocks_per_order[i] << i;
	if (pages * STORE_PAGE != found->free_bytes ||
	    fcp_ranges_bytes(&found->ranges) + found->left_out_bytes != found->free_bytes)
		return "figures that disagree";
	return NULL;
}

static const char *check_gates(const struct fcp_guest_free *found, int status)
{
	unsigned at = 0;

	while (at < FCP_GUEST_GATES && found->gates[at].state == FCP_GATE_PASSED)
		at++;
	if (status == 0)
		return at == FCP_GUEST_GATES ? NULL : "success without all gates passed";
	if (at == FCP_GUEST_GATES)
		return "a failure with all gates passed";
	if (found->gates[at].state == FCP_GATE_FAILED && found->gates[at++].reason[0] == '\0')
		return "a gate that refused without a reason";
	for (; at < FCP_GUEST_GATES; at++)
		if (found->gates[at].state != FCP_GATE_NOT_REACHED)
			return "a gate behind the one that refused";
	return NULL;
}

static bool may_fail_so(enum fcp_error_class error_class)
{
	switch (error_class) {
	case FCP_ERR_UNSUPPORTED:
		return true;
	case FCP_ERR_IO:
		return source.fault == SOURCE_EIO || source.fault == SOURCE_CUT;
	case FCP_ERR_STATE:
		return source.fault == SOURCE_CUT && source.kind == SOURCE_PROCESS;
	case FCP_ERR_MEMORY:
		return source.fault == SOURCE_NO_ROOM;
	case FCP_ERR_INTERRUPTED:
		return cancel_fd >= 0;
	default:
		return false;
	}
}

/* The guest's bytes can make the reader refuse; nothing but the source can make it fail. */
static const char *check_failure(const struct fcp_guest_free *found, const struct fcp_error *err)
{
	static char message[1100];

	if (found && found->ranges.count != 0)
		return "a refusal with ranges";
	if (err->message[0] == '\0')
		return "a refusal without a message";
	if (!may_fail_so(err->error_class))
		snprintf(message, sizeof(message), "a failure that is no refusal: %s",
			 err->message);
	else
		message[0] = '\0';
	return message[0] ? message : NULL;
}

/* ---- what must not be free ---------------------------------------------------------------- */

struct oracle {
	const struct fcp_guest_memory *memory;
	const struct fcp_ranges *ranges;
	bool hit;
};

static void see(void *context, uint64_t gpa)
{
	struct oracle *oracle = context;
	const struct fcp_guest_region *region =
		fcp_guest_memory_region(oracle->memory, gpa, STORE_PAGE);
	size_t low = 0, high = oracle->ranges->count;
	uint64_t offset;

	if (!region)
		return;
	offset = fcp_guest_region_offset(region, gpa);
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (oracle->ranges->items[middle].end <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	oracle->hit |= low < oracle->ranges->count &&
		       oracle->ranges->items[low].start < offset + STORE_PAGE;
}

static void see_range(struct oracle *oracle, struct fcp_guest_tables *tables, uint64_t address,
		      uint64_t bytes)
{
	for (uint64_t at = 0; at < bytes; at += STORE_PAGE) {
		struct fcp_guest_leaf leaf;
		struct fcp_error err;

		if (fcp_guest_translate(tables, address + at, &leaf, &err) == 0)
			see(oracle, (leaf.gpa + (address + at - leaf.start)) & ~UINT64_C(4095));
	}
}

static const char *check_in_use(struct oracle *oracle, struct fcp_guest_kernel *kernel,
				struct fcp_guest_memmap *memmap)
{
	struct fcp_guest_node nodes[FCP_GUEST_NODES_MAX];
	struct fcp_guest_tables *tables = &kernel->tables;
	struct fcp_range text;
	struct fcp_error err;
	bool has_nodes = kernel->note.node_data != FCP_GUEST_NONE ||
			 kernel->note.contig_page_data != FCP_GUEST_NONE;
	unsigned count = 0;

	fcp_guest_tables_copy(tables, tables);
	tables->on_table = see;
	tables->context = oracle;
	see(oracle, kernel->note.gpa);
	/* The node of an arm64 kernel is not in its note: the free blocks' lists lead to it. */
	if (fcp_guest_kernel_text(kernel, &text, &err) < 0 ||
	    (has_nodes && fcp_guest_nodes_find(kernel, nodes, &count, &err) < 0))
		return "no text or no nodes where all gates passed";
	see_range(oracle, tables, text.start, text.end - text.start);
	for (unsigned i = 0; i < count; i++)
		see_range(oracle, tables, nodes[i].address, kernel->note.pgdat_bytes);
	for (unsigned i = 0; i < kernel->memory.region_count; i++)
		for (uint64_t at = 0; at < kernel->memory.regions[i].bytes; at += 64 * STORE_PAGE) {
			uint64_t address =
				fcp_guest_memmap_address(memmap, (kernel->memory.regions[i].gpa +
								  at) / STORE_PAGE);

			if (address != 0)
				see_range(oracle, tables, address,
					  64 * kernel->note.struct_page_bytes);
		}
	return oracle->hit ? "what is in use is called free" : NULL;
}

/* Each free page is of a block whose head is marked, of the order that it says. */
static const char *check_marks(const struct fcp_guest_free *found, struct fcp_guest_kernel *kernel,
			       struct fcp_guest_memmap *memmap)
{
	for (size_t i = 0; i < found->ranges.count; i++) {
		const struct fcp_range *range = &found->ranges.items[i];

		for (uint64_t at = range->start; at < range->end;) {
			struct fcp_guest_page page;
			struct fcp_error err;
			uint64_t gpa;

			if (!fcp_guest_memory_gpa(&kernel->memory, at, &gpa) ||
			    fcp_guest_memmap_read_page(memmap, gpa / STORE_PAGE, &page, &err) < 0 ||
			    page.mapcount != (uint32_t)kernel->note.buddy_mapcount ||
			    page.refcount != 0 || page.mapping != 0 ||
			    page.private_ >= kernel->note.zone_free_area_length)
				return "a page is called free that no block's head covers";
			at += (uint64_t)STORE_PAGE << page.private_;
			if (at > range->end)
				return "a range ends within a block";
		}
	}
	return NULL;
}

static const char *check_found(const struct fcp_guest_memory *memory,
			       const struct fcp_guest_free *found)
{
	static struct fcp_guest_kernel kernel;
	static struct fcp_guest_memmap memmap;
	struct fcp_guest_search search;
	struct oracle oracle = {&kernel.memory, &found->ranges, false};
	struct fcp_error err;
	const char *why = "the kernel is not found again";

	if (fcp_guest_kernel_find(memory, -1, &kernel, &search, &err) == 0 &&
	    fcp_guest_memmap_init(&kernel, &memmap, &err) == 0) {
		why = check_marks(found, &kernel, &memmap);
		if (!why)
			why = check_in_use(&oracle, &kernel, &memmap);
		fcp_guest_memmap_clear(&memmap);
	}
	return why;
}

/* ---- how much it may take ----------------------------------------------------------------- */

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void keep_most(uint64_t *most, uint64_t now)
{
	*most = now > *most ? now : *most;
}

static const char *check_work(uint64_t bytes, double ms)
{
	double limit = MS_AT_LEAST + 1000.0 * (double)bytes / (double)GIB;
	double reads = (double)source.calls * CALL_MS + (double)source.bytes / BYTES_PER_MS +
		       (double)source.walked * WALKED_MS;

	keep_most(&check_most.calls, source.calls);
	keep_most(&check_most.bytes, source.bytes);
	keep_most(&check_most.own_bytes, source.peak);
	check_most.ms = ms > check_most.ms ? ms : check_most.ms;
	if (source.peak > OWN_BYTES + bytes / STORE_PAGE / 8)
		return "more than 64 MiB of own memory";
	if (reads > limit)
		return "more reads than 1 s a GiB";
	return ms > limit * SANITIZED ? "slower than 1 s a GiB" : NULL;
}

/* A read that is interrupted or comes in parts is to change nothing. */
static bool changes_nothing(void)
{
	return source.fault == SOURCE_EINTR || source.fault == SOURCE_SHORT;
}

static const char *compare_without(const struct fcp_guest_memory *memory,
				   const struct fcp_guest_free *found, int status)
{
	const struct fcp_guest_free_settings settings = {.cancel_fd = cancel_fd};
	struct fcp_guest_free again = {0};
	struct fcp_error err;
	bool same;

	source.fault = SOURCE_WELL;
	same = fcp_guest_find_free(memory, &settings, &again, &err) == status &&
	       again.ranges.count == found->ranges.count && again.free_bytes == found->free_bytes &&
	       memcmp(again.gates, found->gates, sizeof(again.gates)) == 0;
	fcp_guest_free_clear(&again);
	return same ? NULL : "an interrupted read changes what is found";
}

static const char *check_free(const struct fcp_guest_memory *memory)
{
	const struct fcp_guest_free_settings settings = {.cancel_fd = cancel_fd};
	struct fcp_guest_free found = {0};
	struct fcp_error err = {0};
	double start = cpu_ms();
	const char *why;
	int status;

	source.counting = true;
	status = fcp_guest_find_free(memory, &settings, &found, &err);
	check_most.runs++;
	check_most.passed += status == 0;
	why = check_work(memory->bytes, cpu_ms() - start);
	if (!why)
		why = status < 0 ? check_failure(&found, &err)
				 : check_ranges(&found, memory->bytes);
	if (!why)
		why = check_gates(&found, status);
	if (!why && changes_nothing())
		why = compare_without(memory, &found, status);
	if (!why && status == 0 && source.fault == SOURCE_WELL)
		why = check_found(memory, &found);
	fcp_guest_free_clear(&found);
	if (!why && source.live != 0)
		why = "own memory that is not given back";
	return why;
}

/* ---- classes ------------------------------------------------------------------------------ */

struct told {
	uint64_t end;
	struct fcp_guest_class_run last;
	const char *wrong;
};

static int take_run(const struct fcp_guest_class_run *run, void *arg, struct fcp_error *err)
{
	struct told *told = arg;

	(void)err;
	if (run->start != told->end || run->end <= run->start)
		told->wrong = "classes with a gap";
	if (run->start % STORE_PAGE != 0 || (unsigned)run->page_class >= FCP_PAGE_CLASSES)
		told->wrong = "a class of no whole pages, or none";
	if (run->start != 0 && run->page_class == told->last.page_class &&
	    run->data == told->last.data)
		told->wrong = "a run of a class in two parts";
	told->last = *run;
	told->end = run->end;
	return 0;
}

static const char *check_classes(const struct fcp_guest_memory *memory, bool zero)
{
	struct told told = {0};
	const struct fcp_guest_classify_settings settings = {.zero = zero,
							     .cancel_fd = cancel_fd,
							     .sink = take_run,
							     .sink_arg = &told};
	char release[FCP_GUEST_RELEASE_BYTES];
	struct fcp_error err = {0};
	double start = cpu_ms();
	const char *why;
	int status;

	source.calls = source.bytes = source.walked = source.peak = source.allocations = 0;
	status = fcp_guest_classify(memory, &settings, release, &err);
	why = check_work(memory->bytes, cpu_ms() - start);
	if (!why && status < 0)
		why = check_failure(NULL, &err);
	if (!why && status == 0 && told.end != memory->bytes)
		why = "classes that do not reach the end";
	if (!why && source.live != 0)
		why = "own memory that is not given back";
	return why ? why : told.wrong;
}

const char *check_input(const uint8_t *data, size_t size)
{
	static struct input input;
	static int readable = -1;
	struct fcp_guest_memory memory = {0};
	struct fcp_error err;
	struct base *base;
	const char *why = NULL;

	if (readable < 0)
		readable = eventfd(1, EFD_CLOEXEC);
	size = size < sizeof(input) ? size : sizeof(input);
	memset(&input, 0, sizeof(input));
	memcpy(&input, data, size);
	base = patch_apply(&input, size);
	cancel_fd = input.shown & SHOWN_CANCELLED ? readable : -1;
	if (source_open(&memory, &err)) {
		why = check_free(&memory);
		if (!why && input.shown & SHOWN_CLASSES)
			why = check_classes(&memory, input.base % 2);
	}
	if (!why)
		why = source.wrong;
	source.counting = false;
	fcp_guest_memory_close(&memory);
	store_restore(base->store);
	return why;
}
