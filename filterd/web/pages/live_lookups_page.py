# SPDX-License-Identifier: Apache-2.0
"""The page of lookups as they happen."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from filterd import words
from filterd.counted import number
from filterd.i18n import UNSAID, say
from filterd.overrides.descriptions import Teller
from filterd.overrides.read_access import READERS, View
from filterd.querylog.querylog_rows import levels_shown
from filterd.rows import Column, Listing, Row, Wording
from filterd.web.form_choices import names_of, of_words, seat_query, seats, with_category_names
from filterd.web.lookup_links import tabs
from filterd.web.operations.log_operations import LEVELS, LIVE
from filterd.web.operations.policy_operations import CATEGORIES, IDS
from filterd.web.page import Page, cells

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from filterd.web.visitor import Visitor

_WAIT_S, _MOST_ROWS = 5, 200


def _at(at: float, by: Wording) -> str:
    return f"{by.clock.shows(at):%H:%M:%S}"


def _seat(event: Row, by: Wording) -> str:
    return Teller(*by).grade(event.get("class") or event["grade"])


EVENTS = Listing(
    say("Lookups as they happen, the latest first"),
    UNSAID,
    (
        Column(say("At"), "at", _at),
        Column(say("Class"), worded=_seat),
        Column(say("Result"), "action", words.COUNTED),
        Column(say("Name, or number of lookups"), worded=lambda one, _: _what(one)),
        Column(say("Category"), "category"),
    ),
)


def _what(event: Row) -> str:
    return event.get("name") or number(event["n"])


async def _load(visitor: Visitor, query: Mapping[str, str]) -> dict[str, Any]:
    levels = {one["tier"]: one["level"] for one in (await visitor.call(LEVELS))["tiers"]}
    shows_rows = not visitor.roles.isdisjoint(READERS[View.ROWS])
    by = visitor.wording
    return {
        "tabs": tabs(visitor),
        "listing": EVENTS,
        "levels": list(levels_shown(levels, by, shows_rows=shows_rows)),
        "whom": query.get("whom", ""),
        "seats": [("", by.texts("all")), *seats(await visitor.call(IDS), by)],
        "action": query.get("action", ""),
        "actions": of_words(words.COUNTED, by, by.texts("all")),
        "rows": await _collected(visitor, query) if query.get("wait") else [],
    }


async def _events(visitor: Visitor, query: Mapping[str, str]) -> AsyncIterator[Row | None]:
    """Yield lookups and numbers as they come, None for a heartbeat."""
    chosen = seat_query(query.get("whom", "")) | {"action": query.get("action", "")}
    names = names_of(await visitor.call(CATEGORIES), visitor.wording)
    async for events in await visitor.call(LIVE, **chosen):
        if events is None:
            yield None
        rows = [event for event in events or () if "action" in event]
        for row in with_category_names(rows, names):
            yield row


async def _live(visitor: Visitor, query: Mapping[str, str]) -> AsyncIterator[dict[str, Any] | None]:
    async for event in _events(visitor, query):
        yield None if event is None else {"row": cells(EVENTS, event, visitor.wording)}


async def _collected(visitor: Visitor, query: Mapping[str, str]) -> list[Row]:
    """Return the events of some seconds, for a browser without scripts."""
    found: list[Row] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_WAIT_S):
            async for event in _events(visitor, query):
                found += [event] if event else []
    return found[: -_MOST_ROWS - 1 : -1]


PAGE = Page(
    path="/lookups/live",
    title=say("Lookups as they happen"),
    template="live_lookups.html",
    load=_load,
    roles=READERS[View.ROWS],
    live=_live,
)
