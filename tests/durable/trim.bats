#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# madvise-ranges and the trim of pause where something happens in the middle of it: attributes that
# cannot be written, files that are opened meanwhile, other runs.

load helpers

@test "D2: no extended attributes, no room for them: the snapshot is good, and nothing is recorded" {
	vm
	for errno in EOPNOTSUPP EPERM ENOSPC EDQUOT EIO; do
		SHIM=("SHIM_FAULT=fsetxattr@1+=$errno")
		pause --type full --resume --force
		expect 0
		struck
		expect_json '.steps[2].created' '.steps[2].holes == "zero"' '.steps[2].id == null' \
			'.steps[3].holes == "zero"' '.steps[3].zero_bytes > 0'
	done
}
