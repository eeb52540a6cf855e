# SPDX-License-Identifier: Apache-2.0
"""Operations on lists: those in force, their entries, public sources, versions of the feed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.lists.report import CompileReport
from filterd.overrides.target_text import qname_from
from filterd.web.answers import (
    AT,
    FLAG,
    OBJECT,
    SENTENCE,
    TEXT,
    TEXTS,
    VERSION,
    WHOLE,
    of,
    record,
    rows,
)
from filterd.web.operation import ADMINS, Operation
from filterd.web.operations.status_operations import FEED
from filterd.web.parameters import Fields, Text

if TYPE_CHECKING:
    from filterd.web.visitor import Visitor


async def _lists(visitor: Visitor, _: dict[str, Any]) -> Any:
    return await visitor.ask("lists")


async def _entries(visitor: Visitor, given: dict[str, Any]) -> Any:
    return await visitor.ask("lists-search", qname=qname_from(given["name"]).hex())


async def _feed(visitor: Visitor, _: dict[str, Any]) -> Any:
    return (await visitor.ask("status", totals_old_s=60))["feed"]


async def _history(visitor: Visitor, _: dict[str, Any]) -> Any:
    return await visitor.ask("feed-history")


async def _sources(visitor: Visitor, _: dict[str, Any]) -> Any:
    return await visitor.ask("lists-sources")


LISTS = Operation(
    name="readLists",
    method="GET",
    path="/lists",
    about="How much of each list was kept, what was rejected, and why.",
    run=_lists,
    answer=record(
        {"build": OBJECT, "octets": WHOLE, "single_hosts": TEXTS, **of(CompileReport)["properties"]}
    ),
    commands=("lists status",),
    tag="lists",
)
ENTRIES = Operation(
    name="findEntries",
    method="GET",
    path="/lists/entries",
    about="The entries of lists that name a name or a name above it.",
    run=_entries,
    fields=Fields({"name": Text(300, least=1)}, ("name",)),
    answer=rows(
        record(
            {
                "name": TEXT,
                "entry": TEXT,
                "effect": TEXT,
                "list": TEXT,
                "category": TEXT,
                "line": WHOLE,
            }
        )
    ),
    commands=("lists search",),
    tag="lists",
)
FEED_STATUS = Operation(
    name="readFeed",
    method="GET",
    path="/feed",
    about="The versions of lists in force, the one that waits and why, the age of both.",
    run=_feed,
    answer=FEED,
    commands=("feed status",),
    tag="lists",
)
FEED_HISTORY = Operation(
    name="readFeedHistory",
    method="GET",
    path="/feed/history",
    about="The history of the versions of lists, the latest last.",
    run=_history,
    answer=rows(
        record({"at": AT, "event": TEXT, "version": VERSION, "why": TEXT, "sentence": SENTENCE})
    ),
    commands=("feed history", "lists history"),
    tag="lists",
)
SOURCES = Operation(
    name="readSources",
    method="GET",
    path="/lists/sources",
    about="The public lists that can be followed, and those that are.",
    run=_sources,
    roles=ADMINS,
    answer=rows(
        record(
            {
                "id": TEXT,
                "title": TEXT,
                "category": TEXT,
                "licence": TEXT,
                "attribution": TEXT,
                "republish": FLAG,
                "recommended": FLAG,
                "names": WHOLE,
                "checked": TEXT,
                "address": TEXT,
                "followed": TEXT,
                "here": FLAG,
            }
        )
    ),
    commands=("lists sources",),
    tag="lists",
)

OPERATIONS = (LISTS, ENTRIES, FEED_STATUS, FEED_HISTORY, SOURCES)
