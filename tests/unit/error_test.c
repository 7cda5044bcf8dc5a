// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/outcome.h"

#include "tap.h"

#include <errno.h>

static void setting(void)
{
	struct fcp_error err = {.http_status = 500};

	ok(fcp_error_set(&err, FCP_ERR_INPUT, 0, "%s: line %d", "file", 3) == -1, "-1 is returned");
	is_str(err.message, "file: line 3", "the message");
	ok(err.error_class == FCP_ERR_INPUT && err.errnum == 0 && err.http_status == 0,
	   "the class, and nothing of the error before");
	fcp_error_set(&err, FCP_ERR_IO, ENOENT, "file");
	is_str(err.message, "file: No such file or directory", "with errno its text is behind it");
	ok(err.errnum == ENOENT, "... and its number kept");
	fcp_error_set(&err, FCP_ERR_IO, 99999, "file");
	is_str(err.message, "file: unknown error", "an errno that is none");
	errno = EBUSY;
	fcp_error_set(&err, FCP_ERR_IO, ENOENT, "file");
	ok(err.errnum == ENOENT, "errno is what was given, not what it is by now");
}

static void wrapping(void)
{
	struct fcp_error err;

	fcp_error_set(&err, FCP_ERR_SERVER, 0, "why");
	err.http_status = 400;
	ok(fcp_error_wrap(&err, "while %s", "asking") == -1, "-1 is returned");
	is_str(err.message, "while asking: why", "the context is in front");
	ok(err.error_class == FCP_ERR_SERVER && err.http_status == 400, "the rest stays");
	fcp_error_set(&err, FCP_ERR_IO, 0, "of %s", err.message);
	is_str(err.message, "of while asking: why", "a message may quote the one it replaces");
	fcp_error_wrap(&err, "%s", err.message);
	has_str(err.message, "of while asking: why: of while", "... and so may a context");
}

static void lengths(void)
{
	char long_text[2000];
	struct fcp_error err;

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	fcp_error_set(&err, FCP_ERR_IO, 0, "%s", long_text);
	is_u64(strlen(err.message), sizeof(err.message) - 1, "a message too long is cut");
	fcp_error_set(&err, FCP_ERR_IO, ENOSPC, "%s", long_text);
	has_str(err.message, "No space left on device", "... in front of errno's text");
	fcp_error_wrap(&err, "%s", long_text);
	ok(strlen(err.message) < sizeof(err.message), "a context too long is cut");
	fcp_error_set(&err, FCP_ERR_IO, 0, "the reason");
	fcp_error_wrap(&err, "%s", long_text);
	has_str(err.message, ": the reason", "... so that the reason is still there");
}

static void names(void)
{
	is_str(fcp_error_class_name(FCP_ERR_NONE), "none", "the first class");
	is_str(fcp_error_class_name(FCP_ERR_INTERRUPTED), "interrupted", "a class");
	is_str(fcp_error_class_name(FCP_ERR_NOT_RESTORED), "left", "the last class");
	is_str(fcp_error_class_name((enum fcp_error_class)1000), "unknown", "a class that is none");
	is_str(fcp_status_name(FCP_STATUS_OK), "ok", "the first status");
	is_str(fcp_status_name(FCP_STATUS_FAILED), "failed", "the last status");
}

static void outcomes(void)
{
	struct fcp_outcome outcome = {.ms = 5};
	struct fcp_error err;

	fcp_outcome_set(&outcome, FCP_STATUS_TIMEOUT, "after %d", 7);
	ok(outcome.status == FCP_STATUS_TIMEOUT && outcome.ms > 4, "a status, and ms stays");
	is_str(outcome.reason, "after 7", "... with its reason");
	fcp_outcome_set(&outcome, FCP_STATUS_OK, NULL);
	is_str(outcome.reason, "", "ok has none");
	ok(fcp_outcome_finish(&outcome, 0, 0, NULL) == 0 && outcome.status == FCP_STATUS_OK,
	   "a step that ran keeps its status");
	fcp_error_set(&err, FCP_ERR_UNSUPPORTED, 0, "no balloon");
	ok(fcp_outcome_finish(&outcome, 0, -1, &err) == 0 &&
		   outcome.status == FCP_STATUS_UNSUPPORTED,
	   "what is not possible here is an outcome");
	is_str(outcome.reason, "no balloon", "... with the error's message");
	fcp_error_set(&err, FCP_ERR_IO, 0, "no disk");
	ok(fcp_outcome_finish(&outcome, 0, -1, &err) == -1 && outcome.status == FCP_STATUS_FAILED,
	   "any other error is a failure");
	is_str(outcome.reason, "no disk", "... with its message");
}

int main(void)
{
	setting();
	wrapping();
	lengths();
	names();
	outcomes();
	return done();
}
