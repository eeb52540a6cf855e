# SPDX-License-Identifier: Apache-2.0
"""``filterd log forget`` and ``purge``: remove names and rows from the log."""

from __future__ import annotations

from typing import Annotated, Any

from filterd import control
from filterd.cli.context import Context, JsonOption, ReasonOption, option
from filterd.cli.log_search import day_asked
from filterd.cli.time_options import school_clock
from filterd.counted import number
from filterd.errors import ConfigError
from filterd.i18n import say, say_n
from filterd.overrides.target_text import name_asked


def forget(
    here: Context,
    reason: ReasonOption,
    name: Annotated[
        str | None, option("--name", "A name, or *.NAME with all beneath it.", "NAME")
    ] = None,
    device: Annotated[
        str | None,
        option("--device", "The MAC or address of a device: its rows of today.", "DEVICE"),
    ] = None,
    day: Annotated[str | None, option("--day", "All names and rows of one day.", "DAY")] = None,
    json: JsonOption = False,
) -> None:
    """Remove a name, a device or a day from the log, its copies and its memory.

    Totals stay; they have no names. Rows of a device on days before today cannot be found: the
    key of their pseudonyms is gone. The history records it, without the name. Exit code 0:
    removed; 2: an error.
    """
    given = {"name": name, "device": device, "day": day}
    asked: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if len(asked) != 1:
        raise ConfigError(say("name one thing"), hint=say("--name, --device or --day"))
    if name is not None:
        asked = name_asked(name)
    if day is not None:
        asked = {"day": day_asked(school_clock(here), day)}
    _remove(here, "log forget", {**asked, "reason": reason}, json=json)


def purge(here: Context, reason: ReasonOption, json: JsonOption = False) -> None:
    """Remove all names and rows of all days from the log. It cannot be undone.

    Totals stay; they have no names. Exit code 0: removed; 2: an error.
    """
    _remove(here, "log purge", {"reason": reason}, json=json)


def _remove(here: Context, command: str, asked: dict[str, Any], *, json: bool) -> None:
    told = control.ask(here.state.control_socket, command, **asked)
    if json:
        here.print_json(told)
        return
    rows = told.get("rows")  # of a day it is not counted
    line = say_n(
        "It is not in the log any more; {n} row was removed.",
        "It is not in the log any more; {n} rows were removed.",
        rows or 0,
        n=number(rows or 0),
    )
    here.console.print(here.texts("It is removed from the log." if rows is None else line))
    if told["unreadable"]:
        here.console.print(
            here.texts(
                "These days could not be searched and were removed whole: {days}",
                days=", ".join(told["unreadable"]),
            )
        )
