# SPDX-License-Identifier: Apache-2.0
"""The catalogue loader, on small folders that each test makes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigError, ConfigErrors
from filterd.base.paths import shipped
from filterd.lists.catalogs.catalog import Catalog, ListsBeside, lists_beside, load_catalog
from filterd.lists.index_files import Blocklists
from filterd.lists.rules import ListSource
from tests.support.feed_folders import write_blocklists
from tests.support.yaml_files import change_yaml

if TYPE_CHECKING:
    from pathlib import Path


CATEGORIES = """\
categories:
  - id: games
    name: {vi: Trò chơi, en: Games}
    description: {vi: Trò chơi trực tuyến., en: Online games.}
    min_age: 12
    rating: 12+
    legal_basis: [Nghị định 147/2024/NĐ-CP]
  - id: law-ordered
    name: {vi: Theo yêu cầu, en: By order}
    description: {vi: Theo văn bản., en: In writing.}
    legal_basis: []
    locked: ordered
  - id: scam
    name: {vi: Lừa đảo, en: Scams}
    description: {vi: Lừa đảo., en: Tricks.}
    legal_basis: []
    locked: true
    security: true
"""
CATALOG = """\
lists:
  - id: our-games
    title: Games
    category: games
    format: domains
    file: starter/games.txt
    own: true
sources:
  - id: their-games
    title: Games of others
    category: games
    format: hosts
    address: https://lists.example/games
    homepage: https://lists.example/
    licence: MIT
    attribution: Somebody
"""
PINS = "pins:\n  - {name: exam.example.vn, reason: exams}\n"
PROTECT = """\
protections:
  - {name: chat.example, reason: services, except_categories: [games]}
"""
SAFE_SEARCH = """\
engines:
  - {target: safe.search.example, names: [www.search.example, search.example]}
youtube: {moderate: moderate.tube.example, strict: strict.tube.example, names: [tube.example]}
"""

SERVICES = """\
services:
  - id: play
    name: {vi: Chơi, en: Play}
    group: games
    min_age: 13
    names:
      - play.example
      - cdn-play.example
  - {id: other, name: {vi: Khác, en: Other}, group: scam, names: [other.example]}
"""
HOLIDAYS = """\
holidays:
  - {first: 2026-09-02, name: {vi: Quốc khánh, en: National Day}}
  - {first: 2027-02-05, last: 2027-02-08, name: {vi: Tết, en: New Year}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that loads as it is."""
    texts = {
        "categories": CATEGORIES,
        "catalog": CATALOG,
        "pins": PINS,
        "protect": PROTECT,
        "safe_search": SAFE_SEARCH,
        "services": SERVICES,
        "holidays": HOLIDAYS,
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "starter").mkdir()
    (tmp_path / "starter" / "games.txt").write_text("play.example\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def catalog(folder: Path) -> Catalog:
    return load_catalog(folder)


def edit(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def problems(folder: Path) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        load_catalog(folder)
    return [str(error).removeprefix(f"{folder}/") for error in caught.value.errors]


def test_a_category_keeps_both_languages_and_its_age(catalog: Catalog) -> None:
    games = catalog.categories[0]
    assert (games.name_vi, games.name_en, games.min_age, games.rating) == (
        "Trò chơi",
        "Games",
        12,
        "12+",
    )
    assert games.legal_basis == ("Nghị định 147/2024/NĐ-CP",)


def test_an_ordered_category_is_locked_too(catalog: Catalog) -> None:
    games, ordered, scam = catalog.categories
    assert (games.locked, games.ordered, games.security) == (False, False, False)
    assert (ordered.locked, ordered.ordered, ordered.security) == (True, True, False)
    assert (scam.locked, scam.ordered, scam.security) == (True, False, True)


def test_a_list_has_an_absolute_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    (ours,) = load_catalog(folder.relative_to(folder.parent)).lists
    assert ours.path == str(folder / "starter" / "games.txt")
    assert (ours.id, ours.category, ours.format, ours.own) == (
        "our-games",
        "games",
        "domains",
        True,
    )


def test_a_source_is_unchecked_unless_it_is_marked_as_checked(catalog: Catalog) -> None:
    (theirs,) = catalog.sources
    assert theirs.address == "https://lists.example/games"
    assert not theirs.checked


def test_a_pin_is_one_name_and_a_protection_a_subtree(catalog: Catalog) -> None:
    (pin,), (*_, protection) = catalog.pins, catalog.protections
    assert (pin.name, pin.subtree) == (b"\x04exam\x07example\x02vn\x00", False)
    assert (protection.name, protection.subtree) == (b"\x04chat\x07example\x00", True)
    assert protection.except_categories == {"games"}


def test_a_service_is_a_list_of_its_group_with_the_lines_of_its_names(
    catalog: Catalog, folder: Path
) -> None:
    play, other = catalog.services
    assert (play.name_vi, play.min_age, other.min_age) == ("Chơi", 13, None)
    assert play.compiled == ListSource(
        "service:play",
        "games",
        "domains",
        str(folder / "services.yaml"),
        own=True,
        title="Play",
        names=((7, b"\4play\7example\0"), (8, b"\x08cdn-play\7example\0")),
    )
    assert [one.id for one in catalog.compiled] == ["our-games", "service:play", "service:other"]


def test_a_holiday_is_one_day_unless_it_has_a_last_day(catalog: Catalog) -> None:
    assert [(holiday.first, holiday.last, holiday.name_en) for holiday in catalog.holidays] == [
        ("2026-09-02", "2026-09-02", "National Day"),
        ("2027-02-05", "2027-02-08", "New Year"),
    ]


WRONG = [
    ("categories.yaml", "id: scam", "id: games", 13, "this id occurs twice (first in line 2)"),
    ("catalog.yaml", "category: games\n    format: domains", "category: gaems\n    format: domains",
     4, "'gaems' is not a category (did you mean 'games'?)"),
    ("catalog.yaml", "category: games\n    format: hosts", "category: x\n    format: hosts",
     11, "'x' is not a category (known: games, law-ordered, scam)"),
    ("catalog.yaml", "id: their-games", "id: our-games", 9, "first in line 2"),
    ("catalog.yaml", "starter/games.txt", "starter/none.txt", 6, "there is no file"),
    ("catalog.yaml", "licence: MIT", "license: MIT", 15, "did you mean 'licence'?"),
    ("pins.yaml", "exam.example.vn", "exam example", 2, "is not a host name"),
    ("pins.yaml", "}\n", "}\n  - {name: EXAM.example.vn., reason: exams}\n", 3, "occurs twice"),
    ("services.yaml", "group: games", "group: game", 4, "'game' is not a category (did you mean"),
    ("services.yaml", "id: other", "id: play", 9, "this id occurs twice (first in line 2)"),
    ("services.yaml", "[other.example]", "[PLAY.example]", 9,
     "this name occurs twice (first in line 7)"),
    ("services.yaml", "- play.example", "- com.vn", 7, "'com.vn' is a public suffix, under which"),
    ("holidays.yaml", "last: 2027-02-08", "last: 2027-02-01", 3, "ends before it begins"),
    ("holidays.yaml", "2026-09-02", "20260902", 2, "is not a date (such as 2026-09-02)"),
    ("protect.yaml", "[games]", "[game]", 2, "'game' is not a category (did you mean 'games'?)"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "line", "says"), WRONG)
def test_a_mistake_is_reported_with_its_place(
    folder: Path, file: str, old: str, new: str, line: int, says: str
) -> None:
    edit(folder, file, old, new)
    found = problems(folder)
    assert any(one.startswith(f"{file}:{line}:") and says in one for one in found), found


def test_mistakes_of_several_files_are_reported_at_once(folder: Path) -> None:
    edit(folder, "catalog.yaml", "starter/games.txt", "starter/none.txt")
    edit(folder, "protect.yaml", "[games]", "[game]")
    assert len(problems(folder)) == 2


def test_a_missing_file_is_a_configuration_error(folder: Path) -> None:
    (folder / "pins.yaml").unlink()
    with pytest.raises(ConfigError, match=r"pins\.yaml: cannot be read"):
        load_catalog(folder)


def test_names_with_a_safe_twin_state_their_setting_and_level(catalog: Catalog) -> None:
    of = {
        (rewrite.setting, rewrite.level): (rewrite.target, rewrite.names)
        for rewrite in catalog.rewrites
    }
    tube = (b"\4tube\7example\0",)
    assert of["youtube", "moderate"] == (b"\x08moderate\4tube\7example\0", tube)
    assert of["youtube", "strict"] == (b"\6strict\4tube\7example\0", tube)
    target, names = of["safe_search", "on"]
    assert target == b"\4safe\6search\7example\0"
    assert len(names) == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("names: [tube.example]", "names: [search.example]"),
        ("names: [tube.example]", "names: [tube.example, tube.example]"),
        ("names: [tube.example]", "names: [safe.search.example]"),
        ("www.search.example", "strict.tube.example"),
    ],
)
def test_a_name_is_replaced_once_and_leads_in_no_circle(folder: Path, old: str, new: str) -> None:
    edit(folder, "safe_search.yaml", old, new)
    with pytest.raises(ConfigErrors) as caught:
        load_catalog(folder)
    assert "this name occurs twice, or is a target" in str(caught.value)


def _standing_beside(tmp_path: Path, *, is_ordered: bool) -> ListsBeside:
    """Return what stands beside a feed that does, or does not, fill the category by orders."""
    folder = write_blocklists(tmp_path / "lists", "bets.example")
    change_yaml(folder / "pins.yaml", lambda data: data["pins"].append(
        {"name": "lists.example", "reason": "feed"}))  # fmt: skip
    catalog = load_catalog(shipped("blocklists"))
    filled = {one.category for one in load_catalog(folder).lists}
    categories = (
        replace(category, ordered=category.ordered or (is_ordered and category.id in filled))
        for category in catalog.categories
    )
    catalog = replace(catalog, categories=tuple(categories))
    beside = Blocklists(folder, "web-1")
    return lists_beside(Blocklists(shipped("blocklists"), "7", beside), catalog)


def test_lists_have_ids_of_their_own_and_their_hosts_are_pinned(tmp_path: Path) -> None:
    found = _standing_beside(tmp_path, is_ordered=False)
    assert found.version == "web-1"
    assert found.lists
    assert all(one.id.startswith("web:") and "feed-" not in one.id for one in found.lists)
    assert [host.name for host in found.hosts] == [b"\x05lists\x07example\x00"]


def test_a_category_of_orders_is_filled_by_none(tmp_path: Path) -> None:
    assert _standing_beside(tmp_path, is_ordered=True).lists == ()


def test_without_a_second_folder_there_is_nothing() -> None:
    blocklists = Blocklists(shipped("blocklists"))
    assert lists_beside(blocklists, load_catalog(blocklists.folder)) == ListsBeside()
