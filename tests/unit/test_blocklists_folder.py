# SPDX-License-Identifier: Apache-2.0
"""The files of ``blocklists/``: each loads, and together they are consistent."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from filterd.base.paths import shipped
from filterd.lists.catalogs import catalog_schema
from filterd.lists.catalogs.catalog import Catalog, load_catalog
from filterd.lists.catalogs.catalog_tables import load_popular_names
from filterd.lists.compiler import compile_lists
from filterd.lists.formats import FORMATS, Entry
from filterd.lists.hostname import key_from_name, key_from_text, name_from_key, text_from_key
from filterd.lists.index import Index
from filterd.lists.list_queries import entries_of
from filterd.lists.public_suffix import is_public_suffix
from filterd.lists.rules import ListSource, Scope
from tests.support.parsing import lines_of
from tests.support.shared_data import shared

FOLDER = shipped("blocklists")
EMPTY = {"law-ordered", "child-abuse"}
CATALOG = load_catalog(FOLDER)
OF_SERVICES = {"education", "everyday"}
"""Of no age, and filled by services alone."""
STARTERS = [
    one for one in CATALOG.lists if one.id.startswith("starter-") and one.category not in EMPTY
]
STARTER_IDS = [one.category for one in STARTERS]


def names_of(source: ListSource) -> list[str]:
    parsed = list(FORMATS[source.format](Path(source.path).read_text(encoding="utf-8").split("\n")))
    assert all(isinstance(one, Entry) for one in parsed), parsed
    return [one.name for one in parsed if isinstance(one, Entry)]


def hosts_of(source: ListSource) -> set[str]:
    """Return the names of a list that stand for one host alone."""
    parsed = FORMATS[source.format](Path(source.path).read_text(encoding="utf-8").split("\n"))
    return {one.name for one in parsed if isinstance(one, Entry) and one.claim.scope is Scope.EXACT}


def ancestors(key: bytes) -> set[bytes]:
    """Return the key and those of the names above it."""
    return {key[: end.end()] for end in re.finditer(rb"\0", key)}


def test_every_category_has_exactly_one_starter_list_or_only_services() -> None:
    listed = [one.category for one in CATALOG.lists if one.id.startswith("starter-")]
    assert sorted([*listed, *OF_SERVICES]) == sorted(category.id for category in CATALOG.categories)
    assert {service.group for service in CATALOG.services} >= OF_SERVICES


def test_every_file_of_the_folder_is_in_the_catalogue() -> None:
    known = {Path(one.path) for one in CATALOG.lists}
    assert {*(FOLDER / "starter").iterdir(), *(FOLDER / "vn").glob("*.txt")} == known


@pytest.mark.parametrize("category", sorted(EMPTY))
def test_what_only_the_authority_may_list_ships_empty(category: str) -> None:
    (source,) = (one for one in CATALOG.lists if one.category == category)
    assert names_of(source) == []


@pytest.mark.parametrize("source", STARTERS, ids=STARTER_IDS)
def test_a_starter_list_filters_something_real(source: ListSource) -> None:
    canary, *names = names_of(source)
    assert canary == f"{source.category}.blocked.filterd.example"
    # Of these few names last: the others are looked for by words, or come with followed lists.
    assert len(names) >= {"job-fraud": 0, "eating-disorders": 4}.get(source.category, 5)


@pytest.mark.parametrize("source", STARTERS, ids=STARTER_IDS)
def test_a_starter_list_names_no_public_suffix(source: ListSource) -> None:
    assert [name for name in names_of(source) if is_public_suffix(key_from_text(name))] == []


@pytest.mark.parametrize("source", STARTERS, ids=STARTER_IDS)
def test_a_starter_list_blocks_no_pin(source: ListSource) -> None:
    names = {key_from_text(name) for name in names_of(source)}
    pins = {key for pin in CATALOG.pins if (key := key_from_name(pin.name))}
    assert [text_from_key(pin) for pin in pins if ancestors(pin) & names] == []
    trees = {key_from_name(pin.name) for pin in CATALOG.pins if pin.subtree}
    assert [text_from_key(name) for name in names if ancestors(name) & trees] == []


@pytest.mark.parametrize("source", STARTERS, ids=STARTER_IDS)
def test_a_starter_list_has_no_entry_that_another_covers(source: ListSource) -> None:
    keys = [key_from_text(name) for name in names_of(source)]
    assert len(keys) == len(set(keys))
    subtrees = set(keys) - {key_from_text(name) for name in hosts_of(source)}
    assert [text_from_key(key) for key in keys if (ancestors(key) - {key}) & subtrees] == []


@pytest.mark.parametrize("source", STARTERS, ids=STARTER_IDS)
def test_a_starter_list_is_sorted_beneath_each_heading(source: ListSource) -> None:
    for group in Path(source.path).read_text(encoding="utf-8").split("\n\n"):
        names = [line for line in group.split("\n") if line and not line.startswith("#")]
        assert names == sorted(names)


def test_a_name_stands_in_one_starter_list_only() -> None:
    names = [name for source in STARTERS for name in names_of(source)]
    assert sorted(names) == sorted(set(names))


def test_the_promised_names_are_listed() -> None:
    """A fresh machine filters these, whatever else changes in the lists."""
    listed = {name: source.category for source in STARTERS for name in names_of(source)}
    promised = {
        "facebook.com": "social-media",
        "zalo.me": "social-media",
        "tiktok.com": "social-media",
        "roblox.com": "games",
        "garena.vn": "games",
        "youtube.com": "streaming",
        "vieon.vn": "streaming",
        "pornhub.com": "porn",
        "bet365.com": "gambling",
        "dns.google": "encrypted-dns",
        "nordvpn.com": "proxy-vpn",
        "mask.apple-dns.net": "proxy-vpn",
        "mask-h2.icloud.com": "proxy-vpn",
        "ordns.he.net": "encrypted-dns",
        "doh.apple-dns.com": "encrypted-dns",
    }
    assert {name: listed.get(name) for name in promised} == promised


def test_ages_keep_the_tiers_apart() -> None:
    """Social media, games and streaming: closed to primary (10 and younger), open to staff."""
    ages = {one.id: one.min_age for one in CATALOG.categories if not one.locked}
    for category in ("social-media", "games", "streaming"):
        age = ages[category]
        assert age is not None
        assert 10 < age <= 18


def test_the_dangerous_categories_are_locked() -> None:
    locked = {category.id for category in CATALOG.categories if category.locked}
    parts = {"nsfw-ai", "binary-options", "job-fraud", "gore", "explosives", "vape"}
    parts |= {"betting-streams"}
    assert locked == {"porn", "gambling", "drugs", "scam", "malware", *parts, *EMPTY}
    assert {category.id for category in CATALOG.categories if category.ordered} == EMPTY


@pytest.mark.parametrize(
    "name", ["use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com", "edu.vn"]
)
def test_a_canary_of_browsers_or_a_whole_registry_is_not_pinned(name: str) -> None:
    key = key_from_text(name)
    assert key not in {key_from_name(pin.name) for pin in CATALOG.pins}
    trees = {key_from_name(pin.name) for pin in CATALOG.pins if pin.subtree}
    assert not ancestors(key) & trees


def test_every_source_is_reached_over_tls_and_none_is_a_package_registry() -> None:
    for source in CATALOG.sources:
        assert not re.search(r"pypi|npmjs|crates\.io|rubygems|proxy\.golang", source.address)


def test_the_readme_explains_every_key() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    models = [one for one in vars(catalog_schema).values() if hasattr(one, "model_fields")]
    keys = {key for model in models for key in model.model_fields}
    assert len(keys) > 15
    assert sorted(key for key in keys if f"`{key}`" not in readme) == []


RESOLVERS = (
    "lists/dibdot-doh/doh-domains.txt",
    "lists/hagezi2022/domains/doh-vpn-proxy-bypass.txt",
    "lists/nextdns/dns-bypass-methods/encrypted-dns",
    "lists/ut1/doh/domains",
)
ORDINARY = {"apple-dns.net", "cleanbrowsing.org", "fly.io", "switch.ch", "yahoodns.net"}
"""What some of these lists name, and what serves ordinary content as well."""


def test_most_resolvers_that_all_public_lists_name_are_closed() -> None:
    """The rest are machines of single persons, and mostly gone."""
    everywhere = set.intersection(*(set(lines_of(shared(path))) for path in RESOLVERS))
    listed = {key_from_text(n) for s in STARTERS for n in names_of(s)}
    names = {one for one in everywhere if "." in one and "#" not in one}
    closed = {name for name in names if ancestors(key_from_text(name)) & listed}
    assert len(closed) > 0.75 * len(names) > 50, sorted(names - closed)
    assert not {key_from_text(one) for one in ORDINARY} & listed


BAD_LISTS = {
    "encrypted-dns": ("apple-dns.net", "yahoodns.net", "doh.bad.example"),
    "dating": ("eventbrite.com", "dating.bad.example"),
    "blogs": ("blogspot.com", "facebook.com", "blogs.bad.example"),
    "forums": ("facebook.com", "forums.bad.example"),
    "scam": (
        "tdu.edu.vn",
        "trustpilot.com",
        "www.youtube.com",
        "zalo.me",
        "www.facebook.com",
        "sites.google.com",
        "scam.bad.example",
    ),
    "social-media": ("facebook.com", "zalo.me", "youtube.com"),
    "streaming": ("www.youtube.com", "facebook.com"),
    "ads-trackers": ("www.msftconnecttest.com", "time.google.com", "ads.bad.example"),
}
"""Lists in the shape of real ones that name what they should not, beside what they may."""

KEPT_OF_BAD_LISTS = {
    "encrypted-dns": {"doh.bad.example"},
    "dating": {"dating.bad.example"},
    "blogs": {"blogs.bad.example"},
    "forums": {"forums.bad.example"},
    "scam": {"scam.bad.example"},
    "social-media": {"facebook.com", "zalo.me"},
    "streaming": {"www.youtube.com"},
    "ads-trackers": {"ads.bad.example"},
}


def kept(folder: Path, sources: list[ListSource], catalog: Catalog) -> dict[str, set[str]]:
    """Compile the lists under the catalogue's guards; return the names kept, by category."""
    target = folder / "index"
    compile_lists(
        sources, pins=catalog.pins, protections=catalog.protections, target=target, now=0.0
    )
    index = Index.open(target)
    found: dict[str, set[str]] = {source.category: set() for source in sources}
    for rank, name in index.ranked_names():
        for claim, _line in index.entries(rank):
            key = key_from_name(name)
            assert key is not None
            found[index.lists[index.claims[claim][0]].category].add(text_from_key(key))
    return found


def bad_lists(folder: Path, *, own: bool = False) -> list[ListSource]:
    sources = []
    for category, names in BAD_LISTS.items():
        path = folder / f"{category}.txt"
        path.write_text("\n".join(names), encoding="utf-8")
        sources.append(ListSource(f"bad-{category}", category, "domains", str(path), own))
    return sources


def test_bad_lists_take_no_good_name_away(tmp_path: Path) -> None:
    assert kept(tmp_path, bad_lists(tmp_path), CATALOG) == KEPT_OF_BAD_LISTS


def test_control_without_protection_the_bad_lists_would(tmp_path: Path) -> None:
    """The control: the names are spared by our guards, not by accident."""
    unguarded = Catalog(CATALOG.categories, (), (), (), ())
    found = kept(tmp_path, bad_lists(tmp_path), unguarded)
    assert {"tdu.edu.vn", "zalo.me", "www.youtube.com"} <= found["scam"]
    assert "apple-dns.net" in found["encrypted-dns"]
    assert "time.google.com" in found["ads-trackers"]


def test_protection_does_not_bind_own_lists_but_pins_do(tmp_path: Path) -> None:
    found = kept(tmp_path, bad_lists(tmp_path, own=True), CATALOG)
    assert "zalo.me" in found["scam"]
    assert found["ads-trackers"] == {"ads.bad.example"}


def test_the_shipped_lists_compile_whole(tmp_path: Path) -> None:
    found = kept(tmp_path, list(CATALOG.lists), CATALOG)
    wanted: dict[str, set[str]] = {}
    for one in CATALOG.lists:
        wanted.setdefault(one.category, set()).update(names_of(one))
    assert found == wanted


POPULAR = load_popular_names()


def wrongly_closed(folder: Path, lists: tuple[ListSource, ...]) -> list[str]:
    """Return the popular names, and what is beneath at ``www``, that lists do not mean to close."""
    target = folder / "index"
    compile_lists(lists, pins=CATALOG.pins, protections=(), target=target, now=0.0)
    index = Index.open(target)
    return [
        f"{text_from_key(key_from_name(name) or b'')} {category}"
        for popular in POPULAR
        for name in (popular.name, b"\3www" + popular.name)
        for category in {one["category"] for one in entries_of(index, name)}
        - popular.except_categories
    ]


def test_what_ships_closes_no_popular_name_but_by_a_category_that_means_it(tmp_path: Path) -> None:
    closing = [one for one in CATALOG.compiled if one.category not in OF_SERVICES]
    assert wrongly_closed(tmp_path, tuple(closing)) == []


def test_a_list_that_closes_a_popular_name_is_found_out(tmp_path: Path) -> None:
    """The control: the test above can fail."""
    path = tmp_path / "scam.txt"
    path.write_text("vk.com\nwww.unex.es\n", encoding="utf-8")
    found = wrongly_closed(tmp_path, (ListSource("bad", "scam", "domains", str(path), own=True),))
    assert sorted(found) == ["vk.com scam", "www.unex.es scam", "www.vk.com scam"]


def test_categories_that_mean_a_popular_name_are_known() -> None:
    known = {category.id for category in CATALOG.categories}
    assert set().union(*(one.except_categories for one in POPULAR)) <= known


PROMISED_SERVICES = {
    *("youtube", "tiktok", "facebook", "messenger", "instagram", "threads", "x", "snapchat"),
    *("discord", "telegram", "whatsapp", "viber", "zalo", "zing-mp3", "vng-games", "garena"),
    *("lien-quan", "free-fire", "fc-online", "vtc-game", "gamota", "sohagame", "roblox"),
    *("minecraft", "steam", "epic-games", "riot-games", "valorant", "league-of-legends"),
    *("pubg", "mobile-legends", "hoyoverse", "twitch", "nimo-tv", "bigo-live", "netflix"),
    *("fpt-play", "vieon", "tv360", "k-plus", "galaxy-play", "spotify", "nhaccuatui"),
    *("coccoc", "reddit", "pinterest", "tumblr", "chatgpt", "gemini", "deepseek", "shopee"),
    *("lazada", "tiki", "azota", "olm", "quizizz", "kahoot", "google-classroom"),
    *("microsoft-teams", "vioedu", "k12online", "hocmai", "shub"),
}
SHARED = (
    *("akamaihd.net", "akamaized.net", "amazonaws.com", "apple.com", "azureedge.net"),
    *("cloudflare.com", "cloudfront.net", "edgesuite.net", "fastly.net", "google.com"),
    *("googleapis.com", "googleusercontent.com", "gstatic.com", "live.com", "microsoft.com"),
)
"""What many products load from: no service may have it as a whole."""


def test_the_promised_services_are_there() -> None:
    assert {service.id for service in CATALOG.services} >= PROMISED_SERVICES


def test_no_service_takes_what_many_share() -> None:
    keys = {key_from_name(name) for service in CATALOG.services for name in service.names}
    assert [name for name in SHARED if ancestors(key_from_text(name)) & keys] == []


def test_no_service_takes_a_pinned_name() -> None:
    keys = {key_from_name(name) for service in CATALOG.services for name in service.names}
    pins = {key for pin in CATALOG.pins if (key := key_from_name(pin.name))}
    assert [text_from_key(pin) for pin in pins if ancestors(pin) & keys] == []


def test_what_everybody_needs_is_of_no_age() -> None:
    groups = {
        category.id: category for category in CATALOG.categories if category.id in OF_SERVICES
    }
    assert all(group.min_age is None and not group.locked for group in groups.values())
    aged = {
        service.id
        for service in CATALOG.services
        if service.group in groups and service.min_age is not None
    }
    assert aged == {"tinhte"}, "it has a forum"


def test_a_service_is_in_the_category_of_the_list_that_has_its_names() -> None:
    listed = {
        name: source.category
        for source in CATALOG.lists
        for name in set(names_of(source)) - hosts_of(source)
    }
    for service in CATALOG.services:
        for name in map(key_from_name, service.names):
            assert name
            assert listed.get(text_from_key(name), service.group) == service.group


@pytest.mark.parametrize("host", ["coccoc.com", "www.coccoc.com", "m.coccoc.com"])
def test_the_search_of_coc_coc_is_closed_by_hosts_alone(host: str) -> None:
    """Updates, extensions and the start page of the browser have hosts beneath coccoc.com."""
    (source,) = (one for one in STARTERS if one.category == "unsafe-search")
    assert host in hosts_of(source)
    assert len(hosts_of(source)) == 3


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("search.brave.com", "safesearch.brave.com"),
        ("ya.ru", "familysearch.yandex.ru"),
        ("www.yandex.com", "familysearch.yandex.ru"),
    ],
)
def test_the_safe_mode_of_a_search_engine_is_known(name: str, target: str) -> None:
    of = {one: rewrite.target for rewrite in CATALOG.rewrites for one in rewrite.names}
    assert of[name_from_key(key_from_text(name))] == name_from_key(key_from_text(target))


@pytest.mark.parametrize(
    "name", ["translate.goog", "warp.plus", "nip.io", "sslip.io", "vpn-api.proton.me"]
)
def test_ways_around_a_filter_of_names_are_listed(name: str) -> None:
    (source,) = (one for one in STARTERS if one.category == "proxy-vpn")
    assert name in names_of(source)


def test_services_are_sorted_and_compile_whole(tmp_path: Path) -> None:
    found = kept(tmp_path, [service.compiled for service in CATALOG.services], CATALOG)
    names = {
        text_from_key(key_from_name(n) or b"")
        for service in CATALOG.services
        for n in service.names
    }
    assert set().union(*found.values()) == names


LUNAR_NEW_YEAR = {"2026-02-17", "2027-02-06", "2028-01-26", "2029-02-13", "2030-02-02"}


def test_holidays_are_those_of_five_years() -> None:
    assert [(holiday.first, holiday.last) for holiday in CATALOG.holidays] == sorted(
        (holiday.first, holiday.last) for holiday in CATALOG.holidays
    )
    for new_year in LUNAR_NEW_YEAR:
        (tet,) = [
            holiday for holiday in CATALOG.holidays if holiday.first < new_year <= holiday.last
        ]
        assert tet.name_vi == "Tết Nguyên đán"
    days = {holiday.first for holiday in CATALOG.holidays}
    for year in range(2026, 2031):
        assert days >= {f"{year}-{day}" for day in ("01-01", "04-30", "05-01", "09-02")}


PHISHING = "lists/blocklistproject/alt-version/phishing-nl.txt.zst"
REAL_FALSE_POSITIVES = [
    ("lists/ut1/doh/domains", "encrypted-dns", {"apple-dns.net", "yahoodns.net"}),
    ("lists/ut1/blog/domains", "blogs", {"blogspot.com", "facebook.com"}),
    ("lists/ut1/forums/domains", "forums", {"facebook.com"}),
    ("lists/cbuijs-ut1/dating/domains.top-n", "dating", {"eventbrite.com"}),
    pytest.param(PHISHING, "scam", {"tdu.edu.vn", "www.trustpilot.com"}, marks=pytest.mark.long),
]


@pytest.mark.parametrize(("path", "category", "spared"), REAL_FALSE_POSITIVES)
def test_a_real_list_loses_its_known_false_positives(
    tmp_path: Path, path: str, category: str, spared: set[str]
) -> None:
    lines = lines_of(shared(path))
    assert spared <= set(lines), "the list does not name them any more"
    plain = tmp_path / "list.txt"
    plain.write_text("\n".join(lines), encoding="utf-8")
    source = ListSource("real", category, "domains", str(plain))
    found = kept(tmp_path, [source], CATALOG)[category]
    assert not found & spared
    assert len(found) > 150


def test_no_starter_list_but_that_of_the_service_takes_a_safe_twin_away() -> None:
    """Where the name itself passes, the name that answers for it must, too."""
    listed = {key_from_text(n): s.category for s in STARTERS for n in names_of(s)}
    for rewrite in CATALOG.rewrites:
        target = key_from_name(rewrite.target)
        assert target
        closing = {listed[key] for key in ancestors(target) & set(listed)}
        for name in rewrite.names:
            key = key_from_name(name)
            assert key
            assert rewrite.setting == "youtube" or not closing
            assert {listed[one] for one in ancestors(key) & set(listed)} <= {"streaming"}


def test_the_promised_engines_have_a_safe_twin() -> None:
    names = {key_from_name(name) for rewrite in CATALOG.rewrites for name in rewrite.names}
    promised = ["www.google.com", "www.google.com.vn", "www.bing.com", "duckduckgo.com"]
    assert {key_from_text(name) for name in [*promised, "www.youtube.com"]} <= names


def test_no_pin_is_a_name_with_a_twin() -> None:
    pins = {pin.name for pin in CATALOG.pins}
    assert [name for rewrite in CATALOG.rewrites for name in rewrite.names if name in pins] == []


def test_the_recommended_set_fits_a_board_of_one_gigabyte() -> None:
    chosen = [source for source in CATALOG.sources if source.recommended]
    assert 900_000 <= sum(one.names for one in chosen) <= 1_300_000
    by_category = Counter(one.category for one in chosen)
    scams = by_category.pop("scam")
    assert 3 <= scams <= 5, "what is new is on one of several"
    assert max(by_category.values()) <= 2
    wanted = {"porn", "gambling", "drugs", "malware", "encrypted-dns", "proxy-vpn"}
    assert wanted <= by_category.keys()


def test_no_source_fills_what_only_an_order_may_close() -> None:
    ordered = {category.id for category in CATALOG.categories if category.ordered}
    assert ordered.isdisjoint(source.category for source in CATALOG.sources)


def test_what_states_no_licence_is_not_published_again() -> None:
    assert [
        source.id for source in CATALOG.sources if source.licence == "unclear" and source.republish
    ] == []
