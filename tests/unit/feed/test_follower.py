# SPDX-License-Identifier: Apache-2.0
"""The process that follows a feed through nights, urgent orders, bad lines and bad versions."""

from __future__ import annotations

import errno
import logging
import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from filterd.base.errors import FetchError, StoreError
from filterd.feed import follower
from filterd.feed.appliance_files import ApplianceFolder
from filterd.feed.feed_config import Followed
from filterd.feed.follower import MOST_RETRIES, Keeper
from filterd.feed.schedule import CHECK_S, FIRST_S, FRESH_S
from filterd.feed.signed.arrival import TufArrival, TufOffer
from filterd.feed.signed.fetchers import FolderFetcher
from filterd.feed.sync import Became, Outcome, SiteFeed
from filterd.feed.version_watch import WATCH_S, Daemon
from filterd.lists.catalogs.catalog import shipped_sources
from filterd.publish.signing import targets_of
from filterd.texts.i18n import say
from tests.support.feed_site import FIRST, SECOND, THIRD, Follower
from tests.support.publisher import Publisher

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.feed.followed.fresh_arrival import FreshArrival
    from filterd.texts.i18n import Sentence

pytestmark = pytest.mark.usefixtures("warm_children")


DAY_S = 86_400.0
EVERY_S = 300.0
FEED = Followed("https://feed.example/", "Asia/Ho_Chi_Minh")


class Serving(Daemon):
    """A daemon whose counters a test sets."""

    def __init__(self) -> None:
        self.answers = {"cached": 1_000}

    def status(self) -> dict[str, Any]:
        return {"answers": dict(self.answers), "workers": 1}


class Kept:
    """A school that a keeper looks after, and the folder that the feed is in for now."""

    def __init__(self, school: Follower) -> None:
        self.school, self.feed = school, FEED
        self.source: Path = school.published.at(FIRST)
        self.asked = 0
        self.fails: Callable[[], FetchError] | None = None
        school.daemon = Serving()
        self.begin()

    def begin(self) -> None:
        """Have the process begin (anew)."""
        school = self.school
        self.keeper = Keeper(
            school.site,
            lambda: self.feed,
            self._arrival,
            school.clock,
            school.daemon,
            lambda: 0.5,
        )
        self.keeper.start()

    def _arrival(self, feed: Followed) -> TufArrival:
        assert feed == self.feed
        self.asked += 1
        if self.fails is not None:
            raise self.fails()
        fetcher = FolderFetcher(self.source, self.school.clock)
        return TufArrival(self.school.site.trust, fetcher)

    def live(self, seconds: float) -> None:
        """Let so much time pass, with all that is due in it."""
        clock = self.school.clock
        ends = clock.monotonic() + seconds
        while clock.monotonic() < ends:
            wait_s = self.keeper.work()
            assert 0 <= wait_s <= EVERY_S
            clock.advance(min(wait_s, ends - clock.monotonic()))

    @property
    def in_force(self) -> str | None:
        return self.school.site.versions.in_force().current


@pytest.fixture
def kept(school: Follower, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """Have it look for harm every five minutes: a day has fewer steps."""
    monkeypatch.setattr(follower, "EVERY_S", EVERY_S)
    return Kept(school)


def test_the_first_version_comes_within_a_minute(kept: Kept) -> None:
    kept.live(FIRST_S)
    assert kept.in_force == FIRST


def test_each_night_is_asked_once_beside_the_light_checks(kept: Kept) -> None:
    kept.live(FIRST_S)
    kept.asked = 0
    kept.live(DAY_S)
    assert kept.asked == DAY_S / CHECK_S + 1


def test_a_new_version_is_taken_by_the_third_night(kept: Kept) -> None:
    kept.live(FIRST_S)
    kept.source = kept.school.published.at(SECOND)
    kept.live(2.5 * DAY_S)
    assert kept.in_force == SECOND


def test_an_urgent_version_is_in_force_within_eleven_minutes(kept: Kept, tmp_path: Path) -> None:
    publisher = Publisher(tmp_path / "www", now=kept.school.published.now)

    def publish(version: str, *, urgent: bool) -> None:
        content = kept.school.published.folder / "content" / version
        targets = targets_of(content, [])
        publisher.repository.publish(targets, publisher.signers, now=publisher.now, urgent=urgent)

    kept.school.site.establish(publisher.root, replace=True)
    kept.source = publisher.folder
    publish(FIRST, urgent=False)
    kept.live(DAY_S)
    assert kept.in_force == FIRST
    publish(SECOND, urgent=True)
    kept.live(660)
    assert kept.in_force == SECOND
    assert kept.school.check_consistent(SECOND)


def test_without_a_trusted_root_no_server_is_asked_until_one_is_trusted(kept: Kept) -> None:
    root = kept.school.site.trust.root
    content = root.read_bytes()
    root.unlink()
    kept.live(DAY_S)
    assert kept.asked == 0
    root.write_bytes(content)
    kept.live(FIRST_S + EVERY_S)
    assert kept.in_force == FIRST


def test_a_site_without_a_feed_asks_no_server_until_it_names_one(kept: Kept) -> None:
    kept.feed = Followed("", FEED.time_zone)
    kept.live(DAY_S)
    assert kept.asked == 0
    kept.feed = FEED
    kept.live(FIRST_S + EVERY_S)
    assert kept.in_force == FIRST


def test_what_the_night_did_not_bring_is_tried_again_less_and_less_often(kept: Kept) -> None:
    kept.fails = lambda: FetchError(say("no network"))
    kept.live(DAY_S)
    runs = kept.asked - DAY_S / CHECK_S
    assert 4 <= runs <= 8
    kept.fails = None
    kept.live(DAY_S)
    assert kept.in_force == FIRST


def test_a_server_that_asks_to_be_left_alone_is(kept: Kept) -> None:
    def busy() -> FetchError:
        error = FetchError(say("too many"))
        error.retry_after_s = 3_600.0
        return error

    kept.fails = busy
    kept.live(FIRST_S)
    kept.asked = 0
    kept.live(3_500)
    assert kept.asked == 0


def test_a_version_that_does_harm_is_taken_back_within_a_minute(kept: Kept) -> None:
    kept.live(FIRST_S)
    kept.live(WATCH_S)
    kept.school.run(SECOND)
    assert kept.in_force == SECOND
    kept.school.daemon.answers["blocked"] = 900  # type: ignore[attr-defined]
    kept.live(61)
    assert kept.in_force == FIRST
    assert kept.school.check_consistent(FIRST) == FIRST
    history = kept.school.site.history.lines()
    assert "100 % of answers were blocks" in history[-1].why


def test_a_version_that_does_none_is_left_alone_after_ten_minutes(kept: Kept) -> None:
    kept.live(FIRST_S)
    assert kept.school.site.watches.read(kept.school.clock) is not None
    kept.live(WATCH_S + 2 * EVERY_S)  # it may have begun with the last step
    assert kept.school.site.watches.read(kept.school.clock) is None
    kept.school.daemon.answers["blocked"] = 10_000  # type: ignore[attr-defined]
    kept.live(61)
    assert kept.in_force == FIRST


def test_harm_that_follows_a_way_back_rolls_nothing_else_back(kept: Kept) -> None:
    kept.live(FIRST_S)
    kept.school.run(SECOND)
    watch = kept.school.site.watches.read(kept.school.clock)
    kept.school.leave(SECOND)
    assert watch is not None
    kept.school.site.watches.begin(watch)  # as if the rollback had been killed in between
    kept.school.daemon.answers["blocked"] = 9_000  # type: ignore[attr-defined]
    kept.live(61)
    assert kept.in_force == FIRST


def test_a_night_that_is_done_is_not_repeated_after_a_start(kept: Kept) -> None:
    kept.live(DAY_S)
    kept.asked = 0
    kept.begin()
    kept.live(1_800)
    assert kept.asked == 3  # light checks


def test_an_activation_of_a_killed_process_is_finished_first(kept: Kept) -> None:
    kept.live(FIRST_S)
    (kept.school.state.feed / "activation.json").write_text(
        '{"step": "forward", "version": 9, "digest": ""}'
    )
    kept.begin()
    assert not (kept.school.state.feed / "activation.json").exists()


def test_a_feed_that_gets_old_is_reported_louder_and_louder(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    kept.live(FIRST_S)
    kept.fails = lambda: FetchError(say("no network"))

    def loudest() -> int:
        levels = [record.levelno for record in caplog.records if "last verified" in record.message]
        caplog.clear()
        return max(levels, default=0)

    loudest()
    for days, level in ((5, 0), (2, logging.WARNING), (22, logging.ERROR)):
        kept.school.clock.advance(days * DAY_S)
        kept.live(DAY_S)
        assert loudest() == level


def test_a_disk_that_refuses_ends_nothing(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuses(_: ApplianceFolder) -> bytes:
        raise StoreError(say("read-only"))

    with monkeypatch.context() as patch:
        patch.setattr(ApplianceFolder, "appliance_id", refuses)
        kept.live(600)
    assert [record.message for record in caplog.records].count("read-only") == 1
    kept.live(FIRST_S)
    assert kept.in_force == FIRST


def test_while_a_version_is_held_on_to_the_feed_is_asked_as_always(kept: Kept) -> None:
    kept.live(FIRST_S)
    kept.school.site.hold("exams")
    kept.source = kept.school.published.at(THIRD)
    kept.asked = 0
    kept.live(2 * DAY_S)
    assert kept.asked == 2 * (DAY_S / CHECK_S + 1)
    assert kept.in_force == FIRST


def test_a_folder_that_the_disk_refuses_does_not_end_the_process(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept.live(FIRST_S)
    root, stat = kept.school.site.trust.root, Path.stat

    def failing(path: Path, *given: Any, **named: Any) -> os.stat_result:
        if path == root:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return stat(path, *given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", failing)
        kept.live(3 * EVERY_S)
    (message,) = (one for one in caplog.messages if "Permission denied" in one)
    assert str(root) in message
    kept.live(DAY_S)
    assert kept.school.site.versions.in_force().current == FIRST


def _runs(kept: Kept, seconds: float, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many runs there are in so much time."""
    sync, runs = SiteFeed.sync, list[str]()

    def counted(*given: Any, **how: Any) -> Any:
        runs.append("")
        return sync(*given, **how)

    monkeypatch.setattr(SiteFeed, "sync", counted)
    kept.live(seconds)
    return len(runs)


def test_what_a_busy_server_kept_back_is_asked_for_again_three_times(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TufOffer, "retry_after_s", 1_800.0)
    assert _runs(kept, 4 * 3_600.0, monkeypatch) == 1 + MOST_RETRIES
    assert kept.in_force == FIRST
    assert kept.school.site.appliance.done_at() is not None


def test_control_what_came_whole_is_not_asked_for_again(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _runs(kept, 4 * 3_600.0, monkeypatch) == 1


def test_after_each_run_something_else_is_done_and_its_outcome_logged_once(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes = iter(["first", "first", "second"])
    kept.keeper._afterwards = lambda: say("{why}", why=next(outcomes, "second"))
    with caplog.at_level(logging.INFO, "filterd.feed"):
        kept.live(2.5 * DAY_S)
    messages = [message for message in caplog.messages if message in ("first", "second")]
    assert messages == ["first", "second"]


def test_what_fails_after_a_run_ends_nothing(kept: Kept) -> None:
    def fails() -> Sentence:
        raise StoreError(say("no disk"))

    kept.keeper._afterwards = fails
    kept.live(60.0)
    assert kept.in_force == FIRST


class _Quiet:
    """An arrival of which nothing is urgent."""

    def urgent(self) -> int:
        return 0


class _Fresh:
    """Arrivals of lists that change all day, which a keeper asks for."""

    def __init__(
        self, kept: Kept, monkeypatch: pytest.MonkeyPatch, *, changes: bool = True
    ) -> None:
        self.at, self.fails = list[float](), False
        source = replace(shipped_sources()[0], between_nights=changes)
        kept.feed = Followed("", "Asia/Ho_Chi_Minh", (source,))
        school, site = kept.school, kept.school.site
        monkeypatch.setattr(site, "freshen", self._freshen)
        monkeypatch.setattr(site, "sync", lambda _: Outcome(Became.CURRENT, "web-1", 0))
        self._clock = school.clock
        kept.keeper = Keeper(
            site,
            lambda: kept.feed,
            lambda _: cast("TufArrival", _Quiet()),
            school.clock,
            school.daemon,
            lambda: 0.5,
            fresh=lambda feed: cast("FreshArrival", feed),
        )

    def _freshen(self, _: object) -> None:
        self.at.append(self._clock.monotonic())
        if self.fails:
            raise FetchError(say("{why}", why="busy"))


def test_lists_that_change_all_day_are_asked_for_every_four_hours(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = _Fresh(kept, monkeypatch)
    kept.live(DAY_S)
    assert 4 <= len(fresh.at) <= 6
    # The first begins at a place of this school's own: sums of it are rounded.
    assert all(later - before >= FRESH_S - 1e-3 for before, later in pairwise(fresh.at))


def test_lists_of_the_night_alone_are_not_asked_for_by_day(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = _Fresh(kept, monkeypatch, changes=False)
    kept.live(DAY_S)
    assert fresh.at == []


def test_what_fails_by_day_is_asked_for_four_hours_later(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = _Fresh(kept, monkeypatch)
    fresh.fails = True
    kept.live(DAY_S)
    assert 4 <= len(fresh.at) <= 6
