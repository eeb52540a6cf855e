# SPDX-License-Identifier: Apache-2.0
"""Progress bars, and polling until the user presses Enter."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from filterd.cli.context import Context


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
