# SPDX-License-Identifier: Apache-2.0
"""Ask for a secret: at a terminal without echo, else a line of standard input.

A secret is never an argument: other users see the arguments of a process.
"""

from __future__ import annotations

import sys

import typer

from filterd.cli.context import Context
from filterd.errors import ConfigError
from filterd.i18n import Sentence, say

_LONGEST = 4096


def ask_secret(
    here: Context,
    what: Sentence,
    missing: ConfigError,
    *,
    confirm: bool = False,
    may_be_empty: bool = False,
) -> str:
    """Ask for a secret at the terminal.

    Args:
        here: the language.
        what: the secret.
        missing: the error for none.
        confirm: whether it must be typed twice.
        may_be_empty: whether Enter alone is an answer.

    Raises:
        ConfigError: none was given.
    """
    again = here.texts("Repeat it") if confirm else False
    try:
        answer: str = typer.prompt(
            here.texts(what),
            default="" if may_be_empty else None,
            hide_input=True,
            confirmation_prompt=again,
            show_default=False,
            err=True,
        )
    except typer.Abort as error:  # Ctrl-C, or the end of what is typed
        raise missing from error
    return answer


def new_password(here: Context) -> str:
    """Return a new password: typed twice at a terminal, else a line of standard input.

    Raises:
        ConfigError: none was given.
    """
    hint = say("type it at a terminal, or as a line of standard input")
    missing = ConfigError(say("no password was given"), hint=hint)
    if sys.stdin.isatty():
        return ask_secret(here, say("New password"), missing, confirm=True)
    line = sys.stdin.readline(_LONGEST).rstrip("\r\n")
    if not line:
        raise missing
    return line
