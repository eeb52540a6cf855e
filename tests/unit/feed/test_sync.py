# SPDX-License-Identifier: Apache-2.0
"""One run after the other: what is taken, what waits, what is held, and what overrules it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import (
    FetchError,
    GuardError,
    InUseError,
    MetadataFormatError,
)
from filterd.base.paths import sole
from filterd.feed.guard.judgement import Severity
from filterd.feed.schedule import LISTS, ring_of
from filterd.feed.signed.arrival import TufArrival
from filterd.feed.signed.fetchers import FolderFetcher
from filterd.feed.standing import Event
from filterd.feed.sync import Became, Outcome
from filterd.publish.signing import targets_of
from filterd.texts.i18n import say
from tests.support.feed_site import FIRST, SECOND, THIRD, Follower, judge_as
from tests.support.publisher import Publisher

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.usefixtures("warm_children")


def _id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def _publish(school: Follower, publisher: Publisher, version: str, *, urgent: bool = False) -> None:
    """Have another publisher publish what is a version here."""
    content = school.published.folder / "content" / version
    publisher.repository.publish(
        targets_of(content, []), publisher.signers, now=publisher.now, urgent=urgent
    )


def _events(school: Follower) -> list[tuple[Event, str]]:
    return [(line.event, line.version) for line in school.site.history.lines()]


def test_the_first_version_is_taken_at_once(school: Follower) -> None:
    outcome = school.run(FIRST, at_once=False)
    assert (outcome.became, outcome.version, outcome.urgent) == (Became.ACTIVATED, FIRST, 0)
    assert outcome.names > 0
    assert outcome.fetched_octets > 0
    assert school.check_consistent(FIRST) == FIRST
    assert _events(school) == [(Event.ACTIVATED, FIRST)]


def test_a_run_that_finds_nothing_new_changes_nothing(school: Follower) -> None:
    school.run(FIRST)
    assert school.run(FIRST).became is Became.CURRENT
    assert _events(school) == [(Event.ACTIVATED, FIRST)]


def test_a_later_version_waits_for_its_ring_and_comes_then(school: Follower) -> None:
    school.run(FIRST)
    of_last_ring = next(one for one in map(_id, range(9)) if ring_of(one, SECOND) == 2)
    school.site.appliance.id_path.write_text(of_last_ring.hex())
    outcome = school.run(SECOND, at_once=False)
    assert outcome.became is Became.WAITS
    assert outcome.at == school.published.now + LISTS.steps[2][1]
    assert school.site.standing.read().takes_at == outcome.at
    assert school.check_consistent(FIRST) == FIRST
    school.clock.advance(outcome.at - school.clock.wall() - 1)
    assert school.run(SECOND, at_once=False).became is Became.WAITS
    school.clock.advance(1)
    assert school.run(SECOND, at_once=False).became is Became.ACTIVATED
    assert school.site.standing.read().takes_at is None


def test_on_request_a_version_is_taken_before_its_ring(school: Follower) -> None:
    school.run(FIRST)
    assert school.run(SECOND, at_once=True).became is Became.ACTIVATED


def test_what_is_urgent_waits_for_no_ring(school: Follower, tmp_path: Path) -> None:
    publisher = Publisher(tmp_path / "www", now=school.published.now)
    site = school.site
    with site.holding():
        site.establish(publisher.root, replace=True)
        for version, urgent in ((FIRST, False), (SECOND, True), (THIRD, True)):
            _publish(school, publisher, version, urgent=urgent)
            outcome = site.sync(
                TufArrival(site.trust, FolderFetcher(publisher.folder, school.clock))
            )
            assert outcome.became is Became.ACTIVATED


def test_versions_that_are_held_night_by_night_do_not_pile_up(
    school: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.run(FIRST)
    judge_as(monkeypatch, school, Severity.HELD)
    for version in (SECOND, THIRD):
        with pytest.raises(GuardError):
            school.run(version)
    kept = {path.name for path in (school.state.feed / "versions").iterdir()}
    assert kept == {str(FIRST), str(THIRD)}
    assert school.site.standing.read().judgement.version == THIRD  # type: ignore[union-attr]


def test_a_held_version_comes_into_force_after_approval(
    school: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.run(FIRST)
    judge_as(monkeypatch, school, Severity.HELD)
    with pytest.raises(GuardError):
        school.run(SECOND)
    site = school.site
    with site.holding():
        assert site.approve(SECOND, "porn is on another list now") > 0
    assert school.check_consistent(SECOND) == SECOND
    assert site.standing.read().judgement is None
    assert _events(school)[-2:] == [(Event.APPROVED, SECOND), (Event.ACTIVATED, SECOND)]


def test_a_refused_or_missing_version_cannot_be_approved(
    school: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.run(FIRST)
    judge_as(monkeypatch, school, Severity.REFUSED)
    with pytest.raises(GuardError):
        school.run(SECOND)
    site = school.site
    with site.holding():
        with pytest.raises(GuardError, match="is refused"):
            site.approve(SECOND, "I want it")
        with pytest.raises(GuardError, match="is not here"):
            site.approve(THIRD, "I want it")
    assert school.check_consistent(FIRST) == FIRST
    assert site.versions.in_force().refused == (SECOND,)


def test_a_version_refused_by_hand_is_not_taken_and_the_next_one_is(
    school: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.run(FIRST)
    with monkeypatch.context() as held:
        judge_as(held, school, Severity.HELD)
        with pytest.raises(GuardError):
            school.run(SECOND)
    site = school.site
    with site.holding():
        site.refuse(SECOND, "no")
        with pytest.raises(GuardError, match="is in force; leave it with `filterd feed rollback`"):
            site.refuse(FIRST, "no")
    with pytest.raises(GuardError, match="was refused and stays refused"):
        school.run(SECOND)
    assert school.run(THIRD).became is Became.ACTIVATED


def test_a_version_that_was_left_is_taken_again_only_with_approval(
    school: Follower,
) -> None:
    school.run(FIRST)
    school.run(SECOND)
    site = school.site
    with site.holding():
        assert site.roll_back(say("too many calls")) == FIRST
    assert school.check_consistent(FIRST) == FIRST
    with pytest.raises(GuardError, match="was refused"):
        school.run(SECOND)
    with site.holding():
        site.approve(SECOND, "it was not the lists")
    assert school.check_consistent(SECOND) == SECOND


def test_before_the_first_version_there_is_nothing_to_go_back_to(school: Follower) -> None:
    site = school.site
    with site.holding(), pytest.raises(GuardError, match="the lists that ship are served"):
        site.roll_back(say("why"))


def test_while_a_version_is_held_on_to_no_other_is_even_fetched(school: Follower) -> None:
    school.run(FIRST)
    site = school.site
    with site.holding():
        site.hold("exams")
    with pytest.raises(GuardError, match="version 2 is held"):
        school.run(SECOND)
    assert not school.state.feed_version(SECOND).exists()
    with site.holding():
        site.hold(None)
    assert school.run(SECOND).became is Became.ACTIVATED
    assert (Event.PINNED, FIRST) in _events(school)
    assert (Event.RELEASED, FIRST) in _events(school)


def test_a_version_of_another_publisher_is_another_version(
    school: Follower, tmp_path: Path
) -> None:
    school.run(FIRST)
    publisher = Publisher(tmp_path / "www", now=school.published.now)
    _publish(school, publisher, SECOND)
    site = school.site
    with site.holding():
        site.versions.refuse("9")
        site.establish(publisher.root, replace=True)
        assert site.versions.in_force().refused == ()
        outcome = site.sync(TufArrival(site.trust, FolderFetcher(publisher.folder, school.clock)))
    assert (outcome.became, outcome.version) == (Became.ACTIVATED, FIRST)
    folder = school.state.feed_version(FIRST) / "lists" / "gambling.txt"
    assert "version3.example" in folder.read_text()


def test_a_damaged_version_in_force_is_mended_by_the_next_run(school: Follower) -> None:
    school.run(FIRST)
    (school.state.feed_version(FIRST) / "pins.yaml").write_bytes(b"pins: []\n")
    assert school.run(FIRST).became is Became.ACTIVATED
    assert school.run(FIRST).became is Became.CURRENT


def test_why_nothing_came_is_kept_until_something_comes(school: Follower, tmp_path: Path) -> None:
    school.run(FIRST)
    site = school.site
    with site.holding(), pytest.raises(FetchError):
        site.sync(TufArrival(site.trust, FolderFetcher(tmp_path, school.clock)))
    assert "not found" in site.standing.read().problem
    assert _events(school)[-1][0] is Event.FAILED
    school.run(FIRST)
    assert site.standing.read().problem == ""


def test_what_is_no_root_is_not_trusted(school: Follower) -> None:
    site = school.site
    before = site.trust.given()
    with site.holding(), pytest.raises(MetadataFormatError):
        site.establish(b"{}", replace=True)
    assert site.trust.given() == before


def test_two_do_not_take_the_feed_at_once(school: Follower) -> None:
    site = school.site
    with (
        sole(school.state.feed / "feed.lock", otherwise=say("other")),
        pytest.raises(InUseError, match="another process is taking the feed"),
        site.holding(wait=False),
    ):
        pass


def test_an_outcome_is_plain_data(school: Follower) -> None:
    outcome = school.run(FIRST).to_plain()
    assert outcome["became"] == "activated"
    assert outcome.keys() == {"became", "version", "urgent", "fetched_octets", "names", "at"}


@pytest.mark.parametrize("became", Became)
def test_it_is_reported_as_plain_data(became: Became) -> None:
    outcome = Outcome(became, "7", urgent=6, fetched_octets=10, names=3, at=1.5).to_plain()
    assert json.loads(json.dumps(outcome)) == {
        "became": str(became),
        "version": 7,
        "urgent": 6,
        "fetched_octets": 10,
        "names": 3,
        "at": 1.5,
    }
