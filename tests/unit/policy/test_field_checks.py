# SPDX-License-Identifier: Apache-2.0
"""One form out, or a sentence; ``overrides/test_change_fields`` tests more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ChangeError
from filterd.policy import field_checks
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("check", "value", "taken"),
    [
        (field_checks.name, "WWW.Example.COM.", "www.example.com"),
        (field_checks.name, "tiếngviệt.vn", "xn--tingvit-5t4cyc.vn"),
        (field_checks.identifier, "lab-a", "lab-a"),
        (field_checks.grade, "7", "7"),
        (field_checks.grade, 7, "7"),
        (field_checks.mac, "02-00-5E-10-00-01", "02:00:5e:10:00:01"),
        (field_checks.time, 5, 5.0),
        (field_checks.many(field_checks.identifier, 3), ["b", "a", "b"], ("a", "b")),
        (field_checks.mac, "0200.5e10.0001", "02:00:5e:10:00:01"),
        (field_checks.mac, "02005E100001", "02:00:5e:10:00:01"),
        (field_checks.tier, "primary", "primary"),
        (field_checks.address, "FD00:0::1", "fd00::1"),
        (field_checks.seconds, 5, 5.0),
        (field_checks.boolean, False, False),
        (field_checks.author, "lan", "lan"),
        (field_checks.author, "web:lan", "web:lan"),
        (field_checks.author, "api:lan", "api:lan"),
    ],
)
def test_a_good_value_has_one_form(check: Callable[[Any], Any], value: Any, taken: Any) -> None:
    assert check(value) == taken
    assert check(taken) == taken


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (field_checks.name, "*.example.com", "write 'example.com'"),
        (field_checks.name, "example", "'example' "),
        (field_checks.name, "192.168.1.1", "address"),
        (field_checks.name, "example.com/page", "'example.com/page' "),
        (field_checks.identifier, "Lab A", "not an identifier"),
        (field_checks.identifier, "a" * 65, "not an identifier"),
        (field_checks.grade, "13", "not a grade"),
        (field_checks.grade, True, "text expected"),
        (field_checks.mac, "02:00:5e:10:00", "not a MAC"),
        (field_checks.time, float("nan"), "out of range"),
        (field_checks.time, -1, "out of range"),
        (field_checks.time, 1e300, "out of range"),
        (field_checks.time, True, "a Unix time expected"),
        (field_checks.time, "now", "a Unix time expected"),
        (field_checks.boolean, 1, "true or false"),
        (field_checks.many(field_checks.mac, 1), ["02:00:5e:10:00:01"] * 2, "too many"),
        (field_checks.many(field_checks.mac, 1), "02:00:5e:10:00:01", "a list expected"),
        (field_checks.tier, "primery", "did you mean 'primary'"),
        (field_checks.address, "lab-a", "not an IP address"),
        (field_checks.address, "fe80::1%eth0", "one interface"),
        (field_checks.author, "cli:lan", "not a user name"),
        (field_checks.author, ":lan", "not a user name"),
        (field_checks.author, "web:", "not a user name"),
        (field_checks.author, "web:api:lan", "not a user name"),
        (field_checks.seconds, 0, "a length of time in seconds expected"),
    ],
)
def test_a_bad_value_is_refused_with_its_reason(
    check: Callable[[Any], Any], value: Any, message: str
) -> None:
    with pytest.raises(ChangeError, match=message):
        check(value)


def test_an_address_of_one_interface_is_taken_where_it_may_be_one() -> None:
    assert field_checks.address("fe80::1%eth0", with_scope=True) == "fe80::1%eth0"


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[31mb", "a\u2028b", "\ud800", "a\u202eb", "\0"])
def test_a_text_has_no_character_that_does_something(text: str) -> None:
    with pytest.raises(ChangeError, match="it has the character U"):
        field_checks.plain(text, say("it"))


def test_what_is_long_is_shown_short() -> None:
    assert field_checks.shown("x" * 1000) == f"'{'x' * 76}..."


def test_a_written_time_may_have_an_offset_and_is_of_these_centuries() -> None:
    written = field_checks.written_time("2026-12-01T07:30")
    assert written is not None
    assert (written.isoformat(), written.tzinfo) == ("2026-12-01T07:30:00", None)
    shifted = field_checks.written_time("2026-12-01T07:30+07:00")
    assert shifted is not None
    assert shifted.tzinfo is not None
    for text in ("", "17:00", "1999-12-31", "3000-01-01", "0001-01-01", "2026-13-01", "x"):
        assert field_checks.written_time(text) is None


def test_a_date_alone_is_distinguished_from_a_time() -> None:
    assert field_checks.is_date("2026-12-01")
    assert not field_checks.is_date("2026-12-01T00:00")


def test_a_bare_text_is_in_small_letters_without_diacritics() -> None:
    assert field_checks.bare("Đường Số 1") == "duong so 1"
