# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from filterd.daemon.status_rates import rates


def _status(up_s: int, latency: dict[str, int] | None = None, **answers: int) -> dict[str, Any]:
    traffic = {"latency": {"fast": {"buckets": latency}}} if latency else {}
    return {"up_s": up_s, "answers": answers, "traffic": traffic}


def test_rates_are_the_growth_over_the_time_between() -> None:
    told = rates(_status(100, cached=10, forwarded=10), _status(102, cached=40, forwarded=20), 2.0)
    assert told["answers"] == {"cached": 15.0, "forwarded": 5.0}
    assert told["hits"] == 0.75


def test_without_an_earlier_state_they_are_of_the_time_since_the_start() -> None:
    told = rates(None, _status(100, blocked=50), 0.0)
    assert (told["answers"], told["hits"]) == ({"blocked": 0.5}, None)


def test_a_restart_between_begins_anew_and_a_new_worker_takes_nothing_away() -> None:
    assert rates(_status(100, cached=90), _status(10, cached=20), 2.0)["answers"]["cached"] == 2.0
    assert rates(_status(100, cached=90), _status(102, cached=80), 2.0)["answers"]["cached"] == 0.0


def test_latencies_are_the_bounds_of_buckets_that_have_grown() -> None:
    before = {"0.5": 1_000, "1": 0, "25": 0, "inf": 0}
    now = {"0.5": 1_000, "1": 60, "25": 38, "inf": 2}
    told = rates(_status(1, before), _status(2, now), 1.0)["latency_ms"]
    assert told == {"fast": {"p50": 1.0, "p99": None}}
    assert rates(_status(1, now), _status(2, now), 1.0)["latency_ms"] == {"fast": None}
    assert rates(None, _status(2, now), 1.0)["latency_ms"]["fast"] == {"p50": 0.5, "p99": 25.0}
