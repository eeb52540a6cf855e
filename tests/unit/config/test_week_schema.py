# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.config.week_schema import (
    TIMETABLE_FILE,
    ScheduledEntry,
    TargetEntry,
    WindowEntry,
    written,
)
from filterd.documents import parse, validate
from filterd.policy.model import Network, Period
from tests.support.site import a_policy, problems

if TYPE_CHECKING:
    from pathlib import Path


def test_days_are_all_days_where_they_are_left_out() -> None:
    window = validate(parse(b"from: 07:00\nto: 7:30\n", "site.yaml"), WindowEntry)
    assert (window.days, window.from_, window.to) == (None, 25200, 27000)


@pytest.mark.parametrize("kind", ["category", "service", "list", "tier"])
def test_a_target_has_its_kind_and_id(kind: str) -> None:
    target = validate(parse(f"{kind}: primary\n".encode(), "site.yaml"), TargetEntry)
    assert target.named == (kind, "primary")


@pytest.mark.parametrize("verb", ["open", "close"])
def test_an_entry_states_its_effect_and_target(verb: str) -> None:
    text = f"schedule: s\n{verb}: {{category: games}}\n"
    entry = validate(parse(text.encode(), "site.yaml"), ScheduledEntry)
    assert (entry.verb, entry.target.named) == (verb, ("category", "games"))


SITE = """\
classes: {6A: {grade: 6}, "6E1": {grade: 6}}
lessons: {a: 07:00-07:45, b: 08:00-08:45}
networks:
  lab: {room: true, grade: 6, timetable: {t2: {a: 9}}}
  hall: {room: true, grade: 7, timetable: {t2: {a: 8}}}
"""
PERIODS = (Period(0, "a", "6A", "lan"), Period(0, "b", "6E1"), Period(6, "a", "6"))


def test_a_room_in_the_file_has_that_timetable_and_others_keep_theirs(tmp_path: Path) -> None:
    (tmp_path / TIMETABLE_FILE).write_bytes(written([Network("lab", "6", timetable=PERIODS)]))
    lab, hall = a_policy(tmp_path, SITE).networks
    assert lab.timetable == PERIODS
    assert hall.timetable == (Period(0, "a", "8"),)


@pytest.mark.parametrize("content", ["", "# nothing\n"])
def test_an_empty_file_changes_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / TIMETABLE_FILE).write_text(content)
    assert [network.timetable[0].grade for network in a_policy(tmp_path, SITE).networks] == [
        "9",
        "8",
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("laab: {t2: {a: 6}}\n", "timetable.yaml:1:1: 'laab' is not a network of this site"),
        ("lab:\n  t2: {c: 6}\n", "timetable.yaml:2:8: 'c' is not a lesson of this site"),
        ("lab:\n  t2: {a: 6Z}\n", "timetable.yaml:2:8: '6Z' is not a class of this site"),
        ("lab:\n  t9: {a: 6}\n", "'t9' is not a day of the week"),
        ("lab: 6\n", "timetable.yaml:1:1"),
        ("- lab\n", "timetable.yaml:1:1"),
        ("lab: {t2: {a: 6}\n", "timetable.yaml:"),
    ],
)
def test_a_mistake_is_reported_at_its_place(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / TIMETABLE_FILE).write_text(content)
    (answer,) = problems(tmp_path, SITE)
    assert problem in answer
