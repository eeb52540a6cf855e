# SPDX-License-Identifier: Apache-2.0
"""Compare a version with what is active: names closed and opened, growth.

What is compared is what pupils get, by every grade, not the lines of lists. Before the first
version of a feed a school has the short shipped lists; against those everything is growth, so
that is a note only. That something opens, or that a name closes that must stay open, is as bad
in a first one.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice, pairwise
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.errors import ListError
from filterd.base.paths import open_plain
from filterd.base.state_folder import SHIPPED
from filterd.feed.guard.judgement import ASKED, ASKED_LITTLE, Severity, found
from filterd.feed.guard.limits import (
    GROWTH,
    POPULAR_LIMITS,
    SLACK,
    TOTAL_SHRINK,
    Content,
    excesses,
    few,
)
from filterd.feed.versions import is_ahead
from filterd.lists import listed_names
from filterd.lists.hostname import HostnameError, key_from_text, name_from_key
from filterd.lists.rules import is_order
from filterd.texts.i18n import refused, say
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from filterd.feed.guard.candidate import Asking
    from filterd.feed.guard.judgement import Finding
    from filterd.lists.catalogs.catalog_tables import PopularName
    from filterd.policy.verdict import Match
    from filterd.resolve.what_if import DifferenceSums

POPULAR_FILE = "popular.txt"
MOST_POPULAR = 10_000
ASKED_ALLOWED = 0.005
"""Of the recorded lookups that passed, or names: so many may be newly closed."""
DRAWN = 1_000
"""Names of what is in force that are asked again, and of what is confidential."""
_BENEATH = b"\x06golden"
_LONGEST_PARENT = 255 - len(_BENEATH)

LEAST_LOOKUPS, LEAST_NAMES = 1_000, 200
"""Of the log; with fewer it proves nothing of a version."""
WHOLE_PART = 0.9
"""Of the lookups that passed on a day, by the counts; with fewer rows its log is not whole."""

_POPULAR = "popular"
_MAX_POPULAR_OCTETS = 4 << 20
_LEAST_OF_BEFORE = 0.9


class Compared(NamedTuple):
    """A candidate and what is active.

    Attributes:
        new: the candidate.
        before: what is active.
        new_lists, lists_before: the ids of the lists of both that are not the school's own.
    """

    new: Asking
    before: Asking
    new_lists: frozenset[str]
    lists_before: frozenset[str]

    def newly_closed(
        self, name: bytes, but: Collection[str] = (), *, by_order: bool = True
    ) -> bool:
        """Return whether lists of the version close a name to a grade that gets there now.

        Args:
            name: the name.
            but: categories that mean it.
            by_order: whether what an order closes counts.
        """
        closed = {
            grade
            for grade, match in self.new.closed(name).items()
            if match.list_id in self.new_lists and match.category not in but
            if by_order or not is_order(match.list_id)
        }
        return bool(closed) and not closed <= self.before.closed(name).keys()

    def closed_before(self, name: bytes) -> set[str]:
        """Return to which grades lists of a version have closed a name; not orders."""
        return {
            grade
            for grade, match in self.before.closed(name).items()
            if match.list_id in self.lists_before and not is_order(match.list_id)
        }

    def newly_open(self, name: bytes) -> bool:
        """Return whether a name would be open to a grade to which it is closed."""
        return self.opens(name, self.closed_before(name))

    def opens(self, name: bytes, closed: set[str]) -> bool:
        """Return whether a name would be open to one of the grades to which it is closed."""
        return bool(closed) and not closed.isdisjoint(self.new.open_to(name))

    def newly_shown(self, name: bytes) -> bool:
        """Return whether a confidential name would be closed by other categories alone."""
        closed = self.new.closed(name)
        return (
            bool(closed)
            and not _is_confidential(self.new, closed)
            and _is_confidential(self.before, self.before.closed(name))
        )


def is_of_what_ships(references: Sequence[Compared]) -> bool:
    """Return whether the shipped lists are active, perhaps with later orders.

    Args:
        references: the candidate and what is active, and the candidate and what ships; or the
            latter alone.
    """
    before = references[0].before.index
    if not is_ahead(str(before.build.get("feed", SHIPPED))):
        return False
    lists = {one.id for one in before.lists if not is_order(one.id)}
    return references[0].lists_before & lists <= references[-1].lists_before


def _is_confidential(asking: Asking, closed: Mapping[str, Match]) -> bool:
    categories = (asking.policy.categories.get(one.category) for one in closed.values())
    return any(category is not None and category.confidential for category in categories)


def read_popular(folder: Path) -> tuple[str, ...]:
    """Return the popular names of a version, the most popular first, if any.

    Raises:
        ListError: the file cannot be read.
    """
    path = folder / POPULAR_FILE
    try:
        with open_plain(path) as file:
            text = file.read(_MAX_POPULAR_OCTETS).decode("ascii", "replace")
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ListError(
            say("{path}: cannot be read: {why}", path=path, why=refused(error))
        ) from error
    return tuple(text.split("\n", MOST_POPULAR)[:MOST_POPULAR])


def closed_popular(
    compared: Compared, popular: Collection[str], popular_before: Collection[str]
) -> Iterator[Finding]:
    """Find popular names that the version would newly close.

    Args:
        compared: both.
        popular: those of the version, by rank.
        popular_before: those of the active version: the new one cannot forget one.
    """
    had, has = sum(map(bool, popular_before)), sum(map(bool, popular))
    if has < _LEAST_OF_BEFORE * had:
        sentence = say("{has} of {had} popular names to compare with are left", had=had, has=has)
        yield found(_POPULAR, Severity.HELD, sentence, had=had, has=has)
    ranks = dict[bytes, int]()
    for names_by_rank in (popular, popular_before):
        for rank, text in enumerate(names_by_rank, 1):
            name = _name(text)
            if name is not None:
                ranks[name] = min(rank, ranks.get(name, rank))
    newly = {
        (rank, name): names.to_text(name)
        for name, rank in ranks.items()
        if compared.newly_closed(name)
    }
    yield from excesses(Content({}, _by_place(newly)), Content({}, {}))


def closed_asked(
    sums: DifferenceSums, compared: Compared, passed: Mapping[str, int]
) -> Iterator[Finding]:
    """Find whether the version would close much of what the school has asked for.

    What the lists of the version would close counts, but for orders: no approval stops these.
    No name is in a finding: readers of findings may not see names of the log.

    That little would be closed is found only if the log has nearly all lookups of some days, which
    are as many as those of a usual day, and no more than were counted: one tier, a quiet day or an
    altered file prove nothing. Distinct names never do: everybody may ask for one of them.

    Args:
        sums: of the recorded days, by what is active and by the version.
        compared: both.
        passed: the lookups that passed, by the counts of each of these days.
    """
    lists = [
        one.id
        for one in compared.new.index.lists
        if one.id in compared.new_lists and not is_order(one.id)
    ]
    lookups = sum(sums.lists[one] for one in lists), sums.allowed.total()
    distinct = sum(sums.distinct_lists[one] for one in lists), sums.distinct.total()
    whole = sum(n for day, n in passed.items() if sums.allowed[day] >= WHOLE_PART * n)
    counted = sum(passed.values())
    is_whole = whole * len(passed) >= counted >= WHOLE_PART * sums.allowed.total()
    for (lost, total), least, little, sentence in (
        (
            lookups,
            LEAST_LOOKUPS,
            is_whole,
            say("{lost} of {total} recorded lookups would be closed"),
        ),
        (distinct, LEAST_NAMES, False, say("{lost} of {total} recorded names would be closed")),
    ):
        if total < least:
            continue
        filled = sentence.filled({"lost": lost, "total": total})
        if lost > ASKED_ALLOWED * total:
            yield found(ASKED, Severity.HELD, filled, lost=lost, total=total)
        elif little:
            yield found(ASKED_LITTLE, Severity.NOTE, filled, lost=lost, total=total)


def closed_frozen(
    references: Sequence[Compared], popular: Iterable[PopularName]
) -> Iterator[Finding]:
    """Find popular names that are closed by no category that means them.

    Args:
        references: the candidate and what is active, and the shipped lists.
        popular: the shipped ones: no version can forget one.
    """
    closed = [
        names.to_text(one.name)
        for one in popular
        if all(  # no approval stops an order of the law
            each.newly_closed(one.name, one.except_categories, by_order=False)
            for each in references
        )
    ]
    if closed:
        sentence = say(
            "{count} popular names that must stay open would be closed: {names}",
            count=len(closed),
            names=few(closed),
        )
        yield found(_POPULAR, Severity.HELD, sentence, closed, closed, count=len(closed))


def grown(compared: Compared, *, with_own: bool = True) -> Iterator[Finding]:
    """Find whether lists have grown or shrunk too much.

    Args:
        compared: the candidate and what is active.
        with_own: whether the publisher's own lists count, too. Those of a version that is made
            here are what this program brings, and change with its release.
    """
    new = _content(compared.new, compared.new_lists, with_own=with_own)
    before = _content(compared.before, compared.lists_before, with_own=with_own)
    yield from excesses(new, before)


def opened(compared: Compared) -> Iterator[Finding]:
    """Find whether too much of what is closed now would be open, by whatever means."""
    yield from _opened_categories(compared)
    yield from _shown(compared)
    drawn = list(listed_names.drawn(compared.before.index, DRAWN))
    # An entry that covers less than before leaves open what is beneath it.
    found_open = [
        names.to_text(name)
        for name in drawn
        if compared.newly_open(name)
        or (len(name) < _LONGEST_PARENT and compared.newly_open(_BENEATH + name))
    ]
    if len(found_open) > max(TOTAL_SHRINK * len(drawn), SLACK):
        sentence = say(
            "{count} of {asked} names that were closed until now would be open: {names}",
            count=len(found_open),
            asked=len(drawn),
            names=few(found_open),
        )
        yield found(
            GROWTH, Severity.HELD, sentence, found_open, count=len(found_open), asked=len(drawn)
        )


def _shown(compared: Compared) -> Iterator[Finding]:
    """Find whether names that are never shown would move to where names are shown."""
    before = compared.before
    categories = before.policy.categories.values()
    confidential = {category.id for category in categories if category.confidential}
    lists = [
        one.id
        for one in before.index.lists
        if one.id in compared.lists_before and one.category in confidential
    ]
    asked = list(islice(listed_names.names_of(before.index, lists), DRAWN))
    shown = [names.to_text(name) for name in asked if compared.newly_shown(name)]
    if len(shown) > max(TOTAL_SHRINK * len(asked), 1):
        sentence = say(
            "{count} of {asked} names that are never shown would be in categories that are shown",
            count=len(shown),
            asked=len(asked),
        )
        # No name is in the finding: it is read where they are never shown.
        yield found(GROWTH, Severity.HELD, sentence, count=len(shown), asked=len(asked))


def _opened_categories(compared: Compared) -> Iterator[Finding]:
    """Find categories that the version opens to a grade by their ages and locks."""
    now = compared.new.site.policy.grades
    for category in compared.before.policy.categories:
        opened = [
            grade
            for grade, policy in compared.before.site.policy.grades.items()
            if category in policy.closed and grade in now and category not in now[grade].closed
            if not policy.class_id  # its grade is there, too
        ]
        if opened:
            sentence = say(
                "category {category} would be open to {grades}",
                category=category,
                grades=", ".join(opened),
            )
            subjects = [f"{category} {one}" for one in opened]
            yield found(GROWTH, Severity.HELD, sentence, opened, subjects, count=len(opened))


def _content(asking: Asking, lists: Collection[str], *, with_own: bool) -> Content:
    """Count names without those of orders, which come and go; parts as their wholes."""
    kept, known = Counter[str](), asking.policy.categories
    for one in asking.index.lists:
        if one.id in lists and not is_order(one.id) and (with_own or not one.own):
            of = known.get(one.category)
            kept[(of and of.part_of) or one.category] += one.kept  # a split moves names to parts
    return Content(kept, {})


def _by_place(newly: Mapping[tuple[int, bytes], str]) -> dict[int, str]:
    """Give each name a place of its own; two lists may have one each of a rank.

    A limit counts names up to a rank, so a place between the same two limits is as good.
    """
    by_place = dict[int, str]()
    in_order = sorted(newly.items())
    for before, top in pairwise((0, *(top for top, _ in POPULAR_LIMITS))):
        texts = [text for (rank, _), text in in_order if before < rank <= top]
        by_place.update(zip(range(before + 1, top + 1), texts, strict=False))
    return by_place


def _name(text: str) -> bytes | None:
    try:
        return name_from_key(key_from_text(text))
    except HostnameError:
        return None
