// SPDX-License-Identifier: Apache-2.0
/* The checks of a doctor's run, in groups. Between doctor.c and the files that make them. */
#ifndef FCP_STEPS_DOCTOR_CHECKS_H
#define FCP_STEPS_DOCTOR_CHECKS_H

#include "base/error.h"
#include "firecracker/vm.h"

struct fcp_doctor {
	const struct fcp_doctor_settings *settings;
	struct fcp_doctor_result *result;
	struct fcp_firecracker firecracker;
	bool answers;			   /* Firecracker does, and has a VM */
	bool restored;			   /* from a file: there is a base */
	struct fcp_machine_config machine; /* if it answers */
};

/* What a check is about; static storage, all three. */
struct fcp_check_about {
	const char *name, *why, *what_to_do;
};

/* Adds a check that is not looked at yet. Its verdict and what was found are the caller's to fill in. */
struct fcp_check *fcp_doctor_add(struct fcp_doctor *doctor, const struct fcp_check_about *about);

/* The verdict, and what was found. */
void fcp_check_set(struct fcp_check *check, enum fcp_verdict verdict, const char *format, ...)
	FCP_PRINTF(3, 4);

/* doctor_vm.c: Firecracker, the process, guest memory, the guest's kernel, who can write, the balloon.
 * -1: interrupted. */
int fcp_doctor_vm(struct fcp_doctor *doctor, struct fcp_error *err);

/* doctor_target.c: the directory of the memory file: rights, reflinks, attributes, room. */
int fcp_doctor_target(struct fcp_doctor *doctor, struct fcp_error *err);

/* doctor_envd.c: envd, and what the guest has. */
int fcp_doctor_envd(struct fcp_doctor *doctor, struct fcp_error *err);

#endif
