// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_CMD_TELEMETRY_PAIRS_H
#define FCP_CMD_TELEMETRY_PAIRS_H

/*
 * Calls visit for each "KEY=VALUE" of a list with commas between, as OpenTelemetry's variables hold
 * them (W3C Baggage: blanks around keys and values do not count, values are percent-encoded,
 * properties behind a semicolon are part of the value here). What has no "=" or no key is passed
 * over. list NULL: nothing.
 */
void pairs_each(const char *list, void (*visit)(const char *key, const char *value, void *arg),
		void *arg);

#endif
