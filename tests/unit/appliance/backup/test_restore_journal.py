# SPDX-License-Identifier: Apache-2.0
"""A restore that was decided is done to its end, however often it is interrupted."""

from __future__ import annotations

import os
import shutil
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.appliance.backup import restore_journal
from filterd.appliance.backup.backup_parts import BackupLock
from filterd.appliance.backup.restore_journal import is_waiting
from filterd.base.errors import ControlError, StoreError
from filterd.feed.appliance_files import FollowFile, FollowState, Wanted
from filterd.feed.signed.trust import TrustFolder
from filterd.feed.versions import Versions
from filterd.overrides.history.history_chain import FROM_BACKUP
from filterd.overrides.history.restored_history import Deletions
from filterd.texts.i18n import say
from tests.support.backed_up_school import BackedUpSchool, a_key_pair, a_token, an_account
from tests.support.dying import dies_at_disk, steps_of
from tests.support.publisher import Publisher

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def school(tmp_path: Path) -> BackedUpSchool:
    made = BackedUpSchool(tmp_path / "old")
    made.allow("a.example")
    made.put_accounts(an_account("lan"), an_account("minh"))
    return made


@pytest.fixture
def feed_root(tmp_path: Path) -> bytes:
    return Publisher(tmp_path / "www").root


@pytest.fixture
def fresh(tmp_path: Path) -> BackedUpSchool:
    return BackedUpSchool(tmp_path / "new", site="")


def test_a_new_box_becomes_what_the_old_one_was(
    school: BackedUpSchool, fresh: BackedUpSchool
) -> None:
    school.with_keys()
    public, secret = a_key_pair()
    outcome = fresh.restore(school.back_up("b.zip", BackupLock(key=public)), BackupLock(key=secret))
    assert outcome == {"number": 2, "accounts": ["lan", "minh"], "running": False}
    assert (fresh.config / "lists" / "own.txt").read_text() == "game.example\n"
    assert fresh.overrides.exceptions == school.overrides.exceptions
    assert fresh.store.verify().is_sound
    assert fresh.book.accounts == school.book.accounts
    for path in ("state/device.pem", "state/web/key.pem", "site/secrets/mail"):
        assert (fresh.folder / path).read_bytes() == (school.folder / path).read_bytes()
        of_others = 0o037 if "web" in path else 0o077  # the daemon serves DNS by TLS with it
        assert (fresh.folder / path).stat().st_mode & of_others == 0
    assert not restore_journal.is_waiting(fresh.config)
    assert not fresh.state.restore_request.exists()


def test_here_the_history_goes_on_and_later_files_go(school: BackedUpSchool) -> None:
    path = school.back_up()
    school.allow("b.example")
    (school.config / "timetable.yaml").write_text("{}\n")
    school.restore(path)
    assert [exception.target for exception in school.overrides.exceptions] == ["a.example"]
    assert [row.kind for row in school.store.rows()] == [FROM_BACKUP, "exception", "exception"]
    assert not (school.config / "timetable.yaml").exists()
    assert not school.state.replaced_history.exists()


def test_another_history_is_kept_aside(school: BackedUpSchool, tmp_path: Path) -> None:
    other = BackedUpSchool(tmp_path / "other")
    other.allow("c.example")
    other.restore(school.back_up())
    assert b"c.example" in other.state.replaced_history.read_bytes()
    assert other.store.start().problem == ""
    assert other.store.verify().is_sound


def test_what_ended_since_stays_ended(school: BackedUpSchool) -> None:
    school.name_device("máy của An")
    school.put_accounts(an_account("lan"), an_account("minh"), tokens=(a_token("lan", "t"),))
    path = school.back_up()
    school.name_device("")
    school.disable("minh")
    school.put_accounts()  # such as a card that was exchanged, or a year later
    assert school.restore(path)["accounts"] == ["lan"]
    assert school.overrides.device_names == ()


def test_control_without_the_deletions_a_disabled_account_comes_back(
    school: BackedUpSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = school.back_up()
    school.disable("minh")
    school.put_accounts()
    monkeypatch.setattr(Deletions, "has", lambda *_: False)
    assert school.restore(path)["accounts"] == ["lan", "minh"]


@pytest.mark.parametrize("is_other", [False, True])
def test_a_box_with_the_key_of_the_backup_is_enrolled_as_before_and_another_is_not(
    school: BackedUpSchool, *, is_other: bool
) -> None:
    school.with_keys()
    public, secret = a_key_pair()
    enrolment = school.state.enrolment
    enrolment.write_bytes(b"of the province")
    path = school.back_up("b.zip", BackupLock(key=public))
    enrolment.unlink()
    if is_other:
        school.state.device_key.write_bytes(b"another")
    else:
        school.state.device_key.unlink()
    school.restore(path, BackupLock(key=secret))
    assert enrolment.exists() is not is_other


def test_what_is_here_and_newer_stays(school: BackedUpSchool, feed_root: bytes) -> None:
    school.with_keys()
    public, secret = a_key_pair()
    trust = TrustFolder(school.state.feed)
    trust.establish(feed_root)
    (trust.metadata).mkdir()
    (trust.metadata / "timestamp.json").write_bytes(b"old")
    path = school.back_up("b.zip", BackupLock(key=public))
    kept = {
        school.state.device_key: b"new device",
        school.config / "secrets" / "mail": b"new secret",
        school.state.web / "key.pem": b"new key",
        trust.metadata / "timestamp.json": b"new",
    }
    for file, content in kept.items():
        file.write_bytes(content)
    (school.state.web / "certificate.pem").unlink()
    school.restore(path, BackupLock(key=secret))
    assert {file: file.read_bytes() for file in kept} == kept
    assert not (school.state.web / "certificate.pem").exists()


def test_the_state_of_the_feed_comes_back(
    school: BackedUpSchool, fresh: BackedUpSchool, feed_root: bytes
) -> None:
    followed = FollowState(by_command=(Wanted("one"),))
    FollowFile(school.state.feed).write(followed)
    TrustFolder(school.state.feed).establish(feed_root)
    Versions(school.state.feed).refuse("7")
    fresh.restore(school.back_up())
    assert FollowFile(fresh.state.feed).read() == followed
    assert TrustFolder(fresh.state.feed).given() == feed_root
    assert Versions(fresh.state.feed).in_force().refused == ("7",)


def test_the_end_of_a_restore_lasts(
    school: BackedUpSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal that a power cut brings back would undo what was edited since."""
    path, synced = school.back_up(), list[bool]()
    monkeypatch.setattr(
        restore_journal,
        "sync_folder",
        lambda folder: synced.append(folder == school.config and not is_waiting(folder)),
        raising=False,
    )
    school.restore(path)
    assert synced[-1:] == [True]


def test_damaged_files_of_a_feed_do_not_come_back(
    school: BackedUpSchool, fresh: BackedUpSchool
) -> None:
    school.state.feed.mkdir()
    for name in ("root.json", "followed.state"):
        (school.state.feed / name).write_bytes(b"{}")
    fresh.restore(school.back_up())
    assert not TrustFolder(fresh.state.feed).is_given()
    assert not (fresh.state.feed / "followed.state").exists()


@pytest.mark.parametrize("is_refused", [False, True])
def test_a_running_daemon_does_its_part(
    school: BackedUpSchool, monkeypatch: pytest.MonkeyPatch, *, is_refused: bool
) -> None:
    asked = list[str]()

    def ask(_: Path, command: str) -> dict[str, Any]:
        asked.append(command)
        if command == "restore" and asked.count("restore") == 1:
            raise ControlError(say("busy"))
        assert restore_journal.is_waiting(school.config), "one that is killed here goes on"
        if command == "reload" and is_refused:
            raise ControlError(say("site.yaml:3: a mistake"))
        return {"number": 2, "accounts": []}

    monkeypatch.setattr(control, "is_running", lambda _: True)
    monkeypatch.setattr(control, "ask", ask)
    school.decide(school.back_up())
    with pytest.raises(ControlError):
        school.carry_out()
    assert restore_journal.is_waiting(school.config)
    with pytest.raises(ControlError) if is_refused else nullcontext():
        school.carry_out()
    assert asked == ["restore", "restore", "reload"]
    assert not restore_journal.is_waiting(school.config)


def test_a_full_disk_decides_nothing(
    school: BackedUpSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError(say("full"))

    monkeypatch.setattr(restore_journal, "check_room", full)
    with pytest.raises(StoreError):
        school.decide(school.back_up())
    assert not restore_journal.is_waiting(school.config)


@pytest.mark.long
@pytest.mark.parametrize("is_foreign", [False, True])
def test_killed_at_any_change_of_the_disk_it_leads_to_the_same_end(
    school: BackedUpSchool, tmp_path: Path, *, is_foreign: bool
) -> None:
    """Before the journal it is the old state; after it one more run makes the new one."""
    path = school.back_up()
    there = BackedUpSchool(tmp_path / "there") if is_foreign else school
    there.allow("b.example")
    there.name_device("máy 2")
    with (there.config / "site.yaml").open("a") as file:
        file.write("workers: 2\n")
    _undisturbed(there)
    shutil.copytree(there.folder, tmp_path / "template")

    def copy(name: str) -> BackedUpSchool:
        shutil.copytree(tmp_path / "template", tmp_path / name)
        return BackedUpSchool.at(tmp_path / name)

    whole = copy("whole")
    steps = steps_of(lambda: whole.restore(path))
    expected = _seen(whole)
    old = _seen(copy("as it was"))
    assert expected != old
    outcomes = set[bool]()
    for step in range(steps):
        cut = copy(f"cut-{step}")
        assert dies_at_disk(lambda cut=cut: cut.restore(path), step)  # type: ignore[misc]
        if restore_journal.is_waiting(cut.config):
            cut.carry_out()
        seen = _seen(cut)
        assert seen in (old, expected), step
        outcomes.add(seen == expected)
        assert cut.store.verify().is_sound
        assert cut.store.start().problem == ""
        shutil.rmtree(cut.folder)
    assert outcomes == {False, True}


def _undisturbed(school: BackedUpSchool) -> None:
    """Have the store bring its copies up, so that a later start has nothing to do."""
    school.store.start()
    os.sync()


def _seen(school: BackedUpSchool) -> tuple[object, ...]:
    overrides = school.overrides
    site = (school.config / "site.yaml").read_bytes()
    names = [account.name for account in school.book.accounts]
    kinds = [row.kind for row in school.store.rows()]
    return site, overrides.exceptions, overrides.device_names, names, kinds
