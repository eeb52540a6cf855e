# SPDX-License-Identifier: Apache-2.0
"""The ten minutes after a version came in force: does it do harm that nobody foresaw?

What tells is what the daemon counts anyway, compared with what it counted before,
and names that must be blocked, asked of the running daemon. Whoever watches needs
no names that anybody looked up.

Nothing here goes by what a few answers show, and a failing upstream is not the
lists' fault. A version that was rolled back is never taken again, so the limits
are those of real harm.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from filterd.errors import FilterdError
from filterd.i18n import say
from filterd.state_file import FileFormat

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.clock import Clock
    from filterd.i18n import Sentence

WATCH_S = 600.0
EVERY_S = 10.0
TIMES_BLOCKED = 3.0
FAILED_PART = 0.05
LEAST_ANSWERS = 200
"""Fewer tell nothing."""
LEAST_BLOCKED_PART = 0.02
"""A school that blocked hardly anything may block three times as much."""

_MOST_OCTETS = 4_000
_SILENT_TIMES = 3
"""Looks in a row at which no worker answered."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a daemon has answered since it began."""

    total: int = 0
    blocked: int = 0
    failed: int = 0

    def since(self, before: Counts) -> Counts:
        """Return what came after ``before``; all of it where a worker began anew in between."""
        if min(self.total - before.total, self.blocked - before.blocked) < 0:
            return self
        return Counts(
            self.total - before.total,
            self.blocked - before.blocked,
            max(self.failed - before.failed, 0),
        )

    def part(self, count: int) -> float:
        """Return which part of all answers a count is."""
        return count / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched: a version, since when (monotonic), and what was usual before.

    Attributes:
        version: the version.
        since: monotonic.
        at_swap: counted by then.
        usual: the part of answers that were blocks before, the most of any day.
        canaries: names that must be blocked for everybody.
    """

    version: str
    since: float
    at_swap: Counts
    usual: float
    canaries: tuple[str, ...] = ()


_FORMAT = FileFormat(
    Watch, magic=b"filterd feed-watch ", most_octets=_MOST_OCTETS, legacy=json.loads
)


def counts_of(status: dict[str, Any]) -> Counts:
    """Return what a daemon's status counts."""
    answers = {key: int(value) for key, value in status.get("answers", {}).items()}
    failed = answers.get("failed", 0) + answers.get("error", 0)
    return Counts(sum(answers.values()), answers.get("blocked", 0), failed)


def harm(watch: Watch, status: dict[str, Any]) -> Sentence | None:
    """Return what the counters say against a version, None where they say nothing.

    Args:
        watch: what is watched.
        status: the daemon's.
    """
    counts = counts_of(status).since(watch.at_swap)
    if counts.total < LEAST_ANSWERS:
        return None
    blocked, usual = counts.part(counts.blocked), max(watch.usual, LEAST_BLOCKED_PART)
    if blocked > TIMES_BLOCKED * usual:
        return say(
            "{part} % of answers were blocks, and {usual} % before",
            part=round(100 * blocked),
            usual=round(100 * watch.usual),
        )
    failed = counts.part(counts.failed)
    upstreams = status.get("upstreams", [])
    is_route_down = bool(upstreams) and all(one.get("down") for one in upstreams)
    if failed > FAILED_PART and not is_route_down:
        return say("{part} % of answers were failures", part=round(100 * failed))
    return None


class Watching:
    """Looks at a version again and again, as long as it has to be watched.

    Args:
        watch: what is watched.
        daemon: who is asked.
        clock: for the ten minutes.
    """

    def __init__(self, watch: Watch, daemon: Daemon, clock: Clock) -> None:
        self.watch, self._daemon, self._clock = watch, daemon, clock
        self._silent = 0

    @property
    def is_over(self) -> bool:
        """Whether it has served long enough."""
        return self._clock.monotonic() >= self.watch.since + WATCH_S

    def look(self) -> Sentence | None:
        """Return what speaks against the version now, None for nothing; every ``EVERY_S``."""
        found, answers = _look(self.watch, self._daemon)
        self._silent = 0 if answers else self._silent + 1
        if found is None and self._silent >= _SILENT_TIMES:
            return say("no worker answers any more")
        return found


class WatchFile:
    """What is being watched, for whoever goes on with it; below the feed's state folder.

    Args:
        folder: the feed's.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "watch.json"

    def begin(self, watch: Watch) -> None:
        """Note that a version is to be watched.

        Raises:
            StoreError: the disk refused.
        """
        _FORMAT.save(self.path, watch)

    def read(self, clock: Clock) -> Watch | None:
        """Return what is to be watched; after the machine has started anew, from the beginning."""
        watch, now = _FORMAT.read(self.path), clock.monotonic()
        if watch is None or watch.since <= now:
            return watch
        return replace(watch, since=now, at_swap=Counts())

    def end(self) -> None:
        """Note that it is over."""
        with contextlib.suppress(OSError):  # then it is watched once more
            self.path.unlink(missing_ok=True)


def _look(watch: Watch, daemon: Daemon) -> tuple[Sentence | None, bool]:
    """Look once; tell whether any worker answers. A daemon that was stopped is no harm."""
    try:
        status = daemon.status()
        found = harm(watch, status)
        if found is None and status.get("workers", 1):
            for name in watch.canaries:
                if not daemon.is_blocked(name):
                    return say("{name} is not blocked and must be", name=name), True
    except FilterdError:
        return None, True
    return found, bool(status.get("workers", 1))


class Daemon:
    """Nobody: a start will find what is on the disk."""

    def reload(self) -> None:
        """Have the lists on the disk served by all workers, if a daemon runs.

        A site whose files are wrong is served on as it last was good.

        Raises:
            FilterdError: it refuses; what it served before, it serves on.
        """

    def status(self) -> dict[str, Any]:
        """Return what ``filterd status --json`` prints; empty where no daemon runs.

        Raises:
            FilterdError: it does not answer.
        """
        return {}

    def is_blocked(self, name: str) -> bool:  # noqa: ARG002 -- who is nobody blocks everything
        """Tell whether whoever is most strictly filtered gets a block for a name.

        Raises:
            FilterdError: the daemon does not answer.
        """
        return True

    def usual_blocks(self) -> float:
        """Return which part of answers were blocks, on the day of the last week that had most.

        Raises:
            FilterdError: the daemon does not answer.
        """
        return 0.0
