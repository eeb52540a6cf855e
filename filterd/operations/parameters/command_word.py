# SPDX-License-Identifier: Apache-2.0
"""Say how a command line writes a field of a request (``cli.binding``)."""

from __future__ import annotations

from typing import NamedTuple


class CommandWord(NamedTuple):
    """An option of a command, or an argument.

    Attributes:
        metavar: the word for its value; empty for a flag.
        help: of a command; empty for what the parameter says of itself.
        name: of the option; empty for that of the field.
        is_argument: whether it stands without a name.
    """

    metavar: str = ""
    help: str = ""
    name: str = ""
    is_argument: bool = False


def argument(metavar: str, help_: str) -> CommandWord:
    """Return an argument: a word for it, and its help."""
    return CommandWord(metavar, help_, is_argument=True)


SWITCH = CommandWord()
"""An option without a value, as the parameter describes it."""
