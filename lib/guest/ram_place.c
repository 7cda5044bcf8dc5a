// SPDX-License-Identifier: Apache-2.0
/* Which mappings of a process are which region of RAM: the second half of guest/ram.h. */
#include "guest/ram_place.h"

#include "base/units.h"

#include <string.h>

/* One way to place the regions: filled in from the first region to the last. */
struct attempt {
	const struct fcp_guest_pieces *pieces;
	const struct fcp_guest_arch *arch;
	struct fcp_guest_ram *ram;
	struct fcp_guest_region regions[FCP_GUEST_REGIONS_MAX];
	unsigned count;
	bool joined; /* so does anonymous memory that the kernel joined to a mapping beside it */
};

/* Of what the kernel joins to guest memory: a heap of a thread (glibc: 64 MiB at most), which is
 * mapped with MAP_NORESERVE as guest memory is. */
#define JOINED_MAX_BYTES (64 * FCP_MIB)

/* Slots of hot-pluggable memory are a multiple of this (vmm_config/memory_hotplug.rs). */
#define SLOT_MIN_BYTES (128 * FCP_MIB)

/* The piece that holds address; count when there is none. */
static size_t piece_at(const struct fcp_guest_pieces *pieces, uint64_t address)
{
	size_t low = 0, high = pieces->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (pieces->items[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < pieces->count && pieces->items[low].start <= address ? low : pieces->count;
}

static bool same_file(const struct fcp_guest_piece *a, const struct fcp_guest_piece *b)
{
	return a->inode == b->inode && a->dev == b->dev;
}

/* Only whole slots are PROT_NONE: the heap of a thread, reserved for what it may need, is not. */
static bool is_unplugged(const struct fcp_guest_region *region, const struct fcp_guest_piece *piece)
{
	uint64_t end = region->address + region->bytes;
	bool starts_before = piece->start <= region->address, ends_behind = piece->end >= end;

	return region->gpa >= FCP_GUEST_HOTPLUG_GPA &&
	       (starts_before || (piece->start - region->address) % SLOT_MIN_BYTES == 0) &&
	       (ends_behind || (piece->end - region->address) % SLOT_MIN_BYTES == 0);
}

/* What one region can be made of: mappings of one file, or of no file, each at its place. */
static bool place_fits(const struct fcp_guest_region *region, const struct fcp_guest_piece *piece,
		       const struct fcp_guest_piece *file)
{
	uint64_t start = piece->start > region->address ? piece->start : region->address, at;

	if (piece->inaccessible && !is_unplugged(region, piece))
		return false;
	if (!piece->of_file)
		return true;
	if (file && !same_file(file, piece))
		return false;
	at = piece->file_offset + (start - piece->start) - (start - region->address);
	/* A memfd of hot-pluggable memory is its own. */
	return at == region->offset ||
	       (at == 0 && piece->shared && region->gpa >= FCP_GUEST_HOTPLUG_GPA);
}

struct ends {
	bool start, end;
	uint64_t before_bytes,
		behind_bytes; /* of the first and last mapping, outside of the region */
};

/*
 * Is the region, at its address, covered by mappings of one kind without a gap? *ends_: does it
 * begin and end where mappings do? Anonymous memory at the end of a restored VM's (a discarded
 * range) can have become one with a mapping beside it, which counts as well: the file's offsets
 * show the place.
 */
static bool covered(const struct fcp_guest_pieces *pieces, const struct fcp_guest_region *region,
		    struct ends *ends_)
{
	uint64_t at = region->address, end = at + region->bytes;
	const struct fcp_guest_piece *first = &pieces->items[piece_at(pieces, at)];
	const struct fcp_guest_piece *file = NULL, *last = first;

	for (const struct fcp_guest_piece *piece = first; at < end; piece++) {
		if (piece == pieces->items + pieces->count || piece->start > at ||
		    first->shared != piece->shared || first->hugetlb != piece->hugetlb ||
		    !place_fits(region, piece, file))
			return false;
		file = piece->of_file ? piece : file;
		last = piece;
		at = piece->end;
	}
	ends_->start = first->start == region->address || (file && !first->of_file);
	ends_->end = last->end == end || (file && !last->of_file);
	ends_->before_bytes = region->address - first->start;
	ends_->behind_bytes = last->end - end;
	return true;
}

/* Both ends are known, or one, and what was joined at the other is no more than a heap. */
static bool ends_fit(const struct attempt *attempt, const struct ends *ends)
{
	if (!attempt->joined)
		return ends->start && ends->end;
	return (ends->start || ends->end) &&
	       (ends->start || ends->before_bytes <= JOINED_MAX_BYTES) &&
	       (ends->end || ends->behind_bytes <= JOINED_MAX_BYTES);
}

/*
 * The regions from first to last lie one beside the other from address on, in that order or in the
 * reverse: mmap(2) places one mapping below the one before, and the kernel may make one of both.
 */
static bool place_group(struct attempt *attempt, unsigned first, unsigned last, uint64_t address,
			bool reverse)
{
	unsigned count = last - first + 1;
	struct ends group = {0};

	for (unsigned i = 0; i < count; i++) {
		struct fcp_guest_region *region = &attempt->regions[reverse ? last - i : first + i];
		struct ends ends;

		region->address = address;
		if (!covered(attempt->pieces, region, &ends))
			return false;
		if (i == 0)
			group = ends;
		group.end = ends.end;
		group.behind_bytes = ends.behind_bytes;
		address += region->bytes;
	}
	return ends_fit(attempt, &group);
}

static bool overlap(const struct fcp_guest_region *a, const struct fcp_guest_region *b)
{
	return a->address < b->address + b->bytes && b->address < a->address + a->bytes;
}

static bool group_is_apart(const struct attempt *attempt, unsigned first, unsigned last)
{
	for (unsigned i = first; i <= last; i++)
		for (unsigned before = 0; before < first; before++)
			if (overlap(&attempt->regions[i], &attempt->regions[before]))
				return false;
	return true;
}

static void keep(struct attempt *attempt)
{
	struct fcp_guest_ram *ram = attempt->ram;

	for (unsigned i = 0; i < ram->layout_count; i++)
		if (memcmp(ram->layouts[i], attempt->regions, sizeof(attempt->regions)) == 0)
			return;
	if (ram->layout_count == FCP_GUEST_LAYOUTS_MAX)
		return;
	ram->layout_archs[ram->layout_count] = attempt->arch;
	memcpy(ram->layouts[ram->layout_count++], attempt->regions, sizeof(attempt->regions));
}

static uint64_t group_bytes(const struct attempt *attempt, unsigned first, unsigned last)
{
	uint64_t bytes = 0;

	for (unsigned i = first; i <= last; i++)
		bytes += attempt->regions[i].bytes;
	return bytes;
}

#define STARTS_MAX 3

/* Where a group can begin by that piece: where it begins, or where its file's first byte would;
 * or, where something was joined, so that the group ends with it. */
static unsigned group_starts(const struct attempt *attempt, const struct fcp_guest_piece *piece,
			     unsigned first, unsigned last, uint64_t starts_[STARTS_MAX])
{
	uint64_t bytes = group_bytes(attempt, first, last);
	unsigned count = 0;

	if (attempt->joined && (piece->of_file || piece->shared))
		return 0;
	starts_[count++] = piece->start;
	if (attempt->joined && piece->end >= bytes)
		starts_[count++] = piece->end - bytes;
	if (attempt->joined)
		return count;
	for (unsigned i = first; i <= last && piece->of_file;
	     i += last - first ? last - first : 1) {
		const struct fcp_guest_region *region = &attempt->regions[i];
		uint64_t within = piece->file_offset - region->offset;

		if (piece->file_offset >= region->offset && within < region->bytes && within > 0 &&
		    within <= piece->start)
			starts_[count++] = piece->start - within;
	}
	return count;
}

static void place_from(struct attempt *attempt, unsigned first);

static void try_group(struct attempt *attempt, unsigned first, unsigned last, uint64_t address)
{
	unsigned ways = first < last ? 2 : 1;

	for (unsigned reverse = 0; reverse < ways; reverse++)
		if (place_group(attempt, first, last, address, reverse) &&
		    group_is_apart(attempt, first, last))
			place_from(attempt, last + 1);
}

/* All pieces of a file lead to the same start: it is tried once. */
static void place_group_anywhere(struct attempt *attempt, unsigned first, unsigned last)
{
	uint64_t tried[STARTS_MAX] = {0};

	for (size_t i = 0; i < attempt->pieces->count; i++) {
		uint64_t starts[STARTS_MAX];
		unsigned count =
			group_starts(attempt, &attempt->pieces->items[i], first, last, starts);

		for (unsigned at = 0; at < count; at++) {
			if (starts[at] != tried[at])
				try_group(attempt, first, last, starts[at]);
			tried[at] = starts[at];
		}
	}
}

static void place_from(struct attempt *attempt, unsigned first)
{
	if (first == attempt->count) {
		keep(attempt);
		return;
	}
	for (unsigned last = first; last < attempt->count; last++)
		place_group_anywhere(attempt, first, last);
}

void fcp_guest_ram_place(const struct fcp_guest_pieces *pieces,
			 const struct fcp_guest_memory *plain, unsigned layout, bool joined,
			 struct fcp_guest_ram *ram)
{
	const struct fcp_guest_region *regions = plain->layouts[layout];
	struct attempt attempt = {.pieces = pieces,
				  .arch = plain->layout_archs[layout],
				  .ram = ram,
				  .joined = joined};

	memcpy(attempt.regions, regions, sizeof(attempt.regions));
	while (attempt.count < FCP_GUEST_REGIONS_MAX && regions[attempt.count].bytes != 0)
		attempt.count++;
	place_from(&attempt, 0);
}

/* The address of an offset of the memory file. */
static uint64_t address_of(const struct fcp_guest_region *regions, uint64_t offset)
{
	while (offset - regions->offset >= regions->bytes)
		regions++;
	return regions->address + (offset - regions->offset);
}

bool fcp_guest_layouts_agree(const struct fcp_guest_region a[FCP_GUEST_REGIONS_MAX],
			     const struct fcp_guest_region b[FCP_GUEST_REGIONS_MAX])
{
	for (unsigned i = 0; i < FCP_GUEST_REGIONS_MAX; i++) {
		if (a[i].bytes != 0 && address_of(b, a[i].offset) != a[i].address)
			return false;
		if (b[i].bytes != 0 && address_of(a, b[i].offset) != b[i].address)
			return false;
	}
	return true;
}
