# SPDX-License-Identifier: Apache-2.0
"""Add names that have come since the night to a version, as small lists.

A name of a scam is worth most in its first day, and to merge a million names again for a thousand
new ones is not worth it. So the version of the night stays as it is, its files are linked, and each
category gets one list of the names that are new: ``feed-fresh-scam``. They are what a merge takes,
with the pins, protections and popular names of the version, and of entries with conditions none.
What a source has dropped goes with the next night, which makes all anew.
"""

from __future__ import annotations

import os
import shutil
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.documents import load
from filterd.feed.version_files import MANIFEST
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.catalogs.catalog_categories import whole_of
from filterd.lists.catalogs.table_additions import ADDITIONS_FILE, with_additions, write_table
from filterd.lists.list_merge import normalise
from filterd.lists.rules import MERGED_PREFIX, ListSource
from filterd.lists.top_names import read_popular

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from filterd.lists.catalogs.catalog import Catalog, PublicSource
    from filterd.lists.list_merge import Exclusions

FRESH = f"{MERGED_PREFIX}fresh-"
"""How ids of these lists begin; the category follows."""
MOST_NAMES = 50_000
"""New since the night, of one category: more is no day's work, and waits for the night."""


def write_fresh(
    base: Path,
    made: Path,
    sources: Sequence[PublicSource],
    texts: Mapping[str, Path],
    left_out: Exclusions,
) -> int:
    """Write a version with the names that are new; return how many these are.

    Args:
        base: the folder of the version in force, with or without such lists.
        made: the folder to make.
        sources: those that were fetched since.
        texts: where their texts are, by their ids.
        left_out: entries.

    Raises:
        ListError: a text cannot be read.
        OSError: the disk refused.
    """
    shutil.rmtree(made, ignore_errors=True)
    catalog = load_catalog(base)
    _link(base, made)
    entries, count = list[dict[str, Any]](), 0
    keys = {one.id: whole_of(one) for one in catalog.categories if not one.ordered}
    for category in dict.fromkeys(source.category for source in sources if source.id in texts):
        if category not in keys:
            continue
        mine = [source for source in sources if source.category == category and source.id in texts]
        names = _new_names(catalog, category, mine, texts, left_out)
        if not 0 < len(names) <= MOST_NAMES:
            continue
        count += len(names)
        list_id = FRESH + category
        text = "".join(f"{name}\n" for name in names)
        (made / "lists" / f"{list_id}.txt").write_text(text, encoding="ascii")
        entries.append(
            {
                "id": list_id,
                "title": f"New since the night: {category}",
                **keys[category],
                "format": "wildcard",
                "file": f"lists/{list_id}.txt",
            }
        )
    table: Any = with_additions(base, "catalog", load(base / "catalog.yaml")).data
    lists = [one for one in table["lists"] if not one["id"].startswith(FRESH)]
    write_table(made, "catalog", {**table, "lists": [*lists, *entries]})
    load_catalog(made)
    return count


def _new_names(
    catalog: Catalog,
    category: str,
    sources: Iterable[PublicSource],
    texts: Mapping[str, Path],
    left_out: Exclusions,
) -> list[str]:
    """Return names that no list of third parties has, in their notation."""
    given = [
        ListSource(
            source.id, category, source.format, str(texts[source.id]), subtrees=source.subtrees
        )
        for source in sources
    ]
    merged = normalise(
        next(one for one in catalog.categories if one.id == category),
        given,
        pins=catalog.pins,
        protections=catalog.protections,
        popular=read_popular(None),
        left_out=left_out,
    )
    known = set[str]()
    for one in catalog.lists:
        if one.category == category and not one.own and not one.id.startswith(FRESH):
            with Path(one.path).open(encoding="utf-8", errors="replace") as file:
                known.update(map(str.rstrip, file))
    lines = chain.from_iterable(
        one.text.decode("ascii").splitlines()
        for one in merged.lists
        if one.id == MERGED_PREFIX + category
    )
    return [line for line in lines if line not in known and line.removeprefix("=") not in known]


def _link(base: Path, made: Path) -> None:
    """Link the files of a version, but for fresh lists; copy what is written anew.

    Its lists are tens of megabytes, which a card would have to take six times a day.
    """
    (made / "lists").mkdir(parents=True)
    for path in sorted(base.rglob("*")):
        name = path.relative_to(base)
        if path.is_dir():
            (made / name).mkdir(exist_ok=True)
        elif name.name in ("catalog.yaml", ADDITIONS_FILE):
            shutil.copyfile(path, made / name)
        elif not name.name.startswith(FRESH) and name.name != MANIFEST:
            os.link(path, made / name)
