# SPDX-License-Identifier: Apache-2.0
"""A worker reports its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.team import School, Team
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream() as fake:
        yield fake


@pytest.fixture
def school(tmp_path: Path, built: StateFolder, upstream: FakeUpstream) -> School:
    return School(tmp_path, built, upstream.port)


def test_it_reports_its_state(school: School, upstream: FakeUpstream) -> None:
    async def work(team: Team) -> None:
        status = await team.worker.status()
        assert status["in_flight"] == status["tcp_connections"] == 0
        (row,) = status["upstreams"]
        assert row["address"] == "127.0.0.1"
        assert (row["port"], row["rtt_ms"], row["down"]) == (upstream.port, None, False)
        assert set(status["traffic"]) == {"rcodes", "latency", "responses"}

    school.serve(work)
