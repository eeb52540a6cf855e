# SPDX-License-Identifier: Apache-2.0
"""Popular names that newly compiled lists close and those before did not.

Only the lists are compared: both are asked under the policy of the site's files as it is now.
Services are no finding: their names were chosen by people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from filterd.base.errors import FilterdError, IndexFormatError
from filterd.cli.context import Context
from filterd.cli.offline_site import policy_of
from filterd.feed.guard.candidate import Asking
from filterd.lists.catalogs.catalog_tables import PopularName
from filterd.lists.index import Index
from filterd.lists.rules import SERVICE_PREFIX
from filterd.policy import policy_file
from filterd.policy.grade_rows import grades_text
from filterd.policy.model import GRADES, Policy
from filterd.policy.verdict import Match
from filterd.texts.counted import number
from filterd.texts.i18n import say
from filterd.wire import name as names

_NAMED = 10
"""Names of one list that a warning spells out."""


class ClosedName(NamedTuple):
    """A popular name that one list newly closes to some grades, by one entry."""

    name: str
    list: str
    category: str
    entry: str
    line: int
    grades: tuple[str, ...]


def newly_closed(
    here: Context, watched: Iterable[PopularName], before: Index | None
) -> list[ClosedName]:
    """Return the popular names that the lists in force close, and those before did not.

    Empty without a policy: which grades a list concerns is unknown then.

    Args:
        here: the site and the state folder.
        watched: popular names.
        before: the lists before; None where there were none.
    """
    policy = _policy(here)
    if policy is None:
        return []
    now = here.clock.wall()
    after = Asking(policy, Index.open(here.state.index), now)
    old = None if before is None else Asking(policy, before, now)
    return [one for popular in watched for one in _closed(popular, old, after)]


def warn(here: Context, found: list[ClosedName]) -> None:
    """Warn of popular names that are newly closed: a line for each list and audience."""
    together = dict[tuple[str, str, tuple[str, ...]], list[str]]()
    for one in found:
        together.setdefault((one.list, one.category, one.grades), []).append(one.name)
    for (list_id, category, grades), closed in together.items():
        more = here.texts(" and {n} more", n=number(len(closed) - _NAMED))
        here.warn(
            say(
                "warning: {list} (category {category}) newly blocks popular names for {grades}:"
                " {names}; if that is a mistake, correct the list or use `filterd report-mistake"
                " NAME`",
                list=list_id,
                category=category,
                grades=grades_text(here.texts, grades),
                names=", ".join(closed[:_NAMED]) + (more if len(closed) > _NAMED else ""),
            )
        )


def plain(found: list[ClosedName]) -> list[dict[str, Any]]:
    """Return them as plain data."""
    return [one._asdict() for one in found]


def _policy(here: Context) -> Policy | None:
    """Return the policy of the site's files, else the last one that was valid."""
    with suppress(FilterdError):
        return policy_of(here)
    with suppress(FilterdError):
        return policy_file.load(here.state.policy)
    return None


def _closed(popular: PopularName, before: Asking | None, after: Asking) -> Iterator[ClosedName]:
    """Yield the entries that close a name, else those that close its ``www``."""
    for name in (popular.name, names.from_text("www").removesuffix(b"\0") + popular.name):
        if found := list(_closed_exactly(name, popular.except_categories, before, after)):
            yield from found
            return


def _closed_exactly(
    name: bytes, meant: frozenset[str], before: Asking | None, after: Asking
) -> Iterator[ClosedName]:
    closed = after.closed(name)
    if not closed:
        return
    was = dict[str, Match]()
    if before is not None:
        with suppress(IndexFormatError):  # damaged just there: then all of it is new
            was = before.closed(name)
    newly = [
        grade
        for grade, match in closed.items()
        if grade not in was
        and match.category not in meant
        and not match.list_id.startswith(SERVICE_PREFIX)
    ]
    entries = after.entries(name) if newly else {}
    by_entry = dict[tuple[str, str, str, int], list[str]]()
    for grade in newly:
        match = entries[grade]
        entry = (match.list_id, match.category, match.entry, match.line)
        by_entry.setdefault(entry, []).append(grade)
    for entry, grades in by_entry.items():
        in_order = tuple(grade for grade in GRADES if grade in grades)
        yield ClosedName(names.to_text(name), *entry, in_order)
