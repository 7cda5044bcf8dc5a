// SPDX-License-Identifier: Apache-2.0
/* x86_64 (Intel SDM volume 3, 4.5; arch/x86/include/asm/{page_64_types,pgtable_types}.h). */
#include "guest/arch/x86_64.h"

#include <elf.h>

#define GIB (UINT64_C(1) << 30)
#define WRITABLE (UINT64_C(1) << 1)
#define NO_EXECUTE (UINT64_C(1) << 63)

/*
 * Firecracker's src/vmm/src/arch/x86_64/{layout,mod}.rs, arch_memory_regions(): the hole below 4
 * GiB begins at 3 GiB since 1.13, at 3.25 GiB before; since 1.13 there is a second one from 256 GiB
 * on.
 */
static const struct fcp_guest_layout layouts[] = {
	{{{0, 3 * GIB}, {4 * GIB, 256 * GIB}, {FCP_GUEST_HOTPLUG_GPA, UINT64_MAX}}},
	{{{0, 3 * GIB}, {4 * GIB, UINT64_MAX}}},
	{{{0, 13 * GIB / 4}, {4 * GIB, 256 * GIB}, {FCP_GUEST_HOTPLUG_GPA, UINT64_MAX}}},
	{{{0, 13 * GIB / 4}, {4 * GIB, UINT64_MAX}}},
};

/* Firecracker's src/vmm/src/arch/x86_64/layout.rs. */
static const struct fcp_guest_mark marks[] = {
	{0xe0000, "RSD PTR "},	      /* ACPI */
	{0x9fc00, "_MP_"},	      /* the MP table */
	{0x7202, "HdrS"},	      /* boot_params */
	{0x6000, "\x78\xc5\x6e\x33"}, /* PVH: hvm_start_info */
};

static int x86_64_take_note(struct fcp_guest_note *note, struct fcp_error *err)
{
	if (note->five_levels == FCP_GUEST_NONE)
		return fcp_guest_note_missing(err, "NUMBER(pgtable_l5_enabled)");
	if (note->node_data == FCP_GUEST_NONE && note->contig_page_data == FCP_GUEST_NONE)
		return fcp_guest_note_missing(err, "SYMBOL(node_data)");
	note->levels = note->five_levels ? 5 : 4;
	note->image = (struct fcp_range){FCP_X86_64_IMAGE_START,
					 FCP_X86_64_IMAGE_START + FCP_X86_64_IMAGE_BYTES};
	note->image_voffset = FCP_X86_64_IMAGE_START - note->phys_base;
	return 0;
}

const struct fcp_guest_arch fcp_guest_x86_64 = {
	.name = "x86_64",
	.elf_machine = EM_X86_64,
	.layouts = layouts,
	.layout_count = sizeof(layouts) / sizeof(layouts[0]),
	.marks = marks,
	.mark_count = sizeof(marks) / sizeof(marks[0]),
	.entry =
		{
			.address_mask = FCP_X86_64_ADDRESS,
			.large_mask = FCP_X86_64_LARGE,
			.large_bits = FCP_X86_64_LARGE,
			.no_execute_leaf = NO_EXECUTE,
			.no_execute_table = NO_EXECUTE,
			.writable_mask = WRITABLE,
			.read_only_leaf = WRITABLE,
			.read_only_table = WRITABLE,
			.lower_half = true,
		},
	.take_note = x86_64_take_note,
	.find_running = fcp_x86_64_find_running,
	.prove_running = fcp_x86_64_prove_running,
	.locate_note = fcp_x86_64_locate_note,
	.boot_data = fcp_x86_64_boot_data,
	.command_line = fcp_x86_64_command_line,
	.boot_memory_end = fcp_x86_64_boot_memory_end,
};
