# SPDX-License-Identifier: Apache-2.0
"""What opens a guarded category ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ChangeError, ControlError
from filterd.daemon.serving import answer_path
from filterd.overrides.history.store import Store
from filterd.overrides.rights.roles import Author, Rank
from tests.support.changes import an_exception
from tests.support.changes_in_force import (
    ADMIN,
    HOUR,
    TEACHER,
    change,
)
from tests.support.clock import FakeClock
from tests.support.policies import NOW

if TYPE_CHECKING:
    from tests.support.team import School, Team


@pytest.fixture(autouse=True)
def _no_upstream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no explanation wait for the upstream of these schools, which is down."""
    monkeypatch.setattr(answer_path, "_ALIAS_WITHIN_S", 0.01)


def _undated(**more: Any) -> dict[str, Any]:
    return an_exception(
        target_kind="category", target="violence", audience="grade", whom="6", **more
    )


def test_what_opens_a_guarded_category_without_an_end_ends_in_thirty_days(
    school: School,
) -> None:
    """As those that stood when it was not guarded yet."""
    clock = FakeClock(wall=NOW)

    async def work(team: Team) -> None:
        now = clock.wall()
        for payload in (_undated(), _undated(ends_at=now + 90 * 24 * HOUR), _undated(allow=False)):
            team.manager.changes._record("exception", payload, ADMIN, "bài học")
        setting = {"grade": "6", "target_kind": "category", "target": "proxy-vpn", "opens": True}
        team.manager.changes._record("grade", setting, ADMIN, "")
        await team.manager.reload()
        await team.manager.changes.end_guarded()
        overrides = team.manager.site.timed.overrides
        month = now + 30 * 24 * HOUR
        assert [exception.ends_at for exception in overrides.exceptions] == [month, month, None]
        assert [grade.ends_at for grade in overrides.grades] == [month]
        row = Store(school.state, clock).rows()[0]
        assert (row.kind, row.author) == ("guarded-end", "filterd")
        number = overrides.number
        clock.advance(60)
        await team.manager.changes.end_guarded()
        assert team.manager.site.timed.overrides.number == number

    school.serve(work, clock=clock)


def test_a_guarded_category_opens_with_a_fresh_password_and_closes_by_itself(
    school: School,
) -> None:
    clock = FakeClock(wall=NOW)

    async def work(team: Team) -> None:
        fresh = Author("web:minh", Rank.ADMIN, is_fresh=True)
        for author, words in (
            (TEACHER, "which is guarded"),
            (ADMIN, "root may, or an administrator"),
        ):
            with pytest.raises(ControlError, match=words):
                await change(team, "exception", author, **_undated(ends_at=clock.wall() + HOUR))
        with pytest.raises(ChangeError, match="14 days at most"):
            await change(team, "exception", fresh, **_undated())
        done = await change(team, "exception", fresh, **_undated(ends_at=clock.wall() + HOUR))
        assert done["until"] == clock.wall() + HOUR
        (shown,) = (await team.manager.status())["guarded"]
        assert shown == {
            "category": "violence",
            "audience": "grade",
            "whom": "6",
            "number": 1,
            "starts_at": clock.wall(),
            "ends_at": clock.wall() + HOUR,
        }
        clock.advance(HOUR)
        assert (await team.manager.status())["guarded"] == []

    school.serve(work, clock=clock)
