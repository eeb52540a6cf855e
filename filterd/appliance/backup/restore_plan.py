# SPDX-License-Identifier: Apache-2.0
"""Verify a backup, and show what it would change here, before anything is changed.

Nothing of the file is trusted for its digests alone: the site is compiled, the chain of the
history replayed, the accounts and the feed's files read as their owners read them.
"""

from __future__ import annotations

import difflib
import secrets as random
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from filterd.accounts import account
from filterd.accounts.account import AccountBook, account_name
from filterd.accounts.account_file import FORMAT as ACCOUNT_FORMAT
from filterd.appliance.backup import backup_file, backup_parts
from filterd.appliance.backup.backup_file import ACCOUNTS, HISTORY, SECRETS, SITE
from filterd.appliance.backup.backup_parts import (
    DEVICE_KEY,
    ENROLMENT,
    FEEDS,
    accounts_of,
    device_of,
    feeds_of,
    site_files,
)
from filterd.appliance.setup import site_answers, site_writer
from filterd.base.errors import ConfigErrors, StoreError
from filterd.base.paths import shipped, writing
from filterd.base.privileges import as_owner_of
from filterd.base.value_class import frozen
from filterd.config.build_record import SITE_FILE
from filterd.config.compile_run import compile_in_child
from filterd.documents import parse
from filterd.feed.signed.trust import TrustFolder
from filterd.overrides.history import restored_history
from filterd.overrides.history.history_chain import replay
from filterd.overrides.history.restored_history import BackupOrigin
from filterd.overrides.history.store import Store
from filterd.texts.counted import fingerprint
from filterd.texts.i18n import Sentence, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from filterd.accounts.account import Account
    from filterd.appliance.backup.backup_file import Backup
    from filterd.appliance.backup.backup_parts import BackupLock
    from filterd.appliance.setup.interview import Interview
    from filterd.base.clock import Clock
    from filterd.base.state_folder import StateFolder
    from filterd.overrides.changes.effects import ChangeEffect
    from filterd.overrides.history.history_chain import HistoryRow
    from filterd.texts.i18n import Language


@frozen
class RestorePlan:
    """A verified backup.

    Attributes:
        backup: the file.
        origin: of the restore.
        rows: its history.
        accounts: without their secrets, unless these could be decrypted.
        secrets: by name; empty without their lock.
        missing: what cannot come back, and the remedy.
    """

    backup: Backup
    origin: BackupOrigin
    rows: tuple[HistoryRow, ...]
    accounts: AccountBook
    secrets: Mapping[str, bytes]
    missing: tuple[Sentence, ...]

    @property
    def site(self) -> dict[str, bytes]:
        """The files of the site, by their paths in its folder."""
        return self.backup.beneath(SITE)

    def with_site(self, text: str) -> RestorePlan:
        """Return the plan with another ``site.yaml``."""
        parts = {**self.backup.parts, f"{SITE}{SITE_FILE}": text.encode()}
        return replace(self, backup=replace(self.backup, parts=parts))


class RestoreDifference(NamedTuple):
    """What a restore would change.

    Attributes:
        lines: of ``site.yaml``, with ``+`` or ``-`` before them.
        files: other files of the site that would differ; paths.
        removed: files of the site that the backup does not have.
        effect: on what commands have set.
        kept_out: things of persons that were removed since and stay so.
        accounts: those that come back.
        roots: fingerprints of the roots that feeds trust from then on.
        is_foreign: the backup is of another gateway.
    """

    lines: tuple[str, ...]
    files: tuple[str, ...]
    removed: tuple[str, ...]
    effect: ChangeEffect
    kept_out: int
    accounts: tuple[Account, ...]
    roots: tuple[str, ...]
    is_foreign: bool


def read_plan(path: Path, lock: BackupLock) -> RestorePlan:
    """Read and verify a backup.

    Raises:
        StoreError: it is none, is damaged, or is of a newer filterd.
        ConfigError: the secrets cannot be decrypted, or the name of an account is none.
    """
    backup = backup_file.read(path)
    if f"{SITE}{SITE_FILE}" not in backup.parts:
        raise StoreError(say("{path}: the backup has no site.yaml", path=path))
    rows = restored_history.read(backup.parts.get(HISTORY, b""))
    missing, secrets = list[Sentence](), dict[str, bytes]()
    if SECRETS not in backup.parts:
        missing.append(
            say(
                "the backup has no secrets: passwords, the keys of this box and secret files must"
                " be made again (`filterd account code`, `filterd cert make`)"
            )
        )
    elif not lock.is_any:
        missing.append(
            say(
                "the secrets stay in the file: give --passphrase-file or --recovery-key-file to"
                " bring back passwords and keys"
            )
        )
    else:
        secrets = backup_parts.decrypt(backup.parts[SECRETS], lock)
    book = secrets.get(ACCOUNTS) or backup.parts.get(ACCOUNTS)
    try:
        accounts = ACCOUNT_FORMAT.parse(book, str(path)) if book else AccountBook()
    except StoreError as error:
        raise StoreError(
            say(
                "{path}: the accounts in the backup cannot be read; it was made by filterd"
                " {version}",
                path=path,
                version=backup.version,
            )
        ) from error
    if ACCOUNTS not in secrets:  # a plain part that has passwords is of another maker
        accounts = account.without_secrets(accounts)
    for one in accounts.accounts:
        account_name(one.name)
    origin = BackupOrigin(random.token_hex(16), backup.made_at, backup.device)
    return RestorePlan(backup, origin, rows, accounts, secrets, tuple(missing))


def check_site(plan: RestorePlan, config: Path) -> None:
    """Compile the site of a backup as a reload does.

    Raises:
        ConfigErrors: all that is wrong with it.
        StoreError: the disk refused.
    """
    with tempfile.TemporaryDirectory() as folder:
        tried = Path(folder) / "site"
        for name, content in plan.site.items():
            with writing(tried / name):
                (tried / name).parent.mkdir(parents=True, exist_ok=True)
                (tried / name).write_bytes(content)
        try:
            compile_in_child(tried, Path(folder) / "policy", blocklists=shipped("blocklists"))
        except ConfigErrors as error:
            raise site_writer.placed(error, tried, config) from None


def site_text(plan: RestorePlan) -> tuple[str, site_writer.Plain]:
    """Return the text of the backup's ``site.yaml`` and its data; it compiles."""
    content = plan.site[SITE_FILE]
    data = parse(content, SITE_FILE).data
    return content.decode("utf-8-sig"), data if isinstance(data, dict) else {}


def moved(text: str, interview: Interview, language: Language) -> str:
    """Return a site with the names of this machine in the place of the old one's."""
    data = parse(text.encode(), SITE_FILE).data
    here = {name: interview.get(f"here {name}") for name in interview.moved_names}
    return site_writer.rewritten(text, site_answers.moved_change(data, here), language)


def difference(
    plan: RestorePlan, config: Path, state: StateFolder, clock: Clock
) -> RestoreDifference:
    """Return what a restore would change here.

    Raises:
        StoreError: what is here cannot be read.
    """
    here = dict(site_files(config)) if config.is_dir() else {}
    there = plan.site
    old, new = (files.get(SITE_FILE, b"").decode("utf-8", "replace") for files in (here, there))
    lines = tuple(
        one
        for one in difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm="")
        if not one.startswith(("---", "+++", "@@"))
    )
    names = sorted(there.keys() - {SITE_FILE})
    with as_owner_of(state.folder):
        store, device = Store(state, clock), device_of(state)
        present, overrides = tuple(reversed(store.rows())), store.current()
        book, roots = accounts_of(state), tuple(_new_roots(plan, state))
    found = restored_history.restored(
        present, overrides, plan.rows, plan.origin, author="root", at=clock.wall()
    )
    effect = found.row.effect()
    if found.adopts:
        effect = restored_history.difference(overrides, replay((*plan.rows, found.row)).overrides)
    gone = restored_history.deletions(present, plan.rows, overrides)
    merged = account.merged(book, plan.accounts, gone)
    return RestoreDifference(
        lines,
        tuple(name for name in names if here.get(name) != there[name]),
        tuple(sorted(here.keys() - there.keys())),
        effect,
        found.kept_out,
        tuple(one for one in merged.accounts if one not in book.accounts),
        roots,
        bool(device) and plan.backup.device != device,
    )


def _new_roots(plan: RestorePlan, state: StateFolder) -> Iterator[str]:
    for name, folder in zip(FEEDS, feeds_of(state), strict=True):
        root = plan.backup.parts.get(f"{name}root.json")
        if root is not None and not TrustFolder(folder).is_given():
            yield fingerprint(root)


def without_device_key(plan: RestorePlan) -> RestorePlan:
    """Return a plan that leaves the key of this gateway and its enrolment as they are."""
    left = plan.secrets.keys() - {DEVICE_KEY, ENROLMENT}
    return replace(plan, secrets={name: plan.secrets[name] for name in left})
