# SPDX-License-Identifier: Apache-2.0
"""Judge how far a gateway protects: wholly or partly. Pure, and the only judge.

A gateway that filters with less than it should is *partly protected*: a followed list never
came, a category stands on its starter list, a link lets pupils reach other resolvers. Everything
that shows whether all is well asks here: ``status``, alerts, ``doctor``, metrics, the inspection
record, the first page. So none of them is content where another is not.

The facts are plain data of the status (``protection``), or of a part of it: what is left out is
not judged. Sentences have numbers only, because alerts leave the school; ``items`` are for those
who look at the gateway itself.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from filterd.texts.i18n import Sentence, say, say_n

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILLED_CATEGORIES: Final = frozenset(
    (
        *("ads-trackers", "blogs", "crypto", "dating", "drugs", "encrypted-dns", "gambling"),
        *("games", "malware", "piracy", "porn", "proxy-vpn", "scam", "social-media", "streaming"),
        "unsafe-search",
    )
)
"""The categories of which recommended public lists have more than a starter list may: a starter
list alone is too little for them."""
SHIPPED_LISTS: Final = ("starter-", "vn-")
"""How the ids of lists begin that ship: too few names for a category of recommended lists."""


class ProtectionLevel(StrEnum):
    """How far a gateway protects."""

    PROTECTED = "protected"
    PARTLY = "partly"


class ShortfallKind(StrEnum):
    """What keeps a gateway from protecting wholly."""

    LISTS = "lists"
    STARTER = "starter"
    LINKS = "links"


class Shortfall(NamedTuple):
    """One reason why a gateway protects only partly.

    Attributes:
        kind: of it.
        sentence: with numbers only.
        items: ids of lists or categories, or names of links.
        remedy: what to do.
    """

    kind: ShortfallKind
    sentence: Sentence
    items: tuple[str, ...]
    remedy: Sentence


class JudgedProtection(NamedTuple):
    """How far a gateway protects, and why no further."""

    level: ProtectionLevel
    shortfalls: tuple[Shortfall, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is known to be short."""
        return self.level is ProtectionLevel.PROTECTED

    @property
    def sentence(self) -> Sentence:
        """The judgement in a line."""
        if self.is_whole:
            return say("Protected")
        first, *others = (one.sentence for one in self.shortfalls)
        why = first
        for one in others:
            why = say("{first}; {second}", first=why, second=one)
        return say("Partly protected: {why}", why=why)


def judge(facts: Mapping[str, Any]) -> JudgedProtection:
    """Judge what is known of a gateway.

    Args:
        facts: any of ``followed`` and ``missing``, ids of followed lists, all and those that
            never came; ``never``, whether nothing has ever come from a feed that is followed;
            ``starter``, ids of categories that are closed to a grade and stand on their starter
            lists; ``links``, by name of each link of pupils whether other resolvers are
            ``open``, ``closed`` or ``unsure`` (``appliance.doctor.firewall_rules``).
    """
    shortfalls = tuple(_shortfalls(facts))
    level = ProtectionLevel.PARTLY if shortfalls else ProtectionLevel.PROTECTED
    return JudgedProtection(level, shortfalls)


def _shortfalls(facts: Mapping[str, Any]) -> Iterator[Shortfall]:
    followed, missing = facts.get("followed") or (), tuple(facts.get("missing") or ())
    came = say("see why: filterd feed status; then filterd sync or filterd lists update")
    if missing:
        n, of_all = len(missing), max(len(followed), len(missing))
        text = say_n(
            "{n} of {all} followed lists has never come",
            "{n} of {all} followed lists have never come",
            n,
            all=of_all,
        )
        yield Shortfall(ShortfallKind.LISTS, text, missing, came)
    elif facts.get("never"):
        text = say("no lists have ever come from the feed")
        yield Shortfall(ShortfallKind.LISTS, text, (), came)
    if starter := tuple(facts.get("starter") or ()):
        text = say_n(
            "{n} category stands on its starter list, and most of what it means is open",
            "{n} categories stand on their starter lists, and most of what they mean is open",
            len(starter),
        )
        remedy = say("follow public lists: filterd lists follow --recommended")
        yield Shortfall(ShortfallKind.STARTER, text, starter, remedy)
    links: Mapping[str, str] = facts.get("links") or {}
    if without := tuple(name for name, passage in links.items() if passage == "open"):
        text = say(
            "pupils can reach other resolvers on {n} of {all} links",
            n=len(without),
            all=len(links),
        )
        remedy = say(
            "on each link send port 53 to filterd, and refuse 853 (nftables: redirect, reject)"
        )
        yield Shortfall(ShortfallKind.LINKS, text, without, remedy)
