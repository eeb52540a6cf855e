# SPDX-License-Identifier: Apache-2.0
"""Ask questions whose answers follow from the text of the lists alone.

Lines are drawn from the whole length of every list and read here once more, by code that the
compiler does not share, but for what a name is. A client to which the category is closed must
not get there; no client may be kept from names that no list has.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from filterd.feed.guard.guard_report import Severity, found
from filterd.feed.guard.limits import few
from filterd.i18n import say
from filterd.lists.hostname import HostnameError, key_from_text, name_from_key
from filterd.paths import open_plain
from filterd.policy.model import LIST, SERVICE
from filterd.policy.verdict import Rule
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from filterd.feed.guard.guard_report import Finding
    from filterd.feed.guard.probe_clients import Asking
    from filterd.lists.rules import ListSource
    from filterd.policy.model import Client
    from filterd.policy.verdict import Match

KIND = "golden"
QUESTIONS = 1_000
"""At least so many names are asked for."""
OVERRULED_ALLOWED = 0.02
"""Of the entries: so many may be overruled by what else the version says."""

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
        yield found(KIND, Severity.REFUSED, sentence, missed, asked=count, wrong=len(missed))
    if kept_from := _kept_from(asking, max(_UNLISTED, QUESTIONS - count)):
        sentence = say(
            "{wrong} names that are on no list would be closed: {names}",
            wrong=len(kept_from),
            names=few(kept_from),
        )
        yield found(KIND, Severity.REFUSED, sentence, kept_from, wrong=len(kept_from))
    if len(overruled) > OVERRULED_ALLOWED * count:
        sentence = say(
            "{wrong} of {asked} names on its lists stay open by its own exceptions: {names}",
            wrong=len(overruled),
            asked=count,
            names=few(list(overruled)),
        )
        yield found(KIND, Severity.HELD, sentence, overruled, asked=count, wrong=len(overruled))


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
        return  # a comment, or what the compiler tells of
    yield GoldenQuestion(name, source)
    if not exact and len(name) < _LONGEST_PARENT:
        yield GoldenQuestion(_BENEATH + name, source)


def _is_closed_to(client: Client, source: ListSource) -> bool:
    """Return whether a list closes its names to a client, as far as its files say."""
    grade = client.grade
    return source.category in grade.closed and LIST + source.id not in grade.opened


def _is_of_version(match: Match, feed: Collection[str]) -> bool:
    """Return whether the version, and not the school, lets a name pass."""
    if match.rule in (Rule.PIN, Rule.PROTECTED):
        return True
    return (
        match.rule is Rule.LIST_EXCEPTION
        and match.list_id in feed
        and not match.list_id.startswith(SERVICE)
    )


def _kept_from(asking: Asking, count: int) -> list[str]:
    """Return which of so many names that no list has are closed by a list."""
    made = (f"unlisted-{number}.filterd-golden.example" for number in range(count))
    return [text for text in made if asking.closed(names.from_text(text))]
