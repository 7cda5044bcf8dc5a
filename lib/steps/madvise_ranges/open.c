// SPDX-License-Identifier: Apache-2.0
#include "base/deadline.h"
#include "memory/attributes.h"
#include "memory/identity.h"
#include "steps/madvise_ranges/run.h"
#include "steps/memory_file.h"

#include <unistd.h>

#define WAIT_NS 20000000 /* between attempts while another fcpause uses the file */

static int open_mem_file(struct fcp_madvise_run *run, struct fcp_error *err)
{
	if (run->borrowed)
		return fcp_file_check(&run->file, &run->size_bytes, err);
	return fcp_memory_file_open(&run->file, !run->settings->keep, &run->size_bytes, err);
}

static int claim_mem_file(struct fcp_madvise_run *run, struct fcp_error *err)
{
	int claimed = fcp_claim_take(run->file.fd, run->file.name,
				     run->settings->keep ? FCP_CLAIM_READ : FCP_CLAIM_WRITE,
				     &run->claim, err);

	run->claimed = true;
	run->file.claim = &run->claim;
	return claimed;
}

void fcp_madvise_close(struct fcp_madvise_run *run)
{
	if (run->claimed)
		fcp_claim_release(&run->claim);
	if (run->file.fd >= 0 && !run->borrowed)
		close(run->file.fd);
	if (!run->borrowed)
		run->file.fd = -1;
	run->claimed = false;
	run->file.claim = NULL;
}

/* Resolved anew each time: the path may lead to another file by then. */
int fcp_madvise_open(struct fcp_madvise_run *run, struct fcp_error *err)
{
	fcp_deadline deadline = fcp_deadline_in_ms(run->settings->wait_lock_ms);

	while (open_mem_file(run, err) < 0 || claim_mem_file(run, err) < 0) {
		if (err->error_class != FCP_ERR_LOCKED || fcp_deadline_passed(deadline))
			return -1;
		fcp_madvise_close(run);
		if (fcp_wait_ns(WAIT_NS, run->file.cancel_fd))
			return fcp_error_set(
				err, FCP_ERR_INTERRUPTED, 0,
				"%.200s: interrupted while another fcpause is using it",
				run->file.name);
	}
	/* Read under the claim, so that a later change can be told. */
	return fcp_identity_read(run->file.fd, run->file.name, &run->result->file, err);
}

/* Only we have changed the file, so its record stays valid. */
int fcp_madvise_end_changes(struct fcp_madvise_run *run, struct fcp_error *err)
{
	if (run->punched_bytes == 0)
		return 0;
	if (fcp_claim_check_end(&run->claim, run->file.name, err) != 0)
		return fcp_error_wrap(err, "%llu bytes were released",
				      (unsigned long long)run->punched_bytes);
	if (run->recorded && !fcp_claim_lost(&run->claim))
		fcp_attributes_renew(run->file.fd);
	return 0;
}
