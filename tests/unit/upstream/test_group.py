# SPDX-License-Identifier: Apache-2.0
"""What is known of servers, and whom to ask first."""

from __future__ import annotations

import pytest

from filterd.policy.model import UpstreamServer
from filterd.upstream.group import ServerGroup, ServerHealth

FIRST, SECOND = UpstreamServer("192.0.2.1"), UpstreamServer("192.0.2.2")


def order(group: ServerGroup, now: float) -> list[UpstreamServer]:
    return [member.server for member in group.in_order(now)]


def a_group(*servers: UpstreamServer) -> ServerGroup:
    return ServerGroup(tuple(ServerHealth(server) for server in servers))


def test_the_operators_order_holds_while_all_are_well() -> None:
    assert order(a_group(FIRST, SECOND), 0) == [FIRST, SECOND]


def test_three_failures_put_a_server_last_for_ten_seconds() -> None:
    group = a_group(FIRST, SECOND)
    orders = []
    for _ in range(3):
        group.members[0].failed(100, 100)
        orders.append(order(group, 100))
    assert orders == [[FIRST, SECOND], [FIRST, SECOND], [SECOND, FIRST]]
    assert order(group, 110) == [FIRST, SECOND]


def test_an_answer_forgives_all_failures() -> None:
    group = a_group(FIRST, SECOND)
    for _ in range(5):
        group.members[0].failed(100, 100)
    group.members[0].answered(0.01, 100)
    assert order(group, 100) == [FIRST, SECOND]


@pytest.mark.parametrize(
    ("round_trips", "hedge"), [([], 0.15), ([0.01], 0.15), ([0.2], 0.4), ([0.2, 0.7], 0.6)]
)
def test_the_next_is_asked_after_twice_the_usual_round_trip(
    round_trips: list[float], hedge: float
) -> None:
    health = ServerHealth(FIRST)
    for took in round_trips:
        health.answered(took, 100)
    assert health.hedge_after_s == pytest.approx(hedge)
