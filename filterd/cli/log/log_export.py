# SPDX-License-Identifier: Apache-2.0
"""``filterd log export``: totals for outside; names and rows for the school."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from filterd.base.errors import ConfigError
from filterd.base.paths import write_atomically
from filterd.base.privileges import own_rights
from filterd.base.state_file import to_plain
from filterd.cli.console import write
from filterd.cli.context import Context, option
from filterd.cli.named_files import check_folder
from filterd.cli.school_clock import school_clock
from filterd.operations.log import LookupChoice, ReadDayNames, SearchLog
from filterd.operations.totals import ExportTotals
from filterd.texts import i18n
from filterd.texts.counted import number
from filterd.texts.i18n import UNSAID, say, say_n
from filterd.texts.rows import guarded, to_csv

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.texts.i18n import Sentence
    from filterd.texts.rows import Row

MOST_ROWS = 200_000
_PAGE = 500


class ExportedTable(StrEnum):
    """What is exported; only totals may leave the school."""

    TOTALS = "totals"
    NAMES = "names"
    ROWS = "rows"


class ExportFormat(StrEnum):
    """The format of an export."""

    CSV = "csv"
    JSONL = "jsonl"


_TIER, _GRADE, _NUMBER = say("Tier"), say("Grade"), say("Number")
_RESULT = {"category": say("Category"), "action": say("Answer")}
_HEADINGS: dict[ExportedTable, dict[str, Sentence]] = {
    ExportedTable.TOTALS: {
        "period": say("Period"),
        "tier": _TIER,
        "grade": _GRADE,
        **_RESULT,
        "n": _NUMBER,
    },
    ExportedTable.NAMES: {
        "day": say("Day"),
        "name": say("Name"),
        "tier": _TIER,
        **_RESULT,
        "devices": say("Devices"),
    },
    ExportedTable.ROWS: {
        "at": say("Time"),
        "name": say("Name"),
        "grade": _GRADE,
        "class": say("Class"),
        "network": say("Network"),
        **_RESULT,
        "blocker": say("List or rule"),
        "device": say("Device"),
        "n": _NUMBER,
    },
}
_STAYS = say("For use within the school only. This file must not leave the school.")


def export(
    here: Context,
    what: Annotated[
        ExportedTable, option("--what", "totals, or for use within the school names or rows.")
    ] = ExportedTable.TOTALS,
    month: Annotated[
        str | None, option("--month", "A month that is over: 2026-10, with its grades.", "MONTH")
    ] = None,
    days: Annotated[
        int | None,
        option("--days", "The last days: of totals those before today.", "N", min=1, max=100),
    ] = None,
    format_: Annotated[
        ExportFormat, option("--format", "csv or jsonl.", "FORMAT")
    ] = ExportFormat.CSV,
    out: Annotated[
        Path | None, option("--out", "The file to write (default: print it).", "FILE")
    ] = None,
) -> None:
    """Export totals that may leave the school: by tier and day, by grade and month.

    A number of fewer than 5 devices is left out, and so is one from which it would follow.
    What was exported of a day or month never changes. Names and rows are for administrators,
    within the school. Each export is in the history. Exit code 0: exported; 2: an error.
    """
    if out is not None:
        check_folder(out, "--out")
    if what is ExportedTable.TOTALS:
        rest = _totals(here, ExportTotals(month=month) if month else ExportTotals(days=days or 30))
        rows, mode, last = rest.pop("rows"), 0o644, [rest]
    elif month:
        raise ConfigError(say("--month is for totals"), hint=say("such as --days 7"))
    else:
        found = _names(here, days or 1) if what is ExportedTable.NAMES else _rows(here, days or 1)
        rows, mode, last = _bounded(found), 0o600, []
    if format_ is ExportFormat.CSV:
        content = _csv(here, what, rows)
    else:
        first = [] if what is ExportedTable.TOTALS else [{"notice": here.texts(_STAYS)}]
        content = _lines([*first, *rows, *last])
    if out is None:
        write(content.decode())
    else:
        with own_rights():
            write_atomically(out, content, mode=mode)
        line = say_n("{out}: {n} row", "{out}: {n} rows", len(rows), out=out, n=number(len(rows)))
        here.note(line)


def _totals(here: Context, asked: ExportTotals) -> dict[str, Any]:
    answer, left_out = here.send(asked), UNSAID
    if answer.left_out:
        left_out = say(
            "Numbers are left out: of fewer than {least} devices, or they would show such a one.",
            least=answer.least_devices,
        )
    elif not answer.rows:
        left_out = say("There is nothing to export: only days and months that are over are.")
    if left_out:
        here.note(left_out)
    found: dict[str, Any] = to_plain(answer)
    return found


def _names(here: Context, days: int) -> Iterator[Row]:
    clock = school_clock(here)
    for ago in range(days):
        day = (clock.shows(clock.now).date() - timedelta(days=ago)).isoformat()
        for page in count(1):
            answer = here.send(ReadDayNames(day=day, page=page))
            _report_skipped(here, answer)
            yield from answer["rows"]
            if not answer["more"]:
                break


def _rows(here: Context, days: int) -> Iterator[Row]:
    asked = SearchLog(choice=LookupChoice(days=days), limit=_PAGE)
    while True:
        answer = here.send(asked)
        _report_skipped(here, answer)
        yield from answer["rows"]
        if not answer["cursor"]:
            return
        asked = replace(asked, after=answer["cursor"])


def _report_skipped(here: Context, answer: Row) -> None:
    """Print which days could not be read, and why."""
    for one in answer["skipped"]:
        why = i18n.translated(i18n.from_plain(one["sentence"]), here.texts.language)
        here.errors.print(f"{one['day']}: {why}", markup=False)


def _bounded(rows: Iterable[Row]) -> list[Row]:
    """Return the rows.

    Raises:
        ConfigError: there are too many to hold.
    """
    found: list[Row] = []
    for row in rows:
        if len(found) == MOST_ROWS:
            most = number(MOST_ROWS)
            raise ConfigError(
                say("there are more than {most} rows", most=most), hint=say("such as --days 7")
            )
        found.append(row)
    return found


def _csv(here: Context, what: ExportedTable, rows: Iterable[Row]) -> bytes:
    table, headings = [], _HEADINGS[what]
    if what is not ExportedTable.TOTALS:
        table.append([here.texts(_STAYS)])
    table.append([here.texts(heading) for heading in headings.values()])
    clock = school_clock(here) if what is ExportedTable.ROWS else None
    for row in rows:
        shown = {**row}
        if clock is not None:
            shown["at"] = f"{clock.shows(row['at']):%Y-%m-%d %H:%M:%S}"
        elif not row["tier"]:
            shown["tier"] = here.texts("(whole school)")
        table.append([guarded(str(shown[key])) for key in headings])
    return to_csv(table)


def _lines(rows: Iterable[Any]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
