# SPDX-License-Identifier: Apache-2.0
"""``filterd backup``: by hand, into a folder, and by night."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import typer

from filterd.appliance import backup_file
from filterd.appliance.backup_file import SECRETS, read
from filterd.daemon.status_files import BACKUP
from tests.support.backed_up_school import SITE, BackedUpSchool, a_key_pair
from tests.support.commands import call

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def school(tmp_path: Path) -> BackedUpSchool:
    made = BackedUpSchool(tmp_path)
    made.allow("a.example")
    return made


@pytest.fixture
def stick(school: BackedUpSchool) -> Path:
    folder = school.folder / "usb"
    folder.mkdir()
    return folder


def by_night(school: BackedUpSchool, stick: Path, key: str = "") -> None:
    recovery = f", recovery_key: {key}" if key else ""
    text = f"{SITE}backup: {{to: {stick}, keep: 2{recovery}}}\n"
    (school.config / "site.yaml").write_text(text, encoding="utf-8")


def test_a_file_is_written_and_what_is_left_out_is_said(school: BackedUpSchool) -> None:
    path = school.folder / "b.zip"
    done = call("backup", path, *school.places)
    assert (done.code, "written and read again" in done.out) == (0, True), done.err
    assert "left out" in done.err
    assert read(path).school == "Trường mẫu"


def test_the_recovery_key_of_the_site_encrypts(school: BackedUpSchool, stick: Path) -> None:
    by_night(school, stick, a_key_pair()[0])
    done = call("backup", "--to", stick, "--json", *school.places)
    told = json.loads(done.out)
    assert told["secrets"] is True
    assert SECRETS in read(stick / told["file"]).parts
    assert "on the disk of this gateway" in done.err


def test_a_mistyped_recovery_key_is_named_with_its_place(
    school: BackedUpSchool, stick: Path
) -> None:
    key = a_key_pair()[0]
    by_night(school, stick, key[:-1] + ("q" if key[-1] != "q" else "p"))
    done = call("backup", "--to", stick, *school.places)
    assert (done.code, "backup.recovery_key in site.yaml" in done.err) == (2, True), done.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "give FILE"),
        (("b.zip", "--to", "x"), "give FILE"),
        (("--to", "/nowhere"), "no folder /nowhere"),
        (("/nowhere/b.zip",), "no folder /nowhere"),
    ],
)
def test_what_cannot_be_written_is_said_in_a_line(
    school: BackedUpSchool, words: tuple[str, ...], why: str
) -> None:
    done = call("backup", *words, *school.places)
    assert (done.code, why in done.err) == (2, True), done.err


def test_a_missing_stick_is_refused_before_a_question(
    school: BackedUpSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: pytest.fail("it asked"))
    assert "no folder" in call("backup", "--to", "/nowhere", *school.places).err
    assert "no folder" in call("backup", "/nowhere/b.zip", *school.places).err


def test_a_short_passphrase_is_refused(school: BackedUpSchool) -> None:
    path = school.folder / "phrase"
    path.write_text("short\n")
    done = call("backup", school.folder / "b", "--passphrase-file", path, *school.places)
    assert (done.code, "12 to 1000" in done.err) == (2, True)


def test_a_night_without_a_stick_is_noted_and_the_next_good_one_ends_it(
    school: BackedUpSchool, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_night(school, stick)
    assert call("backup", "--nightly", *school.places).code == 2
    first = BACKUP.load(school.state.backup_outcome)
    assert "same disk" in first.problem
    assert call("backup", "--nightly", *school.places).code == 2
    assert BACKUP.load(school.state.backup_outcome).failing_since == first.failing_since
    monkeypatch.setattr(backup_file, "is_on_disk_of", lambda *_: False)
    assert call("backup", "--nightly", *school.places).code == 0
    done = BACKUP.load(school.state.backup_outcome)
    assert (done.failing_since, done.problem, done.file) == (None, "", str(next(stick.iterdir())))


def test_by_night_nothing_is_done_where_the_site_wants_none(school: BackedUpSchool) -> None:
    done = call("backup", "--nightly", *school.places)
    assert (done.code, "nothing is to be done" in done.out) == (0, True)
    assert not school.state.backup_outcome.exists()
