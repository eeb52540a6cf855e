# SPDX-License-Identifier: Apache-2.0
"""The history is read in pages."""

from __future__ import annotations

from filterd.web.operations.history_operations import HISTORY, UNDO_SETTING
from tests.support.operations import CHANGED, RecordedVisitor


def test_a_page_names_the_next_one() -> None:
    visitor = RecordedVisitor(answers={"history": [{"number": 9}, {"number": 8}]})
    assert visitor.do(HISTORY, limit=2)["next"] == "8"
    assert visitor.last(HISTORY, limit=2, cursor="8") == {"limit": 2, "before": 8}
    assert visitor.do(HISTORY, limit=3)["next"] is None


def test_the_last_page_has_no_next_one() -> None:
    visitor = RecordedVisitor(answers={"history": [{"number": 2}, {"number": 1}]})
    assert visitor.do(HISTORY, limit=2)["next"] is None


def test_a_setting_is_taken_back_by_the_manager() -> None:
    visitor = RecordedVisitor(answers={"undo-setting": CHANGED})
    assert visitor.last(UNDO_SETTING, reason="lỗi") == {"reason": "lỗi"}
    assert UNDO_SETTING.done is not None
