# SPDX-License-Identifier: Apache-2.0
"""Policy and lists are for everybody to read; pages get matrix, week and own lesson."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from filterd.accounts.grant import Grant
from filterd.base.errors import ControlError
from filterd.base.state_file import to_plain
from filterd.daemon.handlers.control_caller import Caller, author_of
from filterd.daemon.handlers.policy_commands import commands
from filterd.overrides.rights.permissions import Classroom
from filterd.overrides.rights.roles import ADMINS, TEACHERS, Role
from filterd.policy.effective_policy import at
from filterd.policy.model import Audience, Expectation
from filterd.policy.temporary_rules import Overrides
from tests.support.policies import a_policy
from tests.support.week import SEVEN, timetabled

READER = Caller(1003, "an", frozenset({"filterd"}))
TEACHER = Caller(1002, "lan", frozenset({TEACHERS}))
ADMIN = Caller(1001, "minh", frozenset({ADMINS}))
EXPECTED = to_plain(
    Expectation(b"\x01a\0", True, Audience.GRADE, "3", "a is blocked for 3", "x.yaml", 7)
)
QUESTION: dict[str, Any] = {"qname": "016100", "qtype": 28}


def ask(name: str, caller: Caller = READER, **given: Any) -> dict[Any, Any]:
    """Return what a command hands to the manager, by place or name."""
    called: dict[Any, Any] = {}

    async def note(*by_place: Any, **by_name: Any) -> str:
        called.update([*enumerate(by_place), *by_name.items()])
        return "done"

    records = SimpleNamespace(policy=note, explain_past=note)
    manager = SimpleNamespace(
        site=SimpleNamespace(policy=a_policy()),
        changes=SimpleNamespace(records=records, preview=note),
        check=note,
        expectations=SimpleNamespace(hold=note),
    )
    run = commands(cast("Any", manager))[name]

    async def whole() -> None:
        await run(given, caller)

    asyncio.run(whole())
    return called


def test_a_name_is_checked_for_a_grade_or_a_device_at_a_time_to_come() -> None:
    asked = ask("check", **QUESTION, grade="6", client=None, at="2026-12-20T17:30:00+07:00")
    assert asked == {
        "qname": "016100",
        "qtype": 28,
        "grade": "6",
        "address": None,
        "at": "2026-12-20T10:30:00+00:00",
    }
    assert ask("check", qname="016100", client="10.0.6.21")["at"] is None


def test_a_past_time_is_shown_as_the_caller_writes_it() -> None:
    asked = ask("history-check", **QUESTION, at=1_764_550_000, shown="07:46")
    assert (asked["when"], asked["shown"], asked["qname"]) == (1_764_550_000.0, "07:46", "016100")
    assert ask("history-check", **QUESTION, at=7)["shown"] == "7.0"


def test_expectations_are_handed_on() -> None:
    wanted = [EXPECTED, {**EXPECTED, "weekday": 0, "second": 0}]
    assert list(map(to_plain, ask("expectations", wanted=wanted)[0])) == wanted
    assert ask("expectations") == {0: None}


def test_a_setting_is_previewed_as_the_change_that_it_would_be() -> None:
    asked = ask("grade-preview", TEACHER, grade="6", target="category:games", opens=True)
    change = {"grade": "6", "target_kind": "category", "target": "games", "opens": True}
    assert (asked[0], asked[1].name) == ({**change, "reason": ""}, "lan")


def test_addresses_of_alerts_are_not_for_people_by_the_web_but_administrators() -> None:
    for caller, sees in ((READER, False), (TEACHER, False), (ADMIN, True)):
        person = replace(caller, grant=Grant("x", author_of(caller).roles))
        assert ask("policy", person)["alerts"] is sees
        assert ask("policy", caller, digest="abcd") == {**ask("policy"), 1: "abcd"}


def _ask_school(command: str, *roles: Role, at_: float | None = SEVEN, **request: Any) -> Any:
    policy, nothing = timetabled(), Overrides()
    timed = SimpleNamespace(policy=policy, overrides=nothing)
    school = Classroom(policy, nothing, at_, SEVEN + 3600, lambda _: None)
    manager = SimpleNamespace(
        site=SimpleNamespace(timed=timed, policy=policy, moment=at(policy, nothing, SEVEN)),
        changes=SimpleNamespace(classroom=lambda _: school),
        clock=lambda: {"policy_time": at_, "floor": SEVEN},
    )
    caller = Caller(1002, "lan", frozenset(role.group for role in roles))
    run = commands(cast("Any", manager))[command]

    async def whole() -> Any:
        return await run(request, caller)

    return asyncio.run(whole())


@pytest.mark.parametrize("role", Role)
def test_every_reader_reads_the_matrix_and_the_week(role: Role) -> None:
    assert _ask_school("policy-matrix", role)["tiers"]
    assert _ask_school("school-week", role, at_=None)["days"][0]["date"] == "2026-03-02"


def test_another_week_is_asked_for_by_a_day_of_it() -> None:
    assert _ask_school("school-week", day="2026-03-15")["days"][0]["date"] == "2026-03-09"


@pytest.mark.parametrize("day", ["yesterday", 5, "20/12/2026", "0001-01-01", "9999-12-31"])
def test_what_is_no_day_is_refused(day: Any) -> None:
    with pytest.raises(ControlError, match="day: "):
        _ask_school("school-week", day=day)


def test_the_own_lesson_is_for_teachers() -> None:
    assert _ask_school("own-lesson", Role.TEACHER)["chosen"]["place"] == "network:lab"
    for role in (Role.READER, Role.PRINCIPAL, Role.INSPECTOR):
        with pytest.raises(ControlError, match="filterd-teacher"):
            _ask_school("own-lesson", role)
