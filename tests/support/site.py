# SPDX-License-Identifier: Apache-2.0
"""A school's folder and a small catalogue, for tests of their readers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigErrors
from filterd.config.compile import compile_policy
from filterd.config.site_reader import load_site
from filterd.lists.catalogs.catalog import Catalog, CatalogService, PublicHoliday
from filterd.lists.catalogs.catalog_categories import CatalogCategory
from filterd.lists.rules import ListSource, Pin, Protection
from filterd.wire import name as names

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.policy.model import Policy

SCHOOL = "school: {name: Mẫu}\n"


def a_category(
    category_id: str, min_age: int | None = None, *, locked: bool = False, ordered: bool = False
) -> CatalogCategory:
    """Return a category; ``ordered`` ones are locked too, as in the catalogue."""
    return CatalogCategory(
        id=category_id,
        name_vi=category_id,
        name_en=category_id,
        description_vi="",
        description_en="",
        min_age=min_age,
        rating=None,
        legal_basis=(),
        locked=locked or ordered,
        ordered=ordered,
        security=False,
    )


def a_service(service: str, group: str, min_age: int | None = None) -> CatalogService:
    """Return a service of one name, its id beneath ``example``."""
    name = names.from_text(f"{service}.example")
    compiled = ListSource(
        f"service:{service}", group, "domains", "services.yaml", own=True, names=((1, name),)
    )
    return CatalogService(service, service, service, group, min_age, (name,), compiled)


CATALOG = Catalog(
    categories=(
        a_category("law-ordered", ordered=True),
        a_category("porn", 18, locked=True),
        a_category("encrypted-dns", 18),
        a_category("social-media", 16),
        a_category("streaming", 13),
        a_category("ai-chat", 13),
        a_category("games", 12),
        a_category("ads-trackers"),
    ),
    lists=(),
    sources=(),
    pins=(Pin(b"\x08tongdai1\x02vn\0"),),
    protections=(Protection(b"\x03edu\x02vn\0"),),
)
"""One category of each kind, and every one that the shipped tier files name."""


WITH_SERVICES = replace(
    CATALOG,
    categories=(*CATALOG.categories, a_category("education")),
    lists=(ListSource("many-games", "games", "domains", "games.txt"),),
    services=(
        a_service("youtube", "streaming", 13),
        a_service("bigo", "streaming", 18),
        a_service("tiktok", "social-media", 13),
        a_service("roblox", "games"),
        a_service("azota", "education"),
        a_service("bet", "porn"),
    ),
    holidays=(PublicHoliday("2026-09-02", "2026-09-02", "Quốc khánh", "National Day"),),
)
"""The same with a list, services and a holiday."""


def a_policy(folder: Path, site: str = "", catalog: Catalog = CATALOG, /, **tiers: str) -> Policy:
    """Compile a school whose ``site.yaml`` goes on with ``site``; ``tiers`` by file name."""
    (folder / "site.yaml").write_text(SCHOOL + site, encoding="utf-8")
    for tier, text in tiers.items():
        (folder / f"{tier}.yaml").write_text(text, encoding="utf-8")
    return compile_policy(load_site(folder), catalog)


def problems(
    folder: Path, site: str = "", catalog: Catalog = CATALOG, /, **tiers: str
) -> list[str]:
    """Return what is wrong with such a school, each without the folder's name."""
    with pytest.raises(ConfigErrors) as caught:
        a_policy(folder, site, catalog, **tiers)
    return [str(error).removeprefix(f"{folder}/") for error in caught.value.errors]
