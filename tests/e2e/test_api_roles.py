# SPDX-License-Identifier: Apache-2.0
"""Each operation and role: the table of the API agrees with what the manager refuses.

Each answer of an operation that reads has the form that the description promises.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from filterd import control
from filterd.base.errors import FilterdError
from filterd.operations.answers import worked_out
from filterd.operations.lists import DECISIONS
from filterd.overrides.rights.roles import Role, person_of
from filterd.web import operations
from tests.support import needs
from tests.support.daemon import build_lists, free_port, noon, serving, write_site
from tests.support.fake_daemon import ROOM
from tests.support.signed_in import CLASSES, NAMES, token_of, visitor_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from filterd.web.endpoint import WebEndpoint
    from filterd.web.visitor import Visitor

_REFUSED = re.compile(r"web:\S+ may not ")
_WHY = {"reason": "thử"}
_ONE_LESSON = {"for_s": 600, **_WHY}
_OF_6A = {"for_whom": "class:6A", **_ONE_LESSON}
SAMPLES: dict[str, dict[str, Any]] = {
    "explainLogRow": {"id": "2026-11-28T07:35:12.3"},
    "readClassNames": {"class": "6A"},
    "readDayNames": {"day": "2026-11-28"},
    "readHelpSought": {"month": "2025-10"},
    "setLogLevel": {"level": "counts", **_WHY},
    "confirmLogLevel": {"id": 9_999},
    "forgetLog": {"day": "2020-01-01", **_WHY},
    "purgeLog": _WHY,
    "makeInspection": {},
    "makeReport": {"format": "json", "audience": "parents"},
    "editProgramme": {"item": "Chương trình 2026-2030"},
    "readGrade": {"grade": "6"},
    "readService": {"service": "youtube"},
    "checkName": {"name": "tiktok.com", "grade": "6"},
    "compareVersions": {"version": "0123abcd"},
    "compareGrades": {"grade": "6", "other": "9"},
    "tryPolicy": {"feed": "1"},
    "unfollowLists": {"sources": ["urlhaus"]},
    "excludeEntry": {"name": "a.example", "list": "urlhaus", **_WHY},
    "previewGrade": {"grade": "6", "target": "category:games", "opens": True},
    "setGrade": {"grade": "6", "target": "category:games", "opens": False},
    "allow": {"targets": ["a.example"], **_OF_6A},
    "block": {"targets": ["b.example", "service:youtube"], **_OF_6A},
    "pause": {**_OF_6A, "for_s": 60},
    "approveRequest": {"id": 9_999, **_ONE_LESSON},
    "refuseRequest": {"id": 9_999, **_WHY},
    "startExam": {"class": "6A", "names": ["thi.example"], **_ONE_LESSON},
    "watchExam": {"room": "home-6a"},
    "readTrialNames": {"room": "home-6a"},
    "readRoom": {"room": "lab-a"},
    "setRoom": {"room": "lab-a", "grade": "6A", "for_s": 600},
    "watchRoom": {"room": "lab-a"},
    "readAppeared": {"room": "lab-a"},
    "learnRoom": {"room": "lab-a"},
    "nameDevice": {"device": "02:00:5e:00:00:01", "name": "máy in"},
    "assignDevices": {"devices": ["02:00:5e:00:00:03"], "to": "network:lab-a"},
    "unassignDevices": {"devices": ["02:00:5e:00:00:02"]},
    "watchShared": {"for_s": 0},
    "readClass": {"class": "6A"},
    "lendClass": {"class": "6A", "to": "mai", "for_s": 600},
    "findEntries": {"name": "tiktok.com"},
    "acceptClock": _WHY,
    "reportMistake": {"name": "c.example", **_WHY},
    "addAccount": {"account": "thu", "roles": ["reader"]},
    "setPassword": {"password": "một mật khẩu đủ dài 4711"},
    "setRoles": {"account": "thu", "roles": ["reader"]},
    "disableAccount": {"account": "thu"},
    "enableAccount": {"account": "thu"},
    "setTotp": {"on": False},
    "makeCode": {"account": "thu"},
    "addToken": {"name": "may", "role": "reader", "scope": "totals", "days": 1},
    "revokeToken": {"id": "none"},
    "makeDeviceCode": {"account": "thu"},
    "confirmDevice": {"id": "none"},
    "revokeDevice": {"id": "none"},
    "draftSite": {"edits": [{"path": ["school"], "value": {"name": "Trường B"}}]},
    "applySite": {"digest": "0" * 64},
    "pasteTimetable": {"table": "lab-a\t1"},
    "editNetwork": {"item": "lab-b", "seat": "6", "cidrs": ["127.0.201.0/24"]},
    "editClass": {"item": "6B", "grade": "6"},
    "editTimetable": {"item": "lab-a"},
    "editSchedule": {"item": "toi", "windows": ["mon-fri 19:00-21:00"]},
    "editLocalZone": {"item": "truong.lan", "records": ["may-in A 127.0.0.9"]},
}
_OF_OWN_CHANGE = {"revoke": "exceptions", "stopExam": "exams"}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Role, tuple[Path, str]]]:
    """The control socket, and the token of a person of each role."""
    folder = tmp_path_factory.mktemp("api")
    networks, lessons = ROOM.split("lessons:")
    more = (
        f"{networks}  home-6a: {{class: 6A, cidrs: [127.0.200.0/24]}}\n{CLASSES}lessons:{lessons}"
        f"time_zone: {noon()}\n"  # a teacher's changes end with the day
    )
    config = write_site(folder / "site", port=free_port(), more=more)
    state = build_lists(config, folder / "state")
    with serving(config, state.folder):
        socket, setting = state.control_socket, SAMPLES["setGrade"] | {"target": "games"}
        control.ask(socket, "change", kind="grade", target_kind="category", **setting)
        macs = ["02:00:5e:00:00:02"]
        control.ask(socket, "change", kind="room-devices", reason="", room="lab-a", macs=macs)
        yield {role: (socket, token_of(socket, role)) for role in Role}


def is_decision(operation: WebEndpoint) -> bool:
    """Return whether it is done by a process of its own."""
    return not set(operation.commands).isdisjoint(DECISIONS)


async def _sample(visitor: Visitor, operation: WebEndpoint) -> dict[str, Any]:
    """Return values that the manager takes, as far as the role allows."""
    kind = _OF_OWN_CHANGE.get(operation.name)
    if kind is None:
        return SAMPLES.get(operation.name, {})
    own = [
        one["id"]
        for one in (await visitor.ask("overrides"))[kind]
        if person_of(one["author"]) == visitor.account
    ]
    return {"id": own[-1] if own else 1}


async def _do(visitor: Visitor, operation: WebEndpoint) -> Any:
    if is_decision(operation) and visitor.may(operation):  # none is to be done here
        return await visitor.ask(operation.commands[0], unknown=1)
    found = await visitor.call(operation, **await _sample(visitor, operation))
    if isinstance(found, AsyncIterator):
        return [event async for event in _first(found)]
    return found


async def _first(events: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for one in events:
        for event in one or ():
            yield event
        return


async def _outcome(socket: Path, token: str, operation: WebEndpoint) -> str:
    """Return ``done``, ``refused`` for a role, ``failed``, or what is wrong with the answer."""
    visitor = await visitor_of(socket, token)
    try:
        found = await _do(visitor, operation)
    except FilterdError as error:
        return "refused" if _REFUSED.match(str(error)) else "failed"
    wrong = [
        f"{list(one.path)}: {one.message[:200]}"
        for one in Draft202012Validator(worked_out(operation.answer)).iter_errors(found)
    ]
    if operation.done is not None:
        assert visitor.texts(operation.done(found, visitor))
    return "; ".join(wrong[:3]) or "done"


@pytest.mark.parametrize(
    "role",
    [pytest.param(one, marks=[pytest.mark.long] * (one is Role.ADMIN)) for one in Role],
)
def test_a_role_is_refused_what_the_table_does_not_give_it_and_nothing_else(
    people: dict[Role, tuple[Path, str]], role: Role
) -> None:
    """Everything that is beyond the role is asked first, and changes nothing."""
    needs.command("ip")  # devices are what it lists
    socket, token = people[role]

    def state() -> Any:
        history = control.ask(socket, "history", limit=10_000, views=True)
        overrides = control.ask(socket, "overrides")
        del overrides["states"]  # what another role has set may end meanwhile
        return history, overrides, control.ask(socket, "account list")

    def outcomes(asked: Iterable[WebEndpoint]) -> dict[str, str]:
        return {one.name: asyncio.run(_outcome(socket, token, one)) for one in asked}

    before = state()
    beyond = outcomes(one for one in operations.ORDER if role not in one.roles)
    assert state() == before
    assert {name: outcome for name, outcome in beyond.items() if outcome != "refused"} == (
        {"acceptClock": "failed"} if role is Role.TEACHER else {}  # nothing is to be accepted
    )
    given = outcomes(one for one in operations.ORDER if role in one.roles)
    assert {name: one for name, one in given.items() if one not in ("done", "failed")} == {}


def test_the_samples_are_of_operations() -> None:
    assert {*SAMPLES, *_OF_OWN_CHANGE} <= operations.BY_NAME.keys()
    assert set(NAMES) == set(Role)
