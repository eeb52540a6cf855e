# SPDX-License-Identifier: Apache-2.0
"""Reports of list mistakes, from a school to the centre: JSON lines. Pure.

A report has neither the person who found the mistake nor the one who wanted the name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filterd import field_checks, state_file
from filterd.errors import ChangeError, ConfigError, ConfigErrors
from filterd.i18n import say
from filterd.lists.list_queries import NamingEntry
from filterd.overrides import change_fields
from filterd.overrides.change_fields import Fields
from filterd.overrides.history_chain import with_undos

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from filterd.overrides.history_chain import HistoryRow

KIND = "report-mistake"
_MAX_LINE = 8_192
_MAX_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
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
            told = row.to_plain()["payload"]
            seen = told.get("seen_in", ""), told.get("filterd", "")
            entries = change_fields.naming_entries(told.get("entries", ()))
            found.append(
                Report(school, row.number, row.at, told["name"], row.reason, *seen, entries)
            )
    return tuple(reversed(found))


def dump(reports: Iterable[Report]) -> str:
    """Return a file's text: one line for each report."""
    return "".join(f"{json.dumps(to_plain(report), ensure_ascii=False)}\n" for report in reports)


def to_plain(report: Report) -> dict[str, Any]:
    """Return a report as plain data."""
    told: dict[str, Any] = state_file.to_plain(report)
    return {**told, "entries": [entry._asdict() for entry in report.entries]}


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
            say("{value} is not an entry of a list", value=field_checks.shown(value))
        ) from None


def _parse_line(line: str) -> Report:
    try:
        told: Any = json.loads(line) if len(line) <= _MAX_LINE else None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise ChangeError(say("this is not a report"), hint=say("a line is one object in JSON"))
    return from_plain(told)


def from_plain(told: Mapping[str, Any]) -> Report:
    """Return a report from plain data of ``to_plain``.

    Raises:
        ChangeError: it is something else.
    """
    fields = Fields(told)
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
