# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.lists.homoglyphs import may_be_any, plain, skeleton

LABELS = st.text("abcilorvwn0189-_", min_size=1, max_size=20).map(str.encode)


@pytest.mark.parametrize(
    ("text", "taken_for"),
    [
        ("i9bet16", b"i9bet16"),
        ("i9-bet_16", b"i9bet16"),
        ("kubét", b"kubet"),
        ("\u0111ebet", b"debet"),  # the Vietnamese letter, which no decomposition leads to d
        ("sh\u043epee", b"shopee"),  # a Cyrillic letter
        ("vietcornbank", b"vietcombank"),
        ("vvin88", b"win88"),
    ],
)
def test_a_label_is_taken_for_what_it_looks_like(text: str, taken_for: bytes) -> None:
    label = text.encode() if text.isascii() else text.encode("idna")
    assert plain(label) == taken_for


@pytest.mark.parametrize("label", [b"xn--fiq228c", b"xn--!", b"-", b"a b", b"xn--\xff"])
def test_what_looks_like_no_latin_letters_is_taken_for_nothing(label: bytes) -> None:
    assert plain(label) is None


@pytest.mark.parametrize("alike", [b"i9bet16", b"l9bet777", b"19-bet1o", b"i#bet#"])
def test_labels_that_could_be_taken_for_each_other_have_one_skeleton(alike: bytes) -> None:
    assert skeleton(alike) == b"#bet#"


@given(LABELS)
def test_a_plain_form_has_the_skeleton_of_its_label(label: bytes) -> None:
    taken_for = plain(label)
    assert taken_for is None or skeleton(taken_for) == skeleton(label)


def test_only_an_encoded_label_says_nothing_by_itself() -> None:
    assert may_be_any(b"xn--kubt-dpa")
    assert not may_be_any(b"kubet")
