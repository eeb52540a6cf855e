# SPDX-License-Identifier: Apache-2.0
"""Conduct: make the next site, put it in force, collect what was counted.

::

    manager             conducts, and does nothing itself
      change_service    a change by command: judged, recorded, then in force
        change_judgement  whether it may be made; guarded_openings: what has to end
        store_upkeep    the files of the history, kept on the disk
        change_records  the history as commands read it; resolved_request: words made whole
      site_loader       a ``Site`` from files, by the policy that site_policy chooses
      site_activation   puts a site in force in all processes, or in none
      site_trial        a site against expectations; worker_team: the channels to the workers
      log_collector     counts of the workers; lookup_collector: their lookups
        disclosed_totals  which of those a person may see
      status_summary    the state of the daemon, of status_parts and of what is counted
        status_parts    what a status says; status_files: what other processes left for it
      device_discovery  rooms and devices, watched for a while

A change is recorded first, and then in force in all workers, whichever process ends. A reload
takes effect in all workers or in none: each prepares it before the epoch moves, and after that
none answers by the site before.
"""
