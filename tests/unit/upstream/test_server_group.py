# SPDX-License-Identifier: Apache-2.0
"""Facts about servers, and the order to ask them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from filterd.policy.model import Tls, UpstreamServer
from filterd.upstream.server_group import ServerGroup, ServerHealth

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


def test_a_server_that_does_not_answer_is_down_until_it_answers_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "filterd.upstream")
    member, since = ServerHealth(FIRST), []
    for at in (100.0, 110.0, 120.0, 130.0, 400.0):
        member.failed(at, at + 5)
        since.append(member.down_since)
    assert since == [None, None, 100.0, 100.0, 100.0]
    for at in (500.0, 501.0):
        member.answered(0.01, at)
        assert member.down_since is None
    assert caplog.messages == [
        "upstream 192.0.2.1 port 53: it does not answer; check the line",
        "upstream 192.0.2.1 port 53: it answers again, after 400 s",
    ]


def down(group: ServerGroup, at: float) -> ServerHealth:
    for _ in range(3):
        group.members[0].failed(at, at)
    return group.members[0]


def test_one_question_tries_a_server_that_was_down_and_the_others_do_not_wait() -> None:
    group = a_group(FIRST, SECOND)
    member = down(group, 100)
    assert order(group, 109) == [SECOND, FIRST]
    assert [order(group, 110)[0] for _ in range(3)] == [FIRST, SECOND, SECOND]
    member.answered(0.01, 111)
    assert order(group, 111) == [FIRST, SECOND]


def test_one_that_is_still_down_is_tried_again_ten_seconds_later() -> None:
    group = a_group(FIRST, SECOND)
    member = down(group, 100)
    assert order(group, 110) == [FIRST, SECOND]
    member.failed(110, 112)
    assert order(group, 121) == [SECOND, FIRST]
    assert order(group, 122) == [FIRST, SECOND]


def test_questions_that_were_in_the_air_together_fail_once() -> None:
    group = a_group(FIRST, SECOND)
    for failed_at in (100.2, 100.3, 100.4, 100.5):
        group.members[0].failed(100, failed_at)
    assert group.members[0].failures == 1


def test_a_slow_name_is_no_failure_of_a_server_that_answers_others() -> None:
    group = a_group(FIRST, SECOND)
    group.members[0].answered(0.01, 101)
    for _ in range(5):
        group.members[0].failed(100, 104)
    assert order(group, 104) == [FIRST, SECOND]


def test_where_all_are_down_all_are_asked_still() -> None:
    group = a_group(FIRST, SECOND)
    for member in group.members:
        for _ in range(3):
            member.failed(100, 100)
    assert set(order(group, 101)) == {FIRST, SECOND}


@pytest.mark.parametrize(
    ("round_trips", "hedge"),
    [([], 0.15), ([0.01], 0.15), ([0.2], 0.4), ([0.2, 0.7], 0.6), ([3.0], 2.0)],
)
def test_the_next_is_asked_after_twice_the_usual_round_trip(
    round_trips: list[float], hedge: float
) -> None:
    health = ServerHealth(FIRST)
    for took in round_trips:
        health.answered(took, 100)
    assert health.hedge_after_s == pytest.approx(hedge)
    assert sum(health.times.to_plain()["buckets"].values()) == len(round_trips)


def test_what_a_server_cannot_do_is_forgotten_after_a_while() -> None:
    health = ServerHealth(replace(FIRST, randomise_case=True))
    assert health.understands_edns(100)
    assert health.keeps_case(100)
    health.refused_edns(100)
    for _ in range(3):
        health.mismatched_in_case(100)
    assert not health.understands_edns(999)
    assert not health.keeps_case(999)
    assert health.understands_edns(1_000)
    assert health.keeps_case(1_000)


def test_letter_case_is_given_up_after_three_mismatches_in_a_row() -> None:
    health = ServerHealth(replace(FIRST, randomise_case=True))
    for _ in range(5):
        health.mismatched_in_case(100)
        health.mismatched_in_case(100)
        health.kept_case()
    assert health.keeps_case(100)
    assert not ServerHealth(FIRST).keeps_case(100)


@pytest.mark.parametrize(
    ("tls", "by_tls", "after_failure", "in_clear"),
    [
        (Tls.NO, False, False, True),
        (Tls.STRICT, True, True, False),
        (Tls.OPPORTUNISTIC, True, False, True),
    ],
)
def test_how_a_server_is_asked(tls: Tls, by_tls: bool, after_failure: bool, in_clear: bool) -> None:
    health = ServerHealth(replace(FIRST, tls=tls))
    assert (health.goes_by_tls(100), health.may_go_in_clear) == (by_tls, in_clear)
    health.had_no_tls(100)
    assert health.goes_by_tls(159) is after_failure
    assert health.goes_by_tls(160) is by_tls
