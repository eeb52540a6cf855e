# SPDX-License-Identifier: Apache-2.0
from hypothesis import given
from hypothesis import strategies as st

from filterd.querylog.reversed_names import name_of, plain_text, reversed_text, subtree
from filterd.wire import name as names

labels = st.lists(st.binary(min_size=1, max_size=20).map(bytes.lower), max_size=6)


def wire(text: str) -> bytes:
    return names.from_text(text)


def test_labels_stand_from_the_right_and_the_root_is_a_dot() -> None:
    assert reversed_text(wire("www.tiktok.com")) == "com.tiktok.www"
    assert reversed_text(names.ROOT) == "."
    assert name_of(".") == names.ROOT


@given(labels)
def test_each_name_comes_back_from_its_text_of_visible_characters(parts: list[bytes]) -> None:
    name = names.from_labels(tuple(parts))
    text = reversed_text(name)
    assert name_of(text) == name
    assert plain_text(text) == names.to_text(name)
    assert text.isascii()
    assert text.isprintable()


@given(labels, labels)
def test_a_range_has_exactly_the_subtree(parts: list[bytes], others: list[bytes]) -> None:
    top, name = names.from_labels(tuple(parts)), names.from_labels(tuple(others))
    for one in (name, names.from_labels((*others, *parts))):
        found, text = subtree(top), reversed_text(one)
        is_in = text == found.top or found.low <= text < found.high
        assert is_in == names.is_at_or_beneath(one, top)


def test_neither_a_longer_label_nor_a_dot_within_one_is_beneath() -> None:
    _, low, high = subtree(wire("tiktok.com"))
    for text in (r"www.tiktok\.com", "x.tiktok-x.com", "tiktoks.com"):
        assert not low <= reversed_text(wire(text)) < high
