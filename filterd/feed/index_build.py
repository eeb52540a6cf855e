# SPDX-License-Identifier: Apache-2.0
"""Compile a site's lists and put the index in force, at a command or in a child.

One build runs at a time. The new index is made and verified beside the active one and takes
its place by renaming; the one before is kept, in case the new one turns out damaged. The lists
are those of the active version of the feed, if the site follows one, else those that ship; and
the site's own.

The daemon starts ``python -m filterd.feed.index_build`` with one JSON object on its input: the
folders ``config`` and ``state``, ``shipped_only``, and ``is_streamed`` where the index itself is
the output, for a disk that takes none. An error is its output, too.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from filterd.base import bounded_child
from filterd.base.clock import SystemClock
from filterd.base.errors import FilterdError, StoreError
from filterd.base.paths import check_room, sole
from filterd.base.privileges import as_owner_of
from filterd.base.state_folder import StateFolder
from filterd.config.lists_build import build_lists
from filterd.feed.feed_config import blocklists_to_build
from filterd.lists.index_files import facts_of, install_index, note_checked
from filterd.texts.i18n import refused, say

if TYPE_CHECKING:
    from filterd.base.clock import Clock
    from filterd.lists.compiler import Progress
    from filterd.lists.report import CompileReport


def build_index(
    config: Path,
    state: StateFolder,
    clock: Clock,
    *,
    shipped_only: bool = False,
    progress: Progress | None = None,
) -> CompileReport:
    """Compile the lists and put them in force; wait while another process compiles.

    Args:
        config: the folder of ``site.yaml``.
        state: the state folder.
        clock: for the time that is noted in the index.
        shipped_only: leave out the site's own lists; then its files may be wrong.
        progress: as of ``build_lists``.

    Raises:
        ConfigErrors: the site's files are wrong.
        FilterdError: a list cannot be read or the disk refused; what was in force stays.
    """
    with sole(state.build_lock, otherwise=say("another build is running"), wait=True):
        _remove_leftovers(state)
        check_room(state.folder, _octets_in_force(state))
        try:
            report = build_lists(
                None if shipped_only else config,
                blocklists_to_build(config, state),
                state.fresh_index,
                now=clock.wall(),
                problems=state.fresh_problems,
                progress=progress,
            )
            # The compiler has verified it: no start and no reload has to repeat that.
            note_checked(state.checked_indexes, facts_of(state.fresh_index).digest)
        except OSError as error:
            why = say("the lists cannot be compiled there: {why}", why=refused(error))
            raise StoreError(say("{folder}: {why}", folder=state.folder, why=why)) from error
        except StoreError:
            _remove_leftovers(state)
            raise
        install_index(state)
    return report


def write_index(
    config: Path, state: StateFolder, clock: Clock, stream: IO[bytes], *, shipped_only: bool
) -> None:
    """Compile the lists to a stream; nothing is written before they are compiled.

    Raises:
        ConfigErrors: the site's files are wrong.
        FilterdError: a list cannot be read.
    """
    own = None if shipped_only else config
    build_lists(own, blocklists_to_build(config, state), stream, now=clock.wall())


def _octets_in_force(state: StateFolder) -> int:
    """Return the size of the active index: about that of the new one."""
    try:
        return state.index.stat().st_size
    except OSError:
        return 0


def _remove_leftovers(state: StateFolder) -> None:
    """Remove files of a build that was killed; the caller holds the lock."""
    half = state.folder.glob(f".{state.fresh_index.name}.*.tmp")
    for leftover in (*half, state.fresh_index, state.fresh_problems):
        with suppress(OSError):  # if it matters, writing fails as well
            leftover.unlink()


def _build(request: dict[str, Any], output: IO[bytes]) -> None:
    config, state = Path(request["config"]), StateFolder(Path(request["state"]))
    shipped_only = bool(request["shipped_only"])
    try:
        with as_owner_of(state.folder):
            if request["is_streamed"]:
                write_index(config, state, SystemClock(), output, shipped_only=shipped_only)
            else:
                build_index(config, state, SystemClock(), shipped_only=shipped_only)
    except FilterdError as error:
        why = say("the lists cannot be compiled: {why}", why=error.sentence)
        raise StoreError(why) from error


if __name__ == "__main__":
    sys.exit(bounded_child.answer(_build))
