# SPDX-License-Identifier: Apache-2.0
"""Record types by name."""

from __future__ import annotations

import pytest
from dns.rdatatype import RdataType

from filterd.lists.formats.rrtypes import RRTYPES, rrtype


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("A", 1),
        ("aaaa", 28),
        ("TYPE65", 65),
        ("type257", 257),
        ("TYPE0", None),
        ("TYPE65536", None),
    ],
)
def test_type_is_read_in_any_case_and_as_a_number(text: str, code: int | None) -> None:
    assert rrtype(text) == code


def test_codes_are_those_of_the_registry() -> None:
    assert {name: RdataType[name].value for name in RRTYPES} == RRTYPES
