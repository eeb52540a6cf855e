# SPDX-License-Identifier: Apache-2.0
"""Codes are those of RFC 6238, and each counts once."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from filterd.accounts.authenticator import (
    code_at,
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
    "code", ["", "28708", "2870822", "\uff12\uff18\uff17\uff10\uff18\uff12", "abcdef", "\x00" * 6]
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
