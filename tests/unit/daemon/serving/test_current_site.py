# SPDX-License-Identifier: Apache-2.0
"""After the epoch moves no answer is by the site before."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, cast

import pytest

from filterd.base.errors import ControlError, StoreError
from filterd.daemon.serving.current_site import AGAIN_AFTER_S, ActiveSite
from filterd.daemon.shared_page import SharedPage
from filterd.policy.effective_policy import EffectivePolicy
from filterd.texts.i18n import say
from tests.support.clock import FakeClock
from tests.support.policies import NOW

if TYPE_CHECKING:
    from filterd.policy.model import Policy
    from filterd.resolve.site import Site


class Named(str):  # noqa: SLOT000 -- one that has slots could not have a moment
    """A site that is nothing but its name, and lasts."""

    moment = EffectivePolicy(cast("Policy", None))

    def at(self, _now: float) -> Named:
        return Named(f"{self}, later")


def _site(name: str, since: float = -inf, until: float = inf) -> Site:
    site = Named(name)
    site.moment = EffectivePolicy(cast("Policy", None), since, until)
    return cast("Site", site)


class Disk:
    """Gives the site that is on it, and counts how often."""

    def __init__(self) -> None:
        self.site, self.loads = "first", 0

    def load(self) -> Site:
        self.loads += 1
        if self.site == "damaged":
            raise StoreError(say("policy.filterd: damaged"))
        return _site(self.site)


def _active(page: SharedPage, disk: Disk, moved: list[Any] | None = None) -> Any:
    return ActiveSite(page, disk.load, ([] if moved is None else moved).append, FakeClock())


def test_a_worker_begins_with_what_is_on_disk() -> None:
    assert _active(SharedPage(), Disk()).current == "first"


def test_what_is_prepared_is_not_yet_in_force() -> None:
    page, disk = SharedPage(), Disk()
    active = _active(page, disk)
    active.prepare(1, _site("second"))
    assert active.current == "first"


def test_the_epoch_puts_it_in_force_at_once_and_without_a_load() -> None:
    page, disk = SharedPage(), Disk()
    moved: list[Any] = []
    active = _active(page, disk, moved)
    active.prepare(1, _site("second"))
    page.epoch = 1
    assert active.current == "second"
    assert active.current == "second"
    assert (disk.loads, moved) == (1, ["second"])


def test_a_worker_that_has_prepared_nothing_loads_before_it_answers() -> None:
    page, disk = SharedPage(), Disk()
    active = _active(page, disk)
    disk.site = "second"
    page.epoch = 1
    assert active.current == "second"
    assert disk.loads == 2


def test_what_was_prepared_for_another_epoch_is_not_used() -> None:
    page, disk = SharedPage(), Disk()
    active = _active(page, disk)
    active.prepare(1, _site("given up"))
    disk.site = "third"
    page.epoch = 2
    assert active.current == "third"


def test_it_stands_until_the_epoch_moves_whatever_was_prepared() -> None:
    page = SharedPage()
    active = _active(page, Disk())
    before = active.standing
    active.prepare(1, _site("second"))
    assert before.holds_at(NOW)
    page.epoch = 1
    assert not before.holds_at(NOW)
    assert not active.standing.holds_at(NOW)  # nobody has asked for what is in force yet
    assert active.current == "second"
    assert active.standing.holds_at(NOW)


def test_it_stands_within_its_edges() -> None:
    active: Any = ActiveSite(
        SharedPage(), lambda: _site("lesson", NOW - 5, NOW + 5), lambda _: None, FakeClock()
    )
    assert active.current == "lesson"
    stands = [active.standing.holds_at(NOW + after_s) for after_s in (-6, -5, 0, 4.9, 5)]
    assert stands == [False, True, True, True, False]


def test_an_epoch_that_moves_during_the_first_load_is_not_missed() -> None:
    page, disk = SharedPage(), Disk()

    def load() -> Site:
        site = disk.load()
        if disk.loads == 1:
            page.epoch, disk.site = 1, "second"
        return site

    active: Any = ActiveSite(page, load, lambda _: None, FakeClock())
    assert active.current == "second"


def test_where_the_disk_fails_in_that_moment_the_site_before_stays(
    caplog: pytest.LogCaptureFixture,
) -> None:
    page, disk = SharedPage(), Disk()
    active = _active(page, disk)
    disk.site = "damaged"
    page.epoch = 1
    assert active.current == "first"
    assert "damaged; the site before stays, trying again" in caplog.text
    with pytest.raises(StoreError, match="damaged"):
        active.confirm()
    disk.site = "third"
    page.epoch = 2
    active.confirm()
    assert active.current == "third"


class Short:
    """Loads a site when there is memory again, and counts how often it is asked."""

    def __init__(self) -> None:
        self.clock, self.page, self.moved = FakeClock(), SharedPage(), list[Any]()
        self.left, self.loads = True, 0
        self.active: Any = ActiveSite(self.page, self._load, self._note, self.clock)

    def _load(self) -> Site:
        self.loads += 1
        if not self.left:
            raise MemoryError
        return _site(f"site {self.page.epoch}")

    def _note(self, site: Site) -> None:
        if not self.left:
            raise MemoryError
        self.moved.append(site)


def test_without_memory_no_question_fails_and_the_site_before_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    short = Short()
    short.left, short.page.epoch = False, 1
    assert [short.active.current for _ in range(100)] == ["site 0"] * 100
    assert short.loads == 2, "the first one, and one attempt"
    assert caplog.text.count("the site before stays, trying again") == 1
    assert "not enough memory" in caplog.text
    assert "Traceback" not in caplog.text
    with pytest.raises(ControlError, match="not enough memory"):
        short.active.confirm()


def test_what_could_not_be_loaded_is_tried_again_without_another_epoch() -> None:
    short = Short()
    short.left, short.page.epoch = False, 1
    assert short.active.current == "site 0"
    short.left = True
    assert short.active.current == "site 0"
    short.clock.advance(AGAIN_AFTER_S)
    assert short.active.current == "site 1"
    short.active.confirm()
    assert short.moved == ["site 1"]


def test_what_was_prepared_is_there_for_the_next_attempt() -> None:
    short = Short()
    short.active.prepare(1, _site("prepared"))
    short.left, short.page.epoch = False, 1
    assert short.active.current == "prepared", "it moved, and its followers were not told"
    assert short.moved == []
    short.left = True
    short.clock.advance(AGAIN_AFTER_S)
    assert short.active.current == "prepared"
    assert (short.moved, short.loads) == (["prepared"], 1)


def test_after_an_error_the_fast_path_goes_on_until_the_next_attempt() -> None:
    """Without a limit it would answer by the site before for ever."""
    short = Short()
    short.left, short.page.epoch = False, 1
    assert short.active.current == "site 0"
    stands = [short.active.standing.holds_at(NOW + after_s) for after_s in (0, AGAIN_AFTER_S)]
    assert stands == [True, False]
    short.left = True
    short.clock.advance(AGAIN_AFTER_S)
    assert short.active.current == "site 1"
    assert short.active.standing.holds_at(NOW + 1_000_000)


@pytest.mark.control
def test_control_an_error_that_is_let_through_fails_every_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def as_before(self: Any) -> None:
        self._take(self._load())
        self._epoch = self._page.epoch

    monkeypatch.setattr(ActiveSite, "_activate", as_before)
    short = Short()
    short.left, short.page.epoch = False, 1
    for _ in range(3):
        with pytest.raises(MemoryError):
            _ = short.active.current
    assert short.loads == 4


def test_what_is_prepared_too_late_takes_nothing_from_what_is_newer() -> None:
    page, disk = SharedPage(), Disk()
    active = _active(page, disk)
    active.prepare(2, _site("second"))
    active.prepare(1, _site("late"))
    page.epoch = 2
    assert active.current == "second"
    assert disk.loads == 1


def test_being_made_ready_puts_nothing_in_force() -> None:
    page, disk = SharedPage(), Disk()
    moved: list[Any] = []
    active = _active(page, disk, moved)
    page.epoch, disk.site = 1, "second"
    assert active.loaded == "first"
    assert moved == []
    assert active.current == "second"


def _of_a_lesson(clock: FakeClock, moved: list[Any]) -> Any:
    first = _site("first", NOW - 60, NOW + 60)
    return ActiveSite(SharedPage(), lambda: first, moved.append, clock)


def test_at_the_end_of_a_lesson_the_next_one_is_answered_by_to_the_second() -> None:
    clock, moved = FakeClock(), list[Any]()
    active = _of_a_lesson(clock, moved)
    clock.advance(59.9)
    assert active.current == "first"
    clock.advance(0.1)
    assert active.current == "first, later"
    assert active.current == "first, later"
    assert moved == ["first, later"]


def test_a_clock_that_is_set_back_before_a_lesson_ends_it_too() -> None:
    clock, moved = FakeClock(), list[Any]()
    active = _of_a_lesson(clock, moved)
    clock.set_wall(-61)
    assert active.current == "first, later"


def test_what_was_prepared_in_the_lesson_before_is_not_answered_by_in_the_next() -> None:
    page, clock, moved = SharedPage(), FakeClock(), list[Any]()
    active: Any = ActiveSite(page, lambda: _site("first"), moved.append, clock)
    active.prepare(1, _site("second", NOW - 60, NOW + 60))
    clock.advance(60)
    page.epoch = 1
    assert active.current == "second, later"


def test_an_error_at_an_edge_fails_no_query_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock, moved = FakeClock(), list[Any]()
    active = _of_a_lesson(clock, moved)
    clock.advance(60)
    with monkeypatch.context() as broken:
        broken.setattr(Named, "at", None)
        assert [active.current, active.current] == ["first", "first"]
        assert caplog.text.count("what held before stays") == 1
    assert active.current == "first"
    clock.advance(AGAIN_AFTER_S)
    assert active.current == "first, later"
