# SPDX-License-Identifier: Apache-2.0
"""What says little holds only where no school stands."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from filterd.feed.families.lookalike_families import MOST_LEFT_OUT, distinct
from filterd.feed.families.lookalike_reach import (
    NEEDED_OF_FAMILY,
    NEEDED_OF_FORM,
    NEEDED_WIDE,
    shapes_of_schools,
)
from filterd.feed.families.lookalike_rules import make_rules
from filterd.lists.lookalikes import LookalikeRule, Lookalikes
from filterd.wire import name as wire_names
from tests.bench.lookalike_figures import text

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHOOLS = ["usd259.net", "usd489.com", "gym1505.ru", "lyceum.fr", "unina.it", "www.uni.ac.uk"]
FAR = ("vip", "sx", "club", "win", "top", "fun", "bet", "live")
"""Where none of them stands."""


def _closed(listed: Iterable[str], *asked: str, harmless: Iterable[str] = ()) -> list[str]:
    """Return which of these names are closed by the rules that listed names make."""
    made = make_rules({"gambling": [text(listed)]}, harmless, schools=SCHOOLS)
    rules = Lookalikes(made.rules["gambling"])
    return [one for one in asked if rules.find(wire_names.from_text(one))]


def _mirrors(label: str, count: int) -> list[str]:
    return [f"{label}.{domain}" for domain in FAR[:count]]


def _dense(count: int) -> list[str]:
    """Return names that make ``com`` a domain of gambling for the most part."""
    return [f"nhacai{number}x{number * 7}.com" for number in range(count)]


def test_a_label_of_two_listed_names_holds_where_no_school_stands() -> None:
    asked = ("sin88.mn", "www.sin88.pw", "sin88.com", "sin88.ru", "sin88.it", "sin88.co.uk")
    assert _closed(_mirrors("sin88", 2), *asked) == ["sin88.mn", "www.sin88.pw"]


def test_a_label_of_one_listed_name_holds_nowhere() -> None:
    assert _closed(_mirrors("sin88", 1), "sin88.mn") == []


def test_a_label_of_three_also_holds_where_listed_names_outnumber_schools() -> None:
    asked = ("sin88.com", "sin88.org", "sin88.ru")
    assert _closed([*_mirrors("sin88", 3), *_dense(60_000)], *asked) == ["sin88.com"]
    assert _closed(_mirrors("sin88", 3), *asked) == [], "few names do not make com theirs"


def test_a_label_that_one_hand_registers_everywhere_holds_where_schools_are_not_at_home() -> None:
    asked = ("sin88.ru", "sin88.it", "sin88.org", "sin88.edu", "sin88.vn", "sin88.com.vn")
    assert _closed(_mirrors("sin88", NEEDED_WIDE), *asked) == ["sin88.ru", "sin88.it"]


@pytest.mark.parametrize("count", [2, 3, NEEDED_WIDE])
def test_letters_that_a_school_has_beside_a_number_are_never_closed(count: int) -> None:
    asked = ("usd88.mn", "usd88.com", "usd88.ru")
    assert _closed(_mirrors("usd88", count), *asked) == []


def test_a_label_of_few_letters_alone_says_nothing() -> None:
    assert _closed(_mirrors("sun", NEEDED_WIDE), "sun.mn", "sun.com") == []
    assert _closed(_mirrors("xibet", 2), "xibet.mn", "xibet.com") == ["xibet.mn"]


def test_a_family_of_short_names_holds_where_it_is_large() -> None:
    listed = [f"{number}win.{FAR[number % 8]}" for number in range(11, 11 + NEEDED_OF_FAMILY)]
    assert _closed(listed, "78win.mobi", "78win.com", "78win.org") == ["78win.mobi"]
    assert _closed(listed[1:], "78win.mobi") == []


FORM = [
    f"{first}{second}q88.{FAR[place % 8]}"
    for place, (first, second) in enumerate(product("abcd", "klmno"))
]


def test_letters_before_a_number_of_the_trade_hold_where_no_school_stands() -> None:
    assert len(FORM) == NEEDED_OF_FORM
    asked = ("tot88.mobi", "usd88.mobi", "tot88.com", "tot88.org", "tot89.mobi", "tots88.mobi")
    assert _closed(FORM, *asked) == ["tot88.mobi"]
    assert _closed(FORM[1:], *asked) == []


def test_a_form_leaves_out_the_domain_of_a_name_that_must_stay_open() -> None:
    asked = ("tot88.mobi", "tot88.xyz")
    assert _closed(FORM, *asked, harmless=["moy88.xyz"]) == ["tot88.mobi"]
    many = [f"moy88.{domain}" for domain in ("xyz", "cc", "io")]
    assert len(many) > MOST_LEFT_OUT
    assert _closed(FORM, *asked, harmless=many) == []


def test_a_label_that_must_stay_open_makes_no_rule() -> None:
    assert _closed(_mirrors("sin88", 2), "sin88.mn", harmless=["sin88.io"]) == []


def test_no_rule_closes_a_suffix_beneath_which_anybody_registers() -> None:
    assert _closed(_mirrors("info", 5), "info.az", "www.info.az") == []


def test_what_schools_have_is_learned_from_their_registered_names() -> None:
    schools = shapes_of_schools(distinct(SCHOOLS))
    assert schools.letters == {b"usd", b"gym"}
    assert schools.domains == {"net": 1, "com": 1, "ru": 1, "fr": 1, "it": 1}
    assert schools.known == len(SCHOOLS)


@pytest.mark.control
def test_control_without_a_reach_schools_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LookalikeRule, "reaches", lambda *_: True)
    asked = ("usd88.com", "tot88.org")
    assert _closed(FORM, *asked, harmless=()) == list(asked)
