# SPDX-License-Identifier: Apache-2.0
"""Check names that must be blocked: lines of lists, canaries, expectations.

Lines are drawn from the whole length of every list and read here once more, by code that the
compiler does not share, but for what a name is. A client to which the category is closed must
not get there; no client may be kept from names that no list has.

A list that has lost everything else may still look whole. So a version names some canaries of
each category. Wherever a category is closed, they are blocked: of locked categories all of
them, of any other at least one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.paths import open_plain
from filterd.feed.guard.judgement import EXPECTATIONS, Severity, found
from filterd.feed.guard.limits import few
from filterd.feed.guard.tables import TABLES, pins_of_version
from filterd.lists import listed_names
from filterd.lists.hostname import HostnameError, key_from_text, name_from_key
from filterd.lists.rules import MADE_CANARY, is_order
from filterd.policy.model import LIST
from filterd.policy.verdict import Rule
from filterd.resolve.expectation_checks import unmet
from filterd.resolve.site import Site
from filterd.texts.i18n import say
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from filterd.feed.guard.candidate import Asking
    from filterd.feed.guard.impact import Compared
    from filterd.feed.guard.judgement import Finding
    from filterd.lists.rules import ListSource
    from filterd.policy.model import Client
    from filterd.policy.verdict import Match
    from filterd.texts.i18n import Sentence


_GOLDEN, _CANARIES = "golden", "canaries"
QUESTIONS = 1_000
"""At least so many names are asked for."""
OVERRULED_ALLOWED = 0.02
"""Of the entries: so many may be overruled by the version's own exceptions."""

_OF_EACH_LIST = 20
_UNLISTED = 100
_MAX_LINE_OCTETS = 512
_BENEATH = b"\x06golden"
_LONGEST_PARENT = 255 - len(_BENEATH)
_PLAIN = ("domains", "wildcard")
"""Formats of which a line is an entry by itself; a publisher writes nearly all lists in them."""


class GoldenQuestion(NamedTuple):
    """A name that a list closes, and the list."""

    name: bytes
    source: ListSource


def questions(lists: Iterable[ListSource]) -> Iterator[GoldenQuestion]:
    """Draw questions from lists, from longer ones more.

    Raises:
        OSError: a list cannot be read.
    """
    plain = [(one, Path(one.path)) for one in lists if one.format in _PLAIN and one.names is None]
    sizes = [path.stat().st_size for _, path in plain]
    for (source, path), size in zip(plain, sizes, strict=True):
        share = max(_OF_EACH_LIST, QUESTIONS * size // max(sum(sizes), 1))
        for line in _drawn(path, size, share):
            yield from _asked(line, source)


def wrong_answers(asking: Asking, asked: Collection[GoldenQuestion]) -> Iterator[Finding]:
    """Find answers that differ from the lists."""
    feed = frozenset(one.source.id for one in asked)
    missed, overruled = dict[str, None](), dict[str, None]()
    for question in asked:
        for client, verdict in asking.verdicts(question.name):
            if verdict.blocked or not _is_closed_to(client, question.source):
                continue
            if verdict.match is None or verdict.match.rule is Rule.OPEN:
                missed[names.to_text(question.name)] = None
            elif _is_of_version(verdict.match, feed):
                overruled[names.to_text(question.name)] = None
    count = len({one.name for one in asked})
    if missed:
        sentence = say(
            "{wrong} of {asked} names that its lists close would be open: {names}",
            wrong=len(missed),
            asked=count,
            names=few(list(missed)),
        )
        yield found(_GOLDEN, Severity.REFUSED, sentence, missed, asked=count, wrong=len(missed))
    if kept_from := _kept_from(asking, max(_UNLISTED, QUESTIONS - count)):
        sentence = say(
            "{wrong} names that are on no list would be closed: {names}",
            wrong=len(kept_from),
            names=few(kept_from),
        )
        yield found(_GOLDEN, Severity.REFUSED, sentence, kept_from, wrong=len(kept_from))
    if len(overruled) > OVERRULED_ALLOWED * count:
        sentence = say(
            "{wrong} of {asked} names on its lists stay open by its own exceptions: {names}",
            wrong=len(overruled),
            asked=count,
            names=few(list(overruled)),
        )
        yield found(_GOLDEN, Severity.HELD, sentence, overruled, asked=count, wrong=len(overruled))


def _drawn(path: Path, size: int, count: int) -> Iterator[bytes]:
    """Yield lines from the whole length of a file; of short ones each line once."""
    seen = set[int]()
    with open_plain(path) as file:
        for number in range(count):
            file.seek(number * size // count)
            if number:
                file.readline(_MAX_LINE_OCTETS)  # the rest of a line that began before
            if (at := file.tell()) not in seen:
                seen.add(at)
                yield file.readline(_MAX_LINE_OCTETS)


def _asked(line: bytes, source: ListSource) -> Iterator[GoldenQuestion]:
    """Yield the names that an entry closes: its own, perhaps one beneath."""
    text = line.decode("utf-8", "replace").split("#", 1)[0].strip()
    exact = source.format == "wildcard" and text.startswith("=")
    try:
        name = name_from_key(key_from_text(text.removeprefix("=" if exact else "*.")))
    except HostnameError:
        return  # a comment, or what the compiler reports
    yield GoldenQuestion(name, source)
    if not exact and len(name) < _LONGEST_PARENT:
        yield GoldenQuestion(_BENEATH + name, source)


def _is_closed_to(client: Client, source: ListSource) -> bool:
    """Return whether a list closes its names to a client, by its files."""
    grade = client.grade
    return source.category in grade.closed and LIST + source.id not in grade.opened


def _is_of_version(match: Match, feed: Collection[str]) -> bool:
    """Return whether the version, and not the school, lets a name pass."""
    return match.rule in (Rule.PIN, Rule.PROTECTED) or match.list_id in feed


def _kept_from(asking: Asking, count: int) -> list[str]:
    """Return which of so many names that no list has are closed by a list."""
    made = (f"unlisted-{number}.filterd-golden.example" for number in range(count))
    return [text for text in made if asking.closed(names.from_text(text))]


OPENED_ALLOWED = 0.1
"""Of the names of a category that are closed now: so many may open."""


def open_canaries(
    asking: Asking, canaries: Mapping[str, tuple[bytes, ...]], feed: Collection[str]
) -> Iterator[Finding]:
    """Find categories whose canaries are open where the category is closed.

    Args:
        asking: the candidate.
        canaries: of the version, by category.
        feed: the ids of the version's lists.
    """
    # Names of orders come and go.
    listed = {
        one.category
        for one in asking.index.lists
        if one.kept and one.id in feed and not is_order(one.id)
    }
    for category in asking.policy.categories.values():
        asked = canaries.get(category.id, ())
        gone = [names.to_text(name) for name in asked if _is_open(asking, name, category.id)]
        if category.locked and category.id in listed and not asked:
            none = say(
                "category {category}: it must be closed to everybody, and has no name to ask for",
                category=category.id,
            )
            yield found(_CANARIES, Severity.REFUSED, none)
        elif gone and (category.locked or len(gone) == len(asked)):
            sentence = say(
                "category {category}: {count} of {asked} names that must be closed would be open: "
                "{names}",
                category=category.id,
                count=len(gone),
                asked=len(asked),
                names=few(gone),
            )
            numbers = {"count": len(gone), "asked": len(asked)}
            yield found(_CANARIES, Severity.REFUSED, sentence, gone, **numbers)


def opened_canaries(
    in_force: Compared | None, shipped: Compared, canaries: Mapping[str, Iterable[bytes]]
) -> Iterator[Finding]:
    """Find categories of which names would open that are closed now.

    A version names its own canaries, and so those that it has kept. A few names of a category go
    every year; those made for this (``.blocked.filterd.example``) never do.

    Args:
        in_force: the candidate and what is active, if anything is.
        shipped: the candidate and the shipped lists, all names of which are asked; for public
            lists beside a feed again ``in_force``, of which theirs are asked.
        canaries: those of the active version, by category.
    """
    if in_force is not None:
        yield from _opened(in_force, canaries, say("the version in force"))
    whose = say("the version in force") if shipped is in_force else say("what ships")
    yield from _opened(shipped, _listed(shipped), whose)


def forgotten_canaries(
    new: Mapping[str, Collection[bytes]], before: Mapping[str, Collection[bytes]]
) -> Iterator[Finding]:
    """Find categories for which a version asks less than the active one does.

    The next version is asked by the canaries of this one. Own lists of a publisher change, and
    canaries with them; what was made to be asked for does not, nor do half of the others.

    Args:
        new: canaries of the version, by category.
        before: those of the active version.
    """
    for category, had in before.items():
        has = new.get(category, ())
        gone = [names.to_text(name) for name in had if name not in has]
        made = any(name.endswith(MADE_CANARY) for name in gone)
        fewer = len(had) - len(has) > max(OPENED_ALLOWED * len(had), 1)
        if made or fewer or len(gone) > len(had) / 2:
            sentence = say(
                "category {category}: {count} of {asked} names to ask for are forgotten: {names}",
                category=category,
                count=len(gone),
                asked=len(had),
                names=few(gone),
            )
            subjects = [f"-{category} {name}" for name in gone]
            numbers = {"count": len(gone), "asked": len(had)}
            yield found(_CANARIES, Severity.HELD, sentence, gone, subjects, **numbers)


def opened_by_pins(compared: Compared) -> Iterator[Finding]:
    """Find names that are closed now and would be pinned: open to everybody, for good."""
    before = {(one.name, one.subtree) for one in pins_of_version(compared.before)}
    pinned = [one for one in pins_of_version(compared.new) if (one.name, one.subtree) not in before]
    asked = dict.fromkeys(one.name for one in pinned)
    for one in pinned:
        if one.subtree:
            asked.update(dict.fromkeys(listed_names.beneath(compared.before.index, one.name)))
    if opened := [names.to_text(name) for name in asked if compared.newly_open(name)]:
        sentence = say(
            "{count} names that are closed now would be open to everybody, for good: {names}",
            count=len(opened),
            names=few(opened),
        )
        subjects = [f"+pins {name}" for name in opened]
        yield found(TABLES, Severity.HELD, sentence, opened, subjects, count=len(opened))


def _opened(
    compared: Compared, canaries: Mapping[str, Iterable[bytes]], whose: Sentence
) -> Iterator[Finding]:
    for category, names_of in canaries.items():
        before = ((name, compared.closed_before(name)) for name in names_of)
        asked = [(name, closed) for name, closed in before if closed]
        gone = [names.to_text(name) for name, closed in asked if compared.opens(name, closed)]
        made = any(name.endswith(MADE_CANARY) for name in gone)
        if made or len(gone) > min(max(OPENED_ALLOWED * len(asked), 1), max(len(asked) - 1, 0)):
            sentence = say(
                "category {category}: {count} of {asked} names that {whose} closes would be open: "
                "{names}",
                category=category,
                count=len(gone),
                asked=len(asked),
                whose=whose,
                names=few(gone),
            )
            numbers = {"count": len(gone), "asked": len(asked)}
            subjects = [f"{category} {name}" for name in gone]
            yield found(_CANARIES, Severity.HELD, sentence, gone, subjects, **numbers)


def _listed(compared: Compared) -> dict[str, list[bytes]]:
    """Return all names of the lists before, by the categories that close them.

    Beside public lists a feed may have millions of names, which are not theirs.
    """
    by_category, before = dict[str, list[bytes]](), compared.before
    for name in listed_names.names_of(before.index, compared.lists_before):
        for category in sorted({match.category for match in before.closed(name).values()}):
            by_category.setdefault(category, []).append(name)
    return by_category


def unmet_expectations(asking: Asking, before: Asking | None, now: float) -> Iterator[Finding]:
    """Find expectations that the version does not meet, and the active one does."""
    site = Site.of(asking.policy, asking.index, ())
    missed = unmet(site, asking.policy.expectations, now)
    known = set[str]()
    if missed and before is not None:
        in_force = Site.of(before.policy, before.index, ())
        known = {
            one.expectation.written for one in unmet(in_force, asking.policy.expectations, now)
        }
    for one in missed:
        if not one.yields and one.expectation.written not in known:
            name = names.to_text(one.expectation.name)
            yield found(EXPECTATIONS, Severity.REFUSED, one.error().sentence, [name])


def _is_open(asking: Asking, name: bytes, category: str) -> bool:
    """Return whether a client to which a category is closed gets one of its canaries.

    An exception of the school does not count. Where the category is closed to no client the index
    must have the name all the same.
    """
    closed_to_some = False
    for client, verdict in asking.verdicts(name):
        if category not in client.grade.closed:
            continue
        closed_to_some = True
        by_school = verdict.match is not None and verdict.match.rule is Rule.LOCAL
        if not verdict.blocked and not by_school:
            return True
    return not closed_to_some and not asking.index.lookup(name)
