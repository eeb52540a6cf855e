# SPDX-License-Identifier: Apache-2.0
"""Bring overrides and accounts of a backup back, by command of root.

Root leaves a request in the state folder (``RestoreRequest``) and asks for ``restore``, without
arguments; the result is ``{number, accounts}``: the change, and the accounts that came back.
Where no daemon runs, the command does the same by itself (``restore_without_daemon``). Both
may be repeated after a power cut: the second time changes nothing.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from filterd.accounts import account
from filterd.accounts.account import AccountBook
from filterd.accounts.account_file import WORDS, AccountFile
from filterd.base.errors import ControlError
from filterd.base.paths import sole
from filterd.base.state_file import FileFormat
from filterd.base.value_class import frozen
from filterd.daemon.handlers.control_caller import author_of
from filterd.overrides.history import restored_history
from filterd.overrides.history.restored_history import BackupOrigin
from filterd.overrides.history.store import Store
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filterd.base.clock import Clock
    from filterd.base.state_folder import StateFolder
    from filterd.daemon.handlers.account_state import AccountState
    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.overrides.history.history_chain import HistoryRow

_AUTHOR = "root"


@frozen
class RestoreRequest:
    """What comes back: accounts, and a history as ``restored_history.dump``."""

    origin: BackupOrigin
    history: str
    accounts: AccountBook


MOST_OCTETS = 256 << 20
REQUEST_WORDS = {**WORDS, "AccountBook": AccountBook, "BackupOrigin": BackupOrigin}
REQUEST = FileFormat(
    RestoreRequest,
    magic=b"filterd restore ",
    title=say("request of a restore"),
    remedy=say("restore the backup again"),
    words=REQUEST_WORDS,
    most_octets=MOST_OCTETS,
)


def restore_commands(accounts: AccountState, state: StateFolder) -> dict[str, Command]:
    """Return the command by its name."""
    manager = accounts.manager

    async def restore(_: dict[str, Any], caller: Caller) -> dict[str, Any]:
        if caller.grant is not None or caller.uid not in (0, os.geteuid()):
            raise ControlError(say("only root at the console restores a backup"))
        request = await asyncio.to_thread(REQUEST.load, state.restore_request)
        rows = await asyncio.to_thread(restored_history.read, request.history.encode())
        number = await manager.changes.restore(rows, request.origin, author_of(caller))
        store = Store(state, accounts.clock)
        return {"number": number, "accounts": await _accounts(accounts.file, store, rows, request)}

    return {"restore": restore}


def restore_without_daemon(state: StateFolder, clock: Clock) -> dict[str, Any]:
    """Do what the command does, while no daemon runs.

    Raises:
        StoreError: the disk refused, or the request is none.
        InUseError: a daemon runs.
    """
    with sole(state.daemon_lock, otherwise=say("filterd runs; try again")):
        request = REQUEST.load(state.restore_request)
        rows, store = restored_history.read(request.history.encode()), Store(state, clock)
        done = store.restore(rows, request.origin, author=_AUTHOR, now=clock.wall())
        file = AccountFile(state, clock.wall)
        file.load()
        come = asyncio.run(_accounts(file, store, rows, request))
        return {"number": done.row.number, "accounts": come}


async def _accounts(
    file: AccountFile,
    store: Store,
    backup: Sequence[HistoryRow],
    request: RestoreRequest,
) -> list[str]:
    """Bring accounts back; return their names."""
    present = tuple(reversed(await asyncio.to_thread(store.rows)))
    overrides = await asyncio.to_thread(store.current)
    gone = restored_history.deletions(present, backup, overrides)
    before = {one.name for one in file.book.accounts}
    book = await file.begin_anew(lambda book: account.merged(book, request.accounts, gone))
    return sorted({one.name for one in book.accounts} - before)
