# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import product
from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.lists import lookalikes
from filterd.lists.lookalikes import (
    Lookalike,
    LookalikeRule,
    Lookalikes,
    Reach,
    class_form,
    forms,
    is_form,
    is_near_shape,
    is_of_school,
    is_ordinary,
    may_be_any,
    may_match,
    narrowed,
    needed,
    pattern_of,
    plain,
    runs_of,
    skeleton,
    wider,
)
from filterd.wire import name as names

PAIRS = [f"{one}{two}".encode() for one, two in product(ascii_lowercase, repeat=2)]


def test_a_label_has_one_widest_form() -> None:
    assert class_form(b"vn88") == class_form(b"@@88") == b"@@%%"


@pytest.mark.parametrize(
    "form", ["@@88@@", "@%bet%%", "bty%%@@", "%xbet%%%", "%%@@%%@@%", "@%%tyc"]
)
def test_several_short_runs_can_be_a_form(form: str) -> None:
    assert is_form(form.encode())
    assert needed(runs_of(form.encode()))


@pytest.mark.parametrize("form", ["@@88", "8x%%%%", "%@%%%%", "fun%%%%", "k8@@%%"])
def test_a_form_of_few_letters_is_read_from_an_older_publisher_and_never_made(form: str) -> None:
    assert is_form(form.encode())
    assert needed(runs_of(form.encode())) is None


@pytest.mark.parametrize(
    "form",
    [
        "@@@@88",  # a word and a number
        "sports%%",
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
    assert forms([pair + b"88vn" for pair in PAIRS[:20]])[b"@@88vn"] == 20
    assert forms([pair + b"88vn" for pair in PAIRS[:19]]) == {}


def test_a_longer_list_needs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookalikes, "PROPORTION", 15)
    assert forms([pair + b"88vn" for pair in PAIRS[:20]]) == {}


@pytest.mark.parametrize("label", [b"vg247", b"j3n2014", b"bet365", b"ab24", b"hao123"])
def test_ordinary_numbers_are_no_sign_of_a_trade(label: bytes) -> None:
    assert is_ordinary(label)
    assert not is_ordinary(label + b"8")


def test_the_widest_form_comes_first_and_a_narrower_one_knows_it() -> None:
    found = list(forms([b"8x%02dbet" % number for number in range(30, 80)]))
    assert found[:2] == [b"%@%%bet", b"%x%%bet"]
    assert set(wider(b"8x%%bet")) >= {b"%@%%bet", b"%x%%bet", b"8@%%bet"}


def test_a_label_is_narrowed_to_the_runs_that_a_form_keeps() -> None:
    assert narrowed(b"8x1234", pattern_of(b"8@%%%%")) == b"8@%%%%"
    assert narrowed(b"9x1234", pattern_of(b"8@%%%%")) == b"9@%%%%"


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


def test_only_an_encoded_label_decides_nothing_by_itself() -> None:
    assert may_be_any(b"xn--kubt-dpa")
    assert not may_be_any(b"kubet")


SUFFIXES = frozenset(map(names.from_text, ("com", "com.vn", "vip")))
RULES = Lookalikes(
    (
        LookalikeRule(b"i9bet#", 3, SUFFIXES),
        LookalikeRule(b"debet", 1, SUFFIXES),
        LookalikeRule(b"#olive#", 2, SUFFIXES),
    )
)


def _found(name: str) -> tuple[Lookalike, ...]:
    return RULES.find(names.from_text(name))


@pytest.mark.parametrize(
    ("name", "rule", "labels"),
    [
        ("i9bet7.com", 0, 2),
        ("i9bet777.com.vn", 0, 3),
        ("www.x.i9-bet42.vip", 0, 2),
        ("l9bet42.vip", 0, 2),
        ("xn--i9bt16-dva.com", 0, 2),
        ("debet.vip", 1, 2),
        ("880live1.com", 2, 2),
        ("i9bet12.ml", 0, 2),  # no mirror is known there yet
    ],
)
def test_a_name_of_the_family_is_found_with_the_name_that_was_registered(
    name: str, rule: int, labels: int
) -> None:
    assert _found(name) == (Lookalike(labels, rule),)


@pytest.mark.parametrize(
    "name",
    [
        "i9bet.com",  # no digit where there must be one
        "i9bet1234.com",
        "i9bet12.org.vn",  # no mirror is known there
        "i9bet12.example.com",  # somebody else's
        "myi9bet12.com",
        "i9betoo.com",  # letters that look like digits are none in a run
        "com",
        "xn--fiq228c.com",
    ],
)
def test_another_name_is_not(name: str) -> None:
    assert _found(name) == ()


FORMS = Lookalikes(
    (LookalikeRule(b"@@88bet", 1, SUFFIXES), LookalikeRule(b"8xbet%%%%", 1, SUFFIXES))
)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("vn88bet.com", (Lookalike(2, 0),)),
        ("m1.v-n88bet.ist", (Lookalike(2, 0),)),
        ("8xbet1298.top", (Lookalike(2, 1),)),
        ("8xbet2024.top", ()),  # a year
        ("vn89bet.com", ()),
        ("van88bet.com", ()),
        ("vn88bet.com.vn", ()),  # beneath suffixes of one label only
        ("vn88bet.example.com", ()),
        ("9xbet1298.top", ()),
    ],
)
def test_a_form_fits_labels_of_its_letters_and_digits(
    name: str, found: tuple[Lookalike, ...]
) -> None:
    assert FORMS.find(names.from_text(name)) == found
    labels = name.split(".")
    label = plain(labels[-2].encode())
    assert any(rule.fits(label or b"") for rule in FORMS.rules) or not found


NAMED = (
    "usd259.net",
    "usd232.org",
    "usd489.com",
    "students.usd497.org",
    "1a-1791.com",
    "fun1043.com",
)
"""School districts and others that an earlier release closed as gambling."""
EARLIER = tuple(
    LookalikeRule(shape, 6, SUFFIXES)
    for shape in (b"usd#", b"fun%%%%", b"%@%%%%", b"@@@%%%%", b"#usd", b"usd", b"x0s0#")
)


@pytest.mark.parametrize("name", NAMED)
def test_three_letters_and_a_number_are_closed_by_no_rule_of_an_earlier_release(name: str) -> None:
    assert Lookalikes(EARLIER).find(names.from_text(name)) == ()


@pytest.mark.control
@pytest.mark.parametrize("name", NAMED)
def test_control_without_the_bound_a_rule_closes_them(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookalikes, "LEAST_LETTERS", 0)
    assert Lookalikes(EARLIER).find(names.from_text(name))


@given(
    st.lists(st.sampled_from("usdvn#@%0189-"), min_size=1, max_size=8).map("".join),
    st.lists(st.sampled_from("usdoil0189-"), min_size=1, max_size=10).map("".join),
)
def test_no_rule_closes_a_label_of_three_letters_or_fewer(shape: str, label: str) -> None:
    """Whatever its shape: a feed or an index of an earlier release may have any."""
    rules = Lookalikes((LookalikeRule(shape.encode(), 6, SUFFIXES),))
    name = names.from_text(f"{label}.com")
    assert sum(one.isalpha() for one in label) > 3 or rules.find(name) == ()


@pytest.mark.parametrize("shape", ["%0u", "0%bet", "@a88", "a@%%0"])
def test_a_form_that_no_label_can_have_ends_no_lookup(shape: str) -> None:
    rules = Lookalikes((LookalikeRule(shape.encode(), 6, SUFFIXES),))
    for label in ("00u", "00bet", "aa88", "aa880", "ab000"):
        assert rules.find(names.from_text(f"{label}.com")) == ()


@given(st.lists(st.text("abvn8x-01", min_size=1, max_size=8), min_size=1, max_size=3))
def test_whatever_has_a_form_may_match(labels: list[str]) -> None:
    name = names.from_text(".".join((*labels, "com")))
    assert not FORMS.find(name) or may_match(FORMS.skeletons, name)
    assert not may_match(FORMS.skeletons, names.from_text("vn88bet.example.com"))


def test_without_rules_nothing_is_looked_at() -> None:
    assert not Lookalikes()
    assert not may_match(Lookalikes().skeletons, names.from_text("xn--i9bt16-dva.com"))


def test_an_odd_octet_fits_nothing() -> None:
    assert RULES.find(b"\x06i9be\x00\x37\x03com\x00") == ()


@given(st.lists(st.text("i9bet01olv-8x", min_size=1, max_size=12), min_size=1, max_size=3))
def test_whatever_fits_may_match(labels: list[str]) -> None:
    name = names.from_text(".".join((*labels, "com")))
    if RULES.find(name):
        assert may_match(RULES.skeletons, name)


def test_a_shape_of_many_runs_is_decided_in_one_pass() -> None:
    rule = LookalikeRule(b"#o" * 15 + b"#ab", 6, SUFFIXES)
    assert not rule.fits(b"0" * 63)
    assert rule.fits(b"0" * 45 + b"ab")


def test_a_rule_is_written_as_people_are_shown_it() -> None:
    assert RULES.rules[0].written == "~i9bet#"


REACH = Reach(frozenset(map(names.from_text, ("com", "org"))), frozenset((b"usd",)))
NEAR = Lookalikes(
    (
        LookalikeRule(b"@@@88", 1, SUFFIXES, reach=REACH),
        LookalikeRule(b"8xy", 1, SUFFIXES, reach=REACH),
        LookalikeRule(b"#win", 3, SUFFIXES, reach=REACH),
    )
)


@pytest.mark.parametrize("name", ["sin88.vip", "www.sin88.vip", "s-in88.mn", "8xy.vip", "78win.ru"])
def test_a_rule_with_a_reach_closes_few_letters_where_it_holds(name: str) -> None:
    assert len(NEAR.find(names.from_text(name))) == 1
    assert may_match(NEAR.skeletons, names.from_text(name))


@pytest.mark.parametrize(
    "name",
    [
        "sin88.com",
        "8xy.org",
        "78win.com",
        "usd88.vip",
        "sin88.com.vn",
        "sin88.example.vip",
        "4567win.vip",
    ],
)
def test_it_closes_nothing_elsewhere_and_no_letters_of_schools(name: str) -> None:
    assert NEAR.find(names.from_text(name)) == ()


@pytest.mark.parametrize(
    "label", ["k12online", "online2k12", "88university", "thptbet88", "highschool88", "ecole404"]
)
def test_a_label_with_a_word_of_schools_is_closed_by_no_rule(label: str) -> None:
    assert is_of_school(label.encode())
    rules = Lookalikes((LookalikeRule(label.encode(), 1, SUFFIXES),))
    assert rules.find(names.from_text(f"{label}.com")) == ()


def test_control_a_label_without_such_a_word_is_closed() -> None:
    rules = Lookalikes((LookalikeRule(b"k13online", 1, SUFFIXES),))
    assert rules.find(names.from_text("k13online.com"))


def test_letters_alone_are_not_taken_for_each_other() -> None:
    """``twinkl.co.uk`` has lessons; ``twinki.com`` and its mirrors are pornography."""
    assert not LookalikeRule(b"twinki", 1, SUFFIXES).fits(b"twinkl")
    assert LookalikeRule(b"twinki", 1, SUFFIXES).fits(b"tw1nki")
    assert LookalikeRule(b"i9bet#", 1, SUFFIXES).fits(b"l9bet7")


@pytest.mark.parametrize("shape", ["@@88", "@@@@@@88", "sin88", "8x", "#win", "x8", "debet"])
def test_a_shape_with_a_reach_keeps_something(shape: str) -> None:
    assert is_near_shape(shape)


@pytest.mark.parametrize(
    "shape", ["", "#", "@@8", "@@%%", "@@@@", "sin-88", "Sin88", "a##b", "x" * 41]
)
def test_another_shape_has_no_reach(shape: str) -> None:
    assert not is_near_shape(shape)
