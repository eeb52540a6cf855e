# SPDX-License-Identifier: Apache-2.0
"""The frozen list of popular names: read from what ships, each name once, with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.errors import ConfigErrors
from filterd.lists.hostname import key_from_text, name_from_key
from filterd.lists.popular_names import PopularName, load_popular_names

if TYPE_CHECKING:
    from pathlib import Path


def wire(text: str) -> bytes:
    return name_from_key(key_from_text(text))


def a_file(folder: Path, text: str) -> Path:
    path = folder / "popular.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_names_keep_the_categories_that_mean_them(tmp_path: Path) -> None:
    path = a_file(
        tmp_path,
        "popular:\n  - names: [b.example, A.example]\n"
        "  - except_categories: [social-media]\n    names: [vk.example]\n",
    )
    assert load_popular_names(path) == (
        PopularName(wire("b.example")),
        PopularName(wire("a.example")),
        PopularName(wire("vk.example"), frozenset({"social-media"})),
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("popular: []", "popular.yaml:1:"),
        ("popular: [{names: []}]", "popular.yaml:1:"),
        ("popular: [{names: [a..example]}]", "popular.yaml:1:20"),
        ("popular:\n- names: [a.example]\n- names: [b.example, A.example]", ":3:22: this name"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ConfigErrors, match=reason):
        load_popular_names(a_file(tmp_path, text))


def test_what_ships_is_large_and_has_the_promised_names() -> None:
    names = {one.name: one.except_categories for one in load_popular_names()}
    assert 800 <= len(names) <= 2_000
    assert names[wire("vk.com")] == {"social-media"}
    assert names[wire("taboola.com")] == {"ads-trackers"}
    assert names[wire("tiktok.com")] == {"social-media"}
    for name in (
        "unex.es",
        "accounts.google.com",
        "drive.google.com",
        "forcesafesearch.google.com",
        "login.microsoftonline.com",
        "vnexpress.net",
        "momo.vn",
        "moet.gov.vn",
    ):
        assert names[wire(name)] == frozenset(), name
