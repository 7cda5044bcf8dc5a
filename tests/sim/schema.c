// SPDX-License-Identifier: Apache-2.0
#include "schema.h"

#define MUST(n, k)                                     \
	{                                              \
		.name = n, .kind = k, .required = true \
	}
#define MAY(n, k)                    \
	{                            \
		.name = n, .kind = k \
	}
#define MAY_NULL(n, k)                                 \
	{                                              \
		.name = n, .kind = k, .nullable = true \
	}
#define MAY_ENUM(n, v)                                       \
	{                                                    \
		.name = n, .kind = SERDE_ENUM, .variants = v \
	}
#define MUST_ENUM(n, v)                                                        \
	{                                                                      \
		.name = n, .kind = SERDE_ENUM, .variants = v, .required = true \
	}
#define NULL_ENUM(n, v)                                                        \
	{                                                                      \
		.name = n, .kind = SERDE_ENUM, .variants = v, .nullable = true \
	}
#define END               \
	{                 \
		.name = 0 \
	}

const struct serde_struct schema_balloon =
	{"BalloonDeviceConfig", true,
	 (const struct serde_field[]){MUST("amount_mib", SERDE_U32),
				      MUST("deflate_on_oom", SERDE_BOOL),
				      MAY("stats_polling_interval_s", SERDE_U16),
				      MAY("free_page_hinting", SERDE_BOOL),
				      MAY("free_page_reporting", SERDE_BOOL), END}};

const struct serde_struct schema_balloon_update = {"BalloonUpdateConfig", true,
						   (const struct serde_field[]){MUST("amount_mib",
										     SERDE_U32),
										END}};

const struct serde_struct schema_balloon_stats_update =
	{"BalloonUpdateStatsConfig", true,
	 (const struct serde_field[]){MUST("stats_polling_interval_s", SERDE_U16), END}};

const struct serde_struct schema_start_hinting =
	{"StartHintingCmd", false,
	 (const struct serde_field[]){MAY("acknowledge_on_stop", SERDE_BOOL), END}};

const struct serde_struct schema_hotplug =
	{"MemoryHotplugConfig", true,
	 (const struct serde_field[]){MUST("total_size_mib", SERDE_U64),
				      MAY("block_size_mib", SERDE_U64),
				      MAY("slot_size_mib", SERDE_U64), END}};

const struct serde_struct schema_hotplug_update =
	{"MemoryHotplugSizeUpdate", true,
	 (const struct serde_field[]){MUST("requested_size_mib", SERDE_U64), END}};

static const char *const action_types[] = {"FlushMetrics", "InstanceStart", "SendCtrlAltDel", 0};
const struct serde_struct schema_action = {"ActionBody", true,
					   (const struct serde_field[]){MUST_ENUM("action_type",
										  action_types),
									END}};

static const char *const snapshot_types[] = {"Diff", "Full", 0};
const struct serde_struct schema_snapshot_create =
	{"CreateSnapshotParams", true,
	 (const struct serde_field[]){MAY_ENUM("snapshot_type", snapshot_types),
				      MUST("snapshot_path", SERDE_PATH),
				      MUST("mem_file_path", SERDE_PATH), END}};

static const char *const backend_types[] = {"File", "Uffd", 0};
static const struct serde_struct schema_backend =
	{"MemBackendConfig", true,
	 (const struct serde_field[]){MUST("backend_path", SERDE_PATH),
				      MUST_ENUM("backend_type", backend_types), END}};

const struct serde_struct schema_snapshot_load =
	{"LoadSnapshotConfig", true,
	 (const struct serde_field[]){MUST("snapshot_path", SERDE_PATH),
				      MAY_NULL("mem_file_path", SERDE_PATH),
				      {.name = "mem_backend",
				       .kind = SERDE_STRUCT,
				       .nullable = true,
				       .type = &schema_backend},
				      MAY("enable_diff_snapshots", SERDE_BOOL),
				      MAY("track_dirty_pages", SERDE_BOOL),
				      MAY("resume_vm", SERDE_BOOL),
				      MAY("network_overrides", SERDE_ANY),
				      MAY_NULL("vsock_override", SERDE_ANY),
				      MAY("clock_realtime", SERDE_BOOL),
				      END}};

static const char *const vm_states[] = {"Paused", "Resumed", 0};
const struct serde_struct schema_vm = {"Vm", true,
				       (const struct serde_field[]){MUST_ENUM("state", vm_states),
								    END}};

const struct serde_struct schema_metrics = {"MetricsConfig", false,
					    (const struct serde_field[]){MUST("metrics_path",
									      SERDE_PATH),
									 END}};

const struct serde_struct schema_logger =
	{"LoggerConfig", true,
	 (const struct serde_field[]){MAY_NULL("log_path", SERDE_PATH),
				      MAY_NULL("level", SERDE_STRING),
				      MAY_NULL("show_level", SERDE_BOOL),
				      MAY_NULL("show_log_origin", SERDE_BOOL),
				      MAY_NULL("module", SERDE_STRING), END}};

static const char *const templates[] = {"C3", "T2", "T2S", "T2CL", "T2A", "V1N1", "None", 0};
static const char *const huge_pages[] = {"None", "2M", 0};
const struct serde_struct schema_machine =
	{"MachineConfig", true,
	 (const struct serde_field[]){MUST("vcpu_count", SERDE_U8), MUST("mem_size_mib", SERDE_U64),
				      MAY("smt", SERDE_BOOL), NULL_ENUM("cpu_template", templates),
				      MAY("track_dirty_pages", SERDE_BOOL),
				      MAY_ENUM("huge_pages", huge_pages), END}};

const struct serde_struct schema_machine_update =
	{"MachineConfigUpdate", true,
	 (const struct serde_field[]){MAY_NULL("vcpu_count", SERDE_U8),
				      MAY_NULL("mem_size_mib", SERDE_U64),
				      MAY_NULL("smt", SERDE_BOOL),
				      NULL_ENUM("cpu_template", templates),
				      MAY_NULL("track_dirty_pages", SERDE_BOOL),
				      NULL_ENUM("huge_pages", huge_pages), END}};

const struct serde_struct schema_boot_source =
	{"BootSourceConfig", true,
	 (const struct serde_field[]){MUST("kernel_image_path", SERDE_STRING),
				      MAY_NULL("initrd_path", SERDE_STRING),
				      MAY_NULL("boot_args", SERDE_STRING), END}};

static const char *const cache_types[] = {"Unsafe", "Writeback", 0};
static const char *const engines[] = {"Async", "Sync", 0};
const struct serde_struct schema_drive =
	{"BlockDeviceConfig", true,
	 (const struct serde_field[]){MUST("drive_id", SERDE_STRING),
				      MAY_NULL("partuuid", SERDE_STRING),
				      MUST("is_root_device", SERDE_BOOL),
				      MAY_ENUM("cache_type", cache_types),
				      MAY_NULL("is_read_only", SERDE_BOOL),
				      MAY_NULL("path_on_host", SERDE_STRING),
				      MAY_NULL("rate_limiter", SERDE_ANY),
				      NULL_ENUM("io_engine", engines),
				      MAY_NULL("socket", SERDE_STRING), END}};

const struct serde_struct schema_drive_update =
	{"BlockDeviceUpdateConfig", true,
	 (const struct serde_field[]){MUST("drive_id", SERDE_STRING),
				      MAY_NULL("path_on_host", SERDE_STRING),
				      MAY_NULL("rate_limiter", SERDE_ANY), END}};

const struct serde_struct schema_interface =
	{"NetworkInterfaceConfig", true,
	 (const struct serde_field[]){MUST("iface_id", SERDE_STRING),
				      MUST("host_dev_name", SERDE_STRING),
				      MAY_NULL("guest_mac", SERDE_STRING),
				      MAY_NULL("mtu", SERDE_U16),
				      MAY_NULL("rx_rate_limiter", SERDE_ANY),
				      MAY_NULL("tx_rate_limiter", SERDE_ANY), END}};
