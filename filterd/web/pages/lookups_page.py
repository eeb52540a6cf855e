# SPDX-License-Identifier: Apache-2.0
"""The lookups: search, one of them, as they happen, new names, names of a class."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from filterd.base.errors import FilterdError
from filterd.operations.log import CLASS_NAMES, WHY
from filterd.operations.log import NEW as READ_NEW
from filterd.operations.log import TOP as MOST
from filterd.operations.log_levels import LEVELS
from filterd.operations.policy import IDS
from filterd.overrides.descriptions import Describer
from filterd.overrides.rights.read_access import READERS, View
from filterd.querylog.querylog_rows import (
    NEW,
    OF_CLASS,
    ROW,
    ROWS,
    SEEN,
    TOP,
    levels_shown,
    nothing,
    scope,
    with_least,
)
from filterd.resolve.explanation import EXPLANATION, passes
from filterd.texts import counted, i18n, words
from filterd.texts.counted import number
from filterd.texts.i18n import UNSAID, quoted, say
from filterd.texts.rows import Column, Listing, Row, Wording, when
from filterd.web.form_choices import (
    categories,
    names_of,
    of_words,
    seat_query,
    seats,
    with_category_names,
)
from filterd.web.operations.log_operations import LIVE, SEARCH
from filterd.web.operations.policy_operations import CATEGORIES
from filterd.web.page import Page, cells

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from filterd.web.visitor import Visitor

TABS = (
    ("/lookups", say("Search")),
    ("/lookups/new", say("New names")),
    ("/lookups/live", say("Live")),
)


def tabs(visitor: Visitor) -> list[tuple[str, str]]:
    """Return address and title of the pages on lookups."""
    return [(path, visitor.texts(title)) for path, title in TABS]


def to_name(row: Row) -> str:
    """Return the address of the page that explains the name of a row now."""
    seat = row.get("class") or row.get("grade") or ""
    whom = {"whom": f"{'class' if row.get('class') else 'grade'}:{seat}"} if seat else {}
    return f"/why?{urlencode({'name': row['name'], **whom})}"


def to_lookup(row: Row) -> str:
    """Return the address of the page of a row of the log."""
    return f"/lookups/rows/{quote(row['id'])}"


_DAYS = (1, 7, 30, 90)
_USUAL = {
    "name": "",
    "match": "part",
    "whom": "",
    "tier": "",
    "action": "",
    "category": "",
    "days": "1",
    "show": "latest",
    "cursor": "",
}
_LOOKUPS = ROWS._replace(columns=(Column(say("At"), "at", when), *ROWS.columns[1:]))
_NAMES = SEEN._replace(
    columns=(
        Column(say("Day"), "day", lambda day, _: f"{day[8:]}/{day[5:7]}/{day[:4]}"),
        *SEEN.columns[1:],
    )
)


async def _load_lookups(visitor: Visitor, query: Mapping[str, str]) -> dict[str, Any]:
    given = {key: query.get(key, usual) for key, usual in _USUAL.items()}
    choices = await _choices(visitor)
    shown = {
        "tabs": tabs(visitor),
        "given": given,
        "choices": choices,
        "seen": _NAMES,
        "to_name": to_name,
        "problem": "",
    }
    try:
        return shown | await _found(visitor, given, dict(choices["category"]))
    except FilterdError as error:  # such as a misspelt name: the form stays as it was filled in
        return shown | {"problem": error.translated(visitor.language)}


async def _found(
    visitor: Visitor, given: Mapping[str, str], names: Mapping[str, str]
) -> dict[str, Any]:
    is_top = given["show"] == "top"
    asked: dict[str, Any] = {
        key: given[key] for key in ("tier", "action", "category", "days") if given[key]
    } | seat_query(given["whom"])
    if is_top:
        found = {"seen": [], "late": False, "next": None, **await visitor.call(MOST, **asked)}
    else:
        asked |= {"name": given["name"], "cursor": given["cursor"]}
        if given["name"]:
            asked |= {"subtree": given["match"] == "subtree", "contains": given["match"] == "part"}
        found = await visitor.call(SEARCH, **asked)
    for row in (*found["rows"], *found["seen"]):
        row["category"] = names.get(row["category"], row["category"]) if row["category"] else ""
    older = dict(given) | {"cursor": found["next"]}
    return {
        "found": found | {"seen": with_least(found["seen"], found["least_devices"])},
        "rows": TOP if is_top else _LOOKUPS,
        "link": (2, to_name) if is_top else (0, to_lookup),
        "nothing": nothing(found),
        "next": f"/lookups?{urlencode(older)}" if found["next"] else "",
        "scope": list(scope(found, visitor.wording)),
    }


async def _choices(visitor: Visitor) -> dict[str, Any]:
    by, texts = visitor.wording, visitor.texts
    ids = await visitor.call(IDS)
    return {
        "match": [
            ("part", texts("a part of the name")),
            ("exact", texts("this name")),
            ("subtree", texts("this name and all beneath it")),
        ],
        "whom": [("", texts("all")), *seats(ids, by)],
        "tier": of_words(words.TIER, by, texts("all")),
        "action": of_words(words.COUNTED, by, texts("all")),
        "category": [("", texts("all")), *categories(await visitor.call(CATEGORIES), by)],
        "days": [(str(n), texts(counted.days(n))) for n in _DAYS],
        "show": [("latest", texts("the latest")), ("top", texts("the most frequent"))],
    }


LOOKUPS_PAGE = Page(
    path="/lookups",
    title=say("Query log"),
    template="lookups.html",
    load=_load_lookups,
    roles=READERS[View.ROWS],
)


async def _load_lookup(visitor: Visitor, query: Mapping[str, str]) -> dict[str, Any]:
    found = await visitor.call(WHY, id=query["id"])
    row, then, by = found["row"], found["then"], visitor.wording
    return {
        "title": ROW.title(row, by),
        "row": row,
        "row_columns": ROW.filled(row, by),
        "then": then,
        "then_columns": EXPLANATION.filled(then, by) if then else (),
        "differs": then is not None and passes(then["action"]) is (row["action"] == "blocked"),
        "problem": i18n.translated(i18n.from_plain(found["sentence"]), visitor.language),
        "now": to_name(row),
    }


LOOKUP_PAGE = Page(
    path="/lookups/rows/{id}",
    title=say("A lookup"),
    template="lookup.html",
    load=_load_lookup,
    roles=READERS[View.ROWS],
)


_WAIT_S, _MOST_ROWS = 5, 200


def _at(at: float, by: Wording) -> str:
    return f"{by.clock.shows(at):%H:%M:%S}"


def _seat(event: Row, by: Wording) -> str:
    return Describer(*by).grade(event.get("class") or event["grade"])


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


async def _load_live(visitor: Visitor, query: Mapping[str, str]) -> dict[str, Any]:
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


LIVE_PAGE = Page(
    path="/lookups/live",
    title=say("Lookups as they happen"),
    template="live_lookups.html",
    load=_load_live,
    roles=READERS[View.ROWS],
    live=_live,
)


async def _load_new(visitor: Visitor, query: Mapping[str, str]) -> dict[str, Any]:
    domains = query.get("domains") == "on"
    found = await visitor.call(READ_NEW, limit=query.get("limit", "100"), domains=domains)
    n, days = counted.names(found["n"]), counted.days(found["compared"])
    summary = say("{names} new, compared with {days}", names=n, days=days)
    if not found["compared"]:
        summary = say("{names}; the log has no day before to compare them with", names=n)
    return {
        "tabs": tabs(visitor),
        "listing": NEW,
        "rows": with_least(found["rows"], found["least_devices"]),
        "summary": visitor.texts(summary),
        "more": found["n"] > len(found["rows"]) and len(found["rows"]) < 500,
        "domains": domains,
        "to_name": to_name,
        "scope": list(scope(found, visitor.wording)),
    }


NEW_NAMES_PAGE = Page(
    path="/lookups/new",
    title=say("New names"),
    template="new_names.html",
    load=_load_new,
    roles=READERS[View.NAMES],
)


async def _load_class_names(visitor: Visitor, query: Mapping[str, str]) -> dict[str, Any]:
    own = visitor.classes
    classes = [one for one in (await visitor.call(IDS))["classes"] if own is None or one in own]
    chosen = query.get("class", "") or (classes[0] if len(classes) == 1 else "")
    found = await visitor.call(CLASS_NAMES, **{"class": chosen}) if chosen else None
    title = visitor.texts(OF_CLASS.title, class_id=chosen)
    return {
        "classes": [(one, Describer(*visitor.wording).grade(one)) for one in classes],
        "chosen": chosen,
        "found": found,
        "listing": OF_CLASS._replace(title=quoted(title)),
        "to_name": lambda row: to_name({**row, "class": chosen}),
    }


CLASS_NAMES_PAGE = Page(
    path="/class-names",
    title=say("Names of a class"),
    template="class_names.html",
    load=_load_class_names,
    roles=READERS[View.CLASS_NAMES],
)
