#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# balloon-install:
#  - idempotent; GET /balloon first; equal is ok and says so
#  - amount 0, hinting armed whenever reporting is on
#  - after boot exit 3 with the reason
#  - a balloon that is there with other settings is an error that names the difference
#  - PUT /balloon refuses unknown fields, and everything after boot

load helpers

install() { fcp balloon-install --api-sock "$SIM_SOCK" --json "$@"; }

@test "it asks first, then installs: amount 0, hinting armed, reporting and deflation off" {
	sim_start --memory 16
	install
	expect 0
	expect_no_err
	expect_json '.command == "balloon-install"' '.status == "ok"' '.installed == true' '.ms > 0' \
		'.balloon == {"amount_mib": 0, "deflate_on_oom": false, "free_page_hinting": true,
		              "free_page_reporting": false}'
	expect_log <<-'E'
	GET /balloon
	PUT /balloon {"amount_mib":0,"deflate_on_oom":false,"free_page_hinting":true,"free_page_reporting":false}
	E
	sim_get /balloon | jq -e '.free_page_hinting and (.free_page_reporting | not) and .amount_mib == 0'
}

@test "a second time: ok, says that it was there, and sends nothing" {
	sim_start --memory 16
	install
	: >"$SIM_LOG"
	install
	expect 0
	expect_json '.status == "ok"' '.installed == false' '.balloon.free_page_hinting'
	expect_log <<-'E'
	GET /balloon
	E
	fcp balloon-install --api-sock "$SIM_SOCK"
	expect 0
	expect_out 'was there already'
}

@test "after boot with an equal balloon: ok" {
	vm
	install
	expect 0
	expect_json '.installed == false'
	expect_log <<-'E'
	GET /balloon
	E
}

@test "after boot without a balloon: exit 3 with the reason" {
	sim_start --boot --memory 16
	install
	expect 3
	expect_json '.status == "unsupported"' '.installed == false' '.reason | contains("before boot only")'
	expect_err 'before boot only'
	fcp balloon-install --api-sock "$SIM_SOCK" --best-effort
	expect 0
	expect_err 'warning: unsupported: '
}

@test "after boot with other settings: the difference is named, not the boot" {
	vm
	install --free-page-reporting
	expect 1
	expect_json '.error.class == "state"' '.error.message | contains("free_page_reporting is off, asked for on")'
}

@test "a balloon with other settings: an error that names each difference, and changes nothing" {
	sim_start --memory 16 --balloon \
		'{"amount_mib":8,"deflate_on_oom":true,"free_page_hinting":false,"free_page_reporting":false}'
	install --free-page-reporting
	expect 1
	expect_json '.status == "failed"' '.error.class == "state"' \
		'.error.message | contains("amount_mib is 8, asked for 0") and
		 contains("deflate_on_oom is on, asked for off") and
		 contains("free_page_hinting is off, asked for on") and
		 contains("free_page_reporting is off, asked for on")'
	expect_err 'amount_mib is 8, asked for 0'
	expect_log <<-'E'
	GET /balloon
	E
	install --amount-mib 8 --deflate-on-oom
	expect 1
	expect_json '.error.message | endswith("with other settings; free_page_hinting is off, asked for on")'
}

@test "every setting is sent as it was asked for" {
	sim_start --memory 16
	install --amount-mib 4 --deflate-on-oom --free-page-reporting
	expect 0
	expect_log <<-'E'
	GET /balloon
	PUT /balloon {"amount_mib":4,"deflate_on_oom":true,"free_page_hinting":true,"free_page_reporting":true}
	E
}

@test "hinting can be left off when reporting is off too" {
	sim_start --memory 16
	install --no-free-page-hinting --no-deflate-on-oom --no-free-page-reporting
	expect 0
	expect_log <<-'E'
	GET /balloon
	PUT /balloon {"amount_mib":0,"deflate_on_oom":false,"free_page_hinting":false,"free_page_reporting":false}
	E
}

@test "reporting without hinting is refused, exit 2, before any request" {
	sim_start --memory 16
	install --no-free-page-hinting --free-page-reporting
	expect 2
	expect_json '.error.class == "usage"'
	expect_no_requests
}

@test "by the environment" {
	sim_start --memory 16
	FCPAUSE_API_SOCK=$SIM_SOCK FCPAUSE_FREE_PAGE_REPORTING=yes FCPAUSE_AMOUNT_MIB=2 \
		fcp balloon-install --json
	expect 0
	expect_json '.balloon.amount_mib == 2' '.balloon.free_page_reporting' \
		'.settings.amount_mib == {"value": 2, "origin": "env"}'
}

@test "more than the guest has: Firecracker's own words, exit 1" {
	sim_start --memory 16
	install --amount-mib 17
	expect 1
	expect_json '.error.class == "server"' '.error.http_status == 400' '.error.message | contains("too large")'
}

@test "a status of 200 is a success too, as older specifications say" {
	sim_start --memory 16 --fault 'PUT /balloon status=200'
	install
	expect 0
	expect_json '.installed'
}

@test "the API fails, hangs, is cut, talks of something else: exit 1 with the class" {
	local fault class
	while read -r fault class; do
		SIM_NAME=${fault//[^a-z]/} sim_start --memory 16 --no-envd --fault "GET /balloon $fault"
		# Only what hangs is waited for.
		install --timeout-ms "$([ "$class" = timeout ] && echo 100 || echo 10000)"
		expect 1
		expect_json ".error.class == \"$class\"" '.error.message | contains("GET /balloon")'
	done <<-'E'
	status=500 server
	hang timeout
	reset protocol
	truncate protocol
	garbage protocol
	huge=2000000 protocol
	E
}

@test "nobody at the socket: exit 1, class connect" {
	fcp balloon-install --api-sock "$T/none" --json
	expect 1
	expect_json '.error.class == "connect"' '.error.message | contains("/none")'
}

@test "needs the socket" {
	fcp balloon-install
	expect 2
	expect_err '--api-sock PATH is needed (or FCPAUSE_API_SOCK)'
}

@test "the whole way: install, boot, drain" {
	sim_start --memory 16
	install
	expect 0
	sim_put /actions '{"action_type":"InstanceStart"}'
	fcp balloon-drain --api-sock "$SIM_SOCK" --json
	expect 0
	expect_json '.status == "ok"'
}
