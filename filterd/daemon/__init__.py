# SPDX-License-Identifier: Apache-2.0
"""Floor 6: the serving processes and their sockets.

::

    main -- becomes the supervisor, which forks the others
      |
      |- manager_main -- assembles the manager: handlers in front of it
      |     handlers/   the control socket, a module a subject of its commands
      |     manager/    conducts: reloads, changes by command, status, the log
      |     time/       the time by which policy holds
      |
      '- serving/       supervisor and workers: sockets, and the chain behind them

What these processes share::

    process             the folders, clocks and memory that each of them gets
    shared_page         the epoch in force, heartbeats -- shared memory
    sealed_sites        the policy and lists in force, which no process can change
      verified_indexes  checked before they are used
    worker_channel      the manager's requests to a worker; worker_sums: its counts
    live_lookups        lookups from the workers to commands; log_request: which ones
    watch_recorders     rooms and devices, watched for a while

Beside the daemon::

    feed_port           the daemon as the follower of the feed uses it, from outside
    policy_reader       the policy for a process beside the daemon
    list_decisions      what a school decides on lists, in a child of the manager
    safe_search_check   twins of safe search, asked in a child of the manager

Imports go downwards: handlers, manager, serving or time, what they share.

Invariants: a question that a dead worker has not read waits in the kernel for
the worker that replaces it. A reload takes effect in all workers or in none: each prepares
it before the epoch moves, and after that none answers by the site before. A change by
command is recorded first, and then in force in all workers, whichever process ends.
"""
