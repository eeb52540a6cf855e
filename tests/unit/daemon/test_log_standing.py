# SPDX-License-Identifier: Apache-2.0
"""The status shows what all workers have counted, and what is wrong with the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.querylog.totals_request import TotalsRequest

if TYPE_CHECKING:
    from tests.support.team import School, Team


def test_status_and_totals_show_what_all_workers_have_counted(school: School) -> None:
    async def work(team: Team) -> None:
        for worker in team.workers:
            worker._counts.add("6", "games", "blocked", 2)
            worker._counts.add("6", "", "pass")
        (blocked, passed) = sorted(
            await team.manager.log_totals(TotalsRequest()), key=lambda one: one["action"]
        )
        assert (blocked["category"], blocked["n"], passed["n"]) == ("games", 4, 2)
        assert await team.manager.log_totals(TotalsRequest(grade="9")) == []
        told = (await team.manager.status())["log"]
        assert told["level"] == "counts"
        assert (told["today"], told["problem"]) == ({"blocked": 4, "pass": 2}, "")
        assert told["lost"] == 0

    school.serve(work, workers=2)


def test_a_log_that_cannot_be_read_or_written_is_told_and_stops_no_status(school: School) -> None:
    async def work(team: Team) -> None:
        school.state.query_log.symlink_to(school.state.query_log)
        team.worker._counts.add("6", "", "pass")
        told = (await team.manager.status())["log"]
        assert "cannot be written" in told["problem"]
        assert (told["today"], told["waiting"]) == ({}, 1)

    school.serve(work)
