# SPDX-License-Identifier: Apache-2.0
"""``filterd sync``, one run: its output and exit code, in both languages."""

from __future__ import annotations

import json
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.state_folder import BesideFolder
from filterd.cli.feed import feed_sync
from filterd.feed.appliance_files import FollowFile, FollowState, Wanted
from filterd.feed.feed_config import followed
from filterd.feed.follower import Keeper
from filterd.feed.signed.arrival import TufArrival
from filterd.feed.standing import Event, History, overview
from filterd.lists.catalogs.catalog import shipped_sources
from filterd.texts.i18n import Texts
from tests.support.commands import call
from tests.support.feed_site import FIRST, SECOND

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.clock import FakeClock
    from tests.support.commands import Outcome
    from tests.support.feed_site import Follower


def _sync(school: Follower, *words: str | Path, lang: str = "en") -> Outcome:
    places = ("--config", school.config, "--state", school.state.folder, "--lang", lang)
    return call("sync", *words, *places)


@pytest.fixture(autouse=True)
def _evening(evening: FakeClock) -> None:
    """It is the evening on which the small feed was published."""


def test_a_version_from_a_stick_comes_in_force_and_is_reported(school: Follower) -> None:
    done = _sync(school, "--from", school.published.at(FIRST))
    assert done.code == 0
    assert done.out.startswith(f"Version {FIRST} is in force: ")
    assert school.check_consistent(FIRST) == FIRST


def test_nothing_new_is_reported_as_such_in_vietnamese(school: Follower) -> None:
    stick = school.published.at(FIRST)
    _sync(school, "--from", stick)
    done = _sync(school, "--from", stick, lang="vi")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"Phiên bản {FIRST} đang có hiệu lực; không có gì mới.\n"


@pytest.mark.parametrize(
    ("lang", "warning"), [("en", "the last good policy"), ("vi", "cấu hình đúng gần nhất")]
)
def test_a_site_that_is_wrong_is_reported_beside_what_came_in_force(
    school: Follower, lang: str, warning: str
) -> None:
    _sync(school, "--from", school.published.at(FIRST))
    with (school.config / "site.yaml").open("a") as file:
        file.write("listne: 5\n")
    done = _sync(school, "--now", "--from", school.published.at(SECOND), lang=lang)
    assert done.code == 0
    assert school.check_consistent(SECOND) == SECOND
    first, second = done.err.splitlines()
    assert warning in first
    assert "site.yaml" in second
    assert "listne" in second


def test_a_waiting_version_shows_its_time_and_how_to_take_it_at_once(school: Follower) -> None:
    _sync(school, "--from", school.published.at(FIRST))
    school.site.appliance.id_path.write_text("00" * 16)
    done = _sync(school, "--from", school.published.at(SECOND))
    assert "this school's turn is from 15:00 16/01/2027" in done.out
    assert "filterd sync --now" in done.out
    assert _sync(school, "--now", "--from", school.published.at(SECOND)).code == 0
    assert school.check_consistent(SECOND) == SECOND


def test_scripts_get_plain_data_and_nothing_else(school: Follower) -> None:
    done = _sync(school, "--json", "--from", school.published.at(FIRST))
    printed = json.loads(done.out)
    assert (printed["became"], printed["version"], done.err) == ("activated", int(FIRST), "")


def test_the_error_of_a_site_without_a_feed_names_the_key(school: Follower) -> None:
    site = school.config / "site.yaml"
    site.write_text(site.read_text().replace("feed: https://feed.example/\n", ""))
    done = _sync(school, "--from", school.published.at(FIRST))
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert f"{site}: the site follows no feed (add its address there" in done.err


@pytest.mark.parametrize(
    ("damage", "code", "words"),
    [
        ("no folder", 2, "there is no folder"),
        ("an empty folder", 31, "not found:"),
        ("no root", 46, "filterd feed trust ROOT.json"),
    ],
)
def test_what_is_wrong_has_a_line_and_a_code_of_its_own(
    school: Follower, tmp_path: Path, damage: str, code: int, words: str
) -> None:
    source = tmp_path / "stick"
    if damage != "no folder":
        source.mkdir()
    if damage == "no root":
        school.site.trust.root.unlink()
    for lang in ("en", "vi"):
        done = _sync(school, "--from", source, lang=lang)
        assert (done.code, len(done.error_lines), done.out) == (code, 1, "")
        if lang == "en":
            assert words in done.err


def test_following_goes_on_until_it_is_stopped(
    school: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked = list[Keeper]()

    def work(keeper: Keeper) -> float:
        worked.append(keeper)
        if len(worked) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return 0.0

    monkeypatch.setattr(Keeper, "work", work)
    assert threading.current_thread() is threading.main_thread()
    handlers = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    here: Any = type("Here", (), {})()
    here.config, here.state, here.clock = school.config, school.state, school.clock
    here.texts = Texts("en")
    try:
        with pytest.raises(SystemExit) as end:
            feed_sync._follow(here)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert end.value.code == 0
    assert len(worked) == 3


def test_public_lists_beside_the_feed_have_a_keeper_of_their_own(
    school: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (school.config / "site.yaml").open("a", encoding="utf-8") as file:
        file.write("follow: [urlhaus]\n")
    kept, both = dict[bool, Keeper](), threading.Event()

    def work(keeper: Keeper) -> float:
        kept[keeper._site.is_beside] = keeper
        if len(kept) == 2:
            both.set()
        return 0.01

    def sleep(_seconds: float) -> None:
        assert both.wait(10)
        raise SystemExit(0)

    monkeypatch.setattr(Keeper, "work", work)
    monkeypatch.setattr("filterd.cli.feed.feed_sync.time.sleep", sleep)
    monkeypatch.setattr("filterd.cli.feed.feed_sync.signal.signal", lambda *_: None)
    here: Any = type("Here", (), {})()
    here.config, here.state, here.clock = school.config, school.state, school.clock
    here.texts = Texts("en")
    with pytest.raises(SystemExit):
        feed_sync._follow(here)
    followed = {one: keeper._followed() for one, keeper in kept.items()}
    assert (followed[False].address, followed[False].sources) == ("https://feed.example/", ())
    assert (followed[True].address, len(followed[True].sources)) == ("", 1)


def test_lists_that_the_file_has_no_more_are_noted_as_such(school: Follower) -> None:
    here: Any = type("Here", (), {})()
    here.config, here.state, here.clock = school.config, school.state, school.clock
    kept = FollowFile(school.state.feed)
    kept.write(FollowState(last=(Wanted("urlhaus"),)))

    def beside() -> Any:
        return overview("https://feed.example/", school.state, school.clock)["beside"]

    follows = followed(school.config, school.state)
    feed_sync._note_removed(here, follows._replace(sources=shipped_sources()[:1]))
    assert beside() is not None
    feed_sync._note_removed(here, follows)
    assert beside() is None
    (school.config / "site.yaml").write_text("listen: [nonsense]\n")
    assert followed(school.config, school.state).sources == ()
    assert History(BesideFolder(school.state.folder).feed).lines()[-1].event is Event.SOURCES


def test_a_long_download_is_shown_while_it_lasts(school: Follower) -> None:
    shown = list[tuple[int, int]]()
    here: Any = type("Here", (), {})()
    here.config, here.state, here.clock = school.config, school.state, school.clock
    here.texts = Texts("en")
    site = feed_sync.lists_of(here, lambda *answer: shown.append(answer)).site()
    from filterd.feed.signed.fetchers import FolderFetcher  # noqa: PLC0415 -- this test alone

    with site.holding():
        site.sync(TufArrival(site.trust, FolderFetcher(school.published.at(FIRST), school.clock)))
    (done, total), judging = shown[-2:]
    assert done == total > 0
    assert judging == (0, 0)


def test_its_help_names_each_exit_code_in_both_languages() -> None:
    for lang in ("en", "vi"):
        shown = call("sync", "--help", "--lang", lang).out
        for code in ("0:", "2:", "30", "36:", "40", "46:", "50:"):
            assert code in shown
        assert max(map(len, shown.splitlines())) <= 80
