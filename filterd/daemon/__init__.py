# SPDX-License-Identifier: Apache-2.0
"""Floor 6: the serving processes and their sockets.

::

    main        assembles the processes
    supervisor -- owns the sockets, forks the others and replaces them
      |- listening_sockets: opened, or taken again from systemd's store after a restart
      |- manager -- reloads (site_loader), changes by command (change_service), status, the
      |     |       log (log_collector, lookup_collector), real questions of self_tests,
      |     |       the control socket (control_server, control_commands,
      |     |       control_followers); a worker_channel to each worker
      |     |- shared_page: the epoch in force, heartbeats -- shared memory
      |     '- sealed_sites: the policy and lists in force, which no process can change
      '- worker ... -- answers: fastpath.udp_listener and tcp_listener in front of the chain;
                       lookup_recorder beside it; feeds systemd's watchdog

``manager_main`` assembles the manager. ``site_loader`` makes a ``Site`` from files, by the
policy that ``site_policy`` chooses and with one of ``verified_indexes``; ``site_activation`` puts
it in force in all processes; ``current_site`` is the one in force in a worker. ``timekeeper`` reads
the clock, which ``known_time`` bounds. ``device_discovery`` and ``watch_recorders`` watch rooms
and devices for a while. ``live_lookups`` streams lookups from the workers to commands.

A command of the control socket comes from a ``control_caller``. Most are in the module of their
subject::

    changes       change_service, change_records, resolved_request
    people        account_commands, api_token_commands, sign_in_commands; account_state
    the site      site_drafts, list_commands (done by list_decisions and
                  safe_search_check), restore_commands
    the log       log_commands, log_request, totals_commands, disclosed_totals,
                  what_if_commands
    reports       report_commands, inspection_commands; gathered_facts
    pupils' page  review_commands
    status        status_parts, status_files, worker_sums

``feed_port`` is the daemon as the follower of the feed uses it, from outside, and
``policy_reader`` the policy as commands read it.

Invariants: a question that a dead worker has not read waits in the kernel for
the worker that replaces it. A reload takes effect in all workers or in none: each prepares
it before the epoch moves, and after that none answers by the site before. A change by
command is recorded first, and then in force in all workers, whichever process ends.
"""
