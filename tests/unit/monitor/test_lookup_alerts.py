# SPDX-License-Identifier: Apache-2.0
"""What is odd about lookups is an alert, and what is usual is none."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.monitor import lookup_alerts

NOW = 1_764_550_800.0


def of_log(**parts: Any) -> dict[str, Any]:
    return {"log": {"pace": None, "bypass": {"blocks": 0}} | parts}


@pytest.mark.parametrize(
    ("now", "last_week", "holds"),
    [(19, 200, True), (20, 200, False), (0, 199, False), (0, 5_000, True)],
)
def test_a_tenth_of_last_week_is_too_few(now: int, last_week: int, *, holds: bool) -> None:
    status = of_log(pace={"now": now, "last_week": last_week})
    assert bool(lookup_alerts.few_lookups(status, NOW)) is holds
    assert not lookup_alerts.few_lookups(of_log(), NOW)


@pytest.mark.parametrize(("blocks", "holds"), [(500, True), (499, False)])
def test_many_ways_around_are_told(blocks: int, *, holds: bool) -> None:
    status = of_log(bypass={"blocks": blocks})
    assert bool(lookup_alerts.bypass(status, NOW)) is holds


@pytest.mark.parametrize(
    ("ago_s", "holds"), [(0.0, True), (3_599.0, True), (3_600.0, False), (-1.0, False)]
)
def test_a_tunnel_is_told_for_an_hour(ago_s: float, *, holds: bool) -> None:
    sentence = lookup_alerts.tunnel({"tunnels": {"at": NOW - ago_s, "names": 12_000}}, NOW)
    assert bool(sentence) is holds
    assert not holds or "12\u202f000" in str(sentence)


def test_without_a_tunnel_there_is_no_alert() -> None:
    assert not lookup_alerts.tunnel({"tunnels": {"at": None, "names": 0}}, NOW)


@pytest.mark.parametrize(("ago_s", "holds"), [(0.0, True), (3_599.0, True), (3_600.0, False)])
def test_lost_answers_are_told_for_an_hour(ago_s: float, *, holds: bool) -> None:
    assert bool(lookup_alerts.rows_lost({"signals": {"log_lost_at": NOW - ago_s}}, NOW)) is holds
    assert not lookup_alerts.rows_lost({"signals": {"log_lost_at": None}}, NOW)


@pytest.mark.parametrize("problem", ["", "the disk is full"])
def test_a_log_that_is_not_written_is_told_without_its_reason(problem: str) -> None:
    sentence = lookup_alerts.log_problem(of_log(problem=problem), NOW)
    assert str(sentence) == ("the log cannot be written" if problem else "")
