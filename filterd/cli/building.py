# SPDX-License-Identifier: Apache-2.0
"""Compiling lists into the state folder: one at a time, shown while it lasts.

The new index is made and verified beside the one in force, takes its place by
renaming, and the one before is kept for when it turns out damaged.
"""

from __future__ import annotations

import os
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from filterd.cli.context import Context
from filterd.cli.sites import read_site
from filterd.clock import SystemClock
from filterd.errors import StoreError
from filterd.lists.catalog import load_catalog
from filterd.lists.checked import note_checked
from filterd.lists.compiler import compile_lists
from filterd.lists.index import Index
from filterd.lists.report import CompileReport
from filterd.paths import StateFolder, install, shipped, sole
from filterd.policy.site.compile import own_lists
from filterd.sentences import refused, say


def build(here: Context, *, shipped_only: bool, show_progress: bool) -> CompileReport:
    """Compile the lists and put them in force; wait for another who is at it.

    Args:
        here: which site and state.
        shipped_only: without the site's own lists, whose site need not be valid then.
        show_progress: on standard error, if that is a terminal.

    Raises:
        ConfigErrors: the site's files are wrong.
        FilterdError: a list cannot be read or the disk refused; what was in force stays.
    """
    with sole(here.state.build_lock, otherwise=say("another build is at work"), wait=True):
        _remove_leftovers(here.state)
        try:
            with _progress(here, visible=show_progress) as progress:
                report = _compile(here, progress, shipped_only=shipped_only)
            # The compiler has checked it: no start and no reload has to do that again.
            note_checked(here.state.checked_indexes, Index.open(_fresh(here.state.index)).digest)
        except OSError as error:
            why = say("the lists cannot be compiled there: {why}", why=refused(error))
            raise StoreError(say("{folder}: {why}", folder=here.state.folder, why=why)) from error
        _activate(here.state)
    return report


def _fresh(path: Path) -> Path:
    """Return where a file is made that takes the place of ``path`` once it is whole."""
    return path.with_suffix(".new")


def _remove_leftovers(state: StateFolder) -> None:
    """Free what a killed build left half written; whoever builds now holds the lock."""
    for leftover in state.folder.glob(f".{_fresh(state.index).name}.*.tmp"):
        leftover.unlink(missing_ok=True)


def _compile(here: Context, progress: Progress, *, shipped_only: bool) -> CompileReport:
    catalog = load_catalog(shipped("blocklists"))
    own = [] if shipped_only else own_lists(*read_site(here))
    task = progress.add_task(here.texts("lists.compiling"), total=None)
    return compile_lists(
        [*catalog.compiled, *own],
        pins=catalog.pins,
        protections=catalog.protections,
        target=_fresh(here.state.index),
        now=SystemClock().wall(),
        progress=lambda done, total: progress.update(task, completed=done, total=total),
        problems=_fresh(here.state.problems),
    )


def _progress(here: Context, *, visible: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=here.errors,
        transient=True,
        disable=not (visible and here.errors.is_terminal),
    )


def _activate(state: StateFolder) -> None:
    """Put a verified index in force and keep the one before it."""
    try:
        if state.index.exists():
            kept = state.previous_index.with_suffix(".tmp")
            kept.unlink(missing_ok=True)
            os.link(state.index, kept)
            install(kept, state.previous_index)
        install(_fresh(state.problems), state.problems)
        install(_fresh(state.index), state.index)
    except OSError as error:
        raise StoreError(
            say("{index}: cannot be replaced: {why}", index=state.index, why=refused(error))
        ) from error
