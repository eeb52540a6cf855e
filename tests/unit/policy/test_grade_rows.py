# SPDX-License-Identifier: Apache-2.0
"""Grades, categories and services are rows; grades are written in few words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from filterd.policy.grade_rows import GRADE as GRADE_DETAILS
from filterd.policy.grade_rows import (
    NETWORKS,
    SERVICE,
    SERVICE_GROUPS,
    Difference,
    as_told,
    category_rows,
    difference_listing,
    differences,
    grade_row,
    grades_text,
    ids,
    network_rows,
    ranges,
    rule_differences,
    service_group_rows,
    service_row,
    state_of,
    state_of_service,
    whole_service_row,
)
from filterd.policy.model import GRADES, Audience, Network, Service
from filterd.texts.i18n import Texts
from filterd.texts.rows import Row, SchoolClock, Wording
from tests.support.policies import a_policy, allow, block, wire
from tests.support.week import SERVICES, a_school, with_classes

if TYPE_CHECKING:
    from filterd.policy.model import LocalRule

NOW = 1_772_384_400.0
WORDING = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), 0.0))


@pytest.mark.parametrize(
    ("grades", "cells"),
    [
        ([], ""),
        (["1"], "1"),
        (["1", "2", "3", "5", "staff"], "1-3, 5, staff"),
        (["preschool", "1", "guest"], "preschool, 1, guest"),
    ],
)
def test_grades_are_written_as_people_do(grades: list[str], cells: str) -> None:
    assert ", ".join(ranges(grades)) == cells


@pytest.mark.parametrize(
    ("grades", "cells"),
    [
        (GRADES, "everybody"),
        (tuple(one for one in GRADES if one != "staff"), "everybody but staff"),
        ((), ""),
        (("preschool", "1", "2", "3"), "preschool, 1-3"),
        (("4", "6", "7", "12"), "4, 6-7, 12"),
        (("1", "continuing", "guest"), "1, continuing, guest"),
    ],
)
def test_grades_take_as_few_words_as_they_need(grades: tuple[str, ...], cells: str) -> None:
    assert grades_text(Texts("en"), grades) == cells


def test_a_grade_has_its_networks_and_the_state_of_each_category_and_service() -> None:
    policy = a_school()
    row = grade_row(policy, policy.grades["6"])
    assert (row["tier"], row["networks"]) == ("lower-secondary", ["lab"])
    assert row["categories"].keys() == policy.categories.keys()
    assert row["services"].keys() == policy.services.keys()


def test_the_networks_of_a_grade_are_reported_with_their_ranges() -> None:
    lan = Network("lan", "1", ("192.0.2.0/24", "198.51.100.0/24"), ("eth1",))
    policy = replace(a_school(), networks=(lan,), unknown_grade="1")
    (row,) = (one for one in network_rows(policy) if one["grade"] == "1")
    cells = [one.cell(row, WORDING)[0] for one in NETWORKS]
    assert cells == ["1", "lan 192.0.2.0/24 198.51.100.0/24 eth1", "(unknown clients)"]


def test_a_service_is_reported_with_the_grades_that_may_use_it() -> None:
    policy = a_school()
    row = whole_service_row(policy, policy.services["chat"])
    cells = {str(column.heading): column.cell(row, WORDING)[0] for column in SERVICE.columns}
    assert SERVICE.title(row, WORDING) == "chat: Chat"
    assert (cells["Category"], cells["Domain names"]) == ("social-media", "chat.example")
    none = row | {"grades": dict.fromkeys(GRADES, "closed")}
    assert _shown(none)["Open now to"] == "no one"


def _shown(row: Row) -> dict[str, str]:
    return {str(column.heading): column.cell(row, WORDING)[0] for column in SERVICE.columns}


def test_a_service_says_of_which_day_its_terms_are_and_what_else_it_needs() -> None:
    policy = a_school()
    chat = replace(
        policy.services["chat"], terms_date="2026-05-07", note_vi="Cần đồng ý", note_en="Consent"
    )
    row = whole_service_row(policy, chat)
    shown = _shown(row)
    assert (shown["By its terms of"], shown["Note"]) == ("2026-05-07", "Consent")
    assert (row["note_vi"], row["note_en"]) == ("Cần đồng ý", "Consent")


@pytest.mark.parametrize(
    ("kind", "before", "cells"),
    [
        ("category", "open", ["x", "open", "-", "6-7"]),
        ("service", "", ["service:x", "as its category", "as its category", "6-7"]),
        ("rule", "allow", ["rule:x", "allow", "-", "6-7"]),
    ],
)
def test_a_difference_is_reported(kind: str, before: str, cells: list[str]) -> None:
    row = {"kind": kind, "target": "x", "before": before, "after": "", "grades": ["6", "7"]}
    listing = difference_listing("left", "right")
    columns, is_cut = listing.columns, not listing.is_whole
    assert is_cut, "a long name of one row does not push the others apart"
    assert [column.heading for column in columns] == ["Item", "left", "right", "Grades"]
    assert [column.cell(row, WORDING)[0] for column in columns] == cells


def test_services_are_folded_by_category_with_the_names_of_the_fewer() -> None:
    games = {one: replace(SERVICES["play"], id=one) for one in ("chess", "go", "play")}
    policy = a_school()
    grade = replace(policy.grades["6"], opened=frozenset({"service:chess"}))
    policy = replace(policy, services=games | {"chat": SERVICES["chat"]})
    rows = service_group_rows(policy, grade)
    assert rows == [
        {"group": "games", "open": ["chess"], "closed": ["go", "play"]},
        {"group": "social-media", "open": [], "closed": ["chat"]},
    ]
    cells = [SERVICE_GROUPS.columns[1].cell(row, WORDING)[0] for row in rows]
    assert cells == ["2 closed, 1 open: chess", "1 closed"]


ZALO = Service("zalo", "Zalo", "Zalo", "social-media", 13, (wire("zalo.example"),))
POLICY = replace(a_policy(), services={"zalo": ZALO})
GRADE = replace(POLICY.grades["6"], closed=frozenset({"porn", "law-ordered", "social-media"}))


def test_a_grade_does_not_differ_from_itself() -> None:
    assert differences(POLICY, GRADE, POLICY, GRADE) == ()


def test_a_category_that_is_open_to_one_differs() -> None:
    other = replace(GRADE, closed=GRADE.closed - {"social-media"} | {"games"})
    assert differences(POLICY, GRADE, POLICY, other) == (
        Difference("category", "social-media", "closed", "open"),
        Difference("category", "games", "open", "closed"),
    )


def test_a_service_that_goes_with_its_category_is_not_distinguished() -> None:
    other = replace(GRADE, closed=GRADE.closed - {"social-media"})
    assert [difference.kind for difference in differences(POLICY, GRADE, POLICY, other)] == [
        "category"
    ]
    by_itself = replace(GRADE, opened=frozenset({"service:zalo"}))
    assert differences(POLICY, GRADE, POLICY, by_itself) == (
        Difference("service", "zalo", "", "open"),
    )


def test_settings_differ_too() -> None:
    other = replace(GRADE, youtube="strict", strip_ech=True)
    assert differences(POLICY, GRADE, POLICY, other) == (
        Difference("setting", "youtube", "off", "strict"),
        Difference("setting", "strip_ech", "False", "True"),
    )


def test_rules_of_two_policies_are_reported() -> None:
    before = replace(POLICY, rules=(allow("a.example"), block("b.example")))
    after = replace(POLICY, rules=(block("b.example"), block("c.example")))
    assert rule_differences(before, after) == (
        Difference("rule", "a.example (everybody)", "allow", ""),
        Difference("rule", "c.example (everybody)", "", "block"),
    )


@pytest.mark.parametrize(
    ("closed", "opened", "kept", "state"),
    [
        ((), (), (), "open"),
        (("social-media",), (), (), "closed"),
        (("social-media",), ("service:zalo",), (), "open"),
        (("service:zalo",), (), (), "closed"),
        (("service:zalo",), (), ("service:zalo",), "locked"),
        (("social-media",), ("service:zalo",), ("social-media",), "locked"),
    ],
)
def test_the_state_of_a_service(
    closed: tuple[str, ...], opened: tuple[str, ...], kept: tuple[str, ...], state: str
) -> None:
    grade = replace(GRADE, closed=frozenset(closed), opened=frozenset(opened))
    policy = replace(POLICY, kept_closed=frozenset(kept))
    assert state_of_service(policy, grade, "zalo") == state


def test_what_is_locked_is_locked_to_everybody() -> None:
    everything = replace(GRADE, closed=frozenset())
    assert state_of(POLICY, everything, "porn") == "locked"
    assert state_of(POLICY, everything, "law-ordered") == "locked"
    porn = replace(POLICY, services={"zalo": replace(ZALO, group="porn")})
    assert state_of_service(porn, everything, "zalo") == "locked"


def test_a_row_of_a_grade_is_whole_and_a_class_is_named_in_its_own() -> None:
    policy = with_classes(a_school())
    row = grade_row(policy, policy.grades["staff"])
    states = row.pop("categories"), row.pop("services")
    assert row == {
        "grade": "staff",
        "tier": "staff",
        "age": 18,
        "block_response": "nxdomain",
        "safe_search": "off",
        "youtube": "off",
        "client_ttl_max": 600,
        "networks": ["office"],
        "unknown_clients": False,
    }
    assert (states[0]["porn"], states[0]["games"], states[1]["play"]) == ("locked", "open", "open")
    assert grade_row(policy, policy.grades["6A"])["class"] == "6A"
    assert grade_row(policy, policy.grades["preschool"])["unknown_clients"]


def test_a_category_and_a_service_have_their_state_and_all_that_is_known_of_them() -> None:
    policy = a_school()
    rows = {one["id"]: one for one in category_rows(policy, policy.grades["6"])}
    assert (rows["games"]["state"], rows["games"]["min_age"]) == ("closed", 12)
    assert (rows["porn"]["state"], rows["ads-trackers"]["state"]) == ("locked", "open")
    row = service_row(policy, policy.grades["6"], policy.services["chat"])
    assert (row["id"], row["state"], row["group"]) == ("chat", "closed", "social-media")
    whole = whole_service_row(policy, policy.services["chat"])
    assert whole["grades"] | {"7": "closed", "8": "open"} == whole["grades"]
    assert (whole["name_vi"], whole["min_age"]) == ("Trò chuyện", 13)
    assert _shown(whole)["Open now to"] == "8-12, continuing, staff"


def test_the_ids_that_commands_take_are_those_of_the_site() -> None:
    policy = with_classes(a_school())
    fewer = {key: grade for key, grade in policy.grades.items() if grade.tier == "lower-secondary"}
    assert ids(replace(policy, grades=fewer)) == {
        "grades": ["6", "7", "8", "9"],
        "tiers": ["lower-secondary"],
        "classes": ["6A", "6B", "9B"],
        "rooms": ["lab"],
        "networks": ["lab", "office"],
        "services": ["chat", "play", "bad"],
        "categories": [*policy.categories],
    }


def test_a_title_names_the_grade_or_the_class_of_it() -> None:
    policy = with_classes(a_school())
    titles = [
        GRADE_DETAILS.title(grade_row(policy, policy.grades[key]), WORDING) for key in ("6", "6A")
    ]
    assert titles == [
        "Grade 6: lower secondary, age 11",
        "Class 6A, grade 6: lower secondary, age 11",
    ]


def test_of_services_the_fewer_are_named_in_order_and_none_where_there_is_none() -> None:
    (column,) = (one for one in SERVICE_GROUPS.columns if one.heading == "Services")
    cells = [
        column.cell({"group": "games", "open": open_, "closed": closed}, WORDING)[0]
        for open_, closed in (
            (["z", "a"], ["b", "c", "d"]),
            (["b", "c", "d"], ["z", "a"]),
            ([], ["a"]),
            (["a"], []),
        )
    ]
    assert cells == ["3 closed, 2 open: a, z", "3 open, 2 closed: a, z", "1 closed", "1 open"]


def test_a_rule_for_some_is_told_from_one_for_all() -> None:
    of_grade = allow("a.example", Audience.GRADE, "6")
    before, after = replace(POLICY, rules=(of_grade,)), replace(POLICY, rules=())
    assert rule_differences(before, after) == (Difference("rule", "a.example (6)", "allow", ""),)


@pytest.mark.parametrize(
    ("grades", "cells"),
    [
        (["9", "10"], "9-10"),
        (["1", "3"], "1, 3"),
        (["preschool", "1"], "preschool, 1"),
        (["12", "continuing"], "12, continuing"),
        (["staff", "guest"], "staff, guest"),
    ],
)
def test_only_grades_that_follow_each_other_are_joined(grades: list[str], cells: str) -> None:
    assert ", ".join(ranges(grades)) == cells


@pytest.mark.parametrize(
    ("rule", "is_paused", "state"),
    [
        (block("chat.example"), False, "closed"),
        (block("chat.example"), True, "open"),  # a pause holds no block of the school
        (allow("chat.example"), True, "open"),
        (block("chat.example", ends_at=NOW), False, "open"),
        (block("chat.example", Audience.GRADE, "9"), False, "open"),
    ],
)
def test_a_service_is_told_as_a_device_gets_it(
    rule: LocalRule, is_paused: bool, state: str
) -> None:
    policy = replace(a_school(), rules=(rule,))
    grade = replace(policy.grades["6"], paused=is_paused, closed=frozenset(), opened=frozenset())
    policy = replace(policy, grades=policy.grades | {"6": grade})
    told = as_told(policy, NOW)
    assert state_of_service(told, told.grades["6"], "chat") == state
