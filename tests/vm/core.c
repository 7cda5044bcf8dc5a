// SPDX-License-Identifier: Apache-2.0
#include "core.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/units.h"
#include "guest/allocator/buddy.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define DATA_AT 65536 /* of the core: behind its headers and the note */
#define NOTE_AT 4096
#define COPY_BYTES (1u << 20)

/* A compressed kdump's header (makedumpfile's diskdump_mod.h), as far as it is read here. */
#define DUMP_BLOCK_BYTES 428
#define DUMP_SUB_BLOCKS 432
#define DUMP_BITMAP_BLOCKS 436

/* Where the kernel maps all physical memory: the roots of mem_section lie there. */
static bool direct_map(struct fcp_guest_kernel *kernel, uint64_t *start_)
{
	struct fcp_guest_leaf leaf;
	struct fcp_error err;

	if (fcp_guest_translate(&kernel->tables, kernel->note.mem_section, &leaf, &err) < 0)
		return false;
	*start_ = leaf.start - leaf.gpa;
	return true;
}

static size_t fill_headers(struct fcp_guest_kernel *kernel, uint64_t virtual_start,
			   uint32_t text_bytes, unsigned char *page)
{
	const struct fcp_guest_memory *memory = &kernel->memory;
	Elf64_Phdr *segments = (Elf64_Phdr *)(void *)(page + sizeof(Elf64_Ehdr));
	uint64_t note_bytes = 24 + fcp_align_up(text_bytes, 4);

	*(Elf64_Ehdr *)(void *)page = (Elf64_Ehdr){
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)(1 + memory->region_count),
	};
	segments[0] = (Elf64_Phdr){.p_type = PT_NOTE,
				   .p_offset = NOTE_AT,
				   .p_filesz = note_bytes,
				   .p_memsz = note_bytes};
	for (unsigned i = 0; i < memory->region_count; i++) {
		const struct fcp_guest_region *region = &memory->regions[i];

		segments[1 + i] = (Elf64_Phdr){.p_type = PT_LOAD,
					       .p_flags = PF_R | PF_W | PF_X,
					       .p_offset = DATA_AT + region->offset,
					       .p_vaddr = virtual_start + region->gpa,
					       .p_paddr = region->gpa,
					       .p_filesz = region->bytes,
					       .p_memsz = region->bytes};
	}
	return (size_t)note_bytes;
}

static bool copy_data(const struct fcp_guest_memory *memory, int to)
{
	FCP_CLEANUP(free) char *buffer = malloc(COPY_BYTES);
	struct fcp_range data = {0, 0};
	struct fcp_error err;

	while (buffer && fcp_guest_memory_data(memory, data.end, &data, &err) == 0) {
		if (data.start >= data.end)
			return ftruncate(to, (off_t)(DATA_AT + memory->bytes)) == 0;
		for (uint64_t at = data.start; at < data.end;) {
			size_t bytes =
				data.end - at < COPY_BYTES ? (size_t)(data.end - at) : COPY_BYTES;

			if (pread(memory->fd, buffer, bytes, (off_t)at) != (ssize_t)bytes ||
			    pwrite(to, buffer, bytes, (off_t)(DATA_AT + at)) != (ssize_t)bytes)
				return false;
			at += bytes;
		}
	}
	return false;
}

bool core_write(struct fcp_guest_kernel *kernel, const char *path)
{
	static _Alignas(16) unsigned char page[NOTE_AT];
	static char note[32768];
	FCP_CLEANUP(fd) int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct fcp_error err;
	uint64_t virtual_start;
	uint32_t text_bytes;
	size_t bytes;

	if (fd < 0 || !direct_map(kernel, &virtual_start))
		return false;
	memset(page, 0, sizeof(page));
	if (fcp_guest_memory_read(&kernel->memory, kernel->note.gpa + 4, &text_bytes,
				  sizeof(text_bytes), &err) < 0)
		return false;
	bytes = fill_headers(kernel, virtual_start, text_bytes, page);
	return fcp_guest_memory_read(&kernel->memory, kernel->note.gpa, note, bytes, &err) == 0 &&
	       pwrite(fd, page, sizeof(page), 0) == (ssize_t)sizeof(page) &&
	       pwrite(fd, note, bytes, NOTE_AT) == (ssize_t)bytes && copy_data(&kernel->memory, fd);
}

static bool run_makedumpfile(const char *core, const char *dump, double *ms_)
{
	uint64_t start = fcp_now_ns();
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execlp("makedumpfile", "makedumpfile", "-d", "16", core, dump, (char *)NULL);
		_exit(127);
	}
	waitpid(child, &status, 0);
	*ms_ = fcp_ms_since(start);
	return status == 0;
}

static uint32_t half_at(const unsigned char *header, size_t offset)
{
	uint32_t half;

	memcpy(&half, header + offset, sizeof(half));
	return half;
}

static unsigned char *read_bitmaps(const char *dump, size_t *half_bytes_)
{
	FCP_CLEANUP(fd) int fd = open(dump, O_RDONLY | O_CLOEXEC);
	unsigned char header[512];
	unsigned char *bitmaps;
	size_t block, bytes;

	if (fd < 0 || pread(fd, header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    memcmp(header, "KDUMP   ", 8) != 0)
		return NULL;
	block = half_at(header, DUMP_BLOCK_BYTES);
	bytes = block * half_at(header, DUMP_BITMAP_BLOCKS);
	bitmaps = malloc(bytes);
	if (bitmaps &&
	    pread(fd, bitmaps, bytes, (off_t)(block * (1 + half_at(header, DUMP_SUB_BLOCKS)))) !=
		    (ssize_t)bytes) {
		free(bitmaps);
		bitmaps = NULL;
	}
	*half_bytes_ = bytes / 2;
	return bitmaps;
}

static bool bit(const unsigned char *bitmap, uint64_t index)
{
	return bitmap[index / 8] >> (index % 8) & 1;
}

bool core_compare(const struct fcp_guest_memory *memory, const char *core, const char *dump,
		  const struct fcp_ranges *ranges, uint64_t *only_theirs_, uint64_t *only_ours_,
		  double *ms_)
{
	FCP_CLEANUP(free) unsigned char *bitmaps = NULL;
	size_t half;

	if (!run_makedumpfile(core, dump, ms_) || !(bitmaps = read_bitmaps(dump, &half)))
		return false;
	*only_theirs_ = *only_ours_ = 0;
	for (uint64_t offset = 0; offset < memory->bytes; offset += FCP_PAGE_BYTES) {
		bool ours = fcp_guest_ranges_touch(ranges, offset, offset + FCP_PAGE_BYTES);
		bool theirs;
		uint64_t gpa, pfn;

		if (!fcp_guest_memory_gpa(memory, offset, &gpa) ||
		    (pfn = gpa / FCP_PAGE_BYTES) / 8 >= half)
			return false;
		theirs = bit(bitmaps, pfn) && !bit(bitmaps + half, pfn);
		*only_theirs_ += theirs && !ours;
		*only_ours_ += ours && !theirs;
	}
	return true;
}
