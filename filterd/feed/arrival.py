# SPDX-License-Identifier: Apache-2.0
"""Arrivals: how versions of lists come, as judging and activating them needs it.

A ``VersionArrival`` brings what one source offers. A signed feed is one (``tuf_arrival``); public
lists that a site follows are another. It is made anew for each run and bounds that run.
Whatever brings a version: it has an id, its folder is kept among the ``versions``, and the
guard, the watch, the way back and the history treat it alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from filterd.feed.guard import Judgement
    from filterd.feed.version_download import Taken
    from filterd.feed.versions import Versions
    from filterd.i18n import Sentence

    Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Moment:
    """The time of a run.

    Attributes:
        now: Unix time, as the clock shows it.
        floor: what it must at least be, for all that the caller knows.
    """

    now: float
    floor: float = 0.0


class Offer(Protocol):
    """A version that is offered, verified and not yet taken.

    Attributes:
        version: its id, of lower-case letters, digits and hyphens; no hyphen first, not "0".
        urgent: the number of the last version that must not wait; 0 for none.
        issued_at: Unix time, when it was made; 0 where that is not known.
        expires_at: Unix time until which it counts as fresh.
        clock_known: whether the clock could be believed.
        in_rings: whether appliances take it one after the other.
        remarks: how it came, for the history.
        retry_after_s: seconds after which what a busy server kept back may be asked for again;
            0 where nothing is lacking.
    """

    @property
    def version(self) -> str: ...  # noqa: D102
    @property
    def urgent(self) -> int: ...  # noqa: D102
    @property
    def issued_at(self) -> float: ...  # noqa: D102
    @property
    def expires_at(self) -> float: ...  # noqa: D102
    @property
    def clock_known(self) -> bool: ...  # noqa: D102
    @property
    def in_rings(self) -> bool: ...  # noqa: D102
    @property
    def remarks(self) -> tuple[Sentence, ...]: ...  # noqa: D102
    @property
    def retry_after_s(self) -> float: ...  # noqa: D102

    def is_in(self, folder: Path) -> bool:
        """Return whether a folder holds this very version, whole."""

    def take(self, versions: Versions, progress: Progress) -> Taken:
        """Make its folder; ``progress`` gets the octets fetched, and all that are to be.

        Raises:
            FeedError: something did not come or was wrong; nothing in force has changed.
            StoreError: the disk refused or has too little room; the same.
        """

    def release_of(self, judgement: Judgement, now: float | None) -> Sentence | None:
        """Return why its publisher has released this held version; None if not.

        Args:
            judgement: of this version.
            now: Unix time; None where the clock is not known.

        Raises:
            FeedError: it cannot be known.
        """


class VersionArrival(Protocol):
    """The offers of one source, for one run."""

    def refresh(self, moment: Moment) -> Offer:
        """Return what is offered now, verified.

        Raises:
            FetchError: nothing usable came.
            TrustError: what came must not be trusted.
            StoreError: the disk refused.
        """

    def urgent(self) -> int:
        """Return the number of the last urgent version, by a light check.

        Raises:
            FetchError: nothing usable came.
            TrustError: what came must not be trusted.
        """
