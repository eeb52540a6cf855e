# SPDX-License-Identifier: Apache-2.0
"""Floor 8: the command line. Parse arguments, call one function, print, choose the exit code.

Exit codes: 0 done, or the name passes; 1 the name is blocked; 2 it cannot be
shown, or the usage or configuration is wrong.

``entry`` begins: it reads a plain ``serve`` and leaves all else to ``app``, which prints
errors. ``tree`` imports the module of the command that is called; ``context`` gives it the
common options; ``language`` finds the site and its language. ``help_pages`` draws help,
``usage`` translates usage errors, ``render`` draws rows (``filterd.rows``) as table or JSON.
``effective_state`` asks the daemon, ``offline_site`` reads the disk where none runs, and is
imported only then. Most other modules hold a group of commands.
"""
