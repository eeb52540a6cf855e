# SPDX-License-Identifier: Apache-2.0
"""How a site stands with its feed: what the last run found, and how long that is ago.

Whatever happens the last good lists serve on (reliability.md G2): nothing here
acts, it only tells, and the longer nothing came, the louder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from filterd.feed.guard.guard_report import Judgement
from filterd.i18n import UNSAID
from filterd.state_file import FileFormat

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.i18n import Sentence

ALERT_S = 7 * 86_400.0
LOUD_S = 30 * 86_400.0
_MOST_OCTETS = 1 << 18
"""A judgement alone may have half as many."""


class Freshness(StrEnum):
    """How worried somebody should be.

    NEVER: no run was ever answered. UNKNOWN: the clock is wrong, so nobody can say.
    """

    FRESH = "fresh"
    OLD = "old"
    VERY_OLD = "very-old"
    NEVER = "never"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FeedStanding:
    """What the last runs found; Unix times, None for never.

    Attributes:
        tried_at: the last run.
        verified_at: the last that was answered, and all of it verified.
        version: what was published then, 0 for unknown.
        expires_at: until when that counts as fresh.
        waiting_since: when a version first came that was not taken yet.
        takes_at: from when on the newest one is taken.
        problem: why the last run has failed; empty where it has not.
        judgement: of the version that waits for an administrator.
    """

    tried_at: float | None = None
    verified_at: float | None = None
    version: int = 0
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
    """Where it is kept, below the feed's state folder.

    Args:
        folder: the feed's.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "standing.json"

    def read(self) -> FeedStanding:
        """Return how the site stands; as at the beginning where that cannot be read."""
        return _FORMAT.read(self._path) or FeedStanding()

    def write(self, standing: FeedStanding) -> None:
        """Keep it.

        Raises:
            StoreError: the disk refused.
        """
        _FORMAT.save(self._path, standing)

    def note_verified(self, version: int, expires_at: float | None, now: float) -> None:
        """Keep that a run was answered, by this version; a judgement of another is dropped.

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


def freshness(standing: FeedStanding, now: float, floor: float) -> Freshness:
    """Tell how worried somebody should be.

    Args:
        standing: how the site stands.
        now: as the clock shows it, Unix time.
        floor: what it must at least be.
    """
    if standing.verified_at is None:
        return Freshness.NEVER
    if now < floor:
        return Freshness.UNKNOWN
    age_s = now - standing.verified_at
    if age_s >= LOUD_S:
        return Freshness.VERY_OLD
    expired = standing.expires_at is not None and now >= standing.expires_at
    return Freshness.OLD if expired or age_s >= ALERT_S else Freshness.FRESH
