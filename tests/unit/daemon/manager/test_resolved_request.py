# SPDX-License-Identifier: Apache-2.0
"""Lengths, lessons, classes and reports of a request are resolved by the daemon."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ChangeError
from filterd.daemon.manager.resolved_request import (
    add_what_lists_have,
    work_out_length,
    work_out_lesson,
    work_out_room,
)
from filterd.daemon.time.timekeeper import ClockStanding
from filterd.policy.model import Network
from filterd.resolve.site import Site
from filterd.version import __version__
from tests.support.changes import Book
from tests.support.policies import NOW, a_policy, an_index
from tests.support.week import SEVEN, timetabled, with_classes

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3600.0


def test_a_length_becomes_an_end_and_stays_until_a_source_confirms_the_time() -> None:
    known: dict[str, Any] = {"for_s": HOUR}
    assert not work_out_length(known, NOW, ClockStanding.KNOWN)
    assert known == {"ends_at": NOW + HOUR}
    for standing in (ClockStanding.UNKNOWN, ClockStanding.UNCONFIRMED):
        unknown: dict[str, Any] = {"for_s": HOUR}
        assert not work_out_length(unknown, NOW, standing)
        assert unknown == {"ends_at": NOW + HOUR, "for_s": HOUR}
    dated: dict[str, Any] = {"ends_at": NOW + HOUR}
    assert work_out_length(dated, NOW, ClockStanding.UNKNOWN), "a date waits for the time"
    assert not work_out_length(dated, NOW, ClockStanding.UNCONFIRMED)


def test_a_length_counts_from_the_beginning_that_is_given() -> None:
    request: dict[str, Any] = {"for_s": HOUR, "starts_at": NOW + 60}
    assert work_out_length(request, NOW, ClockStanding.UNKNOWN)
    assert request == {"starts_at": NOW + 60, "ends_at": NOW + 60 + HOUR}


def test_what_is_open_waits_for_no_time() -> None:
    assert not work_out_length({}, NOW, ClockStanding.UNKNOWN)


@pytest.mark.parametrize(
    ("request_", "standing", "why"),
    [
        ({"for_s": HOUR, "ends_at": NOW + 1}, ClockStanding.KNOWN, "exclude each other"),
        (
            {"ends_at": NOW},
            ClockStanding.UNKNOWN,
            "the time is not known, and this time is in the past",
        ),
        ({"for_s": "an hour"}, ClockStanding.KNOWN, ".+"),
    ],
)
def test_a_length_that_is_none_is_refused(
    request_: dict[str, Any], standing: ClockStanding, why: str
) -> None:
    with pytest.raises(ChangeError, match=why):
        work_out_length(request_, NOW, standing)


@pytest.mark.parametrize(
    ("request_", "standing", "why"),
    [
        ({"lesson": True, "ends_at": NOW}, ClockStanding.KNOWN, "exclude each other"),
        ({"lesson": True}, ClockStanding.UNKNOWN, "so the lesson is not either"),
        ({"lesson": True}, ClockStanding.KNOWN, "there is no lesson at that time"),
    ],
)
def test_a_lesson_that_is_not_on_is_refused(
    request_: dict[str, Any], standing: ClockStanding, why: str
) -> None:
    with pytest.raises(ChangeError, match=why):
        work_out_lesson(request_, a_policy(), NOW, standing)


@pytest.mark.parametrize(
    ("class_id", "at", "room"),
    [
        ("6A", SEVEN + 60, "lab"),  # it has a home room, and a lesson elsewhere now
        ("6A", SEVEN + 4000, "p-101"),
        ("9B", SEVEN + 4000, "lab"),
        ("9B", SEVEN + 60, "9B' is in no room at that time"),
        ("6B", SEVEN + 60, "6B is in several rooms .*p-102, p-103"),
        ("6Z", SEVEN + 60, "6Z' is in no room"),
    ],
)
def test_an_exam_of_a_class_is_in_the_room_where_it_sits_then(
    tmp_path: Path, class_id: str, at: float, room: str
) -> None:
    policy = with_classes(timetabled("6A", "9B"))
    homes = (
        Network(f"p-{number}", home, (f"203.0.113.{number}/32",))
        for number, home in ((101, "6A"), (102, "6B"), (103, "6B"))
    )
    policy = replace(policy, networks=(*policy.networks, *homes))
    site = Site.of(policy, an_index(tmp_path, {}), ())
    request: dict[str, Any] = {"class_id": class_id, "starts_at": at}
    if " " in room:
        with pytest.raises(ChangeError, match=room):
            work_out_room(request, site, SEVEN)
    else:
        work_out_room(request, site, SEVEN)
        assert request == {"room": room, "starts_at": at}


def test_an_exam_is_not_in_a_room_and_of_a_class() -> None:
    with pytest.raises(ChangeError, match="--room and --class exclude"):
        work_out_room({"class_id": "6A", "room": "lab"}, None, NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (ClockStanding.KNOWN, {"ends_at": SEVEN + 2700}),
        (ClockStanding.UNCONFIRMED, {"for_s": 2640.0}),
    ],
)
def test_a_lesson_is_its_end_or_its_length(
    standing: ClockStanding, expected: dict[str, float]
) -> None:
    request: dict[str, Any] = {"lesson": True, "room": "lab"}
    work_out_lesson(request, timetabled(), SEVEN + 60, standing)
    assert request == {"room": "lab", **expected}


def test_without_a_lesson_nothing_is_worked_out() -> None:
    request: dict[str, Any] = {"lesson": False, "ends_at": NOW}
    work_out_lesson(request, a_policy(), NOW, ClockStanding.UNKNOWN)
    assert request == {"ends_at": NOW}


@pytest.mark.parametrize("name", ["a.example", "b.example", "..", None])
def test_a_report_has_what_the_lists_have_whatever_the_client_does(
    tmp_path: Path, name: str | None
) -> None:
    index = an_index(tmp_path, {"copied": ("malware", "domains", False, ["a.example"])})
    request: dict[str, Any] = {"name": name, "seen_in": "v0", "entries": [1], "filterd": "9"}
    add_what_lists_have(request, index)
    assert (request["seen_in"], request["filterd"]) == (index.digest.hex()[:12], __version__)
    assert [one.list for one in request["entries"]] == ["copied"] * (name == "a.example")


def test_a_name_that_a_look_alike_rule_closes_can_be_reported(tmp_path: Path) -> None:
    index = an_index(tmp_path, {}, lookalikes={"gambling": ["nhacaithu#"]})
    request: dict[str, Any] = {"name": "nhacaithu7.example"}
    add_what_lists_have(request, index)
    row = Book().make("report-mistake", **request)
    (entry,) = row.to_plain()["payload"]["entries"]
    assert entry[:3] == ["lookalike:gambling", "gambling", "~nhacaithu#"]
