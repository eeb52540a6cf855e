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
from filterd.overrides.history.history_chain import TRIAL
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
    "ping",
    "clock",
    "status",
    "ids",
    "check",
    "overrides",
    "history",
    "history-verify",
}
LOOKING |= {"mistakes", "history-check", "policies", "policy"}
LOOKING |= {"exceptions", "exams", "expectations", "lists", "lists-search"}
ACTING = {"reload", "change"}
SCHOOL = {"policy-matrix", "grade-preview", "school-week", "own-lesson"}
WATCHING = {
    "devices",
    "nat-watch",
    "nat-seen",
    "room-watch",
    "room-seen",
    "exam-watch",
    "exam-names",
}


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


def a_feed(address: str) -> dict[str, Any]:
    """Stand for how the site stands with its feed."""
    return {"address": address}


def ask(name: str, caller: Caller = ROOT, **request: Any) -> list[tuple[Any, ...]]:
    """Return what a command has the manager do."""
    called: list[tuple[Any, ...]] = []

    async def whole() -> None:
        await commands(a_manager(called), a_feed)[name](request, caller)

    asyncio.run(whole())
    return called


def test_expectations_are_handed_on() -> None:
    wanted = [EXPECTED, {**EXPECTED, "weekday": 0, "second": 0}]
    ((_, found),) = ask("expectations", wanted=wanted)
    assert list(map(to_plain, found)) == wanted
    assert ask("expectations") == [("hold", None)]


@pytest.mark.parametrize(
    ("caller", "classes"), [(ADMIN, None), (TEACHER, frozenset()), (READER, frozenset())]
)
def test_status_has_the_classes_that_the_caller_may_read(caller: Caller, classes: Any) -> None:
    seen: list[Any] = []

    async def status(*given: Any) -> dict[str, Any]:
        seen.extend(given)
        return {"signals": {"links": {"read_at": 0.0, "passages": {"lan0": "open"}}}}

    async def whole() -> None:
        manager = a_manager([])
        manager.status, manager.site.policy = status, replace(manager.site.policy, classes=CLASSES)
        manager.clock = lambda: {"policy_time": SEVEN}
        found = await commands(manager, a_feed)["status"]({"totals_old_s": 9}, caller)
        assert found["protection"]["level"] == "partly"
        assert found["protection"]["links"] == {"lan0": "open"}

    asyncio.run(whole())
    assert seen[0] == classes
    assert seen[1].old_s == 9
    assert (seen[1].threshold.devices == 0) is (classes is None)


def test_these_commands_there_are() -> None:
    assert set(commands(a_manager([]), a_feed)) == LOOKING | ACTING | WATCHING | SCHOOL


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
        ("status", {"totals_old_s": 61}),
        ("status", {"totals_old_s": 0.5}),
        ("overrides", {"at": "now"}),
        ("overrides", {"at": True}),
        ("overrides", {"at": -1}),
        ("overrides", {"at": float("nan")}),
        ("overrides", {"at": 1e300}),
        ("history", {"limit": 0}),
        ("history", {"limit": "all"}),
        ("history", {"limit": 10**9}),
        ("history", {"limit": True}),
        ("nat-watch", {"for_s": 7201}),
        ("nat-watch", {"for_s": True}),
        ("room-watch", {}),
        ("room-watch", {"room": "labb"}),
        ("room-seen", {"room": ["lab"]}),
        ("exam-watch", {"room": "labb"}),
        ("exam-names", {}),
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


@pytest.mark.parametrize(
    ("name", "request_", "least"),
    [
        ("reload", {}, Rank.ADMIN),
        ("devices", {}, Rank.TEACHER),
        ("nat-watch", {}, Rank.ADMIN),
        ("nat-seen", {}, Rank.ADMIN),
        ("room-watch", {"room": "lab"}, Rank.ADMIN),
        ("room-seen", {"room": "lab"}, Rank.ADMIN),
        ("room-seen", {}, Rank.TEACHER),
        ("exam-watch", {"room": "lab"}, Rank.TEACHER),
        ("exam-names", {"room": "lab"}, Rank.TEACHER),
    ],
)
def test_the_refusal_names_the_groups_that_may(
    name: str, request_: dict[str, Any], least: Rank
) -> None:
    for caller in (READER, TEACHER):
        if author_of(caller).rank < least:
            with pytest.raises(ControlError, match=f"{caller.user} may not .*filterd-admin"):
                ask(name, caller, **request_)


@pytest.mark.parametrize("name", ["exam-watch", "exam-names"])
def test_a_teacher_listens_to_rooms_and_to_no_other_network(name: str) -> None:
    with pytest.raises(
        ControlError, match="lan may not listen to office, which is not a room; admin"
    ):
        ask(name, TEACHER, room="office")
    assert ask(name, TEACHER, room="lab")
    assert ask(name, ADMIN, room="office")


def test_everybody_may_look() -> None:
    assert ask("overrides", READER) == [("overrides", None, False)]
    assert ask("history", READER, limit=5) == [("history", 5, False, None, False)]
    assert ask("history", READER, limit=5, views=True) == [("history", 5, True, None, False)]
    assert ask("history", READER, limit=5, before=9) == [("history", 5, False, 9, False)]
    with pytest.raises(ControlError, match="wants before"):
        ask("history", READER, before="9")
    assert ask("history-verify", READER) == [("verify",)]
    assert ask("room-seen", TEACHER)[0][0] == "in_no_network"


def test_names_of_devices_and_addresses_of_alerts_are_for_administrators() -> None:
    for caller, sees in ((READER, False), (TEACHER, False), (ADMIN, True)):
        assert ask("overrides", caller)[0][-1] is sees
        assert ask("history", caller)[0][-1] is sees
        person = replace(caller, grant=Grant("x", author_of(caller).roles))
        assert ask("policy", person)[0][-1] is sees
        assert ask("policy", caller)[0][-1] is True


def test_a_change_is_made_in_the_name_of_its_caller() -> None:
    ((name, request, author),) = ask("change", TEACHER, kind="exam", author="root", rank=2)
    assert (name, author.name, author.rank) == ("change", "lan", Rank.TEACHER)
    assert request["kind"] == "exam"


def test_a_trial_is_recorded_and_can_be_switched_off() -> None:
    recorded, begun = ask("exam-watch", TEACHER, room="lab")
    assert (recorded[:3], recorded[3].name) == (("note", TRIAL, {"room": "lab"}), "lan")
    assert begun == ("begin", "lab", "lan")
    assert ask("exam-watch", TEACHER, room="lab", off=True) == [("end", "lab")]


def test_a_trial_that_was_begun_by_the_web_is_read_at_the_gateway() -> None:
    by_web = replace(TEACHER, user="filterd-web", grant=Grant("lan", frozenset((Role.TEACHER,))))
    recorded, begun = ask("exam-watch", by_web, room="lab")
    assert recorded[3].name == "web:lan"
    assert begun == ("begin", "lab", "lan")
    assert ask("exam-names", by_web, room="lab") == ask("exam-names", TEACHER, room="lab")


def test_a_room_is_watched_for_an_administrator() -> None:
    assert ask("room-watch", ADMIN, room="lab")[0][:2] == ("begin", "lab")
    assert ask("room-seen", ADMIN, room="lab")[0][:2] == ("seen", "lab")
    assert ask("exam-names", ADMIN, room="lab") == [("names", "lab", ADMIN.user)]


def test_a_watch_for_shared_addresses_begins_and_ends() -> None:
    assert ask("nat-watch", ADMIN, for_s=600) == [("begin", 600.0)]
    assert ask("nat-watch", ADMIN, for_s=0) == [("end",)]
    assert ask("nat-seen", ADMIN) == [("seen",)]


def _shown(caller: Caller) -> list[Any]:
    """Return the networks whose devices a caller sees."""

    async def devices(*_: Any) -> list[dict[str, Any]]:
        return [{"network": one} for one in (None, "lab", "office")]

    manager = a_manager([])
    manager.rooms = SimpleNamespace(devices=devices)
    manager.site.timed = SimpleNamespace(overrides=Overrides())

    async def whole() -> Any:
        return await commands(manager, a_feed)["devices"]({}, caller)

    return [one["network"] for one in asyncio.run(whole())]


def test_a_teacher_sees_the_devices_of_own_rooms_only() -> None:
    assert _shown(TEACHER) == ["lab"]


def test_control_an_administrator_sees_all_devices() -> None:
    assert _shown(ADMIN) == [None, "lab", "office"]


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
    run = commands(cast("Any", manager), lambda _: {})[command]

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
