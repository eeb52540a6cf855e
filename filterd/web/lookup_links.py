# SPDX-License-Identifier: Apache-2.0
"""What the pages on lookups share: their tabs, and addresses from a row to a page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from filterd.i18n import say

if TYPE_CHECKING:
    from filterd.rows import Row
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
