# SPDX-License-Identifier: Apache-2.0
"""What was reported is mended by the first lists in which no third party closes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.lists.list_queries import version_of
from filterd.overrides.mended_mistakes import Mended, Mistakes
from filterd.overrides.store import Store
from filterd.state_folder import StateFolder
from tests.support.clock import FakeClock
from tests.support.policies import NOW, an_index

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.lists.index import Index


class Centre:
    """Lists that change, and a school that has reported ``uni.example``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.state = StateFolder(folder / "state")
        self.state.folder.mkdir()
        self.store = Store(self.state, FakeClock(NOW))
        self.mistakes = Mistakes(self.state, self.store)
        self.report("uni.example")

    def report(self, name: str) -> None:
        payload = {"name": name, "seen_in": "v1"}
        self.store.change("report-mistake", payload, author="lan", reason="trường đại học")

    def lists(self, *named: str, own: bool = False) -> Index:
        """Compile lists that name these."""
        folder = self._folder / f"lists{len(list(self._folder.iterdir()))}"
        folder.mkdir()
        lines = [*named, "other.example"]
        return an_index(folder, {"copied": ("malware", "domains", own, lines)})

    def mended(self, index: Index | None) -> list[Mended | None]:
        return [one.mended for one in self.mistakes.all("THCS Mẫu", index)]


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    return Centre(tmp_path)


def test_a_mistake_that_is_listed_still_is_not_mended(centre: Centre) -> None:
    index = centre.lists("uni.example")
    centre.mistakes.note(index)
    (one,) = centre.mistakes.all("THCS Mẫu", index)
    assert one.mended is None
    assert [entry.list for entry in one.listed or ()] == ["copied"]
    assert one.report.school == "THCS Mẫu"


def test_the_first_version_without_it_is_told_whatever_follows(centre: Centre) -> None:
    centre.mistakes.note(centre.lists("uni.example"))
    first, later = centre.lists("a.example"), centre.lists("b.example")
    centre.mistakes.note(first)
    centre.mistakes.note(later)
    expected = Mended(version_of(first), NOW)
    assert centre.mended(later) == [expected]
    assert centre.mended(None) == [expected]
    again = Mistakes(centre.state, Store(centre.state, FakeClock(NOW)))
    assert [one.mended for one in again.all("", later)] == [expected]


def test_an_entry_that_comes_back_is_mended_no_more(centre: Centre) -> None:
    centre.mistakes.note(centre.lists())
    back = centre.lists("uni.example")
    centre.mistakes.note(back)
    assert centre.mended(back) == centre.mended(None) == [None]
    last = centre.lists("c.example")
    centre.mistakes.note(last)
    assert centre.mended(last) == [Mended(version_of(last), NOW)]


def test_lists_that_nobody_has_noted_yet_count(centre: Centre) -> None:
    index = centre.lists()
    assert centre.mended(index) == [Mended(version_of(index), NOW)]


def test_the_publishers_own_entry_is_no_mistake_of_a_third_party(centre: Centre) -> None:
    index = centre.lists("uni.example", own=True)
    assert centre.mended(index) == [Mended(version_of(index), NOW)]


def test_where_nobody_can_look_it_is_not_known(centre: Centre) -> None:
    (one,) = centre.mistakes.all("", None)
    told = one.to_plain()
    assert (told["mended"], told["listed"], told["mended_at"]) == (None, None, None)


def test_what_is_mended_and_what_is_not_is_told_in_plain_data(centre: Centre) -> None:
    centre.report("b.example")
    index = centre.lists("b.example")
    mended, listed = (one.to_plain() for one in centre.mistakes.all("", index))
    assert (mended["mended"], mended["mended_in"]) == (True, version_of(index))
    assert (mended["mended_at"], mended["listed"]) == (NOW, [])
    assert (listed["mended"], listed["mended_in"]) == (False, None)
    assert listed["listed"][0]["entry"] == "b.example"


def test_a_school_that_has_reported_nothing_has_no_store(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    mistakes = Mistakes(state, Store(state, FakeClock(NOW)))
    (tmp_path / "lists").mkdir()
    mistakes.note(an_index(tmp_path / "lists", {"a": ("games", "domains", False, ["a.example"])}))
    assert mistakes.all("", None) == ()
    assert not state.overrides.exists()
