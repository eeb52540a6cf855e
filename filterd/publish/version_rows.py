# SPDX-License-Identifier: Apache-2.0
"""Rows of a publisher: a build, differences, expiry of roles, orders, a release.

The rows themselves are what ``--json`` prints of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.policy.grade_rows import grades_text
from filterd.publish.publication import DAY_S
from filterd.texts import words
from filterd.texts.counted import number, size
from filterd.texts.i18n import UNSAID, quoted, say
from filterd.texts.rows import Column, Details, Listing, Row, Wording, when

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def expiry_rows(expiries: Mapping[str, float], now: float) -> list[Row]:
    """Return when the signature of each role expires, the earliest first."""
    return [
        {"role": role, "until": until, "days": int((until - now) // DAY_S)}
        for role, until in sorted(expiries.items(), key=lambda item: item[1])
    ]


def _count(value: int, _: Wording) -> str:
    return number(value)


def _counted(value: Iterable[Any], _: Wording) -> str:
    return number(len(list(value)))


def _size(value: int, _: Wording) -> str:
    return size(value)


def _grades(value: Sequence[str], by: Wording) -> str:
    return grades_text(by.texts, value)


def _lines(value: Iterable[str], _: Wording) -> str:
    return "\n".join(value)


def _joined(value: Iterable[str], _: Wording) -> str:
    return ", ".join(value)


def _closed_to(row: Row, by: Wording) -> str:
    """Return the grades a category is closed to, with those before if they differ."""
    now, before = (
        grades_text(by.texts, row[key]) or by.texts("no one")
        for key in ("closed_to", "closed_before")
    )
    return now if now == before else by.texts("{now} (before: {before})", now=now, before=before)


def _changed(row: Row, by: Wording) -> str:
    octets = row["octets"]
    return by.texts("{n} of {all} have changed", n=octets["changed"], all=octets["files"])


def _tonight(row: Row, by: Wording) -> str:
    octets = row["octets"]
    full, tonight = octets["full"], octets["tonight"]
    share = f"{100 * tonight / full:.1f} %" if full else "-"
    return by.texts("{size} ({share} of a full download)", size=size(tonight), share=share)


def _octets(key: str) -> Any:
    return lambda row, _: size(row["octets"][key])


SOURCES = Listing(
    say("Sources"),
    UNSAID,
    (
        Column(say("Source"), "id"),
        Column(say("Category"), "category"),
        Column(say("Outcome"), "outcome", words.OUTCOME),
        Column(say("Entries"), "entries", _count, is_number=True),
        Column(say("Problems"), "problems", _count, is_number=True),
    ),
    is_whole=False,
)
CATEGORIES = Listing(
    say("Categories of the version"),
    UNSAID,
    (
        Column(say("Category"), "id"),
        Column(say("Names"), "names", _count, is_number=True),
        Column(say("Popular"), "popular", _counted, is_number=True),
        Column(say("Set aside"), "set_aside", _counted, is_number=True),
    ),
    is_whole=False,
)
CHANGES = Listing(
    say("Changes by category"),
    UNSAID,
    (
        Column(say("Category"), "id"),
        Column(say("Closed to"), "", _closed_to),
        Column(say("Before"), "had", _count, is_number=True),
        Column(say("After"), "has", _count, is_number=True),
        Column(quoted("+"), "added", _count, is_number=True),
        Column(quoted("-"), "removed", _count, is_number=True),
    ),
)
POPULAR_CHANGES = Listing(
    say("Popular names that change"),
    UNSAID,
    (
        Column(say("Name"), "name"),
        Column(say("Rank"), "rank", _count, is_number=True),
        Column(say("Newly closed to"), "closed", _grades),
        Column(say("Newly open to"), "opened", _grades),
        Column(say("Category"), "categories", _joined),
    ),
)
EXPIRIES = Listing(
    say("Expiry of each role's signature"),
    UNSAID,
    (
        Column(say("Role"), "role"),
        Column(say("Valid until"), "until", when),
        Column(say("Days"), "days", is_number=True),
    ),
    is_whole=False,
)
SIGNED_ORDERS = Listing(
    UNSAID,
    UNSAID,
    (
        Column(say("Number"), "number"),
        Column(say("Issuer"), "issuer"),
        Column(say("Date"), "date"),
        Column(say("Expiry"), "expiry"),
    ),
)
SIGNED_PACKAGES = Listing(
    UNSAID,
    say("No package is offered."),
    (
        Column(say("Version"), "version"),
        Column(quoted("Debian"), "debian"),
        Column(say("Architecture"), "architecture"),
        Column(say("Size"), "octets", _size),
        Column(quoted("SHA-256"), "sha256"),
    ),
)
RELEASE = Details(
    (
        Column(say("Files"), "", _changed),
        Column(say("Full download"), "", _octets("full")),
        Column(say("Tonight, each school"), "", _tonight),
        Column(say("Metadata"), "", _octets("metadata")),
        Column(say("Unpacked"), "", _octets("unpacked")),
        Column(say("All delta files"), "", _octets("deltas")),
        Column(say("Orders"), "orders", lambda orders, _: str(len(orders) or "")),
        Column(
            say("Urgent"),
            "urgent",
            lambda urgent, by: by.texts("schools take it within ten minutes") if urgent else "",
        ),
    ),
    lambda row, by: by.texts(
        "Version {version} is published (before: {before})",
        version=row["version"],
        before=row["before"],
    ),
)
VERIFICATION = Details(
    (
        Column(say("Files"), "files"),
        Column(say("Lists"), "lists"),
        Column(say("Orders"), "orders"),
        Column(say("Delta files"), "deltas"),
        Column(say("Packages of filterd"), "packages", _lines),
        Column(say("Fetched"), "octets", _size),
        Column(say("Signed at"), "issued_at", when),
        Column(say("Last urgent version"), "urgent", lambda urgent, _: urgent or ""),
        Column(say("Fingerprint"), "fingerprint"),
    ),
    lambda row, by: by.texts(
        "Version {version}: all files match their signatures", version=row["version"]
    ),
)
