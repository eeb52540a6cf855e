# SPDX-License-Identifier: Apache-2.0
"""An administrator edits the site from afar: shown first, checked, applied once."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from filterd.accounts.grant import Grant
from filterd.base import bounded_child
from filterd.base.errors import ConfigErrors, ControlError, FilterdError
from filterd.config.site_proposal import OUTCOME, PROPOSAL, ProposalOutcome, digest_of
from filterd.daemon.handlers.control_caller import Caller
from filterd.daemon.handlers.site_drafts import SiteDrafts
from filterd.overrides.rights.roles import Role
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.team import School, Team


def caller(*roles: Role, name: str = "lan") -> Caller:
    return Caller(4711, "filterd-web", frozenset(), Grant(name, frozenset(roles)))


LAN, MINH = caller(Role.ADMIN), caller(Role.ADMIN, name="minh")
NAME = [{"path": ["school", "name"], "value": "Trường mới"}]


class Desk:
    """The commands of a team, asked by people."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self._commands = SiteDrafts(team.manager, team.setting).commands()

    @property
    def text(self) -> str:
        return (self.team.setting.config / "site.yaml").read_text()

    async def ask(self, command: str, by: Caller = LAN, **request: Any) -> Any:
        return await self._commands[command](request, by)

    async def edit(self, edits: Any = NAME, by: Caller = LAN) -> dict[str, Any]:
        answer: dict[str, Any] = await self.ask("site-edit", by, edits=edits)
        return answer


def at_desk(school: School, work: Callable[[Desk], Awaitable[None]]) -> None:
    async def whole(team: Team) -> None:
        await work(Desk(team))

    school.serve(whole)


def test_an_edit_is_shown_and_then_in_force_and_in_the_history(school: School) -> None:
    async def work(desk: Desk) -> None:
        before = desk.text
        draft = await desk.edit()
        assert "+school: {name: Trường mới}" in draft["difference"]
        assert (draft["keys"], draft["problem"], desk.text) == (["school.name"], None, before)
        answer = await desk.ask("site-apply", digest=draft["digest"])
        assert answer == {"digest": digest_of(desk.text), "restart_for": []}
        assert desk.team.manager.site.policy.school == "Trường mới"
        assert (await desk.ask("site-read"))["data"]["school"] == {"name": "Trường mới"}
        (row, *_) = await desk.team.manager.changes.records.history(1)
        assert (row["kind"], row["author"]) == ("site-edit", "web:lan")
        assert row["payload"] == {"keys": ["school.name"], "digest": draft["digest"]}
        with pytest.raises(ControlError):
            await desk.ask("site-apply", digest=draft["digest"])

    at_desk(school, work)


def test_one_child_is_at_work_at_a_time(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    at_work, most, run = [0], [0], bounded_child.run

    def counted(*given: Any, **named: Any) -> Any:
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        try:
            return run(*given, **named)
        finally:
            at_work[0] -= 1

    monkeypatch.setattr(bounded_child, "run", counted)

    async def work(desk: Desk) -> None:
        await asyncio.gather(*(desk.ask("site-read") for _ in range(3)))
        assert most == [1]

    at_desk(school, work)


def test_what_is_wrong_is_shown_and_cannot_be_applied(school: School) -> None:
    async def work(desk: Desk) -> None:
        before = desk.text
        draft = await desk.edit([{"path": ["networks", "of-6", "grade"], "value": "99"}])
        assert draft["problem"]["errors"][0]["line"] == 11
        with pytest.raises(ConfigErrors):
            await desk.ask("site-apply", digest=draft["digest"])
        assert desk.text == before

    at_desk(school, work)


def test_an_expectation_that_would_newly_fail_is_shown_before(school: School) -> None:
    async def work(desk: Desk) -> None:
        folder = desk.team.setting.config / "expectations"
        folder.mkdir(exist_ok=True)
        (folder / "own.yaml").write_text("- www.tiktok.com is blocked for room of-3 at t2 08:00\n")
        await desk.team.manager.reload()
        draft = await desk.edit([{"path": ["networks", "of-3", "grade"], "value": "staff"}])
        assert "www.tiktok.com" in str(draft["problem"])

    at_desk(school, work)


def test_only_administrators_read_and_edit(school: School) -> None:
    async def work(desk: Desk) -> None:
        teacher = caller(Role.TEACHER, Role.PRINCIPAL)
        asked: dict[str, dict[str, Any]] = {"site-edit": {"edits": NAME}}
        asked |= {"site-apply": {"digest": "0" * 64}, "site-table": {"table": "a\tb"}}
        for command in ("site-read", "site-draft", "site-drop", *asked):
            with pytest.raises(ControlError, match="may not"):
                await desk.ask(command, teacher, **asked.get(command, {}))

    at_desk(school, work)


def test_each_person_has_a_draft_of_their_own_and_a_stale_one_is_refused(school: School) -> None:
    async def work(desk: Desk) -> None:
        first = await desk.edit()
        other = await desk.edit([{"path": ["school", "name"], "value": "Khác"}], MINH)
        with pytest.raises(ControlError, match="shown last"):
            await desk.ask("site-apply", MINH, digest=first["digest"])
        await desk.ask("site-apply", MINH, digest=other["digest"])
        with pytest.raises(FilterdError, match="meantime"):
            await desk.ask("site-apply", digest=first["digest"])
        assert desk.team.manager.site.policy.school == "Khác"
        await desk.ask("site-drop")
        with pytest.raises(ControlError, match="no change"):
            await desk.ask("site-draft")

    at_desk(school, work)


def test_what_a_reload_refuses_is_taken_back(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(desk: Desk) -> None:
        before, draft = desk.text, await desk.edit()
        refused = mock.AsyncMock(side_effect=ControlError(say("a worker is silent")))
        monkeypatch.setattr(desk.team.manager, "reload", refused)
        with pytest.raises(ControlError, match="silent"):
            await desk.ask("site-apply", digest=draft["digest"])
        assert desk.text == before

    at_desk(school, work)


def test_where_the_file_is_of_root_a_proposal_waits_for_it(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)

    async def work(desk: Desk) -> None:
        state, draft = desk.team.setting.state, await desk.edit()

        async def root(problem: str) -> str:
            while (proposal := PROPOSAL.read(state.site_proposal)) is None:
                await asyncio.sleep(0.01)
            state.site_proposal.unlink()
            digest = digest_of(proposal.text)
            OUTCOME.save(state.site_outcome, ProposalOutcome(digest, problem, ("listen",)))
            return proposal.author

        error = '{"error": "no", "code": "control", "errors": [], "sentence": "no"}'
        with pytest.raises(ControlError, match="no"):
            await asyncio.gather(desk.ask("site-apply", digest=draft["digest"]), root(error))
        answer, author = await asyncio.gather(
            desk.ask("site-apply", digest=draft["digest"]), root("")
        )
        assert (answer["restart_for"], author) == (["listen"], "web:lan")

    at_desk(school, work)


def test_a_pasted_table_is_a_draft_of_its_rooms(school: School) -> None:
    async def work(desk: Desk) -> None:
        lessons = {"path": ["lessons"], "value": {"tiet-1": "07:00-07:45"}}
        room = {"path": ["networks", "of-6", "room"], "value": True}
        answer = await desk.edit([lessons, room])
        await desk.ask("site-apply", digest=answer["digest"])
        table = "day\tlesson\troom\tclass\nt2\ttiet-1\tof-6\t7\n"
        draft = await desk.ask("site-table", table=table)
        assert (draft["keys"], draft["problem"]) == (["networks.of-6"], None)
        assert "tiet-1: 7" in str(draft["difference"])
        with pytest.raises(ConfigErrors, match="table:2"):
            await desk.ask("site-table", table=table.replace("of-6", "nowhere"))
        for wrong in (None, "x" * 60_001):
            with pytest.raises(ControlError):
                await desk.ask("site-table", table=wrong)

    at_desk(school, work)
