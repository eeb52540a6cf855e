# SPDX-License-Identifier: Apache-2.0
"""The lists in force, a version that waits, one name; the public lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.base.errors import FilterdError
from filterd.feed.feed_details import FEED, FINDINGS, HISTORY, SOURCES, starter_warning
from filterd.lists.category_coverage import COVERAGE, SHARES
from filterd.lists.list_queries import ENTRIES, NOT_TAKEN, not_taken_rows, report_listing
from filterd.lists.report import CompileReport
from filterd.operations.lists import ENTRIES as FIND
from filterd.operations.lists import FEED_HISTORY, LISTS
from filterd.operations.lists import SOURCES as READ_SOURCES
from filterd.operations.operation import ADMINS
from filterd.texts import counted
from filterd.texts.i18n import say
from filterd.web.form_choices import names_of, with_category_names
from filterd.web.operations.list_operations import FEED_STATUS
from filterd.web.operations.policy_operations import CATEGORIES
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from filterd.texts.rows import Listing, Row, Wording
    from filterd.web.visitor import Visitor

_NIGHTS = 30


async def _load_lists(visitor: Visitor, query: Mapping[str, str]) -> dict[str, Any]:
    by, feed = visitor.wording, await visitor.call(FEED_STATUS)
    lists = await visitor.call(LISTS)
    build, octets, _ = lists.pop("build"), lists.pop("octets"), lists.pop("single_hosts", [])
    covered, shares = lists.pop("coverage", []), build.get("sources", [])
    report = CompileReport.from_plain(lists)
    listing, rows = report_listing(report)
    names = names_of(await visitor.call(CATEGORIES), by)
    nights = (await visitor.call(FEED_HISTORY))[: -_NIGHTS - 1 : -1]
    return {
        "versions": [_version(one, by) for one in _followed(feed)],
        "listing": listing,
        "lists": list(with_category_names(rows, names)),
        "summary": by.texts(
            "{names}, {size}, compiled at {when}",
            names=counted.names(report.names),
            size=counted.size(octets),
            when=by.clock.text(build.get("when")),
        ),
        "covered_listing": COVERAGE,
        "covered": list(with_category_names(covered, names)),
        "share_listing": SHARES,
        "shares": list(with_category_names(shares, names)),
        "coverage": starter_warning(
            ((one.id, one.category) for one in report.lists if one.kept), by
        ),
        "not_taken": NOT_TAKEN,
        "rejected": not_taken_rows(report),
        "history": HISTORY._replace(title=say("History of versions")),
        "nights": nights,
        **await _entries(visitor, query.get("name", ""), names),
    }


def _followed(feed: Row) -> Iterator[Row]:
    """Yield the feed, and public lists, as far as the school follows them."""
    for one in (feed, feed.get("beside")):
        if one and (one["address"] or one.get("sources")):
            yield one


def _version(feed: Row, by: Wording) -> dict[str, Any]:
    """Return what the page shows of the feed or of public lists."""
    judgement = feed["judgement"]
    findings: Listing | None = None
    if judgement:
        title = FINDINGS.title.filled({"version": judgement["version"]})
        findings = FINDINGS._replace(title=title)
    return {
        "title": FEED.title(feed, by),
        "facts": FEED.filled(feed, by),
        "row": feed,
        "waits": judgement,
        "findings": findings,
        "is_beside": not feed["address"],
    }


async def _entries(visitor: Visitor, name: str, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the entries that name a name, if one is asked for."""
    found: dict[str, Any] = {"name": name, "entries": None, "problem": ""}
    try:
        entries = await visitor.call(FIND, name=name) if name else None
    except FilterdError as error:  # no name: the form stays
        return found | {"problem": error.translated(visitor.language)}
    none = ENTRIES.none.filled({"name": name})
    return found | {
        "entries": entries and list(with_category_names(entries, names)),
        "entry_listing": ENTRIES._replace(title=say("Entries for {name}", name=name), none=none),
        "closing": [(one, one) for one in dict.fromkeys(row["list"] for row in entries or ())],
    }


LISTS_PAGE = Page(path="/lists", title=say("Lists"), template="lists.html", load=_load_lists)


async def _load_public(visitor: Visitor, _: Mapping[str, str]) -> dict[str, Any]:
    names = names_of(await visitor.call(CATEGORIES), visitor.wording)
    rows = list(with_category_names(await visitor.call(READ_SOURCES), names))
    return {
        "listing": SOURCES,
        "sources": rows,
        "others": [_choice(row) for row in rows if not row["followed"]],
        "by_command": [_choice(row) for row in rows if row["followed"] == "command"],
    }


def _choice(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["id"], f"{row['id']} ({row['category']})"


PUBLIC_PAGE = Page(
    path="/lists/public",
    title=say("Public lists"),
    template="public_lists.html",
    load=_load_public,
    roles=ADMINS,
)
