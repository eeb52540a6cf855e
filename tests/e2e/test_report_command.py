# SPDX-License-Identifier: Apache-2.0
"""``filterd report`` of a real daemon: what was counted yesterday is in the file."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from filterd.base.clock import SystemClock
from filterd.base.state_folder import StateFolder
from filterd.querylog import Batch, CountRow
from filterd.querylog.day_reach import GRADE, TIER, ReachRow
from filterd.querylog.totals_file import TotalsFile
from tests.support.commands import run
from tests.support.daemon import build_lists, free_port, noon, serving, write_site
from tests.support.report_readers import READERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.daemon import Served

pytestmark = pytest.mark.usefixtures("warm_children")

KINDS = {("", "pass"): 900, ("games", "blocked"): 41}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    zone = noon()
    config = write_site(tmp_path / "site", port=free_port(), more=f"time_zone: {zone.key}\n")
    build_lists(config, tmp_path / "state")
    state, clock = StateFolder(tmp_path / "state"), SystemClock()
    now = datetime.fromtimestamp(clock.wall(), zone)
    hour = now.replace(minute=0, second=0, microsecond=0) - timedelta(1)
    rows = [CountRow(int(hour.timestamp()), "6", *kind, n, "lab") for kind, n in KINDS.items()]
    reach = [
        ReachRow(hour.date().isoformat(), scope, whose, *kind, 9)
        for scope, whose in ((GRADE, "6"), (TIER, "lower-secondary"))
        for kind in KINDS
    ]

    async def fill() -> None:
        totals = TotalsFile(state.query_log, clock)
        await totals.write([Batch("w", 1, tuple(rows), reach=tuple(reach))])
        await totals.close()

    asyncio.run(fill())
    with serving(config, state.folder) as daemon:
        yield daemon


@pytest.mark.parametrize("audience", ["", pytest.param("--inside", marks=pytest.mark.long)])
def test_what_was_counted_yesterday_is_in_each_file(
    served: Served, tmp_path: Path, audience: str
) -> None:
    for format_, read in READERS.items():
        out = tmp_path / f"report.{format_}"
        words = "report", "--period", "day", *audience.split(), "--lang", "en", "--out", str(out)
        done = run(*words, *served.options)
        assert done.code == 0, done.err
        figures = read(out.read_bytes()).figures
        assert (figures["Answers in all"], figures["Blocked answers"]) == ("941", "41")
    listed = run("history", "list", "--views", "--lang", "en", *served.options).out
    assert listed.count("export") == (0 if audience else 1)  # of ten minutes, once


def test_a_report_for_parents_has_no_figure_of_use(served: Served) -> None:
    done = run("report", "--period", "day", "--for-parents", "--format", "csv", *served.options)
    assert done.code == 0, done.err
    assert not {"941", "900", "41"} & set(done.out.replace("\n", ",").split(","))
