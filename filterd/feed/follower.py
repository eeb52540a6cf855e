# SPDX-License-Identifier: Apache-2.0
"""Follow the feed or public lists in one process.

The process does what is due, one thing after the other. ``schedule`` computes what is due
when; ``sync`` and an ``arrival`` do it. A version that was activated, by whatever process, is
watched meanwhile: an urgent order must not wait for the end of the ten minutes. Nothing here
ends the process: a failed night is logged and tried again.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.base.errors import FetchError, FilterdError, GuardError, StoreError
from filterd.feed import schedule
from filterd.feed.schedule import Ending, Night, Now, ScheduleState, Work
from filterd.feed.standing import Freshness, freshness
from filterd.feed.version_watch import EVERY_S, Watching
from filterd.feed.versions import number_of
from filterd.texts.i18n import UNSAID, refused, say, say_n

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filterd.base.clock import Clock
    from filterd.feed.feed_config import Followed
    from filterd.feed.followed.fresh_arrival import FreshArrival
    from filterd.feed.schedule import ScheduledWork
    from filterd.feed.signed.arrival import VersionArrival
    from filterd.feed.sync import SiteFeed
    from filterd.feed.version_watch import Daemon
    from filterd.texts.i18n import Sentence

MOST_RETRIES = 3
"""In a night, for lists that busy servers keep back."""

_logger = logging.getLogger("filterd.feed")


class Keeper:
    """Follow the feed of one site; call ``work`` again and again.

    Args:
        site: the site.
        followed: returns which feed it follows now.
        arrival: makes one for what is followed; each run and each check has its own.
        clock: the clock.
        daemon: the resolver on this machine.
        random: draws a number from 0 up to 1.
        afterwards: does after each run what has its own outcome, and returns it for the log.
        fresh: makes the arrival of public lists that change all day.
    """

    def __init__(
        self,
        site: SiteFeed,
        followed: Callable[[], Followed],
        arrival: Callable[[Followed], VersionArrival],
        clock: Clock,
        daemon: Daemon,
        random: Callable[[], float],
        afterwards: Callable[[], Sentence] = lambda: UNSAID,
        fresh: Callable[[Followed], FreshArrival] | None = None,
    ) -> None:
        self._site, self._followed, self._arrival = site, followed, arrival
        self._clock, self._daemon, self._random = clock, daemon, random
        self._afterwards, self._fresh = afterwards, fresh
        self._fresh_at: float | None = None
        self._place = schedule.Place(0.0, 0.0, 0.0)
        self._feed: Followed | None = None
        self._standing = ScheduleState(clock.monotonic(), None)
        self._step: ScheduledWork | None = None
        self._watching: Watching | None = None
        self._said: dict[str, str] = {}

    def start(self) -> None:
        """Finish what an earlier process has begun; what fails is tried again later."""
        with self._noting("recovery"), self._site.holding():
            pass

    def work(self) -> float:
        """Do what is due; return the seconds until the next call, at most ``EVERY_S``."""
        try:
            return self._work()
        except OSError as error:  # a disk that refuses; a run reports its own errors
            why = say("{path}: {why}", path=error.filename or "filterd", why=refused(error))
            self._say("disk", why, logging.ERROR)
            return EVERY_S

    def _work(self) -> float:
        self._watch()
        if not self._is_followed():
            return EVERY_S
        assert self._feed is not None, "it is followed"
        if self._step is None:
            try:
                self._place = schedule.place_of(self._site.appliance.appliance_id())
            except StoreError as error:
                self._say("disk", error.sentence, logging.ERROR)
                return EVERY_S
            night = Night(self._feed.time_zone)
            self._step = schedule.next_step(self._place, night, self._standing, self._now())
        left = self._step.at - self._clock.monotonic()
        if left > 0:
            self._freshen(self._feed)
            return min(left, EVERY_S)
        if self._step.work is Work.RUN:
            self._run(self._feed)
        else:
            self._check(self._feed)
        self._step = None
        return 0.0

    def _is_followed(self) -> bool:
        """Return whether there is a feed to follow; start anew with another one."""
        feed = self._followed()
        if feed != self._feed:
            done_at = None if self._feed else self._site.appliance.done_at()
            handled = number_of(self._site.versions.in_force().current)
            self._feed, self._fresh_at = feed, None
            self._standing = ScheduleState(self._clock.monotonic(), done_at, handled)
            self._step = None
        for one in feed.refused:
            self._say(str(one), one, logging.WARNING)
        if feed.sources:
            self._say(
                "feed",
                say_n("following {n} public list", "following {n} public lists", len(feed.sources)),
            )
            return True
        if not feed.address:
            self._say(
                "feed", say("nothing is followed; the lists that ship with filterd are in use")
            )
        elif not self._site.trust.is_given():
            self._say("feed", say("no root is trusted yet: filterd feed trust ROOT.json"))
        else:
            self._say("feed", say("following {address}", address=feed.address))
            return True
        # Once there is something to follow its first run is the first of all.
        self._standing = replace(self._standing, started=self._clock.monotonic())
        self._step = None
        return False

    def _freshen(self, feed: Followed) -> None:
        """Take what public lists have got since the night, every four hours."""
        if self._fresh is None or not any(source.between_nights for source in feed.sources):
            return
        due = schedule.fresh_due(self._place, self._standing.started, self._fresh_at)
        if self._clock.monotonic() < due:
            return
        with self._noting("fresh"), self._site.holding():
            if outcome := self._site.freshen(self._fresh(feed)):
                _logger.info("version %s: %s", outcome.version, outcome.became.value)
        self._fresh_at = self._clock.monotonic()

    def _check(self, feed: Followed) -> None:
        try:
            with self._site.holding():
                urgent = self._arrival(feed).urgent()
        except FilterdError as error:
            self._say("check", error.sentence, logging.WARNING)
            self._standing = schedule.after_failed_check(
                self._standing,
                self._now(),
                retry_after_s=_retry_after_s(error),
                random=self._random(),
            )
        else:
            self._said.pop("check", None)
            self._standing = schedule.after_check(self._standing, urgent, self._now())

    def _run(self, feed: Followed) -> None:
        version, failed, busy_s = 0, None, 0.0
        try:
            with self._site.holding():
                outcome = self._site.sync(self._arrival(feed))
            version, busy_s = number_of(outcome.version), outcome.retry_after_s
            became, octets = outcome.became.value, outcome.fetched_octets
            _logger.info("version %s: %s, %d octets", outcome.version, became, octets)
        except GuardError as error:
            version = number_of(self._site.standing.read().version)
            _logger.warning("%s", error)
        except FilterdError as error:
            failed = error
            _logger.warning("%s", error)
        self._fresh_at = self._clock.monotonic()
        ending = schedule.ending_of(failed)
        if busy_s and self._standing.failures < MOST_RETRIES:
            ending = Ending.FAILED  # the night goes on without what a busy server kept back
        self._standing = schedule.after_run(
            self._standing,
            ending,
            self._now(),
            version=version,
            random=self._random(),
            retry_after_s=_retry_after_s(failed) or busy_s,
        )
        if ending is not Ending.FAILED and self._standing.done_at is not None:
            with contextlib.suppress(StoreError):  # then it is made up for after the next start
                self._site.appliance.remember(self._standing.done_at)
        self._warn_of_age()
        with self._noting("afterwards"):
            if done := self._afterwards():
                self._say("outcome afterwards", done)

    def _watch(self) -> None:
        """Watch a version that was activated lately, and roll it back where it does harm."""
        watch = self._site.watches.read(self._clock)
        if watch is None:
            self._watching = None
            return
        if self._watching is None or self._watching.watch != watch:
            self._watching = Watching(watch, self._daemon, self._clock)
        harm = self._watching.look()
        if harm is None:
            if self._watching.is_over:
                self._site.watches.end()
            return
        with self._noting("rollback"), self._site.holding():
            if self._site.versions.in_force().current == watch.version:
                back = self._site.roll_back(harm)
                _logger.error(
                    "version %s is rolled back to %s: %s", watch.version, back or "-", harm
                )
            self._site.watches.end()

    def _warn_of_age(self) -> None:
        """Log that nothing new comes any more, the longer the louder."""
        standing, now = self._site.standing.read(), self._clock.wall()
        age = freshness(standing, now, self._site.floor.read())
        if age in (Freshness.OLD, Freshness.VERY_OLD) and standing.verified_at is not None:
            level = logging.ERROR if age is Freshness.VERY_OLD else logging.WARNING
            days = int((now - standing.verified_at) // 86_400)
            _logger.log(
                level, "the feed was last verified %d days ago; its last lists stay in use", days
            )

    @contextlib.contextmanager
    def _noting(self, what: str) -> Iterator[None]:
        try:
            yield
        except FilterdError as error:
            self._say(what, error.sentence, logging.ERROR)
        else:
            self._said.pop(what, None)

    def _say(self, about: str, text: Sentence, level: int = logging.INFO) -> None:
        """Log a text once, until there is another one about the same."""
        if self._said.get(about) != text:
            self._said[about] = text
            _logger.log(level, "%s", text)

    def _now(self) -> Now:
        return Now(self._clock.monotonic(), self._clock.wall())


def _retry_after_s(error: FilterdError | None) -> float:
    return error.retry_after_s if isinstance(error, FetchError) else 0.0
