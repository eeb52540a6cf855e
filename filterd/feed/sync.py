# SPDX-License-Identifier: Apache-2.0
"""Do one run, from an offered version to active lists.

The steps of a run are: take, judge, activate, watch. Whatever fails leaves the last good lists
active, and the class of the error is the reason. What a killed run has begun is finished or
undone first (``activation``); what it had fetched is not fetched again (``version_download``).
How versions arrive is ``arrival``'s.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from filterd.base.errors import (
    FilterdError,
    GuardError,
    StoreError,
)
from filterd.base.paths import reading, sole
from filterd.base.state_file import plain_version
from filterd.base.state_folder import SHIPPED, BesideFolder, StateFolder
from filterd.base.value_class import frozen
from filterd.feed.admission import VersionAdmission
from filterd.feed.appliance_files import ApplianceFolder, FollowFile, TimeFloor
from filterd.feed.held_versions import with_orders_of
from filterd.feed.schedule import may_take_at
from filterd.feed.signed.arrival import Moment
from filterd.feed.signed.trust import TrustFolder
from filterd.feed.standing import Event, RunNotes
from filterd.feed.version_watch import WatchFile
from filterd.feed.versions import Candidate, Versions, ahead_of, number_of
from filterd.texts.i18n import quoted, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.feed.appliance_files import FollowState
    from filterd.feed.followed.fresh_arrival import FreshArrival
    from filterd.feed.guard import Judgement
    from filterd.feed.signed.arrival import Offer, Progress, VersionArrival
    from filterd.feed.version_watch import Daemon
    from filterd.feed.versions import NoWayBack
    from filterd.texts.i18n import Sentence


class SiteFeed:
    """A site's versions and their changes; one process at a time (``holding``).

    Args:
        config: the folder of ``site.yaml``.
        state: the state folder; a ``BesideFolder`` for public lists beside a feed.
        clock: the clock.
        daemon: the resolver on this machine.
        progress: called with the octets fetched, and all that are to be; 0 and 0 while judging.
    """

    def __init__(
        self,
        config: Path,
        state: StateFolder,
        clock: Clock,
        daemon: Daemon,
        progress: Progress | None = None,
    ) -> None:
        self._state, self._clock = state, clock
        self._progress = progress or (lambda _done, _total: None)
        folder, self.is_beside = state.feed, isinstance(state, BesideFolder)
        self.trust, self.versions = TrustFolder(folder), Versions(folder)
        self.appliance, self.watches = ApplianceFolder(folder), WatchFile(folder)
        self.followed = FollowFile(StateFolder(state.folder).feed)
        self.floor, self._notes = TimeFloor(folder), RunNotes(folder, clock)
        self.history, self.standing = self._notes.history, self._notes.standing
        self._admission = VersionAdmission(config, state, clock, daemon, self._notes)

    @contextlib.contextmanager
    def holding(self, *, wait: bool = True) -> Iterator[None]:
        """Hold the lock of the versions, with all that was begun before finished.

        Raises:
            InUseError: another process holds it, and ``wait`` is false.
            StoreError: the disk refused, now or to the work inside.
        """
        lock = self._state.feed / "feed.lock"
        with (
            reading(lock.parent),
            sole(lock, otherwise=say("another process is taking the feed"), wait=wait),
        ):
            self._admission.recover()
            with contextlib.suppress(StoreError):  # one of the two is enough for now
                self.versions.mend()
            yield

    def sync(self, arrival: VersionArrival, *, at_once: bool = False) -> Outcome:
        """Take the offered version, if it is new, due, and judged to be good.

        Args:
            arrival: made for this run.
            at_once: ignore the ring of this appliance.

        Raises:
            FeedError: its class is the reason; ``GuardError`` for a held version.
            StoreError: the disk refused.
        """
        now = self._clock.wall()
        try:
            with reading(self._state.feed):
                offer = arrival.refresh(Moment(now, self.floor.read()))
                if offer.clock_known:
                    self.floor.note(now, offer.issued_at)
                self.standing.note_verified(offer.version, offer.expires_at, now)
                for remark in offer.remarks:
                    self._notes.add(Event.SOURCES, offer.version, remark)
                try:
                    outcome = self._take(offer, now, at_once=at_once)
                    return replace(
                        outcome, remarks=offer.remarks, retry_after_s=offer.retry_after_s
                    )
                except GuardError:
                    self._take_orders(offer.version)
                    raise
        except FilterdError as error:
            self._notes.failed(error, now)
            raise

    def freshen(self, arrival: FreshArrival) -> Outcome | None:
        """Take what sources have got since the night; None where nothing is new.

        Raises:
            FilterdError: as of ``sync``.
        """
        with reading(self._state.feed):
            offer = arrival.refresh()
            now = self._clock.wall()
            return None if offer is None else self._take(offer, now, at_once=True)

    def approve(self, version: str, why: str) -> int:
        """Activate a version that was held or rolled back; return its number of names.

        Raises:
            GuardError: it is not at hand, or cannot be approved.
            FilterdError: it cannot be activated.
        """
        candidate = self._admission.at_hand(version)
        self.versions.allow(version)
        self._notes.add(Event.APPROVED, version, quoted(why))
        return self._admit(candidate, released=lambda _: True)

    def establish(self, root: bytes, *, replace: bool) -> str:
        """Trust a root from now on; return its fingerprint.

        Args:
            root: the publisher's file.
            replace: forget another root, and which of its versions were refused.

        Raises:
            FilterdError: it is no root, another is trusted, or the disk refused.
        """
        digits = self.trust.establish(root, replace=replace)
        if replace:
            for version in self.versions.in_force().refused:
                self.versions.allow(version)
        return digits

    def hold(self, why: str | None) -> None:
        """Let no other version come; with None let them come again.

        Raises:
            StoreError: the disk refused.
        """
        self.versions.hold(why)
        event = Event.RELEASED if why is None else Event.PINNED
        self._notes.add(event, self.versions.in_force().current or SHIPPED, quoted(why or ""))

    def no_way_back(self) -> NoWayBack | None:
        """Return why ``roll_back`` would lead to no version; None if it leads to one."""
        return self.versions.no_way_back(self._admission.is_trusted)

    def roll_back(self, why: Sentence) -> str | None:
        """Activate the version before, refuse the present one; return the active one.

        Raises:
            FilterdError: there is none, or it cannot be activated.
        """
        bad = self.versions.in_force().current or SHIPPED
        back = self._admission.roll_back()
        self._notes.add(Event.ROLLED_BACK, bad, why)
        return back

    def refuse(self, version: str, why: str) -> None:
        """Never activate a version; the active one must be rolled back instead.

        Raises:
            GuardError: it is active.
            StoreError: the disk refused.
        """
        if version == self.versions.in_force().current:
            raise GuardError(
                say(
                    "version {version} of the feed is in force; leave it with `filterd feed"
                    " rollback`",
                    version=version,
                )
            )
        self.versions.refuse(version)
        self._notes.add(Event.REFUSED, version, quoted(why))
        if self.standing.read().version == version:
            self.standing.write(replace(self.standing.read(), judgement=None))

    def _take(self, offer: Offer, now: float, *, at_once: bool) -> Outcome:
        version, urgent = offer.version, offer.urgent
        in_force = self.versions.in_force()
        if version == in_force.current and self._is_served(offer):
            return Outcome(Became.CURRENT, version, urgent)
        self.versions.check_wanted(version)
        is_urgent = urgent > number_of(in_force.current)
        is_first = in_force.current is None or version == in_force.current
        if offer.in_rings and not (at_once or is_urgent or is_first):
            at = self._takes_at(offer, now)
            if now < at:
                return Outcome(Became.WAITS, version, urgent, at=at)
        # To make a version takes memory as to judge one does: a small board has room for one.
        with self._admission.building() if self.is_beside else contextlib.nullcontext():
            taken = offer.take(self.versions, self._progress)
        self.versions.prune(version)  # of nights whose versions were held nothing piles up
        names = self._admit(
            taken.candidate, released=lambda judgement: self._is_released(offer, judgement)
        )
        return Outcome(Became.ACTIVATED, version, urgent, taken.fetched_octets, names)

    def _admit(self, candidate: Candidate, *, released: Callable[[Judgement], bool]) -> int:
        self._progress(0, 0)
        return self._admission.admit(candidate, released=released)

    def _take_orders(self, version: str) -> None:
        """Activate the orders of a version that is itself held or refused.

        An administrator who holds the present version holds its orders too.
        """
        before = self.standing.read()
        if self.versions.in_force().held is not None:
            return
        try:
            candidate = with_orders_of(version, self.versions)
            if candidate is not None:
                self._admit(candidate, released=lambda _: False)
        except FilterdError as error:
            self._notes.add(Event.FAILED, ahead_of(version), error.sentence)
        with contextlib.suppress(StoreError):  # what waits is the version itself
            self.standing.write(before)

    def follow(self, change: Callable[[FollowState], FollowState], why: Sentence) -> None:
        """Change which public lists commands follow, and note it.

        Raises:
            StoreError: the disk refused.
        """
        with reading(self._state.feed):
            self.followed.write(change(self.followed.read()))
        self._notes.add(Event.SOURCES, self.versions.in_force().current or SHIPPED, why)

    def _is_served(self, offer: Offer) -> bool:
        """Return whether the active version is this one and whole, and so is its index."""
        whole = offer.is_in(self.versions.folder_of(offer.version))
        return whole and self._admission.is_served(offer.version)

    def _takes_at(self, offer: Offer, now: float) -> float:
        standing = self.standing.read()
        waiting_since = standing.waiting_since
        if waiting_since is None or waiting_since > now:
            waiting_since = now
        at = may_take_at(
            self.appliance.appliance_id(),
            offer.version,
            offer.issued_at or now,
            waiting_since,
        )
        self.standing.write(replace(standing, waiting_since=waiting_since, takes_at=at))
        return at

    def _is_released(self, offer: Offer, judgement: Judgement) -> bool:
        """Return whether its publisher has released a held version, and note it."""
        now = self._clock.wall() if offer.clock_known else None
        try:
            why = offer.release_of(judgement, now)
        except FilterdError as error:  # then it is held, as without
            self._notes.add(Event.FAILED, judgement.version, error.sentence)
            return False
        if why is None:
            return False
        self._notes.add(Event.APPROVED, judgement.version, why)
        return True


class Became(StrEnum):
    """The result of a run that did not fail."""

    ACTIVATED = "activated"
    CURRENT = "current"
    WAITS = "waits"


@frozen
class Outcome:
    """The result of a run.

    Attributes:
        became: activated, current or waiting.
        version: the offered one.
        urgent: the last urgent version, 0 for none.
        fetched_octets: without metadata.
        names: on the active lists; 0 where nothing changed.
        at: Unix time from when on the version will be taken, where it waits.
        remarks: how it came.
        retry_after_s: as of ``Offer``.
    """

    became: Became
    version: str
    urgent: int = 0
    fetched_octets: int = 0
    names: int = 0
    at: float = 0.0
    remarks: tuple[Sentence, ...] = ()
    retry_after_s: float = 0.0

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "became": self.became.value,
            "version": plain_version(self.version),
            "urgent": self.urgent,
            "fetched_octets": self.fetched_octets,
            "names": self.names,
            "at": self.at,
            **({"remarks": [str(remark) for remark in self.remarks]} if self.remarks else {}),
        }
