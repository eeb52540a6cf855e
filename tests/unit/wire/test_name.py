# SPDX-License-Identifier: Apache-2.0
"""Names as values: one form, one text, and no two names that share either."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import NameTextError
from filterd.wire import name as names
from filterd.wire.name import from_labels, from_text, is_at_or_beneath, to_text

TEXTS = [
    (".", b"\0"),
    ("com", b"\3com\0"),
    ("com.", b"\3com\0"),
    ("WWW.Example.COM", b"\3www\7example\3com\0"),
    ("xn--vit-nam-95a.vn", b"\x0fxn--vit-nam-95a\2vn\0"),
    ("_dmarc.*.a-b", b"\6_dmarc\1*\3a-b\0"),
    (r"a\.b", b"\3a.b\0"),
    (r"a\.b.", b"\3a.b\0"),
    (r"\\.c", b"\1\\\1c\0"),
    (r"\000.\010\255", b"\1\0\2\n\xff\0"),
    (r"\065bc", b"\3abc\0"),
    (r"\a", b"\1a\0"),
    (r"a\.", b"\2a.\0"),
    (r"\..", b"\1.\0"),
    ("a@b", b"\3a@b\0"),
]

NOT_NAMES = [
    "",
    "..",
    ".com",
    "a..b",
    "a b",
    "a\tb",
    "a\nb",
    "a\x00b",
    "a\x7fb",
    "việt.vn",
    "a。b",
    "\u202ecom",
    "\\",
    "a\\",
    r"\1",
    r"\12x",
    r"\256",
    "a" * 64,
    ".".join(["a"] * 128),
    ("a" * 63 + ".") * 4,
]

_LABEL = st.binary(min_size=1, max_size=63)


def _fits(parts: list[bytes]) -> bool:
    return sum(len(part) + 1 for part in parts) < 255


NAMES = st.lists(_LABEL, max_size=6).filter(_fits).map(lambda parts: from_labels(tuple(parts)))


@pytest.mark.parametrize(("text", "wire"), TEXTS)
def test_text_becomes_the_canonical_name(text: str, wire: bytes) -> None:
    assert from_text(text) == wire


@pytest.mark.parametrize("text", NOT_NAMES)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(NameTextError):
        from_text(text)


def test_the_error_names_its_place_in_the_text() -> None:
    with pytest.raises(NameTextError) as caught:
        from_text("abc def")
    assert caught.value.offset == 3


@given(NAMES)
def test_text_gives_back_the_name(wire: bytes) -> None:
    assert from_text(to_text(wire)) == wire


@given(NAMES)
def test_text_is_visible_ascii_only(wire: bytes) -> None:
    assert all("!" <= character <= "~" for character in to_text(wire))


@given(NAMES, NAMES)
def test_different_names_have_different_texts(one: bytes, other: bytes) -> None:
    assert (to_text(one) == to_text(other)) is (one == other)


@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_no_two_of_many_random_names_collide(count: int) -> None:
    """Labels from few octets, dots and escapes among them, so that near misses abound."""
    rng = random.Random(9267)
    seen: dict[bytes | str, tuple[bytes, ...]] = {}
    for _ in range(count):
        parts = tuple(
            bytes(rng.choices(b"aA.\\0\n\0", k=rng.randint(1, 3))) for _ in range(rng.randint(0, 3))
        )
        key = tuple(part.lower() for part in parts)
        wire = from_labels(parts)
        assert seen.setdefault(wire, key) == key
        assert seen.setdefault(to_text(wire), key) == key


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (b"example.com", r"example\.com"),
        (b"a\0b", r"a\000b"),
        (b"a\nb", r"a\010b"),
        (b"a b", r"a\032b"),
        (b"\x1b[31m", r"\027[31m"),
        (b"<script>", "<script>"),
        (b"\xff\x80", r"\255\128"),
        (b'"$().;@\\', r"\"\$\(\)\.\;\@\\"),
    ],
)
def test_octets_that_could_be_mistaken_are_escaped(label: bytes, text: str) -> None:
    assert to_text(from_labels((label,))) == text


def test_one_label_with_a_dot_is_not_two_labels() -> None:
    assert from_text(r"example\.com") != from_text("example.com")
    assert names.count_labels(from_text(r"example\.com")) == 1


def test_control_a_text_without_escapes_cannot_distinguish_them() -> None:
    def naive(wire: bytes) -> bytes:
        return b".".join(names.labels(wire))

    assert naive(from_text(r"example\.com")) == naive(from_text("example.com"))


def test_lower_casing_leaves_length_octets_and_high_octets_alone() -> None:
    every = b"".join(bytes((size,)) + bytes(range(192, 192 + size)) for size in (1, 31, 32, 33))
    assert names.canonical(every + b"\0") == every + b"\0"
    assert names.canonical(b"\x3f" + b"Z" * 63 + b"\0") == b"\x3f" + b"z" * 63 + b"\0"


def test_a_label_of_length_63_is_not_lower_cased_into_another_length() -> None:
    wire = bytes((63,)) + b"A" * 63 + b"\0"
    assert names.labels(names.canonical(wire)) == (b"a" * 63,)


def test_labels_are_in_reading_order() -> None:
    assert names.labels(from_text("www.example.com")) == (b"www", b"example", b"com")
    assert names.labels(b"\0") == ()


def test_suffixes_are_the_name_and_its_ancestors_without_the_root() -> None:
    found = [to_text(suffix) for suffix in names.suffixes(from_text("a.b.c"))]
    assert found == ["a.b.c", "b.c", "c"]
    assert list(names.suffixes(b"\0")) == []


def test_the_parent_of_a_top_level_name_is_the_root_and_so_is_its_own() -> None:
    assert names.parent(from_text("a.b")) == from_text("b")
    assert names.parent(from_text("b")) == b"\0"
    assert names.parent(b"\0") == b"\0"


@given(NAMES)
def test_counting_labels_agrees_with_listing_them(wire: bytes) -> None:
    assert names.count_labels(wire) == len(names.labels(wire)) == len(list(names.suffixes(wire)))


@pytest.mark.parametrize(
    ("name", "ancestor", "beneath"),
    [
        ("example.com", "example.com", True),
        ("www.example.com", "example.com", True),
        ("www.example.com", ".", True),
        (".", ".", True),
        (".", "com", False),
        ("com", "example.com", False),
        ("notexample.com", "example.com", False),
        (r"x\007example.com", "example.com", False),
        (r"a\003com", "com", False),
    ],
)
def test_beneath_begins_at_a_label(name: str, ancestor: str, beneath: bool) -> None:
    assert is_at_or_beneath(from_text(name), from_text(ancestor)) is beneath


@given(NAMES, NAMES)
def test_beneath_means_that_the_ancestor_is_among_the_suffixes(name: bytes, other: bytes) -> None:
    expected = other in {*names.suffixes(name), b"\0"}
    assert is_at_or_beneath(name, other) is expected


def test_names_of_255_octets_are_made_and_of_256_are_not() -> None:
    parts = (b"a" * 63, b"a" * 63, b"a" * 63)
    assert len(from_labels((*parts, b"b" * 61))) == 255
    with pytest.raises(NameTextError):
        from_labels((*parts, b"b" * 62))


@pytest.mark.parametrize("parts", [(b"",), (b"a", b""), (b"a" * 64,)])
def test_labels_of_no_or_too_many_octets_are_refused(parts: tuple[bytes, ...]) -> None:
    with pytest.raises(NameTextError):
        from_labels(parts)
