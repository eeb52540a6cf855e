# SPDX-License-Identifier: Apache-2.0
"""A whole run of the feed, killed at every step on the disk and at any moment.

The invariant: a start serves the old version or the new one, whole, and blocks every
must-block name; the next process completes or undoes the unfinished work; trust never
goes back; and the next honest run leads to the published version.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from filterd.base.state_folder import SHIPPED
from filterd.feed.activation import Activator
from filterd.feed.versions import Versions
from tests.support.dying import dies_at_disk, dying_after, steps_of
from tests.support.feed_site import (
    FIRST,
    SECOND,
    THIRD,
    Follower,
    Published,
    judged_at_once,
    refused_or,
)

if TYPE_CHECKING:
    from collections.abc import Callable

KILLS = int(os.environ.get("FILTERD_FEED_KILLS", "40"))
"""Kills at steps of each scene, evenly over all there are, and so many more at random; a twentieth
while the real guard is at work. 300 are more than any scene has steps: each is killed at."""
_IN_A_ROW, _LEAST_STEPS = 3, 20
_NOTHING = SHIPPED


class Scene(NamedTuple):
    """What is killed: from which version to which, and what is published in the end."""

    name: str
    before: str
    after: str
    work: Callable[[Follower], object]
    published: str


SCENES = (
    Scene("the first version", _NOTHING, FIRST, lambda site: site.run(FIRST), FIRST),
    Scene("the next version", FIRST, SECOND, lambda site: site.run(SECOND), SECOND),
    Scene("the way back", SECOND, FIRST, lambda site: site.leave(SECOND), THIRD),
    Scene("back to what ships", FIRST, _NOTHING, lambda site: site.leave(FIRST), THIRD),
)


pytestmark = [pytest.mark.usefixtures("no_waiting_for_the_disk"), pytest.mark.long]


@pytest.fixture(scope="module")
def published(folder: Path) -> Published:
    return Published(folder / "small")


@pytest.fixture(scope="module")
def starts(folder: Path, published: Published) -> dict[str, Path]:
    """A site as it is with each version in force."""
    return _starts(folder / "starts", published)


def _starts(folder: Path, published: Published) -> dict[str, Path]:
    site = Follower(folder / "site", published)
    site.found()
    made = dict[str, Path]()
    for version in (_NOTHING, FIRST, SECOND):
        if version != _NOTHING:
            with judged_at_once(published):
                site.run(version)
        made[version] = folder / version
        site.copy_to(made[version])
    return made


class Killed:
    """A site in which a run is killed again and again, always from the same beginning."""

    def __init__(
        self, folder: Path, published: Published, starts: dict[str, Path], scene: Scene
    ) -> None:
        self.site, self._start, self._scene = Follower(folder, published), starts, scene
        self.begin()

    def begin(self) -> None:
        """Be as at the start."""
        self.site.restore_from(self._start[self._scene.before])
        self._trusted = self.site.metadata_versions()
        self.served = self._scene.before

    def work(self) -> None:
        """Do what is killed."""
        self._scene.work(self.site)

    def check(self) -> None:
        """See that everything is whole, and becomes what it should."""
        self.check_start()
        self.site.recover()
        now = self.site.check_consistent(self._scene.before, self._scene.after)
        assert now == self._scene.after or self.served == self._scene.before, "it went back again"
        self.check_end()

    def check_start(self) -> None:
        """See what a start finds."""
        self.served = self.site.check_served(self._scene.before, self._scene.after)
        trusted = self.site.metadata_versions()
        assert all(trusted[role] >= self._trusted[role] for role in trusted), trusted
        self._trusted = trusted

    def check_end(self) -> None:
        """See that what is published can be taken."""
        self.site.check_taken(self._scene.published)
        trusted = self.site.metadata_versions()
        assert all(trusted[role] >= self._trusted[role] for role in trusted), trusted
        assert not [*self.site.folder.rglob("*.partial"), *self.site.folder.rglob("*.tmp")]

    def kill_at_steps(self, stride: int, first: int = 0) -> set[str]:
        """Kill at so many steps from one another; return which versions were found in force."""
        step, found = first, set[str]()
        while dies_at_disk(self.work, step):
            self.check()
            found.add(self.served)
            self.begin()
            step += stride
        self.check_end()
        return found

    def count_steps(self) -> int:
        """Return how many steps there are."""
        steps = steps_of(self.work)
        assert steps > _LEAST_STEPS
        self.begin()
        return steps


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_killed_at_every_step_it_is_the_old_version_or_the_new_one(
    folder: Path, published: Published, starts: dict[str, Path], scene: Scene
) -> None:
    with judged_at_once(published):
        killed = Killed(folder / "site", published, starts, scene)
        stride = -(-killed.count_steps() // KILLS)
        assert killed.kill_at_steps(stride) == {scene.before, scene.after}


def test_killed_again_and_again_it_is_the_old_version_or_the_new_one(
    folder: Path, published: Published, starts: dict[str, Path]
) -> None:
    dice = random.Random(1)
    with judged_at_once(published):
        for scene in SCENES:
            killed = Killed(folder / "site", published, starts, scene)
            steps = killed.count_steps()
            for _ in range(-(-KILLS // len(SCENES) // _IN_A_ROW)):
                killed.begin()
                for _ in range(_IN_A_ROW):
                    if not dies_at_disk(killed.work, dice.randrange(steps)):
                        break  # what an earlier one began was finished, and nothing left to do
                    killed.check_start()
                killed.check()


def test_killed_at_any_moment_with_the_guard_at_work_it_is_the_old_version_or_the_new_one(
    folder: Path,
) -> None:
    published = Published(folder / "whole", whole=True)
    starts, dice = _starts(folder / "whole starts", published), random.Random(2)
    killed = Killed(folder / "site", published, starts, SCENES[_FORWARD])
    longest_s = 1.5
    for _ in range(max(KILLS // 20, 1)):
        killed.begin()
        with dying_after(killed.work, dice.uniform(0.0, longest_s)):
            killed.check_start()
            killed.site.recover()
            assert killed.site.check_consistent(FIRST, SECOND) >= killed.served
        killed.site.run(SECOND)
        assert killed.site.check_consistent(SECOND) == SECOND


def test_a_guard_that_is_killed_holds_nothing_against_the_version(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lack of memory, or a shutdown, ends the guard's child first."""
    published = Published(folder / "whole once more", whole=True, count=2)
    site = Follower(folder / "guarded", published)
    site.found()
    with monkeypatch.context() as killing:
        killing.setattr("filterd.feed.guard.judgement._command", lambda: ["sh", "-c", "kill -9 $$"])
        assert "could not be loaded" in refused_or(lambda: site.run(FIRST))
    assert site.check_consistent(_NOTHING) == _NOTHING
    site.check_taken(FIRST)


def _pointer_first(activator: Any, candidate: Any, digest: str) -> None:
    Versions(activator._state.feed).promote(candidate.version)
    _TRUE_ACTIVATE(activator, candidate, digest)


_NO_JOURNAL = SimpleNamespace(save=lambda *_: None, read=lambda _: None)
"""A format of the journal that keeps nothing."""


def _in_place(temporary: Path, path: Path) -> None:
    path.write_bytes(b"")
    path.write_bytes(temporary.read_bytes())
    temporary.unlink()


_TRUE_ACTIVATE = Activator.activate
_FORWARD, _BACK = 1, 2
_ACTIVATION = "filterd.feed.activation"
MUTANTS = {
    "the pointer before the index": (_FORWARD, f"{_ACTIVATION}.Activator.activate", _pointer_first),
    "no journal on the way forward": (_FORWARD, f"{_ACTIVATION}._FORMAT", _NO_JOURNAL),
    "no journal on the way back": (_BACK, f"{_ACTIVATION}._FORMAT", _NO_JOURNAL),
    "an index in place": (_FORWARD, "filterd.lists.index_files.install", _in_place),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_control_careless_code_is_found_out(
    folder: Path,
    published: Published,
    starts: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    mutant: str,
) -> None:
    number, where, instead = MUTANTS[mutant]
    killed = Killed(folder / "site", published, starts, SCENES[number])
    with judged_at_once(published):
        last = killed.count_steps() // 4 if number == _FORWARD else 0  # both begin alike
        monkeypatch.setattr(where, instead)
        with pytest.raises(AssertionError, match=r"pointer|not one of|not all there"):
            killed.kill_at_steps(1, first=3 * last)
