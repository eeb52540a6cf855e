# SPDX-License-Identifier: Apache-2.0
"""A school's day on a moved clock: rooms, lessons, exceptions and exams.

Every question goes through a socket, with the fast path and without. The expected
answer comes from a table of the day that shares nothing with filterd.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import dns.rcode
import pytest

from filterd.daemon.serving.current_site import ActiveSite
from filterd.daemon.shared_page import SharedPage
from filterd.policy.model import Audience, Holiday, Lesson, Network, Period
from filterd.policy.temporary_rules import Exam, LocalException, Overrides, RoomSetting, TargetKind
from tests.support.policies import NOW
from tests.support.serving import NETWORKS, Serving, a_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index
    from filterd.resolve.site import Site
    from tests.support.upstream import FakeUpstream

ROOM, ADDRESS = "lab-a", "127.0.50.7"
MONDAY = 0
H = 3600
FIRST, BREAK, SECOND, EVENING = NOW, NOW + 45 * 60, NOW + 50 * 60, NOW + 95 * 60
"""13:30, 14:15, 14:20 and 15:05 on a Monday in Viet Nam."""

LESSONS = (
    Lesson("tiet-7", 13 * H + 30 * 60, 14 * H + 15 * 60),
    Lesson("tiet-8", 14 * H + 20 * 60, 15 * H + 5 * 60),
)
NEXT_MONDAY = Holiday("2025-12-08", "2025-12-08", "Nghỉ", "Day off")
TIMETABLE = (Period(MONDAY, "tiet-7", "6"), Period(MONDAY, "tiet-8", "9"))


class School(NamedTuple):
    """A running school and what it asks upstream."""

    serving: Serving
    upstream: FakeUpstream

    def at(self, moment: float) -> School:
        """Set the clocks forward."""
        ahead = moment - self.serving.clock.wall()
        self.serving.run(lambda: self.serving.clock.advance(ahead))
        return self

    def set(self, overrides: Overrides) -> None:
        """Activate overrides, as a worker does."""
        sites: Any = self.serving.sites
        clock = self.serving.clock

        def move() -> None:
            page = sites._page
            sites.prepare(page.epoch + 1, sites.loaded.at(clock.wall(), overrides))
            page.epoch += 1

        self.serving.run(move)

    def sees(self, name: str, source: str = ADDRESS) -> bool:
        """Return whether a client gets an address for a name, the same each time it asks."""
        if not any(key.startswith(f"{name} ") for key in self.upstream.records):
            self.upstream.add(f"{name}. 300 IN A 198.18.0.9")
        answers = [self.serving.ask(name, source=source) for _ in range(4)]
        seen = {bool(answer.answer) for answer in answers}
        assert len(seen) == 1, f"{name} was answered differently"
        assert all(answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) for answer in answers)
        return seen.pop()

    def longest_ttl(self, name: str, source: str = ADDRESS) -> int:
        """Return the longest TTL that a client gets with an answer or a block, cold and again."""
        answers = [self.serving.ask(name, source=source) for _ in range(3)]
        return max(rrset.ttl for answer in answers for rrset in (*answer.answer, *answer.authority))


@pytest.fixture(params=[True, False], ids=["fast", "chain"])
def school(
    request: pytest.FixtureRequest, index: Index, upstream: FakeUpstream
) -> Iterator[School]:
    room = Network(ROOM, "9", ("127.0.50.0/24",), room=True, timetable=TIMETABLE)
    untimed = a_site(index, [upstream], networks=(*NETWORKS, room))
    policy = replace(untimed.timed.policy, lessons=LESSONS, holidays=(NEXT_MONDAY,))
    serving = Serving(untimed, listen=["127.0.0.1"], fast=request.param)

    def load() -> Site:
        return type(untimed).of(
            policy, index, untimed.route.servers, untimed.surroundings, now=serving.clock.wall()
        )

    sites: Any = ActiveSite(SharedPage(), load, lambda _: None, serving.clock)
    serving.sites = sites
    with serving:
        yield School(serving, upstream)


def test_on_a_holiday_a_room_is_between_lessons_all_day(school: School) -> None:
    """Grade 9, which may see it, has the second lesson on Mondays."""
    week = 7 * 24 * H
    midnight = FIRST - (13 * H + 30 * 60) + week
    assert not school.at(midnight).sees("social.example")
    for moment in (FIRST, SECOND, EVENING - 1):
        assert not school.at(moment + week).sees("social.example"), moment - NOW
        assert not school.sees(f"cold-{int(moment)}.social.example")
    assert school.at(SECOND + 2 * week).sees("social.example")


def test_a_room_has_the_grade_of_its_lesson_to_the_second(school: School) -> None:
    day = [
        (FIRST, False),
        (BREAK - 1, False),
        (BREAK, False),
        (SECOND - 1, False),
        (SECOND, True),
        (EVENING - 1, True),
        (EVENING, False),
    ]
    for moment, social in day:
        school.at(moment)
        assert school.sees("social.example") is social, moment - NOW
        assert school.sees(f"cold-{int(moment)}.social.example") is social, moment - NOW
        assert school.sees("www.example.com")


def test_what_hides_behind_an_alias_is_judged_by_the_lesson_too(school: School) -> None:
    school.upstream.add("alias.example. 300 IN CNAME social.example.")
    school.upstream.add("social.example. 300 IN A 198.18.0.7")
    for moment, social in ((FIRST, False), (SECOND, True), (EVENING, False)):
        assert school.at(moment).sees("alias.example") is social


def test_another_class_does_not_notice(school: School) -> None:
    for moment in (FIRST, BREAK, SECOND, EVENING):
        school.at(moment)
        assert school.sees("social.example", "127.0.11.1")
        assert not school.sees("social.example", "127.0.6.1")


@pytest.mark.parametrize("before_s", [1, 5, 30, 200])
@pytest.mark.parametrize("name", ["social.example", "www.example.com"])
def test_no_device_keeps_an_answer_beyond_the_lesson(
    school: School, name: str, before_s: int
) -> None:
    school.at(SECOND - before_s)
    assert school.longest_ttl(name) <= before_s
    school.at(EVENING - before_s)
    assert school.longest_ttl(name) <= before_s


def test_a_clock_that_is_set_back_is_noticed(school: School) -> None:
    assert school.at(SECOND).sees("social.example")
    school.serving.run(lambda: school.serving.clock.set_wall(FIRST - SECOND))
    assert not school.sees("social.example")


def test_a_teacher_s_setting_of_a_room_holds_until_its_end(school: School) -> None:
    setting = RoomSetting(1, ROOM, "11", "đổi tiết", "lan", FIRST, FIRST + 600)
    school.set(Overrides(rooms=(setting,)))
    assert school.sees("social.example")
    assert school.at(FIRST + 599).sees("social.example")
    assert not school.at(FIRST + 600).sees("social.example")


def test_an_exception_opens_a_category_to_a_room_until_the_bell(school: School) -> None:
    exception = LocalException(
        1,
        TargetKind.CATEGORY,
        "social-media",
        allow=True,
        audience=Audience.NETWORK,
        whom=ROOM,
        reason="bài học về mạng xã hội",
        author="lan",
        starts_at=FIRST,
        ends_at=BREAK,
    )
    assert not school.sees("social.example")
    school.set(Overrides(exceptions=(exception,)))
    assert school.sees("social.example")
    assert not school.sees("social.example", "127.0.6.1")
    assert not school.sees("porn.example")
    assert not school.at(BREAK).sees("social.example")


def test_an_exam_lets_its_names_through_and_nothing_else_and_ends_by_itself(
    school: School,
) -> None:
    exam = Exam(1, ROOM, ("thi.example.com",), (), "thi thử", "lan", FIRST + 60, FIRST + 600)
    assert school.sees("www.example.org")
    school.set(Overrides(exams=(exam,)))
    assert school.sees("www.example.org")
    school.at(FIRST + 60)
    assert not school.sees("www.example.org")
    assert not school.sees("never-seen.example.org")
    assert school.sees("thi.example.com")
    assert school.sees("www.example.org", "127.0.6.1")
    assert school.at(FIRST + 600).sees("www.example.org")


def test_control_without_the_look_at_the_clock_a_lesson_would_not_end(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: it is the site in force that ends, and nothing else sees to it."""
    assert school.at(SECOND).sees("social.example")
    monkeypatch.setattr(school.serving.sites, "_ends", False)
    assert school.at(EVENING).sees("social.example")
