# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from typing import Any

import pytest

from filterd.errors import IndexFormatError
from filterd.lists.catalogue import Catalogue, ListRecord
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


def a_catalogue() -> Catalogue:
    lists = (ListRecord("a", "ads", "Tên", "adblock", True, "0" * 64, 5),)
    claims = tuple((0, claim) for claim in CLAIMS)
    return Catalogue(lists, claims, ((0,), (1, 3), (2, 4, 5)), {"when": 1.5, "version": "0"})


def changed(**parts: Any) -> bytes:
    return json.dumps(json.loads(a_catalogue().dump()) | parts).encode()


def test_catalogue_is_read_as_it_was_written() -> None:
    assert Catalogue.load(a_catalogue().dump(), 3) == a_catalogue()


def test_equal_catalogues_give_equal_octets() -> None:
    assert a_catalogue().dump() == a_catalogue().dump()


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
def test_damaged_catalogue_is_refused(text: bytes) -> None:
    with pytest.raises(IndexFormatError, match="damaged catalogue"):
        Catalogue.load(text, 3)
