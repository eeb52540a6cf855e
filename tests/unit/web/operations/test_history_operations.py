# SPDX-License-Identifier: Apache-2.0
"""The history is read in pages, and changes are taken back."""

from __future__ import annotations

import pytest

from filterd.base.errors import ConfigError
from filterd.web.operations.history_operations import HISTORY, REPORT, UNDO, UNDO_SETTING
from tests.support.changes import Book, a_grade_setting, an_exception
from tests.support.operations import RecordedVisitor


def test_a_page_names_the_next_one() -> None:
    visitor = RecordedVisitor(answers={"history": [{"number": 9}, {"number": 8}]})
    assert visitor.do(HISTORY, limit=2)["next"] == "8"
    assert visitor.last(HISTORY, limit=2, cursor="8") == {"limit": 2, "views": False, "before": 8}
    assert visitor.do(HISTORY, limit=3)["next"] is None


def test_one_s_own_last_change_is_taken_back() -> None:
    assert RecordedVisitor().last(UNDO) == {"kind": "undo", "reason": ""}


def test_of_settings_the_last_one_that_stands_is_taken_back() -> None:
    book = Book()
    book.make("grade", **a_grade_setting())
    book.make("grade", **a_grade_setting(target="games"))
    book.make("exception", **an_exception())
    book.make("undo", number=2)
    visitor = RecordedVisitor(answers={"history": [row.to_plain() for row in book.newest_first()]})
    assert visitor.last(UNDO_SETTING)["number"] == 1
    with pytest.raises(ConfigError, match="no setting"):
        RecordedVisitor(answers={"history": []}).do(UNDO_SETTING)


def test_a_mistake_is_reported_by_name() -> None:
    asked = RecordedVisitor().last(REPORT, name="VNU.edu.vn.", reason="trường đại học")
    assert (asked["kind"], asked["name"]) == ("report-mistake", "vnu.edu.vn")
