# SPDX-License-Identifier: Apache-2.0
"""What a school closes that follows the recommended lists: over what ships, and over real lists.

The real ones are those of ``../shared/data``; ``tests.bench.followed_lists`` prints their tables.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from filterd.base.paths import shipped
from filterd.config.compile import compile_policy
from filterd.config.lists_build import compile_blocklists
from filterd.config.site_reader import load_site
from filterd.feed.followed import night_memory
from filterd.feed.followed.night_memory import TEXT_OCTETS_A_NAME, most_names
from filterd.feed.followed.version_content import ContentRequest, make_content
from filterd.lists.catalogs.catalog import (
    PublicSource,
    load_catalog,
    shipped_sources,
    thin_categories,
)
from filterd.lists.index import Index
from filterd.lists.sort_records import Guarded
from filterd.lists.top_names import Popular
from filterd.policy.engine import Engine
from tests.bench import followed_lists
from tests.bench.followed_lists import (
    GRADES,
    at_hand,
    closing,
    education,
    help_names,
    made,
    wrong_by_grade,
)
from tests.support.shared_data import shared

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.lists.catalogs.catalog import Catalog
    from tests.bench.followed_lists import MadeVersion

MOST_NAMES = 1_300_000
ONE_GIGABYTE_BOARD = 450_000_000
"""What a board of 1 GB has for a child of the night, beside the system and the resolver."""
LESSONS = (
    *("chess.com", "lichess.org", "unity.com", "itch.io", "khanmigo.ai", "huggingface.co"),
    *("godotengine.org", "mathplayground.com", "brainpop.com", "nationalgeographic.com"),
    *("researchgate.net", "librarything.com", "teachertube.com", "francetvinfo.fr"),
)
SHORTENERS = ("bit.ly", "forms.gle", "tinyurl.com", "linktr.ee", "is.gd")
LOANS = ("moneycat.vn", "tinvay.vn", "vayvnd.vn")


@cache
def shipped_catalog() -> Catalog:
    return load_catalog(shipped("blocklists"))


def a_source(category: str, source_id: str = "broad") -> PublicSource:
    where = "https://lists.example/"
    return PublicSource(
        source_id, "Broad", category, "domains", where, where, "MIT", "them", checked=False
    )


def followed(folder: Path, names: Iterable[str], *categories: str) -> Engine:
    """Return a school that follows the same names as a list of each of these categories."""
    text = folder / "broad.txt"
    text.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    sources = [a_source(category, f"broad-{category}") for category in categories]
    ContentRequest(sources, {source.id: text for source in sources}, {}).write(folder / "version")
    catalog = load_catalog(folder / "version")
    compile_blocklists(catalog, (), folder / "index", now=0.0, feed=None)
    policy = compile_policy(load_site(shipped("policies")), catalog)
    return Engine(policy, Index.open(folder / "index"))


def closed_by_lists(engine: Engine, names: Iterable[str]) -> list[str]:
    """Return the names that a list or rule which does not ship closes to any grade."""
    return [
        f"{name}: {grade} by {by}"
        for name in names
        for grade in GRADES
        if (by := closing(engine, name, grade)).startswith(("feed-", "lookalike:"))
    ]


def test_the_recommended_lists_fit_a_board_of_one_gigabyte() -> None:
    names = sum(source.names for source in shipped_sources() if source.recommended)
    assert 900_000 <= names <= MOST_NAMES
    assert most_names(MOST_NAMES, MOST_NAMES * TEXT_OCTETS_A_NAME, ONE_GIGABYTE_BOARD) is None
    assert night_memory.MOST_OCTETS >= ONE_GIGABYTE_BOARD


def test_each_category_with_an_age_has_a_recommended_list_or_is_said_to_be_thin() -> None:
    recommended = {source.category for source in shipped_sources() if source.recommended}
    aged = {
        category.id
        for category in shipped_catalog().categories
        if (category.min_age or category.locked) and not category.ordered
    }
    assert aged - recommended == {one for one, n in thin_categories().items() if not n}
    assert {"games", "social-media", "streaming", "piracy", "violence", "vape"} <= recommended


def test_no_list_feeds_the_assistants_as_a_whole_and_shorteners_are_open() -> None:
    categories = {source.id: source.category for source in shipped_sources()}
    assert "ai-chat" not in categories.values()
    assert categories["ut1-shortener"] == "shorteners"
    assert "ad-shorteners" not in categories.values()


def test_a_broad_list_closes_no_lesson_whatever_its_category(tmp_path: Path) -> None:
    broad = ("games", "social-media", "streaming", "exam-cheating", "malware", "ai-chat")
    engine = followed(tmp_path, (*LESSONS, "play.example"), *broad)
    assert closed_by_lists(engine, LESSONS) == []
    assert closing(engine, "play.example", "1")


@pytest.mark.control
def test_without_protections_a_broad_list_closes_lessons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = Guarded.set_aside_protected
    monkeypatch.setattr(Guarded, "set_aside_protected", lambda guarded, _: take(guarded, ()))
    text = tmp_path / "broad.txt"
    text.write_text("chess.com\n", encoding="utf-8")
    source = a_source("games")
    content = make_content(list_catalog(source), {source.id: text}, Popular(), left_out={})
    assert b"chess.com" in content.categories["games"].lists[-1].text


def list_catalog(source: PublicSource) -> Catalog:
    return replace(shipped_catalog(), sources=(source,))


def test_a_list_of_shorteners_leaves_those_of_lessons_open(tmp_path: Path) -> None:
    engine = followed(tmp_path, SHORTENERS, "ad-shorteners", "scam", "shorteners")
    assert closed_by_lists(engine, SHORTENERS) == []


def test_a_list_of_scams_does_not_judge_those_who_lend(tmp_path: Path) -> None:
    engine = followed(tmp_path, LOANS, "scam", "gambling")
    assert all(closing(engine, one, "staff") == "" for one in LOANS)


def test_no_combination_of_lists_closes_a_name_of_help(tmp_path: Path) -> None:
    """Help lines, health and sex education, on a list of every category at once."""
    fillable = [category.id for category in shipped_catalog().categories if not category.ordered]
    names = help_names()
    assert len(names) > 60
    engine = followed(tmp_path, names, *fillable)
    assert [name for name in names if any(closing(engine, name, grade) for grade in GRADES)] == []


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> MadeVersion:
    shared("lists/ut1/games/domains.zst")
    return made(at_hand(recommended=True), tmp_path_factory.mktemp("real") / "made")


def test_real_lists_are_neither_too_open_nor_too_closed(real: MadeVersion) -> None:
    """Of 1,375 verdicts on well-known names, staff included."""
    too_open, too_closed = wrong_by_grade(real.engine)
    assert len(too_open) <= 40, too_open
    assert len(too_closed) <= 5, too_closed


def test_real_lists_close_no_school_and_no_help(real: MadeVersion) -> None:
    assert closed_by_lists(real.engine, education()) == []
    assert closed_by_lists(real.engine, help_names()) == []


@pytest.mark.long
def test_no_real_list_at_hand_closes_a_school_or_help(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Those that are not recommended, too."""
    shared("lists/ut1/games/domains.zst")
    every = made(at_hand(recommended=False), tmp_path_factory.mktemp("all") / "made")
    assert len(followed_lists.AT_HAND) > 30
    assert closed_by_lists(every.engine, (*education(), *help_names())) == []
