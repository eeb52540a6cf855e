# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.feed.families import lookalike_families
from filterd.feed.families.lookalike_families import (
    Harmless,
    Registered,
    distinct,
    families,
    members_of,
    name_of,
    plainly_take_members,
    registered,
    shape_of,
    shared_octets,
    suffixes_as_registered,
)
from filterd.lists.lookalikes import LookalikeRule
from tests.bench.lookalike_figures import text

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("www.i9bet16.com", Registered("i9bet16.com", b"i9bet16", "com")),
        ("a.b-et.com.vn", Registered("b-et.com.vn", b"bet", "com.vn")),
        ("x.page.blogspot.com", Registered("page.blogspot.com", b"page", "blogspot.com")),
        ("com.vn", None),
        ("10.0.0.1", None),
        ("中国.com", None),
    ],
)
def test_the_registrable_label_is_found_beneath_the_public_suffix(
    name: str, expected: Registered | None
) -> None:
    assert registered(name) == expected


def test_each_registered_name_is_there_once() -> None:
    assert [one.name for one in distinct(("b.com", "www.a.com", "a.com", "com"))] == [
        "a.com",
        "b.com",
    ]


def test_a_suffix_counts_as_a_name_beneath_the_one_above() -> None:
    assert Registered("biz.az", b"biz", "az") in suffixes_as_registered()


def test_members_are_sorted_by_shape_and_each_is_there_once() -> None:
    members = members_of([b"=www.k8-tip01.net\nk8tip2.com\n", b"a.k8tip2.com\nbernd.com\ncom.vn"])
    assert [(shape_of(member), name_of(member)) for member in members] == [
        (b"bemd", b"bernd.com"),
        (b"k#tip#", b"k8-tip01.net"),
        (b"k#tip#", b"k8tip2.com"),
    ]


def test_names_in_other_forms_are_members_too() -> None:
    assert members_of(["Bet7.com\nxn--bt-hja.com\nb\u00ebt.net\n1.2.3.4\n".encode()]) == [
        b"bet\0xn--bt-hja.com",
        b"bet\0xn--bt-hja.net",
        b"bet#\0bet7.com",
    ]


@pytest.mark.parametrize("take", [lookalike_families._take_members, plainly_take_members])
def test_a_line_that_is_no_name_has_no_member(
    take: Callable[..., list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookalike_families, "_take_members", take)
    assert members_of([b"==bet7.com\nbet8.com bet9.com\n=\n\n=bet6.com"]) == [b"bet#\0bet6.com"]


def test_a_family_is_what_differs_in_digits_or_suffix() -> None:
    names = (
        "k8tip01.com",
        "www.k8tip02.net",
        "k8tip01.com",
        "k8tip100.vip",
        "debet.vip",
        "debet.com",
    )
    large, small = families(members_of([text((*names, "alone7.com"))]))
    assert (large.shape, large.digits, large.members) == (b"k8tip#", 4, 3)
    assert (small.shape, small.members, shared_octets(small.shape)) == (b"debet", 2, 5)


def test_digits_that_all_members_share_are_kept() -> None:
    (family,) = families(members_of([text(("hi88.com", "hi88.net", "hi-88.vip"))]))
    assert family.shape == b"hi88"


def test_names_that_a_rule_would_close_are_found_under_any_suffix() -> None:
    known = Harmless(distinct(("i9bet5.com", "www.i9bet6.vn", "i9bet.com")))
    rule = LookalikeRule(b"i9bet#", 1, frozenset())
    assert known.fitting(rule, ("vn",)) == ("i9bet6.vn", "i9bet5.com")
    assert known.fitting(rule._replace(shape=b"k9bet#"), ()) == ()
