// SPDX-License-Identifier: Apache-2.0
#include "net/curl.h"

#include "net/load.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static struct fcp_curl curl;
static struct fcp_error load_error;
static pthread_once_t loaded = PTHREAD_ONCE_INIT;

static const struct {
	const char *name;
	void *slot;
} symbols[] = {
	{"curl_global_init", &curl.global_init},
	{"curl_easy_init", &curl.easy_init},
	{"curl_easy_cleanup", &curl.easy_cleanup},
	{"curl_easy_reset", &curl.easy_reset},
	{"curl_easy_setopt", &curl.easy_setopt},
	{"curl_easy_getinfo", &curl.easy_getinfo},
	{"curl_easy_strerror", &curl.easy_strerror},
	{"curl_multi_init", &curl.multi_init},
	{"curl_multi_cleanup", &curl.multi_cleanup},
	{"curl_multi_add_handle", &curl.multi_add_handle},
	{"curl_multi_remove_handle", &curl.multi_remove_handle},
	{"curl_multi_perform", &curl.multi_perform},
	{"curl_multi_poll", &curl.multi_poll},
	{"curl_multi_info_read", &curl.multi_info_read},
	{"curl_slist_append", &curl.slist_append},
	{"curl_slist_free_all", &curl.slist_free_all},
};

/* Debian's two builds, with the same interface. */
static void *open_library(void)
{
	void *library = dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL);

	return library ? library : dlopen("libcurl-gnutls.so.4", RTLD_LAZY | RTLD_LOCAL);
}

static void load_libcurl(void)
{
	void *library = open_library();

	if (!library) {
		fcp_error_set(&load_error, FCP_ERR_UNSUPPORTED, 0, "libcurl cannot be loaded: %s",
			      dlerror());
		return;
	}
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *function = dlsym(library, symbols[i].name);

		if (!function) {
			fcp_error_set(&load_error, FCP_ERR_UNSUPPORTED, 0,
				      "libcurl is too old: no %s", symbols[i].name);
			return;
		}
		*(void **)symbols[i].slot = function;
	}
	/*
	 * Without TLS: Firecracker's socket and envd speak plain HTTP, and initialising it takes
	 * milliseconds.
	 */
	if (curl.global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
		fcp_error_set(&load_error, FCP_ERR_MEMORY, 0, "libcurl cannot be initialised");
}

const struct fcp_curl *fcp_curl_load(struct fcp_error *err)
{
	pthread_once(&loaded, load_libcurl);
	if (load_error.error_class == FCP_ERR_NONE)
		return &curl;
	*err = load_error;
	return NULL;
}

void fcp_net_load(void)
{
	struct fcp_error ignored;

	fcp_curl_load(&ignored);
}
