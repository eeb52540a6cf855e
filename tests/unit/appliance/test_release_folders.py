# SPDX-License-Identifier: Apache-2.0
"""The folder of a release is complete, and never changed."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from tests.support.release_machine import Machine

_CALLS = (
    (os, "link"),
    (os, "rename"),
    (os, "symlink"),
    (os, "replace"),
    (os, "sync"),
    (os, "unlink"),
)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_same_version_again_is_the_same_release(machine: Machine) -> None:
    machine.install("1")
    assert machine.install("1") == "1"
    assert machine.releases.folders.names() == ["1"]
    assert machine.releases.before == ""


def test_files_of_an_equal_release_are_no_third_copy(machine: Machine) -> None:
    machine.install("1")
    machine.install("2")
    machine.install("1")
    unit, script = Path("share/filterd/units/filterd.service"), Path("bin/filterd")
    unpacked, release = (
        machine.root / "usr/lib/filterd/release",
        machine.releases.folders.folder("1"),
    )
    assert (unpacked / unit).samefile(release / unit)
    assert not (unpacked / script).samefile(release / script), "its first line is of the release"
    machine.unpack("2")
    assert machine.serves == "1"


@pytest.mark.parametrize("cut", range(20))
def test_power_may_go_while_files_are_shared(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    machine.install("1")
    unpacked = machine.unpack("1")
    with monkeypatch.context() as patched, contextlib.suppress(_CutError):
        _cut_at(cut, patched)
        machine.releases.activate(unpacked, Path("/c"), Path("/s"))
    assert machine.serves == "1"
    assert machine.releases.activate(unpacked, Path("/c"), Path("/s")) == "1"
    assert machine.releases.folders.names() == ["1"]
    assert not list((machine.root / "opt/filterd/releases").glob(".*"))


def test_the_same_version_with_other_content_has_a_name_of_its_own(machine: Machine) -> None:
    machine.install("1")
    unpacked = machine.unpack("1")
    (unpacked / "share/filterd/units/filterd.service").write_text("mended", encoding="utf-8")
    name = machine.releases.activate(unpacked, Path("/c"), Path("/s"))
    assert (name, machine.serves, machine.releases.before) == ("1.2", "1", "1")
    assert machine.unit() == "mended"
    assert "releases/1/bin" in (unpacked / "bin/filterd").read_text(), "dpkg's file is as it was"


def test_a_release_is_on_the_disk_before_it_gets_its_name(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = list[list[str]]()
    monkeypatch.setattr(os, "sync", lambda: named.append(machine.releases.folders.names()))
    machine.install("1")
    assert named == [[]]


def test_where_no_second_name_is_possible_files_are_copied(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refused)
    machine.install("1")
    assert machine.serves == "1"


class _CutError(BaseException):
    """The power goes."""


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
