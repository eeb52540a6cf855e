# SPDX-License-Identifier: Apache-2.0
"""A teacher sees own classes and rooms, what is open there and what may be opened."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from filterd.overrides.rights.own_lesson import MOST_EXCEPTIONS, own_lesson
from filterd.overrides.rights.permissions import Classroom
from filterd.overrides.rights.roles import Author, Rank
from filterd.policy.effective_policy import at
from filterd.policy.model import Audience, Network, Policy
from filterd.policy.temporary_rules import Overrides, TargetKind
from filterd.policy.unknown_time import UNKNOWN_LEAD_S
from tests.support.week import SEVEN, a_school, an_exam, an_exception, timetabled, with_classes

NOW, EVENING = SEVEN + 60, SEVEN + 17 * 3600
OF_6A: dict[str, Any] = {"audience": Audience.CLASS, "whom": "6A"}


def _lesson(
    teacher: str = "lan",
    policy: Policy | None = None,
    now: float | None = NOW,
    wanted: str = "",
    **overrides: Any,
) -> dict[str, Any]:
    policy, set_ = policy or with_classes(timetabled("6A", "9B")), Overrides(**overrides)
    school = Classroom(policy, set_, now, EVENING, lambda _: None)
    moment = at(policy, set_, NOW if now is None else now)
    return own_lesson(Author(teacher, Rank.TEACHER), school, moment, wanted)


def test_a_teacher_has_the_own_class_in_its_lesson() -> None:
    chosen = _lesson()["chosen"]
    assert (chosen["place"], chosen["room"], chosen["lesson"]) == ("class:6A", "lab", "tiet-1")
    assert (chosen["bell_at"], chosen["day_ends_at"]) == (SEVEN + 2_700, EVENING)


def test_without_a_lesson_the_own_class_is_there_all_the_same() -> None:
    chosen = _lesson("hoa")["chosen"]
    assert (chosen["place"], chosen["room"], chosen["has_lesson"]) == ("class:9B", "", False)


def test_a_teacher_of_no_class_has_no_place() -> None:
    assert _lesson("khoa") == {"places": [], "chosen": None}


def test_where_no_class_has_teachers_every_room_is_there() -> None:
    places = _lesson("khoa", timetabled())["places"]
    assert [place["place"] for place in places] == ["network:lab"]
    assert places[0]["grade"] == "6"


def test_a_place_of_another_teacher_cannot_be_chosen() -> None:
    assert _lesson(wanted="class:9B")["chosen"]["place"] == "class:6A"


def test_services_that_are_closed_and_not_locked_may_be_opened() -> None:
    services = _lesson()["chosen"]["services"]
    assert {service["id"]: service["suits"] for service in services} == {"chat": True, "play": True}


def test_a_guarded_service_is_not_offered() -> None:
    """A teacher would be refused it."""
    policy = with_classes(timetabled("6A", "9B"))
    guarded = frozenset(("games",))
    grades = {key: replace(grade, guarded=guarded) for key, grade in policy.grades.items()}
    services = _lesson(policy=replace(policy, grades=grades))["chosen"]["services"]
    assert [service["id"] for service in services] == ["chat"]


def test_a_service_for_an_older_tier_does_not_suit() -> None:
    chosen = _lesson("khoa", timetabled("1", "2"))["chosen"]
    assert {one["id"]: one["suits"] for one in chosen["services"]} == {"chat": False, "play": False}


def test_an_open_target_names_its_exception_and_whether_it_is_the_own_one() -> None:
    mine = an_exception("play", kind=TargetKind.SERVICE, id=4, **OF_6A)
    theirs = an_exception("a.example", id=5, author="web:minh", **OF_6A)
    other = an_exception("b.example", id=6, audience=Audience.CLASS, whom="9B")
    chosen = _lesson(exceptions=(mine, theirs, other))["chosen"]
    assert [(one["id"], one["is_own"]) for one in chosen["exceptions"]] == [(4, True), (5, False)]
    assert {one["id"]: one["open_by"] for one in chosen["services"]} == {"chat": None, "play": 4}


def test_by_the_web_and_at_the_gateway_a_teacher_is_one_person() -> None:
    made = an_exception("a.example", author="web:lan", **OF_6A)
    (shown,) = _lesson(exceptions=(made,))["chosen"]["exceptions"]
    assert shown["is_own"]


def test_an_exam_in_the_room_is_shown() -> None:
    assert _lesson(exams=(an_exam(),))["chosen"]["exam"]["id"] == 9


def test_while_the_time_is_unknown_there_is_no_bell() -> None:
    assert _lesson(now=None)["chosen"]["bell_at"] is None


def test_a_home_room_is_of_the_class() -> None:
    policy = with_classes(timetabled("6A", "9B"))
    home = Network("p-101", "6A", ("203.0.113.0/25",))
    school = replace(policy, networks=(*policy.networks, home))
    (place,) = _lesson(policy=school)["places"]
    assert (place["place"], place["room"]) == ("class:6A", "lab")
    (place,) = _lesson(policy=school, now=SEVEN + 46 * 60)["places"]
    assert (place["place"], place["room"]) == ("class:6A", "p-101")


def test_where_nothing_is_set_or_scheduled_a_home_room_is_of_its_class_all_the_same() -> None:
    home = Network("p-101", "6A", ("203.0.113.0/25",))
    (place,) = _lesson(policy=with_classes(a_school(networks=(home,))))["places"]
    assert (place["place"], place["grade"], place["room"]) == ("class:6A", "6A", "p-101")


def test_a_place_is_whole() -> None:
    (place,) = _lesson()["places"]
    assert place == {
        "place": "class:6A",
        "audience": "class",
        "whom": "6A",
        "room": "lab",
        "grade": "6A",
        "has_lesson": True,
        "lesson": "tiet-1",
        "bell_at": SEVEN + 2_700,
        "day_ends_at": EVENING,
        "exam": None,
    }


def test_between_lessons_there_is_no_bell_and_no_lesson() -> None:
    (place,) = _lesson(now=SEVEN + 46 * 60)["places"]
    assert (place["lesson"], place["bell_at"], place["has_lesson"]) == (None, None, False)


def test_places_with_a_lesson_come_first_and_any_of_them_can_be_chosen() -> None:
    policy = with_classes(timetabled("9B", "6A"))
    classes = tuple(replace(one, teachers=("lan",)) for one in policy.classes)
    found = _lesson(policy=replace(policy, classes=classes))
    assert [one["place"] for one in found["places"]] == ["class:9B", "class:6A", "class:6B"]
    assert found["chosen"]["place"] == "class:9B"
    chosen = _lesson(policy=replace(policy, classes=classes), wanted="class:6B")["chosen"]
    assert (chosen["place"], chosen["grade"]) == ("class:6B", "6B")


def test_an_office_is_a_place_of_an_administrator_s_only_if_it_is_a_room() -> None:
    policy, set_ = timetabled(), Overrides()
    school = Classroom(policy, set_, NOW, EVENING, lambda _: None)
    found = own_lesson(Author("root", Rank.ADMIN), school, at(policy, set_, NOW))
    assert [one["place"] for one in found["places"]] == ["network:lab"]


@pytest.mark.parametrize(
    ("how", "open_by"),
    [
        ({}, 4),
        ({"starts_at": NOW}, 4),
        ({"starts_at": NOW + 1}, None),  # it is to come
        ({"ends_at": NOW}, None),  # it is over
        ({"allow": False}, None),
        ({"kind": TargetKind.NAME}, None),
        ({"whom": "6B"}, None),
    ],
)
def test_what_opens_a_service_is_an_allow_of_it_that_holds(
    how: dict[str, Any], open_by: int | None
) -> None:
    fields: dict[str, Any] = {"kind": TargetKind.SERVICE, "id": 4} | OF_6A | how
    made = an_exception("play", **fields)
    services = _lesson(exceptions=(made,))["chosen"]["services"]
    assert {service["id"]: service["open_by"] for service in services}["play"] == open_by


def test_a_service_has_its_own_age_or_that_of_its_category() -> None:
    policy = with_classes(timetabled("6A", "9B"))
    services = {
        "chat": replace(policy.services["chat"], min_age=None),
        "play": replace(policy.services["play"], min_age=15),
        "bad": replace(policy.services["bad"], group="unheard", min_age=None),
    }
    found = _lesson(policy=replace(policy, services=services))["chosen"]["services"]
    shown = {one["id"]: (one["min_age"], one["suits"]) for one in found}
    assert shown["chat"] == (13, True)  # of social-media; grade 9 of the tier is 14
    assert shown["play"] == (15, False)
    assert found[0] | {"open_by": None} == {
        "id": "chat",
        "name_vi": "Trò chuyện",
        "name_en": "Chat",
        "group": "social-media",
        "min_age": 13,
        "open_by": None,
        "suits": True,
    }


@pytest.mark.parametrize(("more", "left_out"), [(0, 0), (2, 2)])
def test_of_many_exceptions_the_newest_are_shown(more: int, left_out: int) -> None:
    many = tuple(
        an_exception("a.example", id=number, **OF_6A) for number in range(MOST_EXCEPTIONS + more)
    )
    chosen = _lesson(exceptions=many)["chosen"]
    assert [one["id"] for one in chosen["exceptions"]] == [*range(more, MOST_EXCEPTIONS + more)]
    assert chosen["left_out"] == left_out


def test_a_place_has_the_tier_and_age_of_its_grade() -> None:
    chosen = _lesson()["chosen"]
    assert (chosen["tier"], chosen["age"]) == ("lower-secondary", 11)


def test_an_administrator_owns_what_others_made() -> None:
    policy = timetabled()
    set_ = Overrides((an_exception("a.example", author="minh"),))
    school = Classroom(policy, set_, NOW, EVENING, lambda _: None)
    chosen = own_lesson(Author("root", Rank.ADMIN), school, at(policy, set_, NOW))["chosen"]
    assert [one["is_own"] for one in chosen["exceptions"]] == [True]


def test_a_shared_room_is_no_class_s_though_it_has_its_grade() -> None:
    """Between lessons a room has the strictest grade, and nobody sits there."""
    policy = with_classes(timetabled("6A", "6A"))
    found = _lesson(policy=policy, now=SEVEN + 46 * 60)["places"]
    assert [one["room"] for one in found if one["place"] == "class:6A"] == [""]


def test_an_own_class_is_in_the_room_of_its_lesson_and_not_in_another_one() -> None:
    policy = with_classes(timetabled("6A", "9B"))
    other = Network("a-lab", "6A", ("203.0.113.0/25",), room=True)
    (place,) = _lesson(policy=replace(policy, networks=(other, *policy.networks)))["places"]
    assert place["room"] == "lab"


def test_what_is_open_in_a_room_is_by_the_grade_that_it_has_in_the_files() -> None:
    policy = with_classes(timetabled("6A", "9B"))
    office, lab = policy.networks[::-1]
    chosen = _lesson(policy=replace(policy, networks=(office, lab)))["chosen"]
    assert (chosen["tier"], chosen["age"]) == ("lower-secondary", 11)


def test_an_exception_for_the_room_counts_in_a_lesson_there() -> None:
    made = an_exception("a.example", audience=Audience.NETWORK, whom="lab")
    elsewhere = an_exception("b.example", id=2, audience=Audience.NETWORK, whom="office")
    chosen = _lesson(exceptions=(made, elsewhere))["chosen"]
    assert [one["target"] for one in chosen["exceptions"]] == ["a.example"]


def test_a_class_without_a_room_has_no_exception_of_a_network() -> None:
    made = an_exception("a.example", audience=Audience.NETWORK, whom="")
    assert _lesson("hoa", exceptions=(made,))["chosen"]["exceptions"] == []


def test_while_the_time_is_unknown_what_has_begun_holds() -> None:
    made = an_exception("a.example", starts_at=0.0, ends_at=0.5, **OF_6A)
    chosen = _lesson(now=None, exceptions=(made,))["chosen"]
    assert [one["target"] for one in chosen["exceptions"]] == ["a.example"]


def test_a_service_for_the_oldest_of_the_tier_suits() -> None:
    policy = with_classes(timetabled("6A", "9B"))
    oldest = max(grade.age for grade in policy.grades.values() if grade.tier == "lower-secondary")
    services = {
        "chat": replace(policy.services["chat"], min_age=oldest),
        "play": replace(policy.services["play"], min_age=oldest + 1),
    }
    found = _lesson(policy=replace(policy, services=services))["chosen"]["services"]
    assert {one["id"]: one["suits"] for one in found} == {"chat": True, "play": False}


def test_a_service_of_a_category_without_an_age_is_for_all() -> None:
    policy = with_classes(timetabled("6A", "9B"))
    group = policy.services["chat"].group
    categories = {
        **policy.categories,
        group: replace(policy.categories[group], min_age=None),
    }
    services = {
        "chat": replace(policy.services["chat"], min_age=None),
        "play": replace(policy.services["play"], group="unheard", min_age=None),
    }
    changed = replace(policy, services=services, categories=categories)
    found = _lesson(policy=changed)["chosen"]["services"]
    assert {one["min_age"] for one in found} == {0}


def test_while_the_time_is_unknown_a_room_of_several_classes_is_none_of_them() -> None:
    policy = with_classes(timetabled("6A", "9B"))
    school = Classroom(policy, Overrides(), None, EVENING, lambda _: None)
    moment = at(policy, Overrides(), UNKNOWN_LEAD_S)
    assert moment.seats["lab"].is_shared
    places = own_lesson(Author("lan", Rank.TEACHER), school, moment)["places"]
    assert [(place["place"], place["room"]) for place in places] == [
        ("network:lab", "lab"),
        ("class:6A", ""),
    ]
