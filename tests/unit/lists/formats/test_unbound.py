# SPDX-License-Identifier: Apache-2.0
"""unbound's local zones and local data."""

from __future__ import annotations

import pytest

from filterd.lists.formats.unbound import ZONE_TYPES, parse_unbound
from filterd.lists.rules import Claim, Scope
from tests.support.parsing import EXACT, SUBTREE, cancelled, exception, refused, said

_PASSES = exception(Scope.SUBTREE, specific=True)


@pytest.mark.parametrize(
    ("kind", "claim"),
    [
        ("always_null", SUBTREE),
        ("always_nxdomain", SUBTREE),
        ("always_nodata", SUBTREE),
        ("always_refuse", SUBTREE),
        ("refuse", SUBTREE),
        ("static", SUBTREE),
        ("redirect", SUBTREE),
        ("deny", SUBTREE),
        ("inform_deny", SUBTREE),
        ("transparent", _PASSES),
        ("typetransparent", _PASSES),
        ("always_transparent", _PASSES),
        ("inform", _PASSES),
        ("nodefault", _PASSES),
        ("block_a", Claim(Scope.SUBTREE, types=frozenset({1}))),
        ("block_aaaa", Claim(Scope.SUBTREE, types=frozenset({28}))),
    ],
)
def test_type_of_a_zone_is_what_it_claims(kind: str, claim: Claim) -> None:
    assert said("unbound", f'local-zone: "example.com" {kind}') == [("example.com", claim)]
    assert ZONE_TYPES[kind] == claim


@pytest.mark.parametrize(
    "line",
    [
        'local-zone: "example.com." always_null',
        "local-zone: 'example.com.' always_null # why",
        "local-zone: example.com. always_null",
        'server: local-zone: "example.com." always_null',
        '\tlocal-zone:"example.com."  "always_null"',
    ],
)
def test_quotes_comments_and_clauses(line: str) -> None:
    assert said("unbound", line) == [("example.com.", SUBTREE)]


@pytest.mark.parametrize(
    "record",
    [
        "a.example A 0.0.0.0",
        "a.example. 3600 IN A 127.0.0.1",
        "a.example IN 60 a 0.0.0.0",
        "a.example AAAA ::",
    ],
)
def test_data_that_leads_nowhere_blocks_that_host(record: str) -> None:
    [(name, claim)] = said("unbound", f'local-data: "{record}"')
    assert name.removesuffix(".") == "a.example"
    assert claim == EXACT


def test_several_options_of_a_line_are_all_read() -> None:
    line = 'local-zone: "a.example" redirect local-data: "a.example A 0.0.0.0"'
    assert said("unbound", line) == [("a.example", SUBTREE), ("a.example", EXACT)]


def test_redirection_to_a_real_address_is_no_block() -> None:
    lines = (
        'local-zone: "www.google.com" redirect',
        'local-data: "www.google.com CNAME forcesafesearch.google.com"',
    )
    assert cancelled("unbound", *lines) == [("www.google.com", SUBTREE)]


def test_sinkhole_data_answers_before_a_transparent_zone_lets_through() -> None:
    lines = ('local-zone: "a.example." transparent', 'local-data: "A.example A 0.0.0.0"')
    assert cancelled("unbound", *lines) == [("A.example", _PASSES)]


def test_sinkhole_data_alone_cancels_nothing() -> None:
    assert cancelled("unbound", 'local-data: "a.example A 0.0.0.0"') == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('local-data: "a.example A 192.0.2.1"', "unsupported-option"),
        ("local-data: 'a.example TXT \"words\"'", "unsupported-option"),
        ('local-data: "a.example"', "bad-syntax"),
        ('local-data: ""', "bad-syntax"),
        ('local-zone: "a.example" noview', "unsupported-option"),
        ('local-zone: "a.example" nonsense', "unsupported-option"),
        ('local-zone: "a.example"', "unsupported-option"),
        ('local-zone: "a.example', "bad-syntax"),
        ("forward-zone:", "unsupported-option"),
        ('include: "/etc/passwd"', "unsupported-option"),
        ("a.example", "bad-syntax"),
        ('local-zone: "." refuse', "everything"),
        ('local-zone: "com." refuse', "single-label"),
        ('local-zone: "' + "x" * 5000 + '" refuse', "too-long"),
    ],
)
def test_other_lines_are_refused(line: str, reason: str) -> None:
    assert refused("unbound", line) == [reason]


def test_clause_blank_lines_and_comments_say_nothing() -> None:
    assert list(parse_unbound(["server:", "", "# local-zone: a.example refuse", "  # x"])) == []
