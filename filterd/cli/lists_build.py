# SPDX-License-Identifier: Apache-2.0
"""Compile the lists into the state folder, one build at a time.

The new index is made and verified beside the active one and takes its place by
renaming; the one before is kept, in case the new one turns out damaged. The lists are
those of the active version of the feed, if the site follows one, else those that ship;
and the site's own.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import IO

from filterd.cli.context import Context
from filterd.cli.progress_bar import bar
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
        here: the site and the state folder.
        shipped_only: whether to leave out the site's own lists; then its files may be wrong.
        show_progress: whether to show a bar.

    Raises:
        ConfigErrors: the site's files are wrong.
        FilterdError: a list cannot be read or the disk refused; what was in force stays.
    """
    with sole(here.state.build_lock, otherwise=say("another build is running"), wait=True):
        _remove_leftovers(here.state)
        check_room(here.state.folder, _octets_in_force(here.state))
        try:
            doing = here.texts("Compiling lists")
            with bar(here, doing, visible=show_progress, octets=True) as progress:
                report = _compile(here, progress, shipped_only=shipped_only)
            # The compiler has verified it: no start and no reload has to repeat that.
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
    """Return the size of the active index: about that of the new one."""
    try:
        return state.index.stat().st_size
    except OSError:
        return 0


def write_to(stream: IO[bytes], here: Context, *, shipped_only: bool) -> CompileReport:
    """Compile the lists to a stream, for a daemon whose disk is full.

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
    """Remove files of a build that was killed or had no room; the caller holds the lock."""
    half = state.folder.glob(f".{state.fresh_index.name}.*.tmp")
    for leftover in (*half, state.fresh_index, state.fresh_problems):
        with suppress(OSError):  # if it matters, writing fails as well
            leftover.unlink()


def _compile(
    here: Context, progress: Callable[[int, int], None], *, shipped_only: bool
) -> CompileReport:
    return build_lists(
        None if shipped_only else here.config,
        blocklists_to_build(here.config, here.state),
        here.state.fresh_index,
        now=SystemClock().wall(),
        problems=here.state.fresh_problems,
        progress=progress,
    )
