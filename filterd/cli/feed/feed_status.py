# SPDX-License-Identifier: Apache-2.0
"""``filterd feed status`` and ``history``: the state of a school's feed."""

from __future__ import annotations

from typing import Any

import typer
from rich.text import Text

from filterd.base.state_folder import BesideFolder
from filterd.cli.context import Context, JsonOption
from filterd.cli.render import details, facts, listed, show, titled
from filterd.cli.school_clock import wording_of
from filterd.feed.feed_config import followed
from filterd.feed.feed_details import FEED, FINDINGS, HISTORY, is_worrying, summary
from filterd.feed.standing import History, overview, program_version
from filterd.lists.catalogs.catalog_tables import contacts_or_none
from filterd.texts.i18n import say
from filterd.texts.rows import Wording


def status(here: Context, json: JsonOption = False) -> None:
    """Show the lists in force, the version that waits and why, and the age of both.

    Exit code 0: all is well, or the school follows no feed; 1: it needs attention; 2: an error.
    """
    feed = followed(here.config, here.state)
    row = {**overview(feed.address, here.state, here.clock), "sources": len(feed.first.sources)}
    row |= {"beside": None, "program": program_version(here.state.feed)}
    if feed.beside.is_any:
        beside = overview("", BesideFolder(here.state.folder), here.clock)
        row["beside"] = {**beside, "sources": len(feed.sources)}
    if json:
        here.print_json(row)
        raise typer.Exit(1 if is_worrying(row) else 0)
    wording = wording_of(here)
    if row["address"] or row["sources"]:
        _print(here, row, wording)
        if row["beside"]:
            _print(here, row["beside"], wording)
    else:
        here.print(say("The school follows no feed: the lists that ship with filterd serve."))
        if row["problem"]:
            here.console.print(Text(summary(row, wording), style="yellow"), soft_wrap=True)
    raise typer.Exit(1 if is_worrying(row) else 0)


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


def _print(here: Context, row: dict[str, Any], wording: Wording) -> None:
    here.console.print(details(wording, FEED, row))
    if judgement := row["judgement"]:
        title = FINDINGS.title.filled({"version": judgement["version"]})
        waits = listed(wording, FINDINGS._replace(title=title), judgement["findings"])
        here.console.print(waits)
    contacts = contacts_or_none(here.state.feed_version(str(row["served"])))
    if contacts:
        language = here.texts.language
        rows = [
            (getattr(contact.about, language), f"{contact.name}: {contact.ways}")
            for contact in contacts
        ]
        here.console.print(titled(here.texts("Contacts"), facts(rows)))
