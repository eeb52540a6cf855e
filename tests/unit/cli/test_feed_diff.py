# SPDX-License-Identifier: Apache-2.0
"""Two versions are compared, by folders or by numbers, grade by grade."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.feed_desk import GAMBLING, files_of, names_of, widest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.feed_desk import Desk

NEW = "bet-another.example"


@pytest.fixture
def changed(desk: Desk) -> Desk:
    """A desk with another version beside the one that is published: ``old`` beside ``version``."""
    shutil.copytree(desk.version, desk.folder / "old")
    desk.give(GAMBLING, *names_of("bet", first=1), NEW)
    assert desk.build().code == 0
    return desk


def _compare(desk: Desk, *words: str | Path, lang: str = "en") -> list[str]:
    done = desk.call("diff", desk.folder / "old", desk.version, *words, lang=lang)
    assert (done.code, done.err) == (1, "")
    assert widest(done) <= 80
    return done.out.splitlines()


def test_what_is_the_same_differs_in_nothing(desk: Desk) -> None:
    done = desk.call("diff", desk.version, desk.version)
    assert (done.code, done.out) == (0, "No difference.\n")
    done = desk.call("diff", desk.version, desk.version, "--json")
    assert json.loads(done.out) == {"categories": [], "popular": [], "tables": {}}


@pytest.mark.parametrize(
    ("lang", "title", "whom"),
    [
        ("en", "Changes by category", "everybody"),
        ("vi", "Thay đổi theo nhóm", "mọi người"),
    ],
)
def test_a_category_is_told_with_whom_it_is_closed_to(
    changed: Desk, lang: str, title: str, whom: str
) -> None:
    lines = _compare(changed, lang=lang)
    assert lines[0].strip() == title
    (row,) = (one for one in lines if one.startswith(" gambling"))
    assert row.split()[-4:] == ["42", "42", "1", "1"]
    assert whom in row


def test_names_are_told_where_they_are_wanted(changed: Desk) -> None:
    (gone,) = names_of("bet", beyond=1)
    assert f"+ gambling {NEW}" not in _compare(changed)
    lines = _compare(changed, "--names")
    assert f"+ gambling {NEW}" in lines
    assert f"- gambling {gone}" in lines


def test_how_many_names_are_not_shown_is_told(changed: Desk) -> None:
    changed.give(GAMBLING, *names_of("bet", first=1), *names_of("new", beyond=25))
    assert changed.build("--accept").code == 0
    lines = _compare(changed, "--names")
    assert "+ gambling ... and 5 more" in lines


def test_popular_names_that_open_or_close_are_told_by_rank(changed: Desk, tmp_path: Path) -> None:
    (gone,) = names_of("bet", beyond=1)
    (tmp_path / "popular.txt").write_text(f"search.example\n{gone}\n{NEW}\n")
    lines = _compare(changed, "--popular", tmp_path / "popular.txt")
    after = lines[lines.index("Popular names that change") :]
    assert [one.split()[:2] for one in after if one.startswith(" bet-")] == [
        [gone, "2"],
        [NEW, "3"],
    ]


def test_a_table_is_told_entry_by_entry(changed: Desk) -> None:
    path = changed.version / "pins.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "  - {name: help.example, reason: help}\n", encoding="utf-8")
    lines = _compare(changed)
    at = lines.index("pins.yaml")
    assert lines[at + 1].split() == ["+", "help.example"]


def test_versions_of_a_publication_are_compared_by_their_numbers(changed: Desk) -> None:
    changed.publish()
    done = changed.call("diff", "2", "3", "--repo", changed.public, "--json")
    (category,) = json.loads(done.out)["categories"]
    assert (done.code, category["id"], category["added_names"]) == (1, "gambling", [NEW])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("1", "2", "--repo", "{public}"), "version '1' is not here (known: 2)"),
        (("2", "9", "--repo", "{public}"), "version '9' is not here (known: 2)"),
        (("new", "2", "--repo", "{public}"), "version 'new' is not here (known: 2)"),
        (("{version}", "nowhere"), "nowhere/categories.yaml: cannot be read: No such file"),
        (("1", "2", "--repo", "nowhere"), "nowhere/metadata/timestamp.json: cannot be read"),
        (("{version}", "{version}", "--popular", "nowhere"), "nowhere: cannot be read"),
        (("{version}",), "V2"),
    ],
)
def test_what_cannot_be_compared_is_told_in_one_line(
    desk: Desk, words: tuple[str, ...], why: str
) -> None:
    before = files_of(desk.folder)
    done = desk.call(
        "diff", *(one.format(public=desk.public, version=desk.version) for one in words)
    )
    assert (done.code, len(done.error_lines), done.out) == (2, 1, ""), done
    assert why in done.err
    assert files_of(desk.folder) == before
