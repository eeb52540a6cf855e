# SPDX-License-Identifier: Apache-2.0
"""What opens a guarded category, and what is open of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.policy import guarded_categories
from filterd.policy.guarded_categories import LONGEST_OPENING_S, GuardedOpening, opened_by, openings
from filterd.policy.model import Audience, LocalRule, Network, Policy, Scheduled, Service
from filterd.policy.temporary_rules import (
    ClassLoan,
    Exam,
    GradeSetting,
    LocalException,
    Overrides,
    RoomSetting,
    TargetKind,
)
from tests.support.policies import CATEGORIES, NOW, a_category, a_policy, an_index, wire

if TYPE_CHECKING:
    from filterd.lists.index import Index

PROXY = replace(a_category("proxy-vpn", 18), guarded=True)
DUELS = Service("duels", "Đấu", "Duels", "violence", None, (wire("duels.example"),))
CHAT = Service("chat", "Chat", "Chat", "social-media", 13, (wire("chat.example"),))
VIOLENCE = replace(a_category("violence", 18), guarded=True)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    lists = {
        "proxies": ("proxy-vpn", "domains", False, ["vpn.example", "tunnel.co.example"]),
        "gore": ("violence", "adblock", False, ["||gore.example^", "@@||help.gore.example^"]),
        "toys": ("games", "domains", False, ["toys.example"]),
    }
    return an_index(tmp_path_factory.mktemp("lists"), lists)


def a_school(**changes: Any) -> Policy:
    known = CATEGORIES | {"proxy-vpn": PROXY, "violence": VIOLENCE}
    networks = [Network("lab", "6", room=True), Network("office", "staff")]
    policy = a_policy(categories=known, networks=networks)
    shut = frozenset(("proxy-vpn", "violence"))
    grades = {
        key: replace(grade, guarded=frozenset() if key == "staff" else shut)
        for key, grade in policy.grades.items()
    }
    services = {"duels": DUELS, "chat": CHAT}
    return replace(policy, grades=grades, services=services, **changes)


def an_exception(kind: str, target: str, **how: Any) -> LocalException:
    fields: dict[str, Any] = {"allow": True, "audience": Audience.GRADE, "whom": "6"} | how
    return LocalException(
        7, TargetKind(kind), target, reason="", author="lan", starts_at=NOW, **fields
    )


def _opened(thing: object, index: Index, policy: Policy | None = None) -> set[str]:
    return set(opened_by(thing, policy or a_school(), index))


@pytest.mark.parametrize(
    ("kind", "target", "opened"),
    [
        ("category", "violence", {"violence"}),
        ("category", "games", set()),
        ("category", "no-such-category", set()),
        ("service", "duels", {"violence"}),
        ("service", "chat", set()),
        ("service", "no-such-service", set()),
        ("name", "vpn.example", {"proxy-vpn"}),
        ("name", "www.vpn.example", {"proxy-vpn"}),  # beneath what the list has
        ("name", "co.example", {"proxy-vpn"}),  # above it
        ("name", "duels.example", {"violence"}),
        ("name", "de.duels.example", {"violence"}),
        ("name", "gore.example", {"violence"}),
        ("name", "example", {"proxy-vpn", "violence"}),
        ("name", "toys.example", set()),
        ("name", "lesson.example", set()),
        ("name", "a..b", set()),  # no name
        ("entry", "vpn.example", {"proxy-vpn"}),  # of a list, which is open then
        ("entry", "www.vpn.example", set()),  # no entry of a list
        ("entry", "toys.example", set()),
        ("entry", "a..b", set()),
        ("pause", "", set()),
    ],
)
def test_a_category_a_service_or_a_name_opens_what_is_guarded(
    kind: str, target: str, opened: set[str], index: Index
) -> None:
    assert _opened(an_exception(kind, target), index) == opened
    assert _opened(an_exception(kind, target, allow=False), index) == set()
    assert _opened(an_exception(kind, target, whom="staff"), index) == set()


def test_a_grade_brought_into_a_room_opens_what_is_guarded_for_those_who_are_there(
    index: Index,
) -> None:
    setting = RoomSetting(1, "lab", "staff", "", "lan", NOW, NOW + 60)
    policy = a_school()
    staff = replace(policy.grades["staff"], closed=frozenset(("proxy-vpn",)))
    policy = replace(policy, grades=policy.grades | {"staff": staff})
    assert _opened(setting, index, policy) == {"violence"}
    assert _opened(replace(setting, grade="9"), index, policy) == set()
    assert _opened(replace(setting, room="office"), index, policy) == set()  # the staff's own
    assert _opened(replace(setting, grade="6A"), index, policy) == set()  # no such class
    (opening,) = openings(policy, Overrides(rooms=(setting,)), index)
    assert opening == GuardedOpening("violence", Audience.NETWORK, "lab", 1, NOW, NOW + 60)


def test_in_a_room_of_the_staff_it_is_guarded_as_pupils_may_be_brought_there(index: Index) -> None:
    networks = (Network("hall", "staff", room=True), Network("office", "staff"))
    policy = replace(a_school(), networks=networks)
    thing = an_exception("category", "violence", audience=Audience.NETWORK, whom="hall")
    assert _opened(thing, index, policy) == {"violence"}
    assert _opened(replace(thing, whom="office"), index, policy) == set()


@pytest.mark.parametrize(
    ("kind", "target", "opened"),
    [
        ("category", "violence", {"violence"}),
        ("category", "games", set()),
        ("service", "duels", {"violence"}),
        ("list", "proxies", {"proxy-vpn"}),
        ("list", "toys", set()),
        ("tier", "lower-secondary", set()),
    ],
)
def test_what_a_schedule_of_the_files_opens_is_open_as_well(
    kind: str, target: str, opened: set[str], index: Index
) -> None:
    entry = Scheduled("gio-hoc", True, kind, target, Audience.GRADE, "6")
    for one, expected in (
        (entry, opened),
        (replace(entry, opens=False), set()),
        (replace(entry, whom="staff"), set()),
    ):
        found = openings(a_school(scheduled=(one,)), Overrides(), index)
        assert {each.category for each in found} == expected


@pytest.mark.parametrize(
    ("audience", "whom", "is_guarded"),
    [
        ("everybody", "", True),
        ("tier", "lower-secondary", True),
        ("tier", "staff", False),
        ("grade", "12", True),
        ("class", "6A", False),  # the school has no such class
        ("network", "lab", True),
        ("network", "office", False),
        ("client", "192.0.2.7", True),  # who has the address may change
    ],
)
def test_for_an_audience_what_is_guarded_for_any_grade_of_it_is(
    audience: str, whom: str, is_guarded: bool, index: Index
) -> None:
    thing = an_exception("category", "violence", audience=Audience(audience), whom=whom)
    assert bool(_opened(thing, index)) is is_guarded


def test_a_setting_of_a_grade_and_an_exam_open_as_well(index: Index) -> None:
    setting = GradeSetting(1, "6", TargetKind.CATEGORY, "violence", True, "", "lan", NOW)
    assert _opened(setting, index) == {"violence"}
    assert _opened(replace(setting, opens=False), index) == set()
    assert _opened(replace(setting, grade="staff"), index) == set()
    exam = Exam(1, "lab", ("thi.example",), (), "", "lan", NOW, NOW + 60)
    assert _opened(exam, index) == set()
    assert _opened(replace(exam, names=("vpn.example",)), index) == {"proxy-vpn"}
    assert _opened(replace(exam, services=("duels",)), index) == {"violence"}
    assert _opened(ClassLoan(1, "6A", "lan", "", "lan", NOW, NOW + 60), index) == set()


def test_beneath_a_name_with_very_many_listed_ones_any_category_may_be(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    thing = an_exception("name", "co.example")
    assert _opened(thing, index) == {"proxy-vpn"}
    monkeypatch.setattr(guarded_categories, "_MOST_BENEATH", 0)
    assert _opened(thing, index) == {"proxy-vpn", "violence"}


def test_what_is_open_now_has_its_audience_its_number_and_its_end(index: Index) -> None:
    policy = a_school()
    opened = replace(policy.grades["9"], closed=frozenset(("proxy-vpn",)))
    closed = {
        key: replace(grade, closed=grade.closed | {"proxy-vpn", "violence"})
        for key, grade in policy.grades.items()
    }
    rule = LocalRule("1", wire("vpn.example"), True, Audience.NETWORK, "lab", "vì")
    policy = replace(policy, grades=closed | {"9": opened}, rules=(rule,))
    things = Overrides(
        exceptions=(
            an_exception("service", "duels", ends_at=NOW + 60),
            replace(an_exception("category", "violence", ends_at=NOW + 60), starts_at=NOW + 1),
            an_exception("category", "violence", ends_at=NOW),
        ),
        grades=(GradeSetting(3, "7", TargetKind.CATEGORY, "violence", True, "", "lan", NOW),),
        exams=(Exam(4, "lab", ("vpn.example",), (), "", "lan", NOW, NOW + 90),),
    )
    found = [opening for opening in openings(policy, things, index) if opening.holds_at(NOW)]
    assert found == [
        GuardedOpening("violence", Audience.GRADE, "9", None, None, None),
        GuardedOpening("proxy-vpn", Audience.NETWORK, "lab", None, None, None),
        GuardedOpening("violence", Audience.GRADE, "7", 3, NOW, None),
        GuardedOpening("violence", Audience.GRADE, "6", 7, NOW, NOW + 60),
        GuardedOpening("proxy-vpn", Audience.NETWORK, "lab", 4, NOW, NOW + 90),
    ]


def test_it_is_opened_for_two_weeks_at_most() -> None:
    assert LONGEST_OPENING_S == 14 * 86_400
