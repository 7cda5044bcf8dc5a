// SPDX-License-Identifier: Apache-2.0
/* An arm64 guest as Firecracker lays it out: what is found, and what is refused. */
#include "base/enums.h"
#include "guest_arm64.h"
#include "guest/classify/classify.h"
#include "tap.h"

#include <unistd.h>

#define PAGE UINT64_C(4096)

static struct fixture fixture;

static bool block_free(const struct fcp_ranges *ranges, const struct fixture_block *block)
{
	uint64_t start = block->pfn * PAGE, end = start + (PAGE << block->order);

	for (size_t i = 0; i < ranges->count; i++)
		if (ranges->items[i].start <= start && end <= ranges->items[i].end)
			return true;
	return false;
}

/* Scans the memory as it is, and closes it. */
static void finds_all(const char *what)
{
	struct fcp_guest_free found;
	struct fcp_error err = {0};
	uint64_t pages = 0;
	bool all = true;

	if (!ok(fixture_find(&fixture, FCP_HOLES_ZERO, &found, &err) == 0, "%s", what))
		printf("# %s\n", err.message);
	for (unsigned i = 0; i < fixture_block_count; i++) {
		all &= block_free(&found.ranges, &fixture_blocks[i]);
		pages += UINT64_C(1) << fixture_blocks[i].order;
	}
	ok(all, "%s: every block is in the ranges", what);
	is_u64(fcp_ranges_bytes(&found.ranges), pages * PAGE, "and they hold no more");
	is_str(found.release, FIXTURE_RELEASE, "the kernel's release");
	is_u64(found.regions[0].gpa, ARM64_RAM, "RAM begins at 2 GiB");
	fcp_guest_free_clear(&found);
	fixture_close(&fixture);
}

static void finds(const struct arm64_settings *settings, const char *what)
{
	arm64_build(&fixture, settings);
	finds_all(what);
}

static void refuses_all(enum fcp_guest_gate_id gate, const char *reason, const char *what)
{
	struct fcp_guest_free found;
	struct fcp_error err = {0};

	ok(fixture_find(&fixture, FCP_HOLES_ZERO, &found, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED && found.ranges.count == 0 &&
		   found.gates[gate].state == FCP_GATE_FAILED,
	   "%s: %s refuses", what, fcp_guest_gate_name(gate));
	has_str(err.message, reason, "and says why");
	fcp_guest_free_clear(&found);
	fixture_close(&fixture);
}

static void refuses(const struct arm64_settings *settings, enum fcp_guest_gate_id gate,
		    const char *reason, const char *what)
{
	arm64_build(&fixture, settings);
	refuses_all(gate, reason, what);
}

static void found_in_all_shapes(void)
{
	finds(&(struct arm64_settings){0}, "48 bits, the node from the lists");
	finds(&(struct arm64_settings){.va39 = true}, "39 bits");
	finds(&(struct arm64_settings){.names_node = true}, "a note that names the nodes");
	finds(&(struct arm64_settings){.note_edit = "NUMBER(TCR_EL1_T1SZ)"},
	      "a note without T1SZ: VA_BITS");
	finds(&(struct arm64_settings){.command_line = "console=ttyS0 page_poison=10"},
	      "a device tree");
	finds(&(struct arm64_settings){.log = "kexec_core: Loading"}, "another word of kexec");
}

static void not_supported(void)
{
	enum fcp_guest_gate_id note = FCP_GUEST_GATE_VMCOREINFO;

	refuses(&(struct arm64_settings){.note_edit = "PAGESIZE=16384"}, note, "16 KiB", "16 KiB");
	refuses(&(struct arm64_settings){.note_edit = "PAGESIZE=65536"}, note, "64 KiB", "64 KiB");
	refuses(&(struct arm64_settings){.note_edit = "NUMBER(TCR_EL1_T1SZ)=0xc"}, note, "LPA2",
		"52 bits");
	refuses(&(struct arm64_settings){.note_edit = "NUMBER(TCR_EL1_T1SZ)=0x1c"}, note, "36 bits",
		"36 bits");
	refuses(&(struct arm64_settings){.note_edit = "NUMBER(VA_BITS)"}, note, "VA_BITS",
		"no VA_BITS");
	refuses(&(struct arm64_settings){.note_edit = "NUMBER(PHYS_OFFSET)"}, note, "PHYS_OFFSET",
		"no PHYS_OFFSET");
	refuses(&(struct arm64_settings){.note_edit = "NUMBER(kimage_voffset)"}, note,
		"kimage_voffset", "neither kimage_voffset nor phys_base");
	refuses(&(struct arm64_settings){.log = "CPU features: detected: Memory Tagging Extension"},
		FCP_GUEST_GATE_PAGE_TABLES, "MTE", "memory tagging");
}

static void proven(void)
{
	enum fcp_guest_gate_id tables = FCP_GUEST_GATE_PAGE_TABLES;

	refuses(&(struct arm64_settings){.note_edit = "NUMBER(PHYS_OFFSET)=0x80000000"}, tables,
		"PHYS_OFFSET", "a linear map that is not there");
	refuses(&(struct arm64_settings){.note_edit = "NUMBER(kimage_voffset)=0xffffffff00001000"},
		tables, "", "an image that lies elsewhere");
	arm64_build(&fixture, &(struct arm64_settings){0});
	fixture_write(&fixture, FIXTURE_UTS + 130, "6.2", 3);
	refuses_all(tables, "release", "another release");
	/* Bit 1 of a page's entry clear: reserved, nothing is mapped. */
	arm64_build(&fixture, &(struct arm64_settings){0});
	fixture_write_word(&fixture, arm64_entry(&fixture, UINT64_C(0xffffffff80100000), 0),
			   (ARM64_RAM + ARM64_TEXT) | 0x781);
	refuses_all(tables, "_stext", "an entry of the last level that is no page's");
	arm64_build(&fixture, &(struct arm64_settings){0});
	fixture_write_word(&fixture, arm64_entry(&fixture, UINT64_C(0xffffffff80100000), 0),
			   (ARM64_RAM + ARM64_TEXT) | ARM64_PAGE);
	refuses_all(FCP_GUEST_GATE_HOLES, "not executable", "text that is not executable");
}

/* As if it had been started by another kernel: 16 MiB into RAM. */
static void kexec(void)
{
	enum fcp_guest_gate_id tables = FCP_GUEST_GATE_PAGE_TABLES;

	arm64_build(&fixture,
		    &(struct arm64_settings){.note_edit = "SYMBOL(_stext)=ffffffff81000000"});
	for (unsigned i = 0; i < FIXTURE_TEXT_PAGES; i++)
		fixture_write_word(&fixture,
				   arm64_entry(&fixture, UINT64_C(0xffffffff81000000) + i * PAGE,
					       0),
				   (ARM64_RAM + FIXTURE_TEXT + i * PAGE) | 0x40000000000783);
	refuses_all(tables, "not where Firecracker loaded", "a kernel that lies elsewhere");
	refuses(&(struct arm64_settings){.log = "kexec_core: Starting new kernel"}, tables,
		"has started another", "a kernel that has started another");
	arm64_build(&fixture, &(struct arm64_settings){.log = "kexec_core: Starting new kernel"});
	for (unsigned i = 0; i < 10; i++)
		arm64_log(&fixture, "psci: CPU1 killed (polled 0 ms)");
	refuses_all(tables, "has started another", "and has said more since");
}

static void damages_log(uint64_t at, uint64_t word, const char *reason, const char *what)
{
	arm64_build(&fixture, &(struct arm64_settings){0});
	fixture_write_word(&fixture, at, word);
	refuses_all(FCP_GUEST_GATE_PAGE_TABLES, reason, what);
}

static void logs(void)
{
	enum fcp_guest_gate_id tables = FCP_GUEST_GATE_PAGE_TABLES;

	refuses(&(struct arm64_settings){.note_edit = "SYMBOL(prb)"}, tables,
		"does not say where the kernel's log is", "a note without the log");
	refuses(&(struct arm64_settings){.note_edit = "SIZE(prb_desc)=7"}, tables,
		"does not say where the kernel's log is", "an odd size");
	damages_log(ARM64_LOG, 0x1000, "log", "a log that is not mapped");
	damages_log(ARM64_LOG + 8, 60, "damaged", "too many descriptors");
	damages_log(ARM64_LOG + 48, 0, "damaged", "no text");
	damages_log(ARM64_LOG + 32, 5, "damaged", "another newest record");
	damages_log(ARM64_LOG_TEXT, 7, "damaged", "a text of another record");
	/* Around the ring, of the records and of the text, more than once. */
	arm64_build(&fixture, &(struct arm64_settings){0});
	for (unsigned i = 0; i < 100; i++)
		arm64_log(&fixture,
			  &"a record of some length, which ends where it does ......"[i % 9]);
	finds_all("a log that has gone round");
	/* One on its way: a number, and no descriptor yet. */
	arm64_build(&fixture, &(struct arm64_settings){0});
	fixture_write_word(&fixture, ARM64_LOG + 32,
			   fixture_read_word(&fixture, ARM64_LOG + 32) + 1);
	finds_all("a record on its way");
}

static void boot_data(void)
{
	struct fcp_error err = {0};
	struct fcp_guest_free found;

	refuses(&(struct arm64_settings){.command_line = "console=ttyS0 page_poison=1 quiet"},
		FCP_GUEST_GATE_POISON, "page_poison", "page_poison on the command line");
	arm64_build(&fixture, &(struct arm64_settings){.command_line = "init_on_free=1"});
	ok(fixture_find(&fixture, FCP_HOLES_BASE, &found, &err) < 0 &&
		   found.gates[FCP_GUEST_GATE_ZEROED].state == FCP_GATE_FAILED,
	   "init_on_free: a layer is refused");
	has_str(err.message, "init_on_free", "and says why");
	fcp_guest_free_clear(&found);
	fixture_close(&fixture);
	/* Whatever the tree says of its sizes. */
	for (unsigned at = 4; at < 40; at += 4) {
		arm64_build(&fixture, &(struct arm64_settings){.command_line = "page_poison=1"});
		fixture_write_half(&fixture, ARM64_TREE + at, UINT32_MAX);
		if (fixture_find(&fixture, FCP_HOLES_ZERO, &found, &err) < 0 &&
		    err.error_class != FCP_ERR_UNSUPPORTED)
			ok(false, "a tree's header of all ones at %u: %s", at, err.message);
		fcp_guest_free_clear(&found);
		fixture_close(&fixture);
	}
}

/* The node shows in what lies around a list. */
static void nodes(void)
{
	enum fcp_guest_gate_id lists = FCP_GUEST_GATE_FREE_LISTS;

	refuses(&(struct arm64_settings){.note_edit = "OFFSET(pglist_data.node_id)"}, lists,
		"node_data", "a note that says too little of the node");
	arm64_build(&fixture, &(struct arm64_settings){0});
	fixture_write_word(&fixture, FIXTURE_NODE + 4112, ARM64_RAM / PAGE + 0x4000);
	refuses_all(lists, "no node", "a node of other memory");
	arm64_build(&fixture, &(struct arm64_settings){0});
	fixture_write_half(&fixture, FIXTURE_NODE + 4096, 1);
	refuses_all(lists, "no node", "a node without that zone");
}

static int count_class(const struct fcp_guest_class_run *run, void *bytes, struct fcp_error *err)
{
	(void)err;
	((uint64_t *)bytes)[run->page_class] += run->end - run->start;
	return 0;
}

static void classes(void)
{
	uint64_t bytes[FCP_PAGE_CLASSES] = {0}, pages = 0;
	struct fcp_guest_classify_settings settings = {.cancel_fd = -1,
						       .sink = count_class,
						       .sink_arg = bytes};
	char release[FCP_GUEST_RELEASE_BYTES];
	struct fcp_guest_memory memory;
	struct fcp_error err = {0};

	arm64_build(&fixture, &(struct arm64_settings){0});
	for (unsigned i = 0; i < fixture_block_count; i++)
		pages += UINT64_C(1) << fixture_blocks[i].order;
	ok(fcp_guest_memory_open_file(fixture.fd, FCP_HOLES_ZERO, -1, &memory, &err) == 0 &&
		   fcp_guest_classify(&memory, &settings, release, &err) == 0,
	   "its pages are classified");
	is_u64(bytes[FCP_PAGE_FREE], pages * PAGE, "the free ones");
	is_str(release, FIXTURE_RELEASE, "of that kernel");
	fixture_close(&fixture);
}

int main(void)
{
	found_in_all_shapes();
	not_supported();
	proven();
	kexec();
	logs();
	boot_data();
	nodes();
	classes();
	return done();
}
