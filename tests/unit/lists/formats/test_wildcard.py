# SPDX-License-Identifier: Apache-2.0
"""A leading star includes the name itself, as dnscrypt-proxy and blocky define it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.lists.formats.wildcard import parse_wildcard
from tests.support.parsing import EXACT, SUBTREE, refused, said

if TYPE_CHECKING:
    from filterd.lists.rules import Claim


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
