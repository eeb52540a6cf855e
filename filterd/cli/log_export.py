# SPDX-License-Identifier: Apache-2.0
"""``filterd log export``: totals for outside the school, as CSV or JSON Lines."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from filterd import control
from filterd.cli import spreadsheet
from filterd.cli.context import Context, check_folder, option
from filterd.counted import number
from filterd.i18n import say, say_n
from filterd.paths import write_atomically
from filterd.privileges import own_rights

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.rows import Row

_HEADINGS = {
    "period": say("Period"),
    "tier": say("Tier"),
    "grade": say("Grade"),
    "category": say("Category"),
    "action": say("Answer"),
    "n": say("Number"),
}


class ExportFormat(StrEnum):
    """The format of an export."""

    CSV = "csv"
    JSONL = "jsonl"


def export(
    here: Context,
    month: Annotated[
        str | None, option("--month", "A month that is over: 2026-10, with its grades.", "MONTH")
    ] = None,
    days: Annotated[
        int, option("--days", "The last days before today, by tier.", "N", min=1, max=400)
    ] = 30,
    format_: Annotated[ExportFormat, option("--format", "csv or jsonl.")] = ExportFormat.CSV,
    out: Annotated[
        Path | None, option("--out", "The file to write (default: print it).", "FILE")
    ] = None,
) -> None:
    """Export totals that may leave the school: by tier and day, by grade and month.

    A number of fewer than 5 devices is left out, and so is one from which it would follow.
    What was exported of a day or month never changes. Exit code 0: exported; 2: an error.
    """
    if out is not None:
        check_folder(out, "--out")
    asked = {"month": month} if month else {"days": days}
    told = control.ask(here.state.control_socket, "log export", **asked)
    if format_ is ExportFormat.CSV:
        content = _csv(here, told["rows"])
    else:
        content = _lines([*told["rows"], {key: told[key] for key in ("left_out", "least_devices")}])
    if out is None:
        sys.stdout.write(content.decode())
    else:
        with own_rights():
            write_atomically(out, content, mode=0o644)
    left_out = say_n(
        "{n} number is left out: it is of fewer than {least} devices, or would show such a one",
        "{n} numbers are left out: of fewer than {least} devices, or they would show such a one",
        told["left_out"],
        n=number(told["left_out"]),
        least=told["least_devices"],
    )
    here.errors.print(here.texts(left_out))


def _csv(here: Context, rows: Iterable[Row]) -> bytes:
    table = [[here.texts(heading) for heading in _HEADINGS.values()]]
    for row in rows:
        shown = {**row, "tier": row["tier"] or here.texts("(whole school)")}
        table.append([spreadsheet.guarded(str(shown[key])) for key in _HEADINGS])
    return spreadsheet.to_csv(table)


def _lines(rows: Iterable[Any]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
