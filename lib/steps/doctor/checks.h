// SPDX-License-Identifier: Apache-2.0
/* The checks of fcp_doctor(), in groups. Shared by doctor.c and the files that implement them. */
#ifndef FCP_STEPS_DOCTOR_CHECKS_H
#define FCP_STEPS_DOCTOR_CHECKS_H

#include "base/error.h"
#include "firecracker/vm.h"

/* Room in the result; larger than the number of checks. */
#define FCP_CHECKS_MAX 16

struct fcp_doctor {
	const struct fcp_doctor_settings *settings;
	struct fcp_doctor_result *result;
	struct fcp_firecracker firecracker;
	bool answers;			   /* Firecracker answers, and has a VM */
	bool restored;			   /* from a file: it has a base */
	struct fcp_machine_config machine; /* valid if it answers */
};

/* What a check is about; all three in static storage. */
struct fcp_check_about {
	const char *name, *why, *what_to_do;
};

/* Adds a check; the caller sets its verdict. */
struct fcp_check *fcp_doctor_add(struct fcp_doctor *doctor, const struct fcp_check_about *about);

/* Sets the verdict and what was found. */
void fcp_check_set(struct fcp_check *check, enum fcp_verdict verdict, const char *format, ...)
	FCP_PRINTF(3, 4);

/*
 * vm.c: Firecracker, its process, guest memory, the guest's kernel, the writer, the balloon. -1:
 * interrupted.
 */
int fcp_doctor_vm(struct fcp_doctor *doctor, struct fcp_error *err);

/* target.c: the memory file's directory: permissions, reflinks, attributes, free space. */
int fcp_doctor_target(struct fcp_doctor *doctor, struct fcp_error *err);

/* envd.c: envd, and the guest's tools. */
int fcp_doctor_envd(struct fcp_doctor *doctor, struct fcp_error *err);

#endif
