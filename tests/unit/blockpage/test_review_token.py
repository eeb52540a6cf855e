# SPDX-License-Identifier: Apache-2.0
"""A token is for one address, one name, and an hour or two."""

from __future__ import annotations

from filterd.blockpage.review_token import VALID_S, ReviewTokens
from tests.support.clock import FakeClock


def test_a_token_is_valid_for_its_address_and_name_only() -> None:
    tokens = ReviewTokens(FakeClock())
    token = tokens.token("10.0.6.1", "a.example")
    assert tokens.is_valid(token, "10.0.6.1", "a.example")
    for given, address, name in (
        (token, "10.0.6.2", "a.example"),
        (token, "10.0.6.1", "b.example"),
        ("", "10.0.6.1", "a.example"),
        ("đ" * 32, "10.0.6.1", "a.example"),
        (ReviewTokens(FakeClock()).token("10.0.6.1", "a.example"), "10.0.6.1", "a.example"),
    ):
        assert not tokens.is_valid(given, address, name)


def test_it_ends() -> None:
    clock = FakeClock()
    tokens = ReviewTokens(clock)
    token = tokens.token("10.0.6.1", "a.example")
    clock.advance(VALID_S)
    assert tokens.is_valid(token, "10.0.6.1", "a.example")
    clock.advance(VALID_S)
    assert not tokens.is_valid(token, "10.0.6.1", "a.example")
