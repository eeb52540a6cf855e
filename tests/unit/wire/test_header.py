# SPDX-License-Identifier: Apache-2.0
"""Twelve octets: each flag where RFC 6895 puts it."""

from __future__ import annotations

import dns.flags
import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import CostlyMessageError, TruncatedMessageError, WireError
from filterd.wire import Deframer, frame
from filterd.wire.header import Header, compose_header, peek_header

U16 = st.integers(0, 0xFFFF)


@pytest.mark.parametrize("size", range(12))
def test_fewer_than_twelve_octets_are_refused(size: int) -> None:
    with pytest.raises(TruncatedMessageError):
        peek_header(bytes(size))


@given(st.tuples(U16, U16, U16, U16, U16, U16))
def test_what_is_composed_is_read_again(fields: tuple[int, ...]) -> None:
    header = Header._make(fields)
    assert peek_header(compose_header(header) + b"behind") == header


@given(U16)
def test_flags_are_those_of_another_library(flags: int) -> None:
    header = Header(0, flags, 0, 0, 0, 0)
    words = dns.flags.to_text(flags).lower().split()
    for flag in ("tc", "rd", "ad", "cd"):
        assert getattr(header, flag) is (flag in words)


@given(U16)
def test_the_rcode_is_that_of_another_library(flags: int) -> None:
    header = Header(0, flags, 0, 0, 0, 0)
    message = dns.message.Message()
    message.flags = dns.flags.Flag(flags)
    assert header.rcode == int(message.rcode())


MESSAGES = st.lists(st.binary(min_size=1, max_size=300), max_size=6)


def test_a_frame_is_length_and_message() -> None:
    assert frame(b"abc") == b"\0\3abc"


def test_the_longest_message_has_a_frame_and_a_longer_one_has_none() -> None:
    assert len(frame(bytes(65535))) == 65537
    with pytest.raises(CostlyMessageError):
        frame(bytes(65536))


@given(MESSAGES, st.integers(1, 50))
def test_pieces_of_any_size_give_the_same_messages(messages: list[bytes], size: int) -> None:
    stream = b"".join(map(frame, messages))
    deframer = Deframer()
    pieces = [stream[i : i + size] for i in range(0, len(stream), size)]
    assert [message for piece in pieces for message in deframer.feed(piece)] == messages
    assert deframer.pending == 0


def test_octets_are_kept_although_no_messages_are_parsed() -> None:
    deframer = Deframer()
    deframer.feed(b"\0\3a")
    assert list(deframer.feed(b"bc")) == [b"abc"]


def test_messages_before_a_bad_prefix_are_delivered() -> None:
    messages = Deframer().feed(frame(b"good") + b"\0\0")
    assert next(messages) == b"good"
    with pytest.raises(TruncatedMessageError):
        next(messages)


def test_a_message_of_no_octets_is_refused() -> None:
    with pytest.raises(WireError):
        list(Deframer().feed(b"\0\0"))


def test_more_than_the_limit_is_refused_before_it_has_come() -> None:
    with pytest.raises(CostlyMessageError):
        list(Deframer(limit=512).feed(b"\2\1"))
    assert list(Deframer(limit=512).feed(b"\2\0" + bytes(512))) == [bytes(512)]


def test_a_stream_fed_octet_by_octet_keeps_one_message_at_most() -> None:
    deframer = Deframer()
    for octet in frame(bytes(range(1, 200))) * 3:
        list(deframer.feed(bytes((octet,))))
        assert deframer.pending <= 201
