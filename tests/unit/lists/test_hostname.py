# SPDX-License-Identifier: Apache-2.0
"""Host names as text, as keys, and as wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import NameTextError
from filterd.lists.hostname import (
    HostnameError,
    key_from_name,
    key_from_text,
    name_from_key,
    text_from_key,
)

_labels = st.from_regex(r"[a-wyz0-9_-]{1,20}", fullmatch=True)
_names = st.lists(_labels, min_size=2, max_size=6).map(".".join).filter(lambda n: n[-1].isalpha())


def _reason(text: str) -> str:
    with pytest.raises(HostnameError) as caught:
        key_from_text(text)
    return caught.value.reason.value


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("example.com", b"com\0example\0"),
        ("www.example.com", b"com\0example\0www\0"),
        ("WWW.Example.COM", b"com\0example\0www\0"),
        ("example.com.", b"com\0example\0"),
        ("_dmarc.example.com", b"com\0example\0_dmarc\0"),
        ("-start.example.com", b"com\0example\0-start\0"),
        ("end-.example.com", b"com\0example\0end-\0"),
        ("a.b.1", b"1\0b\0a\0"),
        ("müller.com", b"com\0xn--mller-kva\0"),
        ("XN--MLLER-KVA.com", b"com\0xn--mller-kva\0"),
        ("例。テスト", b"xn--zckzah\0xn--fsq\0"),
        ("xn--i-7iq.ws", b"ws\0xn--i-7iq\0"),
    ],
)
def test_host_name_becomes_its_reversed_labels(text: str, key: bytes) -> None:
    assert key_from_text(text) == key


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not-a-name"),
        ("a..b", "not-a-name"),
        (".example.com", "not-a-name"),
        ("example.com..", "not-a-name"),
        ("a b.com", "not-a-name"),
        ("a\0b.com", "not-a-name"),
        ("com", "single-label"),
        ("com.", "single-label"),
        ("*", "everything"),
        (".", "everything"),
        ("192.0.2.1", "ip-address"),
        ("192.0.2.1.", "ip-address"),
        ("999.0.2.1", "ip-address"),
        ("192.168", "ip-address"),
        ("2001:db8::1", "ip-address"),
        ("[2001:db8::1]", "ip-address"),
        ("http://example.com/a", "url-with-path"),
        ("example.com/a", "url-with-path"),
        ("ex*mple.com", "unsupported-pattern"),
        ("xn---mllerk1va.com", "bad-idn"),
        ("xn--.com", "bad-idn"),
        ("xn--abc-.com", "bad-idn"),
        ("caf\udce9.example", "unknown-encoding"),
        ("-ü.example", "bad-idn"),
        ("a" * 64 + ".com", "too-long"),
        ("a." * 126 + "com", "too-long"),
        ("ü." * 5000, "too-long"),
    ],
)
def test_what_is_no_host_name_is_refused_with_its_reason(text: str, reason: str) -> None:
    assert _reason(text) == reason


def test_longest_name_is_255_octets_of_wire() -> None:
    text = "a." * 125 + "com"
    assert len(name_from_key(key_from_text(text))) == 255
    assert _reason("a" + text) != ""


def test_decomposed_and_composed_letters_are_one_name() -> None:
    assert key_from_text("tênmiền.vn") == key_from_text("te\u0302nmie\u0302\u0300n.vn")


def test_unicode_and_ascii_form_are_one_name() -> None:
    assert key_from_text("tênmiền.vn") == key_from_text("xn--tnmin-hsa0954c.vn")


def test_error_is_one_line_and_quotes_control_characters() -> None:
    with pytest.raises(NameTextError) as caught:
        key_from_text("evil\n\x1b[31m.com")
    assert str(caught.value).isprintable()


def test_error_quotes_no_more_than_a_name_is_long() -> None:
    with pytest.raises(HostnameError) as caught:
        key_from_text("x" * 100_000)
    assert len(str(caught.value)) < 400


def test_keys_sort_a_name_directly_before_what_is_beneath_it() -> None:
    texts = ["example.com", "a.example.com", "b.a.example.com", "example-a.com", "examplea.com"]
    ordered = sorted(key_from_text(text) for text in texts)
    assert [text_from_key(key) for key in ordered] == [
        "example.com",
        "a.example.com",
        "b.a.example.com",
        "example-a.com",
        "examplea.com",
    ]


@given(_names)
def test_key_name_and_text_agree(text: str) -> None:
    key = key_from_text(text)
    assert key_from_name(name_from_key(key)) == key
    assert text_from_key(key) == text


@pytest.mark.parametrize(
    "name", [b"\x03a.b\x03com\x00", b"\x01\x00\x03com\x00", b"\x02\xc3\xbc\x00"]
)
def test_name_with_other_octets_has_no_key(name: bytes) -> None:
    assert key_from_name(name) is None


def test_root_has_the_empty_key() -> None:
    assert key_from_name(b"\0") == b""
    assert name_from_key(b"") == b"\0"
    assert text_from_key(b"") == "."


@given(st.text())
def test_any_text_is_a_key_or_a_hostname_error(text: str) -> None:
    try:
        key = key_from_text(text)
    except HostnameError:
        return
    assert key_from_text(text_from_key(key)) == key
