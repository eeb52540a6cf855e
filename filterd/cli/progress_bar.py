# SPDX-License-Identifier: Apache-2.0
"""A bar that shows how far a long piece of work is: on standard error, if that is a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from filterd.cli.context import Context


@contextmanager
def bar(here: Context, doing: str, *, visible: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Show a bar while something lasts.

    Args:
        here: where to.
        doing: what is done, in the reader's language.
        visible: whether it is shown at all.

    Yields:
        What is to be told how far the work is, and how far it goes.
    """
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=here.errors,
        transient=True,
        disable=not (visible and here.errors.is_terminal),
    ) as shown:
        task = shown.add_task(doing, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
