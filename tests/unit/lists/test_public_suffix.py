# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import publicsuffixlist
import pytest

from filterd.lists.hostname import HostnameError, key_from_text
from filterd.lists.public_suffix import (
    has_strangers_beneath,
    is_company_suffix,
    is_public_suffix,
    public_suffix_test,
    registrable,
    suffix_rules,
)
from filterd.wire import name as names
from tests.support.indexes import wire
from tests.support.needs import command
from tests.support.shared_data import shared

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize(
    ("name", "public"),
    [
        ("com.vn", True),
        ("edu.vn", True),
        ("blogspot.com", True),
        ("example.com", False),
        ("kawasaki.jp", True),
        ("any.kawasaki.jp", True),
        ("city.kawasaki.jp", False),
        ("www.any.kawasaki.jp", False),
        ("xn--55qx5d.cn", True),
        ("github.io", True),
    ],
)
def test_public_suffixes_are_distinguished_from_names(name: str, public: bool) -> None:
    assert is_public_suffix(key_from_text(name)) is public


@pytest.mark.parametrize(
    ("name", "has", "of_registries"),
    [
        (".", False, False),
        ("vn", True, True),
        ("intranet", False, False),
        ("edu.vn", True, True),
        ("any.kawasaki.jp", True, True),
        ("github.io", True, False),
        ("vnu.edu.vn", False, False),
        ("_dmarc.vn", False, False),
    ],
)
def test_strangers_register_beneath_suffixes(name: str, has: bool, of_registries: bool) -> None:
    wire = names.from_text(name)
    assert has_strangers_beneath(wire) is has
    assert has_strangers_beneath(wire, companies=False) is of_registries


@pytest.mark.parametrize(
    ("name", "of_a_company"),
    [("github.io", True), ("blogspot.com", True), ("com.vn", False), ("www.github.io", False)],
)
def test_suffixes_of_companies_are_distinguished_from_those_of_registries(
    name: str, of_a_company: bool
) -> None:
    assert is_company_suffix(key_from_text(name)) is of_a_company


def test_some_names_are_distinguished_from_suffixes_as_many_are() -> None:
    keys = {key for kind in suffix_rules() for key in kind}
    keys |= {key + b"www\0" for key in keys} | {key[: key.rfind(b"\0", 0, -1) + 1] for key in keys}
    test = public_suffix_test()
    assert [key for key in keys if is_public_suffix(key) is not test(key)] == []


def test_every_single_label_is_public() -> None:
    assert is_public_suffix(b"com\0")
    assert is_public_suffix(b"no-such-tld\0")


def rules(text: str) -> Iterator[str]:
    for line in text.splitlines():
        rule = line.split(" ")[0].strip()
        if rule and not rule.startswith("//"):
            yield rule.removeprefix("!").removeprefix("*.")


def disagreements(text: str) -> list[str]:
    """Names made from the rules of a list on which we and the package differ."""
    package = publicsuffixlist.PublicSuffixList()
    found = []
    for rule in rules(text):
        for name in (rule, f"a.{rule}", f"b.a.{rule}"):
            try:
                key = key_from_text(name)
            except HostnameError:
                continue
            ascii_name = ".".join(reversed(key[:-1].decode().split("\0")))
            if is_public_suffix(key) is not package.is_public(ascii_name):
                found.append(name)
    return found


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("www.shop.com.vn", "shop.com.vn"),
        ("shop.com.vn", "shop.com.vn"),
        ("com.vn", "com.vn"),
        ("a.b.blogspot.com", "b.blogspot.com"),
        ("www.google.com", "google.com"),
        ("vn", "vn"),
    ],
)
def test_the_registrable_domain(name: str, part: str) -> None:
    assert registrable(wire(name)) == wire(part)


def test_package_agrees_over_its_own_list() -> None:
    text = Path(publicsuffixlist.PSLFILE).read_text(encoding="utf-8")
    assert disagreements(text) == ["translate.goog"], "which a list may have"


def test_package_agrees_over_another_edition_of_the_list() -> None:
    packed = shared("vectors/psl/public_suffix_list.dat.zst")
    words = [command("zstd"), "-dc", str(packed)]
    text = subprocess.run(words, capture_output=True, check=True).stdout.decode()
    assert disagreements(text) == ["translate.goog"], "which a list may have"
