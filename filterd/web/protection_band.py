# SPDX-License-Identifier: Apache-2.0
"""Word the judgement of the protection as a band with remedies as buttons.

The judgement is that of ``protection_level``, as for every face. A remedy that a page can give is
a button or a link (``_FORMS``, ``_LINKS``: a new page for one is a line there), any other the
command in the line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filterd.base.protection_facts import ProtectionFacts
from filterd.base.protection_level import judge
from filterd.base.protection_line import (
    HEADINGS,
    SUBJECTS,
    LineState,
    ProtectionSubject,
    RemedyAct,
)
from filterd.texts import words
from filterd.texts.i18n import Sentence, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from filterd.base.protection_line import ProtectionLine
    from filterd.texts.rows import Row, Wording

_MOST = 20
"""Of lists, categories, tiers or links in a line."""
_FORMS: Mapping[RemedyAct, tuple[str, Mapping[str, str], Sentence]] = {
    RemedyAct.FOLLOW: (
        "followLists",
        {"recommended": "on"},
        say("Follow the recommended lists"),
    ),
    RemedyAct.TEST: ("runSelfTest", {}, say("Test again now")),
}
"""The operation, its fields, and the word on the button."""
_FETCH_LISTS = "updateLists", {"now": "on"}, say("Fetch the lists now")
_FETCH_FEED = "takeVersion", {"now": "on"}, say("Fetch the lists now")
_LINKS: Mapping[RemedyAct, tuple[str, str, Sentence]] = {
    RemedyAct.DECIDE: ("/lists", "approveVersion", say("Look at the version")),
    RemedyAct.OPENED: ("/exceptions", "revoke", say("Look at what is open")),
    RemedyAct.NETWORK: ("/site/upstreams", "editUpstreams", say("Change the upstreams")),
    RemedyAct.EXAMINE: ("/inspection", "makeInspection", say("Examine this gateway")),
}
"""The address, an operation that only those have who may open it, and the word on the link."""


class BandLine(NamedTuple):
    """A line of the band, worded.

    Attributes:
        state: a ``LineState``.
        subject, sentence, items, remedy: texts.
        form: the operation of the button, its fields and its word; None without one.
        link: an address, an operation of those who may open it, its word; None without one.
    """

    state: LineState
    subject: str
    sentence: str
    items: str
    remedy: str
    form: tuple[str, Mapping[str, str], str] | None
    link: tuple[str, str, str] | None


class ProtectionBand(NamedTuple):
    """What the first page shows of the protection.

    Attributes:
        level: a ``ProtectionLevel``.
        heading: it in words.
        short: lines that lower it.
        others: lines of what is good, or not known.
        alerts: ids of alerts that these lines have told.
    """

    level: str
    heading: str
    short: tuple[BandLine, ...]
    others: tuple[BandLine, ...]
    alerts: frozenset[str]


def band(status: Row, names: Mapping[str, str], by: Wording) -> ProtectionBand:
    """Return the band of a status.

    Args:
        status: as ``readStatus`` answers.
        names: of categories in the language of the page.
        by: the language.
    """
    judged = judge(ProtectionFacts.of(status))
    others = sorted(
        (line for line in judged.lines if not line.is_short),
        key=lambda line: line.state is LineState.GOOD,
    )
    return ProtectionBand(
        judged.level.value,
        by.texts(HEADINGS[judged.level]),
        tuple(_line(one, status, names, by) for one in judged.short),
        tuple(_line(one, status, names, by) for one in others),
        frozenset(one.alert for one in judged.short),
    )


def _line(line: ProtectionLine, status: Row, names: Mapping[str, str], by: Wording) -> BandLine:
    form, link = _form(line.act, status, by), _LINKS.get(line.act)
    return BandLine(
        line.state,
        by.texts(SUBJECTS[line.subject]),
        by.texts(line.sentence),
        "; ".join(_items(line, names, by)),
        by.texts(line.remedy) if line.remedy else "",
        form and (form[0], form[1], by.texts(form[2])),
        link and (link[0], link[1], by.texts(link[2])),
    )


def _form(
    act: RemedyAct, status: Row, by: Wording
) -> tuple[str, Mapping[str, str], Sentence] | None:
    if act is RemedyAct.CLOCK:
        time = by.clock.text(status["clock"]["shows"])
        word = say("{time} is right", time=time)
        return "acceptClock", {"reason": by.texts(word)}, word
    if act is not RemedyAct.FETCH:
        return _FORMS.get(act)
    feed = status["feed"]
    beside = feed.get("beside") or {}
    is_of_lists = not feed["address"] or (beside.get("missing") and not feed.get("missing"))
    return _FETCH_LISTS if is_of_lists else _FETCH_FEED


def _items(line: ProtectionLine, names: Mapping[str, str], by: Wording) -> Iterator[str]:
    for item in line.items[:_MOST]:
        if line.subject is ProtectionSubject.STARTER:
            yield names.get(item, item)
        elif line.subject is ProtectionSubject.TEST:
            yield by.texts.word(words.TIER, item)
        else:
            yield item
    if len(line.items) > _MOST:
        yield by.texts("{n} more", n=len(line.items) - _MOST)
