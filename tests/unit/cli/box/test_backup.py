# SPDX-License-Identifier: Apache-2.0
"""``filterd backup`` and ``restore``."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
import typer

from filterd.appliance.backup import backup_file, restore_journal
from filterd.appliance.backup.backup_file import SECRETS, read
from filterd.appliance.backup.backup_parts import BackupLock
from filterd.daemon.manager.status_files import BACKUP
from filterd.overrides.rights.roles import Role
from tests.support.backed_up_school import SITE, BackedUpSchool, a_key_pair, an_account
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
    printed = json.loads(done.out)
    assert printed["secrets"] is True
    assert SECRETS in read(stick / printed["file"]).parts
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


@pytest.fixture
def box(tmp_path: Path) -> BackedUpSchool:
    made = BackedUpSchool(tmp_path / "box")
    made.allow("a.example")
    made.name_device("máy 1")
    made.put_accounts(an_account("lan", Role.TEACHER, Role.ADMIN))
    return made


def test_it_shows_what_changes_and_puts_it_in_force(box: BackedUpSchool) -> None:
    path = box.back_up()
    box.allow("b.example")
    box.name_device("")
    box.put_accounts()
    (box.config / "timetable.yaml").write_text("{}\n")
    done = call("restore", path, "--yes", *box.places)
    assert done.code == 0, done.err
    for text in (
        "Backup of Trường mẫu",
        "- allow b.example for everybody",
        "- timetable.yaml",
        "Accounts that come back: lan (administrator, teacher)",
        "1 thing was removed after the backup and stays removed",
        "change 5 in the history",
    ):
        assert text in done.out
    assert "must be made again" in done.err
    shown = call("history", "list", *box.places)
    assert "restored from the backup of" in shown.out or shown.code == 2  # no daemon runs


def test_no_change_is_hidden_behind_others(box: BackedUpSchool) -> None:
    for number in range(60):
        box.allow(f"{number}.example")
    path = box.back_up()
    for number in range(2, 62):
        box.change("revoke", id=number + 1)
    out = call("restore", path, "--yes", *box.places).out
    assert [one for one in range(60) if f"+ allow {one}.example" not in out] == []


def test_no_at_the_question_changes_nothing(
    box: BackedUpSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = box.back_up()
    box.allow("b.example")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: "")
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: False)
    assert call("restore", path, *box.places).code == 1
    assert len(box.overrides.exceptions) == 2
    assert not restore_journal.is_waiting(box.config)


def test_without_a_terminal_it_needs_yes(box: BackedUpSchool) -> None:
    done = call("restore", box.back_up(), *box.places)
    assert (done.code, "give --yes" in done.err) == (2, True)


def test_the_backup_of_another_box_needs_a_word_of_its_own(
    box: BackedUpSchool, tmp_path: Path
) -> None:
    other = BackedUpSchool(tmp_path / "other")
    for one in (box, other):
        one.with_keys()
    words = ["restore", str(other.back_up()), "--yes", *box.places]
    done = call(*words)
    assert (done.code, "another box" in done.err, "--foreign" in done.err) == (2, True, True)
    assert call(*words, "--foreign").code == 0
    assert box.overrides.exceptions == ()


def test_an_interrupted_restore_goes_on(box: BackedUpSchool) -> None:
    path = box.back_up()
    box.allow("b.example")
    box.decide(path)
    done = call("restore", "--resume", "--json", *box.places)
    assert json.loads(done.out) == {"number": 4, "accounts": [], "running": False}
    assert call("restore", "--resume", *box.places).code == 0
    assert "give the file" in call("restore", *box.places).err


def test_a_terminal_that_goes_away_does_not_stop_it(
    box: BackedUpSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, finish = signal.getsignal(signal.SIGHUP), restore_journal.carry_out

    def hang_up(*about: Any) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGHUP)
        return finish(*about)

    monkeypatch.setattr(restore_journal, "carry_out", hang_up)
    try:
        assert call("restore", box.back_up(), "--yes", *box.places).code == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_secret_key_of_the_province_decrypts(box: BackedUpSchool, tmp_path: Path) -> None:
    public, secret = a_key_pair()
    box.with_keys()
    path = box.back_up("b.zip", BackupLock(key=public))
    (box.config / "secrets" / "mail").unlink()
    key = tmp_path / "key"
    key.write_text(f"# province\n{secret}\n")
    done = call("restore", path, "--recovery-key-file", key, "--yes", *box.places)
    assert (done.code, done.err) == (0, "")
    assert (box.config / "secrets" / "mail").read_bytes() == b"mail"


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"PK\x03\x04"])
def test_a_file_that_is_none_changes_nothing(box: BackedUpSchool, content: bytes) -> None:
    path = box.folder / "x"
    path.write_bytes(content)
    done = call("restore", path, "--yes", *box.places)
    assert (done.code, len(done.error_lines)) == (2, 1), done.err
    assert len(box.overrides.exceptions) == 1


def test_a_wrong_file_is_refused_before_a_question(
    box: BackedUpSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: pytest.fail("it asked"))
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: False)
    assert call("restore", "/nowhere/b.zip", *box.places).code == 2
    assert call("restore", box.back_up(), *box.places).code == 1  # without secrets
