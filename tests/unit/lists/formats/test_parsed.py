# SPDX-License-Identifier: Apache-2.0
"""What is common to all parsers: they survive any text and yield only what they promise."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.lists.formats import FORMATS, Cancelled, Entry, Problem
from filterd.lists.formats.parsed import MAX_QUOTED, problem, rrtype
from filterd.lists.report import Reason

_pieces = st.sampled_from(
    [
        *("||", "@@", "^", "$", "|", "*", "*.", ".", "/", "#", "##", "=", "~", "!", ";", '"', "'"),
        *("(", ")", "\\", " ", "\t", "@", "0.0.0.0", "::", "1h", "IN", "A", "CNAME", "SOA", "TXT"),
        *("address=/", "server=/", "local-zone:", "local-data:", "redirect", "$ORIGIN", "rpz-ip"),
        *("dnstype=", "denyallow=", "badfilter", "important", "example.com", "com", "müller.vn"),
        *("\0", "\udc80", "\u202e", "\x1b", "xn--", "a" * 64),
    ]
)
_lines = st.lists(st.lists(_pieces | st.text(max_size=5), max_size=10).map("".join), max_size=10)


@pytest.mark.parametrize("list_format", FORMATS)
@given(lines=_lines)
def test_any_text_is_read_without_an_exception(list_format: str, lines: list[str]) -> None:
    for item in FORMATS[list_format](lines):
        assert isinstance(item, Entry | Cancelled | Problem)
        assert 1 <= item.line <= len(lines)


@pytest.mark.parametrize("list_format", FORMATS)
@pytest.mark.parametrize(
    "character", ["a", "1", ".", "*", "(", '"', "#", " ", "\\", "a.", "1h", "$"]
)
def test_longest_line_costs_little(list_format: str, character: str) -> None:
    line = "x " + character * (4094 // len(character))
    started = time.process_time()
    list(FORMATS[list_format]([line] * 5))
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("list_format", FORMATS)
def test_line_of_megabytes_is_one_problem(list_format: str) -> None:
    [item] = FORMATS[list_format](["a." * 5_000_000])
    assert isinstance(item, Problem)
    assert item.reason is Reason.TOO_LONG


def test_problem_quotes_only_the_beginning_of_a_line() -> None:
    assert len(problem(1, Reason.BAD_SYNTAX, "x" * 10_000).text) == MAX_QUOTED


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("A", 1),
        ("aaaa", 28),
        ("TYPE65", 65),
        ("type257", 257),
        ("TYPE0", None),
        ("TYPE65536", None),
        ("3600", None),  # the TTL of a zone file
    ],
)
def test_type_is_read_in_any_case_and_as_a_number(text: str, code: int | None) -> None:
    assert rrtype(text) == code
