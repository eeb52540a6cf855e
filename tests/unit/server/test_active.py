# SPDX-License-Identifier: Apache-2.0
"""From the moment at which the epoch moves nobody answers by the site before (dns.md §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from filterd.errors import StoreError
from filterd.server.active import ActiveSite
from filterd.server.page import SharedPage

if TYPE_CHECKING:
    from filterd.resolve.site import Site


def _site(name: str) -> Site:
    return cast("Site", name)


class Disk:
    """Gives the site that is on it, and counts how often."""

    def __init__(self) -> None:
        self.site, self.loads = "first", 0

    def load(self) -> Site:
        self.loads += 1
        if self.site == "damaged":
            raise StoreError("policy.filterd: damaged")
        return _site(self.site)


def _active(page: SharedPage, disk: Disk, moved: list[Any] | None = None) -> Any:
    return ActiveSite(page, disk.load, ([] if moved is None else moved).append)


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


def test_an_epoch_that_moves_during_the_first_load_is_not_missed() -> None:
    page, disk = SharedPage(), Disk()

    def load() -> Site:
        site = disk.load()
        if disk.loads == 1:
            page.epoch, disk.site = 1, "second"
        return site

    active: Any = ActiveSite(page, load, lambda _: None)
    assert active.current == "second"


def test_where_the_disk_fails_in_that_moment_the_site_before_stays(
    caplog: pytest.LogCaptureFixture,
) -> None:
    page, disk = SharedPage(), Disk()
    active = _active(page, disk)
    disk.site = "damaged"
    page.epoch = 1
    assert active.current == "first"
    assert "damaged; the site before stays" in caplog.text
    with pytest.raises(StoreError, match="damaged"):
        active.confirm()
    disk.site = "third"
    page.epoch = 2
    active.confirm()
    assert active.current == "third"


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
