# SPDX-License-Identifier: Apache-2.0
"""Admit a version: judge it, activate it, watch it; or lead back to the last one.

One build at a time: a small board has the memory for one. Lists beside a feed are judged and
compiled together with it.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.base.errors import FilterdError, GuardError, IndexFormatError, StoreError
from filterd.base.paths import remove_temporaries, sole
from filterd.base.state_folder import BesideFolder, StateFolder
from filterd.config.lists_build import rebuild_lists
from filterd.feed import guard
from filterd.feed.activation import Activator
from filterd.feed.feed_config import blocklists_to_build
from filterd.feed.held_versions import ROLE, other_key
from filterd.feed.signed.trust import TrustFolder
from filterd.feed.version_files import signers_of, verify
from filterd.feed.version_watch import AnswerCounts, Watch, WatchFile, counts_of, usual_part
from filterd.feed.versions import Candidate, Versions, is_followed
from filterd.lists.catalogs.catalog_tables import locked_canaries
from filterd.lists.index_files import Blocklists, facts_of
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.feed.guard import Judgement
    from filterd.feed.standing import RunNotes
    from filterd.feed.version_watch import Daemon


class VersionAdmission:
    """The way of a version into force, and back.

    Args:
        config: the folder of ``site.yaml``.
        state: the state folder; a ``BesideFolder`` for public lists beside a feed.
        clock: the clock.
        daemon: the resolver on this machine.
        notes: of what becomes of a version.
    """

    def __init__(
        self, config: Path, state: StateFolder, clock: Clock, daemon: Daemon, notes: RunNotes
    ) -> None:
        self._config, self._state, self._clock, self._daemon = config, state, clock, daemon
        self._is_beside, self._notes = isinstance(state, BesideFolder), notes
        self._trust, self._versions = TrustFolder(state.feed), Versions(state.feed)
        self._watches = WatchFile(state.feed)
        self._activator = Activator(state, daemon, self._build, self.is_trusted)

    @contextlib.contextmanager
    def building(self) -> Iterator[None]:
        """Hold the lock of builds, for what takes the memory of one."""
        with sole(self._state.build_lock, otherwise=say("another build is running"), wait=True):
            yield

    def recover(self) -> None:
        """Finish or undo what a killed process has begun; the feed's lock must be held."""
        with self.building():
            self._remove_leftovers()
            self._activator.recover()

    def at_hand(self, version: str) -> Candidate:
        """Return a version that is here and whole, and that a way back may lead to.

        Raises:
            GuardError: it is not.
        """
        folder = self._versions.folder_of(version)
        if verify(folder):
            raise GuardError(
                say(
                    "version {version} of the feed is not here; fetch it with `filterd sync`",
                    version=version,
                )
            )
        if not self.is_trusted(folder):
            raise GuardError(
                say(
                    "version {version} of the feed was signed by a key that its publisher has"
                    " since withdrawn; fetch another with `filterd sync`",
                    version=version,
                )
            )
        return Candidate(version, folder)

    def admit(self, candidate: Candidate, *, released: Callable[[Judgement], bool]) -> int:
        """Judge and activate a version; return the number of names on the active lists.

        Args:
            candidate: the version.
            released: whether one that would be held may be activated all the same.

        Raises:
            GuardError: it is held or refused.
            FilterdError: it cannot be activated.
        """
        with self.building():
            self._versions.check(candidate.version)
            judgement = self._judge(candidate)
            is_held = judgement.severity is guard.Severity.HELD
            if not judgement.may_come_in_force(approved=is_held and released(judgement)):
                self._notes.held(judgement)
                # A child that was killed or starved has said nothing: the next run asks again.
                if judgement.is_final and judgement.seconds:
                    self._versions.refuse(candidate.version)
                raise judgement.error()
            before = self._seen_before(candidate, judgement)
            self._activator.activate(candidate, judgement.index)
            if before is not None:
                with contextlib.suppress(StoreError):  # it is in force, and was judged
                    self._watches.begin(before)
        self._notes.activated(candidate.version)
        return self._names()

    def roll_back(self) -> str | None:
        """Activate the version before, refuse the present one; return the active one.

        Raises:
            FilterdError: there is none, or it cannot be activated.
        """
        with self.building():
            back = self._activator.roll_back()
        self._watches.end()
        return back

    def is_served(self, version: str) -> bool:
        """Return whether a version and the index of it are in force."""
        return self._activator.is_served(version)

    def is_trusted(self, folder: Path) -> bool:
        """Return whether a way back may lead to a version.

        It may if the version was made here, or if the keys that have signed it still count.
        """
        return is_followed(folder.name) or self._trust.trusts_version(folder)

    def _judge(self, candidate: Candidate) -> Judgement:
        state = self._state
        served = state.index.exists() and state.policy.exists()
        in_force = guard.ServedFiles(state.index, state.policy) if served else None
        fresh = state.fresh_index, state.fresh_problems, state.judged_policy
        whole = self._with(Blocklists(candidate.folder, candidate.version))
        passed: dict[str, int] = {}
        with contextlib.suppress(FilterdError):  # without counts it proves nothing
            passed = self._daemon.passed()
        current = self._versions.current()
        new = (signers_of(candidate.folder) or {}).get(ROLE)
        known = None if current is None else (signers_of(current.folder) or {}).get(ROLE)
        school = guard.JudgedSchool(
            self._config,
            *fresh,
            state.log_days,
            passed,
            whole,
            orders_known=bool(known),  # another key than that one is found below
        )
        judgement = guard.judge(candidate, in_force, school, clock=self._clock)
        return replace(judgement, findings=(*judgement.findings, *other_key(new, known)))

    def _seen_before(self, candidate: Candidate, judgement: Judgement) -> Watch | None:
        """Return the watch for after the swap; None where no daemon runs."""
        with contextlib.suppress(FilterdError):
            if status := self._daemon.status():
                counts: AnswerCounts = counts_of(status)
                usual = usual_part(self._daemon, status)
                whole = self._with(Blocklists(candidate.folder, candidate.version))
                canaries = locked_canaries(whole.folder)
                since = self._clock.monotonic()
                by_log = any(finding.kind == guard.ASKED_LITTLE for finding in judgement.findings)
                return Watch(candidate.version, since, counts, usual, canaries, by_log)
        return None

    def _build(self, blocklists: Blocklists) -> None:
        """Compile a version again, for a way back, even if the site's files are wrong.

        Raises:
            FilterdError: it cannot be compiled.
        """
        state = self._state
        rebuild_lists(
            self._config,
            state.policy,
            self._with(blocklists),
            state.fresh_index,
            now=self._clock.wall(),
            problems=state.fresh_problems,
        )

    def _with(self, blocklists: Blocklists) -> Blocklists:
        """Return a version with the lists in force that stand beside it.

        If the version itself is of lists beside, it is returned beside the lists in force.
        """
        now = blocklists_to_build(self._config, StateFolder(self._state.folder))
        if self._is_beside:
            is_none = blocklists.version is None
            return now._replace(beside=None if is_none else blocklists)
        return blocklists._replace(beside=now.beside)

    def _remove_leftovers(self) -> None:
        """Remove what killed processes left half written; the caller holds both locks."""
        state = self._state
        remove_temporaries(state.fresh_index, state.checked_indexes)
        for path in (*state.feed.glob(".*.tmp"), *(state.feed / "metadata").rglob(".*.tmp")):
            with contextlib.suppress(OSError):  # then it stays
                path.unlink()

    def _names(self) -> int:
        with contextlib.suppress(OSError, IndexFormatError):
            return facts_of(self._state.index).names
        return 0  # it is in force, and the next run reports a disk that fails now
