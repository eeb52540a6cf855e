# SPDX-License-Identifier: Apache-2.0
"""``filterd timetable``: the timetables of rooms as a table, in CSV or XLSX."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from filterd.base.paths import write_atomically
from filterd.base.privileges import own_rights
from filterd.cli import spreadsheet
from filterd.cli.console import write
from filterd.cli.context import Context, JsonOption, argument, on_named_files, option
from filterd.cli.effective_state import policy_of_files
from filterd.cli.render import show
from filterd.cli.terminal import agreed
from filterd.config import timetable_rows
from filterd.config.timetable_plan import TimetablePlan, plan
from filterd.config.week_schema import TIMETABLE_FILE, written
from filterd.policy.field_checks import shown
from filterd.policy.model import Policy
from filterd.policy.school_week import LESSON_HEADING, lesson_rows
from filterd.policy.timetable_changes import CHANGES
from filterd.texts import counted
from filterd.texts.i18n import say
from filterd.texts.rows import Column, Listing, to_csv

FileArgument = Annotated[
    Path, argument("FILE", "A table of day, lesson, room, class, teacher, or a grid: CSV or XLSX.")
]
OtherRoomOption = Annotated[
    list[str] | None,
    option(
        "--other-room",
        "Leave out the cells that name this room, such as 'P. Ly'; may be repeated.",
        "NAME",
    ),
]
_NOT_DONE = 1
_SAME, _DIFFERENT = 0, 1
_DIFFERENCES = Listing(
    say("Differences"),
    say("No difference."),
    (
        Column(say("Now"), "now", lambda row, _: " ".join(filter(None, row))),
        Column(say("In the table"), "table", lambda row, _: " ".join(filter(None, row))),
    ),
)


@on_named_files
def import_(
    here: Context,
    file: FileArgument,
    other_room: OtherRoomOption = None,
    yes: Annotated[bool, option("--yes", "Ask nothing.")] = False,
    json: JsonOption = False,
) -> None:
    """Set the timetables of rooms from a table.

    The table has a row for each lesson, or is a grid: rows of day and lesson, and a column for
    each class with the room in its cells, or for each room with the class in them. Rooms are
    the networks that site.yaml declares so, by `room: true` or a timetable.

    It shows what each network will have, its classes and its youngest pupils now and then, and
    asks. It writes timetable.yaml beside site.yaml: a room in it has that timetable in the place
    of the one in site.yaml. The table names all rooms: those of the import before are forgotten.
    It is in force after `filterd reload`. Exit code 0: written; 1: not wanted; 2: an error; with
    1 and 2 nothing is written.
    """
    made = _plan(here, file, policy_of_files(here), other_room)
    wanted, left_out = made.networks, made.left_out
    if not json:
        show(here, CHANGES, made.changes)
        _note_left_out(here, left_out)
    if not agreed(here, say("Write these timetables?"), yes=yes):
        raise typer.Exit(_NOT_DONE)
    path = here.config / TIMETABLE_FILE
    write_atomically(path, written(wanted), mode=0o644)
    lessons = sum(len(one.timetable) for one in wanted)
    if json:
        here.print_json(
            {
                "file": str(path),
                "rooms": [one.id for one in wanted],
                "lessons": lessons,
                "left_out": list(left_out),
                "changes": list(made.changes),
            }
        )
        return
    here.print(
        say(
            "{path}: {lessons} lessons, {rooms}. To put it in force: filterd reload",
            path=path,
            lessons=lessons,
            rooms=counted.rooms(len(wanted)),
        ),
        whole=True,
    )


def _note_left_out(here: Context, left_out: tuple[str, ...]) -> None:
    if left_out:
        line = here.texts(
            "Cells without a room of this site are left out: {count}, such as {cell}",
            count=len(left_out),
            cell=shown(" ".join(left_out[0].split())),
        )
        here.errors.print(Text(line), style="yellow", soft_wrap=True)


def export(
    here: Context,
    file: Annotated[
        Path | None, argument("FILE", "FILE.csv or FILE.xlsx to write (default: print CSV).")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write the timetables of rooms as a table, as `timetable import` reads it.

    Exit code 0: written; 2: an error.
    """
    policy = policy_of_files(here)
    rows = lesson_rows(policy.networks, policy)
    if json:
        here.print_json([dict(zip(LESSON_HEADING, row, strict=True)) for row in rows])
        return
    table = [LESSON_HEADING, *rows]
    if file is None:
        write(to_csv(table).decode())
        return
    is_workbook = file.suffix.casefold() == ".xlsx"
    content = spreadsheet.to_xlsx(table) if is_workbook else to_csv(table)
    with own_rights():
        write_atomically(file, content, mode=0o644)


def diff(
    here: Context,
    file: FileArgument,
    other_room: OtherRoomOption = None,
    json: JsonOption = False,
) -> None:
    """Show where a table differs from the timetables of the site's files.

    Exit code 0: no difference; 1: some; 2: an error.
    """
    policy = policy_of_files(here)
    wanted = _plan(here, file, policy, other_room).networks
    named = {one.id for one in wanted}
    now = [network for network in policy.networks if network.id in named]
    found = [
        {"now": old, "table": new} for old, new in timetable_rows.differences(now, wanted, policy)
    ]
    show(here, _DIFFERENCES, found, json=json)
    raise typer.Exit(_DIFFERENT if found else _SAME)


def _plan(here: Context, file: Path, policy: Policy, others: list[str] | None) -> TimetablePlan:
    return plan(spreadsheet.load(file), str(file), here.config, policy, others or ())
