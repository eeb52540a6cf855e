# SPDX-License-Identifier: Apache-2.0
"""Show the public lists that can be followed: licence, size, and whether they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.counted import rough
from filterd.feed.sources import kept_reports
from filterd.i18n import UNSAID, say
from filterd.rows import Column, Listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from filterd.feed.sources import SourceFolder
    from filterd.lists.catalog import PublicSource
    from filterd.rows import Row, Wording


def source_rows(
    sources: Iterable[PublicSource], folder: SourceFolder, origins: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return a row for each source.

    ``origins`` tells by which file or command a source is followed.
    """
    rows = []
    for one in sources:
        [report] = kept_reports([one], folder) if one.id in origins else [None]
        entries = report.entries if report else 0
        rows.append(
            {
                "id": one.id,
                "title": one.title,
                "category": one.category,
                "licence": one.licence,
                "attribution": one.attribution,
                "republish": one.republish,
                "recommended": one.recommended,
                "names": entries or one.names,
                "checked": one.checked,
                "address": one.address,
                "followed": origins.get(one.id, ""),
                "here": entries > 0,
            }
        )
    return rows


def _licence(row: Row, by: Wording) -> str:
    licence: str = row["licence"]
    return licence if row["republish"] else by.texts("{licence}; follow only", licence=licence)


def _state(row: Row, by: Wording) -> str:
    """Return by what a source is followed, and whether its text is here."""
    if not row["followed"]:
        return by.texts("advised") if row["recommended"] else ""
    origin = by.texts("a command") if row["followed"] == "command" else row["followed"]
    return origin if row["here"] else by.texts("{by}, not here yet", by=origin)


SOURCES = Listing(
    say("Public lists"),
    UNSAID,
    (
        Column(say("List"), "id"),
        Column(say("Category"), "category"),
        Column(
            say("Names"), "names", lambda names, _: rough(names) if names else "", is_number=True
        ),
        Column(say("Followed"), worded=_state),
        Column(say("Licence"), worded=_licence),
    ),
    is_whole=False,
)
