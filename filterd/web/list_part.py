# SPDX-License-Identifier: Apache-2.0
"""Show a long list in parts: the rows that a text is in, some at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from filterd.field_checks import bare

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from filterd.rows import Row

ROWS = 100
"""Of one part."""
LONGEST_TEXT = 253


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
    rows: Sequence[Row], given: Mapping[str, str], path: str, told: Callable[[Row], Any]
) -> Part:
    """Return the part that a query asks for.

    Args:
        rows: all of them.
        given: the query: ``q``, a text that is searched without regard to case and
            diacritics, and ``from``, the place of the first row.
        path: of the page.
        told: returns the text of a row that is searched.
    """
    text = given.get("q", "")[:LONGEST_TEXT]
    wanted = bare(text).strip()
    found = [one for one in rows if wanted in bare(str(told(one)))] if wanted else list(rows)
    written = given.get("from", "")
    first = int(written) if written.isascii() and written.isdecimal() and len(written) < 8 else 1
    start = min(max(first - 1, 0), max(len(found) - 1, 0))
    shown = found[start : start + ROWS]

    def link(at: int) -> str:
        kept = {key: value for key, value in given.items() if key in ("all", "views", "lang")}
        return f"{path}?{urlencode({**kept, 'q': text, 'from': at + 1})}"

    return Part(
        shown,
        len(found),
        start + 1 if shown else 0,
        start + len(shown),
        link(max(0, start - ROWS)) if start > 0 else None,
        link(start + ROWS) if start + ROWS < len(found) else None,
        text,
    )
