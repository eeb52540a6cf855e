# SPDX-License-Identifier: Apache-2.0
"""Releases: one in service, one before it, whatever breaks off or does not fit."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filterd.appliance import releases
from filterd.appliance.release_folders import ReleaseFolders
from filterd.appliance.releases import Releases
from filterd.base.bounded_child import Ended
from filterd.base.errors import StoreError
from tests.support.release_machine import UNITS, Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_new_release_serves_and_the_one_before_is_kept(machine: Machine) -> None:
    for version in ("1", "2", "3"):
        assert machine.install(version) == version
    assert (machine.serves, machine.releases.before) == ("3", "2")
    assert machine.releases.folders.names() == ["2", "3"]
    assert [(row["release"], row["newest"]) for row in machine.releases.rows()] == [
        ("2", False),
        ("3", True),
    ]


def test_the_user_of_the_service_may_read_a_release(machine: Machine) -> None:
    machine.install("1")
    for path in (machine.root / "opt/filterd", *(machine.root / "opt/filterd/releases").rglob("*")):
        assert path.is_symlink() or path.stat().st_mode & 0o005, path


def test_a_rollback_and_a_downgrade_need_no_new_files(machine: Machine) -> None:
    machine.install("1")
    machine.install("2")
    assert machine.releases.roll_back() == "1"
    assert (machine.serves, machine.releases.before) == ("1", "2")
    assert machine.unit() == "filterd.service of 1"
    assert machine.called[0] == "systemctl daemon-reload"
    assert machine.called[1] == "systemctl restart filterd.service"
    assert machine.install("1") == "1"
    assert machine.releases.folders.names() == ["1", "2"]
    assert machine.releases.installed == "1"


def test_dpkg_may_replace_its_files_and_both_releases_stay_whole(machine: Machine) -> None:
    machine.install("1")
    machine.unpack("2")
    assert machine.serves == "1"


def test_two_that_go_back_from_one_release_go_back_once(machine: Machine) -> None:
    """An administrator, and a watch that sees harm."""
    machine.install("1")
    machine.install("2")
    assert [machine.releases.roll_back("2") for _ in range(2)] == ["1", "1"]
    assert (machine.releases.in_service, machine.releases.before) == ("1", "2")


def test_a_rollback_waits_for_another_change_of_the_release(machine: Machine) -> None:
    machine.install("1")
    machine.install("2")
    held, done = threading.Event(), list[str]()

    def other() -> None:
        with machine.releases._alone():
            held.set()
            done.append(machine.serves if not again.wait(0.2) else "too early")

    again, thread = threading.Event(), threading.Thread(target=other)
    thread.start()
    held.wait(30)
    machine.releases.roll_back()
    again.set()
    thread.join()
    assert done == ["2"]


def test_a_self_test_gets_nothing_of_the_caller(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/tmp/foreign")
    unpacked = machine.unpack("1")
    (unpacked / "bin/python").write_text(f"#!/bin/sh\n(env; echo $*) >'{machine.root}/seen'\n")
    machine.releases.activate(unpacked, Path("/c"), Path("/s"))
    seen = (machine.root / "seen").read_text()
    assert "PYTHONPATH" not in seen, "the release is proved by its own code"
    assert "-P -s -m filterd release test" in seen, "no file of the working directory is imported"


@pytest.mark.parametrize("fault", ["says", "python", "units"])
def test_a_release_that_does_not_fit_changes_nothing(machine: Machine, fault: str) -> None:
    machine.install("1")
    unpacked = machine.unpack("2", says="porn is open" if fault == "says" else "")
    if fault == "python":  # of another release of Debian
        (unpacked / "bin/python").unlink()
        (unpacked / "bin/python").symlink_to("/usr/bin/python3.99")
    if fault == "units":
        shutil.rmtree(unpacked / "share")
    with pytest.raises(StoreError, match="release 2 is not put in service: "):
        machine.releases.activate(unpacked, Path("/c"), Path("/s"))
    assert machine.serves == "1"
    assert machine.releases.folders.names() == ["1"]
    assert machine.unit() == "filterd.service of 1", "dpkg had put others there"


def test_the_reason_of_a_refusal_is_the_sentence_of_the_self_test(machine: Machine) -> None:
    with pytest.raises(StoreError, match=r"put in service: porn is open$"):
        machine.install("1", says="porn is open")
    assert machine.releases.in_service == ""


def test_control_a_switch_without_proof_serves_a_release_that_does_not_fit(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.install("1")
    monkeypatch.setattr(Releases, "_prove", lambda *_: None)
    machine.install("2", says="porn is open")
    assert machine.serves == "2"


class _CutError(BaseException):
    """The power goes."""


_CALLS = (
    (os, "link"),
    (os, "rename"),
    (os, "symlink"),
    (os, "replace"),
    (os, "sync"),
    (os, "unlink"),
)


def _cut_at(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the power go before a change of the disk, and all that follows with it."""
    left = count

    def cutting(call: object) -> object:
        def changed(*args: object, **named: object) -> object:
            nonlocal left
            left -= 1
            if left < 0:
                raise _CutError
            return call(*args, **named)  # type: ignore[operator]

        return changed

    for module, name in _CALLS:
        monkeypatch.setattr(module, name, cutting(getattr(module, name)))


def _cuts(
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    adopt: Callable[..., str] = ReleaseFolders.adopt,
) -> int:
    """Upgrade from 1 to 2 again and again, cut one step later each time; return the steps."""
    for count in range(200):
        shutil.rmtree(machine.root)
        machine.install("0")
        machine.install("1")
        unpacked = machine.unpack("2")
        with monkeypatch.context() as patched:
            patched.setattr(ReleaseFolders, "adopt", adopt)
            _cut_at(count, patched)
            try:
                machine.releases.activate(unpacked, Path("/c"), Path("/s"))
            except _CutError:
                is_cut = True
            else:
                is_cut = False
        assert machine.serves in ("1", "2")
        assert (machine.root / "opt/filterd/previous/bin/filterd").exists()
        with monkeypatch.context() as patched:
            patched.setattr(ReleaseFolders, "adopt", adopt)
            assert machine.releases.activate(unpacked, Path("/c"), Path("/s")) == "2"
        assert (machine.serves, machine.releases.before) == ("2", "1")
        assert machine.unit() == "filterd.service of 2"
        assert machine.releases.folders.names() == ["1", "2"]
        assert not list((machine.root / "opt/filterd/releases").glob(".*"))
        if not is_cut:
            return count
    raise AssertionError("it never ends")


def test_power_may_go_at_each_step(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _cuts(machine, monkeypatch) > 10


def _rollback_cuts(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> int:
    """Roll back again and again, cut one step later each time; return the steps."""
    for count in range(50):
        shutil.rmtree(machine.root)
        machine.install("1")
        machine.install("2")
        with monkeypatch.context() as patched:
            _cut_at(count, patched)
            try:
                machine.releases.roll_back()
            except _CutError:
                is_cut = True
            else:
                is_cut = False
        if machine.serves == "2":
            assert machine.releases.before == "1", "the rollback can be done again"
            assert machine.releases.roll_back() == "1"
        assert machine.serves == "1"
        machine.releases.restore()
        assert machine.unit() == "filterd.service of 1"
        if not is_cut:
            return count
    raise AssertionError("it never ends")


def test_power_may_go_at_each_step_of_a_rollback(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _rollback_cuts(machine, monkeypatch) > 5


def test_control_a_rollback_that_names_the_way_back_first_may_lose_the_good_release(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put(self: Releases, name: str) -> None:
        self.folders.point("previous", self.in_service)
        self._put_units(name)
        self.folders.point("current", name)

    monkeypatch.setattr(Releases, "_put_in_service", put)
    with pytest.raises(AssertionError, match="can be done again"):
        _rollback_cuts(machine, monkeypatch)


def test_units_that_a_power_cut_has_left_are_put_back(machine: Machine) -> None:
    machine.install("1")
    machine.unpack("2", units=(*UNITS, "filterd-new.timer"))
    machine.called.clear()
    machine.releases.restore()
    assert machine.unit() == "filterd.service of 1"
    assert machine.called[-1] == "systemctl daemon-reload"
    machine.called.clear()
    machine.releases.restore()
    assert machine.called == [], "nothing was changed"
    shutil.rmtree(machine.root / "opt/filterd/releases/1/share")
    machine.releases.restore()
    assert machine.unit() == "filterd.service of 1", "a damaged release takes no units away"


def test_a_release_before_without_one_of_the_services_is_put_back(machine: Machine) -> None:
    machine.install("1")
    machine.install("2")

    def refuse(words: Sequence[str]) -> Ended:
        return Ended(5 if words[1] == "try-restart" else 0, b"", b"Unit not found.")

    assert Releases(machine.root, refuse, has_systemd=True).roll_back() == "1"


def test_control_a_release_that_has_its_name_too_early_is_served_in_part(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_place(self: ReleaseFolders, unpacked: Path) -> str:
        if not self.folder("2").is_dir():
            shutil.copytree(unpacked, self.folder("2"), copy_function=os.link)
        return "2"

    with pytest.raises((AssertionError, StoreError, FileNotFoundError)):
        _cuts(machine, monkeypatch, adopt=in_place)


def test_units_that_a_release_does_not_have_are_removed_and_nothing_waits_for_them(
    machine: Machine,
) -> None:
    machine.install("1")
    machine.install("2", units=(*UNITS, "filterd-update.timer", "filterd-update.service"))
    machine.called.clear()
    machine.releases.roll_back()
    assert "systemctl stop filterd-update.timer" in machine.called
    assert "systemctl stop filterd-update.service" not in machine.called, "it may do the rollback"
    units = {one.name for one in (machine.root / "usr/lib/systemd/system").iterdir()}
    assert units == set(UNITS)


def test_there_is_nothing_to_roll_back_to_at_first(machine: Machine) -> None:
    machine.install("1")
    with pytest.raises(StoreError, match="no release before"):
        machine.releases.roll_back()


def test_a_release_whose_python_is_gone_is_not_rolled_back_to(machine: Machine) -> None:
    machine.install("1")
    machine.install("2")
    (machine.root / "opt/filterd/previous/bin/python").unlink()
    with pytest.raises(StoreError, match="python is missing"):
        machine.releases.roll_back()
    assert machine.serves == "2"


def test_an_own_unit_of_the_administrator_stays(machine: Machine) -> None:
    machine.install("1")
    own = machine.root / "etc/systemd/system/filterd.service"
    own.parent.mkdir(parents=True)
    own.write_text("own", encoding="utf-8")
    machine.install("2")
    assert own.exists()


def test_a_folder_without_a_release_is_refused(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no release of filterd is there"):
        machine.releases.activate(tmp_path, Path("/c"), Path("/s"))


def test_a_self_test_that_crashes_is_named(machine: Machine) -> None:
    unpacked = machine.unpack("1")
    (unpacked / "bin/python").write_text("#!/bin/sh\nkill -ILL $$\n", encoding="utf-8")
    with pytest.raises(StoreError, match="do not run on this processor"):
        machine.releases.activate(unpacked, Path("/c"), Path("/s"))


def test_a_self_test_that_never_ends_is_ended(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "PROOF_WITHIN_S", 0.05)
    unpacked = machine.unpack("1")
    (unpacked / "bin/python").write_text("#!/bin/sh\nexec tail -f /dev/null\n", encoding="utf-8")
    with pytest.raises(StoreError, match="took too long"):
        machine.releases.activate(unpacked, Path("/c"), Path("/s"))
