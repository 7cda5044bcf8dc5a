// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_NET_URL_H
#define FCP_NET_URL_H

#include "base/error.h"

/*
 * Is it http://HOST[:PORT][/PATH] (the scheme is optional), with a name, an IPv4 or a bracketed
 * IPv6 address as host? FCP_ERR_USAGE says what is wrong. A user or password is refused, since URLs
 * are shown in messages and results; the message does not show such a URL.
 */
int fcp_url_check(const char *url, struct fcp_error *err);

/* The same for another service: http:// or https://, and the scheme is not optional. */
int fcp_service_url_check(const char *url, struct fcp_error *err);

/* Does it begin with https://? */
bool fcp_url_is_tls(const char *url);

bool fcp_url_has_port(const char *url);

/* Of a URL that was checked: the port that is connected to, 80 or 443 where it names none. */
uint16_t fcp_url_port(const char *url);

/*
 * The host, without the brackets of an IPv6 address, and *path_: what follows host and port, "" or
 * from its slash on. false: there is no host, or it does not fit.
 */
bool fcp_url_split(const char *url, char *host_, size_t bytes, const char **path_);

/* Of a URL that was checked: is the host an address, so that nobody is asked for it? */
bool fcp_url_has_address(const char *url);

#endif
