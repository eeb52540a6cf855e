# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.publish.families import Registered, distinct, families, registered


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
def test_what_somebody_registered_is_found_beneath_the_public_suffix(
    name: str, expected: Registered | None
) -> None:
    assert registered(name) == expected


def test_a_family_is_what_differs_in_digits_or_suffix() -> None:
    names = (
        "k8tip01.com",
        "www.k8tip02.net",
        "k8tip01.com",
        "k8tip100.vip",
        "debet.vip",
        "debet.com",
    )
    large, small = families(distinct((*names, "alone7.com")))
    assert (large.shape, large.digits, large.members) == (b"k8tip#", 4, 3)
    assert (small.shape, small.members, small.letters) == (b"debet", 2, 5)


def test_digits_that_all_members_share_are_kept() -> None:
    (family,) = families(distinct(("hi88.com", "hi88.net", "hi-88.vip")))
    assert family.shape == b"hi88"
