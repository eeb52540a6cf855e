# SPDX-License-Identifier: Apache-2.0
"""The bounded reader never passes its end."""

from __future__ import annotations

from struct import Struct

import pytest

from filterd.errors import CostlyMessageError, TruncatedMessageError
from filterd.wire import ParsedResponse, _codec_py, rdata, response
from filterd.wire._codec_py import parse_query, parse_response
from filterd.wire.cursor import MAX_STEPS, Budget, Cursor, steps_for
from tests.support import wire_work
from tests.support.cost_bombs import QUERIES, RESPONSES
from tests.support.wire_work import count_lines


def test_take_reads_and_steps_over() -> None:
    cursor = Cursor(b"abcdef", 1)
    assert (cursor.take(2), cursor.take(3)) == (b"bc", b"def")
    assert cursor.at_end


def test_unpack_reads_integers_in_network_order() -> None:
    assert Cursor(b"\x01\x02\x03").unpack(Struct("!HB")) == (0x0102, 3)


@pytest.mark.parametrize("size", [4, 100, 70_000])
def test_reading_past_the_end_is_refused_and_moves_nothing(size: int) -> None:
    cursor = Cursor(b"abc")
    with pytest.raises(TruncatedMessageError):
        cursor.take(size)
    assert cursor.offset == 0


def test_a_narrowed_cursor_stops_where_rdata_ends() -> None:
    cursor = Cursor(b"abcdef", 1, 3)
    cursor.advance(2)
    with pytest.raises(TruncatedMessageError):
        cursor.advance(1)


def test_move_to_past_the_end_is_refused() -> None:
    with pytest.raises(TruncatedMessageError):
        Cursor(b"abcdef", 0, 3).move_to(4)


def test_the_error_says_where() -> None:
    with pytest.raises(TruncatedMessageError) as caught:
        Cursor(b"abcdef", 4).take(3)
    assert caught.value.offset == 4


BOMBS = QUERIES | RESPONSES
PARSE_LINES = 35_000
"""About 0.7 ms of CPU on a small x86 machine, and four times that for 64 kB."""
USE_LINES = 70_000


def most(lines: int, message: bytes) -> float:
    """Return how many lines a message may cost: in proportion to its steps."""
    return lines * steps_for(len(message)) / MAX_STEPS


def use_response(message: bytes) -> ParsedResponse:
    return wire_work.use_response(message, _codec_py)


def test_there_are_at_least_thirty_bombs() -> None:
    assert len(BOMBS) >= 30


@pytest.mark.parametrize("name", BOMBS)
def test_no_bomb_costs_much_as_a_query(name: str) -> None:
    assert count_lines(parse_query, BOMBS[name]) <= PARSE_LINES / 5


@pytest.mark.parametrize("name", BOMBS)
def test_no_bomb_costs_much_as_a_response(name: str) -> None:
    assert count_lines(parse_response, BOMBS[name]) <= most(PARSE_LINES, BOMBS[name])


@pytest.mark.parametrize("name", BOMBS)
def test_no_bomb_costs_much_in_use(name: str) -> None:
    assert count_lines(use_response, BOMBS[name]) <= most(USE_LINES, BOMBS[name])


@pytest.mark.parametrize(
    "name", ["every entrance of a chain of 2,000", "deep owners", "HTTPS to deep targets"]
)
def test_control_without_a_budget_a_bomb_is_dear(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response, "Budget", lambda _: Budget(10**9))
    assert count_lines(use_response, BOMBS[name]) > most(USE_LINES, BOMBS[name])


def test_control_without_a_limit_of_records_a_bomb_is_dear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response, "MAX_RECORDS", 65535)
    bomb = BOMBS["root owners, 5,900"]
    assert count_lines(parse_response, bomb) > most(PARSE_LINES, bomb)


def test_a_name_that_many_records_point_to_is_paid_for_once() -> None:
    message = RESPONSES["chain of 900 pointers, 255 records"]
    assert parse_response(message).steps_left > 2048 - 1000


def test_spending_more_than_there_is_raises() -> None:
    budget = Budget(3)
    budget.spend(3, 0)
    with pytest.raises(CostlyMessageError):
        budget.spend(1, 40)


def test_reading_the_same_record_for_ever_uses_the_budget_up() -> None:
    parsed = parse_response(RESPONSES["256 HTTPS of 5 parameters"])
    for _ in range(parsed.steps_left // 21):
        rdata.svcb_parts(parsed, parsed.records[0])
    with pytest.raises(CostlyMessageError):
        rdata.svcb_parts(parsed, parsed.records[0])
