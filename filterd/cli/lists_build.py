# SPDX-License-Identifier: Apache-2.0
"""Compiling lists into the state folder: one at a time, shown while it lasts.

The new index is made and verified beside the one in force, takes its place by
renaming, and the one before is kept for when it turns out damaged.

They are those of the feed's version in force, where the site follows a feed, else
those that ship; and the site's own.
"""

from __future__ import annotations

from contextlib import suppress
from typing import IO

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from filterd.cli.context import Context
from filterd.clock import SystemClock
from filterd.config.lists_build import build_lists
from filterd.errors import StoreError
from filterd.feed.feed_config import blocklists_to_build
from filterd.i18n import refused, say
from filterd.lists.index import Index
from filterd.lists.index_files import install_index, note_checked
from filterd.lists.report import CompileReport
from filterd.paths import check_room, sole
from filterd.state_folder import StateFolder


def build(here: Context, *, shipped_only: bool, show_progress: bool) -> CompileReport:
    """Compile the lists and put them in force; wait while another command compiles.

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
        check_room(here.state.folder, _octets_in_force(here.state))
        try:
            with _progress(here, visible=show_progress) as progress:
                report = _compile(here, progress, shipped_only=shipped_only)
            # The compiler has checked it: no start and no reload has to do that again.
            note_checked(here.state.checked_indexes, Index.open(here.state.fresh_index).digest)
        except OSError as error:
            why = say("the lists cannot be compiled there: {why}", why=refused(error))
            raise StoreError(say("{folder}: {why}", folder=here.state.folder, why=why)) from error
        except StoreError:
            _remove_leftovers(here.state)
            raise
        install_index(here.state)
    return report


def _octets_in_force(state: StateFolder) -> int:
    """Return what the lists in force take: about what those to be compiled will take."""
    try:
        return state.index.stat().st_size
    except OSError:
        return 0


def write_to(stream: IO[bytes], here: Context, *, shipped_only: bool) -> CompileReport:
    """Compile the lists onto a stream: for a daemon whose disk does not take them.

    Raises:
        ConfigErrors: the site's files are wrong.
        FilterdError: a list cannot be read.
    """
    return build_lists(
        None if shipped_only else here.config,
        blocklists_to_build(here.config, here.state),
        stream,
        now=here.clock.wall(),
    )


def _remove_leftovers(state: StateFolder) -> None:
    """Free what a build left that was killed or had no room; the present build holds the lock."""
    half = state.folder.glob(f".{state.fresh_index.name}.*.tmp")
    for leftover in (*half, state.fresh_index, state.fresh_problems):
        with suppress(OSError):  # writing will tell
            leftover.unlink()


def _compile(here: Context, progress: Progress, *, shipped_only: bool) -> CompileReport:
    task = progress.add_task(here.texts("Compiling lists"), total=None)
    return build_lists(
        None if shipped_only else here.config,
        blocklists_to_build(here.config, here.state),
        here.state.fresh_index,
        now=SystemClock().wall(),
        problems=here.state.fresh_problems,
        progress=lambda done, total: progress.update(task, completed=done, total=total),
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
