# SPDX-License-Identifier: Apache-2.0
"""A command requests a change from the daemon and prints the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.policy.conflicts import Idle
from filterd.texts import words
from filterd.texts.i18n import Texts
from tests.support.commands import call
from tests.support.fake_daemon import MONDAY_AT_8

if TYPE_CHECKING:
    from tests.support.fake_daemon import FakeDaemon


def test_what_was_not_said_is_not_asked(here: list[str], daemon: FakeDaemon) -> None:
    call("undo", *here)
    assert daemon.asked == [("change", {"kind": "undo", "reason": ""})]


@pytest.mark.parametrize("why", Idle)
def test_every_reason_for_which_nothing_changes_has_words(why: Idle) -> None:
    assert Texts("vi").word(words.IDLE, why) != why


EXAM = {"exam": 3, "room": "lab-a", "from_at": MONDAY_AT_8, "until_at": MONDAY_AT_8 + 3600}


@pytest.mark.parametrize(
    ("warning", "message"),
    [
        ("it is locked", "warning: it is locked"),
        ({"warning": "something-new", "name": "a"}, "warning: warning something-new, name a"),
        (
            {"warning": "idle", "target": "a", "why": "locked"},
            "warning: it changes nothing for a: it is locked for everybody",
        ),
        (
            {"warning": "exam", **EXAM},
            "warning: room lab-a has exam 3 from 08:00 until 09:00; it opens nothing there",
        ),
        (
            {"warning": "exam-block", **EXAM},
            "warning: room lab-a has exam 3 from 08:00 until 09:00; it closes a part of",
        ),
        (
            {"warning": "contradiction", "number": 3, "author": "lan"},
            "warning: it contradicts exception 3 of lan",
        ),
        (
            {"warning": "overlap", "number": 3, "author": "lan", "target": "a"},
            "warning: during the exam, exception 3 of lan does not open a",
        ),
        (
            {"warning": "overlap-block", "number": 3, "author": "lan", "target": "a"},
            "warning: exception 3 of lan closes a, a part of what the exam opens",
        ),
    ],
)
def test_a_warning_is_put_into_words_where_there_are_some(
    warning: Any, message: str, here: list[str], daemon: FakeDaemon
) -> None:
    daemon.warnings = [warning]
    done = call("block", "a.example", "--for", "1h", "--reason", "b", *here)
    assert (done.code, done.error_lines[0][: len(message)]) == (0, message)
