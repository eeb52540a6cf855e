# SPDX-License-Identifier: Apache-2.0
"""Find names and rows in the query log, and remove them.

``filterd log search``, ``top``, ``new``, ``why``, ``names``, ``forget``, ``purge``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer
from rich.text import Text

from filterd.base.errors import ConfigError
from filterd.base.state_file import to_plain
from filterd.cli.context import (
    Context,
    JsonOption,
    Options,
    ReasonOption,
    argument,
    option,
)
from filterd.cli.render import details, listed
from filterd.cli.school_clock import school_clock, wording_of
from filterd.cli.target_options import seat
from filterd.operations.log import (
    ExplainRow,
    LookupChoice,
    ReadClassNames,
    ReadNewNames,
    ReadTopNames,
    SearchLog,
)
from filterd.operations.log_removal import ForgetLookups, PurgeLog
from filterd.operations.parameters.sought_names import SoughtNames
from filterd.operations.parameters.time import day_of, read_time
from filterd.overrides.target_text import class_from
from filterd.policy.field_checks import bare, is_a_grade
from filterd.querylog import querylog_rows
from filterd.resolve.explanation import EXPLANATION, passes
from filterd.texts import counted, i18n
from filterd.texts.counted import number
from filterd.texts.i18n import say, say_n
from filterd.texts.rows import Listing, Row, SchoolClock, Wording

_FOUND, _NOTHING = 0, 1
_MOST_ROWS, _MOST_DAYS = 500, 90
_YESTERDAY = ("yesterday", "hom qua")

Kind = tuple[str, str, str]
DaysAsked = tuple[str | None, int]
LimitOption = Annotated[int, option("--limit", "Number of names.", "N", min=1, max=_MOST_ROWS)]


def days(
    day: Annotated[
        str | None, option("--day", "One day: today, yesterday, 27/11 or 2026-11-27.", "DAY")
    ] = None,
    days: Annotated[
        int, option("--days", "Number of days, with today.", "N", min=1, max=_MOST_DAYS)
    ] = 7,
) -> DaysAsked:
    """Return the day as the operator wrote it, and the number of days."""
    return day, days


def kind(
    tier: Annotated[str | None, option("--tier", "The tier: primary, ...", "TIER")] = None,
    action: Annotated[
        str | None, option("--action", "The result: blocked, pass, rewritten, ...", "ACTION")
    ] = None,
    category: Annotated[
        str | None, option("--category", "The category of the list: games, ...", "ID")
    ] = None,
) -> Kind:
    """Return what lookups must have beside a grade or class."""
    return tier or "", action or "", category or ""


def name(
    name: Annotated[
        str | None, argument("NAME", "The name, such as www.tiktok.com or *.tiktok.com.")
    ] = None,
    subtree: Annotated[
        bool, option("--subtree", "Include all names beneath it, as *.NAME does.")
    ] = False,
    contains: Annotated[bool, option("--contains", "Find names that NAME is a part of.")] = False,
) -> SoughtNames:
    """Return the names that are looked for.

    Raises:
        ConfigError: it is no name, or no part of one.
    """
    return SoughtNames.of_words(name or "", subtree=subtree, contains=contains)


def page(
    limit: Annotated[
        int, option("--limit", "Number of rows, and of names.", "N", min=1, max=_MOST_ROWS)
    ] = 50,
    after: Annotated[
        str | None, option("--after", "Go on after the row with this ID.", "ID")
    ] = None,
) -> tuple[int, str]:
    """Return which part of the rows is asked for."""
    return limit, after or ""


def search(
    here: Context,
    name: Annotated[SoughtNames, Options(name)],
    whom: Annotated[str | None, Options(seat)],
    kind: Annotated[Kind, Options(kind)],
    days: Annotated[DaysAsked, Options(days)],
    page: Annotated[tuple[int, str], Options(page)],
    json: JsonOption = False,
) -> None:
    """Find lookups and names in the log, the latest first.

    The history records that you looked, without NAME. What the level of a tier does not keep
    cannot be found; each answer shows the levels. Exit code 0: found; 1: nothing was found; 2: an
    error.
    """
    clock = school_clock(here)
    choice = _choice(clock, whom, kind, days)
    limit, after = page
    answer = here.send(SearchLog(names=name, choice=choice, limit=limit, after=after))
    if json:
        here.print_json(answer)
    else:
        wording = Wording(here.texts, clock)
        _print(
            here,
            wording,
            querylog_rows.SEEN,
            querylog_rows.with_least(answer["seen"], answer["least_devices"]),
        )
        if answer["seen_more"]:
            _dim(here, here.texts("There are more names; search for a longer name, or one day."))
        _print(here, wording, querylog_rows.ROWS, answer["rows"])
        if not (answer["seen"] or answer["rows"]):
            here.print(querylog_rows.nothing(answer))
        if answer["late"]:
            _dim(here, here.texts("The search took too long and stopped."))
        if answer["cursor"]:
            _dim(here, here.texts("Go on with --after {cursor}", cursor=answer["cursor"]))
        _print_scope(here, wording, answer)
    raise typer.Exit(_FOUND if answer["seen"] or answer["rows"] else _NOTHING)


def top(
    here: Context,
    whom: Annotated[str | None, Options(seat)],
    kind: Annotated[Kind, Options(kind)],
    days: Annotated[DaysAsked, Options(days)],
    limit: LimitOption = 20,
    json: JsonOption = False,
) -> None:
    """Show the names with the most lookups, and how many of these were blocked.

    Only rows can be counted: at the level names the log does not know how often. Exit code 0:
    shown; 1: there are no rows; 2: an error.
    """
    clock = school_clock(here)
    answer = here.send(ReadTopNames(choice=_choice(clock, whom, kind, days), limit=limit))
    if json:
        here.print_json(answer)
    else:
        wording = Wording(here.texts, clock)
        _print(here, wording, querylog_rows.TOP, answer["rows"])
        if not answer["rows"]:
            here.print(querylog_rows.nothing(answer))
        if "names" in answer["levels"].values():
            _dim(here, here.texts("At the level names it is not known how often."))
        _print_scope(here, wording, answer)
    raise typer.Exit(_FOUND if answer["rows"] else _NOTHING)


def new(
    here: Context,
    asked: ReadNewNames,
    json: JsonOption = False,
) -> None:
    """Show names that pass today and that the tier did not have on the days before.

    Review these names: a scam is among the domains that are new to a school, and none is closed
    for being new. Those that fewer devices than `least_devices` asked for are not among them.
    Exit code 0: shown; 1: there are none; 2: an error.
    """
    answer = here.send(asked)
    if json:
        here.print_json(answer)
    else:
        wording = wording_of(here)
        _print(
            here,
            wording,
            querylog_rows.NEW,
            querylog_rows.with_least(answer["rows"], answer["least_devices"]),
        )
        found = {"names": counted.names(answer["n"]), "days": counted.days(answer["compared"])}
        summary = say("{names} new, compared with {days}", **found)
        if not answer["compared"]:
            summary = say("{names}; the log has no day before to compare them with", **found)
        here.print(summary)
        if answer["n"] > len(answer["rows"]):
            _dim(here, here.texts("Not all are shown; to see more: --limit"))
        _print_scope(here, wording, answer)
    raise typer.Exit(_FOUND if answer["rows"] else _NOTHING)


def why(
    here: Context,
    asked: ExplainRow,
    json: JsonOption = False,
) -> None:
    """Show one row of the log, and why it was decided so.

    It is judged again by the policy that was in force then, with the lists of today. Exit code
    0: shown; 2: no such row, or an error.
    """
    answer = here.send(asked)
    if json:
        here.print_json(answer)
        return
    wording, then = wording_of(here), answer["then"]
    here.console.print(details(wording, querylog_rows.ROW, answer["row"]))
    if then is None:
        _dim(here, here.texts(i18n.from_plain(answer["sentence"])))
        return
    here.console.print()
    here.print(say("By what was in force then, with the lists of today:"))
    here.console.print(details(wording, EXPLANATION, then))
    if passes(then["action"]) is (answer["row"]["action"] == "blocked"):
        _dim(here, here.texts("That differs: the lists, or the room's settings, have changed."))


def names(
    here: Context,
    class_: Annotated[str, argument("CLASS", "The class, such as 6A.")],
    json: JsonOption = False,
) -> None:
    """Show today's names that several pupils' devices of a class asked for.

    Teachers see their own classes. How many devices a name needs is set in `site.yaml`
    (`least_devices`, five or more); devices of staff do not count, nor do one fewer than so many,
    which may be the reader's. No device is shown. Exit code 0: shown; 1: there are none; 2: an
    error.
    """
    answer = here.send(ReadClassNames(class_=class_from(class_)))
    if json:
        here.print_json(answer)
    else:
        wording = wording_of(here)
        title = here.texts(querylog_rows.OF_CLASS.title, class_id=answer["class"])
        _print(
            here, wording, querylog_rows.OF_CLASS._replace(title=i18n.quoted(title)), answer["rows"]
        )
        if answer["level"] in ("off", "counts"):
            here.print(say("The level {level} of this class keeps no names.", **answer))
        elif not answer["rows"]:
            here.print(
                say("No name was asked for by {least_devices} devices of pupils or more.", **answer)
            )
    raise typer.Exit(_FOUND if answer["rows"] else _NOTHING)


def day_asked(clock: SchoolClock, text: str) -> str:
    """Return in ISO 8601 a day that the operator wrote.

    Raises:
        ConfigError: it is no day, or it is still to come.
    """
    if bare(text).strip() in _YESTERDAY:
        return (day_of(clock) - timedelta(days=1)).isoformat()
    day = clock.shows(read_time(clock, text, past=True)).date()
    if day > day_of(clock):
        hint = say(
            "today is {day}; write the year of an earlier day", day=day_of(clock).isoformat()
        )
        raise ConfigError(say("{day} is still to come", day=day.isoformat()), hint=hint)
    return day.isoformat()


def _choice(clock: SchoolClock, whom: str | None, kind: Kind, days: DaysAsked) -> LookupChoice:
    """Return the choice that options name.

    Raises:
        ConfigError: it is no day, or one that is still to come.
    """
    tier, action, category = kind
    day, number_of_days = days
    is_grade = is_a_grade(whom or "")
    return LookupChoice(
        grade=whom or "" if is_grade else "",
        class_="" if is_grade else whom or "",
        tier=tier,
        action=action,
        category=category,
        day="" if day is None else day_asked(clock, day),
        days=number_of_days,
    )


def _print(here: Context, wording: Wording, listing: Listing, rows: Sequence[Row]) -> None:
    if rows:
        here.console.print(listed(wording, listing, rows))


def _print_scope(here: Context, wording: Wording, answer: Row) -> None:
    """Print what the answer lacks: unreadable days, what levels do not keep."""
    for line in querylog_rows.scope(answer, wording):
        _dim(here, line)


def _dim(here: Context, line: str) -> None:
    here.console.print(Text(line, style="dim"))


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
    if sum(one is not None for one in (name, device, day)) != 1:
        raise ConfigError(say("name one thing"), hint=say("--name, --device or --day"))
    asked = ForgetLookups(
        names=SoughtNames.of_words(name or ""),
        device=device or "",
        day="" if day is None else day_asked(school_clock(here), day),
        reason=reason,
    )
    _remove(here, asked, json=json)


def purge(here: Context, asked: PurgeLog, json: JsonOption = False) -> None:
    """Remove all names and rows of all days from the log. It cannot be undone.

    Totals stay; they have no names. Exit code 0: removed; 2: an error.
    """
    _remove(here, asked, json=json)


def _remove(here: Context, asked: ForgetLookups | PurgeLog, *, json: bool) -> None:
    answer = here.send(asked)
    if json:
        here.print_json(to_plain(answer))
        return
    rows = answer.rows  # of a day it is not counted
    line = say_n(
        "It is not in the log any more; {n} row was removed.",
        "It is not in the log any more; {n} rows were removed.",
        rows or 0,
        n=number(rows or 0),
    )
    here.print(say("It is removed from the log.") if rows is None else line)
    if answer.unreadable:
        here.print(
            say(
                "These days could not be searched and were removed whole: {days}",
                days=", ".join(answer.unreadable),
            )
        )
