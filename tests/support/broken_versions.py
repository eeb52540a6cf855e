# SPDX-License-Identifier: Apache-2.0
"""Versions of a feed that are authentic and broken.

Each is named after its fault, and changes the folder of ``feed_candidates.Following``.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from tests.support.feed_candidates import (
    CONFIDENTIAL,
    GAMBLING,
    PORN,
    names_of,
    write_names,
)
from tests.support.yaml_files import change_yaml, write_yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Change = Callable[[Path], None]

POPULAR = [f"popular{number}.example" for number in range(200)]


def edit(path: str, change: Callable[[bytes], bytes]) -> Change:
    """Change the octets of a file."""

    def edit(folder: Path) -> None:
        (folder / path).write_bytes(change((folder / path).read_bytes()))

    return edit


def add(path: str, *lines: str) -> Change:
    """Add lines to a list."""
    return edit(path, lambda octets: octets + "".join(f"{line}\n" for line in lines).encode())


def data_of(path: str, change: Callable[[Any], object]) -> Change:
    """Change the data of a table."""
    return lambda folder: change_yaml(folder / path, change)


def _remove(path: str) -> Change:
    return lambda folder: (folder / path).unlink()


def _category(data: Any, category: str) -> dict[str, Any]:
    [found] = [one for one in data["categories"] if one["id"] == category]
    entry: dict[str, Any] = found
    return entry


def _list(list_id: str, change: Callable[[dict[str, Any]], object]) -> Change:
    return data_of(
        "catalog.yaml",
        lambda data: change(next(one for one in data["lists"] if one["id"] == list_id)),
    )


def _all_exceptions(folder: Path) -> None:
    """Add a list of exceptions, as an Adblock list may be one, for all that the others close."""
    text = "".join(f"@@||{name}^\n" for name in names_of("gambling", 1_000))
    (folder / "lists" / "more.txt").write_text(text)
    entry = {"id": "more", "title": "more", "category": "gambling", "format": "adblock"}
    change_yaml(
        folder / "catalog.yaml",
        lambda data: data["lists"].append({**entry, "file": "lists/more.txt"}),
    )


def _without_category(folder: Path) -> None:
    change_yaml(
        folder / "catalog.yaml",
        lambda data: data.update(
            lists=[one for one in data["lists"] if one["category"] != "games"]
        ),
    )


def an_order(names: bytes) -> Change:
    """Add an order; its names are as the authority has written them."""

    def order(folder: Path) -> None:
        (folder / "orders").mkdir()
        (folder / "orders" / "1.txt").write_bytes(names)
        entry = {"number": "1/CV", "issuer": "STTTT", "date": "2025-12-01", "expiry": "2026-12-01"}
        write_yaml(folder / "orders.yaml", {"orders": [{**entry, "names": "orders/1.txt"}]})

    return order


def stolen(category: str, *lines: str) -> Change:
    """Put names into the list of an ordered category that the online keys sign."""

    def change(folder: Path) -> None:
        add(f"starter/{category}.txt", *lines)(folder)
        entry = {"category": category, "names": [lines[0]]}
        data_of("canaries.yaml", lambda data: data["canaries"].append(entry))(folder)

    return change


def _fifty_megabytes() -> bytes:
    """Return letters that do not pack to nothing, which no publisher could sign."""
    return hashlib.shake_256(b"a line").hexdigest(25_000_000).encode()


def _lookalikes(suffix: str, *shapes: str) -> Change:
    """Add look-alike rules of one category, whose runs have up to three digits."""
    rules = [{"shape": shape, "category": "gambling", "digits": 3} for shape in shapes]
    data = {"suffixes": {"gambling": [suffix]}, "lookalikes": rules}
    return lambda folder: write_yaml(folder / "lookalikes.yaml", data)


def _service(service: str, change: Callable[[dict[str, Any]], object]) -> Change:
    return data_of(
        "services.yaml",
        lambda data: change(next(one for one in data["services"] if one["id"] == service)),
    )


def _wildcards(*lines: str) -> Change:
    """Add a list in which a line may mean what is beneath a name, or the name alone."""

    def change(folder: Path) -> None:
        write_names(folder / "lists" / "more.txt", lines)
        entry = {"id": "more", "title": "more", "category": "gambling", "format": "wildcard"}
        change_yaml(
            folder / "catalog.yaml",
            lambda data: data["lists"].append({**entry, "file": "lists/more.txt"}),
        )

    return change


def _engine(change: Callable[[dict[str, Any]], object]) -> Change:
    """Change the first search engine, which is Google's."""
    return data_of("safe_search.yaml", lambda data: change(data["engines"][0]))


def _answered_by(target: str, *names: str) -> Change:
    """Have safe search answer for names with the addresses of another."""
    entry = {"target": target, "names": [*names]}
    return data_of("safe_search.yaml", lambda data: data["engines"].append(entry))


def _holidays(*spans: tuple[str, str]) -> Change:
    name = {"vi": "Nghỉ", "en": "Off"}
    entries = [{"first": first, "last": last, "name": name} for first, last in spans]
    return data_of("holidays.yaml", lambda data: data["holidays"].extend(entries))


OWN = "starter/games.txt"
"""A list of the publisher's own: protection does not bind it."""

HARMFUL: dict[str, Change] = {
    "names closed by law that no authority has signed": stolen(
        "law-ordered", "google.com", "accounts.google.com", "wikipedia.org"
    ),
    "an unknown name as child abuse": stolen("child-abuse", "unheard-of.example"),
    "accounts.google.com, as the publisher's own": add(OWN, "accounts.google.com"),
    "drive.google.com, as the publisher's own": add(OWN, "drive.google.com"),
    "classroom.google.com, as the publisher's own": add(OWN, "classroom.google.com"),
    "login.microsoftonline.com, as the publisher's own": add(OWN, "login.microsoftonline.com"),
    "what nobody knows beneath a protected name": add(OWN, "unheard-of.google.com"),
    "a service beneath a protected name": data_of(
        "services.yaml",
        lambda data: data["services"].append(
            {
                "id": "lessons",
                "group": "games",
                "name": {"vi": "x", "en": "x"},
                "names": ["unheard-of.google.com"],
            }
        ),
    ),
    "the twin of Google": add(OWN, "forcesafesearch.google.com"),
    "the twin of Ecosia": add(OWN, "strict-safe-search.ecosia.org"),
    "a sign-in that another answers for": _engine(
        lambda one: one["names"].append("accounts.google.com")
    ),
    "a bank that another answers for": _answered_by("evil.example", "www.vietcombank.com.vn"),
    "a pinned name that another answers for": _answered_by("evil.moet.gov.vn", "www.moet.gov.vn"),
    "any name that another answers for": _answered_by("evil.example", "www.some-shop.vn"),
    "another twin of Google": _engine(lambda one: one.update(target="www.evil.example")),
    "no safe search": data_of("safe_search.yaml", lambda data: data.update(engines=[])),
    "no safe search of www.google.com.vn": _engine(
        lambda one: one["names"].remove("www.google.com.vn")
    ),
    "YouTube in the other mode": data_of(
        "safe_search.yaml",
        lambda data: data["youtube"].update(
            moderate=data["youtube"]["strict"], strict=data["youtube"]["moderate"]
        ),
    ),
    "www.google.com, pinned against safe search": data_of(
        "pins.yaml", lambda data: data["pins"].append({"name": "www.google.com", "reason": "x"})
    ),
    "no pins": data_of("pins.yaml", lambda data: data.update(pins=[])),
    "a hundred pins more": data_of(
        "pins.yaml",
        lambda data: data["pins"].extend(
            {"name": f"pin{number}.example", "subtree": True, "reason": "x"}
            for number in range(100)
        ),
    ),
    "a fifth of what is protected": data_of(
        "protect.yaml", lambda data: data.update(protections=data["protections"][150:])
    ),
    "everything protected": data_of(
        "protect.yaml",
        lambda data: data["protections"].extend(
            {"name": f"www.games{number}.example", "reason": "x"} for number in range(400)
        ),
    ),
    "every day a holiday": _holidays(("2020-01-01", "2040-12-31")),
    # In each year: whatever day it is, they are in the year to come.
    "two months of holidays": _holidays(
        *((f"{year}-10-01", f"{year}-11-30") for year in range(2026, 2041))
    ),
    "no holidays": data_of("holidays.yaml", lambda data: data.update(holidays=[])),
    "self-harm as education": _list(
        "starter-self-harm", lambda one: one.update(category="education")
    ),
    "self-harm as another list of education": lambda folder: (
        _list("starter-self-harm", lambda one: one.update(category="education", id="help"))(folder),
        data_of(
            "canaries.yaml",
            lambda data: data.update(
                canaries=[one for one in data["canaries"] if one["category"] != "self-harm"]
            ),
        )(folder),
    )[0],
    "self-harm without its names": edit("starter/self-harm.txt", lambda octets: octets[:0]),
    "social media from 13 on": data_of(
        "categories.yaml", lambda data: _category(data, "social-media").update(min_age=13)
    ),
    "self-harm for everybody": data_of(
        "categories.yaml", lambda data: _category(data, "self-harm").pop("min_age")
    ),
    "education closed to everybody": data_of(
        "categories.yaml", lambda data: _category(data, "education").update(locked=True)
    ),
    "five new categories": data_of(
        "categories.yaml",
        lambda data: data["categories"].extend(
            {**_category(data, "games"), "id": f"new-{number}"} for number in range(5)
        ),
    ),
    "Facebook as education": _service("facebook", lambda one: one.update(group="education")),
    "half of all services": data_of(
        "services.yaml", lambda data: data.update(services=data["services"][::2])
    ),
    "fifty services more": data_of(
        "services.yaml",
        lambda data: data["services"].extend(
            {
                "id": f"s{number}",
                "group": "games",
                "name": {"vi": "x", "en": "x"},
                "names": [f"s{number}.example"],
            }
            for number in range(50)
        ),
    ),
    "a popular name that ships as one": add(GAMBLING, "taboola.com"),
    "a canary of what ships, gone from its list and from the canaries": lambda folder: (
        edit("starter/games.txt", lambda octets: octets.replace(b"games.blocked.", b"gone."))(
            folder
        ),
        data_of(
            "canaries.yaml",
            lambda data: [
                one.update(names=["minecraft.net"])
                for one in data["canaries"]
                if one["category"] == "games"
            ],
        )(folder),
    )[0],
    "addresses of IPv6 let through": lambda folder: (
        edit(
            "starter/porn.txt",
            lambda octets: b"".join(
                b"||%s^$dnstype=A\n" % line.split(b"#")[0].strip()
                for line in octets.splitlines()
                if line.split(b"#")[0].strip()
            ),
        )(folder),
        _list("starter-porn", lambda one: one.update(format="adblock"))(folder),
    )[0],
}
"""Authentic, whole, well written, and what no school may get; as a first version as well."""

BROKEN: dict[str, Change] = {
    **HARMFUL,
    "a canary that is asked for no more": data_of(
        "canaries.yaml",
        lambda data: [
            one["names"].remove("games.blocked.filterd.example")
            for one in data["canaries"]
            if one["category"] == "games"
        ],
    ),
    "two names of porn, off the list and pinned": lambda folder: (
        edit(PORN, lambda octets: octets.split(b"\n", 2)[2])(folder),
        data_of(
            "pins.yaml",
            lambda data: data["pins"].extend(
                {"name": f"www.porn{number}.example", "reason": "feed"} for number in range(2)
            ),
        )(folder),
    )[0],
    "a list that means its names alone": lambda folder: (
        edit(PORN, lambda octets: octets.replace(b"www.", b"=www."))(folder),
        _list("feed-porn", lambda one: one.update(format="wildcard"))(folder),
    )[0],
    "another telephone of the centre": edit(
        "contacts.yaml", lambda octets: octets.replace(b"0236", b"0900")
    ),
    "a category that is no longer confidential": data_of(
        "categories.yaml", lambda data: _category(data, CONFIDENTIAL).pop("confidential")
    ),
    "an empty catalogue": edit("catalog.yaml", lambda _: b""),
    "a catalogue that was cut": edit(
        "catalog.yaml", lambda octets: octets[: octets.index(b"sources:") // 2]
    ),
    "a catalogue without lists": data_of("catalog.yaml", lambda data: data.update(lists=[])),
    "one field too many in the catalogue": _list("feed-porn", lambda one: one.update(priority=1)),
    "one field too many in a category": data_of(
        "categories.yaml", lambda data: _category(data, "porn").update(weight=1)
    ),
    "a version of tables that is not known": data_of(
        "canaries.yaml", lambda data: data.update(version=2)
    ),
    "a format that is not known": _list("feed-porn", lambda one: one.update(format="domains2")),
    "a list that occurs twice": data_of(
        "catalog.yaml", lambda data: data["lists"].append(data["lists"][-1])
    ),
    "a table of UTF-16": edit("pins.yaml", lambda octets: octets.decode().encode("utf-16")),
    "a table of aliases of aliases": edit(
        "pins.yaml", lambda _: b"pins: &a [&b [&c [*a, *a], *c, *c], *b, *b]\n"
    ),
    "a table that is missing": _remove("protect.yaml"),
    "a list that is missing": _remove(PORN),
    "no canaries": _remove("canaries.yaml"),
    "canaries of nothing": data_of("canaries.yaml", lambda data: data.update(canaries=[])),
    "an empty list": edit(GAMBLING, lambda _: b""),
    "a list that was cut in a line": edit(GAMBLING, lambda octets: octets[:-5]),
    "half a list": edit(GAMBLING, lambda octets: octets[: octets.index(b"\n", 9_000) + 1]),
    "zeros in place of a list": edit(GAMBLING, lambda octets: bytes(len(octets))),
    "a zero in a list": add(GAMBLING, "www.gam\0bling.example"),
    "a list of ten times as many names": lambda folder: write_names(
        folder / GAMBLING, names_of("gambling", 10_000)
    ),
    "a byte order mark": edit(GAMBLING, lambda octets: b"\xef\xbb\xbf" + octets),
    "lines of Windows": edit(GAMBLING, lambda octets: octets.replace(b"\n", b"\r\n")),
    "a list of UTF-16": edit(GAMBLING, lambda octets: octets.decode().encode("utf-16")),
    "a line of 50 MB": edit(GAMBLING, lambda octets: octets + _fifty_megabytes() + b"\n"),
    "one column too many in a list": add(GAMBLING, "www.other.example 1"),
    "a web page in place of a list": edit(
        GAMBLING, lambda _: b"<html><body>404 Not Found</body></html>\n" * 900
    ),
    "names of hosts in place of names": edit(
        GAMBLING, lambda octets: octets.replace(b"www.", b"0.0.0.0 www.")
    ),
    "com as a rule": add(GAMBLING, "com"),
    "com.vn as a rule": add(GAMBLING, "com.vn"),
    "everything as a rule": add(GAMBLING, "*"),
    "an expression as a rule": add(GAMBLING, "/^ads?\\./"),
    "google.com": add(GAMBLING, "google.com"),
    "a pinned name": add(GAMBLING, "thitotnghiepthpt.edu.vn"),
    "google.com, as the publisher's own": add("starter/gambling.txt", "google.com"),
    "google.com, of which nobody says any more that it is protected": lambda folder: (
        data_of(
            "protect.yaml",
            lambda data: data.update(
                protections=[one for one in data["protections"] if one["name"] != "google.com"]
            ),
        )(folder),
        add(GAMBLING, "google.com")(folder),
    )[0],
    "health.vn, open for good": data_of(
        "pins.yaml",
        lambda data: data["pins"].append({"name": "health.vn", "subtree": True, "reason": "x"}),
    ),
    "exceptions from everything": _all_exceptions,
    "a category that nothing is left of": _without_category,
    "a category that is not locked any more": data_of(
        "categories.yaml", lambda data: _category(data, "porn").update(locked=False, min_age=0)
    ),
    "popular names": add(GAMBLING, *POPULAR[150:160]),
    "the most popular name": add(GAMBLING, POPULAR[0]),
    "no popular names to compare with": edit("popular.txt", lambda _: b""),
    "a canary that is on no list": data_of(
        "canaries.yaml",
        lambda data: data["canaries"].append({"category": "porn", "names": ["free.example"]}),
    ),
    "a category that nobody knows": _list("feed-porn", lambda one: one.update(category="erotic")),
    "a list outside the folder": _list("feed-porn", lambda one: one.update(file="../porn.txt")),
    "an age that is no number": data_of(
        "categories.yaml", lambda data: _category(data, "games").update(min_age="twelve")
    ),
    "exceptions from a category, as its canaries": data_of(
        "canaries.yaml",
        lambda data: [one.update(names=["www.wikipedia.org"]) for one in data["canaries"]],
    ),
    "canaries gone from the list": edit(
        "starter/porn.txt", lambda octets: octets.split(b"\n", 9)[-1]
    ),
    "all that is beneath a protected name": _wildcards("*.google.com"),
    "a protected host alone": _wildcards("=www.google.com"),
    "where protected names lead to": _wildcards("edgekey.net", "apple-dns.net"),
    "nothing protected any more": data_of(
        "protect.yaml", lambda data: data.update(protections=data["protections"][:9])
    ),
    "an essential service for adults only": _service("azota", lambda one: one.update(min_age=18)),
    "a service of a whole registry": _service("azota", lambda one: one.update(names=["com.vn"])),
    "look-alikes by an expression": _lookalikes("example", ".*"),
    "look-alikes of one letter": _lookalikes("example", "a#"),
    "look-alikes without a suffix": _lookalikes("", "i9bet#"),
    "look-alikes of popular names": _lookalikes("example", "popular#"),
    "an order with a line that names nothing": an_order(b"one.example\nhttp://two.example/a\n"),
    "an order against com.vn": an_order(b"com.vn\n"),
    "an order of UTF-16": an_order("one.example\n".encode("utf-16")),
    "an order against most popular names": an_order(
        "".join(f"{name}\n" for name in POPULAR).encode()
    ),
}
