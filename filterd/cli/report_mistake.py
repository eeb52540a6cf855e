# SPDX-License-Identifier: Apache-2.0
"""``filterd report-mistake``: a list names something by mistake; open it, and tell the centre."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.table import Table

from filterd.cli.changing import change, print_change
from filterd.cli.context import Context, JsonOption, command
from filterd.cli.history import MOST, rows
from filterd.cli.in_force import policy_in_force
from filterd.cli.render import grid, titled
from filterd.cli.sites import open_index
from filterd.cli.targets import name_from
from filterd.cli.times import Term, school_clock
from filterd.errors import ConfigError, FilterdError
from filterd.lists.index import Index
from filterd.overrides.history import Row
from filterd.overrides.reports import Report, dump, reports_in
from filterd.paths import write_atomically
from filterd.wire import name as names


class _Listed(NamedTuple):
    """Which list names a mistake still, in the lists of today."""

    list_id: str
    category: str
    line: int


@command
def report_mistake(
    here: Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="What a list names by mistake.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why it is a mistake.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Open it until then; else for 14 days."),
    ] = None,
    show: Annotated[
        bool, typer.Option("--list", help="Show what was reported, and what is mended.")
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="FILE", help="Write all reports for the centre."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Open what a list names by mistake, and report it.

    For 14 days, for everybody. The report says neither who found it nor who wanted
    the name. What an authority orders is not opened. Exit code 0: done; 2: not.
    """
    if show or export is not None:
        if name is not None:
            raise ConfigError("--list and --export take no name", hint="leave it out")
        _tell(here, export, json=json)
        return
    if name is None or reason is None:
        missing = "NAME" if name is None else "--reason"
        hint = 'filterd report-mistake NAME --reason "..."'
        raise ConfigError(f"{missing} is missing", hint=hint)
    clock, wanted = school_clock(here), name_from(name)
    term = Term(None, None, until, lesson=False, permanent=False)
    asked = term.payload(clock, may_be_open=True)
    index = _index(here)
    seen_in = None if index is None else _version(index)
    told = change(here, "report-mistake", reason, name=wanted, seen_in=seen_in, **asked)
    until_told = clock.told(told.get("until") or asked.get("ends_at"))
    what = here.texts("mistakes.done", name=wanted, when=until_told or "14 d")
    print_change(here, told, what, json=json)


def _tell(here: Context, export: Path | None, *, json: bool) -> None:
    found = reports_in(map(_row, rows(here, MOST)), policy_in_force(here).school)
    if export is not None:
        write_atomically(export, dump(found).encode(), mode=0o644)
        if not json:
            here.console.print(here.texts("mistakes.exported", n=len(found), file=export))
            return
    index = _index(here)
    told = [_plain(one, index) for one in found]
    if json:
        here.print_json(told)
    elif not told:
        here.console.print(here.texts("mistakes.none"))
    else:
        here.console.print(titled(here.texts("mistakes.title"), _table(here, told)))


def _plain(report: Report, index: Index | None) -> dict[str, Any]:
    """Return a report, and whether the lists of today have mended it."""
    listed = None if index is None else _listed(index, names.from_text(report.name))
    return {
        "number": report.number,
        "at": report.at,
        "name": report.name,
        "reason": report.reason,
        "seen_in": report.seen_in,
        "mended": None if index is None else listed is None,
        "mended_in": _version(index) if index is not None and listed is None else None,
        "listed": None if listed is None else listed._asdict(),
    }


def _listed(index: Index, name: bytes) -> _Listed | None:
    """Return the entry of a third party's list that gives exactly this name."""
    labels = names.count_labels(name)
    for hit in index.lookup(name):
        for claim_id, line in index.entries(hit.rank) if hit.labels == labels else ():
            source = index.lists[index.claims[claim_id][0]]
            if not source.own:
                return _Listed(source.id, source.category, line)
    return None


def _version(index: Index) -> str:
    return index.digest.hex()[:12]


def _index(here: Context) -> Index | None:
    """Open the lists; whoever asks need not be allowed to read them."""
    try:
        return open_index(here)
    except FilterdError:
        return None


def _row(plain: Any) -> Row:
    """Return a row of the history as it was stored."""
    texts = {key: json_text.dumps(plain[key]) for key in ("payload", "before", "after")}
    return Row(**{**plain, **texts})


def _table(here: Context, told: list[dict[str, Any]]) -> Table:
    texts, clock = here.texts, school_clock(here)
    keys = (
        "mistakes.number",
        "mistakes.when",
        "mistakes.name",
        "mistakes.state",
        "mistakes.reason",
    )
    table = grid([(texts(key), key == "mistakes.number") for key in keys])
    for one in told:
        state = ""
        if one["mended"]:
            state = texts("mistakes.mended", version=one["mended_in"])
        elif one["listed"]:
            where = one["listed"]
            state = texts("check.no_line", list=where["list_id"], line=where["line"])
        when = clock.told(one["at"])
        table.add_row(str(one["number"]), when, one["name"], state, one["reason"])
    return table
