# SPDX-License-Identifier: Apache-2.0
# Pauses all VMs of every client node:
#
#   nomad job run fcpause-pause.nomad.hcl
#   nomad job dispatch -meta sockets='/run/firecracker/*.sock' -meta output=/var/lib/fcpause fcpause-pause
job "fcpause-pause" {
  type = "sysbatch"

  parameterized {
    payload       = "forbidden"
    meta_required = ["sockets", "output"]
    meta_optional = ["jobs"]
  }

  meta {
    jobs = "4"
  }

  group "pause" {
    # What was done is not done again: the report of the attempt before is kept in the allocation.
    restart {
      attempts = 2
      interval = "30m"
      delay    = "15s"
      mode     = "fail"
    }

    task "pause" {
      driver = "raw_exec"

      # A stop lets those at work come to their end, and begins no more.
      kill_signal  = "SIGTERM"
      kill_timeout = "120s"

      config {
        command = "/bin/bash"
        args    = ["${NOMAD_TASK_DIR}/pause"]
      }

      template {
        destination = "local/pause"
        perms       = "755"
        data        = <<-EOT
          shopt -s nullglob
          report=$NOMAD_ALLOC_DIR/data/report.ndjson
          touch "$report"
          sockets=($NOMAD_META_SOCKETS)
          [ $${#sockets[@]} -gt 0 ] || exit 0
          exec fcpause-pause-many --jobs "$NOMAD_META_JOBS" --output "$NOMAD_META_OUTPUT" --resume "$report" \
            <(printf '%s\n' "$${sockets[@]}") >>"$report"
        EOT
      }

      resources {
        cpu    = 500
        memory = 256
      }
    }
  }
}
