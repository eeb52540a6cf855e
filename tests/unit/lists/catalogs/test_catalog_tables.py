# SPDX-License-Identifier: Apache-2.0
"""The frozen list of popular names: read from what ships, each name once, with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigError, ConfigErrors
from filterd.lists.catalogs.catalog_tables import (
    WATCHED,
    PopularName,
    contacts_or_none,
    load_contacts,
    load_popular_names,
    locked_canaries,
    read_canaries,
)
from filterd.lists.hostname import key_from_text, name_from_key
from tests.support.feed_folders import write_blocklists

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
def test_what_is_wrong_is_reported_with_its_place(tmp_path: Path, text: str, reason: str) -> None:
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


GOOD = """\
contacts:
  - about: {vi: Danh sách chặn nhầm, en: False positives}
    name: Sở Giáo dục và Đào tạo
    phone: "0236 000 0000"
    web: https://feed.example/
"""


def _folder(tmp_path: Path, text: str) -> Path:
    (tmp_path / "contacts.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_contact_is_a_name_and_the_ways_to_reach_it(tmp_path: Path) -> None:
    [contact] = load_contacts(_folder(tmp_path, GOOD))
    assert (contact.name, contact.about.en) == ("Sở Giáo dục và Đào tạo", "False positives")
    assert contact.ways == "0236 000 0000, https://feed.example/"


def test_a_folder_without_the_file_has_none(tmp_path: Path) -> None:
    assert load_contacts(tmp_path) == contacts_or_none(tmp_path) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            GOOD.replace('    phone: "0236 000 0000"\n    web: https://feed.example/\n', ""),
            "no address is known",
        ),
        (GOOD.replace("name: Sở", 'name: "\\e[2J" #'), "contacts.yaml:3:"),
        (GOOD + "    fax: 1\n", "unknown key 'fax'"),
        ("contacts: 7\n", "contacts.yaml:1:"),
    ],
)
def test_what_is_wrong_is_shown_to_publishers_and_hidden_from_a_school(
    text: str, words: str, tmp_path: Path
) -> None:
    folder = _folder(tmp_path, text)
    with pytest.raises(ConfigError, match=words):
        load_contacts(folder)
    assert contacts_or_none(folder) == ()


def test_canaries_are_read_by_category(tmp_path: Path) -> None:
    (tmp_path / "canaries.yaml").write_text(
        "canaries:\n"
        "  - {category: porn, names: [a.example, b.example]}\n"
        "  - {category: games, names: [c.example]}\n"
        "  - {category: porn, names: [d.example]}\n"
    )
    assert read_canaries(tmp_path) == {
        "porn": (wire("a.example"), wire("b.example"), wire("d.example")),
        "games": (wire("c.example"),),
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "canaries: 5\n",
        "canaries: [{category: porn, names: []}]\n",
        "canaries: [{category: porn, names: [porn]}]\n",
        "canaries: [{category: porn, names: [a.example], more: 1}]\n",
        "canaries: []\nversion: 2\n",
    ],
)
def test_canaries_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "canaries.yaml").write_text(text)
    with pytest.raises(ConfigErrors):
        read_canaries(tmp_path)


def test_a_version_without_canaries_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        read_canaries(tmp_path)


def test_watched_canaries_are_of_categories_that_are_closed_to_everybody(tmp_path: Path) -> None:
    folder = write_blocklists(tmp_path / "lists")
    (folder / "canaries.yaml").write_text(
        "canaries:\n"
        "- {category: gambling, names: [bet.example, other.example]}\n"
        "- {category: games, names: [game.example]}\n"
    )
    assert locked_canaries(folder) == ("bet.example",)
    assert WATCHED >= 1


@pytest.mark.parametrize(
    "text", ["", "[", "canaries: 5\n", "canaries: [{category: gambling, names: []}]\n"]
)
def test_canaries_that_cannot_be_read_are_not_watched(tmp_path: Path, text: str) -> None:
    folder = write_blocklists(tmp_path / "lists")
    assert locked_canaries(folder) == ()
    (folder / "canaries.yaml").write_text(text)
    assert locked_canaries(folder) == ()
