# SPDX-License-Identifier: Apache-2.0
"""Twenty attacks on a feed, at the first install, later, and after a crash.

Signatures and web server are real. Each attack is refused with its own reason, the
site's trust does not change, and the next honest publication is taken.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tuf.ngclient import Updater

from filterd.base import paths
from filterd.base.errors import FeedError
from filterd.feed.signed.trust import TrustFolder
from filterd.publish.parcels import make_parcel
from tests.support.feed_attacks import ATTACKS, Attack, Stage
from tests.support.publisher import DAY_S, NOW, Publisher, Server, Site, WatchedClock, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TAKEN = b"two.example"


@dataclass
class World:
    """A publisher's history, and sites as it finds them."""

    folder: Path
    publisher: Publisher
    first_timestamp: bytes


@pytest.fixture(scope="module", autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    """What a power cut leaves is asked elsewhere; a killed process loses nothing by it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("nothing")) as running:
        yield running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Publish version 1 long ago, version 2 which sites have, version 3 and the next one."""
    folder = tmp_path_factory.mktemp("world")
    publisher = Publisher(folder / "www", now=NOW - 400 * DAY_S)
    first = (publisher.metadata / "timestamp.json").read_bytes()
    then = NOW - 20 * DAY_S
    orders = make_parcel("orders", [], publisher.signers["orders"], version=2, now=then)
    publisher.publish("two.example", now=then, parcels=[orders])
    Site(folder / "first install", publisher.root)
    assert Site(folder / "normal", publisher.root).take(publisher.folder)["lists/a.txt"] == TAKEN
    publisher.publish("three.example", now=NOW - DAY_S)
    for name, prepare in CRASHES.items():
        shutil.copytree(folder / "normal", folder / name)
        site = Site(folder / name, publisher.root)
        _kill(prepare, lambda site=site: site.refresh(publisher.folder))  # type: ignore[misc]
    shutil.copytree(folder / "www", folder / "next")
    Publisher(folder / "next", signers=publisher.signers).publish("next.example")
    return World(folder, publisher, first)


def _kill(prepare: Callable[[], object], work: Callable[[], object]) -> None:
    """Do some work in a child that is killed where it was prepared to be."""
    child = os.fork()
    if child == 0:
        try:
            prepare()
            work()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_at_install(number: int) -> Callable[[], None]:
    """Die when so many files have been put in place; only in a child."""

    def prepare() -> None:
        install, done = paths.install, 0

        def counted(temporary: Path, path: Path) -> None:
            nonlocal done
            if done == number:
                _die()
            install(temporary, path)
            done += 1

        paths.install = counted

    return prepare


def _die_while_fetching() -> None:
    setattr(Updater, "_load_snapshot", _die)  # noqa: B010 -- only in the child


def _die_when_all_is_kept() -> None:
    keep = TrustFolder.keep

    def kept(trust: TrustFolder, copy: Path) -> None:
        keep(trust, copy)
        _die()

    setattr(TrustFolder, "keep", kept)  # noqa: B010 -- only in the child


CRASHES: dict[str, Callable[[], None]] = {
    "killed while fetching": _die_while_fetching,
    "killed with all verified": _die_at_install(0),
    "killed with new targets": _die_at_install(1),
    "killed with a new snapshot": _die_at_install(2),
    "killed with all kept": _die_when_all_is_kept,
}
FEW = ("first install", "normal")
STATES = (*FEW, *(pytest.param(one, marks=pytest.mark.long) for one in CRASHES if one not in FEW))
"""`make e2e` attacks all of them."""


@pytest.fixture
def stage(world: World, server: Server, tmp_path: Path) -> Stage:
    return a_stage(world, server, tmp_path)


def a_stage(world: World, server: Server, folder: Path) -> Stage:
    www = shutil.copytree(world.folder / "www", folder / "www")
    publisher = Publisher(www, signers=world.publisher.signers)
    server.folder, server.answers = www, {}
    return Stage(publisher, server, WatchedClock(), world.first_timestamp)


def a_site(world: World, stage: Stage, tmp_path: Path, state: str) -> Site:
    folder = shutil.copytree(world.folder / state, tmp_path / "site")
    return Site(folder, world.publisher.root, stage.clock)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_is_refused_and_the_next_honest_version_taken(
    world: World, stage: Stage, tmp_path: Path, attack: Attack, state: str
) -> None:
    site = a_site(world, stage, tmp_path, state)
    attack.do(stage)
    before = site.kept()
    kind, reason = attack.refused, attack.reason
    if state == "first install" and attack.at_first:
        kind, reason = attack.at_first
    with pytest.raises(FeedError, match=reason) as refused:
        site.take(stage.server.url)
    assert type(refused.value) is kind
    assert "\n" not in str(refused.value)
    if not attack.content:
        assert site.kept() == before

    stage.server.folder, stage.server.answers = world.folder / "next", {}
    if attack.name in ("10 freeze", "11 expired root"):
        stage.server.folder = go_on(
            stage, shutil.copytree(world.folder / "next", tmp_path / "next")
        )
    assert site.take(stage.server.url) == {"lists/a.txt": b"next.example"}


def go_on(stage: Stage, folder: Path) -> Path:
    """Publish when time has passed, and after a root that was signed and yet expired."""
    publisher, now = Publisher(folder, signers=stage.publisher.signers), stage.clock.wall()
    for root in stage.publisher.metadata.glob("2.root.json"):
        shutil.copy(root, publisher.metadata)
        publisher.renew_root(now=now)
    publisher.publish("next.example", now=now)
    return folder


def test_each_attack_has_a_reason_of_its_own() -> None:
    """Ten kinds of error, and where two attacks share one, another text."""
    assert len({attack.refused for attack in ATTACKS}) >= 10
    assert len({int(attack.name.split()[0]) for attack in ATTACKS}) == 20


@pytest.mark.parametrize("state", STATES)
def test_without_an_attack_each_site_takes_what_is_new(
    world: World, stage: Stage, tmp_path: Path, state: str
) -> None:
    site = a_site(world, stage, tmp_path, state)
    assert site.take(stage.server.url) == {"lists/a.txt": b"three.example"}


def test_what_is_made_to_cost_much_costs_little(
    world: World, server: Server, tmp_path: Path
) -> None:
    costly = [attack for attack in ATTACKS if attack.name.startswith(("15", "17", "19", "20"))]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    for attack in costly:
        stage = a_stage(world, server, tmp_path / attack.name)
        attack.do(stage)
        site = Site(tmp_path / attack.name / "site", world.publisher.root, stage.clock)
        with pytest.raises(FeedError):
            site.take(server.url)
    assert time.process_time() - began < 1.0 * len(costly)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 50_000  # kB
