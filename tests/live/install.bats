#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# balloon-install on the real Firecracker, before and after boot.

load helpers

@test "before boot: the balloon is there, hinting armed" {
	configure
	fcp balloon-install --json --api-sock "$SOCK"
	expect 0
	expect_json '.status == "ok"' '.installed'
	api GET /balloon | jq -e '.amount_mib == 0 and .free_page_hinting and (.free_page_reporting | not)'
}

@test "again: it was there" {
	fcp balloon-install --json --api-sock "$SOCK"
	expect 0
	expect_json '.status == "ok"' '.installed == false'
}

@test "other settings: the difference is named, and nothing changed" {
	fcp balloon-install --json --api-sock "$SOCK" --deflate-on-oom
	expect 1
	expect_json '.status == "failed"' '.reason | contains("deflate_on_oom")'
	api GET /balloon | jq -e '.deflate_on_oom | not'
}

@test "hinting and reporting together" {
	configure
	fcp balloon-install --json --api-sock "$SOCK" --free-page-reporting
	expect 0
	api GET /balloon | jq -e '.free_page_hinting and .free_page_reporting'
}

@test "after boot: an equal one is fine, another is not" {
	boot --no-wait
	fcp balloon-install --json --api-sock "$SOCK"
	expect 0
	expect_json '.installed == false'
	fcp balloon-install --json --api-sock "$SOCK" --deflate-on-oom
	expect 1
}

@test "after boot without one: not supported, with the reason" {
	boot --no-balloon --no-wait
	fcp balloon-install --json --api-sock "$SOCK"
	expect 3
	expect_json '.status == "unsupported"' '.reason | contains("boot")'
}
