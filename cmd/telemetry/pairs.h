// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_CMD_TELEMETRY_PAIRS_H
#define FCP_CMD_TELEMETRY_PAIRS_H

/*
 * Calls visit for each "KEY=VALUE" in a comma-separated list, as in OpenTelemetry's variables (W3C
 * Baggage: spaces around keys and values are ignored, values are percent-encoded; here, properties
 * after a semicolon are part of the value). Entries without "=" or without a key are ignored. list
 * may be NULL.
 */
void pairs_each(const char *list, void (*visit)(const char *key, const char *value, void *arg),
		void *arg);

#endif
