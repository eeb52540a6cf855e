# SPDX-License-Identifier: Apache-2.0
"""Response policy zones: triggers and actions."""

from __future__ import annotations

import pytest

from filterd.lists.formats import rpz
from filterd.lists.formats.parsed import Problem
from filterd.lists.formats.rpz import MAX_RECORD_LINES, ZoneFileRecord, read_records
from filterd.lists.rules import Claim, Scope
from tests.support.parsing import EXACT, SUBDOMAINS, exception, refused, said


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
    monkeypatch.setattr(rpz, "MAX_RECORD_LINES", 10**9)
    assert _records("a ( A 0.0.0.0", *["b CNAME ."] * (MAX_RECORD_LINES + 10)) == []


def test_long_run_of_digits_is_read_in_linear_time() -> None:
    assert _reasons("a " + "1" * 4000 + "x .") == ["bad-syntax"]


_HEAD = ("$TTL 2h", "$ORIGIN rpz.test.", "@ SOA ns. host. ( 1 12h", "  15m 3w 2h )", "  NS ns.")
_PASSES = exception(Scope.EXACT, specific=True)


@pytest.mark.parametrize(
    ("record", "claim"),
    [
        ("bad.example CNAME .", EXACT),
        ("bad.example CNAME *.", EXACT),
        ("bad.example CNAME rpz-drop.", EXACT),
        ("bad.example CNAME walled-garden.example.", EXACT),
        ("bad.example CNAME *.walled-garden.example.", EXACT),
        ("bad.example CNAME rpz-not.com.", EXACT),
        ("bad.example 60 IN A 192.0.2.1", EXACT),
        ('bad.example TXT "no"', EXACT),
        ("*.bad.example CNAME .", SUBDOMAINS),
        ("bad.example.rpz.test. CNAME .", EXACT),
        ("bad.example.RPZ.TEST. CNAME .", EXACT),
        ("bad.example CNAME rpz-passthru.", _PASSES),
        ("bad.example CNAME Bad.Example.", _PASSES),
        ("*.bad.example CNAME rpz-passthru.", exception(Scope.SUBDOMAINS, specific=True)),
    ],
)
def test_action_on_a_name(record: str, claim: Claim) -> None:
    assert said("rpz", *_HEAD, record) == [("bad.example", claim)]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("24.0.2.0.192.rpz-ip CNAME .", "unsupported-trigger"),
        ("32.1.2.0.192.rpz-client-ip CNAME rpz-drop.", "unsupported-trigger"),
        ("ns.example.rpz-nsdname CNAME .", "unsupported-trigger"),
        ("*.example.rpz-nsdname CNAME .", "unsupported-trigger"),
        ("32.1.2.0.192.rpz-nsip CNAME .", "unsupported-trigger"),
        ("bad.example CNAME rpz-tcp-only.", "unsupported-option"),
        ("bad.example CNAME rpz-unheard-of.", "unsupported-option"),
        ("good.example CNAME rpz-passthru", "unsupported-option"),
        ("bad.example DNAME other.example.", "unsupported-option"),
        ("* CNAME .", "everything"),
        ("com CNAME .", "single-label"),
        ("bad.example. CNAME .", "bad-syntax"),
        (r"b\.ad.example CNAME .", "not-a-name"),
    ],
)
def test_other_triggers_and_actions_are_refused(record: str, reason: str) -> None:
    assert refused("rpz", *_HEAD, record) == [reason]


@pytest.mark.parametrize("record", ["@ TXT words", "a.example RRSIG A 8 2", "@ DNSKEY 256 3 8 AA"])
def test_the_records_of_the_zone_itself_give_no_entry(record: str) -> None:
    assert said("rpz", *_HEAD, record) == []


@pytest.mark.parametrize(
    "lines",
    [
        ("bad.example CNAME .",),
        ("bad.example. CNAME .",),
        ("@ SOA ns. host. 1 2 3 4 5", "bad.example CNAME ."),
        ("rpz.test. SOA ns. host. 1 2 3 4 5", "bad.example CNAME ."),
        ("$ORIGIN test.", "rpz SOA ns. host. 1 2 3 4 5", "bad.example.rpz CNAME ."),
        (
            "$ORIGIN test.",
            "rpz SOA ns. host. 1 2 3 4 5",
            "$ORIGIN rpz.test.",
            "bad.example CNAME .",
        ),
        ("$ORIGIN rpz.test.", "bad.example CNAME ."),
        (*_HEAD, "$ORIGIN example.rpz.test.", "bad CNAME ."),
    ],
)
def test_trigger_is_the_owner_relative_to_the_apex(lines: tuple[str, ...]) -> None:
    assert said("rpz", *lines) == [("bad.example", EXACT)]


def test_local_data_of_several_types_is_one_entry() -> None:
    assert said("rpz", *_HEAD, "bad.example A 192.0.2.1", "  AAAA 2001:db8::1") == [
        ("bad.example", EXACT)
    ]
