# SPDX-License-Identifier: Apache-2.0
"""The bounded reader never passes its end."""

from __future__ import annotations

from struct import Struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import (
    BadLabelError,
    BadPointerError,
    CostlyMessageError,
    TruncatedMessageError,
    WireError,
)
from filterd.wire import ParsedResponse, _codec_py, codec, cursor, rdata, response
from filterd.wire._codec_py import parse_query, parse_response
from filterd.wire.cursor import (
    MAX_STEPS,
    Budget,
    Compressor,
    Cursor,
    expand_name,
    read_name,
    skip_name,
    steps_for,
)
from filterd.wire.name import from_text
from tests.support import needs, wire_work
from tests.support.cost_bombs import QUERIES, RESPONSES
from tests.support.wire import QUESTION, a_message
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


def test_the_error_names_its_place() -> None:
    with pytest.raises(TruncatedMessageError) as caught:
        Cursor(b"abcdef", 4).take(3)
    assert caught.value.offset == 4


BOMBS = QUERIES | RESPONSES
PARSE_LINES = 35_000
"""About 0.7 ms of CPU on a small x86 machine, and four times that for 64 kB."""
USE_LINES = 70_000 if codec.NATIVE else 100_000
"""Without native modules the lines of ``fit`` and ``target_of`` run in Python, and count, too."""


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
    "name",
    [
        "every entrance of a chain of 2,000",
        "deep owners",
        pytest.param("HTTPS to deep targets", marks=needs.NATIVE),
    ],
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


MESSAGE = a_message(QUESTION + b"\3WwW\xc0\x0c" + b"\xc0\x1d" + b"\xc0\x0e")
"""``example.com`` at 12, ``WwW.example.com`` at 29, pointers to 29 at 35 and into nothing at 37."""


def test_a_spelled_name_ends_behind_its_zero() -> None:
    assert read_name(MESSAGE, 12, Budget()) == (from_text("example.com"), 25)


def test_a_compressed_name_ends_behind_its_pointer() -> None:
    assert read_name(MESSAGE, 29, Budget()) == (from_text("www.example.com"), 35)


def test_expanding_keeps_the_letter_case() -> None:
    assert expand_name(MESSAGE, 29, Budget()) == (b"\3WwW\7example\3com\0", 35)


def test_a_pointer_to_a_pointer_is_followed() -> None:
    assert read_name(MESSAGE, 35, Budget()) == (from_text("www.example.com"), 37)


def test_a_pointer_into_the_middle_of_a_label_reads_what_stands_there() -> None:
    """``x`` is 120: no label has that length, so the octets make no name."""
    with pytest.raises(BadLabelError):
        read_name(MESSAGE, 37, Budget())


def test_the_root_is_one_octet() -> None:
    assert read_name(bytes(20), 12, Budget()) == (b"\0", 13)


def test_a_known_name_costs_nothing_the_second_time() -> None:
    budget = Budget()
    read_name(MESSAGE, 29, budget)
    left = budget.steps_left
    for offset, end in ((35, 37), (29, 35)):
        assert read_name(MESSAGE, offset, budget) == (from_text("www.example.com"), end)
    assert read_name(MESSAGE, 12, budget) == (from_text("example.com"), 25)
    assert budget.steps_left == left


def test_what_a_name_points_to_is_known_too() -> None:
    budget = Budget()
    read_name(MESSAGE, 29, budget)
    assert budget.names[12] == b"\7example\3com\0"


def test_the_same_name_is_read_with_and_without_memory() -> None:
    budget = Budget()
    warm = [read_name(MESSAGE, offset, budget) for offset in (12, 29, 35)]
    assert warm == [read_name(MESSAGE, offset, Budget()) for offset in (12, 29, 35)]


@pytest.mark.parametrize("target", [0, 2, 11, 29, 30, 200, 0x3FFF])
def test_a_pointer_that_does_not_aim_back_into_a_name_is_refused(target: int) -> None:
    message = a_message(QUESTION + (0xC000 | target).to_bytes(2))
    with pytest.raises(BadPointerError):
        read_name(message, 29, Budget())


def test_a_remembered_name_ahead_is_refused_like_any_other() -> None:
    message = a_message(QUESTION + b"\xc0\x1f" + b"\1a\0")
    budget = Budget()
    read_name(message, 31, budget)
    with pytest.raises(BadPointerError):
        read_name(message, 29, budget)


def test_two_pointers_that_point_to_each_other_are_refused() -> None:
    message = a_message(QUESTION + b"\xc0\x1f" + b"\xc0\x1d")
    with pytest.raises(BadPointerError):
        read_name(message, 31, Budget())


def test_control_without_that_check_only_the_budget_ends_a_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def follow_anything(message: bytes, position: int, _lowest: int) -> int:
        return (message[position] & 0x3F) << 8 | message[position + 1]

    monkeypatch.setattr(cursor, "_pointer_target", follow_anything)
    with pytest.raises(CostlyMessageError):
        read_name(a_message(QUESTION + b"\xc0\x1f" + b"\xc0\x1d"), 31, Budget())


def test_labels_between_two_pointers_cannot_make_a_loop() -> None:
    message = a_message(QUESTION + b"\1a\1b" + b"\xc0\x1f")
    with pytest.raises(BadPointerError):
        read_name(message, 29, Budget())


def test_what_fails_has_cost_its_steps() -> None:
    budget = Budget()
    with pytest.raises(TruncatedMessageError):
        read_name(b"\1a" * 100, 0, budget)
    assert budget.steps_left == 2048 - 100


def test_a_budget_that_is_used_up_ends_the_reading() -> None:
    with pytest.raises(CostlyMessageError):
        read_name(MESSAGE, 12, Budget(1))


def _name_of(octets: int) -> bytes:
    label, rest = b"\x3f" + b"a" * 63, octets - 1 - 3 * 64
    return label * 3 + bytes((rest - 1,)) + b"b" * (rest - 1) + b"\0"


def test_a_name_of_255_octets_is_read_by_all() -> None:
    name = _name_of(255)
    assert read_name(name, 0, Budget()) == (name, 255)
    assert skip_name(name, 0) == 255


def test_a_name_of_256_octets_is_refused_by_all() -> None:
    name = _name_of(256)
    with pytest.raises(BadLabelError):
        read_name(name, 0, Budget())
    with pytest.raises(BadLabelError):
        skip_name(name, 0)


def test_127_labels_are_a_name_and_128_are_not() -> None:
    assert len(read_name(b"\1a" * 127 + b"\0", 0, Budget())[0]) == 255
    with pytest.raises(BadLabelError):
        read_name(b"\1a" * 128 + b"\0", 0, Budget())


@pytest.mark.parametrize("first", [0x40, 0x41, 0x7F, 0x80, 0xBF])
def test_retired_label_types_are_refused_by_all(first: int) -> None:
    octets = bytes((first,)) + bytes(300)
    with pytest.raises(BadLabelError):
        read_name(octets, 0, Budget())
    with pytest.raises(BadLabelError):
        skip_name(octets, 0)


@pytest.mark.parametrize("octets", [b"", b"\1", b"\1a", b"\3ab", b"\x3f", b"\1a\xc0"])
def test_names_cut_short_are_refused_by_all(octets: bytes) -> None:
    with pytest.raises(TruncatedMessageError):
        read_name(octets, 0, Budget())
    with pytest.raises(TruncatedMessageError):
        skip_name(octets, 0)


def test_skipping_does_not_follow_a_pointer() -> None:
    assert skip_name(b"\1a\xff\xff", 0) == 4


def test_skipping_refuses_a_pointer_where_none_may_be() -> None:
    with pytest.raises(BadPointerError):
        skip_name(b"\1a\xc0\x00", 0, may_point=False)


@given(st.binary(max_size=300), st.integers(0, 300))
def test_skipping_and_reading_end_at_the_same_octet(octets: bytes, offset: int) -> None:
    try:
        _, end = read_name(octets, offset, Budget())
    except WireError:
        return
    assert skip_name(octets, offset) == end <= len(octets)


def test_compressing_points_to_what_was_written_before() -> None:
    names = Compressor(from_text("example.com"))
    assert names.write(from_text("example.com"), 100) == b"\xc0\x0c"
    assert names.write(from_text("www.example.com"), 100) == b"\3www\xc0\x0c"
    assert names.write(from_text("a.www.example.com"), 200) == b"\1a\xc0\x64"
    assert names.write(from_text("org"), 300) == b"\3org\0"
    assert names.pointer_to(from_text("www.example.com")) == b"\xc0\x64"
    assert names.pointer_to(from_text("net")) is None


def test_compressing_compares_without_regard_to_letter_case() -> None:
    names = Compressor(b"\7eXaMpLe\3cOm\0")
    assert names.write(b"\3WWW\7EXAMPLE\3COM\0", 100) == b"\3WWW\xc0\x0c"


def test_names_out_of_reach_of_a_pointer_are_not_pointed_to() -> None:
    names = Compressor(b"\0")
    names.write(from_text("example.net"), 0x3FFF)
    assert names.write(from_text("net"), 0x5000) == b"\3net\0"
    assert names.write(from_text("example.net"), 0x5000) == b"\xff\xff"


def test_compressing_too_many_new_labels_is_refused() -> None:
    names = Compressor(b"\0")
    for i in range(2048):
        names.write(from_text(f"n{i}"), 100)
    with pytest.raises(CostlyMessageError):
        names.write(from_text("one.more"), 100)


@given(st.lists(st.lists(st.sampled_from([b"a", b"B", b"b", b"com"]), max_size=5), max_size=12))
def test_what_is_compressed_expands_to_the_same_names(names: list[list[bytes]]) -> None:
    wires = [b"".join(bytes((len(p),)) + p for p in parts) + b"\0" for parts in names]
    message, offsets, compressor = bytearray(12) + b"\1q\0", [], Compressor(b"\1q\0")
    for wire in wires:
        offsets.append(len(message))
        message += compressor.write(wire, len(message))
    budget = Budget()
    read = [read_name(bytes(message), offset, budget)[0] for offset in offsets]
    assert read == [wire.lower() for wire in wires]
