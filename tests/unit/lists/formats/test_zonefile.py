# SPDX-License-Identifier: Apache-2.0
"""Zone files from strangers."""

from __future__ import annotations

import pytest

from filterd.lists.formats import zonefile
from filterd.lists.formats.parsed import Problem
from filterd.lists.formats.zonefile import MAX_RECORD_LINES, ZoneFileRecord, read_records


def _records(*lines: str) -> list[ZoneFileRecord]:
    return [item for item in read_records(lines) if isinstance(item, ZoneFileRecord)]


def _reasons(*lines: str) -> list[str]:
    return [item.reason.value for item in read_records(lines) if isinstance(item, Problem)]


@pytest.mark.parametrize(
    "line",
    ["a CNAME .", "a 60 CNAME .", "a IN CNAME .", "a 1h30m IN CNAME .", "a IN 60 cname . ; why"],
)
def test_ttl_and_class_are_optional_in_either_order(line: str) -> None:
    assert _records(line) == [ZoneFileRecord(1, "a", "", "CNAME", (".",))]


def test_blank_owner_repeats_the_last_one() -> None:
    assert [record.owner for record in _records("a A 0.0.0.0", "  AAAA ::")] == ["a", "a"]


def test_origin_is_absolute_or_relative_to_the_last() -> None:
    lines = ("$ORIGIN example.", "a A 0.0.0.0", "$ORIGIN rpz", "b A 0.0.0.0", "@ A 0.0.0.0")
    assert [(record.owner, record.origin) for record in _records(*lines)] == [
        ("a", "example"),
        ("b", "rpz.example"),
        ("rpz.example.", "rpz.example"),
    ]


def test_absolute_owner_of_the_soa_is_the_origin_where_none_is_said() -> None:
    lines = ("rpz.example. SOA a. b. 1 2 3 4 5", "a CNAME .")
    assert _records(*lines)[1].origin == "rpz.example"


def test_parentheses_join_lines_and_comments_end_them() -> None:
    [record] = _records("@ SOA a. b. ( 1 ; serial", "  2 3", ") ; end")
    assert record.data == ("a.", "b.", "1", "2", "3")


def test_quoted_strings_hide_what_is_special_outside() -> None:
    [record] = _records(r'a TXT "; ( \" )" b')
    assert record.data == (r'"; ( \" )"', "b")


def test_no_file_is_included() -> None:
    assert _reasons("$INCLUDE /etc/passwd") == ["unsupported-option"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a", "bad-syntax"),
        ("a CNAME", "bad-syntax"),
        ("  CNAME .", "bad-syntax"),
        ("a NOSUCH .", "bad-syntax"),
        ('a TXT "open', "bad-syntax"),
        ("a A 0.0.0.0 )", "bad-syntax"),
        ("a ( ( A 0.0.0.0 ) )", "bad-syntax"),
        ("a ( A 0.0.0.0", "bad-syntax"),
        ("a A \\", "bad-syntax"),
        (r"a\.b CNAME .", "not-a-name"),
        ("a " + "x" * 5000, "too-long"),
    ],
)
def test_bad_record_is_a_problem(line: str, reason: str) -> None:
    assert _reasons(line) == [reason]


def test_open_parenthesis_swallows_a_bounded_number_of_lines() -> None:
    lines = ["a ( A 0.0.0.0", *["b CNAME ."] * (MAX_RECORD_LINES + 10)]
    assert len(_records(*lines)) == 11
    assert _reasons(*lines) == ["bad-syntax"]


def test_control_unbounded_parenthesis_would_swallow_the_zone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zonefile, "MAX_RECORD_LINES", 10**9)
    assert _records("a ( A 0.0.0.0", *["b CNAME ."] * (MAX_RECORD_LINES + 10)) == []


def test_long_run_of_digits_is_read_in_linear_time() -> None:
    assert _reasons("a " + "1" * 4000 + "x .") == ["bad-syntax"]
