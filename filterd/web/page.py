# SPDX-License-Identifier: Apache-2.0
"""A page of the dashboard: its address, title, roles, template, and what it shows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from filterd.base.value_class import frozen
from filterd.operations.operation import EVERYONE
from filterd.policy.field_checks import bare

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from filterd.overrides.rights.roles import Role
    from filterd.texts.i18n import Sentence
    from filterd.texts.rows import Column, Listing, Row, Wording
    from filterd.web.visitor import Visitor

Load = Callable[["Visitor", Mapping[str, str]], Awaitable[dict[str, Any]]]
"""Returns the variables of the template; it gets the query and the keys of the path."""
Live = Callable[["Visitor", Mapping[str, str]], AsyncIterator[dict[str, Any] | None]]
"""Yields what ``static/live.js`` puts into the page that is open, from the same parameters:
``{"row": [TEXT, ...]}`` above the rows of the table with ``data-live``, ``{"figures": {ID: TEXT}}``
into the elements of these IDs; None for a heartbeat."""


@frozen(kw_only=True)
class Page:
    """One page.

    Attributes:
        path: its address; ``{key}`` is a key.
        title: in the menu and above the page.
        template: its file in ``templates``.
        load: asks for what it shows, by operations only.
        roles: that may open it; for others it is not there.
        live: streams what changes while it is open; None where nothing does.
    """

    path: str
    title: Sentence
    template: str
    load: Load
    roles: frozenset[Role] = EVERYONE
    live: Live | None = None


def cells(listing: Listing, row: Row, wording: Wording) -> list[str]:
    """Return the texts of a row's cells, for ``Live``."""
    return ["\n".join(text for text, _ in column.cells(row, wording)) for column in listing.columns]


def filled(columns: Iterable[Column], row: Row, wording: Wording) -> list[Column]:
    """Return the columns of details that have a text in a row."""
    return [column for column in columns if any(text for text, _ in column.cells(row, wording))]


PART_ROWS = 100
"""Of one part."""
_LONGEST_TEXT = 253


class Part(NamedTuple):
    """A part of a list: its rows, their places from 1 on, links to its neighbours."""

    rows: list[Row]
    n: int
    first: int
    last: int
    before: str | None
    after: str | None
    text: str


def part_of(
    rows: Sequence[Row], given: Mapping[str, str], path: str, text_of: Callable[[Row], Any]
) -> Part:
    """Return the part that a query asks for.

    Args:
        rows: all of them.
        given: the query: ``q``, a text that is searched without regard to case and
            diacritics, and ``from``, the place of the first row.
        path: of the page.
        text_of: returns the text of a row that is searched.
    """
    text = given.get("q", "")[:_LONGEST_TEXT]
    wanted = bare(text).strip()
    found = [row for row in rows if wanted in bare(str(text_of(row)))] if wanted else list(rows)
    written = given.get("from", "")
    first = int(written) if written.isascii() and written.isdecimal() and len(written) < 8 else 1
    start = min(max(first - 1, 0), max(len(found) - 1, 0))
    shown = found[start : start + PART_ROWS]

    def link(at: int) -> str:
        kept = {key: value for key, value in given.items() if key in ("all", "views", "lang")}
        return f"{path}?{urlencode({**kept, 'q': text, 'from': at + 1})}"

    return Part(
        shown,
        len(found),
        start + 1 if shown else 0,
        start + len(shown),
        link(max(0, start - PART_ROWS)) if start > 0 else None,
        link(start + PART_ROWS) if start + PART_ROWS < len(found) else None,
        text,
    )
