# SPDX-License-Identifier: Apache-2.0
"""The names that are new, as a small list beside those of the night."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from filterd.feed.appliance_files import Wanted
from filterd.feed.feed_config import own_source
from filterd.feed.followed import fresh_names
from filterd.feed.followed.fresh_names import FRESH, write_fresh
from filterd.feed.followed.version_content import ContentRequest
from filterd.lists.catalogs.catalog import load_catalog

SCAM = own_source(Wanted("scam", "https://lists.example/scam.txt", "scam"))
VAPE = replace(own_source(Wanted("vape", "https://lists.example/vape.txt", "vape")), subtrees=True)


class _Night:
    """A version of a night, and texts that came since."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.texts = folder, dict[str, Path]()
        self.give("scam", "old.example")
        self.give("vape", "smoke.example")
        ContentRequest((SCAM, VAPE), self.texts, {}).write(folder / "night")

    def give(self, source: str, *lines: str) -> None:
        self.texts[source] = self.folder / f"{source}.txt"
        self.texts[source].write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def fresh(self, base: str = "night", made: str = "made") -> dict[str, str]:
        """Return the new lists, by category."""
        here = self.folder
        write_fresh(here / base, here / made, (SCAM, VAPE), self.texts, {})
        found = (here / made / "lists").glob(f"{FRESH}*.txt")
        return {one.stem.removeprefix(FRESH): one.read_text() for one in found}


@pytest.fixture
def night(tmp_path: Path) -> _Night:
    return _Night(tmp_path)


def test_each_category_gets_what_is_new_in_it(night: _Night) -> None:
    night.give("scam", "old.example", "new.example")
    night.give("vape", "smoke.example", "cloud.example")
    assert night.fresh() == {"scam": "new.example\n", "vape": "cloud.example\n"}


def test_a_part_stays_a_part(night: _Night) -> None:
    night.give("vape", "smoke.example", "cloud.example")
    night.fresh()
    [fresh] = [one for one in load_catalog(night.folder / "made").lists if FRESH in one.id]
    assert (fresh.category, fresh.own) == ("vape", False)


def test_without_anything_new_a_category_has_no_list(night: _Night) -> None:
    assert night.fresh() == {}


def test_on_a_version_with_such_lists_they_are_made_anew(night: _Night) -> None:
    night.give("scam", "old.example", "one.example")
    night.fresh()
    night.give("scam", "old.example", "one.example", "two.example")
    assert night.fresh("made", "again") == {"scam": "one.example\ntwo.example\n"}


def test_what_is_beneath_a_known_name_or_its_host_alone_is_not_new(night: _Night) -> None:
    hosts = replace(SCAM, format="wildcard")
    night.give("scam", "=old.example", "=host.example")
    here = night.folder
    write_fresh(here / "night", here / "made", (hosts,), night.texts, {})
    text = (here / f"made/lists/{FRESH}scam.txt").read_text()
    assert text == "=host.example\n"


def test_more_than_a_days_work_waits_for_the_night(
    night: _Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh_names, "MOST_NAMES", 2)
    night.give("scam", "old.example", "a.example", "b.example", "c.example")
    assert night.fresh() == {}


def test_a_category_that_the_version_lacks_or_that_takes_orders_gets_none(night: _Night) -> None:
    here = night.folder
    night.give("scam", "new.example")
    for category in ("law-ordered", "no-such-category"):
        sources = (replace(SCAM, category=category),)
        assert write_fresh(here / "night", here / "made", sources, night.texts, {}) == 0
