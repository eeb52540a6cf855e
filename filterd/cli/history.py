# SPDX-License-Identifier: Apache-2.0
"""``filterd history`` and ``undo``: who changed what, and taking it back."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Group

from filterd.cli.changing import change, print_change
from filterd.cli.context import Context, JsonOption, command, group
from filterd.cli.in_force import ask_or_none, set_now
from filterd.cli.render import grid, titled
from filterd.cli.telling import Plain, Teller, not_ended, state_of
from filterd.cli.times import school_clock
from filterd.overrides.store import Store
from filterd.policy.encoding import to_plain as plain_data
from filterd.sentences import from_plain, to_plain
from filterd.sentences import told as in_language

_SOUND, _ALTERED = 0, 1
MOST = 100_000

app = group("See who changed what, and that nobody altered it.")


@command
def undo(
    here: Context,
    number: Annotated[
        int | None,
        typer.Argument(metavar="NUMBER", help="Of the change; else the last one.", min=1),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")] = "",
    json: JsonOption = False,
) -> None:
    """Take back the last change, or another one.

    What it set is gone, what it took away is there again. An undo is a change,
    too, and can be taken back. Exit code 0: done; 2: not.
    """
    told = change(here, "undo", reason, number=number)
    what = here.texts("told.undo", number=told["undone"])
    print_change(here, told, what, json=json)


@app.command("list")
@command
def list_(
    here: Context,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=MOST, help="The last N changes.")
    ] = 20,
    json: JsonOption = False,
) -> None:
    """Show the last changes: when, who, what and why.

    In JSON with what was set before and after each. Exit code 0: shown; 2: it
    cannot be read.
    """
    found = rows(here, limit)
    if json:
        here.print_json(found)
    elif not found:
        here.console.print(here.texts("history.none"))
    else:
        here.console.print(titled_rows(here, here.texts("history.title"), found))


@app.command()
@command
def verify(
    here: Context,
    json: JsonOption = False,
) -> None:
    """Look through the whole history for what somebody has altered.

    Exit code 0: it is as it was written; 1: a change was altered, removed or
    added, and the first of those is named; 2: it cannot be read.
    """
    told = ask_or_none(here, "history-verify")
    if told is None:
        found = Store(here.state, here.clock).verify()
        told = {
            "ok": found.first_bad is None,
            "number": found.number,
            "first_bad": found.first_bad,
            "problem": found.problem,
            "sentence": to_plain(found.problem),
            "set_aside": list(found.set_aside),
        }
    if json:
        here.print_json(told)
    else:
        _print_verified(here, told)
    raise typer.Exit(_SOUND if told["ok"] else _ALTERED)


def rows(here: Context, limit: int) -> list[Plain]:
    """Return the last changes as plain data, the newest first.

    Raises:
        FilterdError: they cannot be read.
    """
    told: list[Plain] | None = ask_or_none(here, "history", limit=limit)
    if told is None:
        return [row.to_plain() for row in Store(here.state, here.clock).rows(limit)]
    return told


def with_states(here: Context, kind: str, now: float, *, everything: bool) -> list[Plain]:
    """Return exceptions or exams, each with its ``state`` (``telling.state_of``).

    Args:
        here: where the daemon or the store is.
        kind: ``exceptions`` or ``exams``.
        now: Unix time.
        everything: those that have ended, too; those that were revoked, stopped or
            undone have the state ``taken-back``.

    Raises:
        FilterdError: they cannot be read.
    """
    things: list[Plain] = plain_data(getattr(set_now(here), kind))
    shown = things if everything else not_ended(things, now)
    told = {one["id"]: {**one, "state": state_of(one, now)} for one in shown}
    for row in rows(here, MOST) if everything else ():
        for one in row["after"].get(kind, ()):
            told.setdefault(one["id"], {**one, "state": "taken-back"})
    return [told[number] for number in sorted(told)]


def titled_rows(here: Context, title: str, found: list[Plain]) -> Group:
    """Draw changes, a row each."""
    texts, teller = here.texts, Teller(here.texts, school_clock(here))
    keys = ("history.number", "history.when", "history.author", "history.what", "history.reason")
    table = grid([(texts(key), key == "history.number") for key in keys], whole=True)
    for row in found:
        when = teller.clock.told(row["at"])
        table.add_row(str(row["number"]), when, row["author"], teller.row(row), row["reason"])
    return titled(title, table)


def _problem(here: Context, told: dict[str, Any]) -> str:
    """Return what is wrong; an older daemon tells it in English only."""
    return in_language(from_plain(told.get("sentence", told["problem"])), here.texts.language)


def _print_verified(here: Context, told: dict[str, Any]) -> None:
    texts = here.texts
    if told["ok"]:
        here.console.print(texts("history.sound"), style="green")
    else:
        bad = texts("history.altered", number=told["first_bad"], problem=_problem(here, told))
        here.console.print(bad, style="red", soft_wrap=True)
    for name in told.get("set_aside") or ():
        here.console.print(texts("history.set_aside", file=name), style="yellow", soft_wrap=True)
