// SPDX-License-Identifier: Apache-2.0
/*
 * arm64 (Arm ARM D8.3, VMSAv8-64; Linux arch/arm64/include/asm/{memory,pgtable-hwdef}.h): 4 KiB
 * granules, three levels (39 bits of virtual address) or four (48 bits).
 */
#include "guest/arch/arm64.h"

#include "base/error.h"

#include <elf.h>

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)

#define TABLE_OR_PAGE (UINT64_C(1) << 1)
#define READ_ONLY (UINT64_C(1) << 7)	    /* AP[2] */
#define READ_ONLY_TABLE (UINT64_C(1) << 62) /* APTable[1] */
#define NO_EXECUTE (UINT64_C(1) << 53)	    /* PXN */
#define NO_EXECUTE_TABLE (UINT64_C(1) << 59)

/* The image begins at a multiple of this (MIN_KIMG_ALIGN), before _stext; images of 40 MiB are
 * seen, and modules lie elsewhere. */
#define IMAGE_ALIGN (2 * MIB)
#define IMAGE_BYTES_MAX (256 * MIB)

/*
 * Firecracker's src/vmm/src/arch/aarch64/{layout,mod}.rs: since 1.13 there is a hole from 256 GiB
 * on. The first 2 MiB are Firecracker's own in later versions (SYSTEM_MEM_SIZE); the kernel does
 * not know them.
 */
static const struct fcp_guest_layout layouts[] = {
	{{{2 * GIB, 256 * GIB}, {FCP_GUEST_HOTPLUG_GPA, UINT64_MAX}}},
	{{{2 * GIB, UINT64_MAX}}},
};

static const struct fcp_guest_mark marks[] = {
	{-(int64_t)FCP_ARM64_FDT_BYTES_MAX, FCP_ARM64_FDT_MAGIC},
};

static int arm64_take_note(struct fcp_guest_note *note, struct fcp_error *err)
{
	uint64_t bits = 64 - note->t1sz;

	if (note->phys_offset == FCP_GUEST_NONE)
		return fcp_guest_note_missing(err, "NUMBER(PHYS_OFFSET)");
	if (note->va_bits == FCP_GUEST_NONE)
		return fcp_guest_note_missing(err, "NUMBER(VA_BITS)");
	/* Kernels before 5.9 do not give it, and use all of VA_BITS. */
	if (note->t1sz == FCP_GUEST_NONE)
		bits = note->va_bits;
	if (bits > 48)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "virtual addresses of %u bits (LPA2) are not supported",
				     (unsigned)bits);
	if (bits != 39 && bits != 48)
		return fcp_error_set(
			err, FCP_ERR_UNSUPPORTED, 0,
			"virtual addresses of %u bits are not supported, only those of "
			"39 and 48",
			(unsigned)bits);
	note->levels = bits == 48 ? 4 : 3;
	note->image.start = fcp_align_down(note->stext, IMAGE_ALIGN);
	note->image.end = note->image.start + IMAGE_BYTES_MAX;
	note->image_voffset = note->kimage_voffset;
	return 0;
}

/* Where the kernel maps all of RAM in a row (PAGE_OFFSET, PHYS_OFFSET), its own note must lie. */
static int prove_linear_map(struct fcp_guest_kernel *kernel, struct fcp_error *err)
{
	const struct fcp_guest_note *note = &kernel->note;
	uint64_t address = note->gpa - note->phys_offset - (UINT64_C(1) << note->va_bits);
	struct fcp_guest_leaf leaf;

	if (fcp_guest_translate(&kernel->tables, address, &leaf, err) < 0)
		return fcp_error_wrap(err, "PHYS_OFFSET");
	if (leaf.gpa + (address - leaf.start) != note->gpa)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "PHYS_OFFSET: the page tables lead elsewhere");
	return 0;
}

const struct fcp_guest_arch fcp_guest_arm64 = {
	.name = "arm64",
	.elf_machine = EM_AARCH64,
	.layouts = layouts,
	.layout_count = sizeof(layouts) / sizeof(layouts[0]),
	.marks = marks,
	.mark_count = sizeof(marks) / sizeof(marks[0]),
	.entry =
		{
			.address_mask = UINT64_C(0x0000fffffffff000),
			.page_bits = TABLE_OR_PAGE,
			.large_mask = TABLE_OR_PAGE,
			.large_bits = 0,
			.no_execute_leaf = NO_EXECUTE,
			.no_execute_table = NO_EXECUTE_TABLE,
			.read_only_leaf = READ_ONLY,
			.read_only_table = READ_ONLY_TABLE,
		},
	.take_note = arm64_take_note,
	.prove_maps = prove_linear_map,
	.find_running = fcp_arm64_find_running,
	.prove_running = fcp_arm64_prove_running,
	.boot_data = fcp_arm64_boot_data,
	.command_line = fcp_arm64_command_line,
};
