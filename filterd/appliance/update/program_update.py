# SPDX-License-Identifier: Apache-2.0
"""Update filterd by root: verify an offer, decide, install, watch, take back.

All of it is in root's own folder, and nothing that the users ``filterd`` and ``filterd-update`` can
write is taken as truth: an offer comes from a folder, a USB stick or the mirror alike, and is
verified by root's own trust (``trust/``). Its package is copied into root's folder while it is
verified; dpkg reads that copy.

A step is written before it is done, and each can be done again: after a power cut the release
from before installs again, watches again or goes back again.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.appliance.update.update_decision import UpdateFacts, UpdateReason, decide
from filterd.appliance.update.update_files import PendingUpdate, UpdateFiles, UpdateStep
from filterd.appliance.update.update_steps import UpdatedMachine, UpdateNotes, UpdateSteps, idle
from filterd.appliance.update.update_watch import ServedBefore, stated
from filterd.base.errors import ConfigError, FilterdError, InUseError, UpdateError
from filterd.base.paths import check_room, sole, writing
from filterd.feed.appliance_files import ApplianceFolder, TimeFloor
from filterd.feed.program_standing import (
    EndedUpdate,
    UpdateEnding,
)
from filterd.feed.schedule import PROGRAMS, may_take_at
from filterd.feed.signed.arrival import Moment
from filterd.feed.signed.program_offer import refresh_program, version_key
from filterd.texts.i18n import Sentence, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filterd.appliance.update.update_decision import UpdateDecision
    from filterd.config.site_schema import SiteFile
    from filterd.feed.signed.fetchers import Fetcher
    from filterd.feed.signed.program_offer import ProgramOffer, ProgramTarget

ROOM_PART = 8
"""Octets on the disk, for each of a package: itself, unpacked, and bytecode."""
_RUNS = say("an update of filterd is running already")


class ProgramUpdate:
    """The updates of one appliance; one process at a time (``holding``).

    Args:
        files: root's folder.
        machine: what is updated.
        read_site: returns the checked ``site.yaml``; raises FilterdError where it is wrong.
    """

    def __init__(
        self, files: UpdateFiles, machine: UpdatedMachine, read_site: Callable[[], SiteFile]
    ) -> None:
        self.files, self._machine, self._read_site = files, machine, read_site
        self._releases, self._clock = machine.releases, machine.clock
        self._notes = UpdateNotes(files, machine.clock)
        self.steps = UpdateSteps(files, machine, self._notes)

    @contextlib.contextmanager
    def holding(self, *, wait: bool = False) -> Iterator[None]:
        """Hold the lock of updates.

        Args:
            wait: until another update has ended, and do not refuse.

        Raises:
            InUseError: another update runs.
            StoreError: the disk refused.
        """
        self.files.make()
        lock = self.files.folder / "lock"
        with sole(lock, otherwise=_RUNS, wait=wait):
            yield

    def look(self, fetcher: Fetcher, *, at_once: bool = False) -> UpdateDecision | None:
        """Verify an offer, decide, and begin the update if it is due.

        Args:
            fetcher: of the mirror or a stick.
            at_once: whether an administrator asks for it.

        Returns: the decision; None where no release is offered for this machine.

        Raises:
            FeedError: nothing usable came, or it must not be trusted.
            StoreError: the disk refused or has too little room.
            ConfigError: the site's files are wrong.
            InUseError: an update has begun, and is not over.
        """
        if not self.steps.is_to_be_decided():
            raise InUseError(_RUNS)
        try:
            return self._look(fetcher, at_once=at_once)
        except FilterdError as error:
            why = error.sentence
            self._notes.change(lambda now: replace(now, waits_for="", why=why))
            raise

    def _look(self, fetcher: Fetcher, *, at_once: bool) -> UpdateDecision | None:
        now, floor = self._clock.wall(), TimeFloor(self.files.folder)
        site = self._read_site()
        offer = refresh_program(self.files.trust, fetcher, Moment(now, floor.read()))
        if offer.clock_known:
            floor.note(now, offer.issued_at)
        target = offer.newest(*self._machine.target)
        if target is None:
            self._notes.change(lambda kept: idle(kept, looked_at=now, offered=""))
            return None
        decision = self._decided(offer, target, site, now, at_once=at_once)
        if decision.reason is None:
            self._begin(offer, target)
        return decision

    def _decided(
        self,
        offer: ProgramOffer,
        target: ProgramTarget,
        site: SiteFile,
        now: float,
        *,
        at_once: bool,
    ) -> UpdateDecision:
        kept = self.files.standing.read()
        is_newer = version_key(target.version) > version_key(self._machine.version)
        # A clock that was ahead and was set must not make a wait longer.
        waiting_since = min(kept.waiting_since or now, now)
        postponed_since = kept.postponed_since and min(kept.postponed_since, now)
        facts = UpdateFacts(
            now=now,
            time_zone=site.time_zone,
            is_newer=is_newer,
            ring_at=self._ring_at(target, waiting_since),
            window=site.update.window,
            lessons=tuple(site.lessons.values()),
            is_refused=target.version in kept.refused,
            is_held=kept.is_held(now),
            is_automatic=site.update.automatic,
            clock_known=offer.clock_known,
            has_exam=self._has_exam(),
            postponed_since=postponed_since,
            at_once=at_once,
        )
        decision = decide(facts)
        is_delayed = decision.reason is UpdateReason.EXAM
        self._notes.change(
            lambda kept: replace(
                kept,
                looked_at=now,
                offered=target.version,
                waits_for=decision.reason or "",
                why=decision.why,
                takes_at=decision.takes_at,
                waiting_since=waiting_since if is_newer else None,
                postponed_since=postponed_since or (now if is_delayed else None),
            )
        )
        return decision

    def _begin(self, offer: ProgramOffer, target: ProgramTarget) -> None:
        """Copy the package into root's own folder, verified, and write the pending update."""
        files = self.files
        with contextlib.suppress(OSError):
            files.package.unlink(missing_ok=True)
        check_room(files.folder, ROOM_PART * target.octets)
        offer.fetch(target, files.package)
        release, last = self._releases.in_service, self.steps.pending()
        with writing(files.program):
            files.program.unlink(missing_ok=True)
            files.program.symlink_to(self._releases.folders.folder(release))
        before = self._machine.watch.serves_before(self._machine.canaries)
        tries = last.tries if last is not None and last.version == target.version else 0
        self.files.keep(
            PendingUpdate(
                target.version,
                release,
                self._machine.boot,
                tries=tries,
                served=before,
            )
        )

    def roll_back(self, why: Sentence) -> EndedUpdate:
        """Put the release before in service, and refuse the present one.

        Raises:
            InUseError: an update runs.
            StoreError: there is no release before, or it cannot be put in service.
        """
        if not self.steps.is_to_be_decided():
            raise InUseError(_RUNS)
        self.files.clear()  # of one that a power cut broke off
        releases = self._releases
        bad, back = releases.folders.version(releases.in_service), releases.before
        if releases.folders.version(back) in self.files.standing.read().refused:
            raise UpdateError(
                say("the release before, {name}, was taken back here: it does harm", name=back)
            )
        releases.roll_back()
        return self._notes.ended(bad, back, UpdateEnding.ROLLED_BACK, why)

    def put_back(self, why: Sentence) -> EndedUpdate:
        """Put the release before in service while another process watches this one.

        Which notices it and ends the update: so this does without the lock, and notes nothing.

        Raises:
            InUseError: an update runs, and its release does not serve yet or no more.
            StoreError: the release before cannot be put in service.
        """
        pending, releases = self.steps.pending(), self._releases
        if (
            pending is None
            or pending.step not in (UpdateStep.START, UpdateStep.WATCH)
            or pending.before != releases.before
        ):
            raise InUseError(_RUNS)
        releases.roll_back(releases.in_service)
        ending = UpdateEnding.ROLLED_BACK
        return EndedUpdate(self._clock.wall(), pending.version, pending.before, ending, why)

    def problem(self) -> Sentence:
        """Return why the release in service does not serve; UNSAID once it does."""
        return self._machine.watch.harm_at_start(ServedBefore())

    def hold(self, until: float | None) -> None:
        """Take no version until a Unix time; None for not until ``release``.

        Raises:
            ConfigError: the time has passed.
            StoreError: the disk refused.
        """
        if until is not None and until <= self._clock.wall():
            raise ConfigError(say("that time has passed"), hint=say("check --until"))
        self._notes.change(lambda now: replace(now, held=True, held_until=until))

    def release(self) -> None:
        """Take new versions again; those that were taken back stay refused.

        Raises:
            StoreError: the disk refused.
        """
        self._notes.change(lambda now: replace(now, held=False, held_until=None))

    def _ring_at(self, target: ProgramTarget, waiting_since: float) -> float:
        """Return from when on this appliance takes a version; by an id of root's own."""
        if target.urgent:
            return 0.0
        appliance_id = ApplianceFolder(self.files.folder).appliance_id()
        return may_take_at(
            appliance_id, target.version, target.released_at, waiting_since, PROGRAMS
        )

    def _has_exam(self) -> bool:
        with contextlib.suppress(FilterdError), stated():
            return bool(self._machine.daemon.status().get("day", {}).get("exams"))
        return False
