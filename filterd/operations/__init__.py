# SPDX-License-Identifier: Apache-2.0
"""Tell what a school does, once for the commands, the API and the socket. Pure.

An *operation* is a thing that a school does: its name, roles and address. What it takes is a
*request*, a frozen dataclass, which every face makes and the manager reads again::

    words --> cli: Allow(targets=…, term=…) -------+
    JSON  --> web: ALLOW.request.read(…) ----------+--> control socket --> daemon.handlers:
    form  --> web: ALLOW.request.read(…) ----------+    handled(Allow, handler)

To add one: a request and an ``Operation`` in the module of its subject here, a handler in
``daemon.handlers``, a line in ``cli.tree``; a function in ``cli`` where its command shows more than
a listing or a sentence; for a new subject a line in ``subjects``.
No Typer, no Starlette, no socket; workers do not load it.

``operation``       an operation
``request``         a request, and a change, which is one of the control command ``change``
``scopes``          which sessions and tokens may send a request; ``subjects``: all modules
``answers``         schemas of answers; ``changes``: of the answer to a change; ``explanation``
``parameters``      a kind of value a module, with a way to read it for each face

``status``          the state of the school, and a test of what is closed; ``alerts``, ``clock``
``reload``          put files and lists in force
``policy``          policies and grades, checks, trials; ``school``: matrix, week, own lesson
``lists``           lists in force, decisions on versions and public lists
``exceptions``      allow, block and pause
``exams``           limit a room to what an exam needs, and hear in a trial run what that is
``rooms``           rooms and timetables; ``devices``, ``classes``
``history``         the history, and undo; ``mistakes``: reports of mistakes of lists
``reports``         reports and the inspection record; ``report_questions``: filled in by people
``site``            edit ``site.yaml``
``review_requests`` what classes ask the school to open
``log``             rows and names of the query log; ``live_log``: as they happen
``log_levels``      how much it keeps; ``log_removal``: what it shall not have any more
``totals``          numbers of answers, and whether help was sought
``sessions``          sign in and out
``accounts``          who may sign in, and how
``api_tokens``        programs that ask in the name of an account
``enrolled_devices``  phones on which a PIN signs in
"""
