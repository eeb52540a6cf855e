# SPDX-License-Identifier: Apache-2.0
"""A machine that is updated: its releases, dpkg, daemon and power."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import pytest

from filterd.appliance.machine_changes import PackageManager
from filterd.appliance.update.program_update import ProgramUpdate
from filterd.appliance.update.update_files import UpdateFiles
from filterd.appliance.update.update_steps import UpdatedMachine
from filterd.appliance.update.update_watch import ServedBefore
from filterd.base.errors import InUseError, StoreError
from filterd.config.site_schema import SiteFile
from filterd.feed.signed.program_offer import ProgramOffer, ProgramTarget
from filterd.feed.version_watch import Daemon
from filterd.texts.i18n import UNSAID, Sentence, say
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from filterd.appliance.releases import Releases
    from filterd.appliance.update.update_decision import UpdateReason
    from filterd.appliance.update.update_watch import ReleaseWatch
    from filterd.feed.signed.fetchers import Fetcher

NIGHT = datetime(2026, 11, 30, 3, 30, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")).timestamp()
SITE = SiteFile.model_validate({"school": {"name": "THCS"}, "unknown": "6"})
NEWER = ProgramTarget(
    "1.1.0", "13", "amd64", 0, "program/filterd-1.1.0-debian13-amd64.deb", 7, "00", urgent=True
)
NO_FETCHER = cast("Fetcher", None)


class PowerCut(BaseException):
    """The machine stops."""


@dataclass
class Box(Daemon):
    """A machine: its releases, dpkg, the watch and the daemon, and where its power is cut."""

    folder: Path
    clock: FakeClock = field(default_factory=lambda: FakeClock(NIGHT))
    offered: ProgramTarget | None = NEWER
    in_service: str = "1.0.0"
    before: str = "0.9.0"
    harm_now: Sentence = UNSAID
    exams: tuple[str, ...] = ()
    refuses: Sentence = UNSAID
    is_busy: bool = False
    cut_at: str = ""
    boot: str = "first"
    done: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    states: Any = None
    site: SiteFile = SITE
    clock_known: bool = True
    in_its_watch: Callable[[], object] | None = None

    def folder_of(self, name: str) -> Path:
        return self.folder / "releases" / name

    def fetch(self, _: ProgramTarget, path: Path) -> None:
        self._reach("fetch")
        path.write_bytes(b"package")

    def install(self, package: Path) -> None:
        assert package.read_bytes() == b"package"
        self._reach("dpkg")
        if self.refuses:
            raise StoreError(self.refuses)
        assert self.offered is not None
        if self.in_service != self.offered.version:
            self.in_service, self.before = self.offered.version, self.in_service
        self._reach("switched")

    def harm(self, _: str, before: ServedBefore, is_put_back: Callable[[], bool]) -> Sentence:
        assert before.canaries == ("bet.example",)
        self._reach("watch")
        if self.in_its_watch:
            self.in_its_watch()
            assert is_put_back()
        return self.harm_now

    def start(self, _: ServedBefore) -> Sentence:
        self._reach("start")
        return UNSAID

    def roll_back(self, bad: str = "") -> str:
        self._reach("roll back")
        assert bad in ("", self.in_service)
        self.in_service, self.before = self.before, self.in_service
        self._reach("rolled back")
        return self.in_service

    def restore(self) -> None:
        self._reach("restore")

    def status(self) -> dict[str, Any]:
        return {"day": {"exams": self.exams}} if self.states is None else self.states

    def updates(self) -> ProgramUpdate:
        """Return the updates as a process that has just started sees them."""
        box = self

        class Shown:
            in_service = property(lambda _: box.in_service)
            before = property(lambda _: box.before)
            folders = SimpleNamespace(
                version=lambda name: box.versions.get(name, name), folder=box.folder_of
            )
            roll_back = staticmethod(box.roll_back)
            restore = staticmethod(box.restore)

        class Dpkg(PackageManager):
            def locked(self) -> Any:
                if box.is_busy:
                    raise InUseError(say("busy"))
                return super().locked()

            def install(self, package: Path) -> None:
                box.install(package)

        watch = SimpleNamespace(
            harm_later=box.harm,
            harm_at_start=box.start,
            serves_before=lambda names: ServedBefore(names, 0.1),
        )
        machine = UpdatedMachine(
            cast("Releases", Shown()),
            Dpkg(lock=self.folder / "lock"),
            cast("ReleaseWatch", watch),
            self,
            self.clock,
            ("13", "amd64"),
            ("bet.example",),
            version="1.0.0",
            boot=self.boot,
        )
        return ProgramUpdate(UpdateFiles(self.folder / "install"), machine, lambda: self.site)

    def run(self, *, at_once: bool = False) -> str:
        """Do what the unit does; return the reason or the end, empty for nothing."""
        updates = self.updates()
        with updates.holding():
            reason: UpdateReason | None = None
            if updates.steps.is_to_be_decided():
                decision = updates.look(NO_FETCHER, at_once=at_once)
                reason = decision and decision.reason
            ended = updates.steps.go_on()
        return ended.ending.value if ended else reason or ""

    def _reach(self, step: str) -> None:
        self.done.append(step)
        if self.cut_at == step:
            self.cut_at, self.boot = "", "second"
            raise PowerCut


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    """Return a machine whose offers are verified already."""
    machine = Box(tmp_path)

    def offer(*_: object) -> ProgramOffer:
        class Offered(ProgramOffer):
            def newest(self, *_: str) -> ProgramTarget | None:
                return machine.offered

            def fetch(self, target: ProgramTarget, path: Path) -> None:
                machine.fetch(target, path)

        return Offered((), NIGHT, NIGHT + 1, machine.clock_known, NO_FETCHER, {})

    monkeypatch.setattr("filterd.appliance.update.program_update.refresh_program", offer)
    return machine
