# SPDX-License-Identifier: Apache-2.0
"""``filterd feed status`` and ``history``: how a school stands with its feed, in words."""

from __future__ import annotations

from json import dumps as json_text
from typing import Any

import typer
from rich.text import Text

from filterd import i18n
from filterd.cli import words
from filterd.cli.context import Context
from filterd.cli.render import facts, grid, titled
from filterd.cli.time_options import SchoolClock, school_clock
from filterd.feed.feed_config import followed
from filterd.feed.guard.guard_report import load
from filterd.feed.standing import Freshness, overview
from filterd.feed.version_history import History
from filterd.i18n import Texts, say
from filterd.lists.catalog_tables import contacts_or_none
from filterd.state_folder import SHIPPED

_WORRYING = (Freshness.OLD, Freshness.VERY_OLD, Freshness.NEVER, Freshness.UNKNOWN)
_MOST_NAMES = 5


def status(here: Context, *, json: bool) -> None:
    """Show how the school stands; leave with 1 where somebody should look at it."""
    told = overview(followed(here.config, here.state).address, here.state, here.clock)
    if json:
        here.print_json(told)
    elif not told["address"]:
        here.console.print(
            here.texts("The school follows no feed: the lists that ship with filterd serve.")
        )
        if told["problem"]:
            here.console.print(Text(_problem(here.texts, told), style="yellow"), soft_wrap=True)
    else:
        _print(here, told, school_clock(here))
    raise typer.Exit(1 if is_worrying(told) else 0)


def history(here: Context, *, json: bool) -> None:
    """Show what became of versions."""
    lines = History(here.state.feed).lines()
    if json:
        here.print_json([one.to_plain() for one in lines])
        return
    texts, clock = here.texts, school_clock(here)
    if not lines:
        here.console.print(texts("Nothing yet."))
        return
    columns = (say("At"), say("Version"), say("What"), say("Why"))
    table = grid([(texts(key), key == "Version") for key in columns], whole=True)
    for one in lines:
        event = texts.word(words.FEED_EVENT, one.event.value)
        why = i18n.told(one.why, texts.language)
        table.add_row(clock.told(one.at), "" if one.version == SHIPPED else one.version, event, why)
    here.console.print(table)


def is_worrying(told: dict[str, Any]) -> bool:
    """Tell whether somebody should look at how a feed stands."""
    if not told["address"]:
        return bool(told["problem"])
    waits = bool(told["judgement"] or told["held"] or told["problem"] or not told["trusted"])
    return waits or Freshness(told["freshness"]) in _WORRYING


def summary(texts: Texts, told: dict[str, Any], clock: SchoolClock) -> Text:
    """Return how a feed stands in a line or two, for the daemon's status; empty for no feed."""
    if not told["address"]:
        return Text(_problem(texts, told), style="yellow")
    lines = [_served(texts, told)]
    if is_worrying(told):
        lines.append(_age(texts, told, clock))
        lines.append(_problem(texts, told))
    shown = "\n".join(line for line in lines if line)
    return Text(shown, style=_style(told) if is_worrying(told) else "")


def _print(here: Context, told: dict[str, Any], clock: SchoolClock) -> None:
    texts = here.texts
    expired = told["expires_at"] is not None and told["expires_at"] <= clock.now
    age = Text(_age(texts, told, clock), style=_style(told))
    waits = "" if told["takes_at"] is None else clock.told(told["takes_at"])
    watched = "" if told["watched_until"] is None else clock.told(told["watched_until"])
    rows = [
        (texts("Address"), told["address"]),
        (
            texts("Trust"),
            "" if told["trusted"] else texts("none yet; filterd feed trust ROOT.json"),
        ),
        (texts("In force"), _served(texts, told)),
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
        (texts("Look at"), Text(_problem(texts, told), style="yellow")),
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


def _served(texts: Texts, told: dict[str, Any]) -> str:
    if not told["served"]:
        return texts("the lists that ship with filterd")
    key = (
        say("version {version}")
        if told["served"] > 0
        else say("earlier lists, with the orders of version {version}")
    )
    return texts(key, version=abs(told["served"]))


def _age(texts: Texts, told: dict[str, Any], clock: SchoolClock) -> str:
    freshness = texts.word(words.FRESHNESS, told["freshness"])
    if told["verified_at"] is None:
        return freshness
    return f"{clock.told(told['verified_at'])}: {freshness}"


def _problem(texts: Texts, told: dict[str, Any]) -> str:
    return i18n.told(i18n.from_plain(told["sentence"]), texts.language)


def _style(told: dict[str, Any]) -> str:
    match Freshness(told["freshness"]):
        case Freshness.FRESH:
            return ""
        case Freshness.VERY_OLD:
            return "bold red"
    return "yellow"
