# SPDX-License-Identifier: Apache-2.0
"""Settings and changes are described in words."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from filterd.i18n import Texts
from filterd.overrides.descriptions import Describer, not_ended, state_of
from filterd.rows import SchoolClock
from tests.support.changes import LESSON_S, Book, a_table
from tests.support.fake_daemon import MONDAY_AT_8

CLOCK = SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), MONDAY_AT_8)
DESCRIBER = Describer(Texts("en"), CLOCK)


def _book() -> Book:
    book = Book(MONDAY_AT_8)
    ends_at = MONDAY_AT_8 + LESSON_S
    book.make("room", room="lab-a", grade="staff", ends_at=ends_at)
    book.make("room-devices", room="lab-a", macs=["02:00:5e:00:00:01"])
    book.make("exam", room="lab-a", names=["a.example"], services=["azota"], ends_at=ends_at)
    book.make("grade", grade="7", target_kind="category", target="games", opens=False)
    book.make("exam-stop", id=3)
    book.make("room-devices", room="lab-a", macs=[])
    book.make("undo", number=4)
    book.make("report-mistake", name="vnu.edu.vn", ends_at=ends_at)
    book.make("device-table", rooms=a_table(lab_a=["02:00:5e:00:00:01"], lab_b=[]))
    book.make("device-table", rooms=a_table(lab_b=["02:00:5e:00:00:02"], lab_a=[]))
    book.make("room-devices", room="lab-c", macs=[])
    book.make("pause", audience="grade", whom="6", ends_at=ends_at)
    book.make("device-name", mac="02:00:5e:00:00:01", name="Máy 1")
    book.make("device-name", mac="02:00:5e:00:00:01", name="")
    return book


def test_every_kind_of_change_has_words() -> None:
    sentences = [DESCRIBER.row(row.to_plain()) for row in _book().rows]
    exam = "exam in room lab-a (1 name, services: azota) until 08:45"
    assert sentences == [
        "room lab-a has staff until 08:45",
        "devices of room lab-a: 1",
        exam,
        "close category:games to grade 7",
        f"ended: {exam}",
        "the devices of room lab-a are those of site.yaml again",
        "change 4 is undone",
        "allow entry:vnu.edu.vn for everybody until 08:45",
        "devices of room lab-a: 1",
        "devices of room lab-b: 1, the devices of room lab-a are those of site.yaml again",
        "the devices of room lab-c are those of site.yaml again",
        "pause for grade 6 until 08:45",
        "device 02:00:5e:00:00:01 is named Máy 1",
        "device 02:00:5e:00:00:01 has no name",
    ]


@pytest.mark.parametrize(
    ("payload", "sentences"),
    [
        (
            {"what": "added", "roles": ["admin", "teacher"]},
            "account lan added (administrator, teacher)",
        ),
        ({"what": "disabled"}, "account lan disabled"),
        (
            {"what": "token-revoked", "label": "{x}"},
            "an API token of account lan was revoked ({x})",
        ),
    ],
)
def test_a_change_of_an_account_is_a_sentence(payload: dict[str, Any], sentences: str) -> None:
    row = {"kind": "account", "payload": {"account": "lan", **payload}, "before": {}, "after": {}}
    assert DESCRIBER.row(row) == sentences


def test_a_history_that_begins_anew_is_described_as_such() -> None:
    row = {"kind": "restored", "payload": {"file": "x.damaged"}, "before": {}, "after": {}}
    assert DESCRIBER.row(row) == "a new history begins; the damaged file: x.damaged"


@pytest.mark.parametrize(
    ("audience", "whom", "sentences"),
    [
        ("everybody", "", "everybody"),
        ("tier", "lower-secondary", "lower secondary"),
        ("grade", "8", "grade 8"),
        ("grade", "staff", "staff"),
        ("network", "lab-a", "lab-a"),
        ("client", "10.0.0.1", "10.0.0.1"),
    ],
)
def test_an_audience_has_words(audience: str, whom: str, sentences: str) -> None:
    assert DESCRIBER.whom(audience, whom) == sentences


@pytest.mark.parametrize(
    ("starts", "ends", "state"),
    [(-1, None, "on"), (0, 1, "on"), (-2, 0, "ended"), (1, 2, "coming"), (1, None, "coming")],
)
def test_what_is_in_force_is_reported_to_the_second(
    starts: int, ends: int | None, state: str
) -> None:
    thing = {
        "starts_at": MONDAY_AT_8 + starts,
        "ends_at": None if ends is None else MONDAY_AT_8 + ends,
    }
    assert state_of(thing, MONDAY_AT_8) == state
    assert bool(not_ended([thing], MONDAY_AT_8)) is (state != "ended")
