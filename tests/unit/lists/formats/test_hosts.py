# SPDX-License-Identifier: Apache-2.0
"""Hosts files name single hosts."""

from __future__ import annotations

import pytest

from filterd.lists.formats import Entry, Problem
from filterd.lists.formats.hosts import is_sinkhole, parse_hosts
from tests.support.parsing import EXACT, refused, said


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1", "127.0.0.2", "::", "::1", "[::]", "0"])
def test_every_address_that_leads_nowhere_blocks_that_host(address: str) -> None:
    assert said("hosts", f"{address} ads.example.com") == [("ads.example.com", EXACT)]


def test_all_aliases_of_a_line_are_entries() -> None:
    assert said("hosts", "0.0.0.0\ta.example  b.example c.example") == [
        ("a.example", EXACT),
        ("b.example", EXACT),
        ("c.example", EXACT),
    ]


@pytest.mark.parametrize("line", ["", "   ", "# 0.0.0.0 a.example", "   # a", "#"])
def test_blank_lines_and_comments_say_nothing(line: str) -> None:
    assert list(parse_hosts([line])) == []


@pytest.mark.parametrize(
    "line", ["0.0.0.0 a.example # why", "0.0.0.0 a.example#why", "a.example # b"]
)
def test_comment_ends_the_line(line: str) -> None:
    assert said("hosts", line) == [("a.example", EXACT)]


def test_bare_name_is_that_host() -> None:
    assert said("hosts", "a.example") == [("a.example", EXACT)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("127.0.0.1 localhost", "local-name"),
        ("127.0.0.1 LOCALHOST.localdomain", "local-name"),
        ("::1 ip6-localhost", "local-name"),
        ("255.255.255.255 broadcasthost", "local-name"),
        ("fe80::1%lo0 localhost", "local-name"),
        ("0.0.0.0 0.0.0.0", "local-name"),
        ("0.0.0.0", "local-name"),
        ("localhost", "local-name"),
        ("192.0.2.1 bank.example", "not-a-sinkhole-address"),
        ("2001:db8::1 bank.example", "not-a-sinkhole-address"),
        ("invalidIP a.example", "bad-syntax"),
        ("300.0.0.1 a.example", "bad-syntax"),
        ("127.0.0.1 .com", "not-a-name"),
        ("0.0.0.0 com", "single-label"),
        ("0.0.0.0 http://a.example/b", "url-with-path"),
        ("0.0.0.0 192.0.2.1", "ip-address"),
        ("0.0.0.0 *", "everything"),
        ("0.0.0.0 " + "a" * 5000, "too-long"),
    ],
)
def test_line_without_a_usable_name_is_refused(line: str, reason: str) -> None:
    assert refused("hosts", line) == [reason]


def test_bad_alias_leaves_the_others_of_its_line() -> None:
    parsed = list(parse_hosts(["127.0.0.1 localhost a.example"]))
    assert [type(item) for item in parsed] == [Problem, Entry]


def test_lines_are_counted_from_one_with_comments_and_blanks() -> None:
    parsed = list(parse_hosts(["# head", "", "0.0.0.0 a.example", "x y"]))
    assert [item.line for item in parsed] == [3, 4]


@pytest.mark.parametrize(
    ("address", "leads_nowhere"),
    [("127.9.9.9", True), ("::ffff:0.0.0.0", True), ("8.8.8.8", False), ("name", None), ("", None)],
)
def test_sinkhole_is_unspecified_or_loopback(address: str, leads_nowhere: bool | None) -> None:
    assert is_sinkhole(address) is leads_nowhere
