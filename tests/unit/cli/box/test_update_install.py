# SPDX-License-Identifier: Apache-2.0
"""What the user that fetches has mirrored, root verifies again; dpkg is a stand-in."""

from __future__ import annotations

import io
import os
import shutil
import threading
from typing import TYPE_CHECKING, Any, cast

import pytest
from rich.console import Console

from filterd.appliance.machine_changes import PackageManager
from filterd.appliance.releases import Releases
from filterd.appliance.update.program_update import ProgramUpdate
from filterd.appliance.update.update_files import UpdateFiles
from filterd.appliance.update.update_steps import UpdatedMachine
from filterd.appliance.update.update_watch import ServedBefore
from filterd.base.errors import (
    ConfigError,
    DigestError,
    RollbackError,
    StoreError,
    TooLargeError,
    UpdateError,
)
from filterd.base.state_folder import StateFolder
from filterd.cli.box import update_install as work
from filterd.cli.context import Context
from filterd.config.site_reader import load_site
from filterd.feed.program_standing import EndedUpdate, UpdateEnding, beside, mirror_beside
from filterd.feed.signed.fetchers import FolderFetcher
from filterd.feed.version_watch import Daemon
from filterd.texts.i18n import UNSAID, Texts
from tests.support.clock import FakeClock
from tests.support.packages_offered import Maker
from tests.support.publisher import NOW, Publisher, served
from tests.support.unprivileged import NOBODY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filterd.appliance.update.update_watch import ReleaseWatch

SITE = "school: {{name: THCS}}\nunknown: 6\nfeed: {address}\n"


class Box:
    """A machine whose dpkg notes what it was given, and puts a release in service."""

    def __init__(self, folder: Path, maker: Maker, address: str) -> None:
        self.maker, self.root, self.installed = maker, folder / "root", list[bytes]()
        for name in ("0.1.0", "0.2.0"):
            (self.root / "opt/filterd/releases" / name).mkdir(parents=True)
        (self.root / "opt/filterd/current").symlink_to("releases/0.1.0")
        (folder / "site").mkdir()
        (folder / "site" / "site.yaml").write_text(SITE.format(address=address))
        quiet = Console(file=io.StringIO())
        state = StateFolder(folder / "state")
        clock = FakeClock(NOW)
        self.here = Context(folder / "site", state, Texts("en"), quiet, quiet, clock)
        self.files = UpdateFiles(beside(state.folder))
        self.files.establish(maker.publisher.root, replace=False)
        self.mirror, self.target = mirror_beside(state.folder), ("13", "amd64")

    def install(self, package: Path) -> None:
        self.installed.append(package.read_bytes())
        (self.root / "opt/filterd/current").unlink()
        (self.root / "opt/filterd/current").symlink_to("releases/0.2.0")

    def watch(self, _version: str, _before: ServedBefore, _is_put_back: Callable[[], bool]) -> Any:
        return UNSAID

    def updates(self, here: Context) -> ProgramUpdate:
        box = self

        class Dpkg(PackageManager):
            def install(self, package: Path) -> None:
                box.install(package)

        class Watch:
            harm_at_start = staticmethod(lambda *_: UNSAID)
            harm_later = staticmethod(box.watch)
            serves_before = staticmethod(lambda _: ServedBefore())

        machine = UpdatedMachine(
            Releases(self.root),
            Dpkg(lock=self.root / "lock"),
            cast("ReleaseWatch", Watch()),
            Daemon(),
            here.clock,
            box.target,
            version="0.1.0",
        )
        return ProgramUpdate(self.files, machine, lambda: load_site(here.config).file)

    @property
    def package(self) -> Path:
        """The package in the mirror."""
        (found,) = (self.mirror / "targets" / "program").iterdir()
        return found


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """Yield a machine that follows a feed with a release, and has mirrored it."""
    maker = Maker(tmp_path, Publisher(tmp_path / "www"))
    maker.offer("0.2.0")
    with served(tmp_path / "www") as server:
        machine = Box(tmp_path, maker, server.url)
        monkeypatch.setattr(work, "_target", lambda: ("13", "amd64"))
        monkeypatch.setattr(work, "_has_systemd", lambda: False)
        monkeypatch.setattr(work, "program_of", machine.updates)
        work.fetch(machine.here)
        yield machine


def test_what_was_mirrored_is_installed_from_a_copy_of_root_s_own(box: Box) -> None:
    content = box.package.read_bytes()
    ended = work.take(box.here, box.mirror)
    assert ended is not None
    assert (ended.version, ended.ending) == ("0.2.0", UpdateEnding.TAKEN)
    assert box.installed == [content]


def test_what_is_exchanged_in_the_mirror_is_not_installed(box: Box) -> None:
    box.package.write_bytes(box.package.read_bytes() + b"x")
    with pytest.raises((DigestError, TooLargeError)):
        work.take(box.here, box.mirror)
    assert box.installed == []


def test_control_an_exchange_after_the_copy_reaches_nothing(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, install = box.package.read_bytes(), box.install

    def exchange(package: Path) -> None:
        box.package.write_bytes(b"evil")
        install(package)

    monkeypatch.setattr(box, "install", exchange)
    work.take(box.here, box.mirror)
    assert box.installed == [content]


@pytest.mark.usefixtures("needs_root")
def test_a_link_in_the_fetching_user_s_folder_leads_root_nowhere(box: Box, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "passwd").write_text("root")
    shutil.rmtree(box.mirror / "metadata")
    (box.mirror / "metadata").symlink_to(elsewhere)
    for path in (box.mirror.parent, *box.mirror.parent.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    with pytest.raises(StoreError):
        work.fetch(box.here)
    assert [one.name for one in elsewhere.iterdir()] == ["passwd"]


def test_the_fetching_user_cannot_go_back_in_time(box: Box) -> None:
    old = {one.name: one.read_bytes() for one in (box.mirror / "metadata").iterdir()}
    box.here.clock.advance(60)  # type: ignore[attr-defined]
    box.maker.publisher.now = box.here.clock.wall()
    box.maker.offer("0.3.0")
    work.fetch(box.here)
    with box.updates(box.here).holding():
        box.updates(box.here).look(FolderFetcher(box.mirror, box.here.clock))
    for one in (box.mirror / "metadata").iterdir():
        if not one.name.endswith("root.json"):
            one.unlink()
    for name, content in old.items():
        (box.mirror / "metadata" / name).write_bytes(content)
    with pytest.raises(RollbackError):
        work.take(box.here, box.mirror)


def test_what_is_not_for_this_machine_is_one_sentence(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.target = ("12", "arm64")
    monkeypatch.setattr(work, "_target", lambda: box.target)
    with pytest.raises(UpdateError, match="no release for Debian 12 on arm64 is offered there"):
        work.take(box.here, box.mirror)


def test_a_release_that_serves_already_is_refused_in_words(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.take(box.here, box.mirror)
    monkeypatch.setattr("filterd.appliance.update.program_update.version_key", lambda _: (0,))
    with pytest.raises(UpdateError, match=r"release 0.2.0 is not installed: it is not newer"):
        work.take(box.here, box.mirror)


def test_a_folder_that_is_not_there_is_named(box: Box, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no folder"):
        work.take(box.here, tmp_path / "nowhere")


def test_before_the_first_fetch_no_folder_is_blamed(box: Box) -> None:
    shutil.rmtree(box.mirror)
    with pytest.raises(ConfigError, match="no release was fetched from the feed yet"):
        work.take(box.here, box.mirror)


def test_without_a_root_for_programs_nothing_is_asked(box: Box) -> None:
    box.files.trust.root.unlink()
    box.maker.offer("0.3.0")
    work.fetch(box.here)
    assert "0.2.0" in box.package.name


def test_the_unit_begins_nothing_outside_the_window_and_reports_it(box: Box) -> None:
    work.install(box.here)
    standing = box.files.standing.read()
    assert (standing.offered, box.installed) == ("0.2.0", [])
    assert standing.waits_for in {"ring", "window", "lesson"}


def test_a_clock_that_goes_back_is_not_believed(box: Box) -> None:
    box.here.clock.advance(7_200)  # type: ignore[attr-defined]
    work.install(box.here)
    assert box.files.standing.read().waits_for != "clock"
    box.here.clock.advance(-3_600)  # type: ignore[attr-defined]
    work.install(box.here)
    assert box.files.standing.read().waits_for == "clock"


@pytest.mark.parametrize(
    ("listen", "at"),
    [
        ("[192.168.1.1, '::1']", ("192.168.1.1", 53)),
        ("['[::]:5353']", ("::1", 5353)),
        ("['0.0.0.0']", ("127.0.0.1", 53)),
        ("nonsense", ("127.0.0.1", 53)),
    ],
)
def test_the_port_is_asked_where_the_site_listens(
    box: Box, listen: str, at: tuple[str, int]
) -> None:
    site = box.here.config / "site.yaml"
    site.write_text(f"{site.read_text()}listen: {listen}\n")
    assert work.reached_at(box.here) == at


def test_the_unit_waits_for_a_command_that_begins_an_update(box: Box) -> None:
    held, released = threading.Event(), threading.Event()

    def command() -> None:
        with box.updates(box.here).holding():
            held.set()
            released.wait(30)

    other = threading.Thread(target=command)
    other.start()
    held.wait(30)
    threading.Timer(0.1, released.set).start()
    work.install(box.here)
    assert box.files.standing.read().offered == "0.2.0"
    other.join()


@pytest.mark.parametrize("notices", [True, False])
def test_a_release_is_taken_back_in_its_very_watch(
    box: Box, monkeypatch: pytest.MonkeyPatch, notices: bool
) -> None:
    """The unit watches for ten minutes and holds the lock; one of an older release to the end."""
    watching, back, end = threading.Event(), threading.Event(), threading.Event()
    current = box.root / "opt/filterd/current"

    def watch(_version: str, _before: ServedBefore, is_put_back: Callable[[], bool]) -> Any:
        watching.set()
        assert (back if notices else end).wait(30)
        assert is_put_back()
        return UNSAID

    def roll_back(_: Releases, bad: str) -> str:
        assert bad == "0.2.0"
        current.unlink()
        current.symlink_to("releases/0.1.0")
        back.set()
        return "0.1.0"

    monkeypatch.setattr(box, "watch", watch)
    monkeypatch.setattr(Releases, "before", property(lambda _: "0.1.0"))
    monkeypatch.setattr(Releases, "roll_back", roll_back)
    monkeypatch.setattr(work, "_POLL_S", 0.01)
    monkeypatch.setattr(work, "_NOTICED_WITHIN_S", 60.0 if notices else 0.0)
    outcomes: list[tuple[EndedUpdate, bool]] = []

    def command() -> None:
        assert watching.wait(30)
        outcomes.append((work.roll_back(box.here), box.files.read_pending() is None))
        end.set()

    other = threading.Thread(target=command)
    other.start()
    work.take(box.here, box.mirror)
    other.join()
    ((ended, is_over),) = outcomes
    assert (ended.version, ended.before) == ("0.2.0", "0.1.0")
    assert (ended.ending, is_over) == (UpdateEnding.ROLLED_BACK, notices)
    standing = box.files.standing.read()
    assert standing.endings[-1].ending is UpdateEnding.ROLLED_BACK
    assert standing.refused == ("0.2.0",)


def test_a_hold_is_kept(box: Box) -> None:
    work.hold(box.here, until=None)
    assert box.files.standing.read().held
    work.release(box.here)
    assert not box.files.standing.read().held
