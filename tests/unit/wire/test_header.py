# SPDX-License-Identifier: Apache-2.0
"""Twelve octets: each flag where RFC 6895 puts it."""

from __future__ import annotations

import dns.flags
import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.errors import TruncatedMessageError
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
