// SPDX-License-Identifier: Apache-2.0
/*
 * Memory that was plugged into the guest, in a memory file: Firecracker writes boot memory, then
 * the hot-pluggable region, plugged in or not; the file does not say where the one ends. The
 * kernel's sections do: those below the region are boot memory's. Blocks that are plugged in are
 * whole sections, so that boot memory has as many bytes more than whole sections as the file has.
 */
#ifndef FCP_GUEST_KERNEL_HOTPLUG_H
#define FCP_GUEST_KERNEL_HOTPLUG_H

#include "guest/allocator/memmap.h"

/*
 * Gives the kernel's memory the regions that its sections show: boot memory as Firecracker lays it
 * out, all of it with sections; the rest of the file one region, at FCP_GUEST_HOTPLUG_GPA, or where
 * the last sections begin (a DIMM), with sections in it or without any. memmap: a wide one. false,
 * and nothing is changed, when no such regions fit, or the firmware's map of the memory, where it
 * is at hand, ends elsewhere.
 */
bool fcp_guest_hotplug_find(struct fcp_guest_memmap *memmap);

#endif
