# SPDX-License-Identifier: Apache-2.0
"""Collect the public lists that can be followed, and whether they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.feed.sources import kept_reports

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from filterd.feed.sources import SourceFolder
    from filterd.lists.catalog import PublicSource


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
