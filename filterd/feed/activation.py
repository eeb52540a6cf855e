# SPDX-License-Identifier: Apache-2.0
"""Activate a judged version or go back: lists, pointer and daemon as one.

The deciding step is the renaming of the index (``lists.index_files``), which has the id of
its version. Before it nothing has changed; after it a start of the daemon serves the new
version, whole. The rest, reloading a running daemon and moving the pointer, is done by the
next process if this one is killed: a **journal** has what was begun.

Every change holds the lock of list builds, so no build and no other activation comes between.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING

from filterd.base.errors import FilterdError, GuardError, IndexFormatError, StoreError
from filterd.base.paths import install, shipped
from filterd.base.state_file import IDS, FileFormat
from filterd.base.state_folder import SHIPPED, BesideFolder, StateFolder
from filterd.base.value_class import frozen
from filterd.feed.versions import Versions, whole_of
from filterd.lists.index import Index
from filterd.lists.index_files import Blocklists, install_index, note_checked, version_of
from filterd.texts.i18n import refused, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filterd.feed.version_watch import Daemon
    from filterd.feed.versions import Candidate


class JournalStep(StrEnum):
    """The change that a journal records."""

    FORWARD = "forward"
    BACK = "back"


@frozen
class Begun:
    """The journal: the version that is coming, by its index, or the one that is going."""

    step: JournalStep
    version: str = field(metadata={IDS: True})
    digest: str = ""


_FORMAT = FileFormat(Begun, magic=b"filterd feed-activation ", most_octets=1_000, legacy=json.loads)


class Activator:
    """Change the active version; the caller holds ``state.build_lock``.

    Args:
        state: the state folder.
        daemon: reloaded after each change.
        build: compiles the lists of a folder into ``state.fresh_index``.
        is_trusted: returns for a version's folder whether a way back may lead to it.
    """

    def __init__(
        self,
        state: StateFolder,
        daemon: Daemon,
        build: Callable[[Blocklists], object],
        is_trusted: Callable[[Path], bool],
    ) -> None:
        self._state, self._daemon, self._build = state, daemon, build
        self._versions, self._is_trusted = Versions(state.feed), is_trusted
        self._journal = state.feed / "activation.json"

    def activate(self, candidate: Candidate, digest: str) -> None:
        """Activate a judged candidate, whose index is ready as ``state.fresh_index``.

        Raises:
            GuardError: it was refused before, the active one is held, or the daemon refuses it.
            DigestError: its folder is damaged.
            StoreError: the disk refused, or the index is not the judged one.
                In each case the version before stays active.
        """
        self._versions.check(candidate.version)
        self._check_index(candidate.version, digest)
        _FORMAT.save(self._journal, Begun(JournalStep.FORWARD, candidate.version, digest))
        try:
            install_index(self._state)
        except StoreError:
            # The disk may have refused to make a renaming last that it has made.
            if not self.is_served(candidate.version):
                self._forget()
            raise
        self._finish_forward(candidate.version)

    def roll_back(self) -> str | None:
        """Activate the version before, and refuse the present one from now on.

        Returns:
            The version that is active now; None for the shipped lists, where none before is whole.

        Raises:
            GuardError: no version of the feed is active.
            FilterdError: the lists before cannot be made; the present one stays.
        """
        bad = self._versions.in_force().current
        if bad is None:
            raise GuardError(
                say("no version of the feed is in force; the lists that ship are served")
            )
        _FORMAT.save(self._journal, Begun(JournalStep.BACK, bad))
        return self._finish_back(bad)

    def is_served(self, version: str) -> bool:
        """Return whether the index in place is of a version and undamaged."""
        return self._is_whole(self._state.index, version)

    def recover(self) -> None:
        """Finish or undo what a killed process has begun.

        Raises:
            FilterdError: the disk or the daemon refused; it is tried again the next time.
        """
        begun = _FORMAT.read(self._journal)  # one that is not sound was not written whole
        if begun is None:
            return
        in_place = version_of(self._state.index, self._state.noted_as)
        if begun.step is JournalStep.BACK:
            self._finish_back(begun.version)
        elif in_place == begun.version:
            self._finish_forward(begun.version)
        else:
            self._forget()

    def _check_index(self, version: str, digest: str) -> None:
        fresh = self._state.fresh_index
        try:
            index = Index.open(fresh)
            found = index.digest
            index.verify(sound=(found,))
            noted = str(index.build.get(self._state.noted_as))
            is_judged = found.hex() == digest and noted == version
        except (IndexFormatError, OSError):
            is_judged = False
        if not is_judged:
            raise StoreError(
                say(
                    "{path}: is not the index that was judged; the last good version stays; try"
                    " again",
                    path=fresh,
                )
            )
        # It was opened and asked by the guard: no start and no reload has to look through it.
        note_checked(self._state.checked_indexes, found)

    def _finish_forward(self, version: str) -> None:
        """Reload the daemon and move the pointer, or go back where the daemon refuses."""
        try:
            self._daemon.reload()
        except FilterdError as error:
            self._put_back()
            with contextlib.suppress(FilterdError):  # it serves that already, or should again
                self._daemon.reload()
            self._forget()
            raise GuardError(
                say(
                    "version {version} of the feed: the daemon refuses it: {why}; the last good"
                    " version stays",
                    version=version,
                    why=error.sentence,
                )
            ) from error
        # Its index is whole and in place. A folder that was damaged since, the next run mends.
        self._versions.promote(version, checked=True)
        self._drop_untrusted()
        self._forget()
        self._versions.prune(whole_of(version))

    def _drop_untrusted(self) -> None:
        """Remove the previous index if a withdrawn key has signed its version."""
        version = version_of(self._state.previous_index, self._state.noted_as)
        if version not in (None, SHIPPED) and not self._is_trusted(
            self._versions.folder_of(version)
        ):
            with contextlib.suppress(OSError):
                self._state.previous_index.unlink(missing_ok=True)

    def _put_back(self) -> None:
        """Put the index before in force again."""
        if not self._state.previous_index.exists():
            return
        self._link_previous()
        self._install_fresh()

    def _finish_back(self, bad: str) -> str | None:
        state = self._versions.in_force()
        if state.current == bad:
            target = self._versions.way_back(self._is_trusted)
            if version_of(self._state.index, self._state.noted_as) != (target or SHIPPED):
                self._make_ready(target)
                self._install_fresh()
            self._versions.rollback(target)
        self._daemon.reload()
        self._forget()
        return self._versions.in_force().current

    def _make_ready(self, target: str | None) -> None:
        """Have the index of a version, or of the shipped lists, ready."""
        if self._is_whole(self._state.previous_index, target) and self._others() == self._others(
            self._state.previous_index
        ):
            self._link_previous()
            return
        folder = shipped("blocklists") if target is None else self._versions.folder_of(target)
        self._build(Blocklists(folder, target))

    def _others(self, index: Path | None = None) -> set[str | None]:
        """Return the versions in an index that are not changed here.

        The default is the active index.
        """
        keys = {StateFolder.noted_as, BesideFolder.noted_as} - {self._state.noted_as}
        return {version_of(index or self._state.index, key) for key in keys}

    def _is_whole(self, index: Path, version: str | None) -> bool:
        if version_of(index, self._state.noted_as) != (version or SHIPPED):
            return False
        try:
            opened = Index.open(index)
            opened.verify(sound=(opened.digest,))
        except (IndexFormatError, OSError):
            return False
        return True

    def _link_previous(self) -> None:
        fresh = self._state.fresh_index
        with self._replacing(fresh):
            fresh.unlink(missing_ok=True)
            os.link(self._state.previous_index, fresh)

    def _install_fresh(self) -> None:
        """Replace an index that is not worth keeping by the fresh one."""
        with self._replacing(self._state.index):
            install(self._state.fresh_index, self._state.index)

    @staticmethod
    @contextlib.contextmanager
    def _replacing(path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                say("{index}: cannot be replaced: {why}", index=path, why=refused(error))
            ) from error

    def _forget(self) -> None:
        with contextlib.suppress(OSError):  # then it is finished once more, which changes nothing
            self._journal.unlink(missing_ok=True)
