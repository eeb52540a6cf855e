# SPDX-License-Identifier: Apache-2.0
"""The commands of ``filterd`` by their names; what is not called is not imported.

All of them together take most of a second to import, on a small board several, and
most of that is for a few. Only the whole help, and words that call no command, need all.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from filterd.cli.context import ConfigOption, LangOption, StateOption
from filterd.version import __version__

_HELP = """The DNS filter of a school: every lookup answered by age tier.

`filterd COMMAND --help` tells more of one. What `allow`, `room set`, `exam start` and
the like change is in force at once, is on record with who and why, and can be taken
back by `undo`.

Exit code 0: done, or the name passes; 1: it is blocked, or nothing was found; 2: it
cannot be told, or something is wrong.
"""

_GROUPS = {
    "lists": "lists",
    "policy": "policy_group",
    "log": "log",
    "exceptions": "exceptions",
    "room": "room",
    "exam": "exam",
    "services": "services",
    "history": "history",
    "clock": "clock",
    "feed": "feed",
}
"""The module of each group, which has it as ``app``."""
_COMMANDS = {
    "allow": ("exceptions", "allow"),
    "block": ("exceptions", "block"),
    "undo": ("history", "undo"),
    "report-mistake": ("report_mistake", "report_mistake"),
    "serve": ("serve", "serve"),
    "sync": ("sync", "sync"),
    "check": ("check", "check"),
    "reload": ("status", "reload"),
    "status": ("status", "status"),
    "init": ("init", "init"),
}
"""The module and the function of each command that is in no group."""


def of(words: Sequence[str]) -> typer.Typer:
    """Return ``filterd`` with the command that these words call; with all where they call none.

    Args:
        words: after ``filterd``.
    """
    name = words[0] if words else ""
    app = typer.Typer(
        name="filterd",
        help=_HELP,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_before)
    is_one = name in {*_GROUPS, *_COMMANDS, "--version"}
    for group, module in _GROUPS.items():
        if not is_one or group == name:
            app.add_typer(_module(module).app, name=group)
    for command, (module, function) in _COMMANDS.items():
        if not is_one or command == name:
            app.command(command)(getattr(_module(module), function))
    return app


def whole() -> typer.Typer:
    """Return ``filterd`` with all its commands."""
    return of(())


def _module(name: str) -> Any:
    return import_module(f"filterd.cli.{name}")


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"filterd {__version__}\n")
        raise typer.Exit


def _before(
    given: typer.Context,
    config: ConfigOption = None,
    state: StateOption = None,
    lang: LangOption = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    given.obj = {"config": config, "state": state, "lang": lang}
