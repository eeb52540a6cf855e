# SPDX-License-Identifier: Apache-2.0
"""The page that searches the log by name, class, result and day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from filterd import counted, words
from filterd.errors import FilterdError
from filterd.i18n import say
from filterd.overrides.read_access import READERS, View
from filterd.querylog.querylog_rows import ROWS, SEEN, TOP, nothing, scope, with_least
from filterd.rows import Column, when
from filterd.web.form_choices import categories, of_words, seat_query, seats
from filterd.web.lookup_links import tabs, to_lookup, to_name
from filterd.web.operations.log_operations import SEARCH
from filterd.web.operations.log_operations import TOP as MOST
from filterd.web.operations.policy_operations import CATEGORIES, IDS
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor

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


async def _load(visitor: Visitor, query: Mapping[str, str]) -> dict[str, Any]:
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


PAGE = Page(
    path="/lookups",
    title=say("Query log"),
    template="lookups.html",
    load=_load,
    roles=READERS[View.ROWS],
)
