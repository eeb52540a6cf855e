# SPDX-License-Identifier: Apache-2.0
"""Recent compiled policies, kept to answer questions about the past.

Each is a file of its own in the state folder, named by the digest of its
content; the store records from when each was active.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from filterd.base.errors import StoreError
from filterd.base.value_class import frozen
from filterd.overrides.history import store_file
from filterd.policy import policy_file as policy_store
from filterd.texts.i18n import say

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.base.state_folder import StateFolder
    from filterd.overrides.history.history_chain import HistoryReplay
    from filterd.overrides.history.store import Store
    from filterd.policy.model import Policy

KEPT = 30


@frozen
class PolicyVersion:
    """A compiled policy, and the Unix time from which it was active."""

    digest: str
    activated_at: float
    path: Path


class PolicyVersions:
    """The recent policies of a state folder; ``store`` is the store there."""

    def __init__(self, state: StateFolder, store: Store, clock: Clock) -> None:
        self._state, self._store, self._clock = state, store, clock

    def note(self, policy: Policy) -> None:
        """Record a policy that has just become active, unless it was already.

        Its file is written again where it is lost or damaged.

        Raises:
            StoreError: the disk refused, or the store cannot be used.
        """
        digest = policy_store.digest(policy)

        def add(connection: sqlite3.Connection, _: HistoryReplay) -> set[str]:
            newest = connection.execute(store_file.POLICIES).fetchone()
            self._keep(digest, policy)
            if newest is None or newest[0] != digest:
                connection.execute(store_file.ADD_POLICY, (self._clock.wall(), digest))
                connection.execute(store_file.FORGET_POLICIES, (KEPT,))
            kept = {row[0] for row in connection.execute(store_file.POLICIES)}
            connection.execute("COMMIT")
            self._remove_all_but(kept)
            return kept

        self._store.writer.write(add)

    def all(self) -> tuple[PolicyVersion, ...]:
        """Return the kept policies, the newest first.

        Raises:
            StoreError: the store cannot be read.
        """
        if not os.path.lexists(self._state.overrides):
            return ()
        with store_file.to_read(self._state.overrides) as connection:
            return tuple(self._version(*row) for row in connection.execute(store_file.POLICIES))

    def at(self, when: float) -> PolicyVersion | None:
        """Return the policy that was active at ``when`` by the clock; None if not known.

        Raises:
            StoreError: the store cannot be read.
        """
        if not os.path.lexists(self._state.overrides):
            return None
        with store_file.to_read(self._state.overrides) as connection:
            row = connection.execute(store_file.POLICY_AT, (when,)).fetchone()
        return None if row is None else self._version(*row)

    def load(self, digest: str) -> Policy:
        """Load a kept policy.

        Raises:
            StoreError: it is not kept, or cannot be read.
        """
        path = next((one.path for one in self.all() if one.digest == digest), None)
        if path is None:
            raise StoreError(
                say("the policy {digest} is not kept; see `filterd policy history`", digest=digest)
            )
        return policy_store.load(path)

    def _version(self, digest: str, activated_at: float) -> PolicyVersion:
        return PolicyVersion(digest, activated_at, self._path(digest))

    def _path(self, digest: str) -> Path:
        return self._state.past_policies / f"{digest}.filterd"

    def _keep(self, digest: str, policy: Policy) -> None:
        path = self._path(digest)
        try:
            policy_store.load(path)
        except StoreError:  # it is not there, or damaged
            policy_store.save(path, policy)

    def _remove_all_but(self, digests: set[str]) -> None:
        """Remove the files that no question needs, and those of a process that was killed."""
        wanted = {self._path(digest) for digest in digests}
        for path in set(self._state.past_policies.iterdir()) - wanted:
            with contextlib.suppress(OSError):  # the next call removes it
                path.unlink()
