# SPDX-License-Identifier: Apache-2.0
"""Lookups as they happen, for commands that follow them.

While there are followers the manager (``LiveStream``) asks each worker (``LiveSource``) five
times a second for what it has counted and recorded since the last request. A worker that is not
asked for ``UNASKED_S`` stops collecting. So nothing is done while there are no
followers, and as much for one as for twenty. A report is a message of its own and no reply:
what comes late, or after a new manager has taken the place of the one that asked, is shown too.

An *event* is plain data. Its ``id`` grows from one to the next, over restarts as well::

    {"id", "at", "grade", "category", "action", "n", "name", "class", "device"}      a lookup
    {"id", "at", "class", "action", "n"}               blocks of a class, without a category
    {"levels": {tier: level}, "shows_rows"}          the first one, and when a level changes
    {"skipped": n}                     so many events were too many, or are not kept any more

Administrators follow lookups, as far as the level has them; a teacher follows the number of
blocks of own classes, whose categories come with the totals (``querylog.disclosure``). There is
no other stream. Of confidential names and categories, by the lists of now, there are no events.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, defaultdict, deque
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from filterd.base.packet_room import PacketRoom, json_octets
from filterd.daemon.log_request import check_known
from filterd.overrides.rights.permissions import check_class, readable_classes
from filterd.overrides.rights.read_access import READERS, View, check_view
from filterd.policy.category_parts import with_parts
from filterd.policy.field_checks import is_a_grade
from filterd.policy.log_levels import LogLevel, levels_of
from filterd.policy.model import TIER_OF_GRADE
from filterd.querylog.day_schema import DaySpan
from filterd.querylog.lookups import LookupBatch, LookupRoom
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        Callable,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )

    from filterd.base.clock import Clock
    from filterd.daemon.manager.change_service import Changes
    from filterd.daemon.worker_channel import Channel
    from filterd.operations.live_log import FollowLog
    from filterd.overrides.rights.roles import Author
    from filterd.policy.confidential_names import ConfidentialNames
    from filterd.policy.model import Policy
    from filterd.querylog import Counts
    from filterd.querylog.lookups import Lookup
    from filterd.resolve.site import Site

    Event = dict[str, Any]

EVERY_S = 0.2
UNFOLLOWED_S = 10.0
"""A follower whose connection broke off finds what happened since."""

UNASKED_S = 60.0
"""So does a new manager, the start of which takes long on a busy board."""

MOST_ROWS = 500
"""Lookups in one report at most; of long ones fewer fit a packet of the channel."""

_CLASSES_OCTETS = 16 * 1024
"""For the numbers of classes in one report, beside the lookups."""

RING = 1_000
"""Events that the manager keeps, for followers that are slow or come again."""

PAGE = 200
"""Events in one frame."""

_WORKER_WITHIN_S = 2.0
_COLLECTING_WITHIN_S = 1.0
_MICROSECONDS = 1_000_000


class LiveSource:
    """A worker's part.

    Args:
        counts: where all answers are counted.
        settle: adds the answers of the fast path to them.
    """

    def __init__(self, counts: Counts, settle: Callable[[], None]) -> None:
        self._counts, self._settle = counts, settle
        self._rows, self._room = list["Lookup"](), LookupRoom()
        self._skipped = 0
        self._last: Counter[str] | None = None
        """The blocks of the last report."""
        self._ends: asyncio.TimerHandle | None = None

    @property
    def is_followed(self) -> bool:
        """Whether lookups are wanted."""
        return self._ends is not None

    def row(self, lookup: Lookup) -> None:
        """Take a lookup that was just recorded, if there are followers."""
        if self._ends is None:
            return
        if len(self._rows) < MOST_ROWS and self._room.takes_lookup(lookup):
            self._rows.append(lookup)
        else:
            self._skipped += 1

    async def follow(self) -> dict[str, Any]:
        """Return what happened since the last request; the first one begins it.

        Returns: ``rows``, a ``LookupBatch``; ``skipped``, how many more there were;
        ``counted``, a list of classes and numbers of blocks.
        """
        self._settle()
        blocks, last = self._counts.blocks, self._last
        if last is None:
            last = blocks.copy()
        report = {
            "counted": list(_grown(blocks, last)),
            "rows": LookupBatch("", 0, tuple(self._rows)).to_plain(),
            "skipped": self._skipped,
        }
        self.close()
        self._last = last
        self._ends = asyncio.get_running_loop().call_later(UNASKED_S, self.close)
        return report

    def close(self) -> None:
        """Collect no more."""
        if self._ends is not None:
            self._ends.cancel()
        self._ends = self._last = None
        self._rows, self._room, self._skipped = [], LookupRoom(), 0


def _grown(blocks: Mapping[str, int], last: Counter[str]) -> Iterator[tuple[str, int]]:
    """Yield the classes whose blocks have grown, and bring ``last`` up to them.

    What has no room in the packet comes with the next one.
    """
    room = PacketRoom(_CLASSES_OCTETS)
    for class_id, n in blocks.items():
        row = class_id, n - last[class_id]
        if class_id and row[1] > 0 and room.takes(json_octets(row)):
            last[class_id] = n
            yield row


class LiveChoice(NamedTuple):
    """The choice of a follower; empty for all.

    ``parts``: the parts of the category, which count with it.
    """

    class_id: str = ""
    category: str = ""
    action: str = ""
    grade: str = ""
    parts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, asked: FollowLog, policy: Policy) -> LiveChoice:
        """Return the choice of a request; refuse one that has no events.

        Raises:
            ConfigError: the site has no such class, grade or category.
        """
        check_known(asked.class_, [one.id for one in policy.classes])
        check_known(asked.grade, [grade for grade in policy.grades if is_a_grade(grade)])
        check_known(asked.category, policy.categories)
        parts = with_parts(policy.categories, asked.category)
        return cls(asked.class_, asked.category, asked.action, asked.grade, parts)

    def has(self, event: Event) -> bool:
        """Return whether an event is of the choice; blocks of a class have no category."""
        return (
            self.class_id in ("", event.get("class"))
            and self.grade in ("", event.get("grade"))
            and (not self.category or event.get("category") in {self.category, *self.parts})
            and self.action in ("", event.get("action"))
        ) or "skipped" in event


class LiveStream:
    """The manager's part, over all workers.

    Args:
        clock: dates what was counted.
        workers: channels to the workers.
        site: returns the active site, for its levels and confidential names.
        changes: records that a follower looks at lookups, and knows which classes are a teacher's.
    """

    def __init__(
        self,
        clock: Clock,
        workers: Sequence[Channel],
        site: Callable[[], Site],
        changes: Changes,
    ) -> None:
        self._clock, self._workers, self._site, self._changes = clock, workers, site, changes
        self._ring = deque["Event"](maxlen=RING)
        self._begin = self._next = int(clock.wall() * _MICROSECONDS)
        # By the clock, so that they grow over restarts, too.
        self._hides_by: ConfidentialNames | None = None
        self._news = asyncio.Event()
        self._followers = 0
        self._asking: list[asyncio.Task[None]] = []
        self._collecting = defaultdict[int, asyncio.Event](asyncio.Event)
        self._reported = defaultdict[int, asyncio.Event](asyncio.Event)
        """By worker: whether it has reported since there are followers, and to the last request."""
        self._forgetting: asyncio.TimerHandle | None = None

    async def follow(self, asked: FollowLog, author: Author) -> AsyncGenerator[list[Event], None]:
        """Yield events, some at a time, for as long as they are asked for.

        Raises:
            ControlError: the author may not see these.
            StoreError: it cannot be recorded that lookups are looked at.
        """
        choice = LiveChoice.of(asked, self._site().policy)
        check_view(author, View.LIVE)
        if choice.class_id:
            check_class(author, choice.class_id, self._changes.classroom(self._site()))
        shows_rows = not author.roles.isdisjoint(READERS[View.ROWS])
        levels, noted = dict[str, str](), ""
        with self._asked():
            next_id = self._next_after(asked.since)
            await self._all_collect()
            while True:
                news = self._news
                if levels != (now := self._levels()):
                    levels = now
                    keeps_rows = not {LogLevel.BLOCKED, LogLevel.FULL}.isdisjoint(levels.values())
                    yield [{"levels": levels, "shows_rows": shows_rows}]
                if shows_rows and keeps_rows and noted != (today := self._today()):
                    noted = today
                    about = {"days": [today], "class": choice.class_id}
                    await self._changes.note_view(View.ROWS, author, about)
                self._hide_what_became_confidential()
                first = self._next - len(self._ring)
                if next_id < first and shows_rows:
                    yield [{"skipped": first - next_id}]
                next_id = max(next_id, first)
                page = [*islice(self._ring, next_id - first, next_id - first + PAGE)]
                next_id += len(page)
                seen = _lookups(page, levels) if shows_rows else self._blocks(page, author)
                if events := [*filter(choice.has, seen)]:
                    yield events
                elif not page:
                    await news.wait()

    def forget(self) -> None:
        """Empty the ring, since names in it are to be forgotten."""
        self._ring.clear()

    def close(self) -> None:
        """Stop asking; the followers are ended by the control server."""
        for task in self._asking:
            task.cancel()

    @contextlib.contextmanager
    def _asked(self) -> Iterator[None]:
        """Have the workers asked meanwhile.

        What is in the ring is forgotten soon afterwards: the next follower may come on another
        day, of which alone the look is recorded.
        """
        loop = asyncio.get_running_loop()
        self._followers += 1
        if self._followers == 1:
            if self._forgetting is not None:
                self._forgetting.cancel()
            self._collecting.clear()
            numbers = range(len(self._workers))
            self._asking = [loop.create_task(self._ask(number)) for number in numbers]
        try:
            yield
        finally:
            self._followers -= 1
            if not self._followers:
                self.close()
                self._forget_later()

    def _forget_later(self) -> None:
        if self._forgetting is not None:
            self._forgetting.cancel()
        self._forgetting = asyncio.get_running_loop().call_later(UNFOLLOWED_S, self.forget)

    def _next_after(self, since: int | None) -> int:
        """Return the id of the first event to send; of an id of before, all of the ring."""
        if since is None:
            return self._next
        is_of_this_life = self._begin <= since < self._next
        return since + 1 if is_of_this_life else self._next - len(self._ring)

    async def _all_collect(self) -> None:
        """Wait, not for long, until each worker collects."""
        with contextlib.suppress(TimeoutError):  # one that is being replaced begins later
            async with asyncio.timeout(_COLLECTING_WITHIN_S):
                for number in range(len(self._workers)):
                    await self._collecting[number].wait()

    async def _ask(self, number: int) -> None:
        """Ask one worker for ever: a silent one does not delay the others."""
        while True:
            self._reported[number].clear()
            self._workers[number].tell("follow")
            with contextlib.suppress(TimeoutError):  # it is being replaced, or has much to do
                async with asyncio.timeout(_WORKER_WITHIN_S):
                    await self._reported[number].wait()
            await asyncio.sleep(EVERY_S)

    async def take(self, number: int, **report: Any) -> None:
        """Take a report, which this manager or the one before has asked for.

        Args:
            number: of the worker, from 0.
            report: see ``LiveSource.follow``.
        """
        self._take(report)
        self._collecting[number].set()
        self._reported[number].set()
        if not self._followers:
            self._forget_later()

    def _take(self, report: dict[str, Any]) -> None:
        """Put the report of a worker into the ring."""
        confidential, at, before = self._site().confidential, int(self._clock.wall()), self._next
        for class_id, n in report["counted"]:
            self._put(at=at, action="blocked", n=n, **{"class": class_id})
        for lookup in LookupBatch.from_plain(report["rows"]).lookups:
            grade, class_id, _, category, action, _ = lookup.context
            if confidential.hides(lookup.name, category):
                continue
            counted = {"at": lookup.at, "grade": grade, "category": category, "action": action}
            name = names.to_text(lookup.name)
            self._put(**counted, n=lookup.n, name=name, **{"class": class_id}, device=lookup.device)
        if report["skipped"]:
            self._put(at=at, skipped=report["skipped"])
        if self._next > before:
            news, self._news = self._news, asyncio.Event()
            news.set()

    def _hide_what_became_confidential(self) -> None:
        """Empty the events in the ring that the present lists have made confidential."""
        now = self._site().confidential
        if now is not self._hides_by:
            self._hides_by = now
            for place, event in enumerate(self._ring):
                if "category" in event and (
                    event["category"] in now.categories
                    or ("name" in event and now.hides(names.from_text(event["name"])))
                ):
                    self._ring[place] = {"id": event["id"]}

    def _blocks(self, events: Iterable[Event], author: Author) -> Iterator[Event]:
        """Yield the numbers of blocks of a teacher's own classes."""
        school = self._changes.classroom(self._site())
        classes = readable_classes(author, lambda: school) or ()
        for event in events:
            if "name" not in event and event.get("class", "") in classes:
                yield event

    def _put(self, **event: Any) -> None:
        self._ring.append({"id": self._next, **event})
        self._next += 1

    def _today(self) -> str:
        return DaySpan.at(self._clock.wall(), ZoneInfo(self._site().policy.time_zone)).day

    def _levels(self) -> dict[str, str]:
        return {tier: level.value for tier, level in levels_of(self._site().policy).items()}


def _lookups(events: Iterable[Event], levels: Mapping[str, str]) -> Iterator[Event]:
    """Yield the lookups that the present levels have, and what was skipped.

    A lookup from before its level was lowered is not shown any more.
    """
    for event in events:
        if "skipped" in event:
            yield event
        elif "name" in event:
            of_rows = LogLevel.BLOCKED if event["action"] == "blocked" else LogLevel.FULL
            level = LogLevel(levels.get(TIER_OF_GRADE[event["grade"]], LogLevel.COUNTS))
            if level.includes(of_rows):
                yield event
