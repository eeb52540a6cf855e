# SPDX-License-Identifier: Apache-2.0
"""Plain names stand for a whole subtree, as squidGuard defines its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.lists.formats.domains import parse_domains, parse_wildcard, without_comment
from tests.support.parsing import EXACT, SUBTREE, refused, said

if TYPE_CHECKING:
    from filterd.lists.rules import Claim


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("example.com", "example.com"),
        ("Example.COM.", "Example.COM."),
        (".example.com", "example.com"),
        ("*.example.com", "example.com"),
        ("  example.com\t", "example.com"),
        ("example.com # why", "example.com"),
        ("müller.example", "müller.example"),
        ("_sip.example.com", "_sip.example.com"),
        ("-a.example.com", "-a.example.com"),
    ],
)
def test_name_is_its_whole_subtree(line: str, name: str) -> None:
    assert said("domains", line) == [(name, SUBTREE)]


@pytest.mark.parametrize("line", ["", "  ", "# a.example", "\t# a.example"])
def test_blank_lines_and_comments_say_nothing(line: str) -> None:
    assert list(parse_domains([line])) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("http://www.example.com/", "url-with-path"),
        ("www.example.com/path", "url-with-path"),
        ("www.example.com/", "url-with-path"),
        ("a.example b.example", "bad-syntax"),
        ("a.example#b", "not-a-name"),
        ("ex*mple.com", "unsupported-pattern"),
        ("192.0.2.1", "ip-address"),
        ("*", "everything"),
        ("*.", "everything"),
        (".", "everything"),
        (".com", "single-label"),
        ("*.com", "single-label"),
        ("x" * 5000, "too-long"),
    ],
)
def test_line_without_a_usable_name_is_refused(line: str, reason: str) -> None:
    assert refused("domains", line) == [reason]


def test_url_is_never_cut_down_to_its_host() -> None:
    lines = ["https://www.youtube.com/watch?v=x", "zalo.me/g/abc", "//sites.google.com/view/x"]
    assert refused("domains", *lines) == ["url-with-path"] * 3
    assert said("domains", "www.youtube.com"), "control: it is the path that is refused"


def test_only_a_hash_after_white_space_is_a_comment() -> None:
    assert without_comment(" a#b # c") == "a#b"


@pytest.mark.parametrize(
    ("line", "claim"),
    [
        ("*.example.com", SUBTREE),
        ("example.com", SUBTREE),
        (".example.com", SUBTREE),
        ("=example.com", EXACT),
        ("*.example.com  # why", SUBTREE),
    ],
)
def test_supported_forms(line: str, claim: Claim) -> None:
    assert said("wildcard", line) == [("example.com", claim)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ads.*", "unsupported-pattern"),
        ("*sex*", "unsupported-pattern"),
        ("*example.com", "unsupported-pattern"),
        ("*.ads*.example.com", "unsupported-pattern"),
        ("ads[0-9].example.com", "unsupported-pattern"),
        ("a?.example.com", "unsupported-pattern"),
        ("=", "unsupported-pattern"),
        ("*.youtube.com @time-to-play", "unsupported-option"),
        ("a.example b.example", "bad-syntax"),
        ("/ads[0-9]/", "regular-expression"),
        ("example.com/path", "url-with-path"),
        ("*", "everything"),
        ("*.com", "single-label"),
        ("*." + "x" * 5000, "too-long"),
    ],
)
def test_what_is_no_leading_star_is_refused(line: str, reason: str) -> None:
    assert refused("wildcard", line) == [reason]


def test_comments_say_nothing() -> None:
    assert list(parse_wildcard(["# *.example.com", "## x", ""])) == []
