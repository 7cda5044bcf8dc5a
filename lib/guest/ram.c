// SPDX-License-Identifier: Apache-2.0
#include "guest/ram.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/maps.h"
#include "base/units.h"
#include "guest/arch/arch.h"
#include "guest/memory_source.h"
#include "guest/ram_place.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HUGETLB_PATH "/anon_hugepage (deleted)"

enum { FD_KVM, FD_SIM, FD_USERFAULT, FDS };

static const char *const fd_links[FDS] = {
	[FD_KVM] = "anon_inode:kvm-vm",
	[FD_SIM] = "/memfd:" FCP_GUEST_SIM_MEMFD " (deleted)",
	[FD_USERFAULT] = "anon_inode:[userfaultfd]",
};

const char *fcp_guest_backing_name(enum fcp_guest_backing backing)
{
	static const char *const names[] = {
		[FCP_GUEST_BACKING_ANONYMOUS] = "anonymous memory",
		[FCP_GUEST_BACKING_FILE] = "a private mapping of a file",
		[FCP_GUEST_BACKING_USERFAULT] = "memory that is filled in by userfaultfd",
		[FCP_GUEST_BACKING_HUGETLB] = "private huge pages",
		[FCP_GUEST_BACKING_SHARED] = "shared memory",
	};

	return (unsigned)backing < sizeof(names) / sizeof(names[0]) ? names[backing] : "unknown";
}

static int not_proven(struct fcp_error *err, const char *why)
{
	return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "%s", why);
}

/* ---- the mappings ---- */

/* Guest memory is readable and writable, or PROT_NONE where nothing is plugged in. */
static bool can_be_ram(const struct fcp_mapping *mapping)
{
	if (mapping->executable || mapping->readable != mapping->writable)
		return false;
	return mapping->path[0] != '[' || strncmp(mapping->path, "[anon", strlen("[anon")) == 0;
}

static int add_ram_piece(struct fcp_guest_pieces *pieces, const struct fcp_mapping *mapping,
			 struct fcp_error *err)
{
	bool hugetlb = !mapping->shared && strcmp(mapping->path, HUGETLB_PATH) == 0;
	struct fcp_guest_piece *items;

	items = fcp_array_grow(pieces->items, pieces->count, &pieces->room, sizeof(*items), err);
	if (!items)
		return -1;
	pieces->items = items;
	pieces->items[pieces->count++] = (struct fcp_guest_piece){
		.start = mapping->start,
		.end = mapping->end,
		.of_file = mapping->inode != 0 && !hugetlb,
		.inaccessible = !mapping->readable,
		.shared = mapping->shared,
		.hugetlb = hugetlb,
		.inode = mapping->inode,
		.dev = mapping->dev,
		.file_offset = mapping->offset,
		.mapping_start = mapping->start,
		.mapping_end = mapping->end,
	};
	return 0;
}

static int find_pieces(pid_t pid, struct fcp_guest_pieces *pieces, struct fcp_error *err)
{
	FCP_CLEANUP(maps) struct fcp_maps maps = {0};
	struct fcp_mapping mapping;

	if (fcp_maps_open(pid, &maps, err) != 0)
		return -1;
	while (fcp_maps_next(&maps, &mapping))
		if (can_be_ram(&mapping) && add_ram_piece(pieces, &mapping, err) != 0)
			return -1;
	return 0;
}

/* ---- the result ---- */

static enum fcp_guest_backing backing_of(const struct fcp_guest_ram *ram, bool userfault)
{
	bool hugetlb = false;

	for (size_t i = 0; i < ram->piece_count; i++) {
		if (ram->pieces[i].shared)
			return userfault ? FCP_GUEST_BACKING_USERFAULT : FCP_GUEST_BACKING_SHARED;
		if (ram->pieces[i].of_file)
			return FCP_GUEST_BACKING_FILE;
		hugetlb |= ram->pieces[i].hugetlb;
	}
	if (userfault)
		return FCP_GUEST_BACKING_USERFAULT;
	return hugetlb ? FCP_GUEST_BACKING_HUGETLB : FCP_GUEST_BACKING_ANONYMOUS;
}

/* The parts of pieces that lie in the region. */
static void cut_pieces(const struct fcp_guest_pieces *pieces, const struct fcp_guest_region *region,
		       struct fcp_guest_ram *ram)
{
	uint64_t end = region->address + region->bytes;

	for (size_t i = 0; i < pieces->count; i++) {
		struct fcp_guest_piece piece = pieces->items[i];
		uint64_t before;

		if (piece.end <= region->address || piece.start >= end)
			continue;
		before = region->address > piece.start ? region->address - piece.start : 0;
		piece.start += before;
		piece.file_offset += before;
		piece.end = piece.end < end ? piece.end : end;
		piece.offset = region->offset + (piece.start - region->address);
		ram->pieces[ram->piece_count++] = piece;
	}
}

static int take_pieces(const struct fcp_guest_pieces *pieces, struct fcp_guest_ram *ram,
		       struct fcp_error *err)
{
	ram->pieces = calloc(pieces->count + FCP_GUEST_REGIONS_MAX, sizeof(*ram->pieces));
	if (!ram->pieces)
		return fcp_error_nomem(err);
	for (unsigned i = 0; i < FCP_GUEST_REGIONS_MAX && ram->layouts[0][i].bytes != 0; i++)
		cut_pieces(pieces, &ram->layouts[0][i], ram);
	return 0;
}

/* KVM runs guests of the host's own architecture, so Firecracker's executable is of the guest's
 * too. NULL: it cannot be read, or is of another. */
static const struct fcp_guest_arch *arch_of(pid_t pid)
{
	const struct fcp_guest_arch *const *arch = fcp_guest_archs;
	FCP_CLEANUP(fd) int fd = -1;
	Elf64_Ehdr header;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return NULL;
	while (*arch && (*arch)->elf_machine != header.e_machine)
		arch++;
	return *arch;
}

static int find_layouts(const struct fcp_guest_pieces *pieces, const struct fcp_guest_size *size,
			struct fcp_guest_ram *ram, struct fcp_error *err)
{
	struct fcp_guest_memory plain = {0};

	if (fcp_guest_memory_check_size(size->boot_bytes + size->hotplug_bytes, err) != 0)
		return -1;
	fcp_guest_memory_lay_out(&plain, size, arch_of(ram->pid));
	for (unsigned i = 0; i < plain.layout_count; i++)
		fcp_guest_ram_place(pieces, &plain, i, false, ram);
	for (unsigned i = 0; i < plain.layout_count && ram->layout_count == 0; i++)
		fcp_guest_ram_place(pieces, &plain, i, true, ram);
	if (ram->layout_count == 0)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "process %d has no mappings of the VM's %llu MiB of memory",
				     (int)ram->pid,
				     (unsigned long long)((size->boot_bytes + size->hotplug_bytes) /
							  FCP_MIB));
	fcp_guest_ram_narrow(ram);
	ram->unambiguous = true;
	for (unsigned i = 1; i < ram->layout_count; i++)
		ram->unambiguous &= fcp_guest_layouts_agree(ram->layouts[0], ram->layouts[i]);
	return 0;
}

/* ---- the proof ---- */

static int look_at_fds(pid_t pid, bool *vm_, bool *userfault_, struct fcp_error *err)
{
	unsigned counts[FDS];

	if (pid <= 0)
		return not_proven(err, "the process behind the socket is not known");
	if (fcp_proc_count_fds(pid, fd_links, counts, FDS, err) != 0)
		return -1;
	*vm_ = counts[FD_KVM] + counts[FD_SIM] > 0;
	*userfault_ = counts[FD_USERFAULT] > 0;
	return 0;
}

int fcp_guest_ram_has_vm(pid_t pid, bool *has_, struct fcp_error *err)
{
	bool userfault;

	return look_at_fds(pid, has_, &userfault, err);
}

static int find_ram(int pidfd, const struct fcp_guest_size *size, struct fcp_guest_pieces *pieces,
		    struct fcp_guest_ram *ram, struct fcp_error *err)
{
	bool vm = false, userfault = false;

	if (look_at_fds(ram->pid, &vm, &userfault, err) != 0)
		return -1;
	if (!vm)
		return fcp_error_set(
			err, FCP_ERR_UNSUPPORTED, 0,
			"process %d, which is behind the socket, holds no KVM VM: a proxy?",
			(int)ram->pid);
	if (find_pieces(ram->pid, pieces, err) != 0 || find_layouts(pieces, size, ram, err) != 0 ||
	    take_pieces(pieces, ram, err) != 0)
		return -1;
	ram->backing = backing_of(ram, userfault);
	if (fcp_cancelled(pidfd)) /* a pidfd is readable once the process has ended */
		return fcp_error_set(err, FCP_ERR_STATE, 0, "process %d has ended", (int)ram->pid);
	return 0;
}

int fcp_guest_ram_find(pid_t pid, int pidfd, const struct fcp_guest_size *size,
		       struct fcp_guest_ram *ram_, struct fcp_error *err)
{
	struct fcp_guest_ram ram = {.pid = pid};
	struct fcp_guest_pieces pieces = {0};
	int found = find_ram(pidfd, size, &pieces, &ram, err);

	free(pieces.items);
	if (found != 0) {
		fcp_guest_ram_clear(&ram);
		return -1;
	}
	*ram_ = ram;
	return 0;
}

void fcp_guest_ram_clear(struct fcp_guest_ram *ram)
{
	free(ram->pieces);
	*ram = (struct fcp_guest_ram){0};
}

size_t fcp_guest_ram_piece(const struct fcp_guest_ram *ram, uint64_t offset)
{
	size_t low = 0, high = ram->piece_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (fcp_guest_piece_end(&ram->pieces[middle]) <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int fcp_guest_ram_check_regions(const struct fcp_guest_ram *ram,
				const struct fcp_guest_region *regions, unsigned count,
				struct fcp_error *err)
{
	bool agree = count > 0 || ram->unambiguous;

	for (unsigned i = 0; agree && i < count; i++) {
		size_t piece = fcp_guest_ram_piece(ram, regions[i].offset);

		agree = piece < ram->piece_count &&
			fcp_guest_piece_address(&ram->pieces[piece], regions[i].offset) ==
				regions[i].address;
	}
	return agree ? 0
		     : not_proven(
			       err,
			       "which mapping is which region of the guest's memory is not known");
}

int fcp_guest_piece_open(pid_t pid, const struct fcp_guest_piece *piece, int flags,
			 struct fcp_error *err)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", (int)pid,
		 (unsigned long long)piece->mapping_start, (unsigned long long)piece->mapping_end);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "guest memory %s", path);
	return fd;
}
