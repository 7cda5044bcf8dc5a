// SPDX-License-Identifier: Apache-2.0
/*
 * A server of answers: linked with --wrap=fcp_http_open, fcp_http_close, fcp_http_observe,
 * fcp_http_name, fcp_http_has_answered and fcp_http_send (http.wrap). Each request gets the next
 * answer of an input: a byte for the status, then the body, up to a byte 0x1e.
 */
#ifndef FCP_TESTS_FUZZ_PARSERS_HTTP_H
#define FCP_TESTS_FUZZ_PARSERS_HTTP_H

#include "fuzz.h"

#define ANSWER_END 0x1e

/* What will be answered; piece: how many bytes of a body a sink gets at once, 0: all. */
void http_serve(struct bytes answers, size_t piece);

#endif
