# SPDX-License-Identifier: Apache-2.0
"""Watch a version for ten minutes after its activation.

The counters of the daemon are compared with those before, and the running daemon is asked for
names that must be blocked. No name that was looked up is needed. A few answers prove
nothing, and a failing upstream is not the fault of lists. A version that was rolled back is
never taken again, so the limits are those of real harm.

A pause (``filterd pause``) opens what lists close, and its end looks like a bad list: blocks are
compared without the time of pauses, and the watch lasts as much longer.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from filterd.base.errors import FilterdError
from filterd.base.state_file import ADDED, IDS, FileFormat
from filterd.base.value_class import frozen
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.texts.i18n import Sentence

WATCH_S = 600.0
EVERY_S = 10.0
TIMES_BLOCKED = 3.0
FAILED_PART = 0.05
LEAST_ANSWERS = 200
"""Fewer prove nothing."""
LEAST_BLOCKED_PART = 0.02
"""A school that blocked hardly anything may block three times as much."""
MOST_BLOCKED_PART = 0.5
"""Of a version that was judged by the recorded days."""

_MOST_OCTETS = 4_000
_SILENT_TIMES = 3
"""Looks in a row at which no worker answered."""


@frozen
class AnswerCounts:
    """The answers of a daemon since its start."""

    total: int = 0
    blocked: int = 0
    failed: int = 0

    def since(self, before: AnswerCounts) -> AnswerCounts:
        """Return the counts since ``before``; all where a worker began anew."""
        if min(self.total - before.total, self.blocked - before.blocked) < 0:
            return self
        return AnswerCounts(
            self.total - before.total,
            self.blocked - before.blocked,
            max(self.failed - before.failed, 0),
        )

    def part(self, count: int) -> float:
        """Return the share of a count in all answers."""
        return count / self.total if self.total else 0.0


@frozen
class Watch:
    """A watched version, since when, and the usual counts before.

    Attributes:
        version: the version.
        since: monotonic time.
        at_swap: the counts by then.
        usual: the share of blocks in answers before, the most of any day.
        canaries: names that must be blocked for everybody.
        by_log: nearly all that was asked for on recorded days was judged, and the version closes
            little of it: a larger share of blocks is what is asked for now, and not the version,
            unless most is blocked.
    """

    version: str = field(metadata={IDS: True})
    since: float
    at_swap: AnswerCounts
    usual: float
    canaries: tuple[str, ...] = ()
    by_log: bool = field(default=False, metadata={ADDED: True})


_FORMAT = FileFormat(
    Watch, magic=b"filterd feed-watch ", most_octets=_MOST_OCTETS, legacy=json.loads
)


def counts_of(status: dict[str, Any]) -> AnswerCounts:
    """Return the counts in a daemon's status."""
    answers = {key: int(value) for key, value in status.get("answers", {}).items()}
    failed = answers.get("failed", 0) + answers.get("error", 0)
    return AnswerCounts(sum(answers.values()), answers.get("blocked", 0), failed)


def usual_part(daemon: Daemon, status: dict[str, Any]) -> float:
    """Return the usual share of blocks in answers, before a swap.

    In a pause the counters of today prove nothing; without a day of the week before there is
    nothing to compare with then, and every share is usual.

    Raises:
        FilterdError: the daemon does not answer.
    """
    usual = daemon.usual_blocks()
    if status.get("pauses"):
        return usual or 1.0
    counts = counts_of(status)
    return max(usual, counts.part(counts.blocked))


def harm(
    watch: Watch, status: dict[str, Any], unpaused: AnswerCounts | None = None
) -> Sentence | None:
    """Return the harm that the counters show, None for none.

    Args:
        watch: the version, and what was before.
        status: of the daemon.
        unpaused: the counts at the end of the last pause, from where on blocks are compared;
            None without a pause.
    """
    counts = counts_of(status).since(watch.at_swap)
    if counts.total < LEAST_ANSWERS:
        return None
    compared = counts_of(status).since(unpaused or watch.at_swap)
    blocked, usual = compared.part(compared.blocked), max(watch.usual, LEAST_BLOCKED_PART)
    most = max(TIMES_BLOCKED * usual, MOST_BLOCKED_PART if watch.by_log else 0.0)
    if compared.total >= LEAST_ANSWERS and blocked > most:
        return say(
            "{part} % of answers were blocks; before, {usual} %",
            part=round(100 * blocked),
            usual=round(100 * watch.usual),
        )
    failed = counts.part(counts.failed)
    upstreams = status.get("upstreams", [])
    is_route_down = bool(upstreams) and all(upstream.get("down") for upstream in upstreams)
    if failed > FAILED_PART and not is_route_down:
        return say("{part} % of answers were failures", part=round(100 * failed))
    return None


class Watching:
    """Look at a version again and again, as long as it has to be watched."""

    def __init__(self, watch: Watch, daemon: Daemon, clock: Clock) -> None:
        self.watch, self._daemon, self._clock = watch, daemon, clock
        self._silent = 0
        self._unpaused: AnswerCounts | None = None
        self._looked_at, self._paused_s = clock.monotonic(), 0.0

    @property
    def is_over(self) -> bool:
        """Whether it has served long enough."""
        return self._clock.monotonic() >= self.watch.since + WATCH_S + self._paused_s

    def look(self) -> Sentence | None:
        """Return the harm that the version does now, None for none; every ``EVERY_S``."""
        found, answers = self._look()
        self._silent = 0 if answers else self._silent + 1
        if found is None and self._silent >= _SILENT_TIMES:
            return say("no worker answers")
        return found

    def _look(self) -> tuple[Sentence | None, bool]:
        """Look once; return also whether any worker answers. A stopped daemon is no harm."""
        try:
            status = self._daemon.status()
            self._note_pause(status)
            found = harm(self.watch, status, self._unpaused)
            if found is None and status.get("workers", 1):
                for name in self.watch.canaries:
                    if not self._daemon.is_blocked(name):
                        return say("{name} is not blocked, and must be", name=name), True
        except FilterdError:
            return None, True
        return found, bool(status.get("workers", 1))

    def _note_pause(self, status: dict[str, Any]) -> None:
        now = self._clock.monotonic()
        if status.get("pauses"):
            self._unpaused = counts_of(status)
            self._paused_s += now - self._looked_at
        self._looked_at = now


class WatchFile:
    """The watched version on disk, so that another process can go on."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "watch.json"

    def begin(self, watch: Watch) -> None:
        """Note that a version is to be watched.

        Raises:
            StoreError: the disk refused.
        """
        _FORMAT.save(self.path, watch)

    def read(self, clock: Clock) -> Watch | None:
        """Return the watched version; its watch begins anew after a restart."""
        watch, now = _FORMAT.read(self.path), clock.monotonic()
        if watch is None or watch.since <= now:
            return watch
        return replace(watch, since=now, at_swap=AnswerCounts())

    def end(self) -> None:
        """Note that it is over."""
        with contextlib.suppress(OSError):  # then it is watched once more
            self.path.unlink(missing_ok=True)


class Daemon:
    """The resolver on this machine, as the feed needs it; here there is none.

    The feed is a floor below the control socket, so the client is handed in
    (``filterd.daemon.feed_port``).
    """

    def reload(self) -> None:
        """Have all workers of a running daemon serve the lists on the disk.

        A site whose files are wrong is served on as it last was good.

        Raises:
            FilterdError: it refuses, and serves what it served before.
        """

    def status(self) -> dict[str, Any]:
        """Return what ``filterd status --json`` prints; empty where no daemon runs.

        Raises:
            FilterdError: it does not answer.
        """
        return {}

    def is_blocked(self, _: str) -> bool:
        """Return whether the most strictly filtered client gets a block for a name.

        Raises:
            FilterdError: the daemon does not answer.
        """
        return True

    def passed(self) -> dict[str, int]:
        """Return the lookups that passed on each of the last days (ISO 8601).

        Raises:
            FilterdError: the daemon does not answer.
        """
        return {}

    def usual_blocks(self) -> float:
        """Return the most share of blocks in answers of a day, of the last week.

        Raises:
            FilterdError: the daemon does not answer.
        """
        return 0.0
