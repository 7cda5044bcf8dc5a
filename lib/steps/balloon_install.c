// SPDX-License-Identifier: Apache-2.0
#include "base/call.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/lock.h"
#include "base/observer.h"
#include "base/outcome.h"
#include "base/text.h"
#include "firecracker/balloon.h"

#include <string.h>

static bool balloons_equal(const struct fcp_balloon *a, const struct fcp_balloon *b)
{
	return a->amount_mib == b->amount_mib && a->deflate_on_oom == b->deflate_on_oom &&
	       a->free_page_hinting == b->free_page_hinting &&
	       a->free_page_reporting == b->free_page_reporting;
}

/* "; amount_mib is 64, asked for 0" for each field that differs. */
static int balloon_differs_error(const struct fcp_balloon *is, const struct fcp_balloon *asked,
				 struct fcp_error *err)
{
	const struct {
		const char *name;
		bool is, asked;
	} switches[] = {
		{"deflate_on_oom", is->deflate_on_oom, asked->deflate_on_oom},
		{"free_page_hinting", is->free_page_hinting, asked->free_page_hinting},
		{"free_page_reporting", is->free_page_reporting, asked->free_page_reporting},
	};
	char text[256] = "";
	size_t used = 0;

	if (is->amount_mib != asked->amount_mib)
		used = (size_t)snprintf(text, sizeof(text), "; amount_mib is %lu, asked for %lu",
					(unsigned long)is->amount_mib,
					(unsigned long)asked->amount_mib);
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
		if (switches[i].is != switches[i].asked)
			used += (size_t)snprintf(text + used, sizeof(text) - used,
						 "; %s is %s, asked for %s", switches[i].name,
						 switches[i].is ? "on" : "off",
						 switches[i].asked ? "on" : "off");
	return fcp_error_set(err, FCP_ERR_STATE, 0, "there is a balloon with other settings%s",
			     text);
}

static int install_balloon(struct fcp_firecracker *firecracker, const struct fcp_balloon *asked,
			   struct fcp_balloon_install_result *result, struct fcp_error *err)
{
	bool present;

	if (fcp_balloon_get(firecracker, &present, &result->balloon, err) != 0)
		return -1;
	if (present) {
		if (!balloons_equal(&result->balloon, asked))
			return balloon_differs_error(&result->balloon, asked, err);
		return 0;
	}
	if (fcp_balloon_put(firecracker, asked, err) != 0) {
		if (err->error_class == FCP_ERR_SERVER && strstr(err->message, "after starting"))
			return fcp_error_set(
				err, FCP_ERR_UNSUPPORTED, 0,
				"the VM runs without a balloon, and one can be installed before "
				"boot only");
		return -1;
	}
	result->balloon = *asked;
	result->installed = true;
	return 0;
}

static int run_install(const struct fcp_balloon_install_settings *settings,
		       struct fcp_balloon_install_result *result, struct fcp_error *err)
{
	const struct fcp_lock_wait wait =
		fcp_lock_wait_for(settings->wait_lock_ms, settings->cancel_fd, settings->observer,
				  "balloon-install");
	FCP_CLEANUP(firecracker) struct fcp_firecracker firecracker = {0};
	FCP_CLEANUP(lock) struct fcp_lock lock = FCP_LOCK_NONE;

	if (settings->balloon.free_page_reporting && !settings->balloon.free_page_hinting)
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "free page reporting needs hinting armed too");
	if (fcp_lock_vm(settings->api_sock, &wait, &lock, err) != 0 ||
	    fcp_firecracker_open(settings->api_sock, settings->timeout_ms, settings->cancel_fd,
				 &firecracker, err) != 0)
		return -1;
	fcp_firecracker_observe(&firecracker, settings->observer);
	fcp_text_filter(lock.warning, result->warning, sizeof(result->warning));
	return install_balloon(&firecracker, &settings->balloon, result, err);
}

static int install_step(const struct fcp_balloon_install_settings *settings,
			struct fcp_balloon_install_result *result, struct fcp_error *err)
{
	const struct fcp_step step = fcp_step_begin(settings->observer, "balloon-install");

	int ran;

	*result = (struct fcp_balloon_install_result){0};
	ran = run_install(settings, result, err);
	fcp_step_warn(&step, result->warning);
	return fcp_step_finish(&step, &result->outcome, ran, err);
}

int fcp_balloon_install(const struct fcp_balloon_install_settings *settings,
			struct fcp_balloon_install_result *result, struct fcp_error *err)
{
	struct fcp_balloon_install_settings own_settings = FCP_BALLOON_INSTALL_SETTINGS_INIT;
	struct fcp_balloon_install_result own = FCP_BALLOON_INSTALL_RESULT_INIT;
	int ran;

	if (fcp_call_begin(&own_settings, settings, result, err) != 0)
		return -1;
	ran = install_step(&own_settings, &own, err);
	return fcp_call_end(result, &own, sizeof(own), ran);
}
