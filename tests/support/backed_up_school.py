# SPDX-License-Identifier: Apache-2.0
"""A gateway with all that a backup has; no daemon serves, files and signatures are real."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from filterd.accounts.account import Account, AccountBook, ApiToken, EnrolledDevice
from filterd.accounts.account_file import FORMAT
from filterd.accounts.password_hash import PasswordHash
from filterd.appliance.backup import restore_journal, restore_plan
from filterd.appliance.backup.backup_file import write
from filterd.appliance.backup.backup_parts import BackupLock, gather
from filterd.appliance.enrolment import device_key
from filterd.base.paths import write_atomically
from filterd.base.state_folder import StateFolder
from filterd.overrides.history.store import Store
from filterd.overrides.rights.roles import Role
from tests.support.changes import an_exception
from tests.support.clock import FakeClock
from tests.support.policies import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.overrides.history.store import Done
    from filterd.policy.temporary_rules import Overrides

PUBLIC = "age1kxqa9nq5sr3xp73q9q32svue0tx3w5wl2mts6ujahplf2ew7yamsktxxzq"
"""A recovery key of the right form; ``a_key_pair`` makes one that can be used."""
SITE = """\
school: {name: Trường mẫu}
language: en
networks:
  lab: {cidrs: [10.0.6.0/24], grade: 6}
lists:
  - {id: own, file: lists/own.txt, category: games}
"""
MAC, OTHER_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"


def a_key_pair() -> tuple[str, str]:
    """Return a public and a secret key of age."""
    import pyrage  # noqa: PLC0415 -- as the program does

    identity = pyrage.x25519.Identity.generate()
    return str(identity.to_public()), str(identity)


def an_account(name: str, *roles: Role) -> Account:
    hashed = PasswordHash(2, 1, 1, b"salt", b"hash")
    return Account(name, frozenset(roles or (Role.TEACHER,)), 1.0, password=hashed)


def a_token(account: str, label: str) -> ApiToken:
    return ApiToken(label, account, label, b"x", Role.READER, "totals", (), 1.0, 2.0)


def a_device(account: str, label: str) -> EnrolledDevice:
    return EnrolledDevice(
        label, account, label, b"x", PasswordHash(2, 1, 1, b"s", b"h"), 1.0, 2.0, 5
    )


class BackedUpSchool:
    """A gateway; ``key`` is the fingerprint of none until ``with_keys``."""

    def __init__(self, folder: Path, *, site: str = SITE, now: float = NOW) -> None:
        self.folder, self.clock = folder, FakeClock(now)
        self.config, self.state = folder / "site", StateFolder(folder / "state")
        (self.config / "lists").mkdir(parents=True)
        self.state.folder.mkdir()
        if site:
            (self.config / "site.yaml").write_text(site, encoding="utf-8")
            (self.config / "lists" / "own.txt").write_text("game.example\n")

    @classmethod
    def at(cls, folder: Path) -> BackedUpSchool:
        """Return the gateway whose folders are there already."""
        made = cls.__new__(cls)
        made.folder, made.clock = folder, FakeClock()
        made.config, made.state = folder / "site", StateFolder(folder / "state")
        return made

    @property
    def store(self) -> Store:
        return Store(self.state, self.clock)

    @property
    def overrides(self) -> Overrides:
        return self.store.current()

    @property
    def places(self) -> list[str]:
        return ["--config", str(self.config), "--state", str(self.state.folder), "--lang", "en"]

    def change(self, kind: str, **payload: Any) -> Done:
        return self.store.change(kind, payload, author="lan", reason="bài học")

    def allow(self, name: str, **more: Any) -> Done:
        return self.change("exception", **an_exception(target=name, **more))

    def name_device(self, name: str, mac: str = MAC) -> Done:
        return self.change("device-name", mac=mac, name=name)

    def note_account(self, what: str, account: str, label: str = "") -> None:
        self.change("account", what=what, account=account, **({"label": label} if label else {}))

    def put_accounts(self, *accounts: Account, **more: Any) -> None:
        book = AccountBook(number=self.book.number + 1, accounts=accounts, **more)
        for path in self.state.accounts_copies:
            FORMAT.save(path, book)

    @property
    def book(self) -> AccountBook:
        return FORMAT.read(self.state.accounts) or AccountBook()

    def with_keys(self) -> None:
        """Make the key of the gateway, that of the dashboard, and a secret of alerts."""
        device_key(self.state.device_key)
        for path in (
            self.state.web / "key.pem",
            self.state.web / "certificate.pem",
            self.config / "secrets" / "mail",
        ):
            write_atomically(path, path.name.encode(), mode=0o600)

    def back_up(self, name: str = "backup.zip", lock: BackupLock | None = None) -> Path:
        path = self.folder / name
        write(path, gather(self.config, self.state, self.clock, lock or BackupLock()).backup)
        return path

    def decide(self, path: Path, lock: BackupLock | None = None) -> None:
        plan = restore_plan.read_plan(path, lock or BackupLock())
        restore_journal.decide(plan, self.config)

    def carry_out(self) -> dict[str, Any]:
        return restore_journal.carry_out(self.config, self.state, self.clock)

    def restore(self, path: Path, lock: BackupLock | None = None) -> dict[str, Any]:
        self.decide(path, lock)
        return self.carry_out()

    def disable(self, name: str) -> None:
        changed = (
            replace(account, disabled_at=2.0) if account.name == name else account
            for account in self.book.accounts
        )
        self.note_account("disabled", name)
        self.put_accounts(*changed)
