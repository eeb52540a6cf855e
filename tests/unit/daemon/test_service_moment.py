# SPDX-License-Identifier: Apache-2.0
"""What is noted each minute: that answers are right, by which lists, on which day."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from filterd.daemon.service_moment import in_service, school_today
from tests.support.policies import a_policy

if TYPE_CHECKING:
    from tests.support.team import School, Team

EVE = 1_772_211_600.0
"""Midnight in Vietnam; it is 17:00 of 27 February 2026 by UTC."""


def test_minutes_in_service_have_the_lists_in_force(school: School) -> None:
    async def work(team: Team) -> None:
        manager = team.manager
        await manager.log_keeper.collect()
        _, (day,) = await manager.log_keeper.service("2001-01-01", "2100")
        assert (day.minutes or 0).bit_count() == 1
        assert (day.lists, day.lists_age_s is None) == ("0", False)
        manager.signals.is_watchdog_failing = lambda: True
        assert await in_service(manager) is None

    school.serve(work)


def manager(now: float | None, build: dict[str, Any], verified_at: float | None = None) -> Any:
    signals = SimpleNamespace(
        is_watchdog_failing=lambda: False, lists_verified_at=lambda: verified_at
    )
    site = SimpleNamespace(policy=a_policy(), index=SimpleNamespace(build=build))
    clock = {"policy_time": now}
    return cast("Any", SimpleNamespace(clock=lambda: clock, signals=signals, site=site))


@pytest.mark.parametrize(
    ("verified_at", "age_s"), [(None, 500), (EVE - 900, 500), (EVE - 100, 100)]
)
def test_lists_are_as_old_as_their_compilation_or_the_last_answer_of_their_source(
    verified_at: float | None, age_s: int
) -> None:
    found = asyncio.run(in_service(manager(EVE, {"when": EVE - 500, "feed": "412"}, verified_at)))
    assert found is not None
    assert (found.lists, found.lists_age_s) == ("412", age_s)


def test_lists_without_a_date_have_no_age() -> None:
    found = asyncio.run(in_service(manager(EVE, {})))
    assert found is not None
    assert (found.lists, found.lists_age_s) == ("0", None)


def test_a_day_begins_at_midnight_of_the_school_and_an_unknown_time_has_none() -> None:
    days = [school_today(manager(now, {})) for now in (EVE - 1, EVE, None)]
    assert days == ["2026-02-27", "2026-02-28", None]
    assert asyncio.run(in_service(manager(None, {}))) is None
