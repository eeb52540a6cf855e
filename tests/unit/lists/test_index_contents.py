# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from typing import Any

import pytest

from filterd.errors import IndexFormatError
from filterd.lists.index_contents import Contents, ListRecord
from filterd.lists.rules import Claim, Effect, Scope
from tests.support.indexes import wire

CLAIMS = (
    Claim(Scope.EXACT),
    Claim(Scope.SUBDOMAINS, Effect.EXCEPT, specific=True),
    Claim(Scope.SUBTREE, important=True, types=frozenset({1, 28}), types_negated=True),
    Claim(Scope.SUBTREE, denyallow=frozenset({wire("a.example.com"), wire("b.example.com")})),
    Claim(Scope.SUBTREE, types=frozenset()),
    Claim(Scope.EXACT, Effect.MARKER),
)


def contents() -> Contents:
    lists = (ListRecord("a", "ads", "Tên", "adblock", True, "0" * 64, 5),)
    claims = tuple((0, claim) for claim in CLAIMS)
    return Contents(lists, claims, ((0,), (1, 3), (2, 4, 5)), {"when": 1.5, "version": "0"})


def changed(**parts: Any) -> bytes:
    return json.dumps(json.loads(contents().dump()) | parts).encode()


def test_contents_are_read_as_they_were_written() -> None:
    assert Contents.load(contents().dump(), 3) == contents()


def test_equal_contents_give_equal_octets() -> None:
    assert contents().dump() == contents().dump()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        changed(lists=[{"id": "a"}]),
        changed(claims=[[1, {"scope": 0, "effect": 0}]]),
        changed(claims=[[0, {"scope": 9, "effect": 0}]]),
        changed(sets=[[0], [1], [6]]),
        changed(sets=[[0], [1], [-1]]),
        changed(sets=[[0], [1], []]),
        changed(sets=[[0]]),
        changed(build=None),
    ],
)
def test_damaged_contents_are_refused(text: bytes) -> None:
    with pytest.raises(IndexFormatError, match="damaged contents"):
        Contents.load(text, 3)
