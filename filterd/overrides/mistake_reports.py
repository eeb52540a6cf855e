# SPDX-License-Identifier: Apache-2.0
"""Reports of list mistakes, from a school to the centre, and mended mistakes.

A report has neither the person who found the mistake nor the one who wanted the name. It leaves
in a signed file (``appliance.mistake_envelope``); before it was a line of JSON, which the centre
still reads.

A mistake is *mended* when no third-party list closes the name any more. That is checked
whenever lists become active, and recorded, because later versions do not show when it
happened. Where an entry comes back, it is no longer mended.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base import state_file
from filterd.base.errors import ChangeError, ConfigError, ConfigErrors, WireError
from filterd.base.value_class import frozen
from filterd.lists.list_queries import content_version, naming_entries
from filterd.lists.rules import NamingEntry
from filterd.overrides.changes import change_fields
from filterd.overrides.changes.change_fields import ChangeFields
from filterd.overrides.history import store_file
from filterd.overrides.history.history_chain import with_undos
from filterd.overrides.mistake_answers import MistakeOutcome, read_answers
from filterd.policy import field_checks
from filterd.texts.i18n import say
from filterd.wire import name as names

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from filterd.base.state_folder import StateFolder
    from filterd.lists.index import Index
    from filterd.overrides.history.history_chain import HistoryReplay, HistoryRow
    from filterd.overrides.history.store import Store
    from filterd.overrides.mistake_answers import MistakeAnswer

KIND = "report-mistake"
_MAX_LINE = 8_192
_MAX_PROBLEMS = 20


@frozen
class Report:
    """One mistake: a wrongly listed name, when and why it was reported.

    ``number`` is that of the change in the history of the school, ``at`` a Unix
    time; ``seen_in`` is the version of the lists that had the entries, ``filterd`` that
    of the program.
    """

    school: str
    number: int
    at: float
    name: str
    reason: str
    seen_in: str = ""
    filterd: str = ""
    entries: tuple[NamingEntry, ...] = ()


def reports_in(rows: Iterable[HistoryRow], school: str) -> tuple[Report, ...]:
    """Return the reports in the history, without those that were taken back.

    Args:
        rows: in descending order.
        school: its name at the centre.
    """
    found = list[Report]()
    for row, taken_back_by in with_undos(rows):
        if row.kind == KIND and taken_back_by is None:
            plain = row.to_plain()["payload"]
            seen = plain.get("seen_in", ""), plain.get("filterd", "")
            entries = change_fields.naming_entries(plain.get("entries", ()))
            found.append(
                Report(school, row.number, row.at, plain["name"], row.reason, *seen, entries)
            )
    return tuple(reversed(found))


def to_plain(report: Report) -> dict[str, Any]:
    """Return a report as plain data."""
    plain: dict[str, Any] = state_file.to_plain(report)
    return {**plain, "entries": [entry._asdict() for entry in report.entries]}


def parse(text: str, path: str) -> tuple[Report, ...]:
    """Parse the reports in a file's text; ``path`` is its name in errors.

    Raises:
        ConfigErrors: what is wrong, each with its line.
    """
    found, problems = list[Report](), list[ConfigError]()
    for number, line in enumerate(text.split("\n"), 1):
        try:
            if line.strip():
                found.append(_parse_line(line))
        except ConfigError as error:
            problems.append(ConfigError(error.reason, path=path, line=number, hint=error.hint))
        if len(problems) == _MAX_PROBLEMS:
            break
    if problems:
        raise ConfigErrors(problems)
    return tuple(found)


def _entries(value: Any) -> tuple[NamingEntry, ...]:
    """Return the entries of a report as a file has them."""
    parts = NamingEntry._fields
    try:
        return change_fields.naming_entries([[one[part] for part in parts] for one in value])
    except (TypeError, KeyError):
        raise ChangeError(
            say("{value} is not a list entry", value=field_checks.shown(value))
        ) from None


def _parse_line(line: str) -> Report:
    try:
        plain: Any = json.loads(line) if len(line) <= _MAX_LINE else None
    except (ValueError, RecursionError):
        plain = None
    if not isinstance(plain, dict):
        raise ChangeError(say("this is not a report"), hint=say("each line is one JSON object"))
    return from_plain(plain)


def from_plain(plain: Mapping[str, Any]) -> Report:
    """Return a report from plain data of ``to_plain``.

    Raises:
        ChangeError: it is something else.
    """
    fields = ChangeFields(plain)
    report = Report(
        fields.take("school", change_fields.short_text),
        fields.take("number", change_fields.number),
        fields.take("at", field_checks.time),
        fields.take("name", field_checks.name),
        fields.take("reason", lambda value: change_fields.reason(value, required=True)),
        fields.take_or("seen_in", change_fields.short_text, ""),
        fields.take_or("filterd", change_fields.short_text, ""),
        fields.take_or("entries", _entries, ()),
    )
    fields.end()
    return report


@frozen
class Mended:
    """The first list version without the mistake; ``at``: when it was compiled."""

    version: str
    at: float


@frozen
class Mistake:
    """A reported mistake and its state.

    ``listed`` are the entries that still close the name; None where the lists are
    unknown. ``mended`` is None while there are any. ``answer`` is the answer of the feed for the
    name, and changes neither.
    """

    report: Report
    listed: tuple[NamingEntry, ...] | None
    mended: Mended | None = None
    answer: MistakeAnswer | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return plain data: the fields of the report, and its state."""
        mended = self.mended
        return {
            **to_plain(self.report),
            "mended": None if self.listed is None and mended is None else mended is not None,
            "mended_in": mended and mended.version,
            "mended_at": mended and mended.at,
            "listed": None if self.listed is None else [one._asdict() for one in self.listed],
            "answer": self.answer and self.answer._asdict(),
        }


class MistakeCounts(NamedTuple):
    """Counts of reports; the version of the feed with the last answer, 0 for none."""

    reported: int
    mended: int
    refused: int
    version: int


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
        reported = {report.number: report for report in self._reports("")}
        clean = {number for number, one in reported.items() if not _listed(index, one)}
        new, gone = clean - known.keys(), known.keys() - clean
        if not new and not gone:
            return
        mended = _mended_by(index)

        def write(connection: sqlite3.Connection, _: HistoryReplay) -> None:
            for number in sorted(gone):
                connection.execute(store_file.FORGET_MENDED, (number,))
            for number in sorted(new):
                connection.execute(store_file.ADD_MENDED, (number, mended.at, mended.version))
            connection.execute("COMMIT")

        self._store.writer.write(write)

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
        served = None if index is None else index.build.get(self._state.noted_as)
        answers = read_answers(self._state.feed_version(str(served))) if served else {}
        return tuple(
            replace(self._mistake(report, index, known), answer=answers.get(report.name))
            for report in self._reports(school)
        )

    def counts(self, index: Index) -> MistakeCounts:
        """Return how many mistakes are reported, mended, and refused by the centre.

        Raises:
            IndexFormatError: the lists are damaged.
            StoreError: the store cannot be read.
        """
        found = self.all("", index)
        answers = [one.answer for one in found if one.answer is not None]
        return MistakeCounts(
            len(found),
            sum(one.mended is not None for one in found),
            sum(answer.outcome is MistakeOutcome.REFUSED for answer in answers),
            max((answer.version for answer in answers), default=0),
        )

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
            rows = connection.execute(store_file.MENDED).fetchall()
        return {number: Mended(version, at) for number, at, version in rows}


def _mended_by(index: Index) -> Mended:
    return Mended(content_version(index), float(index.build.get("when") or 0.0))


def _listed(index: Index, report: Report) -> tuple[NamingEntry, ...]:
    try:
        return tuple(naming_entries(index, names.from_text(report.name)))
    except WireError:  # an older filterd may have accepted an invalid name
        return ()
