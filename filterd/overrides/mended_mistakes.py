# SPDX-License-Identifier: Apache-2.0
"""Corrected mistakes: reported list entries that are gone, since which version.

A mistake is corrected when no third-party list closes the name any more. That is
checked whenever lists become active, and recorded, because later versions do not show
when it happened. Where an entry comes back, it is no longer corrected.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filterd.errors import WireError
from filterd.lists.list_queries import NamingEntry, naming_entries, version_of
from filterd.overrides import store_file, store_schema
from filterd.overrides.mistake_reports import Report, reports_in, to_plain
from filterd.wire import name as names

if TYPE_CHECKING:
    import sqlite3

    from filterd.lists.index import Index
    from filterd.overrides.history_chain import HistoryReplay
    from filterd.overrides.store import Store
    from filterd.state_folder import StateFolder


@dataclass(frozen=True, slots=True)
class Mended:
    """The first list version without the mistake; ``at``: when it was compiled."""

    version: str
    at: float


@dataclass(frozen=True, slots=True)
class Mistake:
    """A reported mistake and its state.

    ``listed`` are the entries that still close the name; None where the lists are
    unknown. ``mended`` is None while there are any.
    """

    report: Report
    listed: tuple[NamingEntry, ...] | None
    mended: Mended | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return plain data: the fields of the report, and its state."""
        mended = self.mended
        return {
            **to_plain(self.report),
            "mended": None if self.listed is None and mended is None else mended is not None,
            "mended_in": mended and mended.version,
            "mended_at": mended and mended.at,
            "listed": None if self.listed is None else [one._asdict() for one in self.listed],
        }


class Mistakes:
    """The mistakes of a state folder; ``store`` is the store there."""

    def __init__(self, state: StateFolder, store: Store) -> None:
        self._state, self._store = state, store

    def note(self, index: Index) -> None:
        """Record the mistakes that these lists, which have just become active, correct.

        Raises:
            IndexFormatError: the lists are damaged.
            StoreError: the disk refused, or the store cannot be used.
        """
        known = self._mended()
        reported = {one.number: one for one in self._reports("")}
        clean = {number for number, one in reported.items() if not _listed(index, one)}
        new, gone = clean - known.keys(), known.keys() - clean
        if not new and not gone:
            return
        mended = _mended_by(index)

        def write(connection: sqlite3.Connection, _: HistoryReplay) -> None:
            for number in sorted(gone):
                connection.execute(store_schema.FORGET_MENDED, (number,))
            for number in sorted(new):
                connection.execute(store_schema.ADD_MENDED, (number, mended.at, mended.version))
            connection.execute("COMMIT")

        self._store.write(write)

    def all(self, school: str, index: Index | None) -> tuple[Mistake, ...]:
        """Return all mistakes, in the order of their reports.

        Args:
            school: its name at the centre.
            index: the active lists; None where they cannot be read.

        Raises:
            IndexFormatError: the lists are damaged.
            StoreError: the store cannot be read.
        """
        known = self._mended()
        return tuple(self._mistake(one, index, known) for one in self._reports(school))

    def _mistake(self, report: Report, index: Index | None, known: dict[int, Mended]) -> Mistake:
        if index is None:
            return Mistake(report, None, known.get(report.number))
        listed = _listed(index, report)
        if listed:
            return Mistake(report, listed)
        return Mistake(report, (), known.get(report.number) or _mended_by(index))

    def _reports(self, school: str) -> tuple[Report, ...]:
        return reports_in(self._store.rows(), school)

    def _mended(self) -> dict[int, Mended]:
        if not os.path.lexists(self._state.overrides):
            return {}
        with store_file.to_read(self._state.overrides) as connection:
            rows = connection.execute(store_schema.MENDED).fetchall()
        return {number: Mended(version, at) for number, at, version in rows}


def _mended_by(index: Index) -> Mended:
    return Mended(version_of(index), float(index.build.get("when") or 0.0))


def _listed(index: Index, report: Report) -> tuple[NamingEntry, ...]:
    try:
        return tuple(naming_entries(index, names.from_text(report.name)))
    except WireError:  # an older filterd may have accepted an invalid name
        return ()
