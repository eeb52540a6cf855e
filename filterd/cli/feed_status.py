# SPDX-License-Identifier: Apache-2.0
"""``filterd feed status`` and ``history``: the state of a school's feed."""

from __future__ import annotations

from json import dumps as json_text
from typing import Any

import typer
from rich.text import Text

from filterd import i18n, words
from filterd.cli.context import Context, JsonOption
from filterd.cli.render import facts, grid, show, titled
from filterd.cli.status import feed_age, feed_problem, feed_served, feed_style, is_worrying
from filterd.cli.time_options import school_clock
from filterd.feed.feed_config import followed
from filterd.feed.guard.guard_report import load
from filterd.feed.standing import overview
from filterd.feed.version_history import HISTORY, History
from filterd.lists.catalog_tables import contacts_or_none
from filterd.rows import SchoolClock

_MOST_NAMES = 5


def status(here: Context, json: JsonOption = False) -> None:
    """Show which lists are in force, what waits and why, and how old all of it is.

    Exit code 0: all is well, or the school follows no feed; 1: look at it; 2: it
    cannot be told.
    """
    told = overview(followed(here.config, here.state).address, here.state, here.clock)
    if json:
        here.print_json(told)
    elif not told["address"]:
        here.console.print(
            here.texts("The school follows no feed: the lists that ship with filterd serve.")
        )
        if told["problem"]:
            here.console.print(Text(feed_problem(here.texts, told), style="yellow"), soft_wrap=True)
    else:
        _print(here, told, school_clock(here))
    raise typer.Exit(1 if is_worrying(told) else 0)


def history(here: Context, json: JsonOption = False) -> None:
    """Show what became of the versions of the feed, the latest last.

    Exit code 0: shown; 2: it cannot be told.
    """
    lines = [one.to_plain() for one in History(here.state.feed).lines()]
    show(here, HISTORY, lines, json=json)


def _print(here: Context, told: dict[str, Any], clock: SchoolClock) -> None:
    texts = here.texts
    expired = told["expires_at"] is not None and told["expires_at"] <= clock.now
    age = Text(feed_age(texts, told, clock), style=feed_style(told))
    waits = "" if told["takes_at"] is None else clock.told(told["takes_at"])
    watched = "" if told["watched_until"] is None else clock.told(told["watched_until"])
    rows = [
        (texts("Address"), told["address"]),
        (
            texts("Trust"),
            "" if told["trusted"] else texts("none yet; filterd feed trust ROOT.json"),
        ),
        (texts("In force"), feed_served(texts, told)),
        (texts("Published"), str(told["published"] or "")),
        (texts("Taken from"), waits),
        (texts("Last verified"), age),
        (
            texts("Expired" if expired else "Holds until"),
            clock.told(told["expires_at"]),
        ),
        (texts("Last tried"), clock.told(told["tried_at"])),
        (texts("Watched until"), watched),
        (texts("To go back to"), ", ".join(map(str, told["previous"]))),
        (texts("Refused"), ", ".join(map(str, told["refused"]))),
        (texts("Held"), Text(told["held"] or "", style="yellow")),
        (texts("Look at"), Text(feed_problem(texts, told), style="yellow")),
    ]
    here.console.print(titled(texts("The feed that the school follows"), facts(rows)))
    if told["judgement"] is not None:
        _print_judgement(here, told["judgement"])
    contacts = contacts_or_none(here.state.feed_version(str(told["served"])))
    if contacts:
        language = texts.language
        rows = [(getattr(one.about, language), f"{one.name}: {one.ways}") for one in contacts]
        here.console.print(titled(texts("Whom to call"), facts(rows)))


def _print_judgement(here: Context, plain: dict[str, Any]) -> None:
    """Show all that the guard has found of the version that waits."""
    texts = here.texts
    try:
        judgement = load(json_text(plain).encode())
    except ValueError:
        return  # of another filterd, or damaged: the next run judges anew
    table = grid([(texts("Severity"), False), (texts("What was found"), False)], whole=True)
    for one in judgement.findings:
        shown = ", ".join(one.names[:_MOST_NAMES])
        sentence = i18n.told(one.sentence, texts.language)
        told = sentence if not shown or one.names[0] in sentence else f"{sentence} ({shown})"
        table.add_row(texts.word(words.SEVERITY, one.severity.value), told)
    here.console.print(titled(texts("Version {version} waits", version=judgement.version), table))
