# SPDX-License-Identifier: Apache-2.0
"""An update from the offer to its end, and after a power cut at each step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from filterd.appliance.update.update_decision import UpdateReason
from filterd.base.errors import DigestError, FilterdError, InUseError, StoreError, UpdateError
from filterd.config.site_schema import SiteFile
from filterd.feed.appliance_files import ID_OCTETS, ApplianceFolder
from filterd.feed.program_standing import UpdateEnding
from filterd.feed.schedule import PROGRAMS, ring_of
from filterd.texts.i18n import UNSAID, Sentence, say
from tests.support.updated_box import NEWER, NIGHT, NO_FETCHER, Box, PowerCut


def test_a_newer_release_is_installed_watched_and_noted(box: Box) -> None:
    assert box.run() == UpdateEnding.TAKEN
    assert box.done == ["fetch", "dpkg", "switched", "start", "watch"]
    files = box.updates().files
    (ended,) = files.standing.read().endings
    assert (ended.version, ended.before) == ("1.1.0", "1.0.0")
    assert not files.pending.exists() | files.package.exists() | files.program.is_symlink()


def test_a_release_that_does_harm_is_taken_back_and_not_taken_again(box: Box) -> None:
    box.harm_now = say("port 53 does not answer")
    assert box.run() == UpdateEnding.TAKEN_BACK
    assert box.in_service == "1.0.0"
    standing = box.updates().files.standing.read()
    assert str(standing.endings[-1].why) == "port 53 does not answer"
    assert box.run(at_once=True) == UpdateReason.TAKEN_BACK
    box.offered, box.harm_now = replace(NEWER, version="1.2.0"), UNSAID
    assert box.run() == UpdateEnding.TAKEN


def test_control_without_the_watch_a_harmful_release_stays(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.harm_now = say("port 53 does not answer")
    monkeypatch.setattr(Box, "harm", lambda *_: UNSAID)
    assert box.run() == UpdateEnding.TAKEN
    assert box.in_service == "1.1.0"


def test_a_release_that_dpkg_refuses_leaves_the_one_before_in_service(box: Box) -> None:
    box.refuses = say("its self-test failed")
    assert box.run() == UpdateEnding.FAILED
    assert box.in_service == "1.0.0"
    assert box.done[-1] == "restore", "its units are gone, which dpkg may have unpacked"


def test_what_a_power_cut_broke_off_before_the_switch_waits_for_the_night(box: Box) -> None:
    box.cut_at = "dpkg"
    with pytest.raises(PowerCut):
        box.run()
    box.clock.set_wall(6 * 3_600)
    assert box.run() == UpdateReason.WINDOW
    box.clock.set_wall(18 * 3_600)
    assert box.run() == UpdateEnding.TAKEN


def test_the_tries_of_a_release_do_not_count_for_a_newer_one(box: Box) -> None:
    for boot in ("2", "3", "4"):
        box.cut_at = "dpkg"
        with pytest.raises(PowerCut):
            box.run()
        box.boot = boot
    box.offered = replace(NEWER, version="1.2.0")
    assert box.run() == UpdateEnding.TAKEN


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"update": {"automatic": False}}, UpdateReason.OFF),
        ({"lessons": {"early": "03:30-04:15"}}, UpdateReason.LESSON),
        ({"update": {"window": "01:00-03:00"}}, UpdateReason.WINDOW),
        ({"time_zone": "Europe/Paris"}, UpdateReason.WINDOW),
    ],
)
def test_the_site_decides_when(box: Box, keys: dict[str, Any], reason: UpdateReason) -> None:
    box.site = SiteFile.model_validate({"school": {"name": "THCS"}, "unknown": "6", **keys})
    assert box.run() == reason
    assert box.run(at_once=True) == UpdateEnding.TAKEN


def test_without_a_known_clock_nothing_is_taken_by_itself(box: Box) -> None:
    box.clock_known = False
    assert box.run() == UpdateReason.CLOCK


def test_each_school_waits_for_its_ring_and_for_an_urgent_release_none(box: Box) -> None:
    files = box.updates().files
    files.make()
    ApplianceFolder(files.folder).id_path.write_text(bytes(ID_OCTETS).hex(), "ascii")
    box.offered = replace(NEWER, urgent=False, released_at=int(NIGHT))
    assert box.run() == UpdateReason.RING
    box.offered = NEWER
    assert box.run() == UpdateEnding.TAKEN


def test_the_way_back_explains_what_is_wrong_with_the_previous_release(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.harm_now = say("port 53 does not answer")
    starts = iter((UNSAID, say("the daemon does not answer its commands")))
    monkeypatch.setattr(Box, "start", lambda *_: next(starts))
    box.run()
    why = str(box.updates().files.standing.read().endings[-1].why)
    assert why.endswith("serves again, and: the daemon does not answer its commands")


def test_new_releases_each_day_do_not_keep_a_school_waiting_for_ever(box: Box) -> None:
    files = box.updates().files
    files.make()
    ApplianceFolder(files.folder).id_path.write_text(bytes(ID_OCTETS).hex(), "ascii")
    names = (f"1.{number}.0" for number in range(1, 40))
    last = [name for name in names if ring_of(bytes(ID_OCTETS), name, PROGRAMS) == 2]
    for version in last[:10]:
        now = int(box.clock.wall())
        box.offered = replace(NEWER, version=version, urgent=False, released_at=now)
        assert box.run() == UpdateReason.RING
        box.clock.advance(86_400)
    assert box.run() == UpdateEnding.TAKEN


@pytest.mark.parametrize("offered", ["1.0.0", "0.9.9"])
def test_an_older_release_is_refused_at_an_administrators_word_too(box: Box, offered: str) -> None:
    box.offered = replace(NEWER, version=offered)
    assert box.run(at_once=True) == UpdateReason.NOT_NEWER


def test_an_exam_delays_and_not_for_ever(box: Box) -> None:
    box.exams = ("room-1",)
    nights = 0
    while box.run() == UpdateReason.EXAM:
        nights += 1
        box.clock.advance(86_400)
    assert nights == 14
    assert box.in_service == "1.1.0"


def test_a_daemon_that_lies_about_exams_by_day_wins_no_time(box: Box) -> None:
    for _ in range(14):
        box.exams = ("made up",)
        assert box.run() == UpdateReason.EXAM
        box.exams = ()
        box.clock.set_wall(12 * 3_600)
        assert box.run() == UpdateReason.WINDOW
        box.clock.set_wall(12 * 3_600)
    box.exams = ("made up",)
    assert box.run() == UpdateEnding.TAKEN


@pytest.mark.parametrize("states", [[], {"day": []}, {"day": {"exams": 7}}])
def test_a_daemon_that_states_nonsense_delays_no_longer_than_an_exam(
    box: Box, states: object
) -> None:
    box.states = states
    for _ in range(15):
        ended = box.run()
        box.clock.advance(86_400)
    assert box.in_service == "1.1.0", ended


def test_a_clock_that_was_years_ahead_does_not_make_the_delay_longer(box: Box) -> None:
    box.exams = ("room-1",)
    box.clock.advance(3_650 * 86_400)
    assert box.run() == UpdateReason.EXAM
    box.clock.advance(-3_650 * 86_400)
    assert box.run() == UpdateReason.EXAM
    box.clock.advance(14 * 86_400)
    assert box.run() == UpdateEnding.TAKEN


def test_an_exam_keeps_an_administrator_from_it_too(box: Box) -> None:
    box.exams = ("room-1",)
    assert box.run(at_once=True) == UpdateReason.EXAM


def test_held_releases_are_not_taken_until_the_hold_ends(box: Box) -> None:
    box.updates().files.make()
    box.updates().hold(NIGHT + 3_600)
    assert box.run() == UpdateReason.HELD
    box.clock.set_wall(86_400)
    assert box.run() == UpdateEnding.TAKEN


def test_a_hold_that_has_ended_already_is_refused(box: Box) -> None:
    with pytest.raises(FilterdError, match="that time has passed"):
        box.updates().hold(NIGHT - 1)


def test_while_another_program_installs_packages_nothing_is_refused(box: Box) -> None:
    box.is_busy = True
    with pytest.raises(InUseError):
        box.run()
    box.is_busy = False
    box.clock.set_wall(12 * 3_600)
    assert box.run() == UpdateReason.WINDOW, "it is decided again"
    box.clock.set_wall(12 * 3_600)
    assert box.run() == UpdateEnding.TAKEN


def test_a_package_that_is_not_the_signed_one_changes_nothing(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object) -> None:
        raise DigestError(say("not the one that was signed"))

    monkeypatch.setattr(box, "fetch", damaged)
    with pytest.raises(DigestError):
        box.run()
    assert box.updates().steps.pending() is None
    assert str(box.updates().files.standing.read().why) == "not the one that was signed"


def test_a_disk_without_room_is_one_sentence_before_anything_is_fetched(box: Box) -> None:
    box.offered = replace(NEWER, octets=10**15)
    with pytest.raises(StoreError, match="make room on the disk"):
        box.run(at_once=True)
    assert box.done == []
    assert box.updates().steps.pending() is None


def test_a_second_update_does_not_disturb_the_one_that_has_begun(box: Box) -> None:
    updates = box.updates()
    with updates.holding():
        updates.look(NO_FETCHER)
        with pytest.raises(InUseError):
            updates.look(NO_FETCHER, at_once=True)
        with pytest.raises(InUseError):
            updates.roll_back(UNSAID)
    with box.updates().holding(), pytest.raises(InUseError), box.updates().holding():
        pass


def test_an_administrator_goes_back_and_the_release_is_not_taken_again(box: Box) -> None:
    box.run()
    with box.updates().holding():
        box.updates().roll_back(say("by command"))
    assert box.in_service == "1.0.0"
    assert box.run(at_once=True) == UpdateReason.TAKEN_BACK
    with pytest.raises(UpdateError, match="was taken back here"):
        box.updates().roll_back(UNSAID)


def test_what_a_power_cut_broke_off_does_not_prevent_a_rollback(box: Box) -> None:
    box.cut_at = "dpkg"
    with pytest.raises(PowerCut):
        box.run()
    with box.updates().holding():
        assert box.updates().roll_back(UNSAID).before == "0.9.0"
    assert box.updates().steps.pending() is None


def test_a_release_that_was_built_again_is_known_by_its_version(box: Box) -> None:
    box.run()
    box.in_service, box.versions = "1.1.0.2", {"1.1.0.2": "1.1.0"}
    with box.updates().holding():
        box.updates().roll_back(UNSAID)
    assert box.run(at_once=True) == UpdateReason.TAKEN_BACK


def test_a_refused_version_is_not_taken_for_one_whose_name_it_begins(box: Box) -> None:
    files = box.updates().files
    files.make()
    files.standing.write(replace(files.standing.read(), refused=("0.9",)))
    with box.updates().holding():
        assert box.updates().roll_back(UNSAID).before == "0.9.0"


def test_a_release_that_a_command_took_back_in_its_watch_is_not_reported_as_taken(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    def harm(*_: object) -> Sentence:
        box.in_service, box.before = "1.0.0", "1.1.0"
        return UNSAID

    monkeypatch.setattr(Box, "harm", harm)
    assert box.run() == UpdateEnding.ROLLED_BACK


@pytest.mark.parametrize("harm", [UNSAID, say("port 53 does not answer")])
def test_an_administrator_goes_back_in_the_very_watch(box: Box, harm: Sentence) -> None:
    """The watch, which another process does under the lock, ends with it."""

    def go_back() -> None:
        box.harm_now = harm  # the services have just been started again
        updates = box.updates()
        with pytest.raises(InUseError), updates.holding():
            raise AssertionError
        ended = updates.put_back(say("by command"))
        assert (ended.ending, ended.before) == (UpdateEnding.ROLLED_BACK, "1.0.0")
        with pytest.raises(InUseError):  # it is back
            updates.put_back(say("by command"))

    box.in_its_watch = go_back
    assert box.run() == UpdateEnding.ROLLED_BACK
    assert (box.in_service, box.done.count("roll back")) == ("1.0.0", 1)
    box.in_its_watch = None
    assert box.run(at_once=True) == UpdateReason.TAKEN_BACK


def test_an_administrator_goes_back_while_the_release_does_not_serve(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(*_: object) -> Sentence:
        box.updates().put_back(say("by command"))
        return say("port 53 does not answer")

    monkeypatch.setattr(Box, "start", start)
    box.in_its_watch = lambda: None
    assert box.run() == UpdateEnding.ROLLED_BACK
    assert (box.in_service, box.done.count("roll back")) == ("1.0.0", 1)


@pytest.mark.parametrize("step", ["start", "watch"])
def test_a_watch_that_was_interrupted_is_ended_by_a_rollback(box: Box, step: str) -> None:
    box.cut_at = step
    with pytest.raises(PowerCut):
        box.run()
    updates = box.updates()
    with updates.holding(), pytest.raises(InUseError):
        updates.roll_back(UNSAID)
    assert updates.put_back(UNSAID).before == "1.0.0"
    with updates.holding():
        ended = updates.steps.go_on()
    assert ended is not None
    assert (ended.version, ended.ending) == ("1.1.0", UpdateEnding.ROLLED_BACK)
    assert box.in_service == "1.0.0"
    assert updates.steps.pending() is None


def test_what_is_not_in_service_yet_is_not_put_back(box: Box) -> None:
    updates = box.updates()
    with updates.holding():
        updates.look(NO_FETCHER)
        with pytest.raises(InUseError):
            updates.put_back(UNSAID)
    assert box.in_service == "1.0.0"


def test_no_offer_is_no_news(box: Box) -> None:
    box.offered = None
    assert box.run() == ""
    assert box.updates().files.standing.read().looked_at == NIGHT


def test_all_may_read_how_it_stands(box: Box) -> None:
    box.run()
    assert (box.folder / "install" / "standing").stat().st_mode & 0o777 == 0o644
