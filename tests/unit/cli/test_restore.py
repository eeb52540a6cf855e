# SPDX-License-Identifier: Apache-2.0
"""``filterd restore``: shows, asks, and puts a backup in force."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
import typer

from filterd.appliance import restore_journal
from filterd.appliance.backup_parts import BackupLock
from filterd.overrides.roles import Role
from tests.support.backed_up_school import BackedUpSchool, a_key_pair, an_account
from tests.support.commands import call

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def school(tmp_path: Path) -> BackedUpSchool:
    made = BackedUpSchool(tmp_path / "box")
    made.allow("a.example")
    made.name_device("máy 1")
    made.put_accounts(an_account("lan", Role.TEACHER, Role.ADMIN))
    return made


def test_it_shows_what_changes_and_puts_it_in_force(school: BackedUpSchool) -> None:
    path = school.back_up()
    school.allow("b.example")
    school.name_device("")
    school.put_accounts()
    (school.config / "timetable.yaml").write_text("{}\n")
    done = call("restore", path, "--yes", *school.places)
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
    shown = call("history", "list", *school.places)
    assert "restored from the backup of" in shown.out or shown.code == 2  # no daemon runs


def test_no_change_is_hidden_behind_others(school: BackedUpSchool) -> None:
    for number in range(60):
        school.allow(f"{number}.example")
    path = school.back_up()
    for number in range(2, 62):
        school.change("revoke", id=number + 1)
    out = call("restore", path, "--yes", *school.places).out
    assert [one for one in range(60) if f"+ allow {one}.example" not in out] == []


def test_no_at_the_question_changes_nothing(
    school: BackedUpSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = school.back_up()
    school.allow("b.example")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: "")
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: False)
    assert call("restore", path, *school.places).code == 1
    assert len(school.overrides.exceptions) == 2
    assert not restore_journal.is_waiting(school.config)


def test_without_a_terminal_it_needs_yes(school: BackedUpSchool) -> None:
    done = call("restore", school.back_up(), *school.places)
    assert (done.code, "give --yes" in done.err) == (2, True)


def test_the_backup_of_another_box_needs_a_word_of_its_own(
    school: BackedUpSchool, tmp_path: Path
) -> None:
    other = BackedUpSchool(tmp_path / "other")
    for one in (school, other):
        one.with_keys()
    words = ["restore", str(other.back_up()), "--yes", *school.places]
    done = call(*words)
    assert (done.code, "another box" in done.err, "--foreign" in done.err) == (2, True, True)
    assert call(*words, "--foreign").code == 0
    assert school.overrides.exceptions == ()


def test_an_interrupted_restore_goes_on(school: BackedUpSchool) -> None:
    path = school.back_up()
    school.allow("b.example")
    school.decide(path)
    done = call("restore", "--resume", "--json", *school.places)
    assert json.loads(done.out) == {"number": 4, "accounts": [], "running": False}
    assert call("restore", "--resume", *school.places).code == 0
    assert "give the file" in call("restore", *school.places).err


def test_a_terminal_that_goes_away_does_not_stop_it(
    school: BackedUpSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, finish = signal.getsignal(signal.SIGHUP), restore_journal.carry_out

    def hang_up(*about: Any) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGHUP)
        return finish(*about)

    monkeypatch.setattr(restore_journal, "carry_out", hang_up)
    try:
        assert call("restore", school.back_up(), "--yes", *school.places).code == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_secret_key_of_the_province_decrypts(school: BackedUpSchool, tmp_path: Path) -> None:
    public, secret = a_key_pair()
    school.with_keys()
    path = school.back_up("b.zip", BackupLock(key=public))
    (school.config / "secrets" / "mail").unlink()
    key = tmp_path / "key"
    key.write_text(f"# province\n{secret}\n")
    done = call("restore", path, "--recovery-key-file", key, "--yes", *school.places)
    assert (done.code, done.err) == (0, "")
    assert (school.config / "secrets" / "mail").read_bytes() == b"mail"


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"PK\x03\x04"])
def test_a_file_that_is_none_changes_nothing(school: BackedUpSchool, content: bytes) -> None:
    path = school.folder / "x"
    path.write_bytes(content)
    done = call("restore", path, "--yes", *school.places)
    assert (done.code, len(done.error_lines)) == (2, 1), done.err
    assert len(school.overrides.exceptions) == 1


def test_a_wrong_file_is_refused_before_a_question(
    school: BackedUpSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: pytest.fail("it asked"))
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: False)
    assert call("restore", "/nowhere/b.zip", *school.places).code == 2
    assert call("restore", school.back_up(), *school.places).code == 1  # without secrets
