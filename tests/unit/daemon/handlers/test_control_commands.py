# SPDX-License-Identifier: Apache-2.0
"""The commands of the control socket, and their ranks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from filterd.accounts.grant import Grant
from filterd.base.errors import ControlError
from filterd.base.state_file import to_plain
from filterd.daemon.handlers.control_caller import Caller
from filterd.daemon.handlers.control_commands import author_of, commands
from filterd.overrides.rights.permissions import Classroom
from filterd.overrides.rights.roles import ADMINS, TEACHERS, Rank, Role
from filterd.policy.effective_policy import at
from filterd.policy.model import Audience, Expectation, Network, SchoolClass
from filterd.policy.temporary_rules import Overrides
from tests.support.policies import a_policy
from tests.support.week import SEVEN, timetabled

ROOT = Caller(0, "root", frozenset())
ADMIN = Caller(1001, "minh", frozenset({ADMINS}))
TEACHER = Caller(1002, "lan", frozenset({TEACHERS}))
READER = Caller(1003, "an", frozenset({"filterd"}))

LOOKING = {
    "ids",
    "check",
}
LOOKING |= {"history-check", "policies", "policy"}
LOOKING |= {"expectations", "lists", "lists-search"}
ACTING = {"change"}
SCHOOL = {"policy-matrix", "grade-preview", "school-week", "own-lesson"}


CLASSES = (SchoolClass("6A", "6", ("hoa",)),)
NETWORKS = [Network("lab", "6", room=True), Network("office", "staff")]


EXPECTED = to_plain(
    Expectation(b"\x01a\0", True, Audience.GRADE, "3", "a is blocked for 3", "x.yaml", 7)
)


class Recorder:
    """Stands for a part of the manager; notes the calls of it."""

    def __init__(self, called: list[tuple[Any, ...]]) -> None:
        self._called = called

    @property
    def records(self) -> Recorder:
        """What the part has distinguished."""
        return self

    def classroom(self, site: Any) -> Classroom:
        """What a teacher's rights depend on."""
        return Classroom(site.policy, Overrides(), SEVEN, SEVEN + 3600, lambda _: None)

    def __getattr__(self, name: str) -> Any:
        async def note(*given: Any, **named: Any) -> str:
            self._called.append((name, *given, *named.values()))
            return "done"

        return note


def a_manager(called: list[tuple[Any, ...]]) -> Any:
    site = SimpleNamespace(
        policy=a_policy(networks=NETWORKS), index=SimpleNamespace(lists=(), build={})
    )
    part = Recorder(called)
    parts = {"changes": part, "rooms": part, "trials": part, "nat": part, "hold": part.hold}
    return cast("Any", SimpleNamespace(**parts, site=site))


def ask(name: str, caller: Caller = ROOT, **request: Any) -> list[tuple[Any, ...]]:
    """Return what a command has the manager do."""
    called: list[tuple[Any, ...]] = []

    async def whole() -> None:
        await commands(a_manager(called))[name](request, caller)

    asyncio.run(whole())
    return called


def test_expectations_are_handed_on() -> None:
    wanted = [EXPECTED, {**EXPECTED, "weekday": 0, "second": 0}]
    ((_, found),) = ask("expectations", wanted=wanted)
    assert list(map(to_plain, found)) == wanted
    assert ask("expectations") == [("hold", None)]


def test_these_commands_there_are() -> None:
    assert set(commands(a_manager([]))) == LOOKING | ACTING | SCHOOL


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"qname": "zz", "qtype": 1, "grade": None, "client": None, "at": None},
        {"qname": 5, "qtype": 1, "grade": None, "client": None, "at": None},
        {"qname": "00", "qtype": "A", "grade": None, "client": None, "at": None},
        {"qname": "00", "qtype": None, "grade": None, "client": None, "at": None},
        {"qname": "00", "qtype": 1},
    ],
)
def test_a_check_that_lacks_something_is_refused(request_: dict[str, Any]) -> None:
    with pytest.raises(ControlError, match="`check` wants qname, qtype, grade, client and at"):
        ask("check", **request_)


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("policy", {"digest": 7}),
        ("lists-search", {}),
        ("lists-search", {"qname": "zz"}),
        ("expectations", {"wanted": "all"}),
        ("expectations", {"wanted": [{"name": "00"}]}),
        ("expectations", {"wanted": [{**EXPECTED, "at": 1e300}]}),
        ("expectations", {"wanted": [EXPECTED] * 1001}),
        ("expectations", {"wanted": [{**EXPECTED, "weekday": 7, "second": 0}]}),
        ("expectations", {"wanted": [{**EXPECTED, "weekday": 0, "second": -1}]}),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, request_: dict[str, Any]) -> None:
    with pytest.raises(ControlError):
        ask(name, **request_)


def test_addresses_of_alerts_are_for_administrators() -> None:
    for caller, sees in ((READER, False), (TEACHER, False), (ADMIN, True)):
        person = replace(caller, grant=Grant("x", author_of(caller).roles))
        assert ask("policy", person)[0][-1] is sees
        assert ask("policy", caller)[0][-1] is True


def test_a_change_is_made_in_the_name_of_its_caller() -> None:
    ((name, request, author),) = ask("change", TEACHER, kind="exam", author="root", rank=2)
    assert (name, author.name, author.rank) == ("change", "lan", Rank.TEACHER)
    assert request["kind"] == "exam"


@pytest.mark.parametrize(("caller", "rank"), [(ROOT, 2), (ADMIN, 2), (TEACHER, 1), (READER, 0)])
def test_a_caller_has_a_rank(caller: Caller, rank: int) -> None:
    assert author_of(caller).rank == rank


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


@pytest.mark.parametrize("day", ["", "yesterday", 5, "20/12/2026", "0001-01-01", "9999-12-31"])
def test_what_is_no_day_is_refused(day: Any) -> None:
    with pytest.raises(ControlError, match="wants day"):
        _ask_school("school-week", day=day)


def test_the_own_lesson_is_for_teachers() -> None:
    assert _ask_school("own-lesson", Role.TEACHER)["chosen"]["place"] == "network:lab"
    for role in (Role.READER, Role.PRINCIPAL, Role.INSPECTOR):
        with pytest.raises(ControlError, match="filterd-teacher"):
            _ask_school("own-lesson", role)
