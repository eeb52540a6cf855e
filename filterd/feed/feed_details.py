# SPDX-License-Identifier: Apache-2.0
"""Word the state of a feed, as ``standing.overview`` returns it.

It imports little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.base.protection_facts import ListFacts, ProtectionFacts
from filterd.base.protection_level import FILLED_CATEGORIES, SHIPPED_LISTS, judge_only
from filterd.base.protection_line import ProtectionSubject
from filterd.texts import counted, words
from filterd.texts.i18n import UNSAID, from_plain, say, say_n, translated
from filterd.texts.rows import Column, Details, Listing, Row, Wording, when

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.base.protection_line import JudgedProtection

_MOST_NAMES = 5
_STYLE = dict.fromkeys(("old", "never", "unknown"), "yellow") | {"very-old": "bold red"}


def is_worrying(row: Row) -> bool:
    """Return whether the state of a feed needs an administrator.

    The state of lists beside the feed counts, too.
    """
    return not _judged(row).is_whole


def _is_worrying(row: Row) -> bool:
    return not _judged({**row, "beside": None}).is_whole


def _judged(row: Row) -> JudgedProtection:
    """Return the judgement of the lists, as every face has it, by the state of a feed."""
    rows = [one for one in (row, row.get("beside")) if one]
    came = {key: [each for one in rows for each in one.get(key) or ()] for key in _CAME}
    never = bool(row["address"]) and row["freshness"] == "never"
    protection = {**came, "never": never, "starter": ()}
    facts = ProtectionFacts.of({"feed": row, "protection": protection, "up_s": 0.0}, _EVER)
    return judge_only((ProtectionSubject.LISTS, ProtectionSubject.FEED), facts)


_CAME = "followed", "missing"
_EVER = 0.0
"""The end of a signature is judged where there is a clock."""


def _came(row: Row) -> JudgedProtection:
    """Return the judgement of what a feed or the followed lists have brought."""
    followed, missing = (tuple(row.get(key) or ()) for key in ("followed", "missing"))
    lists = ListFacts(followed=followed, missing=missing)
    return judge_only((ProtectionSubject.LISTS,), ProtectionFacts(now=0.0, lists=lists))


def summary(row: Row, by: Wording) -> str:
    """Return the state of a feed in a few lines; empty where there is none to report."""
    lines = [_served(row["served"], by)] if _is_followed(row) else []
    if lines and _is_worrying(row):
        lines.append(_age(row, by))
    if _is_worrying(row):
        lines.append(translated(from_plain(row["sentence"]), by.texts.language))
    lines += (f"{by.texts(one.sentence)}: {', '.join(one.items)}" for one in _came(row).short)
    if beside := row.get("beside"):
        lines += [_place(beside, by), summary(beside, by)]
    return "\n".join(filter(None, lines))


def starter_warning(lists: Iterable[tuple[str, str]], by: Wording) -> str:
    """Return a warning where categories stand on starter lists; empty where none does.

    Args:
        lists: the id and category of each list in force.
        by: the language.
    """
    ids = dict[str, list[str]]()
    for one, category in lists:
        ids.setdefault(category, []).append(one)
    starter = tuple(
        category
        for category, found in ids.items()
        if category in FILLED_CATEGORIES and all(one.startswith(SHIPPED_LISTS) for one in found)
    )
    facts = ProtectionFacts(now=_EVER, lists=ListFacts(starter=starter))
    short = judge_only((ProtectionSubject.STARTER,), facts).short
    return "\n".join(
        f"{by.texts(one.sentence)} ({', '.join(one.items)}); {by.texts(one.remedy)}"
        for one in short
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
    return _STYLE.get(row["freshness"], "") or ("yellow" if _is_worrying(row) else "")


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
