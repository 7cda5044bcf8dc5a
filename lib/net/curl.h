// SPDX-License-Identifier: Apache-2.0
/*
 * libcurl, loaded when the first connection is opened. Linking it would load some thirty libraries
 * at every start (7 of the 8 ms that a start would take), even for commands that make no request.
 */
#ifndef FCP_NET_CURL_H
#define FCP_NET_CURL_H

#include "base/error.h"

#include <curl/curl.h>

/* The functions of libcurl that lib/net uses, under their own names. */
struct fcp_curl {
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_cleanup) *easy_cleanup;
	__typeof__(curl_easy_reset) *easy_reset;
	CURLcode (*easy_setopt)(CURL *handle, CURLoption option, ...);
	CURLcode (*easy_getinfo)(CURL *handle, CURLINFO info, ...);
	__typeof__(curl_easy_strerror) *easy_strerror;
	__typeof__(curl_multi_init) *multi_init;
	__typeof__(curl_multi_cleanup) *multi_cleanup;
	__typeof__(curl_multi_add_handle) *multi_add_handle;
	__typeof__(curl_multi_remove_handle) *multi_remove_handle;
	__typeof__(curl_multi_perform) *multi_perform;
	__typeof__(curl_multi_poll) *multi_poll;
	__typeof__(curl_multi_info_read) *multi_info_read;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free_all;
};

/*
 * The loaded library: static storage, the same at every call and in every thread. NULL with
 * FCP_ERR_UNSUPPORTED if it is not installed.
 */
const struct fcp_curl *fcp_curl_load(struct fcp_error *err);

#endif
