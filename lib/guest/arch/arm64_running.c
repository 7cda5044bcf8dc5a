// SPDX-License-Identifier: Apache-2.0
/*
 * Which arm64 kernel runs. A dead kernel's data can still be fully consistent (see
 * x86_64_running.c), and an arm64 kernel writes nothing to a place that all kernels use. Two facts
 * together show it:
 *
 * - Its image lies where Firecracker loads the kernel: at the start of RAM, behind 2 MiB of its own
 *   (src/vmm/src/arch/aarch64/mod.rs, get_kernel_start()). A kernel that another one starts (kexec)
 *   lies elsewhere, as that one's image is not overwritten (kernel/kexec_file.c takes memory that
 *   memblock does not reserve), or it lies upon the image of the first, which is gone then.
 * - It has not started another kernel: kernel_kexec() writes that to the log, last but for the
 *   CPUs' farewells. A crashed kernel says so in its note.
 *
 * So a kernel that was started by kexec is refused, unless it lies where the first one lay. The
 * records of the log are numbered, so that a log of which memory was reused since is noticed.
 */
#include "guest/arch/arm64.h"

#include "base/error.h"
#include "guest/kernel/kernel_log.h"

#include <string.h>

/* Firecracker's own 2 MiB, the image's text_offset (512 KiB before 5.8) and 64 KiB up to _stext. */
#define STEXT_MAX (UINT64_C(4) << 20)

static const char kexec_text[] = "Starting new kernel"; /* kernel/kexec_core.c, kernel_kexec() */
static const char mte_text[] =
	"detected: Memory Tagging Extension"; /* arch/arm64/kernel/cpufeature.c */

struct facts {
	bool kexec, mte;
};

int fcp_arm64_find_running(const struct fcp_guest_memory *view, struct fcp_guest_running *running_,
			   struct fcp_error *err)
{
	(void)view;
	(void)err;
	*running_ = (struct fcp_guest_running){0};
	return 0;
}

static bool has_text(const char *text, size_t bytes, const char *words)
{
	return memmem(text, bytes, words, strlen(words)) != NULL;
}

static void look_at_record(void *context, const char *text, size_t bytes)
{
	struct facts *facts = context;

	facts->kexec |= has_text(text, bytes, kexec_text);
	facts->mte |= has_text(text, bytes, mte_text);
}

int fcp_arm64_prove_running(const struct fcp_guest_running *running,
			    struct fcp_guest_kernel *kernel, struct fcp_error *err)
{
	const struct fcp_guest_note *note = &kernel->note;
	uint64_t stext = fcp_guest_image_gpa(note, note->stext);
	struct facts facts = {false, false};

	(void)running;
	if (stext - kernel->memory.regions[0].gpa >= STEXT_MAX)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "which kernel runs cannot be told: this one is not where "
				     "Firecracker loaded the kernel (kexec?)");
	if (fcp_guest_log_read(kernel, look_at_record, &facts, err) < 0)
		return fcp_error_wrap(err, "which kernel runs cannot be told");
	if (facts.kexec)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "this kernel has started another one (kexec)");
	/* Its tags are not in a memory file. Seen as long as the log goes back to the boot. */
	if (facts.mte)
		return fcp_error_set(
			err, FCP_ERR_UNSUPPORTED, 0,
			"the guest uses memory tagging (MTE), whose tags a memory file "
			"does not hold");
	return 0;
}
