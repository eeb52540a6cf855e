# SPDX-License-Identifier: Apache-2.0
"""Estimate how often look-alike rules close a name that must stay open.

No check finds the names that a publisher does not know, and rules are made so that they fit none
that it knows. So a hash divides the known names into two halves. Rules are made as if one half
were all that is known, and tried on the other; then the other way round. A name that such a rule
closes is an *error*: of names of the same sort, unknown to all, as many are closed.

Rules of one kind and category are judged together: one rule closes a name or none. Some names are
*certain*: schools, and what people chose (pins, services). Where a kind closes more than one of
``BOUND`` of them, its rules need more listed names (``needed``) until it does not; what has fewer
does not hold. A ranking is not certain: it has sites of gambling that no list has yet. So more of
its names may be closed, and a person is shown which.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from filterd.lists.lookalikes import RUN, Lookalikes, looks_of
from filterd.wire import name as wire_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from filterd.lists.lookalikes import LookalikeRule

BOUND, BOUND_OF_RANKED = 50_000, 2_500
"""Of so many names one may be closed: certain ones, and others."""
_MOST_SHOWN = 10
_MOST_KNOWN = 1 << 16


class RuleKind(StrEnum):
    """What a rule is made of, and whether it holds everywhere.

    * ``FAMILY``: names that differ in digits or suffix. ``FORM``: a pattern of letters and digits.
    * ``NEAR_FAMILY``, ``NEAR_FORM``: the same, with a reach.
    * ``NEAR_LABEL``: one label beneath several suffixes, with a reach.
    """

    FAMILY = "family"
    FORM = "form"
    NEAR_FAMILY = "near-family"
    NEAR_FORM = "near-form"
    NEAR_LABEL = "near-label"


class HeldRule(NamedTuple):
    """A rule, and of how many listed names it is made."""

    rule: LookalikeRule
    names: int

    @property
    def kind(self) -> RuleKind:
        """Its kind."""
        if self.rule.reach is None:
            return RuleKind.FORM if self.rule.varies else RuleKind.FAMILY
        if self.rule.varies:
            return RuleKind.NEAR_FORM
        return RuleKind.NEAR_FAMILY if RUN in self.rule.shape else RuleKind.NEAR_LABEL


class Judge(NamedTuple):
    """A name that must stay open, as wire name and as text, and whether it is certain."""

    wire: bytes
    name: str
    is_certain: bool
    half: int
    """The half to which it belongs, 0 or 1."""
    looks: frozenset[bytes] | None
    """What rules are looked up by (``lookalikes.looks_of``)."""


class KindErrors(NamedTuple):
    """The errors of the rules of one kind and category.

    Attributes:
        category: their category.
        kind: their kind.
        rules: how many hold.
        needed: listed names that each of them has at least.
        certain: certain names that such rules close unseen, of ``of_certain``.
        ranked: other names, of ``of_ranked``.
        names: the first of both.
    """

    category: str
    kind: RuleKind
    rules: int
    needed: int
    certain: int
    of_certain: int
    ranked: int
    of_ranked: int
    names: tuple[str, ...]


class Judges:
    """Names that must stay open, in two halves, found by what rules look up.

    A build asks some fifteen thousand names for each category, and hardly one is like a rule.

    Attributes:
        halves: the names of each.
        certain: how many are certain.
        ranked: how many are not.
    """

    def __init__(self, names: Iterable[Judge]) -> None:
        self.halves: tuple[list[Judge], list[Judge]] = ([], [])
        self._places: tuple[defaultdict[bytes | None, list[int]], ...] = (
            defaultdict(list),
            defaultdict(list),
        )
        for name in names:
            half = self.halves[name.half]
            for look in (None,) if name.looks is None else name.looks:
                self._places[name.half][look].append(len(half))
            half.append(name)
        every = (*self.halves[0], *self.halves[1])
        self.certain = sum(one.is_certain for one in every)
        self.ranked = len(every) - self.certain

    def alike(self, half: int, skeletons: Iterable[bytes]) -> list[Judge]:
        """Return the names of a half that may fit a rule, in their order."""
        places, names = self._places[half], self.halves[half]
        found = set(places.get(None, ()))
        found.update(at for skeleton in skeletons for at in places.get(skeleton, ()))
        return [names[at] for at in sorted(found)]


class Errors:
    """The errors of rules of a category, by kind.

    Args:
        judges: the names that must stay open.
        make: returns the rules that hold where only these are known.
    """

    def __init__(self, judges: Judges, make: Callable[[list[Judge]], Iterable[HeldRule]]) -> None:
        self._of_certain, self._of_ranked = judges.certain, judges.ranked
        self._found = defaultdict[RuleKind, list[tuple[int, Judge]]](list)
        for known, unseen in ((0, 1), (1, 0)):
            held = list(make(judges.halves[known]))
            lookalikes = Lookalikes(one.rule for one in held)
            for one in judges.alike(unseen, lookalikes.skeletons) if held else ():
                for found in lookalikes.find(one.wire):
                    rule = held[found.number]
                    self._found[rule.kind].append((rule.names, one))

    def needed(self, kind: RuleKind) -> int:
        """Return how many listed names a rule of a kind must have."""
        # One name of a ranking is no rate, and may be a site that no list has yet.
        left = {True: self._of_certain // BOUND, False: 1 + self._of_ranked // BOUND_OF_RANKED}
        closed = dict[Judge, int]()
        for count, one in sorted(self._found[kind], key=lambda each: -each[0]):
            closed.setdefault(one, count)
        for one, count in closed.items():
            left[one.is_certain] -= 1
            if left[one.is_certain] < 0:
                return count + 1
        return 0

    def of(self, category: str, kind: RuleKind, held: Iterable[HeldRule]) -> KindErrors:
        """Return the errors of the rules of a kind that hold."""
        needed = self.needed(kind)
        left = dict.fromkeys(one for count, one in self._found[kind] if count >= needed)
        certain = sum(one.is_certain for one in left)
        return KindErrors(
            category,
            kind,
            rules=sum(one.kind is kind for one in held),
            needed=needed,
            certain=certain,
            of_certain=self._of_certain,
            ranked=len(left) - certain,
            of_ranked=self._of_ranked,
            names=tuple(one.name for one in left)[:_MOST_SHOWN],
        )


@lru_cache(_MOST_KNOWN)
def judge(name: str, *, is_certain: bool) -> Judge:
    """Return a registered name as a judge; those of before are memorised."""
    wire = wire_names.from_text(name)
    return Judge(wire, name, is_certain, zlib.crc32(wire) & 1, looks_of(wire))
