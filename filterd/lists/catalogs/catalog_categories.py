# SPDX-License-Identifier: Apache-2.0
"""The categories of a catalogue, and the parts of those that were split.

A part is a category of its own. It stands under its whole in ``categories.yaml``; a list, source
or service of it names both, ``category`` (or ``group``) and ``part``. So a program that knows no
parts has its names in the whole: they are closed as before the split. A part is never open where
its whole is closed. What settings of the whole mean for it: ``filterd.policy.category_parts``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.base.value_class import frozen
from filterd.documents import did_you_mean
from filterd.lists.rules import ALWAYS_CONFIDENTIAL, ALWAYS_GUARDED
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from filterd.base.errors import ConfigError
    from filterd.documents import Document
    from filterd.lists.catalogs.catalog_schema import (
        CategoryEntry,
        FolderList,
        FolderService,
        PartEntry,
        SourceEntry,
    )


@frozen
class CatalogCategory:
    """A category of lists.

    ``min_age``: years from which it suits, None where age does not matter.
    ``locked``: closed to everybody; ``ordered``: by a legal order, and so never
    opened. ``security``: dangerous, not merely unsuitable. ``sinkhole``: false where
    a block must look like a name that does not exist. ``review_date``: the day by which the
    publisher reviews age, label and legal basis; empty for none. ``confidential``: its names
    are never shown; those of ``ALWAYS_CONFIDENTIAL`` are so in any case. ``guarded``: only an
    administrator opens it, for a time; so are ``ALWAYS_GUARDED``. ``part_of``: the id of the
    category that it is a part of, empty for none; a part is never open where that is closed.
    """

    id: str
    name_vi: str
    name_en: str
    description_vi: str
    description_en: str
    min_age: int | None
    rating: str | None
    legal_basis: tuple[str, ...]
    locked: bool
    ordered: bool
    security: bool
    sinkhole: bool = True
    review_date: str = ""
    confidential: bool = False
    guarded: bool = False
    part_of: str = ""


def categories_of(entries: Iterable[CategoryEntry]) -> Iterator[CatalogCategory]:
    """Yield categories, each with its parts behind it."""
    for entry in entries:
        whole = _category(entry)
        yield whole
        for one in map(_category, entry.parts):
            yield replace(
                one,
                part_of=whole.id,
                sinkhole=one.sinkhole and whole.sinkhole,
                confidential=one.confidential or whole.confidential,
                guarded=one.guarded or whole.guarded,
            )


def whole_of(category: CatalogCategory) -> dict[str, str]:
    """Return keys ``category`` and ``part`` of a list, as every program reads them."""
    if not category.part_of:
        return {"category": category.id}
    return {"category": category.part_of, "part": category.id}


def with_parts(ids: Iterable[str], parts: Mapping[str, str]) -> frozenset[str]:
    """Return categories with the parts of them.

    Args:
        ids: of categories.
        parts: by the id of each part, its whole.
    """
    wanted = frozenset(ids)
    return wanted.union(part for part, whole in parts.items() if whole in wanted)


def _category(entry: PartEntry) -> CatalogCategory:
    return CatalogCategory(
        id=entry.id,
        name_vi=entry.name.vi,
        name_en=entry.name.en,
        description_vi=entry.description.vi,
        description_en=entry.description.en,
        min_age=entry.min_age,
        rating=entry.rating,
        legal_basis=entry.legal_basis,
        locked=bool(entry.locked),
        ordered=entry.locked == "ordered",
        security=entry.security,
        sinkhole=entry.sinkhole,
        review_date=entry.review_date or "",
        confidential=entry.confidential or entry.id in ALWAYS_CONFIDENTIAL,
        guarded=entry.guarded or entry.id in ALWAYS_GUARDED,
    )


def wrong_parts(document: Document, entries: Iterable[CategoryEntry]) -> Iterator[ConfigError]:
    """Find parts with an id that is taken, or open where their category is closed."""
    taken = {entry.id for entry in entries}
    for index, whole in enumerate(entries):
        for position, part in enumerate(whole.parts):
            where = ("categories", index, "parts", position)
            if part.id in taken:
                reason = say("this {key} occurs twice", key="id")
                yield document.error(reason, (*where, "id"), hint=say("remove it"))
            taken.add(part.id)
            opens = (part.min_age or 0) < (whole.min_age or 0) or bool(whole.locked)
            if whole.locked == "ordered" or part.locked == "ordered":
                reason = say("'{group}' is for legal orders only", group=whole.id)
                yield document.error(reason, where, hint=say("choose another category"))
            elif opens and not part.locked:
                reason = say(
                    "the part '{part}' is open where '{whole}' is closed",
                    part=part.id,
                    whole=whole.id,
                )
                hint = say("give it the same min_age or more, and locked if that is")
                yield document.error(reason, where, hint=hint)


def of_other_categories(
    document: Document,
    key: str,
    parts: Mapping[str, str],
    **groups: tuple[FolderList | SourceEntry | FolderService, ...],
) -> Iterator[ConfigError]:
    """Find entries with a part of another category than the one that they name."""
    for group, entries in groups.items():
        for index, entry in enumerate(entries):
            whole = getattr(entry, key)
            if entry.part is not None and parts.get(entry.part) != whole:
                reason = say("'{part}' is not a part of '{whole}'", part=entry.part, whole=whole)
                own = [one for one, of in parts.items() if of == whole]
                hint = did_you_mean(entry.part, own)
                yield document.error(reason, (group, index, "part"), hint=hint)
