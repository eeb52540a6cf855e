# SPDX-License-Identifier: Apache-2.0
"""A version comes in force as a whole, and goes as a whole, whenever a process dies over it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ControlError, DigestError, FilterdError, GuardError, StoreError
from filterd.base.state_folder import StateFolder
from filterd.config.lists_build import build_lists
from filterd.feed.activation import Activator
from filterd.feed.signed.trust import TrustFolder
from filterd.feed.version_watch import Daemon
from filterd.feed.versions import Candidate, Versions
from filterd.lists.index import Index
from filterd.lists.index_files import Blocklists, blocklists_in_force, version_of
from filterd.texts.i18n import say
from filterd.wire import name as names
from tests.support.dying import dies_at_disk
from tests.support.feed_folders import put_in_force, put_version
from tests.support.made_once import MadeOnce

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("warm_children")

NAMES = {"12": "twelve.example", "13": "thirteen.example", "14": "fourteen.example"}


class Reloading(Daemon):
    """Notes which index it is to serve; refuses where a test wants that."""

    def __init__(self, state: StateFolder) -> None:
        self._state, self.served, self.refuses = state, list[str | None](), False

    def reload(self) -> None:
        if self.refuses:
            raise ControlError(say("it is not met"))
        self.served.append(version_of(self._state.index))


class Place:
    """A site with version 12 in force and 13 judged, its index ready."""

    def __init__(self, folder: Path) -> None:
        self.state = StateFolder(folder)
        self.versions = put_in_force(self.state, "12", NAMES["12"])
        self.daemon = Reloading(self.state)
        self.built = list[Blocklists]()
        self.compiled = dict[str, bytes]()
        self.ready("13")

    def ready(self, version: str) -> None:
        folder = self.state.feed_version(version)
        if not folder.exists():
            put_version(self.state, version, NAMES[version])
        if version not in self.compiled:
            self.build(Blocklists(folder, version))
            self.compiled[version] = self.state.fresh_index.read_bytes()
            self.built.clear()
        self.state.fresh_index.write_bytes(self.compiled[version])
        self.candidate = Candidate(version, folder)
        self.digest = Index.open(self.state.fresh_index).digest.hex()

    def build(self, blocklists: Blocklists) -> None:
        self.built.append(blocklists)
        build_lists(None, blocklists, self.state.fresh_index, now=0.0)

    @property
    def activator(self) -> Activator:
        return Activator(
            self.state,
            self.daemon,
            self.build,
            TrustFolder(self.state.feed).trusts_version,
        )

    def activate(self) -> None:
        self.activator.activate(self.candidate, self.digest)

    def is_whole(self, version: str) -> bool:
        """Return whether all that a start goes by is of one version."""
        index = Index.open(self.state.index)
        index.verify()
        listed = {one for one in NAMES if index.lookup(names.from_text(NAMES[one]))}
        return blocklists_in_force(self.state).version == version and listed == {version}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce[Place]:
    return MadeOnce(tmp_path_factory.mktemp("place"), lambda folder: Place(folder / "state"))


@pytest.fixture
def place(made: MadeOnce[Place]) -> Place:
    return made.anew()


def test_a_judged_version_comes_in_force(place: Place) -> None:
    place.activate()
    assert place.is_whole("13")
    assert place.versions.in_force().current == "13"
    assert place.versions.in_force().previous == ("12",)
    assert place.daemon.served == ["13"]
    assert version_of(place.state.previous_index) == "12"
    assert place.built == []


def test_another_index_than_the_judged_one_is_not_put_in_force(place: Place) -> None:
    with pytest.raises(StoreError, match="is not the index that was judged"):
        place.activator.activate(place.candidate, "00" * 32)
    octets = bytearray(place.state.fresh_index.read_bytes())
    octets[-100] ^= 1
    place.state.fresh_index.write_bytes(octets)
    with pytest.raises(StoreError, match="is not the index that was judged"):
        place.activate()
    assert place.is_whole("12")


def test_a_damaged_folder_is_not_put_in_force(place: Place) -> None:
    (place.candidate.folder / "pins.yaml").write_bytes(b"pins: []\n")
    with pytest.raises(DigestError):
        place.activate()
    assert place.is_whole("12")


def test_what_the_daemon_refuses_leaves_the_version_before(place: Place) -> None:
    place.daemon.refuses = True
    with pytest.raises(GuardError, match="the daemon refuses it: it is not met"):
        place.activate()
    assert place.is_whole("12")
    assert place.versions.in_force().current == "12"
    place.activator.recover()
    assert place.is_whole("12")


def test_a_held_version_lets_none_follow(place: Place) -> None:
    place.versions.hold("exam week")
    with pytest.raises(GuardError, match="exam week"):
        place.activate()
    assert place.is_whole("12")


def test_the_way_back_needs_no_compiling_and_never_leads_forward_again(place: Place) -> None:
    place.activate()
    assert place.activator.roll_back() == "12"
    assert place.is_whole("12")
    assert place.built == []
    assert place.daemon.served == ["13", "12"]
    place.ready("13")
    with pytest.raises(GuardError, match="was refused and stays refused"):
        place.activate()


def test_two_steps_back_compile_what_is_not_at_hand(place: Place) -> None:
    place.activate()
    place.ready("14")
    place.activate()
    assert place.activator.roll_back() == "13"
    assert place.activator.roll_back() == "12"
    assert place.built == [Blocklists(place.state.feed_version("12"), "12")]
    assert place.is_whole("12")


def test_a_damaged_index_before_is_compiled_anew(place: Place) -> None:
    place.activate()
    octets = bytearray(place.state.previous_index.read_bytes())
    octets[-100] ^= 1
    place.state.previous_index.unlink()
    place.state.previous_index.write_bytes(octets)
    assert place.activator.roll_back() == "12"
    assert len(place.built) == 1
    assert place.is_whole("12")


def test_before_the_first_version_are_the_lists_that_ship(place: Place) -> None:
    assert place.activator.roll_back() is None
    assert blocklists_in_force(place.state).version is None
    assert place.versions.in_force().refused == ("12",)
    with pytest.raises(GuardError, match="no version of the feed is in force"):
        place.activator.roll_back()


def _dying(place: Place, work: Callable[[], object]) -> set[str | None]:
    """Kill ``work`` at every step; what a start finds is whole, and the next run ends it."""
    kept = place.state.folder.with_name("kept")
    shutil.copytree(place.state.folder, kept, symlinks=True)
    step, found = 0, set[str | None]()
    while dies_at_disk(work, step):
        in_place = blocklists_in_force(place.state).version
        assert in_place is not None
        assert place.is_whole(in_place)
        found.add(in_place)
        place.activator.recover()
        after = place.versions.in_force().current
        assert after is not None
        assert after == version_of(place.state.index)
        assert place.is_whole(after)
        shutil.rmtree(place.state.folder)
        shutil.copytree(kept, place.state.folder, symlinks=True)
        step += 1
    assert step > 5
    return found


def test_killed_at_any_step_of_the_way_forward_it_is_the_old_or_the_new(place: Place) -> None:
    assert _dying(place, place.activate) == {"12", "13"}
    assert place.is_whole("13")


def test_killed_at_any_step_of_the_way_back_it_is_the_old_or_the_new(place: Place) -> None:
    place.activate()
    assert _dying(place, place.activator.roll_back) == {"12", "13"}
    assert place.is_whole("12")


def test_control_without_the_journal_a_kill_would_leave_the_pointer_behind(place: Place) -> None:
    """The control: what ``recover`` is for."""
    behind = False
    for step in range(40):
        if not dies_at_disk(place.activate, step):
            break
        (place.state.feed / "activation.json").unlink(missing_ok=True)
        place.activator.recover()
        in_place, pointed = version_of(place.state.index), place.versions.in_force().current
        behind |= (in_place, pointed) == ("13", "12")
        place.state.index.unlink()
        build_lists(
            None, Blocklists(place.state.feed_version("12"), "12"), place.state.index, now=0.0
        )
        place.ready("13")
    assert behind


def test_a_journal_of_an_earlier_release_is_finished(place: Place) -> None:
    place.activate()
    journal = place.state.feed / "activation.json"
    journal.write_bytes(b'{"step": "back", "version": 13, "digest": ""}')
    place.activator.recover()
    assert place.is_whole("12")
    assert not journal.exists()


def test_a_journal_that_is_damaged_was_not_begun(place: Place) -> None:
    (place.state.feed / "activation.json").write_bytes(b"{")
    place.activator.recover()
    assert place.daemon.served == []
    assert place.is_whole("12")


def test_a_version_damaged_after_its_index_was_put_in_place_is_finished_all_the_same(
    place: Place,
) -> None:
    """Else every later run would find the journal, refuse the folder, and mend nothing."""
    step = 0
    while dies_at_disk(place.activate, step):
        if version_of(place.state.index) == "13":
            break
        place.ready("13")
        step += 1
    (place.candidate.folder / "pins.yaml").unlink()
    place.activator.recover()
    assert place.versions.in_force().current == "13"
    assert place.is_whole("13")


def test_what_was_renamed_and_may_not_last_is_finished_by_the_next(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def renamed(temporary: Path, path: Path) -> None:
        temporary.replace(path)
        if path == place.state.index:
            raise OSError(5, "Input/output error")

    with monkeypatch.context() as failing:
        failing.setattr("filterd.lists.index_files.install", renamed)
        with pytest.raises(StoreError, match="Input/output error"):
            place.activate()
    assert (version_of(place.state.index), place.versions.in_force().current) == ("13", "12")
    place.activator.recover()
    assert place.versions.in_force().current == "13"
    assert place.daemon.served == ["13"]


def test_a_way_back_whose_goal_is_damaged_meanwhile_leads_further_back(place: Place) -> None:
    place.activate()
    place.ready("14")
    place.activate()
    step = 0
    while dies_at_disk(place.activator.roll_back, step):
        if version_of(place.state.index) == "13":
            break
        step += 1
    assert place.versions.in_force().current == "14"
    (place.state.feed_version("13") / "pins.yaml").unlink()
    place.activator.recover()
    assert place.versions.in_force().current == "12"
    assert place.is_whole("12")


def test_an_index_that_lost_an_octet_is_served_no_more(place: Place) -> None:
    assert place.activator.is_served("12")
    assert not place.activator.is_served("13")
    octets = bytearray(place.state.index.read_bytes())
    octets[-100] ^= 1
    place.state.index.unlink()
    place.state.index.write_bytes(octets)
    assert version_of(place.state.index) == "12"
    assert not place.activator.is_served("12")


def test_where_nothing_can_be_renamed_the_old_one_stays(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("filterd.lists.index_files.install", full)
    with pytest.raises(FilterdError, match="No space left"):
        place.activate()
    assert place.is_whole("12")
    assert Versions(place.state.feed).in_force().current == "12"
