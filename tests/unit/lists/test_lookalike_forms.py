# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from itertools import product
from string import ascii_lowercase

import pytest

from filterd.lists import lookalike_forms
from filterd.lists.lookalike_forms import (
    class_form,
    forms,
    is_form,
    is_ordinary,
    narrowed,
    pattern_of,
    wider,
)

PAIRS = [f"{one}{two}".encode() for one, two in product(ascii_lowercase, repeat=2)]


def test_a_label_has_one_widest_form() -> None:
    assert class_form(b"vn88") == class_form(b"@@88") == b"@@%%"


@pytest.mark.parametrize(
    "form", ["@@88", "@@@789", "8x%%%%", "%@%%%%", "%%%%%@", "@%%%%%", "bet%%%%", "@@88@@"]
)
def test_several_short_runs_and_long_numbers_can_be_a_form(form: str) -> None:
    assert is_form(form.encode())


@pytest.mark.parametrize(
    "form",
    [
        "@@@@88",  # a word and a number
        "@@%%%",
        "sports%%",
        "88@@",
        "@@8",
        "@%@%",  # too short
        "ab@%%%%%",  # a run varies as a whole
        "vn88",
        "@@@@",
        "",
        "@@88#",
    ],
)
def test_what_anybody_may_be_named_is_no_form(form: str) -> None:
    assert not is_form(form.encode())


def test_a_form_is_found_where_enough_labels_have_it() -> None:
    assert forms([pair + b"88" for pair in PAIRS[:60]]) == {b"@@88": 60}
    assert forms([pair + b"88" for pair in PAIRS[:59]]) == {}


def test_a_longer_list_needs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookalike_forms, "PROPORTION", 50)
    assert forms([pair + b"88" for pair in PAIRS[:60]]) == {}


@pytest.mark.parametrize("label", [b"vg247", b"j3n2014", b"bet365", b"ab24", b"hao123"])
def test_ordinary_numbers_are_no_sign_of_a_trade(label: bytes) -> None:
    assert is_ordinary(label)
    assert not is_ordinary(label + b"8")


def test_the_widest_form_comes_first_and_a_narrower_one_knows_it() -> None:
    found = list(forms([b"8x%04d" % number for number in range(3_000, 3_100)]))
    assert found[:2] == [b"%@%%%%", b"%x%%%%"]
    assert set(wider(b"8x%%%%")) == {b"%@%%%%", b"%x%%%%", b"8@%%%%"}


def test_a_label_is_narrowed_to_the_runs_that_a_form_keeps() -> None:
    assert narrowed(b"8x1234", pattern_of(b"8@%%%%")) == b"8@%%%%"
    assert narrowed(b"9x1234", pattern_of(b"8@%%%%")) == b"9@%%%%"
