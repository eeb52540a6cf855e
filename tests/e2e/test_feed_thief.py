# SPDX-License-Identifier: Apache-2.0
"""A thief of the online keys harms no school: signatures are right, and nothing else is.

The keys of the publishing machine sign all tables and lists of a version. Whatever a thief changes
comes in force only if a school loses nothing by it; else the version is held or refused.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import GuardError
from filterd.feed import guard
from filterd.feed.guard import checks
from filterd.feed.guard.provenance import PROVENANCE
from filterd.feed.signed import deltas
from filterd.texts.i18n import say
from tests.e2e.feed_thief import Thief, harm
from tests.support.broken_versions import POPULAR, an_order, stolen
from tests.support.feed_candidates import Following
from tests.support.feed_school import School, a_school

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLOSED = ("google.com", "accounts.google.com", "login.microsoftonline.com", "wikipedia.org")
FEW, MANY = range(4), [range(4, 34), range(34, 64)]


@pytest.fixture(scope="module")
def following(tmp_path_factory: pytest.TempPathFactory) -> Following:
    return Following(tmp_path_factory.mktemp("school"), POPULAR)


def harm_of(following: Following, seed: int) -> tuple[list[str], list[str]]:
    """Judge what a thief has made; return the changes, and the harm if it comes in force."""
    thief = Thief(seed)
    judgement = following.judge(thief.change)
    if not judgement.may_come_in_force():
        return thief.told, []
    school, folder = following.school, following.folder_of(2)
    return thief.told, harm(following.folder_of(1), folder, school.fresh_index, school.fresh_policy)


@pytest.mark.parametrize(
    "seeds", [FEW, *(pytest.param(one, marks=pytest.mark.long) for one in MANY)], ids=str
)
def test_no_change_of_tables_or_lists_does_harm_unheld(following: Following, seeds: range) -> None:
    for seed in seeds:
        told, lost = harm_of(following, seed)
        assert lost == [], (seed, told)


def test_an_honest_version_comes_in_force_and_does_no_harm(following: Following) -> None:
    assert following.judge().may_come_in_force()
    school, folder = following.school, following.folder_of(2)
    lost = harm(following.folder_of(1), folder, school.fresh_index, school.fresh_policy)
    assert lost == []


@pytest.mark.parametrize("check", ["changed_tables", "unsigned_orders"])
def test_control_without_a_check_the_thief_does_harm(
    following: Following, monkeypatch: pytest.MonkeyPatch, check: str
) -> None:
    monkeypatch.setattr(checks, check, lambda *_, **__: ())
    if check == "unsigned_orders":
        assert following.judge(stolen("law-ordered", "unheard-of.example")).may_come_in_force()
        school = following.school
        folders = following.folder_of(1), following.folder_of(2)
        lost = harm(*folders, school.fresh_index, school.fresh_policy)
        assert lost == ["starter-law-ordered closes by order"]
    else:
        assert any(harm_of(following, seed)[1] for seed in range(30))


@pytest.fixture
def school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[School]:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr(deltas, "_FULL_LEVELS", (1, *deltas._FULL_LEVELS))
    with a_school(tmp_path) as made:
        yield made


@pytest.mark.long
def test_names_that_nobody_has_ordered_are_closed_to_nobody(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The publisher's program, its web server, a site's run and its daemon are real."""
    before = school.in_force
    for category in ("law-ordered", "child-abuse"):
        version = school.publish(stolen(category, *CLOSED))
        with pytest.raises(GuardError, match=rf"^version {version} of the feed is refused: "):
            school.sync()
        judgement = school.site.standing.read().judgement
        assert judgement is not None
        assert PROVENANCE in {finding.kind for finding in judgement.findings}
        assert school.in_force == before
        assert not any(map(school.is_blocked, CLOSED))
    version = school.publish(an_order(b"wikipedia.org\n"))
    assert school.sync().version == version
    assert school.is_blocked("wikipedia.org"), "an order of the authority's key is one"
    control(school, monkeypatch)


def control(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    """See that the names would be closed to all, but for what the guard finds."""
    judge = guard.judge

    def by_category(*words: Any, **how: Any) -> guard.Judgement:
        return replace(judge(*words, **how), findings=())

    before = school.in_force
    school.publish(stolen("law-ordered", *CLOSED))
    with monkeypatch.context() as patch:
        patch.setattr(guard, "judge", by_category)
        school.sync()
    assert all(map(school.is_blocked, CLOSED))
    with school.site.holding():
        assert school.site.roll_back(say("{why}", why="control")) == before


@pytest.mark.long
def test_a_key_that_the_thief_has_named_orders_nothing_at_a_new_school(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr(deltas, "_FULL_LEVELS", (1, *deltas._FULL_LEVELS))
    with a_school(tmp_path, is_new=True) as school:
        version = school.publish(an_order(b"wikipedia.org\nunheard-of.example\n"))
        with pytest.raises(GuardError, match=rf"^version {version} of the feed is held: orders "):
            school.sync()
        assert not school.is_blocked("wikipedia.org")
        version = school.publish(an_order(b"unheard-of.example\n"))
        assert school.sync().version == version
        assert school.is_blocked("unheard-of.example")
        assert not school.is_blocked("wikipedia.org")
