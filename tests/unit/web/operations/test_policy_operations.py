# SPDX-License-Identifier: Apache-2.0
"""The policy is shown as it is in force; names are checked; grades are set."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.policy.model import GRADES
from filterd.web.operations.policy_operations import (
    BETWEEN,
    CATEGORIES,
    CHECK,
    GRADE_READ,
    GRADES_READ,
    SERVICE,
)
from tests.support.changes import Book, a_grade_setting
from tests.support.operations import RecordedVisitor
from tests.support.policies import NOW, a_category, a_policy

POLICY = a_policy(categories={"games": a_category("games", min_age=13)})


def _book() -> Book:
    book = Book()
    book.make("grade", **a_grade_setting(grade="6", target="games", opens=True))
    return book


def test_a_grade_has_the_files_what_is_set_and_what_holds_now() -> None:
    row = RecordedVisitor(POLICY, _book().overrides).do(GRADE_READ, grade="6")
    assert row["categories"]["games"] == "closed"
    assert row["now"]["games"] == "open"
    assert [(one["of"], one["target"]) for one in row["set"]] == [("grades", "games")]


def test_all_grades_and_categories_are_listed() -> None:
    visitor = RecordedVisitor(POLICY)
    assert [one["grade"] for one in visitor.do(GRADES_READ)] == list(GRADES)
    assert [one["id"] for one in visitor.do(CATEGORIES)] == ["games"]
    assert [one["target"] for one in visitor.do(BETWEEN, grade="6", other="9")] == ["games"]


@pytest.mark.parametrize(("operation", "id_"), [(GRADE_READ, "grade"), (SERVICE, "service")])
def test_what_the_site_does_not_have_is_refused(operation: Any, id_: str) -> None:
    with pytest.raises(ConfigError, match="of this site"):
        RecordedVisitor(POLICY).do(operation, **{id_: "0"})


def test_a_name_is_checked_now_or_by_what_was_in_force() -> None:
    visitor = RecordedVisitor(
        answers={"check": {"action": "pass"}, "history-check": {"action": "nxdomain"}}
    )
    assert visitor.do(CHECK, name="a.vn", grade="6") == {"action": "pass"}
    assert visitor.do(CHECK, name="a.vn", at=NOW - 60) == {"action": "nxdomain"}
    visitor.answers["check"] = None
    with pytest.raises(ConfigError, match="may not use this resolver"):
        visitor.do(CHECK, name="a.vn", client="192.0.2.1")
