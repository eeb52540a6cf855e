# SPDX-License-Identifier: Apache-2.0
"""The help texts of all commands, found by walking the tree of commands."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import typer

from filterd.cli import tree
from filterd.cli.help_pages import paragraphs

if TYPE_CHECKING:
    from collections.abc import Iterator

_MANY = 3
"""An option of more commands than that belongs to none of them."""


def commands_in(command: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Return a command and those beneath it by the words that call them."""
    found = {path: command}
    for name, one in getattr(command, "commands", {}).items():
        found |= commands_in(one, (*path, name))
    return found


def whole() -> dict[tuple[str, ...], Any]:
    """Return every command of ``filterd``."""
    return commands_in(typer.main.get_command(tree.whole()))


def shown(command: Any) -> list[Any]:
    """Return the options but those that processes of filterd use among themselves."""
    given = command.get_params(typer.Context(command))
    return [one for one in given if not getattr(one, "hidden", False)]


def help_of(command: Any) -> set[str]:
    """Return the paragraphs of a command, and the help of its options."""
    return {*paragraphs(command.help or ""), *(one.help for one in shown(command) if one.help)}


def metavars_of(command: Any) -> set[str]:
    """Return the words that stand for values."""
    return {word for one in shown(command) if one.metavar for word in one.metavar.split()}


def help_texts() -> Iterator[tuple[str, str, str]]:
    """Yield each text of the help, its context in the catalogue, and a file that has it."""
    found: dict[tuple[str, str], set[str]] = {}
    for command in whole().values():
        place = _file_of(command)
        for text in help_of(command):
            found.setdefault((text, ""), set()).add(place)
        for word in metavars_of(command):
            found.setdefault((word, "value"), set()).add(place)
    for (text, context), places in found.items():
        for place in places if len(places) <= _MANY else ("filterd/cli/context.py",):
            yield text, context, place


def _file_of(command: Any) -> str:
    """Return the file of a command; that of its first command, if it is a group."""
    while commands := list(getattr(command, "commands", {}).values()):
        command = commands[0]
    module: str = inspect.unwrap(command.callback).__module__
    return module.replace(".", "/") + ".py"
