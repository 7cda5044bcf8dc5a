#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# parallel.sh DIR SOCKET...: pauses VMs into DIR by GNU parallel alone, two at a time; run again, it does those
# that failed or were not begun. Prints a report a line. (fcpause-pause-many does more: it says which failed, and
# takes options of each VM.)
# SIGHUP lets those at work come to their end and begins no more. A VM is put right in seconds, so fcpause is
# not killed before a minute has gone.
set -eu
dir=$1
shift
mkdir -p "$dir"
# Its exit code is the number of those that failed.
exec parallel --plain --will-cite --quote --jobs 2 --joblog "$dir/joblog" --resume-failed --termseq TERM,60000,KILL,100 \
	fcpause pause --json --api-sock {} --snapshot-path "$dir/{/.}.snap" --mem-file-path "$dir/{/.}.mem" ::: "$@"
