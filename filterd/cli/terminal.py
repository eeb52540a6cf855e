# SPDX-License-Identifier: Apache-2.0
"""Show progress, wait for Enter, and ask for secrets, at the terminal.

A secret is never an argument: other users see the arguments of a process.
"""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from filterd.base.errors import ConfigError
from filterd.cli.context import Context
from filterd.texts.i18n import Sentence, say, visible


@contextmanager
def bar(
    here: Context, doing: str, *, visible: bool = True, octets: bool = False
) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error, if that is a terminal.

    Args:
        here: the console.
        doing: the work, in the user's language.
        visible: whether it is shown at all.
        octets: whether octets are counted, rather than pieces.

    Yields:
        A function that takes the done and the whole amount.
    """
    from rich import progress  # noqa: PLC0415 -- slow to import, and few commands show a bar

    with progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn() if octets else progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
        console=here.errors,
        transient=True,
        disable=not (visible and here.errors.is_terminal),
    ) as shown:
        task = shown.add_task(doing, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


LOOK_EVERY_S = 2.0


def watch(look: Callable[[], None], length_s: float) -> None:
    """Call ``look`` every other second, and once at the end.

    Args:
        look: the poll.
        length_s: the longest time; Enter ends it before.
    """
    left = length_s
    while left > 0:
        look()
        step = min(LOOK_EVERY_S, left)
        if pause(step):
            break
        left -= step
    look()


def pause(seconds: float, *, to_the_end: bool = False) -> bool:
    """Wait; return whether Enter was pressed meanwhile at the terminal, if there is one.

    ``to_the_end`` waits whatever is pressed, or if the terminal has no more input.
    """
    if to_the_end or not sys.stdin or not sys.stdin.isatty():
        time.sleep(seconds)
        return False
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    if ready:
        sys.stdin.readline()
    return bool(ready)


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
            visible(here.texts(what)),
            default="" if may_be_empty else None,
            hide_input=True,
            confirmation_prompt=again,
            show_default=False,
            err=True,
        )
    except typer.Abort as error:  # Ctrl-C, or the end of what is typed
        raise missing from error
    return answer


def agreed(here: Context, question: Sentence, *, yes: bool) -> bool:
    """Ask whether to go on, and return the answer.

    Args:
        here: the language.
        question: to be answered by yes or no.
        yes: whether the option ``--yes`` has answered it.

    Raises:
        ConfigError: there is no terminal to ask at.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise ConfigError(
            say("this is not a terminal, so no question can be asked"), hint=say("give --yes")
        )
    return typer.confirm(visible(here.texts(question)), err=True)


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
