# SPDX-License-Identifier: Apache-2.0
"""Floor 7: the command line. Parse arguments, call one function, print, choose the exit code.

Exit codes: 0 done, or the name passes; 1 the name is blocked; 2 it cannot be
told, or the usage or configuration is wrong.

``app`` puts the commands together and is the one place that turns errors into
lines; ``context`` is what every command needs; ``sites`` reads the files on disk
and what a person wrote; ``building`` compiles lists; ``render`` draws;
``serving`` is the process that ``serve`` becomes. Each other module holds a
group of commands.
"""
