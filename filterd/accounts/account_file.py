# SPDX-License-Identifier: Apache-2.0
"""Keep the accounts in a file of the state folder, and in a second copy.

Only the manager reads it (mode 0600). If both copies are damaged they are set aside, and the
accounts are closed until a recovery at the console; DNS does not depend on them.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from os.path import lexists
from typing import TYPE_CHECKING

from filterd.accounts.account import AccountBook
from filterd.accounts.password_hash import PasswordHash
from filterd.base.errors import ControlError, StoreError
from filterd.base.paths import write_atomically
from filterd.base.state_file import FileFormat
from filterd.overrides.rights.roles import Role
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.base.state_folder import StateFolder

MODE = 0o600
ASIDE = "accounts.damaged.filterd"
"""The name of a damaged file that was set aside."""
_MOST_OCTETS = 4 << 20
WORDS = {"PasswordHash": PasswordHash, "Role": Role}
"""Of every file that keeps accounts: what ``account`` imports for annotations only."""
FORMAT = FileFormat(
    AccountBook,
    magic=b"filterd accounts ",
    title=say("file of the accounts of filterd"),
    remedy=say("run `filterd account recover` at the console"),
    words=WORDS,
    most_octets=_MOST_OCTETS,
)

_logger = logging.getLogger("filterd.accounts")


class AccountsDamagedError(ControlError):
    """The accounts cannot be read."""

    code = "accounts-damaged"


class AccountFile:
    """The accounts in force, and their copies on the disk.

    Args:
        state: the folder of the copies.
        now: returns the Unix time that it is at least.

    Attributes:
        book: the accounts; empty while they are damaged.
        is_damaged: both copies are damaged, and none has been made since.
    """

    def __init__(self, state: StateFolder, now: Callable[[], float] = lambda: 0.0) -> None:
        self._now, self._copies = now, state.accounts_copies
        self._aside = state.folder / ASIDE
        self.book, self.is_damaged = AccountBook(), False
        self._turn = asyncio.Lock()

    def load(self) -> None:
        """Read the newest sound copy; set damaged ones aside."""
        found = [book for copy in self._copies if (book := FORMAT.read(copy)) is not None]
        self.book = max(found, key=lambda book: book.number, default=AccountBook())
        if found:
            self._mend(is_whole=len(found) == len(self._copies) and found[0] == found[-1])
            return
        for path in filter(lexists, self._copies):  # a disk only to read refuses what is not there
            try:
                path.replace(self._aside)
            except OSError as error:
                _logger.error("%s: cannot be set aside: %s", path, error)
                self.is_damaged = True
            else:
                _logger.error("%s: damaged; kept as %s; no account can sign in", path, self._aside)
        self.is_damaged |= lexists(self._aside)  # a disk that fails is no reason to end

    async def change(
        self, edit: Callable[[AccountBook], AccountBook], *, must_last: bool = True
    ) -> AccountBook:
        """Change the accounts, one change after the other; return them.

        Args:
            edit: returns the accounts after the change, or raises.
            must_last: refuse what the disk does not take; else it counts until the manager
                ends, as the mark of a code that was used does.

        Raises:
            StoreError: it cannot be written, and is not in force.
        """
        async with self._turn:
            changed = edit(self.book.pruned(self._now()))
            if changed is self.book:
                return changed
            changed = replace(changed, number=self.book.number + 1)
            try:
                await asyncio.to_thread(self._write, changed)
            except StoreError as error:
                if must_last:
                    raise
                _logger.warning("%s; it is kept in memory only", error)
            self.book = changed
            return changed

    async def begin_anew(self, edit: Callable[[AccountBook], AccountBook]) -> AccountBook:
        """Change the accounts, also where they were damaged: these stay set aside.

        Raises:
            StoreError: it cannot be written.
        """
        changed = await self.change(edit)
        self.is_damaged = False
        return changed

    def check(self) -> None:
        """Refuse to go on with damaged accounts.

        Raises:
            AccountsDamagedError: they are.
        """
        if self.is_damaged:
            raise AccountsDamagedError(
                say(
                    "the accounts are damaged; run `filterd account recover` at the console of"
                    " the gateway"
                )
            )

    def _mend(self, *, is_whole: bool) -> None:
        """Write both copies again where one is missing, damaged or older."""
        if not is_whole:
            try:
                self._write(self.book)
            except StoreError as error:
                _logger.warning("%s; there is one copy of the accounts", error)

    def _write(self, book: AccountBook) -> None:
        content = FORMAT.dump(book)
        for path in self._copies:
            write_atomically(path, content, mode=MODE)
