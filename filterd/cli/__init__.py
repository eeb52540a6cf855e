# SPDX-License-Identifier: Apache-2.0
"""Floor 7: the command line. Parse arguments, call one function, print, choose the exit code.

Exit codes: 0 done, or the name passes; 1 the name is blocked; 2 it cannot be
told, or the usage or configuration is wrong.

``entry`` is where all of it begins: it knows a plain ``serve``, and leaves the rest to
``app``, the one place that turns errors into lines; ``tree`` finds the command that is
called, ``policy_group`` puts one group together; ``help_pages`` draws its help, and
``usage`` tells what is wrong with its words; ``defaults``, ``language`` and ``context``
are what every command needs; ``offline_site`` reads the files on disk and what a person wrote;
``lists_build`` compiles lists; ``render`` draws; ``daemon.main`` is the process that ``serve``
becomes. Most other modules hold a group of commands; ``words`` are its vocabularies.
"""
