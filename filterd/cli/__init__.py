# SPDX-License-Identifier: Apache-2.0
"""Floor 8: the command line. Parse arguments, call one function, print, choose the exit code.

Exit codes: 0 done, or the name passes; 1 the name is blocked, or nothing was found; 2 an
error; more in ``filterd.base.errors``.

``entry`` begins: it reads a plain ``serve`` and leaves all else to ``app``, which prints
errors, those of usage too. ``tree`` imports the module of the command that is called;
``context`` gives it the common options, ``binding`` those of a request, or makes the whole of
an operation; ``language`` finds the site and its language.
``help_pages`` draws help, ``completion`` completes words, ``render`` draws rows
(``filterd.texts.rows``) as table or JSON, and ``console`` prints all texts of others visibly.
``effective_state`` asks the daemon, ``offline_site`` reads the disk where none runs, and is
imported only then; ``change_request`` asks for a change.

The commands are in a package for each subject, in the module that ``tree`` names:
``school`` (every day), ``policy``, ``lists``, ``log``, ``box`` (the machine), ``feed``. The other
modules here read what people write: ``target_options``, ``school_clock``, ``named_files``,
``spreadsheet``, ``terminal``.
"""
