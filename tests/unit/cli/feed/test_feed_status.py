# SPDX-License-Identifier: Apache-2.0
"""How a school stands with its feed, as people read it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import GuardError
from filterd.feed import guard
from filterd.feed.guard.judgement import CHECKS, Severity, found
from filterd.texts.i18n import say
from tests.support.commands import call
from tests.support.feed_site import FIRST, SECOND

if TYPE_CHECKING:
    from tests.support.clock import FakeClock
    from tests.support.commands import Outcome
    from tests.support.feed_site import Follower

DAY_S = 86_400.0
ADDRESS = "https://feed.example/"


@pytest.fixture(autouse=True)
def _evening(evening: FakeClock, school: Follower) -> None:
    """It is the evening on which the small feed was published, for commands and runs alike."""
    school.clock = evening


def _feed(school: Follower, *words: str, lang: str = "en") -> Outcome:
    places = ("--config", school.config, "--state", school.state.folder, "--lang", lang)
    return call("feed", *words, *places)


def _hold(school: Follower) -> None:
    """Have version 3 judged bad."""
    gone = say("category {category}: all its {had} names are gone", category="porn", had=9)
    growth = say("all categories: {had} names become {has}", had=9, has=90)
    findings = (
        found("growth", Severity.HELD, gone, ["xnxx.com", "[x].example"]),
        found("growth", Severity.NOTE, growth),
    )
    with pytest.MonkeyPatch.context() as judging:
        judging.setattr(
            guard, "judge", lambda one, *_, **__: guard.Judgement(one.version, findings, "", CHECKS)
        )
        with pytest.raises(GuardError):
            school.run(SECOND)


def test_a_school_that_is_up_to_date_is_well(school: Follower) -> None:
    school.run(FIRST)
    done = _feed(school, "status")
    assert (done.code, done.err) == (0, "")
    for words in (ADDRESS, f"version {FIRST}", "fresh", "Valid until"):
        assert words in done.out
    assert "Look at" not in done.out


def test_a_school_that_follows_no_feed_is_well_too(school: Follower) -> None:
    site = school.config / "site.yaml"
    site.write_text(site.read_text().replace(f"feed: {ADDRESS}\n", ""))
    done = _feed(school, "status")
    assert done.code == 0
    assert done.out.startswith("The school follows no feed")


def test_a_school_that_has_never_taken_anything_must_be_looked_at(school: Follower) -> None:
    done = _feed(school, "status", lang="vi")
    assert done.code == 1
    assert "chưa bao giờ nhận được" in done.out


@pytest.mark.parametrize(("days", "words"), [(8, "old"), (31, "VERY OLD")])
def test_a_feed_that_gets_old_is_reported_louder_and_louder(
    school: Follower, days: int, words: str
) -> None:
    school.run(FIRST)
    school.clock.advance(days * DAY_S)
    done = _feed(school, "status")
    assert (done.code, words in done.out) == (1, True)
    assert ("Expired" in done.out) is (days > 30)


def test_why_a_version_waits_is_reported_finding_by_finding(school: Follower) -> None:
    school.run(FIRST)
    _hold(school)
    done = _feed(school, "status")
    assert done.code == 1
    for words in (f"Version {SECOND} waits", "held", "note", "all its 9 names are gone"):
        assert words in done.out
    assert "xnxx.com, [x].example" in " ".join(done.out.split())
    assert max(map(len, done.out.splitlines())) <= 80
    assert "không còn tên nào" in _feed(school, "status", lang="vi").out or "porn" in done.out


def test_contacts_are_shown_where_the_version_has_them(school: Follower) -> None:
    school.run(FIRST)
    (school.state.feed_version(FIRST) / "contacts.yaml").write_text(
        "contacts: [{about: {vi: Chặn nhầm, en: Mistakes}, name: Sở GD&ĐT, phone: '113'}]\n",
        encoding="utf-8",
    )
    assert "Mistakes  Sở GD&ĐT: 113" in _feed(school, "status").out
    assert "Chặn nhầm  Sở GD&ĐT: 113" in _feed(school, "status", lang="vi").out


def test_damaged_files_show_nothing_and_stop_nothing(school: Follower) -> None:
    school.run(FIRST)
    _hold(school)
    (school.state.feed / "standing.json").write_text("{")
    done = _feed(school, "status")
    assert (done.code, done.err) == (1, "")


def test_scripts_get_all_of_it(school: Follower) -> None:
    school.run(FIRST)
    printed = json.loads(_feed(school, "status", "--json").out)
    assert (printed["in_force"], printed["address"]) == (int(FIRST), ADDRESS)


def test_what_became_of_versions_is_worded_in_both_languages(school: Follower) -> None:
    assert _feed(school, "history").out == "Nothing yet.\n"
    school.run(FIRST)
    site = school.site
    with site.holding():
        site.hold("tuần thi [9]")
    shown = _feed(school, "history").out
    assert "in force" in shown
    assert "tuần thi [9]" in shown
    assert "có hiệu lực" in _feed(school, "history", lang="vi").out
    assert len(json.loads(_feed(school, "history", "--json").out)) == 2
