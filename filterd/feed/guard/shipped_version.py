# SPDX-License-Identifier: Apache-2.0
"""What ships with this filterd, as this school would be served it: no signature can change it.

A version is held against it as against what is in force. So a first version is judged,
too, and one that follows a bad one.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from filterd.config.compile import compile_policy
from filterd.config.lists_build import compile_blocklists
from filterd.feed.guard.probe_clients import Asking
from filterd.lists.catalog import load_catalog
from filterd.lists.index import Index
from filterd.paths import shipped

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.feed.guard.candidate import Request, Tables
    from filterd.lists.catalog import Catalog, CatalogCategory, CatalogService
    from filterd.lists.rules import ListSource

    _Named = TypeVar("_Named", bound=CatalogCategory | CatalogService | ListSource)


def shipped_asking(request: Request, tables: Tables) -> Asking:
    """Return what ships, with this school's own rules.

    Raises:
        FilterdError: it cannot be compiled.
    """
    index = _shipped_index(request.fresh_index.with_name(f"{request.fresh_index.name}.shipped"))
    # A school may name what only its feed has: that stands beside what ships.
    policy = compile_policy(tables.site, _with_more_of(shipped_catalog(), tables.catalog))
    return Asking(policy, index, request.now)


def _with_more_of(catalog: Catalog, other: Catalog) -> Catalog:
    return replace(
        catalog,
        categories=_more(catalog.categories, other.categories),
        services=_more(catalog.services, other.services),
        lists=_more(catalog.lists, other.lists),
    )


def _more(mine: tuple[_Named, ...], others: tuple[_Named, ...]) -> tuple[_Named, ...]:
    known = {one.id for one in mine}
    return (*mine, *(one for one in others if one.id not in known))


@cache
def shipped_catalog() -> Catalog:
    """Return the catalogue that ships."""
    return load_catalog(shipped("blocklists"))


@cache
def _shipped_index(target: Path) -> Index:
    compile_blocklists(shipped_catalog(), (), target, now=0.0, feed=None)
    index = Index.open(target)
    target.unlink()  # it is mapped
    return index
