# SPDX-License-Identifier: Apache-2.0
"""Whom a school calls about its lists: told where it can be read, and never in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.errors import ConfigError
from filterd.lists.contacts import contacts_or_none, load_contacts

if TYPE_CHECKING:
    from pathlib import Path

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
        (GOOD.replace('    phone: "0236 000 0000"\n    web: https://feed.example/\n', ""), "reach"),
        (GOOD.replace("name: Sở", 'name: "\\e[2J" #'), "contacts.yaml:3:"),
        (GOOD + "    fax: 1\n", "unknown key 'fax'"),
        ("contacts: 7\n", "contacts.yaml:1:"),
    ],
)
def test_what_is_wrong_is_told_to_who_publishes_and_hidden_from_a_school(
    text: str, words: str, tmp_path: Path
) -> None:
    folder = _folder(tmp_path, text)
    with pytest.raises(ConfigError, match=words):
        load_contacts(folder)
    assert contacts_or_none(folder) == ()
