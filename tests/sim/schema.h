// SPDX-License-Identifier: Apache-2.0
/* The bodies of the API's requests: fields in Firecracker's order. */
#ifndef SIM_SCHEMA_H
#define SIM_SCHEMA_H

#include "serde.h"

extern const struct serde_struct schema_balloon;
extern const struct serde_struct schema_balloon_update;
extern const struct serde_struct schema_balloon_stats_update;
extern const struct serde_struct schema_start_hinting;
extern const struct serde_struct schema_hotplug;
extern const struct serde_struct schema_hotplug_update;
extern const struct serde_struct schema_action;
extern const struct serde_struct schema_snapshot_create;
extern const struct serde_struct schema_snapshot_load;
extern const struct serde_struct schema_vm;
extern const struct serde_struct schema_metrics;
extern const struct serde_struct schema_logger;
extern const struct serde_struct schema_machine;
extern const struct serde_struct schema_machine_update;
extern const struct serde_struct schema_boot_source;
extern const struct serde_struct schema_drive;
extern const struct serde_struct schema_drive_update;
extern const struct serde_struct schema_interface;

#endif
