# SPDX-License-Identifier: Apache-2.0
"""Everybody reads the history; a setting is taken back in the name of the caller."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ChangeError, ControlError
from filterd.daemon.handlers.history_commands import commands
from tests.support.changes import Book, a_grade_setting, an_exception
from tests.support.recorded_manager import ADMIN, READER, TEACHER, run_handler


def _ask(name: str, caller: Any = READER, **request: Any) -> list[tuple[Any, ...]]:
    return run_handler(commands, name, caller, **request)[1]


def test_everybody_may_look() -> None:
    assert _ask("overrides") == [("overrides", None, False)]
    assert _ask("overrides", at=7) == [("overrides", 7.0, False)]
    assert _ask("history") == [("history", 20, False, None, False)]
    assert _ask("history", limit=5, views=True) == [("history", 5, True, None, False)]
    assert _ask("history", limit=5, before=9) == [("history", 5, False, 9, False)]
    assert _ask("history-verify") == [("verify",)]
    assert _ask("mistakes") == [("mistakes",)]


def test_names_of_devices_are_for_administrators() -> None:
    for caller, sees in ((READER, False), (TEACHER, False), (ADMIN, True)):
        for name in ("overrides", "history"):
            assert _ask(name, caller)[0][-1] is sees
        assert _ask("exams", caller, all=True)[0][-1] is sees


@pytest.mark.parametrize(
    ("name", "request_"), [("history", {"limit": 0}), ("overrides", {"at": -1})]
)
def test_what_makes_no_sense_is_refused(name: str, request_: dict[str, Any]) -> None:
    with pytest.raises(ControlError, match=f"`{name}`: "):
        _ask(name, **request_)


def test_of_settings_the_last_one_that_stands_is_taken_back() -> None:
    book = Book()
    book.make("grade", **a_grade_setting())
    book.make("grade", **a_grade_setting(target="games"))
    book.make("exception", **an_exception())
    book.make("undo", number=2)
    rows = [row.to_plain() for row in book.newest_first()]
    answer, (_, (_, change, author)) = run_handler(
        commands,
        "undo-setting",
        ADMIN,
        {"history": rows, "change": {"number": 5}},
        reason="lỗi",
    )
    assert answer == {"number": 5}
    assert change == {"kind": "undo", "number": 1, "reason": "lỗi"}
    assert author.name == "minh"


def test_where_no_setting_stands_nothing_is_taken_back() -> None:
    with pytest.raises(ChangeError, match="no setting of a grade is left to undo"):
        run_handler(commands, "undo-setting", ADMIN, {"history": []})
