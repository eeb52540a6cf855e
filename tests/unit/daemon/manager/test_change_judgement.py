# SPDX-License-Identifier: Apache-2.0
"""A change is judged by the effect that it would have, before it is made."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ChangeError, ControlError
from filterd.daemon.serving import answer_path
from filterd.overrides.rights.roles import Author, Rank
from tests.support.changes_in_force import (
    ADMIN,
    BLOCK,
    TEACHER,
    change,
)

if TYPE_CHECKING:
    from tests.support.team import School, Team


@pytest.fixture(autouse=True)
def _no_upstream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no explanation wait for the upstream of these schools, which is down."""
    monkeypatch.setattr(answer_path, "_ALIAS_WITHIN_S", 0.01)


def test_a_preview_has_what_a_setting_would_change_by_its_own_checks_and_changes_nothing(
    school: School,
) -> None:
    async def work(team: Team) -> None:
        changes, before = team.manager.changes, team.manager.site.moment.policy
        closed = "games" in before.grades["3"].closed
        asked = {"grade": "3", "target_kind": "category", "target": "games", "opens": closed}
        answer = await changes.preview(asked, ADMIN)
        of_category = [one for one in answer["differences"] if one["target"] == "games"]
        was, then = ("closed", "open") if closed else ("open", "closed")
        assert {(one["grade"], one["before"], one["after"]) for one in of_category} == {
            ("3", was, then)
        }
        assert team.manager.site.moment.policy == before
        assert await changes.records.history(9) == []
        with pytest.raises(ChangeError):
            await changes.preview({**asked, "target": "porn", "opens": True}, ADMIN)
        with pytest.raises(ControlError, match="may not"):
            await changes.preview(asked, TEACHER)
        done = await change(team, "grade", **asked)
        assert done["number"] == 1
        assert (await changes.preview(asked, ADMIN))["differences"] == []

    school.serve(work)


def test_time_goes_on_while_a_preview_is_made(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(team: Team) -> None:
        changes = team.manager.changes
        readings = count(changes._time.least())
        for of in ("least", "not_before"):
            monkeypatch.setattr(changes._time, of, lambda: float(next(readings)))
        is_closed = "blogs" in team.manager.site.moment.policy.grades["3"].closed
        asked = {"grade": "3", "target_kind": "category", "target": "blogs", "opens": is_closed}
        assert (await changes.preview(asked, ADMIN))["differences"] != []

    school.serve(work)


def test_a_reader_changes_nothing_and_learns_which_role_may(school: School) -> None:
    async def work(team: Team) -> None:
        with pytest.raises(ControlError, match="pupil may not change anything; teachers and"):
            await change(team, "exception", Author("pupil", Rank.READER), **BLOCK)

    school.serve(work)
