// SPDX-License-Identifier: Apache-2.0
/*
 * Memories that hold more than one kernel: what a kexec'd or crashed kernel left behind, a copy of
 * the note in the page cache, a nested guest's. The one that runs is found, or none: the free lists
 * of a kernel that is gone name pages that the next one uses.
 */
#include "guest_fixture.h"
#include "tap.h"

#include <string.h>

#define BASE (32 * FIXTURE_MIB) /* how far above the first the other kernel lies */
#define OTHER "5.10.0-other"
#define PAGE UINT64_C(4096)

static struct fixture fixture;

/* 64 MiB with both kernels, whole; the first one's trampoline. */
static void two_kernels(struct fixture_settings settings)
{
	settings.bytes = 2 * BASE;
	fixture_build(&fixture, &settings);
	fixture_add_kernel(&fixture, BASE, OTHER);
}

static void finds(const char *release, const char *what)
{
	struct fcp_guest_free found;
	struct fcp_error err = {0};

	if (!ok(fixture_find(&fixture, FCP_HOLES_ZERO, &found, &err) == 0 &&
			strcmp(found.release, release) == 0,
		"%s: %s is found", what, release))
		printf("# %s %s\n", found.release, err.message);
	fcp_guest_free_clear(&found);
	fixture_close(&fixture);
}

static void refuses(enum fcp_guest_gate_id gate, const char *what)
{
	struct fcp_guest_free found;
	struct fcp_error err = {0};

	ok(fixture_find(&fixture, FCP_HOLES_ZERO, &found, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED && found.ranges.count == 0 &&
		   found.gates[gate].state == FCP_GATE_FAILED,
	   "%s: %s refuses", what, fcp_guest_gate_name(gate));
	printf("# %s\n", err.message);
	fcp_guest_free_clear(&found);
	fixture_close(&fixture);
}

/* The other kernel is whole in itself, or these tests would show nothing. */
static void other_kernel_is_whole(void)
{
	two_kernels((struct fixture_settings){0});
	fixture_put_trampoline(&fixture, BASE, FIXTURE_TRAMPOLINE);
	finds(OTHER, "its trampoline, by pointer");
	two_kernels((struct fixture_settings){.no_pointer = true});
	fixture_put_trampoline(&fixture, BASE, FIXTURE_TRAMPOLINE);
	finds(OTHER, "its trampoline, by the search");
	two_kernels((struct fixture_settings){.five_levels = true});
	fixture_put_trampoline(&fixture, BASE, FIXTURE_TRAMPOLINE);
	finds(OTHER, "five levels");
}

/* The dead kernel is all there: it passes every proof but that of life. */
static void dead_and_whole(void)
{
	two_kernels((struct fixture_settings){0});
	finds(FIXTURE_RELEASE, "by pointer");
	two_kernels((struct fixture_settings){.no_pointer = true});
	finds(FIXTURE_RELEASE, "by the search");
	two_kernels((struct fixture_settings){.no_pointer = true, .five_levels = true});
	finds(FIXTURE_RELEASE, "by the search, five levels");
	/* The live one points to the dead one's note, before it points to its own. */
	two_kernels((struct fixture_settings){0});
	fixture_write_word(&fixture, FIXTURE_BSS, fixture_direct(&fixture, FIXTURE_NOTE + BASE));
	finds(FIXTURE_RELEASE, "a stray pointer to the dead one's note");
}

static void live_without_note(void)
{
	two_kernels((struct fixture_settings){0});
	fixture_write_word(&fixture, FIXTURE_NOTE, 0);
	refuses(FCP_GUEST_GATE_PAGE_TABLES, "the live kernel has no note");
	two_kernels((struct fixture_settings){0});
	fixture_write_word(&fixture, FIXTURE_NOTE, 0);
	fixture_write_word(&fixture, FIXTURE_BSS + 8,
			   fixture_direct(&fixture, FIXTURE_NOTE + BASE));
	refuses(FCP_GUEST_GATE_PAGE_TABLES, "and points to the dead one's");
}

/* What the live kernel has written over the dead one. */
static void dead_in_part(void)
{
	static const struct {
		uint64_t gpa;
		const char *what;
	} parts[] = {
		{FIXTURE_NOTE, "the note"},	{FIXTURE_ROOT, "the root"},
		{FIXTURE_UTS, "the release"},	{FIXTURE_TABLES, "a page table"},
		{FIXTURE_NODE, "the node"},	{FIXTURE_SECTIONS, "the sections"},
		{FIXTURE_MEMMAP, "the memmap"},
	};
	char page[PAGE];

	memset(page, 0x5a, sizeof(page));
	for (size_t i = 0; i < 2 * sizeof(parts) / sizeof(parts[0]); i++) {
		two_kernels((struct fixture_settings){.no_pointer = i % 2 != 0});
		fixture_write(&fixture, parts[i / 2].gpa + BASE, page, sizeof(page));
		finds(FIXTURE_RELEASE, parts[i / 2].what);
	}
}

static void unsure_which(void)
{
	two_kernels((struct fixture_settings){0});
	fixture_put_trampoline(&fixture, BASE, FIXTURE_TRAMPOLINE - 4 * PAGE);
	refuses(FCP_GUEST_GATE_PAGE_TABLES, "trampolines of both");
	two_kernels((struct fixture_settings){.no_pointer = true});
	fixture_put_trampoline(&fixture, BASE, FIXTURE_TRAMPOLINE - 4 * PAGE);
	refuses(FCP_GUEST_GATE_PAGE_TABLES, "trampolines of both, by the search");
	two_kernels((struct fixture_settings){.no_trampoline = true});
	refuses(FCP_GUEST_GATE_PAGE_TABLES, "a trampoline of neither");
	fixture_build(&fixture, &(struct fixture_settings){.no_trampoline = true});
	refuses(FCP_GUEST_GATE_PAGE_TABLES, "one kernel without a trampoline");
	fixture_build(&fixture, &(struct fixture_settings){0});
	for (uint64_t gpa = PAGE; gpa < 32 * PAGE; gpa += PAGE)
		fixture_write_word(&fixture, gpa + 511 * 8, 0x200063);
	refuses(FCP_GUEST_GATE_PAGE_TABLES, "pages that look like one, without number");
}

/* The crash kernel has not yet come so far as to have a trampoline. */
static void crashed(void)
{
	fixture_build(&fixture,
		      &(struct fixture_settings){.note_edit = "NUMBER(sme_mask)=0\nCRASHTIME=17"});
	refuses(FCP_GUEST_GATE_VMCOREINFO, "a kernel that has crashed");
	two_kernels((struct fixture_settings){.note_edit = "NUMBER(sme_mask)=0\nCRASHTIME=17"});
	fixture_put_trampoline(&fixture, BASE, FIXTURE_TRAMPOLINE);
	refuses(FCP_GUEST_GATE_VMCOREINFO, "the copy of its note too");
}

/* Another text at an even page, that names the same places as the kernel's own. */
static void put_note(const char *from, const char *to)
{
	char note[4096];
	char *at;

	fixture_read(&fixture, FIXTURE_NOTE, note, sizeof(note));
	at = strstr(note + 24, from);
	if (ok(at != NULL, "a note with %s", to))
		memcpy(at, to, strlen(to));
	fixture_write(&fixture, 28 * FIXTURE_MIB, note, sizeof(note));
}

static void copies(void)
{
	fixture_build(&fixture, &(struct fixture_settings){0});
	put_note("OSRELEASE", "OSRELEASE");
	finds(FIXTURE_RELEASE, "a copy in the page cache, by pointer");
	fixture_build(&fixture, &(struct fixture_settings){.no_pointer = true});
	put_note("OSRELEASE", "OSRELEASE");
	finds(FIXTURE_RELEASE, "by the search");
}

/* The same kernel without KASLR in a nested guest: its note differs in what was allocated only, and
 * its places, read as the outer guest's, are the outer kernel's. */
static void nested(void)
{
	fixture_build(&fixture, &(struct fixture_settings){0});
	put_note("SYMBOL(mem_section)=ffff8880016", "SYMBOL(mem_section)=ffff8880017");
	finds(FIXTURE_RELEASE, "a nested guest of the same kernel, by pointer");
	fixture_build(&fixture, &(struct fixture_settings){.no_pointer = true});
	put_note("SYMBOL(mem_section)=ffff8880016", "SYMBOL(mem_section)=ffff8880017");
	refuses(FCP_GUEST_GATE_VMCOREINFO, "by the search");
	fixture_build(&fixture, &(struct fixture_settings){.no_pointer = true});
	put_note("NUMBER(phys_base)=0", "NUMBER(phys_base)=8");
	finds(FIXTURE_RELEASE, "one that lies elsewhere in its own memory");
}

/* Of a layer without its base only what was written since is seen. */
static void in_a_layer(void)
{
	struct fcp_guest_free found;
	struct fcp_error err = {0};

	two_kernels((struct fixture_settings){0});
	ok(fixture_find(&fixture, FCP_HOLES_BASE, &found, &err) == 0 &&
		   strcmp(found.release, FIXTURE_RELEASE) == 0,
	   "a layer with the trampoline, and holes around it");
	fcp_guest_free_clear(&found);
	fixture_punch(&fixture, FIXTURE_TRAMPOLINE, PAGE);
	ok(fixture_find(&fixture, FCP_HOLES_BASE, &found, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "without the trampoline it is refused");
	printf("# %s\n", err.message);
	fcp_guest_free_clear(&found);
	fixture_close(&fixture);
}

int main(void)
{
	other_kernel_is_whole();
	dead_and_whole();
	live_without_note();
	dead_in_part();
	unsure_which();
	crashed();
	copies();
	nested();
	in_a_layer();
	return done();
}
