# SPDX-License-Identifier: Apache-2.0
"""Workers are asked together, and one that is silent holds up no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ControlError
from filterd.daemon.manager import worker_team
from filterd.wire import name as names

if TYPE_CHECKING:
    from tests.support.team import School, Team


def test_a_worker_that_does_not_answer_ends_the_reload(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_team, "_WORKER_WITHIN_S", 0.05)

    async def work(team: Team) -> None:
        await team.workers[1]._channel.close()
        with pytest.raises(ControlError, match="did not answer in time"):
            await team.manager.reload()
        assert team.page.epoch == 0

    school.serve(work, workers=2)


def test_while_the_first_worker_is_silent_another_explains_and_status_is_of_it(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_team, "_STATUS_WITHIN_S", 0.2)

    async def work(team: Team) -> None:
        await team.workers[0]._channel.close()
        answer = await team.manager.check(
            qname=names.from_text("new.example").hex(), qtype=1, grade="3", address=None, at=None
        )
        assert answer is not None
        assert (await team.manager.status())["workers"] == 1

    school.serve(work, workers=2)
