# SPDX-License-Identifier: Apache-2.0
"""Lookups as followers of different roles see them, over real channels to two workers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import pytest

from filterd.base.errors import ConfigError, ControlError
from filterd.base.packet_room import PACKET_OCTETS
from filterd.daemon import live_lookups as module
from filterd.daemon.live_lookups import MOST_ROWS, RING, LiveSource, LiveStream
from filterd.daemon.worker_channel import Channel, channel_pair
from filterd.operations.live_log import FollowLog
from filterd.overrides.rights.permissions import Classroom
from filterd.overrides.rights.read_access import READERS, View
from filterd.overrides.rights.roles import Author, Rank, Role
from filterd.policy.log_levels import LogLevel, QueryLog
from filterd.policy.model import SchoolClass
from filterd.policy.temporary_rules import Overrides
from filterd.querylog import CountingRules, Counts
from filterd.querylog.lookups import Lookup, LookupBatch, LookupContext
from filterd.resolve.site import Site
from filterd.wire import name as names
from tests.support.clock import FakeClock
from tests.support.serving import a_site

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from filterd.lists.index import Index

ADMIN = Author("root", Rank.ADMIN, frozenset((Role.READER, Role.ADMIN)))
TEACHER = Author("lan", Rank.TEACHER, frozenset((Role.READER, Role.TEACHER)))
READER = Author("an", Rank.READER, frozenset((Role.READER,)))
ALL = FollowLog()
SOME = LookupContext("6", "6A", "lab-a", "games", "blocked", "games-list")
PASSED = LookupContext("6", "6A", "lab-a", "", "pass")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_S", 0.001)


class _School:
    """Two workers and a manager, without processes."""

    def __init__(self, site: Site) -> None:
        self.site, self.clock = site, FakeClock()
        pairs = [channel_pair() for _ in range(2)]
        self._ends = [end for pair in pairs for end in pair]
        self.counts = [Counts(self.clock) for _ in pairs]
        self.workers = [LiveSource(count, lambda: None) for count in self.counts]
        self.asking = [
            Channel(near, {"followed": partial(self._take, number)})
            for number, (near, _) in enumerate(pairs)
        ]
        self._answering = [
            Channel(far, {"follow": partial(self._report, number)})
            for number, (_, far) in enumerate(pairs)
        ]
        self.looks: list[Any] = []
        self.stream = self.manager()

    async def _report(self, number: int) -> None:
        self._answering[number].tell("followed", **await self.workers[number].follow())

    async def _take(self, number: int, **report: Any) -> None:
        await self.stream.take(number, **report)

    def manager(self) -> LiveStream:
        """Return a manager, or its successor."""
        return LiveStream(self.clock, self.asking, lambda: self.site, cast("Any", self))

    def classroom(self, _: Site) -> Classroom:
        """Return the school."""
        now = self.clock.wall()
        return Classroom(self.site.policy, Overrides(), now, now + 3_600, lambda _: None)

    async def note_view(self, view: View, author: Author, about: Mapping[str, Any]) -> None:
        """Keep it."""
        self.looks.append((view, author.name, dict(about)))

    def looked_up(self, name: str, context: LookupContext = SOME, worker: int = 0) -> None:
        """Have a worker count a lookup, and record it."""
        self.counts[worker].add(
            context.grade, context.category, context.action, class_id=context.class_id
        )
        lookup = Lookup(1_800_000_000, names.from_text(name), context, 4711)
        self.workers[worker].row(lookup)

    async def all_are_followed(self) -> None:
        """Wait until the workers collect."""
        while not all(worker.is_followed for worker in self.workers):
            await asyncio.sleep(0.001)

    async def followed(
        self,
        happen: Callable[[], None],
        least: int = 1,
        choice: FollowLog = ALL,
        by: Author = ADMIN,
    ) -> list[Any]:
        """Return the events that a follower gets of something."""
        async with aclosing(self.stream.follow(choice, by)) as values:
            waiting = asyncio.ensure_future(_events(values, least))
            await self.all_are_followed()
            happen()
            return await waiting

    async def close(self) -> None:
        """End all."""
        self.stream.close()
        for worker in self.workers:
            worker.close()
        for channel in (*self.asking, *self._answering):
            await channel.close()
        for end in self._ends:
            end.close()


def _run(site: Site, work: Callable[[_School], Awaitable[None]]) -> None:
    async def whole() -> None:
        school = _School(site)
        try:
            async with asyncio.timeout(20):
                await work(school)
        finally:
            await school.close()

    asyncio.run(whole())


def _at(index: Index, level: LogLevel) -> Site:
    classes = (SchoolClass("6A", "6", ("lan",)), SchoolClass("6B", "6"))
    policy = replace(a_site(index).policy, log=QueryLog(level), classes=classes)
    return Site.of(policy, index, ())


async def _events(values: AsyncGenerator[list[Any], None], least: int) -> list[Any]:
    """Return so many events, or more, without those of the levels."""
    found: list[Any] = []
    async for some in values:
        found += (one for one in some if "levels" not in one)
        if len(found) >= least:
            return found
    raise AssertionError(found)


def test_what_happens_after_the_first_line_is_shown(index: Index) -> None:
    async def work(school: _School) -> None:
        async with aclosing(school.stream.follow(ALL, TEACHER)) as values:
            assert "levels" in (await anext(values))[0]
            assert all(worker.is_followed for worker in school.workers)

    _run(_at(index, LogLevel.COUNTS), work)


@pytest.mark.parametrize("level", [LogLevel.COUNTS, LogLevel.FULL])
def test_a_teacher_sees_how_many_blocks_own_classes_have_and_nothing_else(
    index: Index, level: LogLevel
) -> None:
    async def work(school: _School) -> None:
        def happen() -> None:
            school.looked_up("a.example", PASSED)
            school.looked_up("b.example", SOME._replace(class_id="6B"), worker=1)
            school.counts[0].add("6", "dating", "blocked", class_id="6B")
            school.counts[0].add("6", "games", "blocked", 3, class_id="6A")

        events = await school.followed(happen, by=TEACHER)
        assert [{**event, "id": 0, "at": 0} for event in events] == [
            {"id": 0, "at": 0, "class": "6A", "action": "blocked", "n": 3}
        ]

    _run(_at(index, level), work)


@pytest.mark.parametrize("role", sorted(set(Role) - READERS[View.LIVE]))
def test_there_is_no_stream_for_others(index: Index, role: Role) -> None:
    async def work(school: _School) -> None:
        author = Author("an", Rank.READER, frozenset((Role.READER, role)))
        with pytest.raises(ControlError, match="may not look at what happens now"):
            await anext(school.stream.follow(ALL, author))
        assert not any(worker.is_followed for worker in school.workers)

    _run(_at(index, LogLevel.FULL), work)


def test_a_confidential_block_is_in_no_number_of_a_class(index: Index) -> None:
    async def work(school: _School) -> None:
        def happen() -> None:
            school.counts[0].rules = CountingRules(confidential={"self-harm"})
            school.counts[0].add("6", "self-harm", "blocked", class_id="6A")
            school.counts[0].add("6", "games", "blocked", class_id="6A")

        assert [one["n"] for one in await school.followed(happen, by=TEACHER)] == [1]

    _run(_at(index, LogLevel.COUNTS), work)


@pytest.mark.parametrize(
    ("level", "seen"),
    [(LogLevel.FULL, ["a.example", "b.example"]), (LogLevel.BLOCKED, ["a.example"])],
)
def test_administrators_see_the_lookups_that_the_level_has_and_no_number(
    index: Index, level: LogLevel, seen: list[str]
) -> None:
    async def work(school: _School) -> None:
        def happen() -> None:
            school.looked_up("a.example")
            school.counts[0].add("6", "games", "blocked", 7, class_id="6A")
            if level is LogLevel.FULL:
                school.workers[0].row(Lookup(1, names.from_text("b.example"), PASSED, 1))

        events = await school.followed(happen, len(seen))
        assert sorted(event["name"] for event in events) == seen
        (row,) = (event for event in events if event.get("name") == "a.example")
        assert (row["class"], row["device"], row["at"]) == ("6A", 4711, 1_800_000_000)

    _run(_at(index, level), work)


@pytest.mark.parametrize(
    ("author", "level", "looks"),
    [
        (ADMIN, LogLevel.BLOCKED, ["2025-12-01", "2025-12-02"]),
        (TEACHER, LogLevel.FULL, []),
    ],
)
def test_that_lookups_are_looked_at_is_recorded_once_a_day_before_any_is_shown(
    index: Index, author: Author, level: LogLevel, looks: list[str]
) -> None:
    async def work(school: _School) -> None:
        async with aclosing(school.stream.follow(ALL, author)) as values:
            for _day in range(2):
                waiting = asyncio.ensure_future(_events(values, 1))
                await school.all_are_followed()
                school.looked_up("a.example")
                await waiting
                school.clock.advance(86_400)
        assert school.looks == [(View.ROWS, "root", {"days": [day], "class": ""}) for day in looks]

    _run(_at(index, level), work)


def test_a_teacher_follows_no_class_of_others(index: Index) -> None:
    async def work(school: _School) -> None:
        with pytest.raises(ControlError, match="may not look at class 6B"):
            await anext(school.stream.follow(FollowLog(class_="6B"), TEACHER))
        assert not any(worker.is_followed for worker in school.workers)

    _run(_at(index, LogLevel.FULL), work)


def test_a_choice_leaves_out_the_rest(index: Index) -> None:
    async def work(school: _School) -> None:
        request = {"class": "6A", "grade": "6", "action": "blocked", "category": "games"}
        wanted = FollowLog.read_sent(request)

        def happen() -> None:
            school.looked_up("w.example", SOME._replace(grade="9"))
            school.looked_up("x.example", SOME._replace(class_id="6B"))
            school.looked_up("y.example", SOME._replace(category=""))
            school.looked_up("z.example", PASSED)
            school.looked_up("a.example")

        assert [one["name"] for one in await school.followed(happen, 1, wanted)] == ["a.example"]

    _run(_at(index, LogLevel.FULL), work)


def test_a_choice_that_has_no_events_is_refused(index: Index) -> None:
    async def work(school: _School) -> None:
        for choice in (
            FollowLog(class_="9Z"),
            FollowLog(grade="13"),
            FollowLog(category="\n"),
        ):
            with pytest.raises(ConfigError, match=r"is not known here [^\n]*$"):
                await anext(school.stream.follow(choice, ADMIN))

    _run(_at(index, LogLevel.FULL), work)


def test_confidential_categories_are_in_no_event(index: Index) -> None:
    """Neither counted, of the school, nor recorded before the lists had the name."""

    async def work(school: _School) -> None:
        def happen() -> None:
            school.counts[0].add("", "self-harm", "blocked")
            school.counts[0].add("6", "self-harm", "blocked")
            school.looked_up("sad.example", SOME._replace(category="self-harm"))
            school.looked_up("porn.example", SOME)
            school.looked_up("a.example")

        assert [one.get("name") for one in await school.followed(happen)] == ["a.example"]

    site = _at(index, LogLevel.FULL)
    porn = replace(site.policy.categories["porn"], confidential=True)
    policy = replace(site.policy, categories={**site.policy.categories, "porn": porn})
    _run(Site.of(policy, index, ()), work)


@pytest.mark.parametrize("change", ["level", "lists", "none"])
def test_an_event_of_before_is_shown_as_by_now(index: Index, change: str) -> None:
    """A level that was lowered, or a list that came, holds for the ring as well."""

    async def work(school: _School) -> None:
        async with aclosing(school.stream.follow(ALL, ADMIN)) as values:
            waiting = asyncio.ensure_future(_events(values, 2))
            await school.all_are_followed()
            school.looked_up("porn.example", SOME)
            school.looked_up("a.example", PASSED)
            assert len(await waiting) == 2
        school.site = after[change]
        async with aclosing(school.stream.follow(FollowLog(since=0), ADMIN)) as values:
            waiting = asyncio.ensure_future(_events(values, 1))
            shown = []
            with contextlib.suppress(TimeoutError):
                shown = [one["name"] for one in await asyncio.wait_for(waiting, 0.2)]
        assert shown == expected[change]
        assert len(school.looks) == (1 if change == "level" else 2)

    before = _at(index, LogLevel.FULL)
    porn = replace(before.policy.categories["porn"], confidential=True)
    policy = replace(before.policy, categories={**before.policy.categories, "porn": porn})
    after = {
        "level": _at(index, LogLevel.COUNTS),
        "lists": Site.of(policy, index, ()),
        "none": before,
    }
    expected = {
        "level": [],
        "lists": ["a.example"],
        "none": ["porn.example", "a.example"],
    }
    _run(before, work)


def test_a_follower_comes_again_and_misses_nothing_of_the_ring(index: Index) -> None:
    async def work(school: _School) -> None:
        (first,) = await school.followed(lambda: school.looked_up("0.example"))
        for number in range(1, 50):  # while there are no followers
            school.looked_up(f"{number}.example")
        async with aclosing(school.stream.follow(FollowLog(since=first["id"]), ADMIN)) as values:
            events = await _events(values, 49)
        assert [event["name"] for event in events] == [
            f"{number}.example" for number in range(1, 50)
        ]
        assert first["id"] < events[0]["id"]

    _run(_at(index, LogLevel.FULL), work)


def test_a_while_after_the_last_follower_the_ring_is_empty(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else one of another day would see it, and the history would not have that day."""
    monkeypatch.setattr(module, "UNFOLLOWED_S", 0.05)

    async def work(school: _School) -> None:
        async with aclosing(school.stream.follow(ALL, ADMIN)) as values:
            waiting = asyncio.ensure_future(_events(values, 1))
            await school.all_are_followed()
            school.looked_up("a.example")
            await waiting
        assert school.stream._ring
        while school.stream._ring:
            await asyncio.sleep(0.01)

    _run(_at(index, LogLevel.FULL), work)


def test_after_a_restart_of_the_manager_nothing_comes_twice(index: Index) -> None:
    async def work(school: _School) -> None:
        (first,) = await school.followed(lambda: school.looked_up("0.example"))
        school.stream.close()
        school.looked_up("1.example")  # the worker goes on to collect
        school.clock.advance(3.0)
        school.stream = school.manager()
        async with aclosing(school.stream.follow(FollowLog(since=first["id"]), ADMIN)) as values:
            events = await _events(values, 1)
        assert [event["name"] for event in events] == ["1.example"]
        assert events[0]["id"] > first["id"]

    _run(_at(index, LogLevel.FULL), work)


def test_what_a_manager_asked_for_last_is_its_successor_s(index: Index) -> None:
    async def work(school: _School) -> None:
        (first,) = await school.followed(lambda: school.looked_up("0.example"))
        school.stream.close()
        school.asking[0].tell("follow")
        school.looked_up("1.example")
        await asyncio.sleep(0)
        school.stream = school.manager()  # before the report has come
        async with aclosing(school.stream.follow(FollowLog(since=first["id"]), ADMIN)) as values:
            events = await _events(values, 1)
        assert [event["name"] for event in events] == ["1.example"]

    _run(_at(index, LogLevel.FULL), work)


def test_a_slow_follower_gets_the_number_of_events_that_it_missed(index: Index) -> None:
    async def work(school: _School) -> None:
        async with aclosing(school.stream.follow(ALL, ADMIN)) as values:
            await anext(values)
            batch = LookupBatch(
                "", 0, (Lookup(1, names.from_text("a.example"), SOME, 1),) * (RING + 7)
            )
            event = {"counted": [], "rows": batch.to_plain(), "skipped": 0}
            school.stream._take(event)
            events = await _events(values, RING)
        assert events[0] == {"skipped": 7}
        assert len(events) == RING + 1

    _run(_at(index, LogLevel.FULL), work)


def test_a_report_is_bounded_and_states_what_it_lacks(index: Index) -> None:
    async def work(school: _School) -> None:
        source = school.workers[0]
        await source.follow()
        longest = ".".join(("\\255" * 62,) * 4)
        name = names.from_text(longest[:-4])
        for number in range(MOST_ROWS + 3):
            unlike = name[:-7] + number.to_bytes(4, "big") + name[-3:]
            source.row(Lookup(1_800_000_000, unlike, SOME, 2**31 - 1))
        events = await source.follow()
        reported = LookupBatch.from_plain(events["rows"]).lookups
        assert len(reported) + events["skipped"] == MOST_ROWS + 3
        assert 100 < len(reported) < MOST_ROWS, "octets decide, not rows"
        assert len(json.dumps(events)) < PACKET_OCTETS
        school.stream._take(events)

    _run(_at(index, LogLevel.FULL), work)


def test_blocks_of_classes_that_have_no_room_come_with_the_next_report(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CLASSES_OCTETS", 40)

    async def work(school: _School) -> None:
        source, blocks = school.workers[0], school.workers[0]._counts.blocks
        await source.follow()
        blocks.update({f"{number}A": number for number in range(1, 6)})
        found = dict[str, int]()
        reports = 0
        while counted := (await source.follow())["counted"]:
            found |= dict(counted)
            reports += 1
        assert found == {f"{number}A": number for number in range(1, 6)}
        assert reports > 1

    _run(_at(index, LogLevel.COUNTS), work)


def test_without_followers_a_worker_collects_nothing(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNASKED_S", 0.05)

    async def work(school: _School) -> None:
        school.looked_up("a.example")
        async with aclosing(school.stream.follow(ALL, ADMIN)) as values:
            await anext(values)
            await school.all_are_followed()
            school.looked_up("b.example")
        while any(worker.is_followed for worker in school.workers):
            await asyncio.sleep(0.001)
        assert not school.workers[0]._rows

    _run(_at(index, LogLevel.FULL), work)


def test_events_that_are_forgotten_are_a_gap(index: Index) -> None:
    async def work(school: _School) -> None:
        def happen() -> None:
            school.looked_up("a.example")
            school.looked_up("b.example", worker=1)

        events = await school.followed(happen, 2)
        school.stream.forget()
        again = FollowLog(since=events[0]["id"])
        async with aclosing(school.stream.follow(again, ADMIN)) as values:
            assert [one.keys() for one in await _events(values, 1)] == [{"skipped"}]

    _run(_at(index, LogLevel.FULL), work)
