# SPDX-License-Identifier: Apache-2.0
"""Keep how a site stands with its feed, and the history of its versions.

Nothing here acts: whatever happens, the last good lists serve on. The overview is for people
and for the daemon's status. It is read without a lock and without the libraries that fetch and
verify: it may be a moment old, and is never half of something. Of the history the last few
hundred events are kept.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from filterd.base.errors import FilterdError, GuardError, RefusedVersionError, StoreError
from filterd.base.paths import is_there, open_plain, read_plain, write_atomically
from filterd.base.state_file import IDS, FileFormat, plain_version, to_plain
from filterd.base.state_folder import SHIPPED, BesideFolder, StateFolder
from filterd.base.value_class import frozen
from filterd.feed.appliance_files import TimeFloor, followed_lists, missing_lists
from filterd.feed.guard.judgement import Judgement, bounded
from filterd.feed.version_watch import WATCH_S, WatchFile
from filterd.feed.versions import VersionPointer, Versions
from filterd.lists.index_files import version_of
from filterd.texts import i18n
from filterd.texts.i18n import UNSAID, refused, say

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.texts.i18n import Sentence


MOST_EVENTS = 300
_MOST_HISTORY_OCTETS = 1 << 20


class Event(StrEnum):
    """An event in the history of a version."""

    ACTIVATED = "activated"
    HELD = "held"
    REFUSED = "refused"
    APPROVED = "approved"
    ROLLED_BACK = "rolled-back"
    PINNED = "pinned"
    RELEASED = "released"
    FAILED = "failed"
    SOURCES = "sources"
    """How public lists came, and which of them commands follow."""


@frozen
class Line:
    """One event.

    Attributes:
        at: Unix time.
        event: what happened.
        version: to which version, ``SHIPPED`` where none is known.
        why: for people; may be empty.
    """

    at: float
    event: Event
    version: str
    why: Sentence = UNSAID

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        why = {"why": str(self.why), "sentence": i18n.to_plain(self.why)}
        return {
            "at": self.at,
            "event": self.event.value,
            "version": plain_version(self.version),
            **why,
        }


class History:
    """The events of one site, in the feed's state folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "history.jsonl"

    def lines(self) -> list[Line]:
        """Return the events, the oldest first, without unreadable ones."""
        try:
            with open_plain(self._path) as file:
                text = file.read(_MOST_HISTORY_OCTETS)
        except OSError:
            return []
        return [line for one in text.splitlines() if (line := _read(one)) is not None]

    def add(self, line: Line) -> None:
        """Note an event; a disk that refuses it stops nothing."""
        lines = self.lines()
        if lines and replace(lines[-1], at=line.at) == line:
            lines.pop()  # nights that fail alike are one line, with the last time
        text = "".join(
            json.dumps(one.to_plain()) + "\n" for one in (*lines[1 - MOST_EVENTS :], line)
        )
        with contextlib.suppress(StoreError):
            write_atomically(self._path, text.encode("ascii"))


def _read(text: bytes) -> Line | None:
    try:
        data = json.loads(text)
        why = i18n.from_plain(data["sentence"])
        return Line(float(data["at"]), Event(data["event"]), str(data["version"]), why)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


ALERT_S = 7 * 86_400.0
LOUD_S = 30 * 86_400.0
_MOST_OCTETS = 1 << 18
"""A judgement alone may have half as many."""
_MOST_SNAPSHOT_OCTETS = 2_000_000
"""The limit of python-tuf."""


class Freshness(StrEnum):
    """The age of the lists. NEVER: no answer yet. UNKNOWN: the clock is wrong."""

    FRESH = "fresh"
    OLD = "old"
    VERY_OLD = "very-old"
    NEVER = "never"
    UNKNOWN = "unknown"


@frozen
class FeedStanding:
    """The results of the last runs; Unix times, None for never.

    Attributes:
        tried_at: the last run.
        verified_at: the last run that was answered and verified.
        version: the version that was published then.
        expires_at: until when that counts as fresh.
        waiting_since: when a version first came that was not taken yet.
        takes_at: from when on the newest one is taken.
        problem: why the last run failed; empty where it has not.
        judgement: of the version that waits for an administrator.
    """

    tried_at: float | None = None
    verified_at: float | None = None
    version: str = field(default=SHIPPED, metadata={IDS: True})
    expires_at: float | None = None
    waiting_since: float | None = None
    takes_at: float | None = None
    problem: Sentence = UNSAID
    judgement: Judgement | None = None


_FORMAT = FileFormat(
    FeedStanding,
    magic=b"filterd feed-standing ",
    words={"Judgement": Judgement},
    most_octets=_MOST_OCTETS,
    legacy=json.loads,
)


class StandingFile:
    """The file of the standing, in the feed's state folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "standing.json"

    def read(self) -> FeedStanding:
        """Return the standing; the initial one where it cannot be read."""
        return _FORMAT.read(self._path) or FeedStanding()

    def write(self, standing: FeedStanding) -> None:
        """Keep it.

        Raises:
            StoreError: the disk refused.
        """
        _FORMAT.save(self._path, standing)

    def note_verified(self, version: str, expires_at: float | None, now: float) -> None:
        """Keep that a run was answered, by this version; drop a judgement of another one.

        Raises:
            StoreError: the disk refused.
        """
        standing = self.read()
        is_judged = standing.judgement is not None and standing.judgement.version == version
        self.write(
            replace(
                standing,
                tried_at=now,
                verified_at=now,
                version=version,
                expires_at=expires_at,
                problem=UNSAID,
                judgement=standing.judgement if is_judged else None,
            )
        )


class RunNotes:
    """What runs leave for people: the history, and how the site stands.

    Args:
        folder: the feed's state folder.
        clock: for the time of an event.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.history, self.standing, self._clock = History(folder), StandingFile(folder), clock

    def add(self, event: Event, version: str, why: Sentence = UNSAID) -> None:
        """Note an event; a disk that refuses it stops nothing."""
        self.history.add(Line(self._clock.wall(), event, version, why))

    def failed(self, error: FilterdError, now: float) -> None:
        """Note a run that failed; the problem may be this disk."""
        problem = error.sentence
        with contextlib.suppress(StoreError):
            self.standing.write(replace(self.standing.read(), tried_at=now, problem=problem))
        refused = isinstance(error, RefusedVersionError)
        held = Event.REFUSED if refused else Event.HELD
        event = held if isinstance(error, GuardError) else Event.FAILED
        self.add(event, self.standing.read().version, problem)

    def held(self, judgement: Judgement) -> None:
        """Keep the judgement of a version that waits for an administrator."""
        with contextlib.suppress(StoreError):
            self.standing.write(replace(self.standing.read(), judgement=bounded(judgement)))

    def activated(self, version: str) -> None:
        """Note that a version is in force: nothing waits, and there is no problem."""
        self.add(Event.ACTIVATED, version)
        standing = replace(self.standing.read(), waiting_since=None, takes_at=None, judgement=None)
        with contextlib.suppress(StoreError):
            self.standing.write(replace(standing, problem=UNSAID))


def freshness(standing: FeedStanding, now: float, floor: float) -> Freshness:
    """Return how old the lists are; ``floor`` is the earliest possible time."""
    if standing.verified_at is None:
        return Freshness.NEVER
    if now < floor:
        return Freshness.UNKNOWN
    age_s = now - standing.verified_at
    if age_s >= LOUD_S:
        return Freshness.VERY_OLD
    expired = standing.expires_at is not None and now >= standing.expires_at
    return Freshness.OLD if expired or age_s >= ALERT_S else Freshness.FRESH


def overview(address: str, state: StateFolder, clock: Clock) -> dict[str, Any]:
    """Return how a site stands with its feed, as plain data.

    Args:
        address: of the feed that it follows, empty for none.
        state: the state folder.
        clock: the clock.

    Returns:
        ``address``; ``sources``, the number of public lists, ``followed``, their ids, and
        ``missing``, those that have never come; ``trusted``, whether a root was
        given; ``served``, the version of the active lists (0 for the shipped ones, negative
        where the orders alone are of that version); ``in_force``, ``previous``, ``refused``,
        ``held`` of the versions at hand; ``published``, ``tried_at``, ``verified_at``,
        ``expires_at``, ``takes_at`` of the last runs, Unix times; ``freshness``; ``problem``
        and ``sentence``, why the last run failed or the folder is unreadable; ``judgement`` of
        a waiting version; ``watched_until``; ``beside``, the same of public lists beside the
        feed, None for none.
    """
    standing = StandingFile(state.feed).read()
    served = version_of(state.index, state.noted_as) or SHIPPED
    refusal = _refusal(state, served)
    home = StateFolder(state.folder).feed
    followed = () if address else followed_lists(home)
    sources = len(followed)
    # A site that follows nothing any more does not see the last run's trouble.
    problem = refusal or (standing.problem if address or sources else UNSAID)
    return {
        "address": address,
        "sources": sources,
        "followed": followed,
        "missing": missing_lists(home) if sources else (),
        # Of a folder that cannot be read only the problem is known.
        "trusted": bool(refusal) or is_there(state.feed / "root.json"),
        "served": plain_version(served),
        **_of_versions(Versions(state.feed).in_force()),
        "published": plain_version(standing.version),
        "tried_at": standing.tried_at,
        "verified_at": standing.verified_at,
        "expires_at": standing.expires_at,
        "takes_at": standing.takes_at,
        "freshness": freshness(standing, clock.wall(), TimeFloor(state.feed).read()).value,
        "problem": str(problem),
        "sentence": i18n.to_plain(problem),
        "judgement": to_plain(standing.judgement),
        "watched_until": _watched_until(state, clock),
        "beside": _beside(state, clock) if address else None,
    }


def _of_versions(versions: VersionPointer) -> dict[str, Any]:
    """Return which versions are at hand, as plain data."""
    return {
        "in_force": versions.current and plain_version(versions.current),
        "previous": [*map(plain_version, versions.previous)],
        "refused": [*map(plain_version, versions.refused)],
        "held": versions.held,
    }


def _watched_until(state: StateFolder, clock: Clock) -> float | None:
    """Return until when the version in force is watched; None where it is not."""
    watch = WatchFile(state.feed).read(clock)
    return None if watch is None else clock.wall() + watch.since + WATCH_S - clock.monotonic()


def program_version(folder: Path) -> int:
    """Return the version of the role ``program`` in the verified snapshot; 0 for none.

    Its packages are verified by the unit that updates the program, with a trust of its own.

    Args:
        folder: of the feed.
    """
    try:
        snapshot = json.loads(read_plain(folder / "metadata/snapshot.json", _MOST_SNAPSHOT_OCTETS))
        return int(snapshot["signed"]["meta"]["program.json"]["version"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return 0


def _beside(state: StateFolder, clock: Clock) -> dict[str, Any] | None:
    """Return how public lists beside a feed stand; None where none are followed."""
    row = overview("", BesideFolder(state.folder), clock)
    return row if row["sources"] else None


def _refusal(state: StateFolder, served: str) -> Sentence:
    """Return why a folder of the feed is unreadable; or nothing."""
    for folder in (state.feed, *([state.feed_version(served)] if served != SHIPPED else [])):
        try:
            os.listdir(folder)  # noqa: PTH208 -- it reads at once, and nothing is left open
        except FileNotFoundError:
            continue  # nothing was taken yet, or it was cleared away
        except OSError as error:
            return say("{path}: cannot be read: {why}", path=folder, why=refused(error))
    return UNSAID
