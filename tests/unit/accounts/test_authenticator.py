# SPDX-License-Identifier: Apache-2.0
"""Codes are those of RFC 6238, and each counts once."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from filterd.accounts import authenticator
from filterd.accounts.account import hash_of
from filterd.accounts.authenticator import (
    code_at,
    is_authenticator_code,
    new_authenticator,
    new_recovery_codes,
    recovery_hash,
    step_of,
    text_of,
    uri_of,
)

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_rfc(at: int, code: str) -> None:
    """RFC 6238 appendix B has eight digits, of which authenticators show the last six."""
    assert code_at(SECRET, at // 30) == code
    assert step_of(SECRET, code, float(at), 0) == at // 30


def test_the_clock_of_a_phone_may_differ_by_a_step_and_a_code_counts_once() -> None:
    now = 1_764_570_600.0
    present = int(now // 30)
    found = [step_of(SECRET, code_at(SECRET, present + by), now, 0) for by in range(-2, 3)]
    assert found == [None, present - 1, present, present + 1, None]
    assert step_of(SECRET, code_at(SECRET, present), now, present) is None
    assert step_of(SECRET, code_at(SECRET, present - 1), now, present) is None


@pytest.mark.parametrize(
    "code",
    [
        "",
        "28708",
        "2870822",
        "\uff12\uff18\uff17\uff10\uff18\uff12",
        "abcdef",
        "\x00" * 6,
        "\ud800",
    ],
)
def test_other_texts_are_no_code(code: str) -> None:
    assert step_of(SECRET, code, 59.0, 0) is None


def test_an_authenticator_reads_the_secret_from_an_address() -> None:
    secret = new_authenticator()
    found = urlsplit(uri_of(secret, "cô/lan", "Trường & mẫu"))
    assert (found.scheme, found.netloc) == ("otpauth", "totp")
    assert parse_qs(found.query)["secret"] == [text_of(secret)]
    assert len(text_of(secret)) == 32


def test_recovery_codes_are_typed_in_any_form() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == 10
    assert recovery_hash(codes[0]) == recovery_hash(f" {codes[0].upper().replace('-', ' ')} ")
    assert codes[0].encode() not in recovery_hash(codes[0])


@pytest.mark.parametrize(
    ("text", "is_code"),
    [
        ("287082", True),
        ("000000", True),
        ("28708", False),
        ("2870822", False),
        ("28708a", False),
        ("\uff12\uff18\uff17\uff10\uff18\uff12", False),
        ("²²²²²²", False),
        ("", False),
        ("abcd-efgh-ijkl-mnop", False),
    ],
)
def test_a_code_of_an_authenticator_has_six_ascii_digits(text: str, *, is_code: bool) -> None:
    assert is_authenticator_code(text) is is_code


def test_of_the_codes_around_the_oldest_that_was_not_used_counts() -> None:
    """Where two steps happen to have one code, the earlier leaves the later one for another."""
    now, present = 1_764_570_600.0, 1_764_570_600 // 30
    found = [step_of(SECRET, code_at(SECRET, present + by), now, present - 1) for by in (-1, 0, 1)]
    assert found == [None, present, present + 1]


def test_an_earlier_step_of_the_same_code_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authenticator, "code_at", lambda _secret, _step: "111111")
    assert [step_of(SECRET, "111111", 300.0, last) for last in (0, 9, 10, 11)] == [9, 10, 11, None]


def test_the_address_is_quoted_names_the_school_and_is_bounded() -> None:
    assert uri_of(b"\0" * 20, "cô/lan", "A/B") == (
        "otpauth://totp/filterd%20A%2FB:c%C3%B4%2Flan"
        "?secret=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&issuer=filterd%20A%2FB"
    )
    issuer = parse_qs(urlsplit(uri_of(SECRET, "lan", "x" * 99)).query)["issuer"]
    assert issuer == [f"filterd {'x' * 52}"]


def test_a_secret_that_fills_no_group_is_shown_without_filling() -> None:
    assert text_of(b"\xff") == "74"


def test_a_recovery_code_has_four_groups_of_four() -> None:
    for code in new_recovery_codes():
        groups = code.split("-")
        assert [len(group) for group in groups] == [4] * 4
        assert set("".join(groups)) <= set("abcdefghijklmnopqrstuvwxyz234567")
    assert recovery_hash("abcd-efgh") == hash_of("abcdefgh")
    assert recovery_hash(" AB\tcd - EF GH\n") == hash_of("abcdefgh")


def test_a_secret_is_shown_whole_whatever_its_last_letter() -> None:
    for last in range(32):
        shown = text_of(bytes(19) + bytes((last,)))
        assert (len(shown), shown[-1]) == (32, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[last])
