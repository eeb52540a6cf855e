# SPDX-License-Identifier: Apache-2.0
"""Extended errors are sent short and read in any form."""

from __future__ import annotations

import dns.edns
import pytest

from filterd.errors import BadEdnsError
from filterd.wire.ede import MAX_TEXT_OCTETS, Ede, EdeCode, compose_ede, edes_of
from filterd.wire.edns import Edns


def _edns(*options: tuple[int, bytes]) -> Edns:
    return Edns(udp_size=1232, version=0, do=False, extended_rcode=0, flags=0, options=options)


def test_code_and_text_are_composed() -> None:
    assert compose_ede(Ede(EdeCode.FILTERED, "học")) == (15, b"\0\x11h\xe1\xbb\x8dc")


def test_what_is_composed_is_read_again() -> None:
    edes = (Ede(EdeCode.BLOCKED), Ede(4711, "Bị chặn"))
    assert edes_of(_edns(*map(compose_ede, edes))) == edes


def test_long_text_is_cut_between_characters() -> None:
    _, data = compose_ede(Ede(0, "ệ" * 500))
    assert len(data) - 2 <= MAX_TEXT_OCTETS
    assert set(data[2:].decode()) == {"ệ"}


def test_text_that_is_no_unicode_can_still_be_sent() -> None:
    assert compose_ede(Ede(0, "\ud800")) == (15, b"\0\0?")


def test_other_options_are_passed_over() -> None:
    assert edes_of(_edns((10, b"\0"), (15, b"\0\3"), (12, b""))) == (Ede(EdeCode.STALE_ANSWER),)


def test_without_edns_there_is_no_extended_error() -> None:
    assert edes_of(None) == ()


def test_a_final_nul_is_no_text() -> None:
    assert edes_of(_edns((15, b"\0\x0fwhy\0"))) == (Ede(15, "why"),)


def test_text_that_is_no_utf8_is_read_all_the_same() -> None:
    assert edes_of(_edns((15, b"\0\x0f\xff"))) == (Ede(15, "\ufffd"),)


@pytest.mark.parametrize("data", [b"", b"\0"])
def test_an_extended_error_without_code_is_refused(data: bytes) -> None:
    with pytest.raises(BadEdnsError):
        edes_of(_edns((15, data)))


@pytest.mark.parametrize("code", [c for c in EdeCode if c <= 24])
def test_codes_are_those_of_another_library(code: EdeCode) -> None:
    words = dns.edns.EDECode(int(code)).name.replace("_", "")
    assert words == code.name.replace("_", "")
