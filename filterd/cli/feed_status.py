# SPDX-License-Identifier: Apache-2.0
"""``filterd feed status`` and ``history``: the state of a school's feed."""

from __future__ import annotations

from typing import Any

import typer
from rich.text import Text

from filterd.cli.context import Context, JsonOption
from filterd.cli.render import details, facts, listed, show, titled
from filterd.cli.time_options import school_clock
from filterd.feed.feed_config import followed
from filterd.feed.feed_details import FEED, FINDINGS, HISTORY, is_worrying, summary
from filterd.feed.standing import History, overview, program_version
from filterd.i18n import say
from filterd.lists.catalog_tables import contacts_or_none
from filterd.rows import Wording
from filterd.state_folder import BesideFolder


def status(here: Context, json: JsonOption = False) -> None:
    """Show the lists in force, the version that waits and why, and the age of both.

    Exit code 0: all is well, or the school follows no feed; 1: it needs attention; 2: an error.
    """
    feed = followed(here.config, here.state)
    told = {**overview(feed.address, here.state, here.clock), "sources": len(feed.first.sources)}
    told |= {"beside": None, "program": program_version(here.state.feed)}
    if feed.beside.is_any:
        beside = overview("", BesideFolder(here.state.folder), here.clock)
        told["beside"] = {**beside, "sources": len(feed.sources)}
    if json:
        here.print_json(told)
        raise typer.Exit(1 if is_worrying(told) else 0)
    wording = Wording(here.texts, school_clock(here))
    if told["address"] or told["sources"]:
        _print(here, told, wording)
        if told["beside"]:
            _print(here, told["beside"], wording)
    else:
        here.print(say("The school follows no feed: the lists that ship with filterd serve."))
        if told["problem"]:
            here.console.print(Text(summary(told, wording), style="yellow"), soft_wrap=True)
    raise typer.Exit(1 if is_worrying(told) else 0)


def history(here: Context, json: JsonOption = False) -> None:
    """Show the history of the versions of lists, the latest last.

    Exit code 0: shown; 2: an error.
    """
    folders = here.state.feed, BesideFolder(here.state.folder).feed
    found = sorted(
        (one for each in folders for one in History(each).lines()), key=lambda one: one.at
    )
    lines = [one.to_plain() for one in found]
    show(here, HISTORY, lines, json=json)


def _print(here: Context, told: dict[str, Any], wording: Wording) -> None:
    here.console.print(details(wording, FEED, told))
    if judgement := told["judgement"]:
        title = FINDINGS.title.filled({"version": judgement["version"]})
        waits = listed(wording, FINDINGS._replace(title=title), judgement["findings"])
        here.console.print(waits)
    contacts = contacts_or_none(here.state.feed_version(str(told["served"])))
    if contacts:
        language = here.texts.language
        rows = [(getattr(one.about, language), f"{one.name}: {one.ways}") for one in contacts]
        here.console.print(titled(here.texts("Contacts"), facts(rows)))
