# SPDX-License-Identifier: Apache-2.0
"""Trial runs of exams are heard by those who teach in the room."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from filterd.accounts.grant import Grant
from filterd.base.errors import ControlError
from filterd.daemon.handlers.exam_commands import commands
from filterd.overrides.history.history_chain import TRIAL
from filterd.overrides.rights.roles import Role
from tests.support.recorded_manager import ADMIN, READER, TEACHER, run_handler


def _ask(name: str, caller: Any = TEACHER, **request: Any) -> list[tuple[Any, ...]]:
    return run_handler(commands, name, caller, **request)[1]


@pytest.mark.parametrize("name", ["exam-watch", "exam-names"])
def test_a_teacher_listens_to_rooms_and_to_no_other_network(name: str) -> None:
    with pytest.raises(
        ControlError, match="lan may not listen to office, which is not a room; admin"
    ):
        _ask(name, room="office")
    assert _ask(name, room="lab")
    assert _ask(name, ADMIN, room="office")


@pytest.mark.parametrize("name", ["exam-watch", "exam-names"])
def test_the_refusal_names_the_groups_that_may(name: str) -> None:
    with pytest.raises(ControlError, match=r"an may not .*filterd-admin"):
        _ask(name, READER, room="lab")


@pytest.mark.parametrize("request_", [{}, {"room": "labb"}, {"room": 7}])
def test_a_room_that_is_none_is_refused(request_: dict[str, Any]) -> None:
    with pytest.raises(ControlError):
        _ask("exam-watch", **request_)


def test_a_trial_is_recorded_and_can_be_switched_off() -> None:
    answer, (recorded, begun) = run_handler(commands, "exam-watch", TEACHER, room="lab")
    assert answer == {"room": "lab"}
    assert (recorded[:3], recorded[3].name) == (("note", TRIAL, {"room": "lab"}), "lan")
    assert begun == ("begin", "lab", "lan")
    assert _ask("exam-watch", room="lab", off=True) == [("end", "lab")]


def test_a_trial_that_was_begun_by_the_web_is_read_at_the_gateway() -> None:
    by_web = replace(TEACHER, user="filterd-web", grant=Grant("lan", frozenset((Role.TEACHER,))))
    recorded, begun = _ask("exam-watch", by_web, room="lab")
    assert recorded[3].name == "web:lan"
    assert begun == ("begin", "lab", "lan")
    assert _ask("exam-names", by_web, room="lab") == _ask("exam-names", room="lab")
