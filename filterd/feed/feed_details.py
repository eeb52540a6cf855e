# SPDX-License-Identifier: Apache-2.0
"""Word the state of a feed, as ``standing.overview`` returns it.

It imports little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.base.protection_level import judge
from filterd.texts import counted, words
from filterd.texts.i18n import UNSAID, from_plain, say, say_n, translated
from filterd.texts.rows import Column, Details, Listing, Row, Wording, when

if TYPE_CHECKING:
    from filterd.base.protection_level import JudgedProtection

STARTER_NAMES = 50_000
"""Fewer than that are a start, whatever a school has added."""
_MOST_NAMES = 5
_STYLE = dict.fromkeys(("old", "never", "unknown"), "yellow") | {"very-old": "bold red"}


def is_worrying(row: Row) -> bool:
    """Return whether the state of a feed needs an administrator.

    The state of lists beside the feed counts, too.
    """
    return _is_worrying(row) or bool(row.get("beside") and _is_worrying(row["beside"]))


def _is_worrying(row: Row) -> bool:
    if not _is_followed(row):
        return bool(row["problem"])
    is_trusted = row["trusted"] or not row["address"]
    waits = bool(row["judgement"] or row["held"] or row["problem"] or not is_trusted)
    return waits or row["freshness"] != "fresh" or not _came(row).is_whole


def _came(row: Row) -> JudgedProtection:
    """Return the judgement of what a feed or the followed lists have brought."""
    return judge({key: row.get(key) for key in ("followed", "missing")})


def summary(row: Row, by: Wording) -> str:
    """Return the state of a feed in a few lines; empty where there is none to report."""
    lines = [_served(row["served"], by)] if _is_followed(row) else []
    if lines and _is_worrying(row):
        lines.append(_age(row, by))
    if _is_worrying(row):
        lines.append(translated(from_plain(row["sentence"]), by.texts.language))
    lines += (f"{by.texts(one.sentence)}: {', '.join(one.items)}" for one in _came(row).shortfalls)
    if beside := row.get("beside"):
        lines += [_place(beside, by), summary(beside, by)]
    return "\n".join(filter(None, lines))


def coverage(names: int, served: Any, by: Wording) -> str:
    """Return a warning where only the lists that ship serve; empty where more do.

    Args:
        names: on the lists in force.
        served: the version that they are of.
        by: the language.
    """
    if served or names >= STARTER_NAMES:  # a school's own lists may be large
        return ""
    return by.texts(
        "{names}: starter lists only, most of what a school must block is open; to follow public"
        " lists: filterd lists follow --recommended",
        names=counted.names(names),
    )


def _is_followed(row: Row) -> bool:
    return bool(row["address"] or row.get("sources"))  # a daemon of the release before has none


def _place(row: Row, by: Wording) -> str:
    """Return where the lists come from."""
    n = row.get("sources") or 0
    lists = say_n("{n} public list (lists sources)", "{n} public lists (lists sources)", n)
    return row["address"] or by.texts(lists)


def _served(served: Any, by: Wording) -> str:
    """Return the version that the lists in force are of."""
    if not served:
        return by.texts("the lists that ship with filterd")
    version = str(served)
    orders_only = say("earlier lists, with the orders of version {version}")
    key = orders_only if version.startswith("-") else say("version {version}")
    return by.texts(key, version=version.removeprefix("-"))


def _age(row: Row, by: Wording) -> str:
    """Return when a feed was last verified, and how old that is."""
    freshness = by.texts.word(words.FRESHNESS, row["freshness"])
    return ": ".join(filter(None, (by.clock.text(row["verified_at"]), freshness)))


def summary_style(row: Row) -> str:
    """Return the style of a summary."""
    if not _is_followed(row):
        return "yellow"
    return _STYLE.get(row["freshness"], "")


def _trust(row: Row, by: Wording) -> str:
    return (
        ""
        if row["trusted"] or not row["address"]
        else by.texts("none yet; filterd feed trust ROOT.json")
    )


def _expiry(row: Row, by: Wording, *, is_past: bool) -> str:
    at = row["expires_at"]
    return by.clock.text(at) if at is not None and (at <= by.clock.now) is is_past else ""


def _versions(versions: list[Any], _: Wording) -> str:
    return ", ".join(map(str, versions))


def _program(row: Row, by: Wording) -> str:
    """Return the version of the role ``program``; empty where the feed has none."""
    version = row.get("program")
    return by.texts("signed, version {version} of the role", version=version) if version else ""


def _sentence(sentence: Any, _: Wording) -> str:
    return from_plain(sentence)


def _finding(row: Row, by: Wording) -> str:
    """Return a finding of the guard, with the first names that it is about."""
    sentence = translated(from_plain(row["sentence"]), by.texts.language)
    names = row["names"][:_MOST_NAMES]
    return sentence if not names or names[0] in sentence else f"{sentence} ({', '.join(names)})"


FEED = Details(
    (
        Column(say("Address"), worded=_place),
        Column(say("Trust"), worded=_trust),
        Column(say("In force"), "served", _served),
        Column(say("Published"), "published", lambda version, _: version or ""),
        Column(say("Taken from"), "takes_at", when),
        Column(say("Last verified"), worded=_age, style=summary_style),
        Column(say("Expired"), worded=lambda row, by: _expiry(row, by, is_past=True)),
        Column(say("Valid until"), worded=lambda row, by: _expiry(row, by, is_past=False)),
        Column(say("Last tried"), "tried_at", when),
        Column(say("Watched until"), "watched_until", when),
        Column(say("To go back to"), "previous", _versions),
        Column(say("Refused"), "refused", _versions),
        Column(say("Packages of filterd"), worded=_program),
        Column(say("Held"), "held", style="yellow"),
        Column(say("Look at"), "sentence", _sentence, style="yellow"),
    ),
    lambda row, by: by.texts(
        "The feed that the school follows"
        if row["address"]
        else "The public lists that the school follows"
    ),
)
FINDINGS = Listing(
    say("Version {version} waits"),
    UNSAID,
    (
        Column(say("Severity"), "severity", words.SEVERITY),
        Column(say("What was found"), worded=_finding),
    ),
)
"""Of ``judgement``."""

HISTORY = Listing(
    UNSAID,
    say("Nothing yet."),
    (
        Column(say("At"), "at", when),
        Column(say("Version"), "version", lambda version, _: version or "", is_number=True),
        Column(say("What"), "event", words.FEED_EVENT),
        Column(say("Why"), "sentence", lambda sentence, _: from_plain(sentence)),
    ),
)


def _licence(row: Row, by: Wording) -> str:
    licence: str = row["licence"]
    return licence if row["republish"] else by.texts("{licence}; follow only", licence=licence)


def _follows(row: Row, by: Wording) -> str:
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
            say("Names"),
            "names",
            lambda names, _: counted.rough(names) if names else "",
            is_number=True,
        ),
        Column(say("Followed"), worded=_follows),
        Column(say("Licence"), worded=_licence),
    ),
    is_whole=False,
)
"""Of ``source_rows``, whose module brings what fetches lists."""
