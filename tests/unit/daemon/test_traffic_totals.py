# SPDX-License-Identifier: Apache-2.0
"""Totals are by tier, and confidential categories are in none of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from filterd.daemon.traffic_totals import traffic_totals
from filterd.fastpath.traffic import Traffic
from tests.support.policies import a_category, a_policy

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


def test_requests_are_told_apart_by_transport() -> None:
    udp, tcp = Traffic(), Traffic()
    udp.asked("192.0.2.1")
    tcp.asked("2001:db8::1")
    for one in (udp, tcp):
        one.replied(bytes(12), 0.0)
    totals = traffic_totals([udp.to_plain()], [tcp.to_plain()], {}, a_policy())
    assert totals["requests"] == {"udp": {"4": 1, "6": 0}, "tcp": {"4": 0, "6": 1}}
    assert totals["rcodes"] == {"0": 2}
    assert totals["latency"]["chain"]["buckets"]["0.1"] == 2
