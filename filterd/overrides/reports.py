# SPDX-License-Identifier: Apache-2.0
"""Mistakes of lists, as a school tells them to the centre: a line of JSON each. Pure.

Neither the person who found one is in it nor who wanted the name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filterd.errors import ChangeError, ConfigError, ConfigErrors
from filterd.overrides import values
from filterd.overrides.history import with_undos
from filterd.overrides.values import Fields
from filterd.policy.encoding import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.overrides.history import Row

KIND = "report-mistake"
_MAX_LINE = 8_192
_MAX_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Report:
    """One mistake: what is named without cause, when and why somebody said so.

    ``number`` is that of the change in the history of the school; ``seen_in``
    the version of the lists that had the entry.
    """

    school: str
    number: int
    at: float
    name: str
    reason: str
    seen_in: str = ""


def reports_in(rows: Iterable[Row], school: str) -> tuple[Report, ...]:
    """Return the mistakes that were reported, without those that were taken back.

    Args:
        rows: in descending order.
        school: what the centre calls it.
    """
    found = list[Report]()
    for row, taken_back_by in with_undos(rows):
        if row.kind == KIND and taken_back_by is None:
            told = row.to_plain()["payload"]
            seen_in = told.get("seen_in", "")
            found.append(Report(school, row.number, row.at, told["name"], row.reason, seen_in))
    return tuple(reversed(found))


def dump(reports: Iterable[Report]) -> str:
    """Return a file's text: a line each."""
    return "".join(f"{to_json(report)}\n" for report in reports)


def parse(text: str, path: str) -> tuple[Report, ...]:
    """Return the reports that a file's text holds; ``path`` is what errors call it.

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


def _parse_line(line: str) -> Report:
    try:
        told: Any = json.loads(line) if len(line) <= _MAX_LINE else None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise ChangeError("this is no report", hint="a line is one object in JSON")
    fields = Fields(told)
    report = Report(
        fields.take("school", values.short_text),
        fields.take("number", values.number),
        fields.take("at", values.time),
        fields.take("name", values.name),
        fields.take("reason", lambda value: values.reason(value, required=True)),
        fields.take_or("seen_in", values.short_text, ""),
    )
    fields.end()
    return report
