# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.lists.rules import Claim, Effect, SafeSearchRewrite, Scope

A, AAAA, HTTPS = 1, 28, 65


@pytest.mark.parametrize(
    ("types", "negated", "qtype", "covered"),
    [
        (None, False, A, True),
        (None, True, A, True),
        (frozenset({A, AAAA}), False, A, True),
        (frozenset({A, AAAA}), False, HTTPS, False),
        (frozenset({A, AAAA}), True, A, False),
        (frozenset({A, AAAA}), True, HTTPS, True),
        (frozenset(), False, A, False),
        (frozenset(), True, A, True),
    ],
)
def test_a_claim_is_about_the_types_that_it_names(
    types: frozenset[int] | None, negated: bool, qtype: int, covered: bool
) -> None:
    claim = Claim(Scope.SUBTREE, types=types, types_negated=negated)
    assert claim.covers_type(qtype) is covered


def test_a_plain_claim_blocks_without_conditions() -> None:
    claim = Claim(Scope.EXACT)
    assert (claim.effect, claim.important, claim.specific) == (Effect.BLOCK, False, False)
    assert claim.types is None
    assert not claim.denyallow


def test_equal_claims_are_one_key() -> None:
    assert len({Claim(Scope.EXACT), Claim(Scope.EXACT), Claim(Scope.SUBTREE)}) == 2


def test_numbers_that_index_files_hold_never_change() -> None:
    assert [(scope.name, scope.value) for scope in Scope] == [
        ("EXACT", 0),
        ("SUBTREE", 1),
        ("SUBDOMAINS", 2),
    ]
    assert [(effect.name, effect.value) for effect in Effect] == [
        ("BLOCK", 0),
        ("EXCEPT", 1),
        ("MARKER", 2),
    ]


def test_an_entry_is_written_so_that_its_scope_shows() -> None:
    written = [scope.written("example.com") for scope in Scope]
    assert written == ["=example.com", "example.com", "*.example.com"]


def test_a_rewrite_is_a_value() -> None:
    one, other = (SafeSearchRewrite("youtube", "strict", b"\1s\0", (b"\1y\0",)) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
