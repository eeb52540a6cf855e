# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ChangeError
from filterd.overrides.changes.exception_changes import ENTRY_S
from filterd.policy.grade_changes import LONGEST_PAUSE_S
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import GradeSetting, LocalException, TargetKind
from tests.support.changes import (
    LESSON_S,
    Book,
    a_grade_setting,
    an_exam,
    an_exception,
    some_exceptions,
)
from tests.support.policies import NOW


def test_an_exception_has_the_number_of_its_change() -> None:
    book = Book()
    book.make("grade", **a_grade_setting())
    book.make("exception", **an_exception(audience="grade", whom="8", ends_at=NOW + LESSON_S))
    assert book.overrides.exceptions == (
        LocalException(
            2,
            TargetKind.NAME,
            "game.example",
            True,
            Audience.GRADE,
            "8",
            "bài học",
            "lan",
            NOW,
            NOW + LESSON_S,
        ),
    )


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"target": "x/y"}, "target: 'x/y'"),
        ({"allow": None}, "'allow' is missing"),
        ({"audience": "grade"}, "'whom' is missing"),
        ({"audience": "tier", "whom": "7"}, "whom: '7' is not a tier"),
        ({"whom": "7"}, "whom: an audience of everybody"),
        ({"ends_at": NOW - 1}, "its end is past"),
        ({"starts_at": NOW + 9, "ends_at": NOW + 8}, "it ends before it begins"),
        ({"target_kind": "service", "target": "You Tube"}, "not an identifier"),
        ({"pupil": "Nam"}, "unknown: 'pupil'"),
    ],
)
def test_an_exception_that_is_none_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ChangeError, match=message):
        Book().make("exception", **an_exception(**more))


def test_an_entry_is_suspended_for_14_days_at_most() -> None:
    book = Book()
    entry = an_exception(target_kind="entry")
    book.make("exception", **entry)
    assert book.overrides.exceptions[0].ends_at == NOW + ENTRY_S
    with pytest.raises(ChangeError, match="14 days at most"):
        book.make("exception", **entry, ends_at=NOW + ENTRY_S + 1)
    begins = NOW + 100
    book.make("exception", **entry, starts_at=begins, ends_at=begins + ENTRY_S)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"allow": False}, "'entry:' is for `filterd allow` .*write it without 'entry:'"),
        ({"audience": "grade", "whom": "8"}, "suspended for everybody"),
    ],
)
def test_an_entry_is_suspended_for_everybody(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ChangeError, match=message):
        Book().make("exception", **an_exception(target_kind="entry", **more))


PAUSE: dict[str, Any] = {"audience": "grade", "whom": "6"}


def test_a_pause_is_an_exception_of_everything_that_can_be_ended() -> None:
    book = Book()
    book.make("pause", **PAUSE, ends_at=NOW + 300)
    (thing,) = book.overrides.exceptions
    assert (thing.kind, thing.target, thing.allow) == ("pause", "", True)
    assert (thing.whom, thing.starts_at, thing.ends_at) == ("6", NOW, NOW + 300)
    book.make("revoke", id=1)
    book.make("undo")
    assert book.overrides.exceptions == (thing,)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"ends_at": NOW + LONGEST_PAUSE_S + 1}, "at most 60 minutes"),
        ({"ends_at": NOW}, "its end is past"),
        ({}, "'ends_at' is missing"),
        ({"ends_at": NOW + 300, "starts_at": NOW}, "unknown: 'starts_at'"),
    ],
)
def test_a_pause_that_would_be_long_or_open_is_refused(
    payload: dict[str, Any], message: str
) -> None:
    with pytest.raises(ChangeError, match=message):
        Book().make("pause", **PAUSE, **payload)
    with pytest.raises(ChangeError, match="a reason is missing"):
        Book().make("pause", "", **PAUSE, ends_at=NOW + 300)


def test_no_exception_of_another_kind_becomes_a_pause() -> None:
    for kind, payload in (
        ("exception", an_exception(target_kind="pause", target="x")),
        ("exceptions", some_exceptions(("pause", "x"))),
    ):
        with pytest.raises(ChangeError, match="not a kind of target"):
            Book().make(kind, **payload)


def test_a_mistake_that_is_reported_suspends_the_entry() -> None:
    book = Book()
    row = book.make("report-mistake", name="uni.edu.example", seen_in="2026-11-24")
    (entry,) = book.overrides.exceptions
    assert (entry.kind, entry.target, entry.allow) == (TargetKind.ENTRY, "uni.edu.example", True)
    payload = row.to_plain()["payload"]
    assert (payload["name"], payload["seen_in"]) == ("uni.edu.example", "2026-11-24")


def test_what_is_revoked_is_gone() -> None:
    book = Book()
    book.make("exception", **an_exception())
    book.make("room", room="lab-a", grade="8")
    book.make("grade", **a_grade_setting())
    for number in (1, 2, 3):
        book.make("revoke", id=number)
    assert not book.overrides.exceptions + book.overrides.rooms + book.overrides.grades


@pytest.mark.parametrize(
    ("number", "message"),
    [(1, "1 is an exam"), (2, "ended"), (9, "there is no exception or setting 9")],
)
def test_a_change_that_cannot_be_revoked_explains_why(number: int, message: str) -> None:
    book = Book()
    book.make("exam", **an_exam())
    book.make("exception", **an_exception(ends_at=NOW + 5))
    book.now += 5
    with pytest.raises(ChangeError, match=message):
        book.make("revoke", id=number)


def test_a_grade_has_one_setting_of_a_category() -> None:
    book = Book()
    book.make("grade", **a_grade_setting())
    book.make("grade", **a_grade_setting(grade="8"))
    book.make("grade", **a_grade_setting(opens=False))
    later = GradeSetting(3, "7", TargetKind.CATEGORY, "streaming", False, "bài học", "lan", NOW)
    assert [grade.id for grade in book.overrides.grades] == [2, 3]
    assert book.overrides.grades[1] == later


@pytest.mark.parametrize("name", ["a.example", "*.a.example", "sách.example"])
def test_a_grade_is_not_set_for_a_name(name: str) -> None:
    with pytest.raises(ChangeError, match="by an exception"):
        Book().make("grade", **a_grade_setting(target_kind="name", target=name))


def test_several_at_once_are_one_change_and_taken_back_and_ended_as_one() -> None:
    book = Book()
    book.make("exceptions", **some_exceptions(audience="grade", whom="8", ends_at=NOW + LESSON_S))
    made = book.overrides.exceptions
    assert [(one.id, one.kind, one.target) for one in made] == [
        (1, TargetKind.NAME, "game.example"),
        (1, TargetKind.SERVICE, "youtube"),
    ]
    assert {(one.whom, one.ends_at, one.reason) for one in made} == {
        ("8", NOW + LESSON_S, "bài học")
    }
    book.make("undo")
    assert book.overrides.exceptions == ()
    book.make("undo", number=2)
    assert book.overrides.exceptions == made
    book.make("revoke", id=1)
    assert book.overrides.exceptions == ()


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([], "a list expected"),
        (["a.example"], "'a.example' is not a target"),
        ([["name", "a.example"], ["nam", "b.example"]], "did you mean 'name'"),
        ([["name", "a.example"], ["name", "x/y"]], "targets: 'x/y'"),
        ([["name", f"a{n}.example"] for n in range(51)], "51 are too many"),
    ],
)
def test_of_several_each_is_checked_before_any_is_set(targets: list[Any], message: str) -> None:
    book = Book()
    with pytest.raises(ChangeError, match=message):
        book.make("exceptions", **(some_exceptions() | {"targets": targets}))
    assert not book.rows


def test_a_target_named_twice_is_set_once() -> None:
    book = Book()
    twice = (("name", "a.example"), ("name", "A.example"))
    book.make("exceptions", **some_exceptions(*twice, ends_at=NOW + 9))
    assert [exception.target for exception in book.overrides.exceptions] == ["a.example"]


def test_a_pause_may_last_to_the_second_that_is_allowed() -> None:
    book = Book()
    book.make("pause", ends_at=NOW + LONGEST_PAUSE_S)
    with pytest.raises(ChangeError, match="a pause lasts at most"):
        book.make("pause", ends_at=NOW + LONGEST_PAUSE_S + 1)
