# SPDX-License-Identifier: Apache-2.0
"""The history stays on the disk, or it is said what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.daemon.serving import answer_path
from filterd.overrides.history.store import Store
from tests.support.changes import an_exception
from tests.support.changes_in_force import (
    BLOCK,
    blocks_by_worker,
    change,
)
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from tests.support.team import School, Team


@pytest.fixture(autouse=True)
def _no_upstream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no explanation wait for the upstream of these schools, which is down."""
    monkeypatch.setattr(answer_path, "_ALIAS_WITHIN_S", 0.01)


def test_a_damaged_store_is_set_aside_and_what_was_set_stays(
    school: School, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(team: Team) -> None:
        await change(team, "exception", **BLOCK)

    async def later(team: Team) -> None:
        assert await blocks_by_worker(team) == [True]
        assert (await change(team, "exception", **an_exception()))["number"] == 3
        ((template, _),) = (await team.manager.status())["changes"]["problems"]
        assert "this history was damaged" in template

    school.serve(work)
    school.state.overrides.write_bytes(b"nonsense" * 1000)
    school.serve(later)
    assert caplog.text.count("what was set stays in force") == 1
    assert (Store(school.state, FakeClock()).verify()).set_aside != ()
