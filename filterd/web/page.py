# SPDX-License-Identifier: Apache-2.0
"""A page of the dashboard: its address, title, roles, template, and what it shows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filterd.web.operation import EVERYONE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.i18n import Sentence
    from filterd.overrides.roles import Role
    from filterd.rows import Column, Listing, Row, Wording
    from filterd.web.visitor import Visitor

Load = Callable[["Visitor", Mapping[str, str]], Awaitable[dict[str, Any]]]
"""Returns the variables of the template; it gets the query and the keys of the path."""
Live = Callable[["Visitor", Mapping[str, str]], AsyncIterator[dict[str, Any] | None]]
"""Yields what ``static/live.js`` puts into the page that is open, from the same parameters:
``{"row": [TEXT, ...]}`` above the rows of the table with ``data-live``, ``{"figures": {ID: TEXT}}``
into the elements of these IDs; None for a heartbeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
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
    return [one for one in columns if any(text for text, _ in one.cells(row, wording))]
