# SPDX-License-Identifier: Apache-2.0
"""An update that has begun goes to its end, or back, whatever comes between."""

from __future__ import annotations

import pytest

from filterd.appliance.update.update_decision import UpdateReason
from filterd.appliance.update.update_files import PendingUpdate, UpdateFiles, UpdateStep
from filterd.base.errors import StoreError
from filterd.feed.program_standing import UpdateEnding
from filterd.texts.i18n import say
from tests.support.updated_box import Box, PowerCut


@pytest.mark.parametrize("step", ["fetch", "dpkg", "switched", "start", "watch"])
def test_after_a_power_cut_it_goes_on(box: Box, step: str) -> None:
    box.cut_at = step
    with pytest.raises(PowerCut):
        box.run()
    assert box.run() == UpdateEnding.TAKEN
    assert box.in_service == "1.1.0"


@pytest.mark.parametrize("step", ["roll back", "rolled back"])
def test_after_a_power_cut_on_the_way_back_it_goes_back(box: Box, step: str) -> None:
    box.cut_at, box.harm_now = step, say("port 53 does not answer")
    with pytest.raises(PowerCut):
        box.run()
    assert box.run() == UpdateEnding.TAKEN_BACK
    assert box.in_service == "1.0.0"
    assert box.updates().files.standing.read().refused == ("1.1.0",)


def test_a_release_that_always_ends_in_a_power_cut_is_given_up(box: Box) -> None:
    for _ in range(3):
        box.cut_at = "dpkg"
        with pytest.raises(PowerCut):
            box.run()
        box.boot += "."
    assert box.run() == UpdateEnding.FAILED
    assert box.run() == UpdateReason.TAKEN_BACK


def test_a_release_that_always_ends_the_machine_in_its_watch_is_taken_back(box: Box) -> None:
    for _ in range(3):
        box.cut_at = "watch"
        with pytest.raises(PowerCut):
            box.run()
    assert box.run() == UpdateEnding.TAKEN_BACK
    assert box.in_service == "1.0.0"


def test_after_the_switch_the_release_before_watches_by_day_too(box: Box) -> None:
    box.cut_at = "switched"
    with pytest.raises(PowerCut):
        box.run()
    program = box.updates().files.program
    assert program.readlink() == box.folder_of("1.0.0")
    box.clock.set_wall(6 * 3_600)
    box.harm_now = say("port 53 does not answer")
    assert box.run() == UpdateEnding.TAKEN_BACK


def test_where_others_were_installed_meanwhile_the_update_ends(box: Box) -> None:
    box.cut_at = "watch"
    with pytest.raises(PowerCut):
        box.run()
    box.in_service, box.before, box.harm_now = "3.0.0", "2.0.0", say("port 53 does not answer")
    assert box.run() == UpdateEnding.FAILED
    assert box.updates().steps.pending() is None
    assert box.in_service == "3.0.0"


def test_a_disk_that_the_release_has_filled_does_not_keep_it_in_service(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = UpdateFiles.keep

    def full(files: UpdateFiles, pending: PendingUpdate) -> None:
        if pending.step is not UpdateStep.INSTALL:
            raise StoreError(say("no space left"))
        keep(files, pending)

    monkeypatch.setattr(UpdateFiles, "keep", full)
    box.harm_now = say("port 53 does not answer")
    assert box.run() == UpdateEnding.TAKEN_BACK
    assert box.in_service == "1.0.0"


def test_the_step_is_on_the_disk_before_it_is_done(box: Box) -> None:
    box.cut_at = "watch"
    with pytest.raises(PowerCut):
        box.run()
    pending = box.updates().steps.pending()
    assert pending is not None
    assert pending.step is UpdateStep.WATCH
