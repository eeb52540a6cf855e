# SPDX-License-Identifier: Apache-2.0
"""Floor 6: processes and sockets.

::

    supervisor -- owns the sockets (listening), forks the others and keeps them
      |- manager -- reloads, changes, status, the log; the watchdog's real questions;
      |     |       speaks to the workers by a channel each
      |     '- page: the epoch in force, heartbeats -- shared memory
      '- worker ... -- answers: udp and tcp in front of the chain

``udp`` and ``tcp`` know nothing but bytes and addresses. ``datagrams`` takes
batches of them from the kernel and sends answers from where they were asked;
``fastpath`` answers at once what the chain has answered before or the policy's table
blocks, and ``relay`` asks for what nobody says a thing against; ``limiter`` says
which are served when there are too many, ``places`` which connections are kept;
``arrival`` tells how something came in, ``stepping`` runs a coroutine without a
task until it has to wait. ``state`` is what is on disk and how it becomes a
``Site``; ``active`` is the one that is in force at the moment. ``changes`` is what
commands change, ``watches`` and ``trials`` what they have watched for a while.

Invariants: a question that a dead worker has not read waits in the kernel for
the next one. A reload is in force in all workers or in none: each prepares it
before the epoch moves, and after that none answers by the one before. A change
by command is recorded first, and then in force in all workers, whoever dies.
"""
