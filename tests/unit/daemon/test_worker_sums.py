# SPDX-License-Identifier: Apache-2.0
"""A sum of counters never falls, whichever workers answer."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from filterd.daemon.worker_sums import (
    MOST_KEPT,
    WorkerSums,
    rates,
    summed,
    traffic_totals,
    upstreams_of,
)
from filterd.fastpath.datagrams import Traffic
from tests.support.policies import a_category, a_policy


def _worker(name: str, n: int) -> dict[str, Any]:
    return {
        "name": name,
        "answers": {"blocked": n},
        "cache": {"entries": n, "hits": n},
        "forwarding": {},
        "datagrams": {"received": n},
        "traffic": {"requests": {"udp": {"4": n}}},
        "in_flight": n,
    }


def test_a_worker_that_is_replaced_or_silent_still_counts() -> None:
    sums = WorkerSums()
    sums.add_up([_worker("a", 5), _worker("b", 7)])
    for workers in ([_worker("b", 8)], [_worker("b", 8), _worker("c", 0)]):
        total = sums.add_up(workers)
        assert total["traffic"] == {"requests": {"udp": {"4": 13}}}
        assert total["answers"] == {"blocked": 13}
        assert total["cache"] == {"entries": 8, "hits": 13}
        assert total["in_flight"] == 8
    again = sums.add_up([_worker("a", 6), _worker("b", 8), _worker("c", 0)])
    assert again["answers"] == {"blocked": 14}


def test_control_a_plain_sum_falls() -> None:
    assert summed([_worker("b", 8)])["answers"] == {"blocked": 8}


def test_workers_of_long_ago_are_kept_as_one() -> None:
    sums = WorkerSums()
    for number in range(3 * MOST_KEPT):
        total = sums.add_up([_worker(str(number), 1)])
    assert total["answers"] == {"blocked": 3 * MOST_KEPT}
    assert len(sums._kept) <= MOST_KEPT + 1


SUMS = Counter(
    {
        ("1", "games", "blocked"): 2,
        ("5", "games", "blocked"): 3,
        ("5", "", "blocked"): 1,
        ("6", "", "pass"): 7,
        ("6", "games", "rewritten"): 1,
        ("6", "self-harm", "blocked"): 5,
        ("", "gone", "blocked"): 4,  # a confidential category of the policy before
    }
)


def test_answers_are_summed_up_by_tier() -> None:
    secret = replace(a_category("self-harm"), confidential=True)
    policy = replace(a_policy(), categories={"self-harm": secret, "games": a_category("games")})
    totals = traffic_totals([], [], SUMS, policy)
    assert totals["responses"] == {
        "primary": {"blocked": 6},
        "lower-secondary": {"pass": 7, "rewritten": 1},
    }
    assert totals["blocked"] == {"primary": {"games": 5, "none": 1}}


def test_control_a_category_that_is_not_confidential_is_counted() -> None:
    policy = replace(a_policy(), categories={"self-harm": a_category("self-harm")})
    totals = traffic_totals([], [], SUMS, policy)
    assert totals["blocked"]["lower-secondary"] == {"self-harm": 5}


def test_requests_are_distinguished_by_transport() -> None:
    udp, tcp = Traffic(), Traffic()
    udp.asked("192.0.2.1")
    tcp.asked("2001:db8::1")
    for one in (udp, tcp):
        one.replied(bytes(12), 0.0)
    totals = traffic_totals([udp.to_plain()], [tcp.to_plain()], {}, a_policy())
    assert totals["requests"] == {"udp": {"4": 1, "6": 0}, "tcp": {"4": 0, "6": 1}}
    assert totals["rcodes"] == {"0": 2}
    assert totals["latency"]["chain"]["buckets"]["0.1"] == 2


def _status(up_s: int, latency: dict[str, int] | None = None, **answers: int) -> dict[str, Any]:
    traffic = {"latency": {"fast": {"buckets": latency}}} if latency else {}
    return {"up_s": up_s, "answers": answers, "traffic": traffic}


def test_rates_are_the_growth_over_the_time_between() -> None:
    figures = rates(
        _status(100, cached=10, forwarded=10), _status(102, cached=40, forwarded=20), 2.0
    )
    assert figures["answers"] == {"cached": 15.0, "forwarded": 5.0}
    assert figures["hits"] == 0.75


def test_without_an_earlier_state_they_are_of_the_time_since_the_start() -> None:
    figures = rates(None, _status(100, blocked=50), 0.0)
    assert (figures["answers"], figures["hits"]) == ({"blocked": 0.5}, None)


def test_a_restart_between_begins_anew_and_a_new_worker_takes_nothing_away() -> None:
    assert rates(_status(100, cached=90), _status(10, cached=20), 2.0)["answers"]["cached"] == 2.0
    assert rates(_status(100, cached=90), _status(102, cached=80), 2.0)["answers"]["cached"] == 0.0


def test_latencies_are_the_bounds_of_buckets_that_have_grown() -> None:
    before = {"0.5": 1_000, "1": 0, "25": 0, "inf": 0}
    now = {"0.5": 1_000, "1": 60, "25": 38, "inf": 2}
    figures = rates(_status(1, before), _status(2, now), 1.0)["latency_ms"]
    assert figures == {"fast": {"p50": 1.0, "p99": None}}
    assert rates(_status(1, now), _status(2, now), 1.0)["latency_ms"] == {"fast": None}
    assert rates(None, _status(2, now), 1.0)["latency_ms"]["fast"] == {"p50": 0.5, "p99": 25.0}


def test_numbers_add_up_at_every_depth() -> None:
    rows = [
        {"answers": {"blocked": 3}, "in_flight": 1, "cache": {"hits": 5}},
        {"answers": {"blocked": 4, "cached": 1}, "in_flight": 2, "cache": {"hits": 6}},
    ]
    expected = {"answers": {"blocked": 7, "cached": 1}, "in_flight": 3, "cache": {"hits": 11}}
    assert summed(rows) == expected


def test_what_is_no_number_is_left_out() -> None:
    assert summed([{"a": 1, "b": "text", "c": [1]}]) == {"a": 1}


def test_no_rows_have_no_sums() -> None:
    assert summed([]) == {}
    assert upstreams_of([]) == []


def _view(
    rtt_ms: float | None, *, down: bool, problem: str = "", since: float | None = None
) -> dict[str, Any]:
    upstream = {
        "address": "192.0.2.1",
        "rtt_ms": rtt_ms,
        "down": down,
        "down_since": since,
        "problem": problem,
        "latency": {"sum_us": 3},
    }
    return {"upstreams": [upstream]}


def test_an_upstream_is_down_when_it_is_down_for_all() -> None:
    joined = upstreams_of([_view(None, down=True), _view(12.5, down=False)])
    both = {"latency": {"sum_us": 6}}
    assert joined == [_view(12.5, down=False)["upstreams"][0] | both]
    views = [_view(None, down=True, since=7.0), _view(None, down=True, since=9.0)]
    assert upstreams_of(views) == [_view(None, down=True, since=9.0)["upstreams"][0] | both]
    views = [_view(None, down=True, since=7.0), _view(None, down=False)]
    assert upstreams_of(views)[0]["down_since"] is None


def test_the_problem_of_an_upstream_is_shown_where_one_worker_has_met_it() -> None:
    views = [_view(None, down=False), _view(None, down=False, problem="it has expired")]
    assert upstreams_of(views)[0]["problem"] == "it has expired"
