# SPDX-License-Identifier: Apache-2.0
"""The command: which roles may, what is recorded, one child at a time, what is left is removed."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base import bounded_child
from filterd.base.bounded_child import Ended
from filterd.base.errors import ControlError, FilterdError, StoreError, to_plain
from filterd.daemon.handlers import what_if_commands
from filterd.daemon.handlers.control_caller import Caller
from filterd.daemon.handlers.site_drafts import SiteDrafts
from filterd.daemon.handlers.what_if_commands import KEPT_S, WhatIf
from filterd.texts.i18n import say
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.support.team import School, Team

ROOT = Caller(0, "root", frozenset())
TEACHER = Caller(4_711, "lan", frozenset({"filterd-teacher"}))
PRINCIPAL = Caller(4_712, "hoa", frozenset({"filterd-principal"}))


class Desk:
    """The command of a team; ``ended`` is what the child is made to answer."""

    def __init__(self, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
        self.team, self.requests = team, list[dict[str, Any]]()
        self.ended = Ended(0, b'{"rows": []}', b"")
        self.leaves: Path | None = None
        self._command = WhatIf(team.manager, team.setting, SiteDrafts(team.manager, team.setting))
        monkeypatch.setattr(bounded_child, "run", self._run)

    def _run(self, _words: Any, *, request: bytes, **_: Any) -> Ended:
        self.requests.append(json.loads(request))
        if self.leaves is not None:
            self.leaves.mkdir()
            raise TimeoutError
        return self.ended

    async def ask(self, by: Caller = ROOT, **asked: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self._command.commands()["what-if"](asked, by)
        return answer


@pytest.fixture
def at_desk(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[Desk], Awaitable[None]]], None]:
    """Have a desk of a team at work."""

    def whole(work: Callable[[Desk], Awaitable[None]]) -> None:
        async def story(team: Team) -> None:
            await work(Desk(team, monkeypatch))

        school.serve(story)

    return whole


def test_the_look_is_recorded_and_the_child_gets_what_is_tried(at_desk: Any) -> None:
    async def work(desk: Desk) -> None:
        answer = await desk.ask(source="ut1-games", days=3)
        assert answer["rows"] == []
        assert set(answer["levels"].values()) == {"counts"}
        (request,) = desk.requests
        assert request["other"] == {"source": "ut1-games", "address": ""}
        assert len(request["days"]) == 3
        (row, *_) = await desk.team.manager.changes.records.history(1, views=True)
        assert (row["kind"], row["payload"]["view"]) == ("log-view", "rows")

    at_desk(work)


def test_only_administrators_may_and_before_anything_runs(at_desk: Any) -> None:
    async def work(desk: Desk) -> None:
        for by in (TEACHER, PRINCIPAL):
            with pytest.raises(FilterdError, match="may not"):
                await desk.ask(by, source="ut1-games")
        assert desk.requests == []

    at_desk(work)


@pytest.mark.parametrize(
    "asked",
    [
        {"site": "../../etc"},
        {"site": "given-a/b"},
        {"list": "/etc/shadow"},
        {"draft": True},
    ],
)
def test_what_is_not_to_be_tried_is_refused(at_desk: Any, asked: dict[str, Any]) -> None:
    async def work(desk: Desk) -> None:
        with pytest.raises(FilterdError):
            await desk.ask(**asked)
        assert desk.requests == []

    at_desk(work)


def test_an_error_of_the_child_is_reported_and_a_crash_too(at_desk: Any) -> None:
    async def work(desk: Desk) -> None:
        outcome = to_plain(StoreError(say("no memory")))
        desk.ended = Ended(1, json.dumps(outcome).encode(), b"")
        with pytest.raises(FilterdError, match="no memory"):
            await desk.ask(source="a")
        desk.ended = Ended(1, b"", b"Traceback\nValueError: x")
        with pytest.raises(StoreError, match="the trial failed: ValueError: x"):
            await desk.ask(source="a")

    at_desk(work)


def test_a_long_trial_goes_on_for_the_same_question_and_refuses_others(
    at_desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()

    async def slowly(*_: Any) -> Any:
        await released.wait()
        return {"rows": ["found"]}

    async def work(desk: Desk) -> None:
        monkeypatch.setattr(what_if_commands, "apart", slowly)
        assert (await desk.ask(source="a", within_s=1))["at_work"]
        with pytest.raises(ControlError, match="another trial is at work"):
            await desk.ask(source="b")
        released.set()
        assert (await desk.ask(source="a"))["rows"] == ["found"]
        assert (await desk.ask(source="b"))["rows"] == ["found"]

    at_desk(work)


def test_an_outcome_that_was_not_collected_is_not_reported_later(
    at_desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = iter(["first", "second", "third"])

    async def at_once(*_: Any) -> Any:
        return {"rows": [next(outcomes)]}

    async def left(_tasks: Any, **_: Any) -> tuple[set[Any], set[Any]]:
        await asyncio.sleep(0)
        return set(), set()

    async def work(desk: Desk) -> None:
        monkeypatch.setattr(what_if_commands, "apart", at_once)
        now, wait = [1_000.0], asyncio.wait
        monkeypatch.setattr(type(desk.team.setting.clock), "monotonic", lambda _: now[0])
        for later, text in ((KEPT_S, "first"), (KEPT_S + 1, "third")):
            with monkeypatch.context() as patch:
                patch.setattr(asyncio, "wait", left)
                assert (await desk.ask(source="a"))["at_work"]
            await asyncio.sleep(0)
            now[0] += later
            assert asyncio.wait is wait
            assert (await desk.ask(source="a"))["rows"] == [text]

    at_desk(work)


def test_what_a_killed_child_has_left_is_removed_and_a_copy_at_work_is_not(at_desk: Any) -> None:
    async def work(desk: Desk) -> None:
        folder = desk.team.setting.state.what_if
        for one in ("tmpold", "given-new"):
            (folder / one).mkdir(parents=True)
        await desk.ask(site="given-new")
        assert [one.name for one in folder.iterdir()] == ["given-new"]
        assert desk.requests[0]["other"] == {"site": str(folder / "given-new")}
        desk.leaves = folder / "tmpkilled"
        with pytest.raises(StoreError, match="took more than"):
            await desk.ask(site="given-new")
        assert [one.name for one in folder.iterdir()] == ["given-new"]

    at_desk(work)


def test_files_of_a_command_are_left_for_an_hour_whatever_the_wall_clock_does(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()

    async def story(team: Team) -> None:
        desk, folder = Desk(team, monkeypatch), team.setting.state.what_if
        (folder / "given-a").mkdir(parents=True)
        for step_s in (-86_400, 400 * 86_400, 0):
            clock.set_wall(step_s)
            await desk.ask(site="given-a")
            assert (folder / "given-a").is_dir()
        clock.advance(3_601)
        await desk.ask(site="given-b")
        assert not (folder / "given-a").exists()

    school.serve(story, clock=clock)
