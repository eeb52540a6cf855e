# SPDX-License-Identifier: Apache-2.0
"""Floor 6: the serving processes and their sockets.

::

    main        assembles the processes
    supervisor -- owns the sockets, forks the others and replaces them
      |- listening_sockets: opened, or taken again from systemd's store after a restart
      |- manager -- reloads (site_loader), changes by command (change_service), status, the
      |     |       log (log_collector, lookup_collector), real questions of the
      |     |       watchdog and of self_tests, the control socket (control_server,
      |     |       control_commands, control_followers); a worker_channel to each worker
      |     '- shared_page: the epoch in force, heartbeats -- shared memory
      '- worker ... -- answers: fastpath.udp_listener and tcp_listener in front of the chain;
                       lookup_recorder beside it

``site_loader`` makes a ``Site`` from files; ``current_site`` is the one in force.
``device_discovery`` and ``watch_recorders`` watch rooms and devices for a
while, ``timekeeper`` the clock.
``live_lookups`` streams lookups from the workers to commands that follow them.

Invariants: a question that a dead worker has not read waits in the kernel for
the next one. A reload takes effect in all workers or in none: each prepares it before
the epoch moves, and after that none answers by the one before. A change by command is
recorded first, and then in force in all workers, whichever process ends.
"""
